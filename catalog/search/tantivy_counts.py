"""Counting values in Tantivy: of facets, and of fields that are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import tantivy
from tantivy import Query

from catalog.search.conditions import FieldKind, kind_of
from catalog.search.engine import Bucket, Count, SearchQuery
from catalog.search.facets import FACETS, MOST_BUCKETS, Facet, Kind, range_buckets
from catalog.search.tantivy_documents import exactly
from catalog.search.tantivy_query import FETCHED_BUCKETS, SEGMENT_BUCKETS, aggregation, unfiltered

Facets = Mapping[str, tuple[Bucket, ...]]


@dataclass(frozen=True)
class Part:
    """One index that is searched; `query` narrows the words by all filters, or by all but one facet's."""

    searcher: tantivy.Searcher
    query: Callable[[str], Query]
    value: Callable[[str, Facet, str], Query]
    """The same without one facet's filters, but with one value of a facet."""

    def total(self, query: Query) -> int:
        """How many documents the query finds here."""
        return total_of(self.searcher.search(query, 1))


def total_of(found: tantivy.SearchResult) -> int:
    """How many documents a search has found in all."""
    return int(found.count)  # type: ignore[attr-defined] # the stub forgets it


def count_facets(parts: Iterable[Part], query: SearchQuery, today: date) -> Facets:
    """Counts of all facets; those of a facet ignore what was chosen in it."""
    layers = list(parts)
    # A value that is rare in one index may be frequent in both: then all are read.
    most = FETCHED_BUCKETS if len(layers) == 1 else SEGMENT_BUCKETS
    free = unfiltered(query)
    buckets: dict[str, tuple[Bucket, ...]] = {}
    if free:
        found = [p.searcher.aggregate(p.query(""), aggregation(free, today, most)) for p in layers]
        buckets = {facet.name: _merged(facet, (raw[facet.name] for raw in found)) for facet in free}
    for facet in FACETS:
        chosen = query.filters.get(facet.name)
        if chosen:
            raw = [
                p.searcher.aggregate(p.query(facet.name), aggregation([facet], today, most))[
                    facet.name
                ]
                for p in layers
            ]
            buckets[facet.name] = _with_chosen(layers, facet, _merged(facet, raw), chosen)
    return {
        facet.name: _shortened(buckets[facet.name], query.filters.get(facet.name, ()))
        for facet in FACETS
    }


def count_fields(parts: Iterable[Part], counts: Sequence[Count]) -> Facets:
    """The values of the fields that are asked for, among all that is found."""
    layers = list(parts)
    keywords = [one for one in counts if _is_keyword(one)]
    totals = {count.field: Counter[str]() for count in counts}
    for part in layers if keywords else ():
        asked = {one.field: _terms(part, one, alone=len(layers) == 1) for one in keywords}
        raw = part.searcher.aggregate(part.query(""), asked)
        for field in asked:
            totals[field].update(_counts(raw[field]))
    for field, total in totals.items():
        if kind_of(field) is FieldKind.FACT:
            for part in layers:
                total.update(_facts(part, field))
    return {count.field: _best(totals[count.field], count) for count in counts}


def _is_keyword(count: Count) -> bool:
    return kind_of(count.field) is FieldKind.KEYWORD and count.field != "id"


def _terms(part: Part, count: Count, *, alone: bool) -> dict[str, Any]:
    """The request that counts one field; of an index of one segment no more values are read than come back."""
    size = max(count.limit, FETCHED_BUCKETS) if alone and count.limit >= 0 else SEGMENT_BUCKETS
    inside = size if part.searcher.num_segments == 1 else SEGMENT_BUCKETS
    return {"terms": {"field": count.field, "size": size, "segment_size": inside}}


def _facts(part: Part, field: str) -> dict[str, int]:
    start = exactly(field, "")
    terms = part.searcher.terms_with_prefix("facts", start, part.query(""), SEGMENT_BUCKETS)
    return {term[len(start) :]: number for term, number in terms}


def _best(totals: Mapping[str, int], count: Count) -> tuple[Bucket, ...]:
    found = [bucket for bucket in _ordered(totals) if bucket.count >= count.least]
    return tuple(found if count.limit < 0 else found[: count.limit])


def _merged(facet: Facet, raw: Iterable[Mapping[str, Any]]) -> tuple[Bucket, ...]:
    counts: Counter[str] = Counter()
    for one in raw:
        counts.update(_counts(one))
    return range_buckets(counts) if facet.kind is Kind.DATE_RANGE else _ordered(counts)


def _counts(raw: Mapping[str, Any]) -> dict[str, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in raw["buckets"]}


def _ordered(counts: Mapping[str, int]) -> tuple[Bucket, ...]:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Bucket(value, count) for value, count in ordered)


def _with_chosen(
    layers: list[Part], facet: Facet, found: tuple[Bucket, ...], chosen: tuple[str, ...]
) -> tuple[Bucket, ...]:
    """The buckets with one for each chosen value, also where that finds nothing."""
    known = {bucket.value for bucket in found}
    complete = facet.kind is not Kind.KEYWORD or len(found) < FETCHED_BUCKETS
    added = [
        Bucket(
            value,
            0 if complete else sum(p.total(p.value(facet.name, facet, value)) for p in layers),
        )
        for value in dict.fromkeys(chosen)
        if value not in known
    ]
    return (*found, *added)


def _shortened(buckets: tuple[Bucket, ...], chosen: tuple[str, ...]) -> tuple[Bucket, ...]:
    if len(buckets) <= MOST_BUCKETS:
        return buckets
    rest = (bucket for bucket in buckets[MOST_BUCKETS:] if bucket.value in chosen)
    return (*buckets[:MOST_BUCKETS], *rest)
