"""Columns of values are converted as a whole, and come out as cell by cell."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import reduce
from operator import or_
from pathlib import Path

import pytest

from catalog.tabular.reading import ReadOptions, read_columns
from catalog.tabular.reading.cells import array_of, cell_of
from catalog.tabular.reading.chunk import Kind

AFAR = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    "values",
    [
        [1, None, -3, 2**63],
        [1, None, 3],
        [True, None, False],
        [0.5, None, 2.0, -0.0, 1e300, 121.47],
        [0.5, math.nan],
        [math.nan],
        [1, 2.5, None],
        [date(2024, 5, 31), None],
        [datetime(2024, 5, 31, 10, 11, 12), None],
        [datetime(2024, 5, 31, tzinfo=AFAR), datetime(2024, 5, 31, tzinfo=UTC)],
        [Decimal("12.50"), None, Decimal(7)],
        [Decimal("12.50")],
        [Decimal(7), None],
        [Decimal("1E+5"), Decimal("NaN")],
    ],
)
def test_a_column_is_what_its_cells_are(values: list[object]) -> None:
    array, kind = array_of(values, ())
    cells = [cell_of(value) for value in values]
    assert kind == reduce(or_, (kind for kind, _ in cells), Kind.NONE)
    for text, (of, expected) in zip(array.to_pylist(), cells, strict=True):
        assert (text is None) == (expected is None)
        if text is None or expected is None:
            continue
        if of is Kind.DATETIME:
            assert datetime.fromisoformat(text) == datetime.fromisoformat(expected)
        elif of in (Kind.NUMBER, Kind.INTEGER) and isinstance(values[0], int | float):
            assert float(text) == float(expected)
        else:
            assert text == expected


def test_batches_of_columns_become_a_table(tmp_path: Path) -> None:
    batches = [[(1, 2), ("a", None)], [(3,), ("b",)]]
    table = read_columns(batches, ReadOptions.from_json({}), tmp_path, columns=["id", "name"])
    assert (table.rows, [column.name for column in table.columns]) == (3, ["id", "name"])
    none = read_columns([], ReadOptions.from_json({}), tmp_path, columns=["id"])
    assert (none.rows, [column.name for column in none.columns]) == (0, ["id"])
