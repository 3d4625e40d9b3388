"""What stands is not described again, and a run that broke off anywhere goes on and ends with every record once."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import OperationalError

from catalog.db import db, transaction
from catalog.errors import CatalogError, Unavailable
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import State
from catalog.permissions import SCHEDULER
from catalog.services import datasets
from harvesters import describing, items, jobs, runner, runs, services
from harvesters.harvester import Record, Source
from harvesters.models import HarvestItem, HarvestRun, HarvestSource, Result, RunState
from tests.make_scripted import Scripted, counts, harvest, titled
from tests.make_source import make_source

ROOT = Path(__file__).parent.parent.parent
STEP = 29
"""From one statement at which a run breaks off to the next one that is tried; 1 tries all, which takes minutes."""


class Killed(BaseException):
    """The end of a process, as far as a test can play it."""


def known(key: str) -> HarvestItem:
    return db.session.scalars(
        select(HarvestItem).where(HarvestItem.key == key).execution_options(populate_existing=True)
    ).one()


def lose(run_id: str) -> None:
    """Let the run's worker be silent for long."""
    long_ago = now() - timedelta(minutes=11)
    with transaction():
        db.session.execute(
            update(HarvestRun)
            .where(HarvestRun.id == run_id)
            .values(heartbeat_at=long_ago, created_at=long_ago)
        )


def test_a_record_that_stands_is_not_described_again(
    source: HarvestSource, scripted: Scripted
) -> None:
    scripted.script = [titled("a"), titled("b", resources=[{"key": "r", "load": {"part": {}}}])]
    run = harvest(source)
    assert (run.created, run.to_load) == (2, 1)
    scripted.described.clear()
    run = harvest(source)
    assert (counts(run), scripted.described) == ((2, 0, 0, 2, 0, 0), [])
    assert run.to_load == 1  # its content may be new nevertheless
    assert known("a").result == Result.SAME


@pytest.mark.parametrize("what", ["code", "organization", "source", "withdrawn", "purged"])
def test_a_record_is_described_again_when_what_is_made_of_it_may_differ(
    source: HarvestSource, scripted: Scripted, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    scripted.script = [titled("a"), titled("b")]
    harvest(source)
    scripted.described.clear()
    if what == "code":
        monkeypatch.setattr(describing, "_code", lambda: b"another version")
    with transaction():
        if what == "organization":
            source.organization.slug = "another"
        elif what == "source":
            source.url = "another"
        elif what == "withdrawn":
            datasets.retire(SCHEDULER, [known("a").dataset_id or ""])
        elif what == "purged":
            db.session.execute(
                update(HarvestItem).where(HarvestItem.key == "a").values(dataset_id="x")
            )
    run = harvest(source)
    assert run.refused == 0, services.records(SCHEDULER, run.id)[0].error
    one = what in {"withdrawn", "purged"}
    assert scripted.described == (["a"] if one else ["a", "b"])
    assert run.changed == {"withdrawn": 1, "organization": 2}.get(what, 0)


def test_records_are_kept_with_their_result(source: HarvestSource, scripted: Scripted) -> None:
    scripted.script = [
        titled("a"),
        Record("b", {"title": {}}),
        Record("c", {}, Unavailable("down")),
    ]
    harvest(source)
    assert items.unpacked("a", known("a").raw) == titled("a")
    assert (known("b").result, known("b").error["code"]) == (Result.REFUSED, "invalid")
    assert (known("c").raw, known("c").error["message"]) == (b"", "down")
    scripted.script = [titled("a"), titled("a"), titled("b")]
    run = harvest(source)
    assert (run.same, run.created, run.refused) == (1, 1, 1)
    assert (known("a").result, known("a").error) == (Result.SAME, {})
    assert (known("b").result, known("b").error) == (Result.CREATED, {})
    deep: Any = {}
    for _ in range(300):
        deep = {"a": deep}
    assert items.unpacked("x", items.packed(Record("x", {"long": "x" * 300_000}))) is None
    assert items.unpacked("x", items.packed(Record("x", deep))) is None


def test_a_source_that_names_only_changes_withdraws_what_it_says_is_gone(
    source: HarvestSource, scripted: Scripted
) -> None:
    def remember(source: Source) -> None:
        source.memory.after["since"] = source.memory.before.get("since", 0) + 1
        source.memory.partial = "since" in source.memory.before

    def states() -> dict[str | None, State]:
        found = db.session.execute(select(Dataset.record_key, Dataset.state))
        return {one.record_key: one.state for one in found}

    scripted.remember = remember
    scripted.script = [titled("a"), titled("b"), titled("c"), Record("d", {"title": {}})]
    harvest(source)
    scripted.script = [
        titled("a", tags=["x"]),
        Record("b", {}, gone=True),
        Record("u", {}, gone=True),
    ]
    scripted.described.clear()
    run = harvest(source)
    assert counts(run) == (2, 0, 1, 0, 1, 1)
    assert scripted.described == ["a", "d"]  # what was refused is tried again
    assert states() == {"a": State.PUBLISHED, "b": State.WITHDRAWN, "c": State.PUBLISHED}
    assert source_row(source).memory["kept"] == {"since": 2}
    scripted.script = [titled("a"), Record("c", {}, Unavailable("down"))]
    harvest(source)
    assert source_row(source).memory["kept"] == {"since": 2}  # c must come again
    scripted.script = [titled("a"), Unavailable("down")]
    harvest(source)
    assert source_row(source).memory["kept"] == {"since": 2}
    with transaction():
        source_row(source).url = "another"
    scripted.script = [titled("a"), titled("c")]
    harvest(source)
    assert source_row(source).memory["kept"] == {"since": 1}  # all was read again


def source_row(source: HarvestSource) -> HarvestSource:
    return db.session.get_one(HarvestSource, source.id, populate_existing=True)


BEFORE = [titled("a"), titled("b"), titled("c"), titled("d"), titled("gone")]
AFTER = [
    titled("a"),
    titled("b", tags=["x"]),
    Record("c", {"title": {}}),
    titled("d"),
    titled("e"),
    titled("e"),
]
"""One the same, one changed, one refused, one new, one twice, one vanished."""


@contextmanager
def fault_at(number: int, error: Callable[[], BaseException]) -> Iterator[list[int]]:
    """Raise at the statement or commit of this number; gives how many there were."""
    reached = [0]

    def count(*_: object) -> None:
        reached[0] += 1
        if reached[0] == number:
            raise error()

    engine = db.engine
    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    try:
        yield reached
    finally:
        event.remove(engine, "before_cursor_execute", count)
        event.remove(engine, "commit", count)


def disk_full() -> BaseException:
    return OperationalError("", {}, Exception("database or disk is full"))


@pytest.mark.parametrize("fault", [Killed, disk_full])
def test_a_run_that_broke_off_at_any_statement_ends_with_every_record_once(
    app: Flask,
    scripted: Scripted,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[], BaseException],
) -> None:
    monkeypatch.setattr(runner, "TOGETHER", 2)
    number, reached = 1, True
    while reached:
        source = make_source("scripted", "http://x.example/", slug=f"source-{number}")
        scripted.script = list(BEFORE)
        harvest(source)
        scripted.script = list(AFTER)
        with transaction():
            run_id = runs.ask(source, "x").id
        source_id = source.id
        with fault_at(number, fault) as seen:
            try:
                runner.run(run_id, lambda *_: None)
            except (Killed, CatalogError, OperationalError):
                db.session.rollback()
                db.session.remove()
        reached = seen[0] >= number
        lose(run_id)
        jobs.keep_harvesting()
        ended = db.session.get_one(HarvestRun, run_id, populate_existing=True)
        assert (ended.state, counts(ended)) == (RunState.DONE, (6, 1, 1, 2, 2, 1)), number
        assert len(services.records(SCHEDULER, run_id)) == 2
        there = db.session.execute(
            select(Dataset.record_key, Dataset.state).where(Dataset.source_id == source_id)
        ).all()
        assert sorted(map(tuple, there)) == [
            *((key, State.PUBLISHED) for key in "abcde"),
            ("gone", State.WITHDRAWN),
        ]
        number += STEP
    assert number > 60


def test_a_worker_that_is_only_slow_writes_no_more_once_another_has_taken_up_its_run(
    source: HarvestSource, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "TOGETHER", 1)
    with transaction():
        run = runs.ask(source, "x")

    def overtaken(_: Source) -> None:
        scripted.remember = lambda _: None
        lose(run.id)
        jobs.keep_harvesting()

    scripted.remember = overtaken
    scripted.script = [titled("a"), titled("b")]
    runner.run(run.id, lambda *_: None)
    ended = db.session.get_one(HarvestRun, run.id, populate_existing=True)
    assert (ended.state, ended.attempt, ended.created, ended.seen) == (RunState.DONE, 2, 2, 2)
    stale = runs.Lease(run.id, source.id, 1)
    with pytest.raises(runs.Superseded), transaction():
        runs.hold(stale)
    runs.end(stale, {"seen": 9}, None, [])
    runs.put_back(stale)
    assert db.session.get_one(HarvestRun, run.id, populate_existing=True).seen == 2


def test_a_run_that_kills_its_workers_is_given_up(
    source: HarvestSource, scripted: Scripted
) -> None:
    with transaction():
        run = runs.ask(source, "x")
    for attempt in range(1, runs.MOST_ATTEMPTS + 1):
        lease = runs.claim(run.id)
        assert lease is not None
        assert lease.attempt == attempt
        lose(run.id)
        taken = runs.take_up()
        assert taken == ([(source.id, run.id)] if attempt < runs.MOST_ATTEMPTS else [])
    ended = db.session.get_one(HarvestRun, run.id, populate_existing=True)
    assert (ended.state, ended.problem["message"]) == (RunState.FAILED, runs.LOST_WORKER)
    scripted.script = [titled("a")]
    assert harvest(source).state == RunState.DONE


def test_only_faults_of_the_portal_itself_put_a_run_back() -> None:
    assert runner.is_ours(OSError(errno.ENOSPC, "no room"))
    assert not runner.is_ours(FileNotFoundError(errno.ENOENT, "no such file"))
    assert not runner.is_ours(ValueError())


def test_workers_that_are_killed_lose_and_double_nothing() -> None:
    command = [sys.executable, "-m", "bench.kills", "--times", "2", "--records", "20"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # ours
    assert (said.returncode, said.stdout[:16]) == (0, "2 workers killed"), said.stdout + said.stderr


def test_datasets_are_counted_by_their_records(source: HarvestSource, scripted: Scripted) -> None:
    scripted.script = [titled(str(number)) for number in range(450)]
    assert harvest(source).created == 450
    assert db.session.scalar(select(func.count()).select_from(HarvestItem)) == 450
