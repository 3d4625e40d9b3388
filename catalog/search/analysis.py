"""Cutting texts into terms: pairs of Chinese characters, folded words, codes in whole and in parts.

Indexing and searching use the same cut, so that every engine gives the same totals:

- Chinese, Japanese and Korean are cut into overlapping pairs (`空气质量` → `空气 气质 质量`); a lone
  character is looked for among the single characters of a document.
- Words are lower-cased, lose their accents and an English plural.
- A code with inner signs (`PM2.5`, `GB/T-2260`, `station_name`) is one unit: it is found as a whole
  (`pm25`) or by its parts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Scripts that are written without blanks (and Hangul, where pairs work as well)."""
CHUNK = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+(?:[-_./'’·&+][^\W_{CJK}]+)*")
"""A run of CJK characters, or words tied by single signs."""
WORD = re.compile(r"[^\W_]+")
PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
"""Pieces of a word that is itself made of words: `stationName`, `covid19`."""
FOLDS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ð": "d", "þ": "th", "ı": "i"}
)
LONGEST_TERM = 60
"""Characters of a term; longer ones (base64, rows of dashes) are cut."""
LITTLE_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "as",
        "at",
        "by",
        "de",
        "den",
        "der",
        "des",
        "die",
        "du",
        "en",
        "et",
        "for",
        "from",
        "het",
        "in",
        "la",
        "le",
        "les",
        "of",
        "on",
        "or",
        "the",
        "to",
        "van",
        "with",
    ]
)
"""Words that count only if nothing else was asked for."""


@dataclass(frozen=True)
class Unit:
    """One thing that was asked for; it is found if all terms of one of its `ways` are.

    `single` says that the only term is a lone CJK character. A `phrase` has one way, whose terms stand
    next to each other in this order. `others` are ways that say the same in other words (synonyms):
    they are found too, but count as less.

    A word of latin letters may be pinyin: `syllables` are terms of the spelled titles, tags and names
    that must all be there; `initials` are pairs of initials that stand there in this order. A lone
    syllable and initials are read so only where no document holds the word as it is written.
    """

    ways: tuple[tuple[str, ...], ...]
    single: bool = False
    phrase: bool = False
    others: tuple[tuple[str, ...], ...] = ()
    syllables: tuple[str, ...] = ()
    initials: tuple[str, ...] = ()


def terms_of(text: str) -> Iterator[str]:
    """All terms under which a text is indexed, in order."""
    for chunk in CHUNK.findall(unicodedata.normalize("NFKC", text)):
        if is_cjk(chunk):
            yield from pairs(chunk)
        else:
            yield from _terms_of_word(chunk)


def singles_of(text: str) -> set[str]:
    """The CJK characters of a text, each once."""
    found: set[str] = set()
    for chunk in CHUNK.findall(unicodedata.normalize("NFKC", text)):
        if is_cjk(chunk):
            found.update(chunk)
    return found


def units_of(text: str) -> tuple[Unit, ...]:
    """What a query asks for, each unit once, in order."""
    units: dict[Unit, None] = {}
    for chunk in CHUNK.findall(unicodedata.normalize("NFKC", text)):
        if is_cjk(chunk):
            units.update(dict.fromkeys(_units_of_cjk(chunk)))
        else:
            units[_unit_of_word(chunk)] = None
    return tuple(units)


def normal_title(text: str) -> str:
    """A title for comparing whole titles: folded words joined by single blanks."""
    chunks = CHUNK.findall(unicodedata.normalize("NFKC", text))
    words = (word for chunk in chunks for word in WORD.findall(chunk))
    return " ".join(folded(word) for word in words)[:200]


def pairs(run: str) -> list[str]:
    """The overlapping pairs of a run of CJK characters; none for a lone one."""
    return [run[at : at + 2] for at in range(len(run) - 1)]


def is_cjk(chunk: str) -> bool:
    """Whether a chunk is a run of CJK characters."""
    return not chunk.isascii() and bool(_CJK_START.match(chunk))


_CJK_START = re.compile(f"[{CJK}]")


@lru_cache(maxsize=50_000)
def folded(word: str) -> str:
    """A word in lower case without accents."""
    lower = word.casefold()
    if lower.isascii():
        return lower
    plain = unicodedata.normalize("NFKD", lower.translate(FOLDS))
    return "".join(c for c in plain if not unicodedata.combining(c))


@lru_cache(maxsize=50_000)
def term_of(word: str) -> str:
    """The term of a word: folded, without an English plural or a mute e, so that
    `house` meets `houses` and `city` meets `cities`; words with digits stay as they are."""
    term = folded(word)[:LONGEST_TERM]
    if len(term) < 4 or not term.isalpha() or not term.isascii():
        return term
    singular = _singular(term)
    return singular[:-1] if len(singular) > 4 and singular.endswith("e") else singular


def _singular(term: str) -> str:
    if not term.endswith("s") or term.endswith(("ss", "us", "is")):
        return term
    if term.endswith("ies") and len(term) > 4:
        return term[:-3] + "y"
    if term.endswith(("xes", "ches", "shes", "sses", "zes")):
        return term[:-2]
    if term.endswith("uses") and len(term) > 4 and term[-5] not in "oa":
        return term[:-2]
    return term[:-1]


def spelled(text: str) -> str:
    """The text with its Chinese spelled in pinyin (`上海 2024` → `shang hai 2024`), for sorting and addresses."""
    if not _CJK_START.search(text):
        return text
    from pypinyin import lazy_pinyin  # here: it takes 60 MB, which readers need not pay

    return " ".join(part.strip() for part in lazy_pinyin(text, errors="default") if part.strip())


def sort_key(title: str) -> str:
    """Titles in the order of their sort keys are in alphabetical order, Chinese by its pinyin."""
    return " ".join(folded(word) for word in WORD.findall(spelled(title)))[:200]


@lru_cache(maxsize=50_000)
def _terms_of_word(chunk: str) -> tuple[str, ...]:
    words = WORD.findall(chunk)
    terms: list[str] = []
    for word in words:
        terms.append(term_of(word))
        pieces = PIECE.findall(word) if word.isascii() else ()
        if len(pieces) > 1:
            terms.extend(term_of(piece) for piece in pieces)
    if len(words) > 1:
        terms.append(term_of("".join(words)))
    return tuple(terms)


def _unit_of_word(chunk: str) -> Unit:
    words = WORD.findall(chunk)
    if len(words) == 1:
        return Unit(((term_of(chunk),),))
    parts = tuple(dict.fromkeys(term_of(word) for word in words))
    return Unit(((term_of("".join(words)),), parts))


def _units_of_cjk(run: str) -> Iterator[Unit]:
    if len(run) == 1:
        yield Unit(((run,),), single=True)
    for pair in pairs(run):
        yield Unit(((pair,),))
