"""Whether a service answers, in figures and as a picture of ninety days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from portal.dates import format_date
from portal.filters import number
from portal.languages import gettext, lazy_gettext

if TYPE_CHECKING:
    from catalog.models.service import ServiceCheck
    from catalog.services.uptime import Day, Uptime

WIDTH, HEIGHT, GAP = 6, 32, 2
GOOD, FAIR = 0.99, 0.9
PERIODS = (
    ("day", lazy_gettext("Last 24 hours")),
    ("month", lazy_gettext("Last 30 days")),
    ("quarter", lazy_gettext("Last 90 days")),
)


@dataclass(frozen=True)
class Figures:
    """What the page shows of a service's uptime."""

    shares: tuple[tuple[str, str], ...]
    """Period in words → share in words."""
    median: int | None
    picture: Markup
    last: ServiceCheck | None

    @classmethod
    def of(cls, uptime: Uptime) -> Figures:
        """The figures in words."""
        shares = tuple((str(words), percent(uptime.shares[name])) for name, words in PERIODS)
        return cls(shares, uptime.median, picture(uptime.days), uptime.last)


def percent(share: float | None) -> str:
    """A share in words, rounded down: 99.99 % is not all of the time."""
    if share is None:
        return "–"
    tenths = int(share * 1000 + 1e-9)
    return f"{number(tenths / 10 if tenths % 10 else tenths // 10)} %"


def picture(days: tuple[Day, ...]) -> Markup:
    """Ninety bars, the oldest first; what each says is in its title."""
    if not any(day.checks for day in days):
        return Markup()
    width = len(days) * (WIDTH + GAP)
    bars = Markup().join(_bars(days))
    label = gettext("Days on which the service answered, of the last 90")
    return Markup(
        '<svg class="weft-uptime" viewBox="0 0 {} {}" role="img" aria-label="{}" preserveAspectRatio="none">{}</svg>'
    ).format(width, HEIGHT, label, bars)


def _bars(days: tuple[Day, ...]) -> Iterator[Markup]:
    for at, day in enumerate(days):
        share = day.ok / day.checks if day.checks else None
        words = f"{format_date(day.day)}: {percent(share)}"
        yield Markup(
            '<rect class="weft-uptime__day weft-uptime__day--{}" x="{}" y="0" width="{}" height="{}"><title>{}</title></rect>'
        ).format(_kind(share), at * (WIDTH + GAP), WIDTH, HEIGHT, words)


def _kind(share: float | None) -> str:
    if share is None:
        return "none"
    return "good" if share >= GOOD else "fair" if share >= FAIR else "bad"
