"""Cutting texts into terms: pairs of Chinese characters, folded words, codes in whole and in parts.

Indexing and searching use the same cut, so that every engine gives the same totals:

- Chinese, Japanese and Korean are cut into overlapping pairs (`空气质量` → `空气 气质 质量`); a lone
  character is looked for among the single characters of a document. Traditional characters are read as
  their simplified ones.
- Words are lower-cased, lose their accents and an English plural.
- A code with inner signs (`PM2.5`, `GB/T-2260`, `station_name`) is one unit: it is found as a whole
  (`pm25`) or by its parts.

A query is cut into units. What stands in quotes is one unit, whose terms stand next to each other; a
word with synonyms is one, and so is a latin word, which may also be pinyin.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from catalog.search import pinyin, synonyms

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
LONGEST_SPELLED = 200
"""Letters of a title's pinyin as one word."""
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
    syllable (`uncertain`) and initials are read so only where no document holds the word as it is written.
    """

    ways: tuple[tuple[str, ...], ...]
    single: bool = False
    phrase: bool = False
    others: tuple[tuple[str, ...], ...] = ()
    syllables: tuple[str, ...] = ()
    initials: tuple[str, ...] = ()

    @property
    def uncertain(self) -> bool:
        """Whether `syllables` is a lone one, such as `can` or `long`: a word of many languages."""
        return len(self.syllables) == 1 and len(pinyin.split(self.syllables[0])) == 1


QUOTED = re.compile('"([^"]+)"|“([^”]+)”|「([^」]+)」|『([^』]+)』')


def normal(text: str) -> str:
    """The text in its compatible form (full width → half) with simplified characters."""
    plain = unicodedata.normalize("NFKC", text)
    return plain if plain.isascii() else plain.translate(simplified())


@lru_cache(maxsize=1)
def simplified() -> dict[int, int]:
    """Traditional character → simplified one, for str.translate; no text changes its length."""
    file = Path(__file__).parent / "data" / "traditional.txt"
    lines = file.read_text("utf-8").splitlines()
    pairs_ = (pair for line in lines if not line.startswith("#") for pair in line.split())
    return {ord(pair[0]): ord(pair[1]) for pair in pairs_}


def terms_of(text: str) -> Iterator[str]:
    """All terms under which a text is indexed, in order."""
    for chunk in CHUNK.findall(normal(text)):
        if is_cjk(chunk):
            yield from pairs(chunk)
        else:
            yield from _terms_of_word(chunk)


def singles_of(text: str) -> set[str]:
    """The CJK characters of a text, each once."""
    found: set[str] = set()
    for chunk in CHUNK.findall(normal(text)):
        if is_cjk(chunk):
            found.update(chunk)
    return found


def runs_of(text: str) -> list[str]:
    """The runs of CJK characters of a text, simplified."""
    if text.isascii():
        return []
    return [chunk for chunk in CHUNK.findall(normal(text)) if is_cjk(chunk)]


def units_of(text: str) -> tuple[Unit, ...]:
    """What a query asks for, each unit once, in order."""
    return _units_of(text, _SYNONYMS[0])


def plain_units_of(text: str) -> tuple[Unit, ...]:
    """The same without synonyms."""
    return _units_of(text, _NO_SYNONYMS)


_NO_SYNONYMS = synonyms.Synonyms()
_SYNONYMS = [_NO_SYNONYMS]
"""Those of the portal: one list for a process, as the file is."""


def use_synonyms(known: synonyms.Synonyms) -> None:
    """Understand these words from now on."""
    _SYNONYMS[0] = known


def _units_of(text: str, known: synonyms.Synonyms) -> tuple[Unit, ...]:
    units: dict[Unit, None] = {}
    plain = normal(text)
    at = 0
    for quoted in QUOTED.finditer(plain):
        units.update(dict.fromkeys(_units_of_words(plain[at : quoted.start()], known)))
        units.update(dict.fromkeys(_units_of_phrase(next(filter(None, quoted.groups())))))
        at = quoted.end()
    units.update(dict.fromkeys(_units_of_words(plain[at:], known)))
    return tuple(units)


def _units_of_phrase(text: str) -> Iterator[Unit]:
    terms = tuple(terms_of(text))
    if len(terms) > 1:
        yield Unit((terms,), phrase=True)
    else:
        yield from _units_of_words(text, _NO_SYNONYMS)


def _units_of_words(text: str, known: synonyms.Synonyms) -> Iterator[Unit]:
    chunks = CHUNK.findall(text)
    at = 0
    while at < len(chunks):
        chunk = chunks[at]
        if is_cjk(chunk):
            yield from _units_of_run(chunk, known)
            at += 1
        else:
            taken, others = _synonyms_at(chunks, at, known)
            yield from _units_of_latin(chunks[at : at + taken], others)
            at += taken


MOST_JOINED = 3
"""Words of the longest latin synonym (`consumer price index`)."""


def _synonyms_at(
    chunks: list[str], at: int, known: synonyms.Synonyms
) -> tuple[int, tuple[str, ...]]:
    """How many latin words from here on are one word of the synonyms, and its others."""
    for count in range(MOST_JOINED, 0, -1):
        others = known.others.get(synonyms.key(" ".join(chunks[at : at + count])))
        if others:
            return count, others
    return 1, ()


def _units_of_latin(chunks: list[str], others: tuple[str, ...]) -> Iterator[Unit]:
    if len(chunks) == 1:
        yield replace(_unit_of_word(chunks[0]), others=_ways_of(others))
    else:
        way = tuple(dict.fromkeys(term for chunk in chunks for term in terms_of(chunk)))
        yield Unit((way,), others=_ways_of(others))


def _units_of_run(run: str, known: synonyms.Synonyms) -> Iterator[Unit]:
    """The pairs of a run; the words in it that have synonyms are units of their own."""
    start = at = 0
    while at < len(run):
        word, others = _word_at(run, at, known)
        if others:
            if at > start:
                yield from _units_of_cjk(run[start:at])
            yield Unit((tuple(pairs(word)),), others=_ways_of(others))
            at += len(word)
            start = at
        else:
            at += 1
    if start < len(run):
        yield from _units_of_cjk(run[start:])


def _word_at(run: str, at: int, known: synonyms.Synonyms) -> tuple[str, tuple[str, ...]]:
    """The longest word of the synonyms that begins here, with its others."""
    for length in range(min(known.longest, len(run) - at), 1, -1):
        others = known.others.get(run[at : at + length])
        if others:
            return run[at : at + length], others
    return "", ()


@lru_cache(maxsize=5_000)
def _ways_of(words: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    ways = (tuple(dict.fromkeys(terms_of(word))) for word in words)
    return tuple(way for way in ways if way)


def normal_title(text: str) -> str:
    """A title for comparing whole titles: folded words joined by single blanks."""
    chunks = CHUNK.findall(normal(text))
    words = (word for chunk in chunks for word in WORD.findall(chunk))
    return " ".join(folded(word) for word in words)[:200]


def pairs(run: str) -> list[str]:
    """The overlapping pairs of a run of CJK characters; none for a lone one."""
    return [run[at : at + 2] for at in range(len(run) - 1)]


def is_cjk(chunk: str) -> bool:
    """Whether a chunk is a run of CJK characters."""
    return not chunk.isascii() and bool(_CJK_START.match(chunk))


_CJK_START = re.compile(f"[{CJK}]")
_RUN_OR_REST = re.compile(f"[{CJK}]+|[^{CJK}]+")


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
    parts = (_spelled(match.group()) for match in _RUN_OR_REST.finditer(text))
    return " ".join(part for part in parts if part)


def _spelled(part: str) -> str:
    if _CJK_START.match(part):
        return " ".join(pinyin.syllables_of(part.translate(simplified())))
    return part.strip()


def sort_key(title: str) -> str:
    """Titles in the order of their sort keys are in alphabetical order, Chinese by its pinyin."""
    return " ".join(folded(word) for word in WORD.findall(spelled(title)))[:200]


def spelled_ways(title: str) -> tuple[str, ...]:
    """A title that has Chinese as one word of pinyin, and as its initials; none of another title."""
    if not runs_of(title):
        return ()
    words = [folded(word) for word in spelled(title).split()]
    ways = ("".join(words), "".join(word if word.isdigit() else word[:1] for word in words))
    return tuple(way[:LONGEST_SPELLED] for way in ways)


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
    joined = folded("".join(words))
    syllables = () if any(map(str.isdigit, joined)) else pinyin.split(pinyin.typed(chunk))
    initials = joined if len(words) == 1 and pinyin.may_be_initials(joined) else ""
    parts = tuple(dict.fromkeys(term_of(word) for word in words))
    whole = (term_of("".join(words)),)
    return Unit(
        (whole,) if len(words) == 1 else (whole, parts),
        syllables=_neighbours(syllables) if len(syllables) > 1 else syllables,
        initials=tuple(initials[at : at + 2] for at in range(len(initials) - 1)),
    )


def _neighbours(syllables: tuple[str, ...]) -> tuple[str, ...]:
    """Each two syllables next to each other as one term, each once."""
    return tuple(dict.fromkeys(a + b for a, b in pairwise(syllables)))


def _units_of_cjk(run: str) -> Iterator[Unit]:
    if len(run) == 1:
        yield Unit(((run,),), single=True)
    for pair in pairs(run):
        yield Unit(((pair,),))
