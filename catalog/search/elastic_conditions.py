"""Conditions as Elasticsearch's JSON."""

from __future__ import annotations

import re

from catalog.search.analysis import folded, normal, plain_units_of
from catalog.search.conditions import (
    And,
    Box,
    Condition,
    Exists,
    FieldKind,
    Like,
    Not,
    Or,
    Range,
    Term,
    Within,
    Words,
    kind_of,
)
from catalog.search.elastic_units import ALL, NONE, Json, any_of, every, term, unit_query
from catalog.search.engine import EVERYTHING, PUBLIC
from catalog.search.indexed import BOX_FIELDS, DEGREE, EVER, HAS, IS, UNDATED, number_bounds
from catalog.search.ranking import MOST_UNITS

AFTER_IS = chr(ord(IS) + 1)
"""Comes after all that begins with a fact's name and IS."""
LONGEST_PATTERN = 200
ALWAYS = ("id", "type", "uses", "score", "resources")
"""Fields that every document has."""


def condition_query(condition: Condition) -> Json:
    """The documents that fulfil a condition."""
    match condition:
        case And(parts):
            return every(map(condition_query, parts)) if parts else ALL
        case Or(parts):
            return any_of(map(condition_query, parts))
        case Not(part):
            return {"bool": {"must_not": [condition_query(part)]}}
        case _:
            return _leaf(condition)


def hidden_from(visible: tuple[str, ...]) -> list[Json]:
    """What hides documents from a reader who may see these."""
    if EVERYTHING in visible:
        return []
    hidden = term("visibility", "")
    own = [value for value in visible if value not in (PUBLIC, "")]
    if not own:
        return [hidden]
    return [{"bool": {"filter": [hidden], "must_not": [{"terms": {"visibility": own}}]}}]


def _leaf(condition: Term | Words | Like | Range | Exists | Within) -> Json:
    match condition:
        case Within(box):
            return _within(box)
        case Words(field, text):
            return _words(field, text)
        case Exists(field):
            return _exists(field)
        case Like(field, pattern):
            return _like(field, pattern)
        case Range():
            return _range(condition)
        case Term(field, value):
            return _exactly(field, value)


def _exactly(field: str, value: str) -> Json:
    match kind_of(field):
        case FieldKind.WORDS:
            return _words(field, value)
        case FieldKind.KEYWORD:
            return term(field, value)
        case FieldKind.FACT:
            return term("facts", f"{field}{IS}{value}")
        case FieldKind.DATE | FieldKind.NUMBER:
            return _range(Range(field, value, value))


def _words(field: str, text: str) -> Json:
    if kind_of(field) is not FieldKind.WORDS:
        return _exactly(field, text)
    units = plain_units_of(text)[:MOST_UNITS]
    return every(unit_query(unit, field) for unit in units) if units else NONE


def _exists(field: str) -> Json:
    if kind_of(field) is FieldKind.FACT:
        return term("facts", HAS + field)
    if field in ALWAYS:
        return ALL
    if field == "modified":
        return numbers(field, UNDATED + 1, EVER)
    return {"exists": {"field": field}}


def _like(field: str, pattern: str) -> Json:
    """The values of a pattern; in analysed text the terms, so that it is one word's beginning."""
    kind = kind_of(field)
    if kind in (FieldKind.DATE, FieldKind.NUMBER):
        return NONE if pattern.strip("*") else _exists(field)
    name, start = (field, "") if kind is not FieldKind.FACT else ("facts", f"{field}{IS}")
    text = folded(normal(pattern)) if kind is FieldKind.WORDS else pattern
    wanted = _escaped(start) + text[:LONGEST_PATTERN].replace("\\", "\\\\")
    return {"wildcard": {name: {"value": wanted}}}


def _range(asked: Range) -> Json:
    kind = kind_of(asked.field)
    if kind is FieldKind.WORDS:
        return NONE
    if kind in (FieldKind.DATE, FieldKind.NUMBER):
        bounds = number_bounds(asked)
        return numbers(asked.field, *bounds) if bounds else NONE
    return _between(asked, "" if kind is FieldKind.KEYWORD else asked.field)


def _between(asked: Range, fact: str) -> Json:
    """The keywords between two others, by their characters."""
    name, start = ("facts", fact + IS) if fact else (asked.field, "")
    bounds: dict[str, str] = {}
    if asked.low is not None:
        bounds["gte" if asked.with_low else "gt"] = f"{start}{asked.low}"
    elif fact:
        bounds["gte"] = start
    if asked.high is not None:
        bounds["lte" if asked.with_high else "lt"] = f"{start}{asked.high}"
    elif fact:
        bounds["lt"] = fact + AFTER_IS
    return {"range": {name: bounds}} if bounds else _exists(name)


def _within(box: Box) -> Json:
    west, south, east, north = (round(degrees * DEGREE) for degrees in box)
    w, s, e, n = BOX_FIELDS
    return every(
        [
            numbers(w, -EVER, east),
            numbers(e, west, EVER),
            numbers(s, -EVER, north),
            numbers(n, south, EVER),
        ]
    )


def numbers(field: str, low: int, high: int) -> Json:
    """The documents with a number in a range."""
    return {"range": {field: {"gte": low, "lte": high}}}


def _escaped(text: str) -> str:
    return re.sub(r"([*?\\])", r"\\\1", text)
