"""The rows of runs: asked for, claimed by one worker, kept alive, ended; also when a worker died."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from catalog.db import db, transaction
from catalog.errors import N_, CatalogError, Invalid
from catalog.models.base import new_id, now
from harvesters.models import HarvestRecord, HarvestRun, HarvestSource, RunState, Schedule

SILENCE = timedelta(minutes=10)
"""A run that says nothing for so long has lost its worker."""
KEPT_RUNS = 50
EVERY = {
    Schedule.HOURLY: timedelta(hours=1),
    Schedule.DAILY: timedelta(days=1),
    Schedule.WEEKLY: timedelta(weeks=1),
    Schedule.MONTHLY: timedelta(days=30),
}
LOST_WORKER = N_(
    "the worker stopped in the middle of this run; what was there is kept, the next run starts anew"
)


def active(source_id: str) -> HarvestRun | None:
    """The run of the source that waits or runs."""
    return db.session.scalar(
        select(HarvestRun)
        .where(
            HarvestRun.source_id == source_id,
            HarvestRun.state.in_([RunState.WAITING, RunState.RUNNING]),
        )
        .execution_options(populate_existing=True)
    )


def ask(source: HarvestSource, asked_by: str) -> HarvestRun:
    """A new run that waits; inside the caller's transaction."""
    run = HarvestRun(id=new_id(), source_id=source.id, asked_by=asked_by[:200])
    db.session.add(run)
    source.last_run_id = run.id
    source.next_run_at = next_run(source.schedule, now())
    return run


def next_run(schedule: Schedule, after: datetime) -> datetime | None:
    """When the source is due again."""
    step = EVERY.get(Schedule(schedule))
    return after + step if step else None


def claim(run_id: str) -> bool:
    """Whether this process may do the run: it waited, and nobody else took it."""
    moment = now()
    with transaction():
        taken: Any = db.session.execute(
            update(HarvestRun)
            .where(HarvestRun.id == run_id, HarvestRun.state == RunState.WAITING)
            .values(
                state=RunState.RUNNING, started_at=moment, heartbeat_at=moment, worker=this_worker()
            )
        )
    return bool(taken.rowcount)


def beat(run_id: str, counts: Mapping[str, int]) -> None:
    """Say that the run is alive and how far it is."""
    with transaction():
        db.session.execute(
            update(HarvestRun).where(HarvestRun.id == run_id).values(heartbeat_at=now(), **counts)
        )


def end(
    run_id: str, counts: Mapping[str, int], error: CatalogError | None, notes: list[dict[str, Any]]
) -> None:
    """End a run that is still running, well or with its error, and forget runs of long ago."""
    with transaction():
        run = db.session.get(HarvestRun, run_id, populate_existing=True, with_for_update=True)
        if run is not None and run.state == RunState.RUNNING:
            run.state = RunState.FAILED if error else RunState.DONE
            run.problem = told(error) if error else {}
            run.notes = [*notes, *run.notes]  # loads may have noted something already
            run.ended_at = now()
            for name, count in counts.items():
                setattr(run, name, count)
    _forget_old(run_id)


def _forget_old(run_id: str) -> None:
    with transaction():
        run = db.session.get(HarvestRun, run_id)
        if run is None:
            return
        old = db.session.scalars(
            select(HarvestRun.id)
            .where(HarvestRun.source_id == run.source_id)
            .order_by(HarvestRun.created_at.desc())
            .offset(KEPT_RUNS)
        ).all()
        db.session.execute(delete(HarvestRecord).where(HarvestRecord.run_id.in_(old)))
        db.session.execute(delete(HarvestRun).where(HarvestRun.id.in_(old)))


def end_dead() -> int:
    """End runs whose worker died; how many."""
    ended = 0
    with transaction():
        for run in db.session.scalars(
            select(HarvestRun)
            .where(HarvestRun.state == RunState.RUNNING)
            .execution_options(populate_existing=True)
        ):
            if is_alive(run.worker, run.heartbeat_at):
                continue
            run.state, run.ended_at = RunState.FAILED, now()
            run.problem = told(CatalogError(LOST_WORKER))
            _make_due(run)
            ended += 1
    return ended


def _make_due(dead: HarvestRun) -> None:
    """Let a scheduled source run again soon; once only, for the source itself may be what kills workers."""
    before = db.session.scalar(
        select(HarvestRun)
        .where(HarvestRun.source_id == dead.source_id, HarvestRun.id != dead.id)
        .order_by(HarvestRun.created_at.desc())
        .limit(1)
    )
    source = db.session.get(HarvestSource, dead.source_id, populate_existing=True)
    died_before = before is not None and before.problem.get("message") == LOST_WORKER
    if source is not None and source.schedule != Schedule.MANUAL and not died_before:
        source.next_run_at = now()


def this_worker() -> str:
    """Machine and process, to tell later whether it still lives."""
    return f"{socket.gethostname()[:180]}:{os.getpid()}"


def is_alive(worker: str, heartbeat: datetime | None) -> bool:
    """Whether the process that does the work still lives, as far as can be told from here."""
    machine, _, process = worker.rpartition(":")
    if heartbeat is not None and now() - heartbeat > SILENCE:
        return False
    if machine != socket.gethostname()[:180] or not process.isdecimal():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def told(error: CatalogError) -> dict[str, Any]:
    """An error as the database keeps it, to be translated when it is shown."""
    context = {
        name: value if isinstance(value, int | float) else str(value)[:500]
        for name, value in error.context.items()
    }
    kept: dict[str, Any] = {"message": error.message, "context": context, "code": error.code}
    if isinstance(error, Invalid) and error.problems:
        kept["problems"] = error.problems
    return kept
