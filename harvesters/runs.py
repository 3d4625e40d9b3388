"""The rows of runs: asked for, leased by one worker, kept alive, taken up by another when that died, ended.

A lease has a number, and everything that a run writes is written only while its number is still the newest: a worker that was
taken for dead, but is only slow, does no harm.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update

from catalog.db import db, transaction
from catalog.errors import N_, CatalogError, Invalid
from catalog.models.base import new_id, now
from harvesters.models import HarvestRecord, HarvestRun, HarvestSource, RunState
from harvesters.schedules import next_run

BEAT_SECONDS = 1.0
SILENCE = timedelta(minutes=10)
"""A run that says nothing for so long has lost its worker."""
KEPT_RUNS = 50
MOST_ATTEMPTS = 5
"""So often a run is taken up; then it is the source that kills its workers."""
LOST_WORKER = N_(
    "the worker stopped in the middle of this run %(count)s times; what was there is kept"
)


class Superseded(Exception):  # no error: somebody else goes on
    """Another worker has taken up the run, or it was removed."""


@dataclass(frozen=True)
class Lease:
    """The right to do a run, until another worker has a newer one."""

    run_id: str
    source_id: str
    attempt: int

    @property
    def is_first(self) -> bool:
        """Whether nobody has worked on the run before."""
        return self.attempt == 1


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
    source.next_run_at = next_run(source, now())
    return run


def ask_trial(source: HarvestSource, asked_by: str) -> HarvestRun:
    """A new run that waits and will change nothing; inside the caller's transaction."""
    run = HarvestRun(id=new_id(), source_id=source.id, asked_by=asked_by[:200], is_trial=True)
    db.session.add(run)
    return run


def claim(run_id: str) -> Lease | None:
    """The lease of a run that waits; None when it does not, or somebody else took it."""
    moment = now()
    started = func.coalesce(HarvestRun.started_at, moment)
    with transaction():
        taken = db.session.execute(
            update(HarvestRun)
            .where(HarvestRun.id == run_id, HarvestRun.state == RunState.WAITING)
            .values(
                state=RunState.RUNNING,
                started_at=started,
                heartbeat_at=moment,
                worker=this_worker(),
                attempt=HarvestRun.attempt + 1,
            )
            .returning(HarvestRun.source_id, HarvestRun.attempt)
        ).one_or_none()
        if taken is None:
            return None
        if taken.attempt > 1:  # these are tried again, and told again
            db.session.execute(
                delete(HarvestRecord).where(
                    HarvestRecord.run_id == run_id, HarvestRecord.step != "load"
                )
            )
    return Lease(run_id, taken.source_id, taken.attempt)


def is_trial(lease: Lease) -> bool:
    """Whether the run is only to say what it would do."""
    return bool(db.session.scalar(select(HarvestRun.is_trial).where(*_leased(lease))))


def hold(lease: Lease) -> None:
    """Raise Superseded unless the lease is the newest; inside the transaction that writes."""
    held = select(HarvestRun.id).where(*_leased(lease))
    if db.session.scalar(held) is None:
        raise Superseded(lease.run_id)


def beat(lease: Lease, counts: Mapping[str, int]) -> None:
    """Renew the lease, and say how far the run is."""
    with transaction():
        hold(lease)
        db.session.execute(
            update(HarvestRun).where(*_leased(lease)).values(heartbeat_at=now(), **counts)
        )


class Beat:
    """Renews the lease and commits the counters, at most once a second; never inside a transaction."""

    def __init__(
        self, lease: Lease, counts: Mapping[str, int], before: Callable[[], None] = lambda: None
    ) -> None:
        self._lease, self._counts, self._before = lease, counts, before
        self._said = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._said < BEAT_SECONDS or "transaction" in db.session.info:
            return
        self._before()
        beat(self._lease, self._counts)
        self._said = time.monotonic()


def end(
    lease: Lease,
    counts: Mapping[str, int],
    error: CatalogError | None,
    notes: list[dict[str, Any]],
    *,
    memory: Mapping[str, Any] | None = None,
) -> None:
    """End a run that is still ours, well or with its error, and forget runs of long ago; `memory` is kept for the next."""
    with transaction():
        run = db.session.scalar(
            select(HarvestRun)
            .where(*_leased(lease))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if run is None:
            return
        run.state = RunState.FAILED if error else RunState.DONE
        run.problem = told(error) if error else {}
        run.notes = [*notes, *run.notes]  # loads may have noted something already
        run.ended_at = now()
        for name, count in counts.items():
            setattr(run, name, count)
        if memory is not None:
            db.session.execute(
                update(HarvestSource)
                .where(HarvestSource.id == lease.source_id)
                .values(memory=dict(memory))
            )
    _forget_old(lease)


def put_back(lease: Lease) -> None:
    """Let another worker go on where this one cannot."""
    with transaction():
        run = db.session.scalar(
            select(HarvestRun).where(*_leased(lease)).execution_options(populate_existing=True)
        )
        if run is not None:
            _take_up(run)


def _leased(lease: Lease) -> tuple[Any, ...]:
    return (
        HarvestRun.id == lease.run_id,
        HarvestRun.state == RunState.RUNNING,
        HarvestRun.attempt == lease.attempt,
    )


def _forget_old(lease: Lease) -> None:
    with transaction():
        old = db.session.scalars(
            select(HarvestRun.id)
            .where(HarvestRun.source_id == lease.source_id)
            .order_by(HarvestRun.created_at.desc())
            .offset(KEPT_RUNS)
        ).all()
        db.session.execute(delete(HarvestRecord).where(HarvestRecord.run_id.in_(old)))
        db.session.execute(delete(HarvestRun).where(HarvestRun.id.in_(old)))


def take_up() -> list[tuple[str, str]]:
    """Let runs whose worker died wait again; source and run of all that wait for somebody to go on."""
    with transaction():
        begun = db.session.scalars(
            select(HarvestRun)
            .where(
                or_(
                    HarvestRun.state == RunState.RUNNING,
                    (HarvestRun.state == RunState.WAITING) & (HarvestRun.attempt > 0),
                )
            )
            .execution_options(populate_existing=True)
        ).all()
        for run in begun:
            if run.state == RunState.RUNNING and not is_alive(run.worker, run.heartbeat_at):
                _take_up(run)
    return [(run.source_id, run.id) for run in begun if run.state == RunState.WAITING]


def _take_up(run: HarvestRun) -> None:
    if run.attempt < MOST_ATTEMPTS:
        run.state = RunState.WAITING
        return
    run.state, run.ended_at = RunState.FAILED, now()
    run.problem = told(CatalogError(LOST_WORKER, count=run.attempt))


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
