"""Masked values say no more than the characters that the mask leaves, and never how long they are."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.masking import HIDDEN, LEAST_HIDDEN, hide, shown

OPEN = Column("open", "c0", ColumnType.STRING)


def masked(first: int = 0, last: int = 0, type_: ColumnType = ColumnType.STRING) -> Column:
    return Column("secret", "c1", type_, masked=True, left=(first, last))


def one(values: list[object], column: Column) -> list[object]:
    table = pa.table({"open": ["x"] * len(values), "secret": pa.array(values)})
    found: list[object] = hide(table, [OPEN, column])["secret"].to_pylist()
    return found


@given(text=st.text(max_size=20), first=st.integers(0, 5), last=st.integers(0, 5))
def test_only_the_ends_of_a_long_value_are_left(text: str, first: int, last: int) -> None:
    (found,) = one([text], masked(first, last))
    if len(text) < first + last + LEAST_HIDDEN:
        assert found == HIDDEN
    else:
        assert found == text[:first] + HIDDEN + (text[-last:] if last else "")


@pytest.mark.parametrize("values", [[1, 2], [1.5, None], [True, False], [date(2026, 1, 31), None]])
def test_values_of_any_type_are_hidden_and_nothing_stays_nothing(values: list[object]) -> None:
    assert one(values, masked()) == [None if value is None else HIDDEN for value in values]


def test_open_columns_and_batches_are_left_alone() -> None:
    batch = pa.record_batch({"open": ["a"], "secret": ["13955501234"]})
    columns = [OPEN, masked(3, 4, ColumnType.INTEGER)]
    assert hide(batch, columns).to_pylist() == [{"open": "a", "secret": "139***1234"}]
    assert [column.type for column in shown(columns)] == [ColumnType.STRING, ColumnType.STRING]
    assert hide(batch, [OPEN, OPEN]) is batch
