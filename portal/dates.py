"""Days and moments in words for people, in the city's time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from flask import current_app
from markupsafe import Markup, escape

from portal.languages import current, gettext, ngettext

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MINUTE, HOUR, DAY = 60, 3600, 86400


@lru_cache(maxsize=8)
def zone(name: str) -> ZoneInfo:
    """The time zone of that name."""
    return ZoneInfo(name)


def local(value: datetime) -> datetime:
    """The moment in the city's time."""
    settings = current_app.extensions["weft"]["settings"]
    return value.astimezone(zone(settings.time_zone))


def parse(value: date | str | None) -> date | None:
    """A date or moment; ISO text is read, anything else gives None."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
    except ValueError:
        return None


def format_date(value: date | str | None) -> str:
    """2026年11月22日 or 22 November 2026, of `2026-11` the month; text that is no date stays as it is."""
    day = parse(value)
    if day is None:
        return _part_of_date(value) if isinstance(value, str) else ""
    if isinstance(day, datetime):
        day = local(day if day.tzinfo else day.replace(tzinfo=UTC))
    if current() == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _part_of_date(value: str) -> str:
    """A year or a month, `2026` or `2026-11`; any other text stays as it is."""
    found = _YEAR_OR_MONTH.fullmatch(value)
    if found is None:
        return value
    year, month = found.groups()
    if current() == "zh":
        return f"{year}年" + (f"{int(month)}月" if month else "")
    return f"{MONTHS[int(month) - 1]} {year}" if month else year


_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2]))?")


def format_moment(value: datetime | str | None) -> str:
    """The date with hours and minutes in the city's time, and how far that is from UTC."""
    moment = parse(value)
    if not isinstance(moment, datetime):
        return format_date(value)
    moment = local(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return f"{format_date(moment)} {moment:%H:%M} ({_zone_name(moment)})"


def _zone_name(moment: datetime) -> str:
    """`UTC+8`, `UTC-3:30`; many short names of zones mean several zones."""
    minutes = int((moment.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return ("UTC" + (f"{sign}{hours}" if minutes else "")) + (f":{rest:02}" if rest else "")


def time_element(value: date | str | None, *, clock: bool = False) -> Markup:
    """A `<time>` that machines read too."""
    moment = parse(value)
    if moment is None:
        return escape(value or "")
    shown = format_moment(value) if clock else format_date(value)  # type: ignore[arg-type] # a date has no clock and is shown as one
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), shown)


def ago(value: datetime | str | None, *, now: datetime | None = None) -> str:
    """How long ago, in words; older than a month, or to come: the date."""
    moment = parse(value)
    if not isinstance(moment, datetime):
        return format_date(value)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = int(((now or datetime.now(UTC)) - moment).total_seconds())
    if seconds < -MINUTE or seconds >= 30 * DAY:
        return format_date(moment)
    if seconds < MINUTE:
        return str(gettext("just now"))
    if seconds < HOUR:
        return str(ngettext("%(num)d minute ago", "%(num)d minutes ago", seconds // MINUTE))
    if seconds < DAY:
        return str(ngettext("%(num)d hour ago", "%(num)d hours ago", seconds // HOUR))
    return str(ngettext("%(num)d day ago", "%(num)d days ago", seconds // DAY))
