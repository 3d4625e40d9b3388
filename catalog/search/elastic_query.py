"""The words of a search as Elasticsearch's JSON; no I/O. Text of people never goes through a query language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.search.analysis import (
    Unit,
    folded,
    is_cjk,
    normal,
    normal_title,
    pairs,
    term_of,
    terms_of,
    units_of,
)
from catalog.search.elastic_units import (
    ALL,
    NONE,
    Json,
    any_of,
    boosted,
    constant,
    either,
    every,
    meant_query,
    prefix,
    term,
    unit_query,
    ways_query,
)
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

LIKE_TERMS = 25
"""Terms that a similar document is looked for by."""
TITLE_TIMES, TAG_TIMES = 3, 2
"""How often a term of a title or a tag counts for a similar document; one of the description counts once."""
NEAR_WORDS = 200
"""Words of the index that are tried for a misspelled one."""


def doubtful_terms(text: str) -> frozenset[str]:
    """The words that may be pinyin unless some document holds them as they are written."""
    units = units_of(text)[:MOST_UNITS]
    return frozenset(
        one for unit in units if unit.initials or unit.uncertain for one in unit.ways[0]
    )


def text_query(text: str, known: Collection[str]) -> Json:
    """Documents with all words, then with enough of them; those whose title starts so first.

    `known` are those of the doubtful terms that some document holds.
    """
    if not text.strip():
        return ALL
    units = units_of(text)[:MOST_UNITS]
    if not units:
        return NONE
    asked = _asked(units, known)
    weighted = [
        q for q, unit in zip(asked.found, units, strict=True) for _ in range(weight_of(unit))
    ]
    matching = any_of([any_of(weighted, enough_of(len(weighted))), *_whole(text)])
    wishes = [
        constant(every(words), score)
        for words, score in steps_of(asked.literal, asked.near, asked.found)
    ]
    for unit, is_known in zip(units, asked.known, strict=True):
        wishes.extend(_wishes(unit, known=is_known))
    return {"bool": {"must": [matching], "should": wishes}}


def all_query(text: str, known: Collection[str]) -> Json:
    """Documents with all words, or a whole title or code: where there are enough, nothing was misspelled."""
    units = units_of(text)[:MOST_UNITS]
    return any_of([every(_asked(units, known).found), *_whole(text)]) if units else NONE


def abbreviated_query(text: str) -> Json | None:
    """Documents whose title has enough of these initials; None where the text cannot be such."""
    sounds = abbreviated(units_of(text)[:2])
    found = [constant(term("title_sound", sound), 1.0) for sound in sounds]
    return any_of(found, enough_of(len(found))) if found else None


def run_query(run: str) -> Json:
    """Documents that hold a word, or a run of characters as it is written."""
    if not is_cjk(run):
        return term("text", term_of(run))
    return unit_query(Unit((tuple(pairs(run)),), phrase=len(run) > 2), "text")


@dataclass(frozen=True)
class _Asked:
    """The units of a search as queries: whether each is a word of some document, as it is written, in other words
    of its script or as it sounds, and in words of any language."""

    known: list[bool]
    literal: list[Json]
    near: list[Json]
    found: list[Json]


def _asked(units: Sequence[Unit], known: Collection[str]) -> _Asked:
    are_known = [any(one in known for one in unit.ways[0]) for unit in units]
    literal = [unit_query(unit, "text") for unit in units]
    near, found = (
        [
            either(one, meant_query(unit, known=is_known))
            for one, unit, is_known in zip(literal, some, are_known, strict=True)
        ]
        for some in ([near_of(unit) for unit in units], units)
    )
    return _Asked(are_known, literal, near, found)


def _wishes(unit: Unit, *, known: bool) -> Iterator[Json]:
    """What brings a document up: the word in its title or tags, a synonym there, a title that sounds so."""
    yield boosted(unit_query(unit, "title"), TITLE_BOOST)
    yield boosted(unit_query(unit, "tags"), TAG_BOOST)
    for others, boost in ((near_of(unit).others, NEAR_BOOST), (far_of(unit), FAR_BOOST)):
        if others:
            yield boosted(ways_query(others, "title"), boost)
    sounds = sounds_of(unit, known=known)
    for sound in sounds:
        yield constant(term("title_sound", sound), TITLE_SOUND / len(sounds))


def some_query(text: str) -> Json | None:
    """Documents with any of the words, those with most of them first; None where `text_query` says as much."""
    wishes = []
    for unit in parts_of(units_of(text)[:MOST_UNITS]):
        for query, title in _parts(unit):
            wishes.append(constant(query, ALL_WORDS))
            wishes.append(boosted(title, TITLE_BOOST))
    return any_of(wishes) if wishes else None


def begins_query(text: str) -> Json | None:
    """Documents whose title begins so, then those where its pinyin does, then those that hold it."""
    title = normal_title(text)
    units = units_of(text)[:MOST_UNITS]
    if not title or not units:
        return None
    joined = title.replace(" ", "")
    steps = [constant(prefix("whole_title", title), 4.0)]
    if joined.isascii() and len(joined) > 1:
        steps.append(constant(prefix("spelled_title", joined), 2.0))
    words = [unit_query(unit, "title") for unit in units]
    last = units[-1].ways[0][0]
    if last.isascii() and len(last) > 1:
        words[-1] = either(words[-1], prefix("title", last))
    return any_of([*steps, constant(every(words), 1.0)])


def like_query(card: Mapping[str, Any], id_: str, *, itself: bool = False) -> Json:
    """Documents that share the terms which say most of this one, without itself; or `itself` by all of its own.

    Terms are not weighed by `boost_terms`: it counts documents that are deleted and not merged away yet, so that a weight may be
    less than nothing, which Elasticsearch refuses. The score weighs rare terms anyway.
    """
    parts = (
        (TITLE_TIMES, card.get("title", {}).values()),
        (TAG_TIMES, card.get("tags", ())),
        (1, card.get("description", {}).values()),
    )
    terms = [one for times, texts in parts for text in texts for one in [*terms_of(text)] * times]
    alike = {
        "more_like_this": {
            "fields": ["text"],
            "like": [" ".join(terms)],
            "analyzer": "whitespace",
            "min_term_freq": 1,
            "min_doc_freq": 1 if itself else 2,
            "max_query_terms": LIKE_TERMS,
            "minimum_should_match": 1,
        }
    }
    return {"bool": {"must": [alike], "filter" if itself else "must_not": [term("id", id_)]}}


def near_query(word: str, distance: int) -> Json:
    """Documents with a word that differs by so many letters at most."""
    how = {"value": word, "fuzziness": distance, "max_expansions": NEAR_WORDS}
    return {"fuzzy": {"text": {**how, "transpositions": True}}}


def sounding_query(syllables: Iterable[str]) -> Json:
    """Documents whose title, tags or names have all these terms of syllables."""
    return every(term("syllables", one) for one in syllables)


def _whole(text: str) -> Iterator[Json]:
    """Whole codes and titles, then beginnings of titles; also in pinyin."""
    title = normal_title(text)
    joined = title.replace(" ", "")
    yield constant(term("codes", folded(normal(text).strip())), WHOLE_CODE)
    yield constant(term("whole_title", title), WHOLE_TITLE)
    yield constant(prefix("whole_title", title), TITLE_PREFIX)
    if len(joined) > 2 and joined.isascii() and joined.isalnum():
        yield constant(term("spelled_title", joined), WHOLE_SPELLED)


def _parts(unit: Unit) -> Iterator[tuple[Json, Json]]:
    """What of a unit is looked for where not all is there: each of its terms, in all and in titles."""
    if is_divisible(unit):
        for one in unit.ways[0]:
            yield term("text", one), term("title", one)
        return
    meant = meant_query(unit, known=True)
    yield either(unit_query(unit, "text"), meant), unit_query(unit, "title")
