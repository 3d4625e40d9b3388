"""A search in Tantivy's terms. Text of people never goes through Tantivy's query language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import tantivy
from tantivy import Occur, Query

from catalog.search.analysis import (
    Unit,
    folded,
    normal,
    normal_title,
    pairs,
    units_of,
)
from catalog.search.engine import SearchQuery
from catalog.search.facets import FACET_BY_NAME, FACETS, RANGES, UNKNOWN, Facet, Kind, range_bounds
from catalog.search.indexed import EVER, FIRST
from catalog.search.ranking import (
    ALL_WORDS,
    FAR_BOOST,
    MOST_UNITS,
    NEAR_BOOST,
    TAG_BOOST,
    TITLE_BOOST,
    TITLE_PREFIX,
    TITLE_SOUND,
    WHOLE_CODE,
    WHOLE_SPELLED,
    WHOLE_TITLE,
    abbreviated,
    enough_of,
    far_of,
    is_divisible,
    near_of,
    parts_of,
    sounds_of,
    steps_of,
    weight_of,
)
from catalog.search.tantivy_documents import exactly
from catalog.search.tantivy_units import every, meant_query, unit_query, ways_query

SEGMENT_BUCKETS = 65_000
"""Values of a facet that are counted in each segment: with fewer, counts would be inexact."""
FETCHED_BUCKETS = 201
"""Values of a facet that are read of one index: those that are shown, and one to see that there are more."""


@dataclass(frozen=True)
class _Asked:
    """The units of a search as queries: whether each is a word of some document, as it is written, in other words
    of its script or as it sounds, and in words of any language."""

    known: list[bool]
    literal: list[Query]
    near: list[Query]
    found: list[Query]


class Compiler:
    """Makes queries for one schema."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self.schema = schema

    def text(self, text: str, knows: Callable[[str], bool]) -> Query:
        """Documents with all words, then with enough of them; those whose title starts so first.

        `knows` says whether any document holds a term: a word that is known is no initials of pinyin.
        """
        if not text.strip():
            return Query.all_query()
        units = units_of(text)[:MOST_UNITS]
        if not units:
            return Query.empty_query()
        asked = self._asked(units, knows)
        weighted = [
            q for q, unit in zip(asked.found, units, strict=True) for _ in range(weight_of(unit))
        ]
        enough = enough_of(len(weighted))
        matching = Query.boolean_query(
            [
                (Occur.Should, Query.boolean_query(_each(Occur.Should, weighted), enough)),
                *_each(Occur.Should, self._whole(text)),
            ]
        )
        wishes = [
            Query.const_score_query(every(words), score)
            for words, score in steps_of(asked.literal, asked.near, asked.found)
        ]
        for unit, known in zip(units, asked.known, strict=True):
            wishes.extend(self._wishes(unit, known=known))
        return Query.boolean_query([(Occur.Must, matching), *_each(Occur.Should, wishes)])

    def all_of(self, text: str, knows: Callable[[str], bool]) -> Query:
        """Documents with all words, or a whole title or code: where there are enough, nothing was misspelled."""
        units = units_of(text)[:MOST_UNITS]
        if not units:
            return Query.empty_query()
        found = self._asked(units, knows).found
        return Query.boolean_query(_each(Occur.Should, [every(found), *self._whole(text)]))

    def _asked(self, units: Sequence[Unit], knows: Callable[[str], bool]) -> _Asked:
        known = [self._is_known(unit, knows) for unit in units]
        literal = [unit_query(self.schema, unit, "text") for unit in units]
        near, found = (
            [
                _either(one, meant_query(self.schema, unit, known=is_known))
                for one, unit, is_known in zip(literal, some, known, strict=True)
            ]
            for some in ([near_of(unit) for unit in units], units)
        )
        return _Asked(known, literal, near, found)

    def _wishes(self, unit: Unit, *, known: bool) -> Iterator[Query]:
        """What brings a document up: the word in its title or tags, a synonym there, a title that sounds so."""
        yield Query.boost_query(unit_query(self.schema, unit, "title"), TITLE_BOOST)
        yield Query.boost_query(unit_query(self.schema, unit, "tags"), TAG_BOOST)
        for others, boost in ((near_of(unit).others, NEAR_BOOST), (far_of(unit), FAR_BOOST)):
            if others:
                yield Query.boost_query(ways_query(self.schema, others, "title"), boost)
        sounds = sounds_of(unit, known=known)
        for sound in sounds:
            yield self._exactly("title_sound", sound, TITLE_SOUND / len(sounds))

    def abbreviated(self, text: str) -> Query | None:
        """Documents whose title has enough of these initials; None where the text cannot be such."""
        sounds = abbreviated(units_of(text)[:2])
        if not sounds:
            return None
        found = [self._exactly("title_sound", sound, 1.0) for sound in sounds]
        return Query.boolean_query(_each(Occur.Should, found), enough_of(len(found)))

    def some(self, text: str) -> Query | None:
        """Documents with any of the words, those with most of them first; None where `text` says as much.

        Little words (`of`, `the`) are left out unless nothing else was asked for.
        """
        units = units_of(text)[:MOST_UNITS]
        large = parts_of(units)
        if not large:
            return None
        wishes = []
        for unit in large:
            for query, title in self._parts(unit):
                wishes.append(Query.const_score_query(query, ALL_WORDS))
                wishes.append(Query.boost_query(title, TITLE_BOOST))
        return Query.boolean_query(_each(Occur.Should, wishes))

    def begins(self, text: str) -> list[Query]:
        """Documents whose title begins so, then those where its pinyin does, then those that hold it."""
        title = normal_title(text)
        units = units_of(text)[:MOST_UNITS]
        if not title or not units:
            return []
        joined = title.replace(" ", "")
        steps = [Query.const_score_query(self._prefix("facts", exactly("whole_title", title)), 4.0)]
        if joined.isascii() and len(joined) > 1:
            steps.append(
                Query.const_score_query(
                    self._prefix("facts", exactly("spelled_title", joined)), 2.0
                )
            )
        words = [unit_query(self.schema, unit, "title") for unit in units]
        last = units[-1].ways[0][0]
        if last.isascii() and len(last) > 1:
            words[-1] = _either(words[-1], self._prefix("title", last))
        return [*steps, Query.const_score_query(every(words), 1.0)]

    def like(self, terms: Iterable[tuple[str, float]]) -> Query:
        """Documents with these terms, each with its weight."""
        wishes = [
            Query.boost_query(self._term("text", term, "freq"), weight) for term, weight in terms
        ]
        return Query.boolean_query(_each(Occur.Should, wishes))

    def near(self, word: str, distance: int) -> Query:
        """Documents with a word that differs by so many letters at most."""
        return Query.fuzzy_term_query(self.schema, "text", word, distance, True, False)  # noqa: FBT003 # the binding has no keyword for both

    def sounding(self, syllables: Iterable[str]) -> Query:
        """Documents whose title, tags or names have all these terms of syllables."""
        return every([self._term("syllables", term, "basic") for term in syllables])

    def run(self, run: str) -> Query:
        """Documents that hold a run of characters as it is written."""
        return unit_query(self.schema, Unit((tuple(pairs(run)),), phrase=len(run) > 2), "text")

    def with_id(self, id_: str) -> Query:
        """The document of this id."""
        return self._term("id", id_, "basic")

    def with_ids(self, ids: Iterable[str]) -> Query:
        """The documents of these ids."""
        return Query.term_set_query(self.schema, "id", list(ids))

    def _whole(self, text: str) -> Iterator[Query]:
        """Whole codes and titles, then beginnings of titles; also in pinyin."""
        title = normal_title(text)
        joined = title.replace(" ", "")
        yield self._exactly("codes", folded(normal(text).strip()), WHOLE_CODE)
        yield self._exactly("whole_title", title, WHOLE_TITLE)
        yield Query.const_score_query(
            self._prefix("facts", exactly("whole_title", title)), TITLE_PREFIX
        )
        if len(joined) > 2 and joined.isascii() and joined.isalnum():
            yield self._exactly("spelled_title", joined, WHOLE_SPELLED)

    def _exactly(self, field: str, value: str, score: float) -> Query:
        return Query.const_score_query(self._term("facts", exactly(field, value), "basic"), score)

    def _is_known(self, unit: Unit, knows: Callable[[str], bool]) -> bool:
        """Whether a word that may be pinyin stands in a document as it is written."""
        asked = bool(unit.initials or unit.uncertain)
        return asked and any(knows(term) for term in unit.ways[0])

    def _parts(self, unit: Unit) -> Iterator[tuple[Query, Query]]:
        """What of a unit is looked for where not all is there: each of its terms, in all and in titles."""
        if is_divisible(unit):
            for term in unit.ways[0]:
                yield self._term("text", term, "freq"), self._term("title", term, "freq")
            return
        query = unit_query(self.schema, unit, "text")
        meant = meant_query(self.schema, unit, known=True)
        yield _either(query, meant), unit_query(self.schema, unit, "title")

    def _prefix(self, field: str, text: str) -> Query:
        return Query.fuzzy_term_query(self.schema, field, text, 0, True, True)  # noqa: FBT003 # the binding has no keyword for both

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

    def _term(self, field: str, term: str, option: str) -> Query:
        return Query.term_query(self.schema, field, term, option)


def narrowed(query: Query, filters: Iterable[Query]) -> Query:
    """The query among documents that pass all filters; filters do not change the score."""
    kept = [(Occur.Must, Query.const_score_query(one, 0.0)) for one in filters]
    return Query.boolean_query([(Occur.Must, query), *kept]) if kept else query


def aggregation(
    facets: Iterable[Facet], today: date, most: int = FETCHED_BUCKETS
) -> dict[str, Any]:
    """The request that counts the values of these facets, the `most` frequent ones."""
    return {facet.name: _counts(facet, today, most) for facet in facets}


def _counts(facet: Facet, today: date, most: int) -> dict[str, Any]:
    if facet.kind is Kind.KEYWORD:
        size = {"size": most, "segment_size": SEGMENT_BUCKETS}
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


def _either(one: Query, other: Query | None) -> Query:
    return one if other is None else Query.boolean_query(_each(Occur.Should, (one, other)))


def _each(occur: Occur, queries: Iterable[Query]) -> list[tuple[Occur, Query]]:
    return [(occur, query) for query in queries]
