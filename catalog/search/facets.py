"""What can be asked of the index: facets, orders and limits; every engine, page and form reads them here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from catalog.errors import BadQuery
from catalog.models.vocabulary import Access, Frequency
from catalog.search.conditions import check_condition
from catalog.search.engine import Bucket, SearchQuery


def N_(text: str) -> str:  # noqa: N802 # the usual name for marking a text for translation
    """Mark a sentence for translation; it is translated where it is shown."""
    return text


class Kind(StrEnum):
    """How the values of a facet are compared."""

    KEYWORD = "keyword"
    DATE_RANGE = "date_range"


@dataclasses.dataclass(frozen=True)
class Facet:
    """A facet: the name of its parameter, the field it filters and its label.

    `values` names a closed list of values with their labels; other facets take what the data says.
    Values of a `tree` stand under others: a document that has one has those above it too.
    `folded` says that a page shows it closed until something is chosen in it.
    """

    name: str
    field: str
    label: str
    kind: Kind = Kind.KEYWORD
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tree: bool = False
    folded: bool = False


RANGES = {"week": 7, "month": 31, "year": 366}
"""Days of the ranges of `updated`; each holds the shorter ones, and `older` is all before a year."""
UNKNOWN = "unknown"
"""The value of `updated` for datasets whose last change nobody knows."""
FACETS = (
    Facet("organization", "organization", N_("Organization"), tree=True),
    Facet("theme", "theme", N_("Theme")),
    Facet("format", "format", N_("Format")),
    Facet(
        "api",
        "api",
        N_("Programming interface"),
        values={"yes": N_("Has an API"), "no": N_("Files only")},
    ),
    Facet(
        "access",
        "access",
        N_("Access"),
        values={
            Access.OPEN: N_("Open"),
            Access.ON_APPLICATION: N_("On application"),
            Access.CLOSED: N_("Closed"),
        },
    ),
    Facet(
        "updated",
        "modified",
        N_("Updated"),
        kind=Kind.DATE_RANGE,
        values={
            "week": N_("In the last week"),
            "month": N_("In the last month"),
            "year": N_("In the last year"),
            "older": N_("Longer ago"),
            UNKNOWN: N_("Not stated"),
        },
    ),
    Facet("license", "license", N_("Licence"), folded=True),
    Facet(
        "frequency",
        "frequency",
        N_("Update frequency"),
        values={
            Frequency.CONTINUOUS: N_("Continuously"),
            Frequency.DAILY: N_("Daily"),
            Frequency.WEEKLY: N_("Weekly"),
            Frequency.MONTHLY: N_("Monthly"),
            Frequency.QUARTERLY: N_("Quarterly"),
            Frequency.ANNUAL: N_("Every year"),
            Frequency.IRREGULAR: N_("Irregularly"),
            Frequency.NEVER: N_("Never"),
            Frequency.UNKNOWN: N_("Not stated"),
        },
        folded=True,
    ),
    Facet("region", "region", N_("Region"), tree=True, folded=True),
    Facet("tag", "tag", N_("Tag"), folded=True),
    Facet(
        "quality",
        "quality",
        N_("Quality"),
        values={
            "high": N_("High"),
            "good": N_("Good"),
            "fair": N_("Fair"),
            "low": N_("Low"),
        },
        folded=True,
    ),
    Facet(
        "type",
        "type",
        N_("Kind"),
        values={
            "dataset": N_("Dataset"),
            "series": N_("Series of datasets"),
            "service": N_("Data service"),
        },
        folded=True,
    ),
)
FACET_BY_NAME = {facet.name: facet for facet in FACETS}
SORTS = {
    "relevance": N_("Relevance"),
    "modified": N_("Last updated"),
    "uses": N_("Most used"),
    "title": N_("Title"),
}
"""Orders of results with their labels."""
FURTHER_SORTS = ("id", "slug", "created", "updated", "score")
"""Orders that only machines ask for, newest and best first; `id` and `slug` from a to z."""
RISING = frozenset(("title", "id", "slug"))
"""Orders that begin with the least, unless they are asked for the other way round."""
MOST_TEXT = 300
MOST_OFFSET = 10_000
MOST_HITS = 100
"""Hits on a page that a reader asks for."""
MOST_ROWS = 1000
"""Hits in one answer of an engine."""
MOST_VALUES = 50
MOST_BUCKETS = 200
"""Buckets of one facet in an answer; the values that were asked for are always among them."""


def check_query(query: SearchQuery) -> None:
    """Raise BadQuery for what no engine should be asked."""
    if len(query.text) > MOST_TEXT:
        raise BadQuery("a search may have at most %(most)s characters", most=MOST_TEXT)
    if not 0 <= query.offset <= MOST_OFFSET:
        raise BadQuery(
            "only the first %(most)s results can be paged through: narrow the search",
            most=MOST_OFFSET,
        )
    if not 0 <= query.limit <= MOST_ROWS:
        raise BadQuery("a page may have at most %(most)s results", most=MOST_ROWS)
    orders = (query.sort, *(sort for sort, _ in query.then))
    wrong = next((one for one in orders if one not in SORTS and one not in FURTHER_SORTS), None)
    if wrong is not None:
        raise BadQuery(
            "results cannot be sorted by %(sort)s: use one of %(known)s",
            sort=wrong[:40],
            known=", ".join(SORTS),
        )
    for name, values in query.filters.items():
        _check_filter(name, values)
    if query.where is not None:
        check_condition(query.where)


def _check_filter(name: str, values: tuple[str, ...]) -> None:
    facet = FACET_BY_NAME.get(name)
    if facet is None:
        raise BadQuery(
            "there is no facet %(name)s: use one of %(known)s",
            name=name[:40],
            known=", ".join(FACET_BY_NAME),
        )
    if len(values) > MOST_VALUES:
        raise BadQuery("a facet takes at most %(most)s values", most=MOST_VALUES)
    unknown = [value for value in values if facet.values and value not in facet.values]
    if unknown:
        raise BadQuery(
            "%(name)s cannot be %(value)s: use one of %(known)s",
            name=name,
            value=unknown[0][:40],
            known=", ".join(facet.values),
        )


def range_bounds(value: str, today: date) -> tuple[datetime | None, datetime | None]:
    """From (included) and to (excluded) of a range of `updated`; `unknown` is no range."""
    if value == "older":
        return None, _days_before(today, RANGES["year"])
    return _days_before(today, RANGES[value]), None


def range_buckets(counts: Mapping[str, int]) -> tuple[Bucket, ...]:
    """The buckets of `updated` from the counts of disjoint parts: each range holds the shorter ones."""
    total = 0
    buckets = []
    for name in RANGES:
        total += counts.get(name, 0)
        buckets.append(Bucket(name, total))
    buckets.extend(Bucket(name, counts.get(name, 0)) for name in ("older", UNKNOWN))
    return tuple(bucket for bucket in buckets if bucket.count)


def _days_before(today: date, days: int) -> datetime:
    return datetime.combine(today - timedelta(days=days), time(), UTC)
