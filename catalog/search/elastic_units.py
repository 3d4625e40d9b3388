"""Units of a query as Elasticsearch's JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog.search.analysis import Unit
from catalog.search.ranking import LONG_SPELLED, enough_of

Json = dict[str, Any]
ALL: Json = {"match_all": {}}
NONE: Json = {"match_none": {}}


def unit_query(unit: Unit, field: str) -> Json:
    """Documents with the unit as it was written, in one analysed field."""
    if unit.single and field == "text":
        return term("singles", unit.ways[0][0])
    if unit.phrase and field == "text":
        return phrase(field, unit.ways[0])
    return ways_query(unit.ways, field)


def ways_query(ways: tuple[tuple[str, ...], ...], field: str) -> Json:
    """Documents with all terms of one of the ways."""
    return any_of(every(term(field, one) for one in way) for way in ways)


def meant_query(unit: Unit, *, known: bool) -> Json | None:
    """Documents that say the unit in other words or are read aloud so; None where there is no such way.

    `known` says that some document holds the word as it is written: then neither a lone syllable nor
    initials are meant.
    """
    ways: list[Json] = []
    if unit.others:
        ways.append(ways_query(unit.others, "text"))
    if unit.syllables and not (known and unit.uncertain):
        ways.append(enough([term("syllables", one) for one in unit.syllables]))
    if unit.initials and not known:
        ways.append(phrase("initials", unit.initials))
    return any_of(ways) if ways else None


def term(field: str, value: str) -> Json:
    """Documents with exactly this term or value."""
    return {"term": {field: value}}


def phrase(field: str, terms: tuple[str, ...]) -> Json:
    """Documents where the terms stand next to each other; they are split at blanks and nothing else."""
    return {"match_phrase": {field: " ".join(terms)}}


def prefix(field: str, start: str) -> Json:
    """Documents with a term that begins so."""
    return {"prefix": {field: {"value": start}}}


def enough(sounds: list[Json]) -> Json:
    """Documents with all syllables of a word, with enough of those of a long one."""
    if len(sounds) < LONG_SPELLED:
        return every(sounds)
    return any_of(sounds, enough_of(len(sounds)))


def every(queries: Iterable[Json]) -> Json:
    """Documents that all queries find."""
    parts = list(queries)
    return parts[0] if len(parts) == 1 else {"bool": {"must": parts}}


def any_of(queries: Iterable[Json], least: int = 1) -> Json:
    """Documents that one of the queries finds, or so many of them."""
    parts = list(queries)
    if not parts:
        return NONE
    if len(parts) == 1:
        return parts[0]
    return {"bool": {"should": parts, "minimum_should_match": least}}


def either(one: Json, other: Json | None) -> Json:
    """Documents that one of two queries finds."""
    return one if other is None else any_of((one, other))


def constant(query: Json, score: float) -> Json:
    """The query, all of whose documents have this score."""
    return {"constant_score": {"filter": query, "boost": score}}


def boosted(query: Json, factor: float) -> Json:
    """The query with its scores multiplied."""
    return {"bool": {"must": [query], "boost": factor}}


def among(query: Json, filters: list[Json], hidden: list[Json] | None = None) -> Json:
    """The query among documents that pass all filters and are not hidden; neither changes the score."""
    if not filters and not hidden:
        return query
    return {"bool": {"must": [query], "filter": filters, "must_not": hidden or []}}
