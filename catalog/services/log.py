"""The log of all changes and decisions: append, read, and prove that no line was altered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Select, select

from catalog.db import Transaction, db, transaction
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.log import LogEntry
from catalog.permissions import Identity

NOTHING = "0" * 64
"""What the first line holds as the hash of the line before."""
BATCH = 2_000


@dataclass(frozen=True)
class Subject:
    """What a line is about: a kind of thing, its id, and the organization that it belongs to."""

    kind: str
    id: str
    organization_id: str | None = None


@dataclass(frozen=True)
class Break:
    """The first place where the chain does not hold."""

    number: int
    reason: str
    """`altered`: the line is not what its hash says; `missing`: a line before it is gone."""


def append(who: Identity, action: str, subject: Subject, data: Mapping[str, Any]) -> int:
    """Add a line inside the caller's transaction, so that change and line are kept together; its number.

    Lines are numbered one writer at a time: a transaction holds the lock of the only writer.
    """
    with transaction() as tx:
        number, previous = _line_before(tx)
        entry = LogEntry(
            number=number + 1,
            at=now().replace(microsecond=0),
            actor_id=who.account_id,
            actor=who.name[:200],
            action=action,
            kind=subject.kind,
            object_id=subject.id,
            organization_id=subject.organization_id,
            data=dict(data),
            previous=previous,
        )
        entry.hash = hash_of(entry)
        db.session.add(entry)
        tx.last_line = entry
    return entry.number


def about(who: Identity, action: str, dataset: Dataset, **more: object) -> int:
    """Add a line about a dataset, as it is called now."""
    subject = Subject("dataset", dataset.id, dataset.organization_id)
    return append(who, action, subject, {"slug": dataset.slug, "title": dataset.title, **more})


def _line_before(tx: Transaction) -> tuple[int, str]:
    """Number and hash of the newest line, which stays that until this transaction ends."""
    last = tx.last_line
    if last is not None and last in db.session:  # no savepoint was rolled back with it
        return last.number, last.hash
    found = db.session.execute(_newest()).first()
    return (found.number, found.hash) if found else (0, NOTHING)


@cache
def _newest() -> Select[int, str]:
    return select(LogEntry.number, LogEntry.hash).order_by(LogEntry.number.desc()).limit(1)


def hash_of(entry: LogEntry) -> str:
    """SHA-256 of the line's fields as JSON with sorted keys, moments in UTC to the second."""
    fields = {
        "number": entry.number,
        "at": entry.at.astimezone(UTC).isoformat(timespec="seconds"),
        "actor_id": entry.actor_id,
        "actor": entry.actor,
        "action": entry.action,
        "kind": entry.kind,
        "object_id": entry.object_id,
        "organization_id": entry.organization_id,
        "data": entry.data,
        "previous": entry.previous,
    }
    return hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()


def verify() -> tuple[int, Break | None]:
    """How many lines there are up to the first that does not hold, and why; None if all hold."""
    previous, last = NOTHING, 0
    for entry in _all():
        if entry.number != last + 1 or entry.previous != previous:
            return last, Break(entry.number, "missing")
        if hash_of(entry) != entry.hash:
            return last, Break(entry.number, "altered")
        previous, last = entry.hash, entry.number
    return last, None


def newest() -> tuple[int, str, datetime | None]:
    """Number, hash and moment of the last line: written down elsewhere, it proves that none was cut off."""
    found = db.session.scalars(_ordered().limit(1)).first()
    return (found.number, found.hash, found.at) if found else (0, NOTHING, None)


def of(subject: Subject, *, limit: int, offset: int = 0) -> list[LogEntry]:
    """Lines about one thing, the newest first; the caller has checked who may read them."""
    about = _ordered().where(LogEntry.kind == subject.kind, LogEntry.object_id == subject.id)
    return list(db.session.scalars(about.limit(limit).offset(offset)))


def _ordered() -> Select[LogEntry]:
    return select(LogEntry).order_by(LogEntry.number.desc())


def _all() -> Iterator[LogEntry]:
    last = 0
    while batch := list(
        db.session.scalars(
            select(LogEntry)
            .where(LogEntry.number > last)
            .order_by(LogEntry.number)
            .limit(BATCH)
            .execution_options(populate_existing=True)
        )
    ):
        yield from batch
        last = batch[-1].number
        db.session.expunge_all()
