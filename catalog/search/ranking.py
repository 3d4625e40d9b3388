"""What comes first: the same numbers for every engine."""

from __future__ import annotations

import math
from collections.abc import Sequence

from catalog.search.analysis import LITTLE_WORDS, Unit, is_cjk

MOST_UNITS = 64
ENOUGH = 0.6
"""Part of the words that a document must have when it has not all of them."""
ALL_MEANT, WHOLE_SPELLED = 400.0, 800.0
ALL_WORDS, TITLE_PREFIX, WHOLE_TITLE, WHOLE_CODE = 1000.0, 2000.0, 4000.0, 8000.0
"""Steps of the score that lie above anything that word statistics give."""
TITLE_BOOST, TAG_BOOST = 4.0, 2.0
MOST_WEIGHT = 3
"""Words that a Chinese word with synonyms counts as, at most."""


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
