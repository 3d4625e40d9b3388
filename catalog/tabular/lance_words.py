"""Texts inside texts: what an index of pairs of letters finds, and what few different values tell at once.

Chinese has no spaces, so texts are indexed by overlapping pairs of letters. A longer text is looked for by its
pairs, all of which must be there, and what was found is then compared for certain. Columns of few different
values need no such index: the values that hold the text are listed, and their bitmaps answer.

Texts in languages with spaces are indexed by their words, all forms of a word being asked for together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from lance.query import BooleanQuery, MatchQuery, Occur

from catalog.models.vocabulary import ColumnType
from catalog.tabular.bound import Bound, Every, OneOf, Settled, Some, Test
from catalog.tabular.query import Op
from catalog.tabular.words import WORDS, common_beginning, in_python

MOST_LISTED = 1_000
CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{2,}")
"""Letters of which the index's pairs are certain: they have no small forms, and nothing is cut off from them."""
PLAIN = re.compile("[a-z0-9]{2,}")
"""Words of which the indexes know the small forms for certain."""
SUFFIX = "_words"
"""Ends the name of an index of pairs of letters."""
TERMS = "_terms"
"""Ends the name of an index of words."""
FEW_IDS = 1_000
"""Reading and comparing so few texts takes less than asking the index again."""
MOST_TOGETHER = 2_000_000
TRIED = 2_000
FIRST_SIGNS = 1_000

Ids = npt.NDArray[np.uint64]
_HOLDS: dict[Op, Callable[[str, str], bool]] = {
    Op.EQ: str.__eq__,
    Op.CONTAINS: lambda text, part: part in text,
    Op.ICONTAINS: lambda text, part: part.lower() in text.lower(),
    Op.STARTS: str.startswith,
    Op.ENDS: str.endswith,
}


def _allowed(signs: str) -> npt.NDArray[np.bool_]:
    return np.isin(np.arange(256), list(signs.encode()))


_CODES: dict[Callable[[str], str], npt.NDArray[np.bool_]] = {
    str.upper: _allowed(digits + ascii_uppercase),
    str.lower: _allowed(digits + ascii_lowercase),
}

NOTHING = Some(())
"""No row satisfies one of no parts."""


@dataclass(frozen=True)
class TextFacts:
    """What a column of texts holds: all its values if they are few, else whether they are plain ASCII, or codes."""

    values: tuple[str, ...] | None
    ascii: bool
    case: Callable[[str], str] | None = None
    """Of codes, which are one word of digits and of either large or small letters, how a word is written there."""

    @property
    def nbytes(self) -> int:
        """Its size in memory."""
        return 200 + sum(len(value) * 2 + 60 for value in self.values or ())


def facts_of(values: pa.ChunkedArray, few: int) -> TextFacts:
    """What is in the column; its values are listed if there are at most so many."""
    plain = all(_is_ascii(chunk) for chunk in values.chunks)
    if pc.count_distinct(values[: 2 * few + 1]).as_py() > few:
        return TextFacts(None, plain, _case_of(values) if plain else None)
    found = pc.unique(values)
    if len(found) > few + 1:  # null is a value too
        return TextFacts(None, plain, _case_of(values) if plain else None)
    return TextFacts(tuple(value for value in found.to_pylist() if value is not None), plain)


def _is_ascii(chunk: pa.Array) -> bool:
    signs = _signs(chunk)
    return not len(signs) or int(signs.max()) < 128


def _signs(chunk: pa.Array) -> npt.NDArray[np.uint8]:
    """All bytes of the texts."""
    _, bounds, data = chunk.buffers()
    if data is None or not len(chunk):
        return np.zeros(0, np.uint8)
    ends = np.frombuffer(bounds, np.int32, len(chunk) + 1, chunk.offset * 4)
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]


def _case_of(values: pa.ChunkedArray) -> Callable[[str], str] | None:
    """How letters are written, if all texts are codes."""
    for case, signs in _CODES.items():
        if all(_are_only(_signs(chunk), signs) for chunk in values.chunks):
            return case
    return None


def _are_only(signs: npt.NDArray[np.uint8], allowed: npt.NDArray[np.bool_]) -> bool:
    """Whether there are no other signs; most columns have others soon."""
    return bool(allowed[signs[:FIRST_SIGNS]].all() and allowed[signs].all())


def narrowed(bound: Bound, facts: Callable[[str], TextFacts | None]) -> Bound:
    """The same condition with tests of texts settled or listed where what is known of a column allows it."""
    match bound:
        case Every(parts):
            found = tuple(narrowed(part, facts) for part in parts)
            return NOTHING if any(map(is_nothing, found)) else Every(found)
        case Some(parts):
            found = tuple(narrowed(part, facts) for part in parts)
            return Some(tuple(part for part in found if not is_nothing(part)))
        case Test(column, op, str() as value) if op in WORDS:
            known = facts(column.stored) if column.type is ColumnType.STRING else None
            return bound if known is None else _with_word(bound, value, known)
        case Test(column, op, str() as value) if op in _HOLDS and op is not Op.EQ:
            known = facts(column.stored) if column.type is ColumnType.STRING else None
            return bound if known is None else _settled(bound, value, known)
    return bound


def is_nothing(bound: Bound) -> bool:
    """Whether no row can satisfy it; this may be asked of parts that stand under no negation."""
    return bound == NOTHING or (isinstance(bound, Settled) and not bound.holds)


def _settled(test: Test, value: str, known: TextFacts) -> Bound:
    if known.ascii and not value.lower().isascii():
        return Settled(test.column, holds=False)
    if known.values is None:
        return test
    holds = _HOLDS[test.op]
    found = tuple(text for text in known.values if holds(text, value))
    if len(found) > MOST_LISTED:
        return test
    return OneOf(test.column, found) if found else Settled(test.column, holds=False)


def _with_word(test: Test, pattern: str, known: TextFacts) -> Bound:
    """The values that have the word, where all values of the column are known, or are single words."""
    if known.case is not None and test.op is Op.PHRASE:
        return Settled(test.column, holds=False)
    if known.case is not None and terms_of(test):
        return OneOf(test.column, tuple(map(known.case, test.words[0])))
    if known.values is None:
        return test
    has = in_python(pattern).search
    found = tuple(text for text in known.values if has(text))
    if len(found) > MOST_LISTED:
        return test
    return OneOf(test.column, found) if found else Settled(test.column, holds=False)


def pairs_of(test: Test) -> list[str]:
    """The pairs of letters that a text must have to satisfy the test."""
    if not isinstance(test.value, str):
        return []
    if test.op in WORDS:
        runs = PLAIN.findall(" ".join(map(common_beginning, _plain_words(test))))
    else:
        runs = CHINESE.findall(test.value) if test.op in _HOLDS else []
    return list(dict.fromkeys(run[at : at + 2] for run in runs for at in range(len(run) - 1)))


def terms_of(test: Test) -> list[tuple[str, ...]]:
    """The words that a text must have to satisfy the test, in all their forms."""
    return [] if test.op is Op.WORD_STARTS else _plain_words(test)


def _plain_words(test: Test) -> list[tuple[str, ...]]:
    return [forms for forms in test.words if all(map(PLAIN.fullmatch, forms))]


def is_certain(test: Test, *, by_words: bool) -> bool:
    """Whether the index alone answers: the text is one word that is no number, or one pair of letters anywhere."""
    if by_words:
        return test.op in (Op.WORD, Op.STEM) and not test.words[0][0][0].isdigit()
    return [test.value] == pairs_of(test) and test.op in (Op.CONTAINS, Op.ICONTAINS)


def ids_with_terms(dataset: Any, test: Test) -> Ids:
    """Ids of the rows that have the words of the test, ascending."""
    words = [MatchQuery(" ".join(forms), test.column.stored) for forms in terms_of(test)]
    if len(words) == 1:
        return _found(dataset, words[0])
    return _found(dataset, BooleanQuery([(Occur.MUST, word) for word in words]))


def ids_with_pairs(dataset: Any, test: Test, rows: int) -> Ids:
    """Ids of the rows that have the pairs of the test, ascending; of so few that comparing is cheaper, some pairs.

    In a large copy each pair is asked for alone: asked together, Lance takes a tenth of a millisecond there for every
    row that it finds, fifty times as much as in a small one.
    """
    pairs = [MatchQuery(pair, test.column.stored) for pair in pairs_of(test)]
    if len(pairs) > 1 and rows <= MOST_TOGETHER:
        return _found(dataset, BooleanQuery([(Occur.MUST, pair) for pair in pairs]))
    ids = _found(dataset, pairs[0])
    for pair in pairs[1:]:
        if len(ids) <= FEW_IDS:
            break
        ids = np.intersect1d(ids, _found(dataset, pair), assume_unique=True)
    return ids


def _found(dataset: Any, query: MatchQuery | BooleanQuery) -> Ids:
    found = dataset.scanner(
        columns=["_rowid"],
        with_row_id=True,
        full_text_query=query,
        disable_scoring_autoprojection=True,
    ).to_table()
    return np.sort(found["_rowid"].to_numpy())


def satisfying(values: pa.ChunkedArray, test: Test) -> npt.NDArray[np.bool_]:
    """Which of the texts satisfy the test."""
    value = str(test.value)
    match test.op:
        case Op.EQ:
            found = pc.equal(values, value)
        case Op.CONTAINS:
            found = pc.match_substring(values, value)
        case Op.STARTS:
            found = pc.starts_with(values, value)
        case Op.ENDS:
            found = pc.ends_with(values, value)
        case op if op in WORDS:
            found = pc.match_substring_regex(values, value)
        case _:
            found = pc.match_substring(pc.utf8_lower(values), value.lower())
    flags: npt.NDArray[np.bool_] = found.fill_null(False).to_numpy().astype(bool)  # noqa: FBT003 # no flag
    return flags
