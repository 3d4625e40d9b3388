"""Whether the first rows of a text name its columns, are titles, or are data already."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import Unreadable
from catalog.tabular.reading.names import header_rows, is_headless
from tests.make_reading import names_of, read_text, rows_of, said_by


def rows(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.split()]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A1,x B2,y C3,z D4,w", True),
        ("2020-01-01,5 2020-01-02,6 2020-01-03,7 2020-01-04,8", True),
        ("1.5,a 2.5,b 3.5,c 4.5,d", True),
        ("1,a 2,b 3,c 4,d", True),
        ("2,a 3,b 4,c 5,d", False),
        ("Year,2000,2001 x,5,6 y,7,8 z,9,1", False),
        ("day,n 2020-01-01,1 2020-01-02,2 2020-01-03,3", False),
        ("code,day A1,2020-01-01 B2,2020-01-02 C3,2020-01-03", False),
        ("a,b c,d e,f g,h", False),
        ("A1,x B2,y", False),
        ("2020-01-01,2020-01-02 5,6 7,8 9,1", False),
    ],
)
def test_a_first_row_like_those_below_is_one_of_data(text: str, wanted: bool) -> None:
    assert is_headless(rows(text)) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("p,p,p A,B,C x,y,z 1,2,3 4,5,6 7,8,9 1,2,3", 3),
        ("a,b 名,称 1,2 3,4 5,6 7,8", 2),
        ("a,b 1,2 3,4 5,6 7,8", 1),
        ("a,b x,y z,w 1,2 3,4", 1),
        ("a,b,c x,, 1,2,3 4,5,6 7,8,9", 1),
    ],
)
def test_rows_of_texts_above_numbers_name_the_columns_together(text: str, wanted: int) -> None:
    assert header_rows(rows(text)) == wanted


def test_a_table_without_names_loses_no_row(tmp_path: Path) -> None:
    table = read_text(tmp_path, "A1,5\nB2,6\nC3,7\nD4,8\n")
    assert names_of(table) == ["column_1", "column_2"]
    assert rows_of(table) == [("A1", 5), ("B2", 6), ("C3", 7), ("D4", 8)]
    assert "The first row is one of data" in said_by(table)


def test_an_option_says_that_there_are_no_names(tmp_path: Path) -> None:
    table = read_text(tmp_path, "P,Pass\nF,Fail\n", no_header=True)
    assert rows_of(table) == [("P", "Pass"), ("F", "Fail")]


def test_titles_above_a_table_of_two_columns_are_no_names(tmp_path: Path) -> None:
    table = read_text(
        tmp_path, "Fisheries,\n,\nPercentage,\nYear,Stocks\n1990,12\n1991,11\n1992,9\n"
    )
    assert names_of(table) == ["Year", "Stocks"]
    assert rows_of(table)[0] == (1990, 12)
    assert "Text above the table: Fisheries · Percentage" in said_by(table)


def test_names_of_which_one_is_missing_are_names(tmp_path: Path) -> None:
    for first in (",value", "name,"):
        table = read_text(tmp_path, f"{first}\na,1\nb,2\nc,3\n")
        assert table.rows == 3


def test_columns_that_are_parted_by_blanks_are_refused(tmp_path: Path) -> None:
    text = "Rain, since 1910\n" + "".join(f"{at}   {at}.5   {at}.7\n" for at in range(1910, 1930))
    with pytest.raises(Unreadable, match="parts its columns by blanks"):
        read_text(tmp_path, text, name="rain.txt")


def test_calendars_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="iCalendar"):
        read_text(tmp_path, "BEGIN:VCALENDAR\nVERSION:2.0\n", name="a.ics")


CELLS = st.text("ab1-. ", max_size=4)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=8))
def test_any_rows_have_at_least_one_row_of_names_or_none(found: list[list[str]]) -> None:
    assert 1 <= header_rows(found) <= 3
    assert is_headless(found) in (True, False)
