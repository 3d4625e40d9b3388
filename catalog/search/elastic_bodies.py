"""Requests of a search to Elasticsearch: one for a page of hits, one for all that is counted; no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from catalog.search.conditions import FieldKind, kind_of
from catalog.search.elastic_conditions import condition_query, hidden_from
from catalog.search.elastic_units import ALL, Json, among, any_of, term
from catalog.search.engine import Count, SearchQuery
from catalog.search.facets import (
    FACET_BY_NAME,
    FACETS,
    RANGES,
    RISING,
    UNKNOWN,
    Facet,
    Kind,
    range_bounds,
)
from catalog.search.indexed import FIRST, IS, UNDATED

SHARD_BUCKETS = 65_000
"""Values that are counted in each shard: with fewer, counts would be inexact."""
FETCHED_BUCKETS = 1000
SUGGESTED_TERMS = 400
"""Beginnings of tags that are counted for a suggestion."""
UNCOUNTED = ("id",)
"""Keywords that are as many as the documents."""


@dataclass(frozen=True)
class Asked:
    """A search, its words as a query, and the day that ages are counted from."""

    query: SearchQuery
    text: Json
    today: date

    def hits(self) -> Json:
        """The request for one page of hits and the total."""
        return {
            "query": self.narrowed(),
            "from": self.query.offset,
            "size": self.query.limit,
            "sort": _order(self.query),
            "track_total_hits": True,
            "track_scores": self.query.sort == "relevance",
        }

    def best(self, limit: int) -> Json:
        """The request for the documents with the highest scores, of equal ones the most used."""
        order = [{"_score": "desc"}, *_by("uses", "desc")]
        return {
            "query": self.narrowed(),
            "size": limit,
            "sort": order,
            "track_total_hits": False,
        }

    def counts(self) -> Json:
        """The request for the counts of all facets and fields; those of a facet ignore its own choice."""
        chosen = [name for name, values in self.query.filters.items() if values]
        free = {count.field: one for count in self.query.counts for one in (_count(count),) if one}
        free = {f"field {name}": one for name, one in free.items()}
        if self.query.facets:
            free |= {f.name: self._facet(f) for f in FACETS if f.name not in chosen}
        if not chosen:
            return {"query": self.narrowed(), "size": 0, "aggs": free}
        groups = {"free": _group(free, self._filters())}
        for name in chosen if self.query.facets else ():
            facet, values = FACET_BY_NAME[name], self.query.filters[name]
            counted = {name: self._facet(facet), **self._values(facet, values)}
            groups[f"of {name}"] = _group(counted, self._filters(without=name))
        return {"query": self.narrowed(filters=False), "size": 0, "aggs": groups}

    def tags(self, beginnings: Iterable[str]) -> Json:
        """The request for the tags that begin so, and how many documents have them."""
        starts = list(beginnings)
        wanted = "|".join(f"{_literal(start)}.*" for start in starts)
        counted = {"field": "tag_start", "size": SUGGESTED_TERMS, "shard_size": SHARD_BUCKETS}
        begin = any_of({"prefix": {"tag_start": {"value": start}}} for start in starts)
        return {
            "query": among(ALL, [begin], hidden_from(self.query.visible)),
            "size": 0,
            "aggs": {"tags": {"terms": {**counted, "include": wanted}}},
        }

    def narrowed(self, *, filters: bool = True) -> Json:
        """The words among what passes the filters, the condition, and what the reader may see."""
        narrowing = self._filters() if filters else []
        if self.query.where is not None:
            narrowing.append(condition_query(self.query.where))
        return among(self.text, narrowing, hidden_from(self.query.visible))

    def _filters(self, *, without: str = "") -> list[Json]:
        """One query a facet that is filtered by; `without` leaves one facet out."""
        return [
            any_of(self._value(FACET_BY_NAME[name], value) for value in values)
            for name, values in self.query.filters.items()
            if values and name != without
        ]

    def _value(self, facet: Facet, value: str) -> Json:
        if facet.kind is Kind.KEYWORD:
            return term(facet.field, value)
        if value == UNKNOWN:
            return {"range": {facet.field: {"lt": FIRST}}}
        start, end = range_bounds(value, self.today)
        bounds: Json = {"gte": int(start.timestamp()) if start else FIRST}
        if end:
            bounds["lt"] = int(end.timestamp())
        return {"range": {facet.field: bounds}}

    def _values(self, facet: Facet, values: tuple[str, ...]) -> Json:
        """Counts of the chosen values: they may be rarer than those that are listed."""
        return {
            f"value {number}": {"filter": self._value(facet, value)}
            for number, value in enumerate(dict.fromkeys(values))
            if facet.kind is Kind.KEYWORD
        }

    def _facet(self, facet: Facet) -> Json:
        if facet.kind is Kind.KEYWORD:
            return _terms(facet.field, FETCHED_BUCKETS)
        parts: list[Json] = []
        newer: float | None = None
        for name in RANGES:
            start, _ = range_bounds(name, self.today)
            assert start is not None  # noqa: S101 # only `older` has no start
            part: Json = {"key": name, "from": start.timestamp()}
            parts.append(part if newer is None else {**part, "to": newer})
            newer = start.timestamp()
        parts.append({"key": "older", "from": FIRST, "to": newer})
        parts.append({"key": UNKNOWN, "to": FIRST})
        return {"range": {"field": facet.field, "ranges": parts}}


def _count(count: Count) -> Json | None:
    """The values of a field; None of one that is not counted."""
    size = SHARD_BUCKETS if count.limit < 0 else max(count.limit, 1)
    kind = kind_of(count.field)
    if kind is FieldKind.KEYWORD and count.field not in UNCOUNTED:
        return _terms(count.field, size, min_doc_count=count.least)
    if kind is FieldKind.FACT:
        wanted = f"{_literal(count.field + IS)}.*"
        return _terms("facts", size, min_doc_count=count.least, include=wanted)
    return None


def _terms(field: str, size: int, **more: object) -> Json:
    return {"terms": {"field": field, "size": size, "shard_size": SHARD_BUCKETS, **more}}


def _group(counted: Mapping[str, Json], narrowing: list[Json]) -> Json:
    within = {"bool": {"filter": narrowing}} if narrowing else ALL
    return {"filter": within, "aggs": dict(counted)}


def _order(query: SearchQuery) -> list[Json]:
    """Equal documents always have the same order, however they were written."""
    if query.by_relevance and not query.then:
        return [{"_score": "desc"}, *_by("uses", "desc")]
    keys: list[Json] = []
    ending: list[Json] = []
    for sort, reverse in ((query.sort, query.reverse), *query.then):
        if sort == "relevance" and query.text.strip():
            keys.append({"_score": "desc"})
            ending = _by("modified", "desc")[1:]
            continue
        name = "modified" if sort == "relevance" else sort
        order = "asc" if (name in RISING) != reverse else "desc"
        ending = [{"id": order}]
        if name == "title":
            language = "zh" if query.language == "zh" else "en"
            keys.append(_sorted(f"by_title_{language}", order, "keyword"))
        elif name in ("slug", "id"):
            keys.append(_sorted(name, order, "keyword"))
        else:
            first, *ending = _by(name, order)
            keys.append(first)
    return [*keys, *ending]


def _by(field: str, order: str) -> list[Json]:
    first: Json = {field: {"order": order, "missing": UNDATED, "unmapped_type": "long"}}
    return [first, _sorted("tie", order, "integer"), {"id": order}]


def _sorted(field: str, order: str, kind: str) -> Json:
    """An order by a field that an index of an older version may not have."""
    return {field: {"order": order, "unmapped_type": kind}}


def _literal(text: str) -> str:
    """The text in a regular expression of Lucene, where it means itself."""
    return re.sub(r"([^\w\s]|_)", r"\\\1", text)
