"""Chinese read aloud: the syllables of a text, and latin words that may be syllables or their initials.

The readings come from `data/pinyin.txt` (without tones, ü as v): one for each character, and words that are
read otherwise (`重庆`, `银行`), the longest first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

FILE = Path(__file__).parent / "data" / "pinyin.txt"
LONGEST_WORD = 4
"""Characters of the longest word with a reading of its own."""
LONGEST_SYLLABLE = 6
MOST_LETTERS = 60
"""Letters of a word that is tried as pinyin."""
FEWEST_INITIALS, MOST_INITIALS = 2, 12
NO_INITIALS = frozenset("iuv")
"""Letters that no syllable begins with."""


@dataclass(frozen=True)
class _Readings:
    characters: Mapping[str, str]
    words: Mapping[str, tuple[str, ...]]
    syllables: frozenset[str]


@lru_cache(maxsize=1)
def _readings() -> _Readings:
    characters: dict[str, str] = {}
    words: dict[str, tuple[str, ...]] = {}
    with FILE.open(encoding="utf-8") as file:
        for line in file:
            head, *rest = line.split() or ("#",)
            if head.startswith("#"):
                continue
            if head.isascii():
                characters.update(dict.fromkeys(rest[0], head))
            else:
                words[head] = tuple(rest)
    return _Readings(characters, words, frozenset(characters.values()))


def syllables_of(run: str) -> list[str]:
    """The syllable of each character; a character without a reading is its own."""
    readings = _readings()
    found: list[str] = []
    at = 0
    while at < len(run):
        for length in range(LONGEST_WORD, 1, -1):
            word = readings.words.get(run[at : at + length])
            if word is not None:
                found.extend(word)
                at += len(word)
                break
        else:
            found.append(readings.characters.get(run[at], run[at]))
            at += 1
    return found


def typed(word: str) -> str:
    """A word as its pinyin is kept: without tones, ü as v (`lǜ` → `lv`), nothing but its letters."""
    plain = unicodedata.normalize("NFD", word.casefold()).replace("u\u0308", "v")
    return "".join(letter for letter in plain if letter.isalpha())


@lru_cache(maxsize=10_000)
def split(word: str) -> tuple[str, ...]:
    """The syllables of a latin word, as few as can be; none where it is no pinyin."""
    if len(word) > MOST_LETTERS or not word.isascii() or not word.isalpha():
        return ()
    known = _readings().syllables
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(word) + 1):
        best.append(None)
        for start in range(max(0, end - LONGEST_SYLLABLE), end):
            before, last = best[start], word[start:end]
            if before is not None and last in known:
                here = best[end]
                if here is None or len(before) + 1 < len(here):
                    best[end] = (*before, last)
    return best[-1] or ()


def may_be_initials(word: str) -> bool:
    """Whether each letter of a lower-case word may be the first one of a syllable."""
    return (
        FEWEST_INITIALS <= len(word) <= MOST_INITIALS
        and word.isascii()
        and word.isalpha()
        and not NO_INITIALS & set(word)
    )


def syllable_terms(run: str) -> Iterator[str]:
    """The terms of the syllables of a run of characters: each one, and each two neighbours."""
    syllables = syllables_of(run)
    yield from syllables
    for one, other in pairwise(syllables):
        yield one + other


def initial_terms(run: str) -> Iterator[str]:
    """The pairs of initials of a run, in order."""
    initials = "".join(syllable[0] for syllable in syllables_of(run))
    for at in range(len(initials) - 1):
        yield initials[at : at + 2]
