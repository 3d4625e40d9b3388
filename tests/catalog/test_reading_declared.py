"""Texts read as their declared type: exact values, and a reason for every text that is none."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import Invalid
from catalog.tabular.reading.declared import plain_number, reader_of
from catalog.tabular.reasons import SENTENCES, Reason
from catalog.tabular.table_schema import Field, read_schema
from tests.make_reading import kept_in, read_text, rows_of, types_of

GROUPED = Field("x", "number", group=",")
BARE = Field("x", "number", group=",", bare=False)
PERCENT = Field("x", "number", percent=True)
GERMAN = Field("x", "number", group=".", decimal=",")
N, OK = Reason.NOTATION, Reason.FINE


@pytest.mark.parametrize(
    ("field", "text", "value", "reason"),
    [
        ("number", "1.5", 1.5, OK),
        ("number", "1.50", 1.5, N),
        ("number", "-0", -0.0, OK),
        ("number", "1e5", 100000.0, N),
        ("number", "１２．５", 12.5, N),
        ("number", "1,5", None, Reason.NUMBER),
        ("number", "<10", None, Reason.BOUND),
        ("number", "约10", None, Reason.BOUND),
        ("number", "10以上", None, Reason.BOUND),
        ("number", "-", None, Reason.MARK),
        ("number", "暂无", None, Reason.MARK),
        ("number", "0.12345678901234567890", None, Reason.PRECISION),
        ("number", "1e400", None, Reason.PRECISION),
        ("number", "5万", None, Reason.NUMBER),
        ("number", "9" * 500, None, Reason.NUMBER),
        (GROUPED, "1,234,567.8", 1234567.8, N),
        (GROUPED, "1,2345", 12345.0, N),
        (GROUPED, "1,23", None, Reason.NUMBER),
        (GROUPED, "12345", 12345.0, OK),
        (GERMAN, "1.234,5", 1234.5, N),
        (GERMAN, "1.5", None, Reason.NUMBER),
        (GERMAN, "12", 12.0, OK),
        (PERCENT, "12.5%", 0.125, N),
        (PERCENT, "3‰", 0.003, N),
        (PERCENT, "0.5", 0.5, OK),
        (BARE, "¥1,234.50元", 1234.5, N),
        (BARE, "3.2亿元", 320000000.0, N),
        (BARE, "-5万元", -50000.0, N),
        (BARE, "1.5千万", 15000000.0, N),
        (BARE, "12千克", 12.0, N),
        (BARE, "95%", 95.0, N),
        (BARE, "<10元", None, Reason.BOUND),
        (BARE, "(1,234)", None, Reason.NUMBER),
        (BARE, "万元5", None, Reason.NUMBER),
        (BARE, "10-20元", None, Reason.NUMBER),
        (BARE, "元", None, Reason.NUMBER),
        ("integer", "007", 7, N),
        ("integer", "12", 12, OK),
        ("integer", "12.0", 12, N),
        ("integer", "12.5", None, Reason.INTEGER),
        ("integer", "x", None, Reason.INTEGER),
        ("integer", "110101199003074477", 110101199003074477, OK),
        ("integer", "9223372036854775808", None, Reason.RANGE),
        ("integer", "1e999", None, Reason.RANGE),
        ("year", "2020", 2020, OK),
        ("year", "2020年", 2020, N),
        ("year", "x", None, Reason.YEAR),
        ("boolean", "true", True, OK),
        ("boolean", "0", False, N),
        ("boolean", "maybe", None, Reason.BOOLEAN),
        ("boolean", "-", None, Reason.MARK),
        (Field("x", "boolean", true=("是",), false=("否",)), "否", False, N),
        ("date", "2020-02-29", date(2020, 2, 29), OK),
        ("date", "2020年1月3日", date(2020, 1, 3), N),
        ("date", "2020/1/3", date(2020, 1, 3), N),
        ("date", "2020.1.3", date(2020, 1, 3), N),
        ("date", "20200103", date(2020, 1, 3), N),
        ("date", "2020-01-03T00:00:00", date(2020, 1, 3), N),
        ("date", "2021-02-29", None, Reason.DATE),
        ("date", "2020-01", None, Reason.PARTIAL),
        ("date", "2020年1月", None, Reason.PARTIAL),
        ("date", "2020", None, Reason.PARTIAL),
        ("date", "3/1/2020", None, Reason.DATE),
        (Field("x", "date", "%d/%m/%Y"), "3/1/2020", date(2020, 1, 3), N),
        (Field("x", "date", "%d/%m/%Y"), "2020-01-03", None, Reason.DATE),
        ("yearmonth", "2020-01", "2020-01", OK),
        ("yearmonth", "2020年1月", "2020-01", N),
        ("yearmonth", "202001", "2020-01", N),
        ("yearmonth", "2020-13", None, Reason.MONTH),
        ("yearmonth", "x", None, Reason.MONTH),
        ("datetime", "2020-01-02T03:04:05", datetime(2020, 1, 2, 3, 4, 5), OK),
        ("datetime", "2020-01-02 03:04:05", datetime(2020, 1, 2, 3, 4, 5), OK),
        ("datetime", "2020-01-02 03:04", datetime(2020, 1, 2, 3, 4), N),
        ("datetime", "2020年1月2日 3时4分", datetime(2020, 1, 2, 3, 4), N),
        ("datetime", "2020-01-02T03:04:05+08:00", datetime(2020, 1, 1, 19, 4, 5), N),
        ("datetime", "2020-01-02T03:04:05Z", datetime(2020, 1, 2, 3, 4, 5), N),
        ("datetime", "2020-01-02", datetime(2020, 1, 2), N),
        ("datetime", "2020-01-02 25:00", None, Reason.DATETIME),
        ("datetime", "2020-01-02T03:04:05+99:00", None, Reason.DATETIME),
        ("datetime", "2020-13-02 03:04", None, Reason.DATETIME),
        ("datetime", "2020-01", None, Reason.PARTIAL),
        (Field("x", "datetime", "%d.%m.%Y %H:%M"), "2.1.2020 3:04", datetime(2020, 1, 2, 3, 4), N),
        ("time", "3:04", "03:04:00", N),
        ("time", "03:04:05", "03:04:05", OK),
        ("time", "25:00", None, Reason.TIME),
        ("time", "x", None, Reason.TIME),
        (Field("x", "time", "%Hh%M"), "3h04", "03:04:00", N),
        ("duration", "P1Y2M3DT4H", "P1Y2M3DT4H", OK),
        ("duration", "1 year", None, Reason.DURATION),
        ("geojson", '{"type":"Point","coordinates":[1,2]}', '{"type":"Point","coordinates":[1,2]}', OK),
        ("geojson", "{}", None, Reason.GEOJSON),
        ("geojson", "POINT (1 2)", None, Reason.GEOJSON),
        ("geopoint", "116.4, 39.9", "116.4, 39.9", OK),
        ("geopoint", "200,1", None, Reason.GEOPOINT),
        ("geopoint", "x", None, Reason.GEOPOINT),
        ("object", '{"a":1}', '{"a":1}', OK),
        ("object", "[]", None, Reason.OBJECT),
        ("array", "[1]", "[1]", OK),
        ("array", "x", None, Reason.ARRAY),
        ("list", "a,b", "a,b", OK),
        ("string", " 007 ", " 007 ", OK),
        (Field("x", "string", "email"), "a@b.cn", "a@b.cn", OK),
        (Field("x", "string", "email"), "a.b.cn", "a.b.cn", Reason.FORMAT),
        (Field("x", "string", "uri"), "https://a.cn/b", "https://a.cn/b", OK),
        (Field("x", "string", "uuid"), "x", "x", Reason.FORMAT),
    ],
)  # fmt: skip
def test_a_text_has_one_value_or_one_reason(
    field: str | Field, text: str, value: object, reason: Reason
) -> None:
    read = reader_of(Field("x", field) if isinstance(field, str) else field)(text)
    assert (read.value, read.reason) == (value, reason)


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason) - {Reason.FINE}


@settings(deadline=None, max_examples=300)
@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9
    )
)
def test_a_number_in_any_dress_is_the_same_number(number: Decimal) -> None:
    grouped = f"{number:,}"
    german = grouped.translate(str.maketrans(",.", ".,"))
    for field, text in ((GROUPED, grouped), (GERMAN, german), (BARE, f"{grouped}元")):
        found = reader_of(field)(text)
        assert found.reason in (Reason.FINE, Reason.NOTATION)
        assert Decimal(repr(found.value)) == number
    percent = reader_of(PERCENT)(f"{number}%").value
    assert isinstance(percent, float)
    assert Decimal(repr(percent)) == number / 100


@settings(deadline=None, max_examples=300)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_written_plainly_reads_back(value: float) -> None:
    text = plain_number(value)
    assert float(text) == value
    assert "e" not in text.lower()


@settings(deadline=None, max_examples=300)
@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_day_in_any_dress_is_the_same_day(day: date) -> None:
    read = reader_of(Field("x", "date"))
    for text in (
        day.isoformat(),
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}/{day.month}/{day.day}",
        f"{day:%Y%m%d}",
    ):
        assert read(text).value == day


@settings(deadline=None, max_examples=500)
@given(st.text(max_size=30), st.sampled_from(["integer", "number", "date", "datetime", "yearmonth",
    "year", "time", "boolean", "geojson", "geopoint", "object", "array", "duration"]))  # fmt: skip
def test_no_text_raises_and_every_one_without_a_value_has_a_reason(text: str, kind: str) -> None:
    for field in (Field("x", kind), Field("x", kind, bare=False, group=",", percent=True)):
        read = reader_of(field)(text)
        assert (read.value is None) == (read.reason not in (Reason.FINE, Reason.NOTATION))


def test_usual_and_unusual_texts_of_one_column_agree(tmp_path: Path) -> None:
    """Usual texts are cast together, the others are read one by one."""
    texts = ["0", "-1", "12", "007", "1.5", "2.50", "-0", "1e3", "<3", "", "NA", "123456789012345"]
    table = read_text(tmp_path, "n,k\n" + "".join(f"{text},x\n" for text in texts),
        schema=read_schema({"fields": [{"name": "n", "type": "number"}]}))  # fmt: skip
    assert [row[0] for row in rows_of(table)] == [
        0.0, -1.0, 12.0, 7.0, 1.5, 2.5, 0.0, 1000.0, None, None, None, 123456789012345.0,
    ]  # fmt: skip
    assert kept_in(table) == [
        (3, "n", "007", "notation"),
        (5, "n", "2.50", "notation"),
        (7, "n", "1e3", "notation"),
        (8, "n", "<3", "bound"),
        (10, "n", "NA", "missing"),
    ]


CONSTRAINTS: dict[str, Any] = {
    "fields": [
        {"name": "n", "type": "integer", "constraints": {"minimum": 1, "maximum": "9", "enum": [1, 5, 11]}},
        {"name": "d", "type": "date", "constraints": {"minimum": "2020-01-01"}},
        {"name": "t", "constraints": {"minLength": 2, "maxLength": 3, "pattern": "[a-z]+", "required": True}},
        {"name": "u", "constraints": {"unique": True}},
    ]
}  # fmt: skip


def test_values_that_break_a_constraint_stay_and_are_listed(tmp_path: Path) -> None:
    rows = "5,2020-01-01,ab,p\n11,2019-12-31,a,q\n0,2020-02-02,abcd,p\n7,2020-02-02,A1,r\n1,2020-02-02,,p\n"
    table = read_text(tmp_path, f"n,d,t,u\n{rows}", schema=read_schema(CONSTRAINTS))
    assert [row[0] for row in rows_of(table)] == [5, 11, 0, 7, 1]
    assert sorted(kept_in(table), key=lambda cell: (cell[0], "ndtu".index(cell[1]))) == [
        (1, "n", "11", "maximum"),
        (1, "d", "2019-12-31", "minimum"),
        (1, "t", "a", "minLength"),
        (2, "n", "0", "minimum"),
        (2, "t", "abcd", "maxLength"),
        (2, "u", "p", "unique"),
        (3, "n", "7", "enum"),
        (3, "t", "A1", "pattern"),
        (4, "t", "", "required"),
        (4, "u", "p", "unique"),
    ]
    assert table.kept_cells == 10


def test_a_limit_that_is_no_value_of_the_column_is_refused(tmp_path: Path) -> None:
    schema = read_schema(
        {"fields": [{"name": "d", "type": "date", "constraints": {"minimum": "x"}}]}
    )
    with pytest.raises(Invalid, match="minimum of the column d"):
        read_text(tmp_path, "d,k\n2020-01-01,x\n", schema=schema)


def test_missing_values_of_the_dictionary_hold_for_texts_too(tmp_path: Path) -> None:
    schema = read_schema(
        {
            "fields": [{"name": "t", "type": "string"}, {"name": "u", "missingValues": ["?"]}],
            "missingValues": ["-", {"value": "..", "label": "not known"}],
        }
    )
    table = read_text(tmp_path, "t,u\n-,-\n..,?\nx,y\n", schema=schema)
    assert rows_of(table) == [(None, "-"), (None, None), ("x", "y")]
    assert kept_in(table) == [
        (0, "t", "-", "missing"),
        (1, "t", "..", "missing"),
        (1, "u", "?", "missing"),
    ]


def test_without_a_declaration_texts_that_were_let_go_are_kept_too(tmp_path: Path) -> None:
    table = read_text(tmp_path, "n,m\n1,1.10\nNA,1.5\n3,.5\n")
    assert types_of(table) == {"n": "integer", "m": "number"}
    assert kept_in(table) == [
        (0, "m", "1.10", "notation"),
        (1, "n", "NA", "missing"),
        (2, "m", ".5", "notation"),
    ]
    assert table.kept_cells == 0
