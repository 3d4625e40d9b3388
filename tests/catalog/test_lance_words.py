"""What is known of a column of codes settles a test for words without looking at its values again."""

from __future__ import annotations

import pyarrow as pa
import pytest

from catalog.models.vocabulary import ColumnType
from catalog.tabular.bound import Bound, OneOf, Settled, bind
from catalog.tabular.column import Column
from catalog.tabular.lance_words import TextFacts, facts_of, narrowed
from catalog.tabular.query import Compare, Op

CODE = Column("code", "c0", ColumnType.STRING)
LARGE = TextFacts(None, ascii=True, case=str.upper)


def narrow(op: Op, value: str, facts: TextFacts) -> Bound:
    return narrowed(bind(Compare("code", op, value), (CODE,)), {"c0": facts}.get)


@pytest.mark.parametrize(
    ("values", "case"),
    [
        (["A001", "B002", None], str.upper),
        (["9f3a", "00be"], str.lower),
        (["001", "002"], str.upper),
        (["A001", "b002"], None),
        (["A001", "B 02"], None),
        (["A" * 2_000, "B-02"], None),
        (["A001", "号"], None),
    ],
)
def test_codes_are_single_words_of_one_case(values: list[str | None], case: object) -> None:
    chunks = pa.chunked_array([values[:1], values[1:]], pa.string())
    assert facts_of(chunks, 1).case is case


def test_a_word_in_a_column_of_codes_is_looked_for_as_the_code_is_written() -> None:
    assert narrow(Op.WORD, "a001", LARGE) == OneOf(CODE, ("A001",))
    stems = narrow(Op.STEM, "books", LARGE)
    assert isinstance(stems, OneOf)
    assert {"BOOK", "BOOKS", "BOOKING"} <= set(stems.values)
    small = TextFacts(None, ascii=True, case=str.lower)
    assert narrow(Op.WORD, "9F3A", small) == OneOf(CODE, ("9f3a",))


def test_words_that_follow_each_other_are_in_no_code() -> None:
    assert narrow(Op.PHRASE, "a b", LARGE) == Settled(CODE, holds=False)


@pytest.mark.parametrize(
    ("op", "value"), [(Op.WORD_STARTS, "a0"), (Op.WORD, "b-1"), (Op.WORD, "é")]
)
def test_what_is_no_plain_word_is_looked_for_in_the_values(op: Op, value: str) -> None:
    assert narrow(op, value, LARGE) == bind(Compare("code", op, value), (CODE,))
