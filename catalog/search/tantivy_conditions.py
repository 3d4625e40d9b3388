"""Conditions in Tantivy's terms."""

from __future__ import annotations

import re
from collections.abc import Iterable

import tantivy
from tantivy import FieldType, Occur, Query

from catalog.search.analysis import folded, normal, plain_units_of
from catalog.search.conditions import (
    And,
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
from catalog.search.engine import EVERYTHING, PUBLIC
from catalog.search.indexed import BOX_FIELDS, DEGREE, EVER, HAS, UNDATED, number_bounds
from catalog.search.tantivy_documents import exactly
from catalog.search.tantivy_units import every, unit_query

MOST_TERMS = 20_000
"""Values that a range of keywords looks at."""
LONGEST_PATTERN = 200


class ConditionCompiler:
    """Makes queries of conditions for one index."""

    def __init__(self, schema: tantivy.Schema, searcher: tantivy.Searcher) -> None:
        self.schema = schema
        self.searcher = searcher

    def query(self, condition: Condition) -> Query:
        """The documents that fulfil a condition."""
        match condition:
            case And(parts):
                return every([self.query(part) for part in parts]) if parts else Query.all_query()
            case Or(parts):
                return any_of([self.query(part) for part in parts])
            case Not(part):
                return without(Query.all_query(), self.query(part))
            case _:
                return self._leaf(condition)

    def _leaf(self, condition: Term | Words | Like | Range | Exists | Within) -> Query:
        match condition:
            case Within(box):
                return self._within(box)
            case Words(field, text):
                return self._words(field, text)
            case Exists(field):
                return self._exists(field)
            case Like(field, pattern):
                return self._like(field, pattern)
            case Range():
                return self._range(condition)
            case Term(field, value):
                return self._exactly(field, value)

    def visible(self, visible: tuple[str, ...]) -> Query | None:
        """What hides documents from this reader; None where there is nothing to hide."""
        anybody = exactly("visibility", "")
        if EVERYTHING in visible or not self.searcher.doc_freq("facts", anybody):
            return None
        hidden = self._term("facts", anybody)
        own = [exactly("visibility", value) for value in visible if value not in (PUBLIC, "")]
        return without(hidden, self._set("facts", own)) if own else hidden

    def _exactly(self, field: str, value: str) -> Query:
        match kind_of(field):
            case FieldKind.WORDS:
                return self._words(field, value)
            case FieldKind.KEYWORD:
                return self._term(field, value)
            case FieldKind.FACT:
                return self._term("facts", exactly(field, value))
            case FieldKind.DATE | FieldKind.NUMBER:
                return self._range(Range(field, value, value))

    def _words(self, field: str, text: str) -> Query:
        if kind_of(field) is not FieldKind.WORDS:
            return self._exactly(field, text)
        units = plain_units_of(text)[:64]
        if not units:
            return Query.empty_query()
        return every([unit_query(self.schema, unit, field) for unit in units])

    def _exists(self, field: str) -> Query:
        match kind_of(field):
            case FieldKind.FACT:
                return self._term("facts", HAS + field)
            case FieldKind.WORDS:
                return Query.regex_query(self.schema, field, ".+")
            case _ if field in ("id", "type", "uses", "score", "resources"):
                return Query.all_query()
            case _ if field == "modified":
                return self._numbers("modified", UNDATED + 1, EVER)
            case _:
                return Query.exists_query(field)

    def _like(self, field: str, pattern: str) -> Query:
        """The values of a pattern; in analysed text the terms, so that it is one word's beginning."""
        kind = kind_of(field)
        if kind in (FieldKind.DATE, FieldKind.NUMBER):
            return Query.empty_query() if pattern.strip("*") else self._exists(field)
        name, start = (field, "") if kind is not FieldKind.FACT else ("facts", exactly(field, ""))
        text = folded(normal(pattern)) if kind is FieldKind.WORDS else pattern
        try:
            return Query.regex_query(self.schema, name, _escaped(start) + _regex(text))
        except ValueError:
            return Query.empty_query()

    def _range(self, asked: Range) -> Query:
        if kind_of(asked.field) not in (FieldKind.DATE, FieldKind.NUMBER):
            return self._between(asked, kind_of(asked.field))
        bounds = number_bounds(asked)
        return self._numbers(asked.field, *bounds) if bounds else Query.empty_query()

    def _between(self, asked: Range, kind: FieldKind) -> Query:
        """The keywords between two others, by their characters."""
        if kind is FieldKind.WORDS:
            return Query.empty_query()
        name, start = (
            (asked.field, "") if kind is FieldKind.KEYWORD else ("facts", exactly(asked.field, ""))
        )
        terms = self.searcher.terms_with_prefix(name, start, None, MOST_TERMS)
        within = [term for term, _ in terms if _is_between(term[len(start) :], asked)]
        return self._set(name, within)

    def _within(self, box: tuple[float, float, float, float]) -> Query:
        west, south, east, north = (round(degrees * DEGREE) for degrees in box)
        w, s, e, n = BOX_FIELDS
        return every(
            [
                self._numbers(w, -EVER, east),
                self._numbers(e, west, EVER),
                self._numbers(s, -EVER, north),
                self._numbers(n, south, EVER),
            ]
        )

    def _numbers(self, field: str, low: int, high: int) -> Query:
        return Query.range_query(self.schema, field, FieldType.Integer, low, high)

    def _set(self, field: str, values: list[str]) -> Query:
        return Query.term_set_query(self.schema, field, values) if values else Query.empty_query()

    def _term(self, field: str, value: str) -> Query:
        return Query.term_query(self.schema, field, value, "basic")


def any_of(queries: Iterable[Query]) -> Query:
    """Documents that one of the queries finds."""
    parts = list(queries)
    if not parts:
        return Query.empty_query()
    return parts[0] if len(parts) == 1 else Query.boolean_query([(Occur.Should, q) for q in parts])


def without(query: Query, unwanted: Query) -> Query:
    """What the first query finds and the second does not."""
    return Query.boolean_query([(Occur.Must, query), (Occur.MustNot, unwanted)])


def _is_between(value: str, asked: Range) -> bool:
    low, high = asked.low, asked.high
    above = low is None or value > str(low) or (asked.with_low and value == str(low))
    below = high is None or value < str(high) or (asked.with_high and value == str(high))
    return above and below


def _regex(pattern: str) -> str:
    parts = re.split(r"([*?])", pattern[:LONGEST_PATTERN])
    return "".join({"*": ".*", "?": "."}.get(part, _escaped(part)) for part in parts)


def _escaped(text: str) -> str:
    return re.sub(r"([.+*?()|\[\]{}^$\\#&\-~\"<>@])", r"\\\1", text)
