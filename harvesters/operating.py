"""What people do with a source beside running it: try it out, decide what is withdrawn, look into one record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import func, select

from catalog.db import db, transaction
from catalog.errors import CatalogError, Conflict, NotFound
from catalog.permissions import Action, Identity, require
from harvesters import items, runs, services, trials
from harvesters.describing import Describer
from harvesters.jobs import go_on, run_harvest, withdraw_held
from harvesters.models import Decision, HarvestItem, HarvestRun, HarvestSource, Result, RunState

LISTED = 500


@dataclass(frozen=True)
class Explained:
    """A record as it came, what was made of it, and what is wrong with it."""

    item: HarvestItem
    raw: str
    described: str
    """As JSON; empty where it cannot be described, or was not kept whole."""
    problem: dict[str, Any] = field(default_factory=dict)
    """Why it could not be described now."""


def try_out(who: Identity, source_id: str) -> HarvestRun:
    """Ask for a trial; while a run waits or runs, that one is given."""
    go_on()
    found = services.source(who, source_id)
    require(who, Action.SOURCE_RUN, found.organization)
    running = runs.active(found.id)
    if running is not None:
        return running
    with transaction() as tx:
        run = runs.ask_trial(found, who.name)
        tx.after_commit(run_harvest.later, found.id, run.id)
    return run


def foresee(who: Identity, source_id: str) -> Iterator[trials.Foreseen]:
    """What a run would do now, record by record; nothing is written anywhere."""
    found = services.source(who, source_id)
    require(who, Action.SOURCE_RUN, found.organization)
    yield from trials.foresee(found)


def decide(who: Identity, source_id: str, run_id: str, *, is_withdrawn: bool) -> None:
    """Say whether what a run holds back is to be withdrawn; raises Conflict when there is nothing to say."""
    found = services.source(who, source_id)
    require(who, Action.SOURCE_RUN, found.organization)
    with transaction() as tx:
        run = db.session.get(HarvestRun, run_id, populate_existing=True)
        if run is None or run.source_id != found.id:
            raise NotFound("there is no such run")
        if not is_open(found, run):
            raise Conflict("this is decided already, or a newer run has come")
        run.decision = Decision.WITHDRAW if is_withdrawn else Decision.KEEP
        run.decided_by = who.name[:200]
        if is_withdrawn:
            tx.after_commit(withdraw_held.later, found.id, run.id)


def is_open(source: HarvestSource, run: HarvestRun) -> bool:
    """Whether somebody must say what becomes of the datasets that the run has missed."""
    newest = source.last_run_id == run.id and run.state == RunState.DONE
    return bool(newest and run.held and run.decision == Decision.OPEN)


def explain(who: Identity, source_id: str, key: str) -> Explained:
    """One record: as it came, as it is described now, its problems; raises NotFound."""
    found = services.source(who, source_id)
    item = db.session.get(HarvestItem, (found.id, key), populate_existing=True)
    if item is None:
        raise NotFound(
            "the source “%(source)s” has shown no record “%(key)s”",
            source=found.slug,
            key=key[:200],
        )
    record = items.unpacked(key, item.raw)
    if record is None:
        return Explained(item, items.shown(item.raw, found.url), "")
    raw = items.without_folder(items.as_json(record.body, indent=True), found.url)
    try:
        described = Describer(found).described(record)
        text = orjson.dumps(described, default=str, option=orjson.OPT_INDENT_2).decode()
        text = items.without_folder(text, found.url)
        Describer(found).draft(record)
    except CatalogError as error:
        return Explained(item, raw, "", runs.told(error))
    return Explained(item, raw, text)


def results(who: Identity, source_id: str) -> dict[Result, int]:
    """How many records of a source ended in which way, the last time that each was seen."""
    require(who, Action.SOURCE_READ)
    counted = db.session.execute(
        select(HarvestItem.result, func.count())
        .where(HarvestItem.source_id == source_id)
        .group_by(HarvestItem.result)
    )
    return {Result(result): int(count) for result, count in counted}


def all_items(who: Identity, source_id: str) -> Iterator[HarvestItem]:
    """All records of a source in the order of their keys, some at a time."""
    require(who, Action.SOURCE_READ)
    after = ""
    while True:
        some = db.session.scalars(
            select(HarvestItem)
            .where(HarvestItem.source_id == source_id, HarvestItem.key > after)
            .order_by(HarvestItem.key)
            .limit(LISTED)
        ).all()
        yield from some
        db.session.expunge_all()
        if len(some) < LISTED:
            return
        after = some[-1].key
