"""What people do with a source beside running it: foresee, decide what is withdrawn, look into one record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from catalog.db import db, transaction
from catalog.errors import CatalogError, Conflict, NotFound
from catalog.permissions import Action, Identity, require
from harvesters import items, runs, services, trials
from harvesters.describing import Describer
from harvesters.jobs import withdraw_held
from harvesters.models import Decision, HarvestItem, HarvestRun, HarvestSource, RunState


@dataclass(frozen=True)
class Explained:
    """A record as it came, what was made of it, and what is wrong with it."""

    item: HarvestItem
    raw: str
    described: str
    """As JSON; empty where it cannot be described, or was not kept whole."""
    problem: dict[str, Any] = field(default_factory=dict)
    """Why it could not be described now."""


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
    require(who, Action.SOURCE_RUN, found.organization)
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
    describer = Describer(found)
    try:
        described = describer.described(record)
        text = orjson.dumps(described, default=str, option=orjson.OPT_INDENT_2).decode()
        text = items.without_folder(text, found.url)
        describer.draft(record)
    except CatalogError as error:
        return Explained(item, raw, "", runs.told(error))
    return Explained(item, raw, text)
