"""A search in Tantivy's terms. Text of people never goes through Tantivy's query language."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import tantivy
from tantivy import Occur, Query

from catalog.search.analysis import LITTLE_WORDS, Unit, normal_title, units_of
from catalog.search.engine import SearchQuery
from catalog.search.facets import FACET_BY_NAME, FACETS, RANGES, UNKNOWN, Facet, Kind, range_bounds
from catalog.search.tantivy_documents import FIRST

MOST_UNITS = 64
ENOUGH = 0.6
"""Part of the words that a document must have when it has not all of them."""
ALL_WORDS, TITLE_PREFIX, WHOLE_TITLE = 1000.0, 2000.0, 4000.0
"""Steps of the score that lie above anything that word statistics give."""
TITLE_BOOST, TAG_BOOST = 4.0, 2.0
SEGMENT_BUCKETS = 65_000
"""Values of a facet that are counted in each segment: with fewer, counts would be inexact."""
FETCHED_BUCKETS = 1000
EVER = 2**40
"""A moment beyond all others, in seconds; a range with one end open is not accepted."""


class Compiler:
    """Makes queries for one schema."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self.schema = schema

    def text(self, text: str) -> Query:
        """Documents with all words, then with enough of them; those whose title starts so first."""
        if not text.strip():
            return Query.all_query()
        units = units_of(text)[:MOST_UNITS]
        if not units:
            return Query.empty_query()
        found = [self._unit(unit, "text") for unit in units]
        enough = math.ceil(len(found) * ENOUGH)
        title = normal_title(text)
        whole = self._term("whole_title", title, "basic")
        prefix = Query.fuzzy_term_query(self.schema, "whole_title", title, 0, True, True)  # noqa: FBT003 # the binding has no keyword for both
        matching = Query.boolean_query(
            [
                (Occur.Should, Query.boolean_query(_each(Occur.Should, found), enough)),
                (Occur.Should, Query.const_score_query(whole, WHOLE_TITLE)),
                (Occur.Should, Query.const_score_query(prefix, TITLE_PREFIX)),
            ]
        )
        every = Query.boolean_query(_each(Occur.Must, found))
        wishes = [Query.const_score_query(every, ALL_WORDS)]
        for unit in units:
            wishes.append(Query.boost_query(self._unit(unit, "title"), TITLE_BOOST))
            wishes.append(Query.boost_query(self._unit(unit, "tags"), TAG_BOOST))
        return Query.boolean_query([(Occur.Must, matching), *_each(Occur.Should, wishes)])

    def some(self, text: str) -> Query | None:
        """Documents with any of the words, those with most of them first; None where `text` says as much.

        Little words (`of`, `the`) are left out unless nothing else was asked for.
        """
        units = units_of(text)[:MOST_UNITS]
        large = [unit for unit in units if unit.ways[0][0] not in LITTLE_WORDS] or units
        if len(units) < 2:
            return None
        wishes = []
        for unit in large:
            found = self._unit(unit, "text")
            wishes.append(Query.const_score_query(found, ALL_WORDS))
            wishes.append(Query.boost_query(self._unit(unit, "title"), TITLE_BOOST))
        return Query.boolean_query(_each(Occur.Should, wishes))

    def filters(
        self, filters: Mapping[str, tuple[str, ...]], today: date, *, without: str = ""
    ) -> list[Query]:
        """One query a facet that is filtered by; `without` leaves one facet out."""
        return [
            self._filter(FACET_BY_NAME[name], values, today)
            for name, values in filters.items()
            if values and name != without
        ]

    def value(self, facet: Facet, value: str, today: date) -> Query:
        """Documents with this value of a facet."""
        if facet.kind is Kind.KEYWORD:
            return self._term(facet.field, value, "basic")
        earliest, latest = (-EVER, FIRST) if value == UNKNOWN else (FIRST, EVER)
        start, end = (None, None) if value == UNKNOWN else range_bounds(value, today)
        return Query.range_query(
            self.schema,
            facet.field,
            tantivy.FieldType.Integer,
            int(start.timestamp()) if start else earliest,
            int(end.timestamp()) if end else latest,
            include_upper=False,
        )

    def _filter(self, facet: Facet, values: tuple[str, ...], today: date) -> Query:
        options = [self.value(facet, value, today) for value in values]
        return (
            options[0] if len(options) == 1 else Query.boolean_query(_each(Occur.Should, options))
        )

    def _unit(self, unit: Unit, field: str) -> Query:
        if unit.single and field == "text":
            return self._term("singles", unit.ways[0][0], "basic")
        ways = [
            self._term(field, way[0], "freq")
            if len(way) == 1
            else Query.boolean_query(
                [(Occur.Must, self._term(field, term, "freq")) for term in way]
            )
            for way in unit.ways
        ]
        return ways[0] if len(ways) == 1 else Query.boolean_query(_each(Occur.Should, ways))

    def _term(self, field: str, term: str, option: str) -> Query:
        return Query.term_query(self.schema, field, term, option)


def narrowed(query: Query, filters: Iterable[Query]) -> Query:
    """The query among documents that pass all filters; filters do not change the score."""
    kept = [(Occur.Must, Query.const_score_query(one, 0.0)) for one in filters]
    return Query.boolean_query([(Occur.Must, query), *kept]) if kept else query


def aggregation(facets: Iterable[Facet], today: date) -> dict[str, Any]:
    """The request that counts the values of these facets."""
    return {facet.name: _counts(facet, today) for facet in facets}


def _counts(facet: Facet, today: date) -> dict[str, Any]:
    if facet.kind is Kind.KEYWORD:
        size = {"size": FETCHED_BUCKETS, "segment_size": SEGMENT_BUCKETS}
        return {"terms": {"field": facet.field, **size}}
    parts: list[dict[str, Any]] = []
    newer: float | None = None
    for name in RANGES:
        start, _ = range_bounds(name, today)
        assert start is not None  # noqa: S101 # only `older` has no start
        part: dict[str, Any] = {"key": name, "from": start.timestamp()}
        parts.append(part if newer is None else {**part, "to": newer})
        newer = start.timestamp()
    parts.append({"key": "older", "from": FIRST, "to": newer})
    parts.append({"key": UNKNOWN, "to": FIRST})
    return {"range": {"field": facet.field, "ranges": parts}}


def unfiltered(query: SearchQuery) -> list[Facet]:
    """The facets that nothing was chosen in: their counts come from one request."""
    return [facet for facet in FACETS if not query.filters.get(facet.name)]


def _each(occur: Occur, queries: Iterable[Query]) -> list[tuple[Occur, Query]]:
    return [(occur, query) for query in queries]
