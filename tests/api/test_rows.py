"""Rows as JSON: every type as the API promises it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rows import plain, rows_json
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import columns_of

NAMES = {"text": ColumnType.STRING, "编号": ColumnType.INTEGER, "PM2.5": ColumnType.NUMBER}


def written(data: pa.Table, types: list[ColumnType], *, arrays: bool = False) -> Any:
    columns = columns_of(data.column_names, types)
    return orjson.loads(orjson.dumps(rows_json(data, columns, arrays=arrays)))


def test_rows_are_objects_or_arrays() -> None:
    data = pa.table({"text": ["河", None], "编号": [2**62, None], "PM2.5": [1.5, None]})
    types = list(NAMES.values())
    assert written(data, types) == [
        {"text": "河", "编号": 2**62, "PM2.5": 1.5},
        {"text": None, "编号": None, "PM2.5": None},
    ]
    assert written(data, types, arrays=True) == [["河", 2**62, 1.5], [None, None, None]]


def test_dates_and_moments_are_iso_texts() -> None:
    data = pa.table(
        {
            "day": pa.array([date(2024, 2, 29), None, date(1, 1, 1)], pa.date32()),
            "at": pa.array(["2024-02-29 08:30", None, "9999-12-31"]).cast(pa.timestamp("us")),
        }
    )
    assert written(data, [ColumnType.DATE, ColumnType.DATETIME], arrays=True) == [
        ["2024-02-29", "2024-02-29T08:30:00"],
        [None, None],
        ["0001-01-01", "9999-12-31T00:00:00"],
    ]


def test_years_beyond_the_calendar_of_python_are_texts_too() -> None:
    data = pa.table({"day": pa.array([4_000_000, None], pa.int32()).cast(pa.date32())})
    assert written(data, [ColumnType.DATE], arrays=True) == [["12921-08-18"], [None]]


def test_nanoseconds_are_cut_to_microseconds() -> None:
    data = pa.table({"at": pa.array([1_700_000_000_123_456_789], pa.timestamp("ns"))})
    assert written(data, [ColumnType.DATETIME], arrays=True) == [["2023-11-14T22:13:20.123456"]]


def test_a_shape_is_an_object_and_what_is_none_stays_a_text() -> None:
    shapes = ['{"type":"Point","coordinates":[121.47,31.23]}', None, "POINT (1 2)"]
    data = pa.table({"shape": shapes})
    assert written(data, [ColumnType.GEOMETRY], arrays=True) == [
        [{"type": "Point", "coordinates": [121.47, 31.23]}],
        [None],
        ["POINT (1 2)"],
    ]


def test_numbers_that_json_does_not_know_are_null() -> None:
    data = pa.table({"PM2.5": [float("nan"), float("inf"), -0.0]})
    assert written(data, [ColumnType.NUMBER], arrays=True) == [[None], [None], [-0.0]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal(12), b"12"),
        (Decimal("12.50"), b"12.50"),
        (Decimal(2**70), str(2**70).encode()),
        (b"x", b"\"b'x'\""),
    ],
)
def test_wide_numbers_keep_all_their_digits(value: object, text: bytes) -> None:
    assert orjson.dumps(value, default=plain) == text


def test_no_rows_and_no_columns_are_written() -> None:
    assert written(pa.table({"a": pa.array([], pa.string())}), [ColumnType.STRING]) == []
    assert written(pa.table({}), []) == []


@given(st.lists(st.text() | st.none(), max_size=20))
def test_any_text_comes_back(values: list[str | None]) -> None:
    data = pa.table({"a": pa.array(values, pa.string())})
    assert written(data, [ColumnType.STRING], arrays=True) == [[value] for value in values]
