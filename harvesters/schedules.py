"""When a source is due: by one of the simple schedules, or at the moments that a line of crontab names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from flask import current_app

from catalog.errors import N_, Invalid
from catalog.settings import Settings
from harvesters.models import HarvestSource, Schedule

EVERY = {
    Schedule.HOURLY: timedelta(hours=1),
    Schedule.DAILY: timedelta(days=1),
    Schedule.WEEKLY: timedelta(weeks=1),
    Schedule.MONTHLY: timedelta(days=30),
}
NOT_CRON = N_("Five fields as in crontab: minute, hour, day of the month, month, day of the week.")


def next_run(source: HarvestSource, after: datetime) -> datetime | None:
    """When the source is due next after this moment; None when only people ask for it."""
    if source.schedule == Schedule.CRON:
        settings = cast("Settings", current_app.extensions["weft"]["settings"])
        return _cron(source.cron, after, settings.time_zone)
    step = EVERY.get(Schedule(source.schedule))
    return after + step if step else None


def check(cron: str) -> None:
    """Raise Invalid for what is no line of crontab, or names no moment."""
    try:
        _cron(cron, datetime.now(UTC), "UTC")
    except (CronSimError, StopIteration) as error:
        raise Invalid("this source cannot be used", problems={"cron": [NOT_CRON]}) from error


def _cron(cron: str, after: datetime, zone: str) -> datetime:
    return next(CronSim(cron, after.astimezone(ZoneInfo(zone)))).astimezone(UTC)
