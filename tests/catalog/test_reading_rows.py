"""Rows of databases and interfaces."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from catalog.errors import Unreadable
from catalog.models.vocabulary import ColumnType
from catalog.tabular.reading import ReadOptions, read_rows
from tests.make_reading import kept_in, names_of, rows_of, types_of

MOMENT = datetime(2020, 1, 2, 3, 4, 5)  # databases give moments without a zone


def test_values_of_a_database_keep_their_types(tmp_path: Path) -> None:
    rows = [
        {
            "id": 7, "code": "007", "digits": "12", "d": date(2020, 1, 2), "t": MOMENT, "price": Decimal("12.50"),
            "whole": Decimal(5), "x": float("nan"), "blob": b"\x00\xff", "clock": time(8), "b": True,
            "uuid": UUID(int=1), "zoned": MOMENT.replace(tzinfo=UTC), "view": memoryview(b"\x01"), "none": None,
        },
        {"id": 8, "code": "", "x": 0.1, "price": Decimal("NaN"), "b": False, "d": date(2020, 1, 3)},
    ]  # fmt: skip
    table = read_rows(rows, ReadOptions(), tmp_path, key="区划")
    assert table.key == "区划"
    assert types_of(table) == {
        "id": "integer", "code": "string", "digits": "string", "d": "date", "t": "datetime", "price": "number",
        "whole": "integer", "x": "number", "blob": "string", "clock": "string", "b": "boolean", "uuid": "string",
        "zoned": "string", "view": "string", "none": "string",
    }  # fmt: skip
    assert rows_of(table)[0] == (
        7, "007", "12", date(2020, 1, 2), MOMENT, 12.5, 5, None, "00ff", "08:00:00", True,
        "00000000-0000-0000-0000-000000000001", "2020-01-02T03:04:05+00:00", "01", None,
    )  # fmt: skip
    assert rows_of(table)[1][:2] == (8, None)


def test_columns_give_the_order_and_exist_without_rows(tmp_path: Path) -> None:
    table = read_rows(iter([]), ReadOptions(), tmp_path, columns=["b", "a"])
    assert (names_of(table), table.rows) == (["b", "a"], 0)
    table = read_rows([{"a": 1, "b": 2, "c": 3}], ReadOptions(), tmp_path, columns=["b", "a"])
    assert (names_of(table), rows_of(table)) == (["b", "a", "c"], [(2, 1, 3)])


def test_a_column_of_nothing_is_kept(tmp_path: Path) -> None:
    table = read_rows([{"column_1": None, "a": 1}], ReadOptions(), tmp_path)
    assert names_of(table) == ["column_1", "a"]


def test_numbers_that_a_double_would_change_stay_text(tmp_path: Path) -> None:
    rows = [
        {
            "a": Decimal("0.1234567890123456789"),
            "b": 2**70,
            "c": Decimal("Infinity"),
            "d": float("inf"),
        }
    ]
    table = read_rows(rows, ReadOptions(), tmp_path)
    assert rows_of(table) == [("0.1234567890123456789", str(2**70), "Infinity", "inf")]


def test_nested_values_become_compact_json(tmp_path: Path) -> None:
    nested = {
        "d": date(2020, 1, 2),
        "x": [1, Decimal("1.50"), float("nan"), None, True],
        3: "é",
        "t": (1,),
    }
    table = read_rows([{"a": nested, "b": [2**70, "x"]}], ReadOptions(), tmp_path)
    assert rows_of(table) == [
        (
            '{"d":"2020-01-02","x":[1,1.50,null,null,true],"3":"é","t":[1]}',
            '[1180591620717411303424,"x"]',
        )
    ]


def test_declared_types_hold_for_texts(tmp_path: Path) -> None:
    options = ReadOptions(types={"n": ColumnType.INTEGER, "x": ColumnType.NUMBER})
    table = read_rows([{"n": "12", "x": "1.5"}, {"n": "13", "x": "bad"}], options, tmp_path)
    assert rows_of(table) == [(12, 1.5), (13, None)]
    assert kept_in(table) == [(1, "x", "bad", "number")]


def test_many_rows_stream_through(tmp_path: Path) -> None:
    table = read_rows(
        ({"n": at, "t": "x" * 2_000} for at in range(25_000)), ReadOptions(), tmp_path
    )
    assert table.rows == 25_000
    assert rows_of(table)[24_999] == (24_999, "x" * 2_000)
    assert list(tmp_path.iterdir()) == [table.file]


def test_values_nested_without_end_are_refused(tmp_path: Path) -> None:
    value: list[object] = []
    for _ in range(3_000):
        value = [value]
    with pytest.raises(Unreadable, match="nested too deeply"):
        read_rows([{"a": value}], ReadOptions(), tmp_path)
