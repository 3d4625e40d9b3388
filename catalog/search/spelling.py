"""“Did you mean”: words of found texts that are near to what was typed, or sound like it. No engine here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from catalog.search import pinyin
from catalog.search.analysis import CHUNK, WORD, folded, is_cjk, normal, runs_of

FEW = 5
"""With more documents nobody is asked what was meant."""
SHORTEST, LONG = 4, 7
"""Letters of a word that may be misspelled by one letter, and by two."""
MANY_MORE = 10
"""As many times more documents must hold another word than a rare one that may be no mistake."""
MOST_READ = 20
"""Documents whose words are looked at."""
MOST_CHUNKS = 8


def distance_of(word: str) -> int:
    """How many letters may be wrong in a word: none in a short one or in a number."""
    if len(word) < SHORTEST or not word.isalpha() or not word.isascii():
        return 0
    return 2 if len(word) >= LONG else 1


def corrected(
    text: str,
    held: Callable[[str], int],
    near: Callable[[str, int], Iterable[str]],
    sounding: Callable[[tuple[str, ...]], Iterable[str]],
) -> str:
    """The text with words that are found instead of those that are not; empty where it stays as it is.

    `held` says how many documents hold a word or a run of Chinese: one that few hold is changed only into
    one that many more do. `near` gives texts with words that
    differ by some letters, `sounding` texts that have these terms of syllables.
    """
    changed = plain = normal(text)
    for chunk in list(dict.fromkeys(CHUNK.findall(plain)))[:MOST_CHUNKS]:
        count = held(chunk)
        if count > FEW or (count and not is_cjk(chunk) and len(chunk) < LONG):
            continue  # a short word that is there is a name or a code
        if is_cjk(chunk):
            terms = tuple(dict.fromkeys(pinyin.syllable_terms(chunk)))
            better = same_sound(chunk, sounding(terms)) if len(chunk) > 1 else ""
        else:
            word = folded(chunk)
            letters = distance_of(word)
            better = nearest(word, near(word, letters), letters) if letters else ""
        if better and (not count or held(better) >= MANY_MORE * count):
            changed = changed.replace(chunk, better)
    return changed if changed != plain else ""


def nearest(word: str, texts: Iterable[str], most: int) -> str:
    """The word of the texts that is nearest, of equal ones the most frequent; empty if all are too far."""
    counts = Counter(
        plain
        for text in texts
        for found in WORD.findall(text)
        if (plain := folded(found)).isascii()
    )
    best = ("", most + 1, 0)
    for found, count in counts.items():
        if found[:1] != word[:1] or found == word or abs(len(found) - len(word)) > most:
            continue
        apart = distance(word, found, most)
        if (apart, -count, found) < (best[1], -best[2], best[0]):
            best = (found, apart, count)
    return best[0] if best[1] <= most else ""


def same_sound(run: str, texts: Iterable[str]) -> str:
    """The characters of the texts that are read like the run, the most frequent ones."""
    wanted = pinyin.syllables_of(run)
    counts: Counter[str] = Counter()
    for text in texts:
        for other in runs_of(text):
            syllables = pinyin.syllables_of(other)
            for at in range(len(other) - len(run) + 1):
                if syllables[at : at + len(run)] == wanted:
                    counts[other[at : at + len(run)]] += 1
    counts.pop(run, None)
    return counts.most_common(1)[0][0] if counts else ""


def texts_of(cards: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """All that cards say in words."""
    for card in cards:
        for field in ("title", "description"):
            yield from card.get(field, {}).values()
        yield from card.get("tags", ())


def distance(one: str, other: str, most: int) -> int:
    """Letters to add, leave out, change or swap; more than `most` is as good as `most` + 1."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        here = [row]
        for column, against in enumerate(other, start=1):
            cost = min(here[-1] + 1, last[column] + 1, last[column - 1] + (letter != against))
            swapped = row > 1 and column > 1 and letter == other[column - 2]
            if swapped and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            here.append(cost)
        if min(here) > most:
            return most + 1
        before, last = last, here
    return last[-1]
