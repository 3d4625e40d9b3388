"""What Elasticsearch answers, in our words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalog.search.analysis import normal_title
from catalog.search.conditions import FieldKind, kind_of
from catalog.search.engine import Bucket, SearchQuery, Suggestion
from catalog.search.facets import FACETS, MOST_BUCKETS, Facet, Kind, range_buckets
from catalog.search.indexed import IS

Facets = Mapping[str, tuple[Bucket, ...]]


def read_facets(query: SearchQuery, counted: Mapping[str, Any]) -> Facets:
    """The buckets of all facets, cut but with every chosen value."""
    free = counted.get("free", counted)
    found = {}
    for facet in FACETS:
        chosen = tuple(dict.fromkeys(query.filters.get(facet.name, ())))
        group = counted[f"of {facet.name}"] if chosen else free
        buckets = _buckets(facet, group[facet.name])
        known = {bucket.value for bucket in buckets}
        added = [
            Bucket(value, int(group.get(f"value {number}", {}).get("doc_count", 0)))
            for number, value in enumerate(chosen)
            if value not in known
        ]
        found[facet.name] = _shortened((*buckets, *added), chosen)
    return found


def read_counts(query: SearchQuery, counted: Mapping[str, Any]) -> Facets:
    """The values of the fields that were asked for."""
    free = counted.get("free", counted)
    found = {}
    for count in query.counts:
        start = f"{count.field}{IS}" if kind_of(count.field) is FieldKind.FACT else ""
        raw = free.get(f"field {count.field}", {"buckets": ()})
        found[count.field] = tuple(
            Bucket(str(bucket["key"]).removeprefix(start), int(bucket["doc_count"]))
            for bucket in raw["buckets"][: None if count.limit < 0 else count.limit]
        )
    return found


def suggested_titles(cards: Iterable[Mapping[str, Any]], language: str) -> list[Suggestion]:
    """One suggestion a title: a series of equal ones says nothing."""
    titles: dict[str, Suggestion] = {}
    for card in cards:
        texts = card["title"]
        shown = texts.get(language) or next(iter(texts.values()), "")
        suggestion = Suggestion(
            "title", shown, card.get("slug", ""), texts, type=card.get("type", "dataset")
        )
        titles.setdefault(normal_title(shown), suggestion)
    return list(titles.values())


def suggested_tags(counted: Mapping[str, Any]) -> list[Suggestion]:
    """The tags behind the beginnings that were counted, the most frequent first."""
    counts: dict[str, int] = {}
    for bucket in counted["buckets"]:
        tag = bucket["key"].split(IS, 1)[1]
        counts[tag] = max(counts.get(tag, 0), int(bucket["doc_count"]))
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Suggestion("tag", tag, tag, count=count) for tag, count in ordered]


def _buckets(facet: Facet, raw: Mapping[str, Any]) -> tuple[Bucket, ...]:
    counts = {str(bucket["key"]): int(bucket["doc_count"]) for bucket in raw["buckets"]}
    if facet.kind is Kind.DATE_RANGE:
        return range_buckets(counts)
    return tuple(Bucket(value, count) for value, count in counts.items())


def _shortened(buckets: tuple[Bucket, ...], chosen: tuple[str, ...]) -> tuple[Bucket, ...]:
    if len(buckets) <= MOST_BUCKETS:
        return buckets
    rest = (bucket for bucket in buckets[MOST_BUCKETS:] if bucket.value in chosen)
    return (*buckets[:MOST_BUCKETS], *rest)
