"""Whether data services answer: checks are kept for ninety days and told as shares, a median and days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import case, delete, func, or_, select, update

from catalog.db import db, transaction
from catalog.models.base import now
from catalog.models.service import DataService, ServiceCheck
from catalog.models.vocabulary import State
from catalog.permissions import Identity
from catalog.queue import ImmediateQueue, job_queue

KEPT = timedelta(days=90)
EVERY = timedelta(minutes=15)
PERIODS: Mapping[str, timedelta] = {
    "day": timedelta(days=1),
    "month": timedelta(days=30),
    "quarter": KEPT,
}
LOOK = "harvesters.service_checks.check_service"
"""The job that looks at one service: what reaches the network lies above the catalogue."""
MOST_DUE = 500
"""Services that one round asks."""


@dataclass(frozen=True)
class Seen:
    """What one look found."""

    ok: bool
    status: int
    milliseconds: int
    problem: str = ""


@dataclass(frozen=True)
class Day:
    """How many looks of a day there were, and how many found an answer."""

    day: date
    checks: int
    ok: int


@dataclass(frozen=True)
class Uptime:
    """Shares (0 to 1) of looks that found an answer, by period; None where there was no look."""

    shares: Mapping[str, float | None]
    median: int | None
    """Milliseconds of the answers of the last thirty days."""
    days: tuple[Day, ...]
    """Ninety days, the oldest first."""
    last: ServiceCheck | None


def ask_soon(service_id: str) -> None:
    """Ask the worker for a look now: the address is new. Commands and tests, which have no worker, do not look."""
    if not isinstance(job_queue(), ImmediateQueue):
        job_queue().put(LOOK, (service_id,), retries=0)


def due(moment: datetime, *, only: str = "") -> list[tuple[str, str]]:
    """Id and address of the public services whose last look is a quarter of an hour ago; of the `only` one in any case."""
    waited = or_(DataService.checked_at.is_(None), DataService.checked_at <= moment - EVERY)
    if only:
        waited = DataService.id == only
    address = case(
        (DataService.check_url != "", DataService.check_url), else_=DataService.endpoint_url
    )
    found = db.session.execute(
        select(DataService.id, address)
        .where(DataService.state == State.PUBLISHED, waited)
        .order_by(DataService.checked_at.is_not(None), DataService.checked_at)
        .limit(MOST_DUE)
    )
    return [(id_, url) for id_, url in found]


def note(service_id: str, seen: Seen) -> None:
    """Keep what a look found; the service's description counts as unchanged."""
    with transaction():
        check = ServiceCheck(
            service_id=service_id,
            ok=seen.ok,
            status=seen.status,
            milliseconds=seen.milliseconds,
            problem=seen.problem[:300],
        )
        db.session.add(check)
        db.session.execute(
            update(DataService)
            .where(DataService.id == service_id)
            .values(checked_at=now(), updated_at=DataService.updated_at)
        )


def forget_old() -> None:
    """Let go of looks that are older than ninety days."""
    with transaction():
        db.session.execute(delete(ServiceCheck).where(ServiceCheck.at < now() - KEPT))


def of(who: Identity, service_id: str) -> Uptime:  # noqa: ARG001 # figures are public
    """How well the service answered."""
    moment = now()
    return Uptime(
        shares={name: _share(service_id, moment - period) for name, period in PERIODS.items()},
        median=_median(service_id, moment - PERIODS["month"]),
        days=_days(service_id, moment),
        last=db.session.scalars(
            select(ServiceCheck)
            .where(ServiceCheck.service_id == service_id)
            .order_by(ServiceCheck.at.desc())
            .limit(1)
        ).first(),
    )


def _share(service_id: str, since: datetime) -> float | None:
    ok = func.sum(case((ServiceCheck.ok, 1), else_=0))
    checks, answered = db.session.execute(
        select(func.count(), ok).where(
            ServiceCheck.service_id == service_id, ServiceCheck.at >= since
        )
    ).one()
    return int(answered) / checks if checks else None


def _median(service_id: str, since: datetime) -> int | None:
    took = (
        select(ServiceCheck.milliseconds)
        .where(ServiceCheck.service_id == service_id, ServiceCheck.at >= since, ServiceCheck.ok)
        .order_by(ServiceCheck.milliseconds)
    )
    count = db.session.scalar(select(func.count()).select_from(took.subquery())) or 0
    return db.session.scalars(took.offset((count - 1) // 2).limit(1)).first() if count else None


def _days(service_id: str, moment: datetime) -> tuple[Day, ...]:
    """Looks by day of UTC; at most 8,640 rows of two values are read."""
    rows = db.session.execute(
        select(ServiceCheck.at, ServiceCheck.ok).where(
            ServiceCheck.service_id == service_id, ServiceCheck.at >= moment - KEPT
        )
    )
    counted: dict[date, list[int]] = {}
    for at, ok in rows:
        one = counted.setdefault(at.astimezone(UTC).date(), [0, 0])
        one[0] += 1
        one[1] += ok
    first = moment.date() - timedelta(days=KEPT.days - 1)
    days = (first + timedelta(days=at) for at in range(KEPT.days))
    return tuple(Day(day, *counted.get(day, (0, 0))) for day in days)
