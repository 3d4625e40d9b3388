"""Runs: counted, kept raw where refused, retired with care, ended when dead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from catalog.db import db, transaction
from catalog.errors import CatalogError, Conflict, Unavailable
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import State
from catalog.permissions import SCHEDULER
from catalog.schemas.series import series_draft
from catalog.services import series
from harvesters import items, jobs, runner, runs, services
from harvesters.harvester import Record
from harvesters.models import HarvestRun, HarvestSource, RunState, Schedule
from tests.make_scripted import Scripted, counts, harvest, titled
from tests.make_source import make_source


def states() -> dict[str, str]:
    return {
        dataset.record_key or "": dataset.state
        for dataset in db.session.scalars(select(Dataset).execution_options(populate_existing=True))
    }


def test_records_are_created_changed_or_left(source: HarvestSource, scripted: Scripted) -> None:
    scripted.script = [titled("a"), titled("b")]
    run = harvest(source)
    assert (run.state, counts(run)) == (RunState.DONE, (2, 2, 0, 0, 0, 0))
    assert run.started_at
    assert run.ended_at
    scripted.script = [titled("a"), titled("b", tags=["new"])]
    assert counts(harvest(source)) == (2, 0, 1, 1, 0, 0)
    assert services.dataset_count(SCHEDULER, source.id) == 2


def test_a_record_that_cannot_be_taken_is_kept_raw_with_its_reason(
    source: HarvestSource, scripted: Scripted
) -> None:
    scripted.script = [
        titled("good"),
        Record("empty", {"title": {}, "odd": {1, 2}}),
        Record("broken", {"raise": KeyError("x")}),
        Record("worse", {"raise": RuntimeError("y")}),
        titled("theme", themes=["unknown-theme"]),
        Record("unfetched", {}, Unavailable("%(url)s is down", url="x")),
        titled("good"),
        titled(" "),
    ]
    run = harvest(source)
    assert run.state == RunState.DONE
    assert counts(run) == (8, 1, 0, 0, 7, 0)
    kept = {record.key: record for record in services.records(SCHEDULER, run.id)}
    assert set(kept) == {"empty", "broken", "worse", "theme", "unfetched", "good", ""}
    assert "title" in kept["empty"].error["problems"]
    assert "odd" in kept["empty"].raw
    assert kept["broken"].error["message"] == "the record is not built as records of this kind are"
    assert kept["worse"].error["context"] == {"kind": "RuntimeError"}
    assert "unknown-theme" in kept["theme"].error["message"] % kept["theme"].error["context"]
    assert kept["unfetched"].error == {
        "message": "%(url)s is down",
        "context": {"url": "x"},
        "code": "unavailable",
    }
    assert "occurs twice" in kept["good"].error["message"]
    assert json.loads(kept["theme"].raw)["title"] == {"en": "theme"}


def test_keys_of_any_characters_are_cleaned(source: HarvestSource, scripted: Scripted) -> None:
    scripted.script = [titled("a\x00\ud800b"), Record("\ud800c", {"title": {}, "odd": "\ud800"})]
    run = harvest(source)
    assert (run.created, run.refused) == (1, 1)
    assert set(states()) == {"ab"}
    assert services.records(SCHEDULER, run.id)[0].key == "c"


def test_what_vanished_is_retired_and_comes_back(source: HarvestSource, scripted: Scripted) -> None:
    scripted.script = [titled("a"), titled("b"), titled("c")]
    harvest(source)
    scripted.script = [titled("a"), titled("b")]
    assert counts(harvest(source))[-1] == 1
    assert states() == {"a": State.PUBLISHED, "b": State.PUBLISHED, "c": State.WITHDRAWN}
    scripted.script = [titled("a"), titled("b"), titled("c")]
    assert counts(harvest(source)) == (3, 0, 1, 2, 0, 0)
    assert states()["c"] == State.PUBLISHED


def test_a_record_that_is_refused_has_not_vanished(
    source: HarvestSource, scripted: Scripted
) -> None:
    scripted.script = [titled("a"), titled("b"), titled("c")]
    harvest(source)
    scripted.script = [titled("a"), titled("b"), Record("c", {"title": {}})]
    run = harvest(source)
    assert (run.refused, run.retired) == (1, 0)
    assert states()["c"] == State.PUBLISHED


@pytest.mark.parametrize("left", [[], [titled("a")]])
def test_nothing_is_retired_when_most_of_it_vanished(
    source: HarvestSource, scripted: Scripted, left: list[Record | Exception]
) -> None:
    scripted.script = [titled("a"), titled("b"), titled("c")]
    harvest(source)
    scripted.script = left
    run = harvest(source)
    assert (run.state, run.retired) == (RunState.DONE, 0)
    (note,) = run.notes
    assert note["context"] == {"vanished": 3 - len(left), "published": 3}
    assert run.held == 3 - len(left)
    assert set(states().values()) == {State.PUBLISHED}


def test_a_run_that_fails_keeps_what_was_there_and_says_why(
    source: HarvestSource, scripted: Scripted
) -> None:
    scripted.script = [titled("a"), titled("b"), titled("c")]
    harvest(source)
    scripted.script = [titled("a"), titled("d"), Unavailable("%(host)s is down", host="x")]
    run = harvest(source)
    assert run.state == RunState.FAILED
    assert run.problem == {
        "message": "%(host)s is down",
        "context": {"host": "x"},
        "code": "unavailable",
    }
    assert counts(run) == (2, 1, 0, 1, 0, 0)
    assert set(states()) == {"a", "b", "c", "d"}
    assert set(states().values()) == {State.PUBLISHED}


def test_a_bug_of_a_format_ends_the_run_with_a_sentence(
    source: HarvestSource, scripted: Scripted
) -> None:
    scripted.script = [ZeroDivisionError()]
    run = harvest(source)
    assert run.state == RunState.FAILED
    assert "its log says more" in run.problem["message"]


def test_a_source_of_which_nothing_could_be_fetched_is_at_fault(
    source: HarvestSource, scripted: Scripted
) -> None:
    down = Unavailable("down")
    scripted.script = [Record("a", {}, down), Record("b", {}, down)]
    run = harvest(source)
    assert (run.state, run.problem["message"], run.refused) == (RunState.FAILED, "down", 2)


def test_a_source_with_wrong_options_says_so(source: HarvestSource) -> None:
    with transaction():
        db.session.execute(update(HarvestSource).values(options={"no": 1}))
    run = harvest(source)
    assert run.state == RunState.FAILED
    assert run.problem["problems"] == {"no": ["Unknown field."]}


def test_only_so_many_refusals_are_kept(
    source: HarvestSource, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "MOST_REFUSALS", 2)
    scripted.script = [Record(str(number), {"title": {}}) for number in range(5)]
    run = harvest(source)
    assert run.refused == 5
    assert len(services.records(SCHEDULER, run.id)) == 2


def test_counters_can_be_watched(
    source: HarvestSource, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "BEAT_SECONDS", 0.0)
    seen: list[int] = []
    beat = runs.beat

    def watched(lease: runs.Lease, numbers: Mapping[str, int]) -> None:
        beat(lease, numbers)
        seen.append(services.progress(SCHEDULER, [lease.run_id]).seen)

    monkeypatch.setattr(runs, "beat", watched)
    scripted.script = [titled("a"), titled("b"), titled("c")]
    harvest(source)
    assert seen == [1, 2, 3]


def test_a_run_that_waits_or_runs_is_not_asked_for_twice(app: Flask, source: HarvestSource) -> None:
    with transaction():
        waiting = runs.ask(source, "x")
    assert services.run_now(SCHEDULER, source.slug).id == waiting.id
    assert runs.claim(waiting.id)
    assert not runs.claim(waiting.id)
    assert services.run_now(SCHEDULER, source.id).id == waiting.id
    runner.run(waiting.id, lambda *_: None)
    assert (
        db.session.get_one(HarvestRun, waiting.id, populate_existing=True).state == RunState.RUNNING
    )


def test_two_that_ask_at_once_get_one_run(
    source: HarvestSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        waiting = runs.ask(source, "x")
    found = [None, waiting]
    monkeypatch.setattr(services, "active", lambda _: found.pop(0))
    assert services.run_now(SCHEDULER, source.id).id == waiting.id


def kill(run: HarvestRun, **values: Any) -> None:
    with transaction():
        db.session.execute(update(HarvestRun).where(HarvestRun.id == run.id).values(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"worker": runs.this_worker().rpartition(":")[0] + ":4194305"},
        {"heartbeat_at": now() - timedelta(minutes=11)},
        {"worker": "elsewhere:1", "heartbeat_at": now() - timedelta(minutes=11)},
        {"attempt": 0, "heartbeat_at": now() - timedelta(minutes=11)},  # before these were counted
    ],
)
def test_a_run_whose_worker_died_is_taken_up_again(
    source: HarvestSource, scripted: Scripted, values: dict[str, Any]
) -> None:
    with transaction():
        dead = runs.ask(source, "x")
    runs.claim(dead.id)
    kill(dead, **values)
    scripted.script = [titled("a")]
    assert services.run_now(SCHEDULER, source.id).asked_by == "scheduler"
    ended = db.session.get_one(HarvestRun, dead.id, populate_existing=True)
    attempt = values.get("attempt", 1) + 1
    assert (ended.state, ended.attempt, ended.created) == (RunState.DONE, attempt, 1)


def test_a_worker_elsewhere_that_beats_is_alive() -> None:
    assert runs.is_alive("elsewhere:1", now())
    assert runs.is_alive(runs.this_worker(), now())
    assert runs.is_alive("nonsense", now())
    assert runs.is_alive(runs.this_worker().rpartition(":")[0] + ":1", now())
    assert runs.is_alive(runs.this_worker().rpartition(":")[0] + ":" + "9" * 30, now())


def test_the_clock_starts_what_is_due(source: HarvestSource, scripted: Scripted) -> None:
    scripted.script = [titled("a")]
    jobs.keep_harvesting()
    assert services.runs(SCHEDULER, source.id) == []
    with transaction():
        source.schedule, source.next_run_at = Schedule.DAILY, now() - timedelta(hours=1)
    jobs.keep_harvesting()
    (run,) = services.runs(SCHEDULER, source.id)
    assert (run.state, run.asked_by) == (RunState.DONE, "schedule")
    due = db.session.get_one(HarvestSource, source.id, populate_existing=True).next_run_at
    assert due is not None
    assert timedelta(hours=23) < due - now() < timedelta(hours=25)
    jobs.keep_harvesting()
    assert len(services.runs(SCHEDULER, source.id)) == 1


def test_the_clock_goes_on_with_dead_runs_and_asks_again_for_lost_ones(
    source: HarvestSource, scripted: Scripted
) -> None:
    scripted.script = [titled("a")]
    with transaction():
        dead = runs.ask(source, "x")
    runs.claim(dead.id)
    kill(dead, heartbeat_at=now() - timedelta(minutes=11))
    jobs.keep_harvesting()
    assert db.session.get_one(HarvestRun, dead.id, populate_existing=True).state == RunState.DONE
    with transaction():
        lost = runs.ask(source, "x")
    kill(lost, created_at=now() - timedelta(minutes=11))
    jobs.keep_harvesting()
    assert db.session.get_one(HarvestRun, lost.id, populate_existing=True).state == RunState.DONE


def test_runs_of_long_ago_are_forgotten(
    source: HarvestSource, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "KEPT_RUNS", 2)
    scripted.script = [Record("a", {})]
    ids = [harvest(source).id for _ in range(4)]
    assert [run.id for run in services.runs(SCHEDULER, source.id)] == [ids[3], ids[2]]
    assert services.records(SCHEDULER, ids[0]) == []


def test_a_run_of_a_source_that_was_removed_does_nothing(source: HarvestSource) -> None:
    runner.run("no such run", lambda *_: None)
    with transaction():
        run = runs.ask(source, "x")
    with transaction():
        db.session.delete(db.session.get_one(HarvestSource, source.id))
    runner.run(run.id, lambda *_: None)
    runs.end(runs.Lease(run.id, source.id, 1), {}, None, [])


def test_errors_are_kept_in_words_that_can_be_translated() -> None:
    told = runs.told(CatalogError("%(a)s of %(b)s", a=1, b=Path("x")))
    assert told == {"message": "%(a)s of %(b)s", "context": {"a": 1, "b": "x"}, "code": "error"}


def test_raw_records_of_any_shape_are_kept() -> None:
    assert items.as_json({"a": {1}}, indent=True) == '{\n  "a": "{1}"\n}'
    assert "\x00" not in items.as_json({"a": "\x00"})
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    assert items.as_json(deep)


def test_a_title_too_short_for_an_address_gets_one_from_its_source(
    source: HarvestSource, scripted: Scripted
) -> None:
    scripted.script = [
        Record("f.csv", {"title": {"en": "f"}}),
        Record("表.csv", {"title": {"zh": "表"}}),
        Record("g", {"title": {"en": "g"}, "slug": "own"}),
    ]
    harvest(source)
    assert set(db.session.scalars(select(Dataset.slug))) == {"source-f", "biao", "own"}


@pytest.mark.parametrize(
    ("url", "raw", "kept"),
    [
        ("/srv/data", '"/srv/data/in/a.csv"', '"in/a.csv"'),
        ("/srv/data/", '"/srv/data"', '""'),
        ("file:///srv/data/datapackage.json", '"/srv/data/a.csv"', '"a.csv"'),
        ("sqlite:////srv/data/d.sqlite", '"sqlite:////srv/data/d.sqlite"', '"d.sqlite"'),
        ("/srv/data", '"/srv/database/a.csv"', '"/srv/database/a.csv"'),
        ("http://x.example/srv", '"/srv/a"', '"/srv/a"'),
    ],
)
def test_raw_records_tell_no_path_of_the_machine(url: str, raw: str, kept: str) -> None:
    assert items.without_folder(raw, url) == kept


def test_refused_records_of_a_local_folder_are_kept_without_its_path(
    app: Flask, scripted: Scripted, tmp_path: Path
) -> None:
    source = make_source("scripted", str(tmp_path))
    scripted.script = [Record("a", {"title": {}, "url": f"{tmp_path}/a.json"})]
    (record,) = services.records(SCHEDULER, harvest(source).id)
    assert json.loads(record.raw)["url"] == "a.json"


def test_series_are_saved_before_their_datasets_and_withdrawn_when_they_vanish(
    app: Flask, scripted: Scripted
) -> None:
    def years(title: str = "Years") -> Record:
        return Record("s", {"title": {"en": title}}, is_series=True)

    def ran() -> dict[str, Any]:
        run_id = services.run_now(SCHEDULER, source.id).id
        run = db.session.get(HarvestRun, run_id, populate_existing=True)
        assert run is not None
        return {
            name: getattr(run, name)
            for name in ("created", "changed", "refused")
            if getattr(run, name)
        }

    def addresses() -> list[str]:
        return [one.slug for one, _ in series.listed(SCHEDULER)[0]]

    def of_dataset() -> str:
        dataset = db.session.scalars(select(Dataset).where(Dataset.record_key == "a")).one()
        near = series.around(SCHEDULER, dataset)
        return near.series.slug if near else ""

    source = make_source("scripted", "https://x.example")
    series.put(
        SCHEDULER, series_draft({"slug": "years", "organization": "bureau", "title": {"en": "Own"}})
    )
    member = Record("a", {"title": {"en": "a"}}, series=("untold", "s"))
    nameless = Record("n", {"title": {}}, is_series=True)
    scripted.script = [years(), nameless, member]
    assert ran() == {"created": 1, "refused": 1}
    assert (addresses(), of_dataset()) == (["years", "years-2"], "years-2")
    with pytest.raises(Conflict, match="harvested"):
        series.put(
            SCHEDULER,
            series_draft({"slug": "years-2", "organization": "bureau", "title": {"en": "X"}}),
        )
    with pytest.raises(Conflict, match="harvested"):
        series.withdraw(SCHEDULER, "years-2")
    scripted.script = [
        member,
        years("All years"),
    ]  # a dataset may stand on a page before its series
    assert (ran(), of_dataset()) == ({}, "years-2")
    assert series.show(SCHEDULER, "years-2").title == {"en": "All years"}
    scripted.script = [Record("a", {"title": {"en": "a"}})]
    assert ran() == {"changed": 1}
    assert (addresses(), of_dataset()) == (["years"], "")
    scripted.script = [years(), member]
    assert ran() == {"changed": 1}
    assert (addresses(), of_dataset()) == (["years", "years-2"], "years-2")
