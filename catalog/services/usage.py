"""Counting views, downloads and calls: in memory first, so that a page view costs no commit."""

from __future__ import annotations

import atexit
import logging
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from flask import Flask, current_app
from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from catalog.db import db, transaction
from catalog.errors import CatalogError
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.usage import UsageDay
from catalog.queue import ImmediateQueue, job_queue

FLUSH_SECONDS = 5.0
"""A kill loses at most the counts of this time."""
log = logging.getLogger(__name__)
Key = tuple[str, str, date]


class Usage(StrEnum):
    """How a dataset is used."""

    VIEW = "view"
    DOWNLOAD = "download"
    CALL = "call"


class Buffer:
    """Counts that are not written yet, of one app; a timer runs only while there are any."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._counts: Counter[Key] = Counter()
        self._timer: threading.Timer | None = None

    def add(self, key: Key, times: int = 1) -> None:
        """Count, and see to it that it is written soon."""
        with self._lock:
            self._counts[key] += times
            if self._timer is None:
                self._timer = threading.Timer(FLUSH_SECONDS, self.write)
                self._timer.daemon = True
                self._timer.start()

    def take(self) -> Counter[Key]:
        """The counts so far; they are the caller's now."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        return counts

    def write(self) -> None:
        """Write what was counted; when the database refuses, keep it for the next time."""
        counts = self.take()
        if not counts:
            return
        try:
            with self.app.app_context():
                _write(counts)
        except (SQLAlchemyError, CatalogError):
            log.exception("usage counts could not be written, they are tried again")
            for key, times in counts.items():
                self.add(key, times)


def count(dataset_id: str, kind: Usage | str) -> None:
    """One more use of the dataset; written to the database within a few seconds."""
    key = (dataset_id, Usage(kind).value, datetime.now(UTC).date())
    if isinstance(job_queue(), ImmediateQueue):
        _write(Counter({key: 1}))
    else:
        _buffer().add(key)


def flush() -> None:
    """Write what was counted so far."""
    _buffer().write()


def daily(dataset_id: str, *, days: int = 30) -> dict[date, int]:
    """Uses of the last days, all kinds together; days without any are left out."""
    since = datetime.now(UTC).date() - timedelta(days=days - 1)
    statement = (
        select(UsageDay.day, func.sum(UsageDay.count))
        .where(UsageDay.dataset_id == dataset_id, UsageDay.day >= since)
        .group_by(UsageDay.day)
        .order_by(UsageDay.day)
    )
    return {day: int(total) for day, total in db.session.execute(statement)}


def _buffer() -> Buffer:
    extensions = current_app.extensions
    if "weft_usage" not in extensions:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # the proxy's own way
        buffer = extensions.setdefault("weft_usage", Buffer(app))
        if buffer.app is app:
            atexit.register(buffer.write)
    kept: Buffer = extensions["weft_usage"]
    return kept


def _write(counts: Counter[Key]) -> None:
    totals: Counter[str] = Counter()
    for (dataset_id, _, _), times in counts.items():
        totals[dataset_id] += times
    with transaction():
        known = set(db.session.scalars(select(Dataset.id).where(Dataset.id.in_(list(totals)))))
        rows = [
            {"dataset_id": dataset_id, "kind": kind, "day": day, "count": times}
            for (dataset_id, kind, day), times in counts.items()
            if dataset_id in known
        ]
        if not rows:
            return
        db.session.execute(_upsert(), rows)
        for dataset_id in sorted(known):
            db.session.execute(
                update(Dataset)
                .where(Dataset.id == dataset_id)
                .values(uses=Dataset.uses + totals[dataset_id], index_due=now())
                .execution_options(synchronize_session=False)
            )


def _upsert() -> Any:
    dialect: Any = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(UsageDay)
    return statement.on_conflict_do_update(
        index_elements=["dataset_id", "day", "kind"],
        set_={"count": UsageDay.count + statement.excluded["count"]},
    )
