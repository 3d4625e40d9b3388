"""CSV and its relatives: every cell comes back, whatever the dialect and the encoding."""

from __future__ import annotations

import csv
import io
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import CatalogError, TooLarge, Unreadable
from catalog.models.vocabulary import ColumnType
from catalog.tabular.reading import Limits
from tests.make_reading import make_file, names_of, read, read_text, rows_of, said_by, types_of


def written(rows: list[list[str]], **dialect: Any) -> str:
    """The rows as csv.writer writes them."""
    text = io.StringIO(newline="")
    csv.writer(text, **dialect).writerows(rows)
    return text.getvalue()


LETTERS = list("ab01 ,;\t|\"'\n\r-.中文é织\U00020000")
CELLS = st.text(LETTERS, max_size=8)
TABLES = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8)
)


@settings(deadline=None, max_examples=150)
@given(
    rows=TABLES,
    delimiter=st.sampled_from([",", ";", "\t", "|", "^"]),
    quote=st.sampled_from(['"', "'"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_any_table_comes_back_cell_for_cell(
    rows: list[list[str]], delimiter: str, quote: str, end: str, encoding: str
) -> None:
    names = [f"name{at}" for at in range(len(rows[0]) if rows else 1)]
    text = written(
        [names, *rows],
        delimiter=delimiter,
        quotechar=quote,
        lineterminator=end,
        quoting=csv.QUOTE_ALL,
    )
    folder = Path(tempfile.mkdtemp())
    try:
        table = read_text(
            folder,
            text.encode(encoding),
            delimiter=delimiter,
            quote=quote,
            encoding=encoding,
            format="csv",
            header_rows=1,
            types=dict.fromkeys(names, ColumnType.STRING),
        )
        wanted = [tuple(cell or None for cell in row) for row in rows if any(row)]
        assert rows_of(table) == wanted
        assert names_of(table) == names
    finally:
        shutil.rmtree(folder)


@settings(deadline=None, max_examples=100)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS).map(list), min_size=2, max_size=8),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_delimiter_and_encoding_are_found(
    rows: list[list[str]], delimiter: str, encoding: str
) -> None:
    names = ["first", "second", "第三"]
    text = written([names, *rows], delimiter=delimiter, quoting=csv.QUOTE_ALL)
    folder = Path(tempfile.mkdtemp())
    try:
        table = read_text(
            folder,
            text.encode(encoding),
            header_rows=1,
            types=dict.fromkeys(names, ColumnType.STRING),
        )
        assert names_of(table) == names
        assert rows_of(table) == [tuple(cell or None for cell in row) for row in rows if any(row)]
    finally:
        shutil.rmtree(folder)


@settings(deadline=None, max_examples=300)
@given(content=st.binary(max_size=300))
def test_bytes_of_any_kind_are_a_table_or_one_sentence(content: bytes) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        problem = "one sentence"
        try:
            table = read_text(folder, content)
            assert table.rows == len(rows_of(table))
        except CatalogError as error:
            problem = str(error)
        assert problem
        assert "%(" not in problem
    finally:
        shutil.rmtree(folder)


def test_a_short_row_is_filled_and_a_long_one_gets_columns(tmp_path: Path) -> None:
    table = read_text(tmp_path, "a,b\n1,2\n3\n\n4,5,6\n7,8,,\n")
    assert rows_of(table) == [(1, 2, None), (3, None, None), (4, 5, 6), (7, 8, None)]
    assert names_of(table) == ["a", "b", "column_3"]
    assert "Blank rows that were left out: 1." in said_by(table)
    assert "fewer cells than the header, filled with nothing: 1." in said_by(table)
    assert "more cells than the header: 1, the first is row 3" in said_by(table)


def test_irregular_rows_behind_many_regular_ones_lose_nothing(tmp_path: Path) -> None:
    lines = [f"{at},{'x' * 90}\n" for at in range(100_000)]
    lines[90_000] = "90000,y,more\n"
    table = read_text(tmp_path, "n,t\n" + "".join(lines))
    rows = rows_of(table)
    assert [row[0] for row in rows] == list(range(100_000))
    assert rows[90_000] == (90_000, "y", "more")
    assert rows[89_999] == (89_999, "x" * 90, None)


def test_names_that_are_empty_or_twice_get_others(tmp_path: Path) -> None:
    table = read_text(tmp_path, "a,a, ,a_2\n1,2,3,4\n")
    assert names_of(table) == ["a", "a_3", "column_3", "a_2"]
    assert "got a number: a_3" in said_by(table)
    assert "without a name, called column_… after their place: 1" in said_by(table)


def test_a_column_without_name_and_values_is_left_out(tmp_path: Path) -> None:
    table = read_text(tmp_path, "a,b,\n1,2,\n3,4,\n")
    assert names_of(table) == ["a", "b"]
    assert table.notes == ()


def test_titles_above_the_table_become_a_note(tmp_path: Path) -> None:
    table = read_text(tmp_path, "人口统计表,,\n单位：万人,,\n年,男,女\n2020,1,2\n2021,3,4\n")
    assert names_of(table) == ["年", "男", "女"]
    assert "人口统计表 · 单位：万人" in said_by(table)


def test_two_rows_of_names_are_joined(tmp_path: Path) -> None:
    text = "site,total,men\n地点,总计,男\n" + "".join(f"甲{at},{at},{at}\n" for at in range(6))
    table = read_text(tmp_path, text)
    assert types_of(table) == {
        "site / 地点": "string",
        "total / 总计": "integer",
        "men / 男": "integer",
    }
    assert table.rows == 6


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    table = read_text(tmp_path, "a,b\r\n")
    assert (table.rows, types_of(table)) == (0, {"a": "string", "b": "string"})


def test_one_column_is_a_table_when_the_file_says_csv(tmp_path: Path) -> None:
    assert rows_of(read_text(tmp_path, "name\nx\n\ny\n")) == [("x",), ("y",)]


def test_an_open_quotation_mark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"opened in row 2 is never closed"):
        read_text(tmp_path, 'a,b\n1,2\n3,"four\n5,6\n')
    with pytest.raises(Unreadable, match=r"opened in row 3 is never closed"):
        read_text(tmp_path, 'a,b\n1,2,3\n3,4\n5,"six')


def test_single_quotes_are_recognised(tmp_path: Path) -> None:
    text = "a,b\n" + "".join(f"'x,{at}','y'\n" for at in range(5))
    assert rows_of(read_text(tmp_path, text))[0] == ("x,0", "y")


def test_a_file_of_a_column_like_tab_is_one_with_tabs(tmp_path: Path) -> None:
    assert rows_of(read_text(tmp_path, "a\tb\n1\t2,5\n", "t.tsv")) == [(1, "2,5")]
    assert rows_of(read_text(tmp_path, "a\tb\n1\t2\n", "t.txt", format="tsv")) == [(1, 2)]


def test_a_name_of_columns_is_cleaned_of_breaks_and_edges(tmp_path: Path) -> None:
    assert names_of(read_text(tmp_path, '" a\nb ","c\u00a0d"\n1,2\n')) == ["a b", "c d"]


@pytest.mark.parametrize("delimiter", [":", "^", "~", "\x01"])
def test_rare_delimiters_are_found(tmp_path: Path, delimiter: str) -> None:
    text = "".join(delimiter.join([f"a{at}", "b", "c"]) + "\n" for at in range(5))
    assert len(names_of(read_text(tmp_path, text))) == 3


@pytest.mark.parametrize(
    ("limits", "content", "said"),
    [
        (Limits(columns=2), "a,b,c\n1,2,3\n", "more than 2 columns"),
        (Limits(columns=2), "a,b\n1,2,3\n", "more than 2 columns"),
        (Limits(cell=5), "a,b\n1,2\nlonger,3\n", "row 2, column a is larger than 5 bytes"),
        (Limits(row=300_000), "a,b\n1," + "x" * 5_000_000 + "\n", "row of more than 300000"),
        (Limits(row=300_000), 'a,b\n1,"' + "x\n" * 200_000 + '",3\n', "row of more than 300000"),
    ],
)
def test_limits_are_kept(tmp_path: Path, limits: Limits, content: str, said: str) -> None:
    with pytest.raises(TooLarge, match=re.escape(said)):
        read_text(tmp_path, content, limits=limits)


def test_several_files_become_one_table_by_the_names_of_columns(tmp_path: Path) -> None:
    one = make_file(tmp_path, "one.csv", "a,b\n1,x\n")
    two = make_file(tmp_path, "two.csv", "b;a\ny;2\n")
    (table,) = read([one, two], tmp_path / "out", one_table=True)
    assert rows_of(table) == [(1, "x"), (2, "y")]
    tables = read([one, two], tmp_path / "out")
    assert [(table.key, dict(table.title)) for table in tables] == [
        ("one", {"und": "one"}),
        ("two", {"und": "two"}),
    ]


def test_files_with_other_columns_do_not_become_one_table(tmp_path: Path) -> None:
    one = make_file(tmp_path, "one.csv", "a,b\n1,x\n")
    for columns, said in [("a,c", "missing: b; only here: c"), ("a", "missing: b; only here: –")]:
        two = make_file(tmp_path, "two.csv", f"{columns}\n2,y\n" if "," in columns else "a\n2\n")
        with pytest.raises(Unreadable, match=f"two.csv has other columns than one.csv .{said}"):
            read([one, two], tmp_path / "out", one_table=True)


def test_nothing_but_the_table_is_left_behind(tmp_path: Path) -> None:
    table = read_text(tmp_path, "a,b\n1,2\n1,2,3\n")
    assert list((tmp_path / "out").iterdir()) == [table.file]
    with pytest.raises(Unreadable):
        read_text(tmp_path, 'a,b\n1,"2\n')
    assert list((tmp_path / "out").iterdir()) == [table.file]


def test_a_tag_in_the_first_name_is_no_web_page(tmp_path: Path) -> None:
    table = read_text(tmp_path, "<script>alert(1)</script>,b\n1,2\n")
    assert names_of(table) == ["<script>alert(1)</script>", "b"]
    for page in ("<div>x</div>\n", '<rss version="2.0">\n</rss>', "<html><p>x", "<table><tr>"):
        with pytest.raises(Unreadable, match=r"HTML"):
            read_text(tmp_path, page)


def test_names_with_gaps_are_no_title(tmp_path: Path):
    table = read_text(tmp_path, "a,,c,\n1,2,3,4\n5,6,7,8\n")
    assert names_of(table) == ["a", "column_2", "c", "column_4"]
    assert rows_of(table) == [(1, 2, 3, 4), (5, 6, 7, 8)]


def test_groups_above_a_row_of_years_are_a_title(tmp_path: Path):
    table = read_text(tmp_path, "地区,,人口,\n代码,2019,2020,2021\na,1,2,3\nb,4,5,6\n")
    assert rows_of(table)[0] == ("a", 1, 2, 3)
