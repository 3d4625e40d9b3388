"""What every engine keeps of a document: terms that were cut already, exact values, numbers. No product here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from catalog.models.text import pick
from catalog.search import pinyin
from catalog.search.analysis import (
    folded,
    normal_title,
    runs_of,
    singles_of,
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
IS, HAS = "\x1f", "\x1e"
"""A fact's term is its name, IS and the value; that there is one at all is HAS and the name."""


def words_of(document: Document) -> dict[str, str]:
    """The analysed fields, each a text of terms between blanks."""
    titles = list(document.titles.values())
    texts = [
        *titles,
        *document.descriptions.values(),
        *document.tags,
        *document.names,
        *document.codes,
        document.place,
        document.words,
    ]
    runs = [run for text in (*titles, *document.tags, *document.names) for run in runs_of(text)]
    return {
        "text": END.join(" ".join(terms_of(text)) for text in texts if text),
        "title": _joined(titles, singles=True),
        "tags": _joined(document.tags, singles=True),
        "description": _joined(document.descriptions.values(), singles=True),
        "place": _joined([document.place], singles=True),
        "singles": " ".join(sorted(set().union(*map(singles_of, texts)))),
        "syllables": " ".join({term for run in runs for term in pinyin.syllable_terms(run)}),
        "initials": END.join(" ".join(pinyin.initial_terms(run)) for run in dict.fromkeys(runs)),
    }


def values_of(document: Document) -> dict[str, list[str]]:
    """The exact values by field."""
    titles = document.titles.values()
    values = {
        "whole_title": sorted({normal_title(title) for title in titles} - {""}),
        "spelled_title": sorted({way for title in titles for way in spelled_ways(title)}),
        "codes": sorted({folded(code) for code in document.codes}),
        "tag_start": sorted({start for tag in document.tags for start in tag_starts(tag)}),
        "facts": sorted(_facts(document.facts)),
        "visibility": [] if PUBLIC in document.visibility else ["", *document.visibility],
    }
    for name in KEYWORD_FIELDS:
        values[name] = list(dict.fromkeys(document.keywords.get(name, ())))
    return values


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


def _joined(texts: Iterable[str], *, singles: bool = False) -> str:
    parts: list[str] = []
    for text in texts:
        parts.extend(terms_of(text))
        if singles:
            parts.extend(sorted(singles_of(text)))
    return " ".join(parts)
