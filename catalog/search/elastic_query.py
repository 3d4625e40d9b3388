"""A search as Elasticsearch's JSON; no I/O. Text of people never goes through a query language."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from catalog.search.analysis import LITTLE_WORDS, Unit, normal_title, units_of
from catalog.search.elastic_documents import FIRST
from catalog.search.engine import SearchQuery
from catalog.search.facets import FACET_BY_NAME, FACETS, RANGES, UNKNOWN, Facet, Kind, range_bounds

Json = dict[str, Any]
MOST_UNITS = 64
ENOUGH = 0.6
"""Part of the words that a document must have when it has not all of them."""
ALL_WORDS, TITLE_PREFIX, WHOLE_TITLE = 1000.0, 2000.0, 4000.0
"""Steps of the score that lie above anything that word statistics give."""
TITLE_BOOST, TAG_BOOST = 4.0, 2.0
SHARD_BUCKETS = 65_000
"""Values of a facet that are counted in each shard: with fewer, counts would be inexact."""
FETCHED_BUCKETS = 1000
EVERYTHING: Json = {"match_all": {}}
NOTHING: Json = {"match_none": {}}


def text_query(text: str) -> Json:
    """Documents with all words, then with enough of them; those whose title starts so first."""
    if not text.strip():
        return EVERYTHING
    units = units_of(text)[:MOST_UNITS]
    if not units:
        return NOTHING
    found = [_unit(unit, "text") for unit in units]
    title = normal_title(text)
    matching = _any(
        [
            _any(found, math.ceil(len(found) * ENOUGH)),
            _constant(_term("whole_title", title), WHOLE_TITLE),
            _constant({"prefix": {"whole_title": {"value": title}}}, TITLE_PREFIX),
        ]
    )
    wishes = [_constant({"bool": {"filter": found}}, ALL_WORDS)]
    for unit in units:
        wishes.append(_unit(unit, "title", TITLE_BOOST))
        wishes.append(_unit(unit, "tags", TAG_BOOST))
    return {"bool": {"must": [matching], "should": wishes}}


def some_query(text: str) -> Json | None:
    """Documents with any of the words, those with most of them first; None where `text_query` says as much.

    Little words (`of`, `the`) are left out unless nothing else was asked for.
    """
    units = units_of(text)[:MOST_UNITS]
    large = [unit for unit in units if unit.ways[0][0] not in LITTLE_WORDS] or list(units)
    if len(units) < 2:
        return None
    wishes = [_constant(_unit(unit, "text"), ALL_WORDS) for unit in large]
    return _any([*wishes, *(_unit(unit, "title", TITLE_BOOST) for unit in large)])


def hits_body(query: SearchQuery, text: Json, today: date) -> Json:
    """The request for one page of hits and the total."""
    return {
        "query": _narrowed(text, filters(query.filters, today)),
        "from": query.offset,
        "size": query.limit,
        "sort": _order(query),
        "track_total_hits": True,
        "track_scores": query.sort == "relevance",
    }


def counts_body(query: SearchQuery, text: Json, today: date) -> Json:
    """The request for the counts of all facets; those of a facet ignore what was chosen in it.

    Its total is that of the words alone, whatever was chosen.
    """
    body: Json = {"query": text, "size": 0, "track_total_hits": True}
    chosen = {name for name, values in query.filters.items() if values}
    free = {facet.name: _counts(facet, today) for facet in FACETS if facet.name not in chosen}
    if not chosen:
        return {**body, "aggs": free}
    groups = {"free": _group(free, filters(query.filters, today))}
    for name in chosen:
        facet, values = FACET_BY_NAME[name], query.filters[name]
        counted = {name: _counts(facet, today), **_counts_of(facet, values, today)}
        groups[f"of {name}"] = _group(counted, filters(query.filters, today, without=name))
    return {**body, "aggs": groups}


def total_body(text: Json) -> Json:
    """The request for the number of documents with these words, at least one."""
    return {"query": text, "size": 0, "track_total_hits": 1}


def filters(chosen: Mapping[str, tuple[str, ...]], today: date, *, without: str = "") -> list[Json]:
    """One query a facet that is filtered by; `without` leaves one facet out."""
    return [
        _filter(FACET_BY_NAME[name], values, today)
        for name, values in chosen.items()
        if values and name != without
    ]


def _filter(facet: Facet, values: tuple[str, ...], today: date) -> Json:
    if facet.kind is Kind.KEYWORD:
        return {"terms": {facet.field: list(values)}}
    return _any([_value(facet, value, today) for value in values])


def _value(facet: Facet, value: str, today: date) -> Json:
    if facet.kind is Kind.KEYWORD:
        return _term(facet.field, value)
    return {"range": {facet.field: _bounds(value, today)}}


def _bounds(value: str, today: date) -> Json:
    if value == UNKNOWN:
        return {"lt": FIRST}
    start, end = range_bounds(value, today)
    bounds: Json = {"gte": int(start.timestamp()) if start else FIRST}
    return {**bounds, "lt": int(end.timestamp())} if end else bounds


def _counts(facet: Facet, today: date) -> Json:
    if facet.kind is Kind.KEYWORD:
        size = {"size": FETCHED_BUCKETS, "shard_size": SHARD_BUCKETS}
        return {"terms": {"field": facet.field, **size}}
    parts: list[Json] = []
    newer: float | None = None
    for name in RANGES:
        start, _ = range_bounds(name, today)
        assert start is not None  # noqa: S101 # only `older` has no start
        part: Json = {"key": name, "from": start.timestamp()}
        parts.append(part if newer is None else {**part, "to": newer})
        newer = start.timestamp()
    parts.append({"key": "older", "from": FIRST, "to": newer})
    parts.append({"key": UNKNOWN, "to": FIRST})
    return {"range": {"field": facet.field, "ranges": parts}}


def _counts_of(facet: Facet, values: tuple[str, ...], today: date) -> Json:
    """Counts of the chosen values: they may be rarer than those that are listed."""
    return {
        f"value {number}": {"filter": _value(facet, value, today)}
        for number, value in enumerate(dict.fromkeys(values))
        if facet.kind is Kind.KEYWORD
    }


def _group(counted: Json, narrowing: list[Json]) -> Json:
    within = {"bool": {"filter": narrowing}} if narrowing else EVERYTHING
    return {"filter": within, "aggs": counted}


def _order(query: SearchQuery) -> list[Json]:
    """Equal documents always have the same order, however they were written."""
    last = [{"tie": "desc"}, {"id": "asc"}]
    match query.sort:
        case "relevance" if query.text.strip():
            return [{"_score": "desc"}, {"uses": "desc"}, *last]
        case "title":
            return [{f"by_title_{'zh' if query.language == 'zh' else 'en'}": "asc"}, {"id": "asc"}]
        case "uses":
            return [{"uses": "desc"}, *last]
    return [{"modified": "desc"}, *last]


def _unit(unit: Unit, field: str, boost: float = 1.0) -> Json:
    if unit.single and field == "text":
        return _term("singles", unit.ways[0][0], boost)
    ways = [_way(way, field, boost) for way in unit.ways]
    return ways[0] if len(ways) == 1 else _any(ways)


def _way(way: tuple[str, ...], field: str, boost: float) -> Json:
    if len(way) == 1:
        return _term(field, way[0], boost)
    return {"bool": {"must": [_term(field, term, boost) for term in way]}}


def _term(field: str, value: str, boost: float = 1.0) -> Json:
    return {"term": {field: value if boost == 1.0 else {"value": value, "boost": boost}}}


def _any(options: Iterable[Json], least: int = 1) -> Json:
    return {"bool": {"should": list(options), "minimum_should_match": least}}


def _constant(query: Json, score: float) -> Json:
    return {"constant_score": {"filter": query, "boost": score}}


def _narrowed(query: Json, narrowing: list[Json]) -> Json:
    """The query among documents that pass all filters; filters do not change the score."""
    return {"bool": {"must": [query], "filter": narrowing}} if narrowing else query
