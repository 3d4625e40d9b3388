"""Where and when: the parameters of a search beside words and facets, and the condition that they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta

from catalog.errors import BadQuery
from catalog.search.conditions import And, Box, Condition, Or, Range, Term, Within, Words
from catalog.search.regions import codes_of

LAST = datetime(9999, 12, 31, tzinfo=UTC)
"""No day comes after it, so nothing ends there."""
MOST = 100
"""Characters of a place or a box."""


def N_(text: str) -> str:  # noqa: N802 # the usual name for marking a text for translation
    """Mark a sentence for translation; it is translated where it is shown."""
    return text


@dataclass(frozen=True)
class Narrowing:
    """A place and periods, as they were written; empty texts narrow nothing."""

    place: str = ""
    box: str = ""
    updated_from: str = ""
    updated_to: str = ""
    covers_from: str = ""
    covers_to: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Narrowing:
        """Those of the parameters of an address that are about place and time."""
        return cls(**{one.name: parameters.get(one.name, "").strip()[:MOST] for one in fields(cls)})

    def chosen(self) -> dict[str, str]:
        """Name → text of those that are filled."""
        return {name: text for name, text in vars(self).items() if text}

    def condition(self) -> Condition | None:
        """What a hit must fulfil; raises BadQuery for what is no date and no box."""
        parts = [
            *self._where(),
            *_period("modified", _day(self.updated_from), _day(self.updated_to)),
            *self._covered(),
        ]
        return And(tuple(parts)) if parts else None

    def _where(self) -> list[Condition]:
        parts: list[Condition] = []
        if self.place:
            codes = tuple(Term("region", code) for code in codes_of(self.place))
            parts.append(Or((*codes, Words("place", self.place))))
        if self.box:
            parts.append(Within(_box(self.box)))
        return parts

    def _covered(self) -> list[Condition]:
        """The period that the data is about has a day in common with this one."""
        start, end = _day(self.covers_from), _day(self.covers_to)
        parts: list[Condition] = []
        if start is not None:
            parts.append(Range("covers_to", low=start))
        if end is not None:
            parts.append(Range("covers_from", high=end))
        return parts


LABELS = {
    "place": N_("Place"),
    "box": N_("Box"),
    "updated_from": N_("Updated from"),
    "updated_to": N_("Updated until"),
    "covers_from": N_("About the time from"),
    "covers_to": N_("About the time until"),
}
"""What each is called on pages."""
DESCRIPTIONS = {
    "place": N_("Name of a place, or a division code (GB/T 2260): it holds the divisions below it"),
    "box": N_("west,south,east,north in degrees: data whose box has a point in common with it"),
    "updated_from": N_("First day of the last change, such as 2024-05-01"),
    "updated_to": N_("Last day of the last change"),
    "covers_from": N_("The data is about this day or later"),
    "covers_to": N_("The data is about this day or earlier"),
}
"""What the interface says of each."""


def _period(field: str, start: datetime | None, end: datetime | None) -> list[Condition]:
    if start is None and end is None:
        return []
    after = end + timedelta(days=1) if end is not None and end < LAST else None
    return [Range(field, start, after, with_high=False)]


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    except ValueError as error:
        raise BadQuery("%(text)s is no day: write it as 2024-05-01", text=text[:40]) from error


def _box(text: str) -> Box:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise BadQuery("a box is west, south, east, north in degrees") from error
    return west, south, east, north
