"""What every engine keeps of a document: terms that were cut already, exact values, numbers. No product here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from catalog.models.text import pick
from catalog.search import pinyin
from catalog.search.analysis import (
    folded,
    normal_title,
    runs_of,
    sort_key,
    spelled_ways,
    terms_of,
)
from catalog.search.conditions import FIELDS, FieldKind, Range, kind_of
from catalog.search.engine import PUBLIC, Document
from catalog.search.facets import FACETS, Kind

KEYWORD_FIELDS = tuple(
    dict.fromkeys(
        [
            *(facet.field for facet in FACETS if facet.kind is Kind.KEYWORD),
            *(
                name
                for name, kind in FIELDS.items()
                if kind is FieldKind.KEYWORD and name not in ("id", "slug")
            ),
        ]
    )
)
DATE_FIELDS = tuple(
    name for name, kind in FIELDS.items() if kind is FieldKind.DATE and name != "modified"
)
BOX_FIELDS = ("west", "south", "east", "north")
DEGREE = 1_000_000
"""Parts of a degree that boxes are told apart by: a tenth of a metre."""
FIRST, LAST = -(2**33), 2**33
"""Moments, in seconds, that are told apart: years 1697 to 2242."""
UNDATED = -(2**34)
"""The moment of a document whose last change is unknown: before all others."""
EVER = 2**40
"""A number beyond all others; an engine may refuse a range with one end open."""
TIE_BITS = 28
"""Bits of a document's tie-breaker."""
END = " ¦ "
"""Stands between texts, so that no phrase reaches from one into another; no text has such a term."""
LONGEST_KEPT = 100
"""Characters of a text whose terms are kept for the next document."""
INITIALS = "^"
"""Stands before a pair of initials among the sounds of a title: `shi` may be a syllable too."""
IS, HAS = "\x1f", "\x1e"
"""A fact's term is its name, IS and the value; that there is one at all is HAS and the name."""


def words_of(document: Document) -> dict[str, str]:
    """The analysed fields, each a text of terms between blanks."""
    titles = _cut(document.titles.values())
    descriptions = _cut(document.descriptions.values())
    tags, names = _cut(document.tags), _cut(document.names)
    place = _cut([document.place])
    words = _cut(document.words.split("\n"))
    texts = [*titles, *descriptions, *tags, *names, *_cut(document.codes), *place, *words]
    sounds = [_sounds(run) for one in (*titles, *tags, *names) for run in one.runs]
    return {
        "text": END.join(dict.fromkeys(one.terms for one in texts if one.terms)),
        "title": _joined(titles),
        "tags": _joined(tags),
        "description": _joined(descriptions),
        "place": _joined(place),
        "singles": " ".join(set().union(*(one.singles for one in texts))),
        "syllables": " ".join(dict.fromkeys(syllables for syllables, _ in sounds)),
        "initials": END.join(dict.fromkeys(initials for _, initials in sounds)),
    }


@dataclass(frozen=True)
class _Text:
    """A text as it is indexed: its terms in order, its single characters, its runs of Chinese."""

    terms: str
    singles: tuple[str, ...]
    runs: tuple[str, ...]


def _cut(texts: Iterable[str]) -> list[_Text]:
    """Each text that is not empty; short ones, which many documents share, are kept."""
    return [
        _short_text(text) if len(text) <= LONGEST_KEPT else _text(text) for text in texts if text
    ]


def _text(text: str) -> _Text:
    runs = tuple(runs_of(text))
    return _Text(" ".join(terms_of(text)), tuple(dict.fromkeys("".join(runs))), runs)


_short_text = lru_cache(maxsize=20_000)(_text)


@lru_cache(maxsize=20_000)
def _sounds(run: str) -> tuple[str, str]:
    return " ".join(pinyin.syllable_terms(run)), " ".join(pinyin.initial_terms(run))


def values_of(document: Document) -> dict[str, list[str]]:
    """The exact values by field."""
    titles = document.titles.values()
    values = {
        "whole_title": sorted({normal_title(title) for title in titles} - {""}),
        "spelled_title": sorted({way for title in titles for way in spelled_ways(title)}),
        "title_sound": sorted({sound for title in titles for sound in _title_sounds(title)}),
        "codes": sorted({folded(code) for code in document.codes}),
        "tag_start": sorted({start for tag in document.tags for start in tag_starts(tag)}),
        "facts": sorted(_facts(document.facts)),
        "visibility": [] if PUBLIC in document.visibility else ["", *document.visibility],
    }
    for name in KEYWORD_FIELDS:
        values[name] = list(dict.fromkeys(document.keywords.get(name, ())))
    return values


def _title_sounds(title: str) -> Iterable[str]:
    """The syllables of a title, each two neighbours among them, and its pairs of initials behind INITIALS."""
    for run in runs_of(title):
        yield from pinyin.syllable_terms(run)
        yield from map(initials_sound, pinyin.initial_terms(run))


def initials_sound(pair: str) -> str:
    """A pair of initials among the sounds of a title."""
    return f"{INITIALS}{pair}"


def numbers_of(document: Document) -> dict[str, int]:
    """The numbers, dates and sides of the box that are known."""
    numbers = {
        "uses": min(max(document.uses, 0), 2**33),
        "modified": seconds(document.modified),
        "score": int(document.numbers.get("score", 0)),
        "resources": int(document.numbers.get("resources", 0)),
    }
    for name in DATE_FIELDS:
        if name in document.dates:
            numbers[name] = seconds(document.dates[name])
    if document.box is not None:
        sides = zip(BOX_FIELDS, document.box, strict=True)
        numbers.update((name, round(degrees * DEGREE)) for name, degrees in sides)
    return numbers


def title_keys(document: Document) -> dict[str, str]:
    """What titles are sorted by, by language."""
    return {language: sort_key(pick(document.titles, language)[0]) for language in ("zh", "en")}


def tag_starts(tag: str) -> tuple[str, ...]:
    """How somebody begins to type a tag, each with the tag behind IS."""
    return tuple(
        f"{way}{IS}{tag}" for way in dict.fromkeys((normal_title(tag), *spelled_ways(tag))) if way
    )


def seconds(moment: datetime | None) -> int:
    """The moment as a number that the index compares; UNDATED for none."""
    return min(max(int(moment.timestamp()), FIRST), LAST) if moment else UNDATED


def tie_of(id_: str) -> int:
    """A number that orders equal documents always in the same way."""
    return int.from_bytes(hashlib.sha256(id_.encode()).digest()[:4]) >> (32 - TIE_BITS)


def number_bounds(asked: Range) -> tuple[int, int] | None:
    """The least and the largest number in a range of dates or numbers; None where it holds none."""
    read = _moment if kind_of(asked.field) is FieldKind.DATE else _number
    low, high = read(asked.low), read(asked.high)
    if (low is None and asked.low is not None) or (high is None and asked.high is not None):
        return None  # a bound that is no date or number is fulfilled by nothing
    least = UNDATED + 1 if asked.field == "modified" else -EVER
    start = least if low is None else low if asked.with_low else low + 1
    end = EVER if high is None else high if asked.with_high else high - 1
    return (start, end) if start <= end else None


def _moment(value: datetime | float | str | None) -> int | None:
    """A bound as seconds; a day is its first moment. None for what is no moment."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return seconds(value if value.tzinfo else value.replace(tzinfo=UTC))


def _number(value: datetime | float | str | None) -> int | None:
    try:
        number = float(value) if isinstance(value, str | int | float) else None
        return None if number is None else min(max(int(number), -LAST), LAST)
    except (ValueError, OverflowError):
        return None


def _facts(facts: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
    for name, values in facts.items():
        if values:
            yield HAS + name
        for value in dict.fromkeys(values):
            yield f"{name}{IS}{value}"


def _joined(texts: Iterable[_Text]) -> str:
    """Terms and single characters, without their places."""
    return " ".join(f"{one.terms} {' '.join(one.singles)}" for one in texts)
