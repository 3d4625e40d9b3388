"""Counting uses."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from catalog.db import db
from catalog.models.dataset import Dataset
from catalog.models.usage import UsageDay
from catalog.permissions import ANYONE
from catalog.search import SearchQuery
from catalog.services import search, usage
from catalog.services.usage import Usage
from tests.make_dataset import make_organization, put


class SlowQueue:
    """A queue that is not the immediate one, and does nothing."""

    def put(self, name: str, args: tuple[str, ...], *, retries: int) -> None:
        """Forget it."""


@pytest.fixture
def dataset_id(app: Flask) -> str:
    make_organization("ecology")
    return put().dataset_id


@pytest.fixture
def buffered(app: Flask, dataset_id: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(app.extensions["weft"], "queue", SlowQueue())
    monkeypatch.setattr("atexit.register", print)  # or it would run after the test
    return dataset_id


def uses() -> int | None:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalar(select(Dataset.uses))


def rows() -> dict[str, int]:
    db.session.rollback()
    found = db.session.execute(select(UsageDay.kind, UsageDay.count))
    return dict(found.all())


def test_with_immediate_jobs_a_use_is_written_at_once(dataset_id: str) -> None:
    usage.count(dataset_id, Usage.VIEW)
    usage.count(dataset_id, "view")
    usage.count(dataset_id, "download")
    usage.count("unknown", "view")
    assert uses() == 3
    assert rows() == {"view": 2, "download": 1}
    assert usage.daily(dataset_id) == {datetime.now(UTC).date(): 3}


def test_an_unknown_kind_is_a_mistake_of_ours(dataset_id: str) -> None:
    with pytest.raises(ValueError, match="peek"):
        usage.count(dataset_id, "peek")


def test_uses_reach_the_index_with_the_next_repair(dataset_id: str) -> None:
    usage.count(dataset_id, Usage.VIEW)
    search.repair_index()
    assert search.find(ANYONE, SearchQuery()).hits[0].card["uses"] == 1


def test_counts_of_many_threads_are_buffered_and_none_is_lost(app: Flask, buffered: str) -> None:
    def view() -> None:
        with app.app_context():
            for _ in range(50):
                usage.count(buffered, Usage.VIEW)

    threads = [threading.Thread(target=view) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert uses() == 0
    usage.flush()
    usage.flush()
    assert uses() == 200
    assert rows() == {"view": 200}


def test_the_buffer_is_written_by_itself(
    app: Flask, buffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "FLUSH_SECONDS", 0.05)
    usage.count(buffered, Usage.CALL)
    timer = app.extensions["weft_usage"]._timer
    timer.join(10)
    assert uses() == 1


def test_what_could_not_be_written_is_written_later(
    app: Flask, buffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(counts: object) -> None:
        raise OperationalError("insert", {}, Exception("locked"))

    usage.count(buffered, Usage.VIEW)
    with monkeypatch.context() as patch:
        patch.setattr(usage, "_write", refuse)
        usage.flush()
    assert uses() == 0
    usage.flush()
    assert uses() == 1


def test_old_days_are_not_listed(dataset_id: str) -> None:
    day = datetime.now(UTC).date() - timedelta(days=40)
    usage._write(Counter({(dataset_id, "view", day): 5}))
    assert usage.daily(dataset_id) == {}
    assert usage.daily(dataset_id, days=60) == {day: 5}
