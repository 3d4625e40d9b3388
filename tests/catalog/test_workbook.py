"""Workbooks: exact values as other programs read them, a stream from the first row on, full sheets."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from catalog.errors import TooLarge
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.sheet_xml import LONGEST_CELL, column_letters
from catalog.tabular.workbook import MOST_CELLS, workbook_stream
from tests.catalog.test_export import FORMULAS, S, batch_of, texts
from tests.make_table import Row, make_columns

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
ALL = make_columns(
    s=ColumnType.STRING,
    i=ColumnType.INTEGER,
    n=ColumnType.NUMBER,
    b=ColumnType.BOOLEAN,
    d=ColumnType.DATE,
    t=ColumnType.DATETIME,
)


def workbook(columns: Sequence[Column], rows: Sequence[Row], **options: Any) -> CalamineWorkbook:
    batches = [batch_of(columns, rows)] if rows else []
    content = b"".join(workbook_stream(batches, columns, rows=len(rows), **options))
    return CalamineWorkbook.from_filelike(io.BytesIO(content))


def cells(columns: Sequence[Column], rows: Sequence[Row]) -> list[list[object]]:
    found: list[list[object]] = workbook(columns, rows).get_sheet_by_index(0).to_python()
    return found


def test_a_workbook_has_the_values() -> None:
    rows: list[Row] = [
        {
            "s": "007",
            "i": 5,
            "n": 0.1,
            "b": True,
            "d": date(2020, 2, 29),
            "t": datetime(2020, 2, 29, 12, 30, 1, 500_000),  # local time, as stored
        },
        dict.fromkeys("sinbdt"),
        {
            "s": "",
            "i": 2**63 - 1,
            "n": math.inf,
            "b": False,
            "d": date(1899, 1, 1),
            "t": datetime(1, 1, 1),  # as above
        },
    ]
    found = cells(ALL, rows)
    assert found[0] == ["s", "i", "n", "b", "d", "t"]
    assert found[1][:5] == ["007", 5.0, 0.1, True, date(2020, 2, 29)]
    assert isinstance(found[1][5], datetime)
    assert abs(found[1][5].replace(tzinfo=UTC).timestamp() - 1582979401.5) < 0.002
    assert found[2] == [""] * 6
    assert found[3] == ["", str(2**63 - 1), "", False, "1899-01-01", "0001-01-01T00:00:00"]


@pytest.mark.parametrize(
    "value", [*FORMULAS[:4], "{=1}", "https://example.org", "internal:Sheet1!A1", "1e5", " x "]
)
def test_a_text_in_a_workbook_is_only_text(value: str) -> None:
    content = b"".join(workbook_stream([batch_of(S, texts(value))], S, rows=1))
    read = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert read[1] == [value]


def test_a_full_sheet_is_followed_by_the_next() -> None:
    book = workbook(S, texts("a", "b", "c"), rows_a_sheet=3)
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert sheets == [[["s"], ["a"], ["b"]], [["s"], ["c"]]]


def test_a_text_that_no_cell_can_hold_says_that_it_was_cut() -> None:
    found = str(cells(S, texts("x" * 40_000))[1][0])
    assert len(found) == LONGEST_CELL
    assert "40000 characters" in found


def test_moments_with_a_zone_are_written_in_utc() -> None:
    moments = pa.array([datetime(2020, 1, 1, 8, tzinfo=UTC)], pa.timestamp("us", "Asia/Shanghai"))
    columns = make_columns(t=ColumnType.DATETIME)
    batch = pa.RecordBatch.from_arrays([moments], names=["t"])
    content = b"".join(workbook_stream([batch], columns, rows=1))
    read = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert read[1] == [datetime(2020, 1, 1, 8)]  # Excel knows no zones


@pytest.mark.parametrize(("columns", "rows"), [(1, MOST_CELLS + 1), (16_385, 1)])
def test_a_table_too_large_for_excel_is_refused(columns: int, rows: int) -> None:
    many = make_columns(**{f"c{at}": ColumnType.STRING for at in range(columns)})
    with pytest.raises(TooLarge):
        next(workbook_stream([], many, rows=rows))


def sheet(columns: Sequence[Column], rows: Sequence[Row], **options: Any) -> ET.Element:
    """The first sheet as XML, read by a parser that forgives nothing."""
    content = b"".join(workbook_stream([batch_of(columns, rows)], columns, rows=9, **options))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314 # our own


def decoded(text: str) -> str:
    """What programs make of a text with coded characters."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_any_text_comes_back_as_it_was(values: list[str]) -> None:
    found = [cell.text or "" for cell in sheet(S, texts(*values)).iter(f"{MAIN}t")][1:]
    assert [decoded(text) for text in found] == values


@pytest.mark.parametrize(
    "value",
    [
        "a\r\nb",
        "\x01\x0b\x1f",
        "_x0041_",
        "__x000d_",
        "x_x",
        "<&>]]>",
        "\ufffe\uffff",
        "　x",
        "\tx\n",
    ],
)
def test_what_xml_cannot_say_is_coded(value: str) -> None:
    (found,) = [cell.text or "" for cell in sheet(S, texts(value)).iter(f"{MAIN}t")][1:]
    assert decoded(found) == value


def test_only_blanks_at_the_ends_are_marked_and_cells_without_a_value_are_left_out() -> None:
    columns = make_columns(a=ColumnType.STRING, b=ColumnType.INTEGER)
    rows: list[Row] = [{"a": " x", "b": None}, {"a": "y z", "b": 1}, {"a": None, "b": None}]
    first, second, third = list(sheet(columns, rows).iter(f"{MAIN}row"))[1:]
    assert [cell.get("r") for cell in (*first, *second, *third)] == ["A2", "A3", "B3"]
    marked = [
        text.get("{http://www.w3.org/XML/1998/namespace}space") for text in first.iter(f"{MAIN}t")
    ]
    assert marked == ["preserve"]
    assert [text.attrib for text in second.iter(f"{MAIN}t")] == [{}]


def test_digits_that_a_spreadsheet_would_lose_are_text() -> None:
    columns = make_columns(i=ColumnType.INTEGER)
    numbers = [10**15 - 1, 10**15, 1 - 10**15, -(10**15), -(2**63)]
    found = cells(columns, [{"i": number} for number in numbers])
    assert [row[0] for row in found[1:]] == [
        float(10**15 - 1), "1000000000000000", float(1 - 10**15), "-1000000000000000", str(-(2**63)),
    ]  # fmt: skip


def test_days_outside_of_the_calendar_of_spreadsheets_are_text() -> None:
    columns = make_columns(d=ColumnType.DATE, t=ColumnType.DATETIME)
    rows: list[Row] = [
        {"d": date(1900, 2, 28), "t": datetime(1900, 2, 28)},  # local times, as stored
        {"d": date(1900, 3, 1), "t": datetime(1900, 3, 1)},
        {"d": date(9999, 12, 31), "t": datetime(9999, 12, 31, 23, 59, 59, 999_999)},
    ]
    assert cells(columns, rows)[1:] == [
        ["1900-02-28", "1900-02-28T00:00:00"],
        [date(1900, 3, 1), date(1900, 3, 1)],  # the reader shows a moment at midnight as a day
        [date(9999, 12, 31), "9999-12-31T23:59:59.999999"],
    ]


def test_the_first_bytes_come_with_the_first_rows() -> None:
    asked = []

    def batches() -> Iterator[pa.RecordBatch]:
        for at in range(3):
            asked.append(at)
            yield batch_of(S, texts("x"))

    pieces = workbook_stream(batches(), S, rows=3)
    assert next(pieces).startswith(b"PK")
    assert asked == [0]
    assert all(pieces)


def test_equal_rows_give_equal_bytes_however_they_come() -> None:
    rows: list[Row] = [{"s": f" {at}" if at % 3 else str(at)} for at in range(400)]
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    def written(*sizes: int) -> bytes:
        batches, start = [], 0
        for size in sizes:
            batches.append(batch_of(S, rows[start : start + size]))
            start += size
        return b"".join(workbook_stream(batches, S, rows=400, created=moment))

    assert written(400) == written(1, 0, 199, 200)


def test_a_sheet_ends_before_its_part_of_the_archive_is_too_large() -> None:
    book = workbook(S, texts(*["x" * 1000] * 5), bytes_a_sheet=2_500)
    read = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert [len(rows) for rows in read] == [3, 3, 2]


def test_a_row_larger_than_a_sheet_may_be_is_still_written() -> None:
    book = workbook(S, texts("x" * 1000, "y"), bytes_a_sheet=100)
    read = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert [rows[1:] for rows in read] == [[["x" * 1000]], [["y"]]]


def test_a_table_without_rows_is_a_sheet_with_its_heading() -> None:
    assert cells(ALL, []) == [["s", "i", "n", "b", "d", "t"]]


def test_the_heading_is_bold_and_stays_in_sight() -> None:
    read = sheet(S, texts("x"))
    pane = read.find(f".//{MAIN}pane")
    assert pane is not None
    assert (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")
    assert [cell.get("s") for cell in read.iter(f"{MAIN}c")] == ["3", None]


@pytest.mark.parametrize(
    ("at", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")]
)
def test_columns_have_the_letters_of_spreadsheets(at: int, letters: str) -> None:
    assert column_letters(at) == letters
