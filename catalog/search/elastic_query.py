"""The words of a search as Elasticsearch's JSON; no I/O. Text of people never goes through a query language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from catalog.search.analysis import Unit, folded, normal, normal_title, terms_of, units_of
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
)
from catalog.search.ranking import (
    ALL_MEANT,
    ALL_WORDS,
    MOST_UNITS,
    TAG_BOOST,
    TITLE_BOOST,
    TITLE_PREFIX,
    WHOLE_CODE,
    WHOLE_SPELLED,
    WHOLE_TITLE,
    enough_of,
    is_divisible,
    parts_of,
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
    literal = [unit_query(unit, "text") for unit in units]
    meant = [meant_query(unit, known=any(t in known for t in unit.ways[0])) for unit in units]
    found = [either(one, other) for one, other in zip(literal, meant, strict=True)]
    weighted = [q for q, unit in zip(found, units, strict=True) for _ in range(weight_of(unit))]
    matching = any_of([any_of(weighted, enough_of(len(weighted))), *_whole(text)])
    wishes = [constant(every(literal), ALL_WORDS)]
    if any(query is not None for query in meant):
        wishes.append(constant(every(found), ALL_MEANT))
    for unit in units:
        wishes.append(boosted(unit_query(unit, "title"), TITLE_BOOST))
        wishes.append(boosted(unit_query(unit, "tags"), TAG_BOOST))
    return {"bool": {"must": [matching], "should": wishes}}


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


def like_query(card: Mapping[str, Any], id_: str) -> Json:
    """Documents that share the terms which say most of this one, without itself."""
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
            "min_doc_freq": 2,
            "max_query_terms": LIKE_TERMS,
            "minimum_should_match": 1,
            "boost_terms": 1.0,
        }
    }
    return {"bool": {"must": [alike], "must_not": [term("id", id_)]}}


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
