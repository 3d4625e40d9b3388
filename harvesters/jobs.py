"""Jobs of harvesting: a run, the load of a resource, and the clock that starts and repairs them."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy import or_, select

from catalog.db import db, transaction
from catalog.models.base import now
from catalog.queue import job, job_queue
from harvesters import loads, retiring, runner, runs
from harvesters.models import HarvestRun, HarvestSource, RunState

log = structlog.get_logger(__name__)

FORGOTTEN = timedelta(minutes=10)
"""A run that waits for so long while the queue is empty was lost."""


@job()
def run_harvest(source_id: str, run_id: str) -> None:  # noqa: ARG001 # the source stands in the log
    """Do a run that was asked for, or go on with it."""
    go_on(but=run_id)
    runner.run(run_id, load_resource.later)


@job()
def load_resource(source_id: str, resource_id: str) -> None:
    """Fetch and load the content of one resource."""
    if loads.perform(source_id, resource_id):
        load_resource.later(source_id, resource_id)


@job()
def withdraw_held(source_id: str, run_id: str) -> None:
    """Withdraw what a run has missed, now that a person has said so."""
    retiring.withdraw_held(source_id, run_id)


@job(every_minutes=5)
def keep_harvesting() -> None:
    """Start runs that are due, go on with those whose worker died, ask again for what was lost."""
    go_on()
    empty = job_queue().waiting() == 0
    for source_id, resource_id in loads.lost(queue_is_empty=empty):
        load_resource.later(source_id, resource_id)
    if empty:
        _ask_again()
        for source_id, run_id in retiring.decided():
            withdraw_held.later(source_id, run_id)
    _start_due()


def go_on(but: str = "") -> None:
    """Take up again all runs that somebody has begun and nobody does, apart from `but`."""
    for source_id, run_id in runs.take_up():
        if run_id != but:
            log.warning("run_taken_up_again", source=source_id, run=run_id)
            run_harvest.later(source_id, run_id)


def _ask_again() -> None:
    forgotten = db.session.scalars(
        select(HarvestRun).where(
            HarvestRun.state == RunState.WAITING, HarvestRun.created_at < now() - FORGOTTEN
        )
    ).all()
    for run in forgotten:
        run_harvest.later(run.source_id, run.id)


def _start_due() -> None:
    busy = select(HarvestRun.source_id).where(
        or_(HarvestRun.state == RunState.WAITING, HarvestRun.state == RunState.RUNNING)
    )
    due = db.session.scalars(
        select(HarvestSource.id).where(
            HarvestSource.next_run_at <= now(), HarvestSource.id.not_in(busy)
        )
    ).all()
    for source_id in due:
        with transaction() as tx:
            source = db.session.get(HarvestSource, source_id, populate_existing=True)
            if source is not None and runs.active(source_id) is None:
                run = runs.ask(source, "schedule")
                tx.after_commit(run_harvest.later, source_id, run.id)
