"""A trial says what a run would do and writes nothing; what many datasets would lose is decided by a person; schedules by cron."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from catalog.db import db, transaction
from catalog.errors import Conflict, Invalid, NotFound, Unavailable
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.log import LogEntry
from catalog.models.vocabulary import State
from catalog.permissions import SCHEDULER
from harvesters import operating, retiring, runs, schedules, services
from harvesters.harvester import Record
from harvesters.models import (
    Decision,
    HarvestItem,
    HarvestRun,
    HarvestSource,
    Result,
    RunState,
    Schedule,
)
from tests.make_scripted import Scripted, counts, harvest, titled


def written() -> list[int]:
    """How many rows there are of all that a run writes."""
    tables = (Dataset, HarvestItem, LogEntry)
    return [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def test_a_trial_says_what_a_run_would_do_and_writes_nothing(
    source: HarvestSource, scripted: Scripted
) -> None:
    scripted.script = [titled("a"), titled("b"), titled("c")]
    harvest(source)
    before = written()
    scripted.script = [
        titled("a"),
        titled("b", tags=["new"]),
        titled("d"),
        titled("d"),
        Record("e", {"title": {}}),
        Record("f", {}, Unavailable("down")),
        Record("g", {}, gone=True),
        titled("h", themes=["unknown"]),
    ]
    foreseen = {one.key: one for one in operating.foresee(SCHEDULER, source.id) if one.key != "d"}
    assert {key: one.result for key, one in foreseen.items()} == {
        "a": Result.SAME,
        "b": Result.CHANGED,
        "c": Result.WITHDRAWN,
        "e": Result.REFUSED,
        "f": Result.REFUSED,
        "h": Result.REFUSED,
    }
    (change,) = foreseen["b"].changes
    assert (change.field, change.before, change.after) == ("tags", "", "['new']")
    assert written() == before
    run = services.run(
        SCHEDULER, source.id, services.run_now(SCHEDULER, source.id, is_trial=True).id
    )
    assert (run.state, run.is_trial) == (RunState.DONE, True)
    assert counts(run) == (7, 1, 1, 1, 4, 1)
    assert written() == before
    steps = [one.step for one in services.records(SCHEDULER, run.id)]
    assert sorted(steps) == ["changed", "created", *["refused"] * 4, "withdrawn"]
    assert services.source(SCHEDULER, source.id).last_run_id != run.id


def test_a_trial_that_has_nothing_to_tell_says_that_it_lives(
    source: HarvestSource, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.script = [titled("a")]
    harvest(source)
    monkeypatch.setattr(runs, "BEAT_SECONDS", 0.0)
    run = services.run(
        SCHEDULER, source.id, services.run_now(SCHEDULER, source.id, is_trial=True).id
    )
    assert counts(run) == (1, 0, 0, 1, 0, 0)
    assert run.heartbeat_at != run.started_at


@pytest.mark.parametrize("withdrawn", [True, False])
def test_a_person_decides_whether_most_of_a_source_is_withdrawn(
    source: HarvestSource, scripted: Scripted, *, withdrawn: bool
) -> None:
    scripted.script = [titled("a"), titled("b"), titled("c")]
    first = harvest(source)
    scripted.script = [titled("a")]
    held = harvest(source)
    with pytest.raises(Conflict):
        operating.decide(SCHEDULER, source.id, first.id, is_withdrawn=withdrawn)
    with pytest.raises(NotFound):
        operating.decide(SCHEDULER, source.id, "no such run", is_withdrawn=withdrawn)
    operating.decide(SCHEDULER, source.id, held.id, is_withdrawn=withdrawn)
    public = select(func.count()).where(Dataset.state == State.PUBLISHED)
    run = db.session.get_one(HarvestRun, held.id, populate_existing=True)
    assert db.session.scalar(public) == (1 if withdrawn else 3)
    assert (run.retired, run.held) == ((2, 0) if withdrawn else (0, 2))
    with pytest.raises(Conflict):
        operating.decide(SCHEDULER, source.id, held.id, is_withdrawn=withdrawn)


def test_what_was_decided_is_not_done_once_another_run_was_asked_for(
    source: HarvestSource, scripted: Scripted
) -> None:
    """All that the newer run has seen would be what the older one has missed."""
    scripted.script = [titled(key) for key in "abcd"]
    harvest(source)
    scripted.script = [titled("a")]
    held = harvest(source)
    with transaction():
        db.session.get_one(HarvestRun, held.id).decision = Decision.WITHDRAW
    assert retiring.decided() == [(source.id, held.id)]
    scripted.script = [titled(key) for key in "abcd"]
    harvest(source)
    assert retiring.decided() == []
    retiring.withdraw_held(source.id, held.id)
    public = select(func.count()).where(Dataset.state == State.PUBLISHED)
    assert db.session.scalar(public) == 4


def test_a_record_is_explained(source: HarvestSource, scripted: Scripted) -> None:
    scripted.script = [titled("a"), Record("b", {"title": {}}), titled("c", long="x" * 300_000)]
    harvest(source)
    found = operating.explain(SCHEDULER, source.id, "a")
    assert '"organization": "bureau"' in found.described
    assert found.problem == {}
    assert operating.explain(SCHEDULER, source.id, "b").problem["code"] == "invalid"
    assert operating.explain(SCHEDULER, source.id, "c").raw.startswith('{"body":')
    with pytest.raises(NotFound):
        operating.explain(SCHEDULER, source.id, "z")


def test_a_source_is_due_when_its_line_of_crontab_says_so(source: HarvestSource) -> None:
    source.schedule, source.cron = Schedule.CRON, "30 2 * * 1"
    assert schedules.next_run(source, datetime(2026, 11, 28, tzinfo=UTC)) == datetime(
        2026, 11, 29, 18, 30, tzinfo=UTC
    )  # Monday at half past two in Shanghai
    source.schedule = Schedule.MANUAL
    assert schedules.next_run(source, now()) is None
    for wrong in ("", "every day", "61 * * * *", "0 0 30 2 *"):
        with pytest.raises(Invalid):
            schedules.check(wrong)
