"""Marking in a text what a search has found, for every engine and without HTML.

A page of results marks some forty texts, so the query is compiled once to two expressions, which
find candidates in a lower-case copy of the text without accents and of the same length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from catalog.search.analysis import (
    LITTLE_WORDS,
    PIECE,
    Unit,
    folded,
    is_cjk,
    simplified,
    term_of,
    units_of,
)

Fragments = list[tuple[str, bool]]
Span = tuple[int, int]
ELLIPSIS = "…"


NO_WORD_BEFORE, NO_WORD_AFTER = r"(?<![^\W_])", r"(?![^\W_])"
SIGN = r"[-_./'’·&+]?"
"""What may stand inside a code: `pm25` is also found as `PM2.5`."""


@dataclass(frozen=True)
class _Wanted:
    """`pairs` finds Chinese; `words` finds a code (group `code`) or a word that may have a term."""

    terms: frozenset[str]
    pairs: re.Pattern[str] | None
    words: re.Pattern[str] | None


class _Plain(dict[int, int]):
    """For str.translate: each character as one lower-case character without its accent."""

    def __missing__(self, code: int) -> int:
        plain = folded(chr(simplified().get(code, code)))
        self[code] = ord(plain) if len(plain) == 1 else code
        return self[code]


_PLAIN = _Plain()


def highlight(text: str, query_text: str) -> Fragments:
    """The text in fragments, each with whether the search has found it; together they are the text."""
    wanted = _wanted(query_text)
    if wanted is None or not text:
        return [(text, False)] if text else []
    return _cut(text, _spans(text, wanted), 0, len(text))


def snippet(text: str, query_text: str, longest: int = 200) -> Fragments:
    """At most `longest` characters of a long text as one line, around the first thing found."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return highlight(line, query_text)
    wanted = _wanted(query_text)
    spans = _spans(line, wanted) if wanted else []
    start, end = _window(line, spans[0] if spans else (0, 0), longest)
    fragments = _cut(line, spans, start, end)
    if start:
        fragments.insert(0, (ELLIPSIS, False))
    if end < len(line):
        fragments.append((ELLIPSIS, False))
    return fragments


@lru_cache(maxsize=1000)
def _wanted(query_text: str) -> _Wanted | None:
    units = units_of(query_text)
    large = [unit for unit in units if unit.ways[0][0] not in LITTLE_WORDS]
    cjk: list[str] = []
    words: list[Unit] = []
    for unit in large or units:
        for way in (*unit.ways, *unit.others):
            cjk.extend(term for term in way if is_cjk(term))
        rest = tuple(way for way in unit.ways if not is_cjk(way[0]))
        others = tuple(way for way in unit.others if not is_cjk(way[0]))
        words.extend(Unit(ways) for ways in (rest, others) if ways)
    if not cjk and not words:
        return None
    terms = frozenset(term for unit in words for way in unit.ways for term in way)
    return _Wanted(terms, _pairs_pattern(cjk), _words_pattern(words))


def _pairs_pattern(terms: list[str]) -> re.Pattern[str] | None:
    """Looks ahead, so that pairs that overlap are all found."""
    options = [re.escape(term) for term in dict.fromkeys(terms)]
    return re.compile(f"(?=({'|'.join(options)}))") if options else None


def _words_pattern(units: list[Unit]) -> re.Pattern[str] | None:
    codes: list[str] = []
    beginnings: list[str] = []
    for unit in units:
        codes.extend(SIGN.join(map(re.escape, way)) for way in unit.ways if len(way) > 1)
        for term in {term for way in unit.ways for term in way}:
            if any(character.isdigit() for character in term):
                codes.append(SIGN.join(map(re.escape, term)))
            # `cities` has the term `city`: they share all but the last letter.
            beginnings.append(re.escape(term.removesuffix("y")))
    if not units:
        return None
    code = f"(?P<code>{_either(codes)}){NO_WORD_AFTER}|" if codes else ""
    return re.compile(rf"{NO_WORD_BEFORE}(?:{code}(?:{_either(beginnings)})[^\W_]*)")


def _either(options: Iterable[str]) -> str:
    return "|".join(sorted(set(options), key=lambda option: (-len(option), option)))


def _spans(text: str, wanted: _Wanted) -> list[Span]:
    """Where something wanted stands, in order; spans may touch or overlap."""
    plain = text.lower() if text.isascii() else text.translate(_PLAIN)
    spans: list[Span] = []
    if wanted.pairs is not None:
        spans.extend(match.span(1) for match in wanted.pairs.finditer(plain))
    if wanted.words is not None:
        for match in wanted.words.finditer(plain):
            start, end = match.span()
            if match.lastgroup == "code" or term_of(match.group()) in wanted.terms:
                spans.append((start, end))
            else:
                # `covid19` is also indexed as `covid`.
                piece = PIECE.match(text[start:end])
                if piece and term_of(piece.group()) in wanted.terms:
                    spans.append((start, start + piece.end()))
    return sorted(spans)


def _window(line: str, first: Span, longest: int) -> Span:
    """Where to cut: a quarter before the first thing found, between words where there are any."""
    start = max(0, min(first[0] - longest // 4, len(line) - longest))
    if start:
        blank = line.find(" ", start, min(start + 20, first[0]))
        start = blank + 1 if blank >= 0 else start
    end = min(len(line), start + longest)
    if end < len(line):
        blank = line.rfind(" ", end - 20, end)
        end = blank if blank > first[1] else end
    return start, end


def _cut(text: str, spans: list[Span], start: int, end: int) -> Fragments:
    """The fragments of a part of the text; spans that touch become one."""
    fragments: Fragments = []
    at = start
    for left, right in _merged(spans):
        left, right = max(left, start), min(right, end)  # the part may cut a span
        if left >= right:
            continue
        if left > at:
            fragments.append((text[at:left], False))
        fragments.append((text[left:right], True))
        at = right
    if at < end:
        fragments.append((text[at:end], False))
    return fragments


def _merged(spans: list[Span]) -> Iterator[Span]:
    if not spans:
        return
    left, right = spans[0]
    for start, end in spans[1:]:
        if start <= right:
            right = max(right, end)
        else:
            yield left, right
            left, right = start, end
    yield left, right
