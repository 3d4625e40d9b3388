"""What comes first: the same numbers for every engine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from catalog.search.analysis import LITTLE_WORDS, Unit, is_cjk
from catalog.search.indexed import initials_sound

Q = TypeVar("Q")
"""A query of an engine."""
MOST_UNITS = 64
ENOUGH = 0.6
"""Part of the words that a document must have when it has not all of them."""
ALL_SAID, ALL_MEANT, WHOLE_SPELLED = 200.0, 400.0, 800.0
"""All words in another language; in other words, or as they sound; a whole title as it sounds."""
ALL_WORDS, TITLE_PREFIX, WHOLE_TITLE, WHOLE_CODE = 1000.0, 2000.0, 4000.0, 8000.0
"""Steps of the score that lie above anything that word statistics give."""
TITLE_BOOST, TAG_BOOST, NEAR_BOOST, FAR_BOOST = 4.0, 2.0, 3.0, 1.0
"""What a word counts in a title and in a tag, a synonym of the same script and of another one in a title."""
TITLE_SOUND = 300.0
"""A title that has all sounds of a word; each one counts its part."""
LONG_SPELLED = 4
"""Pairs of syllables from which on a word of pinyin is several words, of which enough will do."""
LIKE_FLOOR = 0.15
"""Part of the score that a document has by its own terms which another one needs to be similar.

Of the best answers that share a judged query 94 % reach it, of documents that share none 0.5 %.
"""
FEWEST_PAIRS, MOST_PAIRS = 3, 7
MOST_WEIGHT = 3
"""Words that a Chinese word with synonyms counts as, at most."""


def near_of(unit: Unit) -> Unit:
    """The unit with those of its synonyms only that are written in its own script: readers understand these."""
    script = is_cjk(unit.ways[0][0])
    return replace(unit, others=tuple(way for way in unit.others if is_cjk(way[0]) == script))


def far_of(unit: Unit) -> tuple[tuple[str, ...], ...]:
    """The synonyms of the unit in another script."""
    near = near_of(unit).others
    return tuple(way for way in unit.others if way not in near)


def sounds_of(unit: Unit, *, known: bool) -> tuple[str, ...]:
    """What titles may sound like that the unit means: its syllables, else its initials.

    `known` says that some document holds the word as it is written.
    """
    if unit.syllables and not (known and unit.uncertain):
        return unit.syllables
    return () if known else tuple(map(initials_sound, unit.initials))


def steps_of(literal: list[Q], near: list[Q], found: list[Q]) -> Iterator[tuple[list[Q], float]]:
    """All words as they are written, in other words, in other scripts, each with its step of the score.

    What says the same as the step before, as most searches do, is not asked for again.
    """
    yield literal, ALL_WORDS
    if not _are_same(literal, near):
        yield near, ALL_MEANT
    if not _are_same(near, found):
        yield found, ALL_SAID


def _are_same(some: Sequence[object], others: Sequence[object]) -> bool:
    return all(one is other for one, other in zip(some, others, strict=True))


def abbreviated(units: Sequence[Unit]) -> tuple[str, ...]:
    """Pairs of initials of which enough will do: somebody leaves words of a title out; none of other queries."""
    if len(units) != 1 or not FEWEST_PAIRS <= len(units[0].initials) <= MOST_PAIRS:
        return ()
    return tuple(map(initials_sound, units[0].initials))


def enough_of(words: int) -> int:
    """How many of so many words a document must have."""
    return math.ceil(words * ENOUGH)


def weight_of(unit: Unit) -> int:
    """As how many words a unit counts: a Chinese word is as many as it has pairs."""
    if unit.phrase or len(unit.ways) != 1 or not is_cjk(unit.ways[0][0]):
        return 1
    return min(len(unit.ways[0]), MOST_WEIGHT)


def is_divisible(unit: Unit) -> bool:
    """Whether a unit has parts that can be looked for alone."""
    return unit.phrase or weight_of(unit) > 1


def parts_of(units: Sequence[Unit]) -> Sequence[Unit]:
    """What to look for where no document holds enough of it: none where that would be the same again.

    Little words (`of`, `the`) are left out unless nothing else was asked for.
    """
    if len(units) < 2 and not any(map(is_divisible, units)):
        return ()
    return [unit for unit in units if unit.ways[0][0] not in LITTLE_WORDS] or units
