"""Harvest sources: register, list, show, run, and how far runs are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Select, String, bindparam, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from catalog.db import db, transaction
from catalog.errors import N_, Invalid, NotFound
from catalog.models.base import Texts, new_id, now
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, require
from harvesters import loads, schedules
from harvesters.harvester import Harvester
from harvesters.jobs import go_on, run_harvest
from harvesters.models import HarvestRecord, HarvestRun, HarvestSource, RunState, Schedule
from harvesters.registry import harvester_of
from harvesters.runs import active, ask, ask_trial
from harvesters.sealing import checked, seal

MOST_AT_ONCE = 500
SHOWN_RUNS = 20


@dataclass(frozen=True)
class SourceDraft:
    """A source as a form or a file describes it; `organization` is a slug."""

    slug: str
    title: Mapping[str, str]
    kind: str
    url: str
    organization: str
    description: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    schedule: Schedule = Schedule.DAILY
    cron: str = ""
    most_withdrawn: int = 50
    """Of a hundred datasets; a run that would withdraw more waits for a person."""


@dataclass(frozen=True)
class Named:
    """What a source is called, in addresses and in words."""

    slug: str
    title: Texts


@dataclass(frozen=True)
class Progress:
    """How far some runs are: walks that ended, and loads that ended, well or not."""

    ended: int
    failed: int
    seen: int
    loaded: int
    to_load: int


def register(who: Identity, draft: SourceDraft) -> HarvestSource:
    """Create the source, or change the one with this slug; what it gave so far stays."""
    harvester = harvester_of(draft.kind)
    with transaction():
        organization = db.session.scalar(
            select(Organization).where(Organization.slug == draft.organization)
        )
        require(who, Action.SOURCE_WRITE, organization)
        if organization is None:
            raise Invalid("there is no organization “%(slug)s”", slug=draft.organization)
        source = db.session.scalar(select(HarvestSource).where(HarvestSource.slug == draft.slug))
        _check(draft, harvester)
        if source is None:
            source = HarvestSource(id=new_id(), slug=draft.slug, options={}, next_run_at=now())
            db.session.add(source)
        source.title, source.description = dict(draft.title), dict(draft.description)
        source.kind, source.url, source.organization_id = draft.kind, draft.url, organization.id
        source.options = seal(harvester, draft.options, source.options, loads.settings().secret_key)
        source.most_withdrawn = draft.most_withdrawn
        _reschedule(source, draft)
    return source


def _check(draft: SourceDraft, harvester: Harvester) -> None:
    """Raise Invalid with the problems by field."""
    problems: dict[str, object] = {}
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,99}", draft.slug):
        problems["slug"] = [N_("Use lower-case letters a to z, digits and -.")]
    if not any(draft.title.values()):
        problems["title"] = [N_("A text is needed in at least one language.")]
    if not draft.url or len(draft.url) > 2000:
        problems["url"] = [N_("An address is needed.")]
    if re.search(r"://[^/@]*:[^/@]+@", draft.url):
        problems["url"] = [
            N_("Leave the password out of the address: it has an option of its own.")
        ]
    if not 0 <= draft.most_withdrawn <= 100:
        problems["most_withdrawn"] = [N_("A number from 0 to 100.")]
    if problems:
        raise Invalid("this source cannot be used", problems=problems)
    if draft.schedule is Schedule.CRON:
        schedules.check(draft.cron)
    checked(harvester, draft.options)


def _reschedule(source: HarvestSource, draft: SourceDraft) -> None:
    cron = draft.cron if draft.schedule is Schedule.CRON else ""
    if (source.schedule, source.cron or "") == (draft.schedule, cron):
        return
    source.schedule, source.cron = draft.schedule, cron
    source.next_run_at = schedules.next_run(source, now()) if cron else now()
    if draft.schedule is Schedule.MANUAL:
        source.next_run_at = None


def sources(who: Identity) -> list[HarvestSource]:
    """All sources with their organization and newest run, by slug."""
    require(who, Action.SOURCE_READ)
    return list(
        db.session.scalars(
            select(HarvestSource)
            .options(joinedload(HarvestSource.organization), joinedload(HarvestSource.last_run))
            .order_by(HarvestSource.slug)
            .execution_options(populate_existing=True)
        )
    )


def source(who: Identity, id_or_slug: str) -> HarvestSource:
    """One source with its organization and its newest run."""
    found = db.session.scalar(
        select(HarvestSource)
        .where(or_(HarvestSource.id == id_or_slug, HarvestSource.slug == id_or_slug))
        .options(
            joinedload(HarvestSource.organization),
            joinedload(HarvestSource.last_run),
        )
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("there is no source “%(slug)s”", slug=id_or_slug[:100])
    require(who, Action.SOURCE_READ, found.organization)
    return found


def named(who: Identity, source_id: str) -> Named | None:
    """What a source is called; None for one that was removed."""
    require(who, Action.SOURCE_READ)
    found = db.session.execute(_called(), {"source": source_id}).first()
    return Named(found.slug, found.title) if found else None


@cache
def _called() -> Select[str, Texts]:
    """Made once: the page of every dataset that was harvested asks it."""
    wanted = HarvestSource.id == bindparam("source", type_=String)
    return select(HarvestSource.slug, HarvestSource.title).where(wanted)


def runs(
    who: Identity, source_id: str, offset: int = 0, limit: int = SHOWN_RUNS
) -> list[HarvestRun]:
    """Runs of a source, the newest first."""
    require(who, Action.SOURCE_READ)
    return list(
        db.session.scalars(
            select(HarvestRun)
            .where(HarvestRun.source_id == source_id)
            .order_by(HarvestRun.created_at.desc(), HarvestRun.id)
            .offset(max(0, offset))
            .limit(min(max(1, limit), MOST_AT_ONCE))
            .execution_options(populate_existing=True)
        )
    )


def run(who: Identity, source_id: str, run_id: str) -> HarvestRun:
    """One run of a source; raises NotFound."""
    require(who, Action.SOURCE_READ)
    found = db.session.scalar(
        select(HarvestRun)
        .where(HarvestRun.id == run_id, HarvestRun.source_id == source_id)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("there is no such run")
    return found


def records(who: Identity, run_id: str, offset: int = 0, limit: int = 100) -> list[HarvestRecord]:
    """What could not be taken or loaded in a run, with the reason."""
    require(who, Action.SOURCE_READ)
    return list(
        db.session.scalars(
            select(HarvestRecord)
            .where(HarvestRecord.run_id == run_id)
            .order_by(HarvestRecord.created_at, HarvestRecord.key)
            .offset(max(0, offset))
            .limit(min(max(1, limit), MOST_AT_ONCE))
        )
    )


def dataset_count(who: Identity, source_id: str) -> int:
    """Number of published datasets that came from a source."""
    require(who, Action.SOURCE_READ)
    counted = db.session.scalar(
        select(func.count()).where(Dataset.source_id == source_id, Dataset.state == State.PUBLISHED)
    )
    return int(counted or 0)


def run_now(who: Identity, source_id: str, *, is_trial: bool = False) -> HarvestRun:
    """Ask for a run, or for a trial; while one waits or runs, that one is given."""
    go_on()
    found = source(who, source_id)
    require(who, Action.SOURCE_RUN, found.organization)
    running = active(found.id)
    if running is not None:
        return running
    try:
        with transaction() as tx:
            run = (ask_trial if is_trial else ask)(found, who.name)
            tx.after_commit(run_harvest.later, found.id, run.id)
    except IntegrityError:  # somebody asked at the same moment
        running = active(found.id)
        if running is None:
            raise
        return running
    return run


def progress(who: Identity, run_ids: Sequence[str]) -> Progress:
    """How far these runs and the loads they asked for are."""
    require(who, Action.SOURCE_READ)
    found = db.session.scalars(
        select(HarvestRun)
        .where(HarvestRun.id.in_(run_ids))
        .execution_options(populate_existing=True)
    ).all()
    state = Progress(
        ended=sum(run.ended for run in found),
        failed=sum(run.state == RunState.FAILED for run in found),
        seen=sum(run.seen for run in found),
        loaded=sum(run.loaded + run.load_failed for run in found),
        to_load=sum(run.to_load for run in found),
    )
    db.session.rollback()  # so that the next look sees what other processes wrote since
    return state
