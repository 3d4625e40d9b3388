"""Workbooks: sheets of tables, with titles, joined names, headings and notes; sheets of prose."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from catalog.errors import TooLarge, Unreadable
from catalog.tabular.reading import Limits, ReadTable
from tests.make_reading import make_file, make_xlsx, names_of, read, rows_of, said_by, types_of

ROWS: list[list[Any]] = [
    ["name", "count", "share", "code"],
    ["甲", 3.0, 0.5, "007"],
    ["乙", 4, 1, "110101"],
]
ODS = """<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="One">{rows}</table:table></office:spreadsheet></office:body>
</office:document-content>"""


def only(folder: Path, rows: Sequence[Any], **options: Any) -> ReadTable:
    """The only table of a workbook with one sheet."""
    merged = options.pop("merged", ())
    path = make_xlsx(folder / "t.xlsx", {"Sheet": rows}, {"Sheet": merged})
    (table,) = read(path, folder / "out", **options)
    return table


def make_ods(path: Path, rows: str) -> Path:
    """A small OpenDocument sheet."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", ODS.format(rows=rows))
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return path


def cell(text: str, extra: str = "") -> str:
    """A cell of text."""
    return f'<table:table-cell office:value-type="string" {extra}><text:p>{text}</text:p></table:table-cell>'


def test_each_sheet_is_a_table_of_what_was_shown(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "book.xlsx", {"人口": ROWS, "Two": [["a", "b"], [1, 2], [2.5, 3]]})
    one, two = read(path, tmp_path / "out")
    assert (one.key, dict(one.title), dict(two.title)) == ("人口", {"zh": "人口"}, {"und": "Two"})
    assert rows_of(one) == [("甲", 3, 0.5, "007"), ("乙", 4, 1.0, "110101")]
    assert types_of(one) == {
        "name": "string",
        "count": "integer",
        "share": "number",
        "code": "string",
    }
    assert types_of(two) == {"a": "number", "b": "integer"}


def test_a_column_of_codes_stays_text_as_shown(tmp_path: Path) -> None:
    table = only(tmp_path, [["code", "n"], [310101, 1], [310104, 2]])
    assert rows_of(table) == [("310101", 1), ("310104", 2)]


def test_dates_times_and_truth(tmp_path: Path) -> None:
    day, moment = date(2020, 1, 2), datetime(2020, 1, 2, 3, 4, 5)  # sheets know no zone
    rows = [
        ["d", "t", "both", "clock", "b"],
        [day, moment, day, time(8, 30), True],
        [day, moment, moment, time(9), False],
    ]
    table = only(tmp_path, rows)
    assert types_of(table) == {
        "d": "date",
        "t": "datetime",
        "both": "datetime",
        "clock": "string",
        "b": "boolean",
    }
    assert rows_of(table)[0] == (
        day,
        moment,
        datetime(2020, 1, 2),
        "08:30:00",
        True,
    )  # sheets know no zone


def test_titles_above_and_notes_below_become_notes(tmp_path: Path) -> None:
    rows = [["表1 人口", None, None, None], [], *ROWS, [], ["注：数据来自统计局", None, None, None]]
    table = only(tmp_path, rows)
    assert table.rows == 2
    assert "Text above the table: 表1 人口" in said_by(table)
    assert "Text below the table: 注：数据来自统计局" in said_by(table)


def test_two_rows_of_names_are_joined_under_their_group(tmp_path: Path) -> None:
    rows = [
        ["area", "people", "", "homes", ""],
        ["", "men", "women", "old", "new"],
        ["甲", 1, 2, 3, 4],
        ["乙", 5, 6, 7, 8],
    ]
    table = only(tmp_path, rows, merged=[(0, 1, 0, 2), (0, 3, 0, 4), (0, 0, 1, 0)])
    assert names_of(table) == [
        "area",
        "people / men",
        "people / women",
        "homes / old",
        "homes / new",
    ]
    assert table.rows == 2
    few = [
        ["", "people", "", "", "", ""],
        ["area", "men", "women", "old", "new", "all"],
        ["甲", 1, 2, 3, 4, 5],
        ["乙", 1, 2, 3, 4, 5],
    ]
    table = only(tmp_path, few, merged=[(0, 1, 0, 2)])
    assert names_of(table)[:3] == ["area", "men", "women"]


def test_how_many_rows_of_names_can_be_declared(tmp_path: Path) -> None:
    rows = [["a", "b"], ["x", "y"], [1, 2], [3, 4]]
    assert names_of(only(tmp_path, rows, header_rows=2)) == ["a / x", "b / y"]


def test_merged_headings_between_rows_become_a_column(tmp_path: Path) -> None:
    rows = [
        ["序号", "学校", "代码", "所在地", "层次"],
        ["北京市（2所）", "", "", "", ""],
        [1, "北京大学", "4111010001", "北京市", "本科"],
        [2, "清华大学", "4111010003", "北京市", "本科"],
        ["上海市", "", "", "", ""],
        ["天津市", "", "", "", ""],
        [3, "南开大学", "4112010055", "天津市", "本科"],
    ]
    table = only(tmp_path, rows, merged=[(1, 0, 1, 4), (4, 0, 4, 4), (5, 0, 5, 4)])
    assert names_of(table)[0] == "section"
    assert [row[:2] for row in rows_of(table)] == [
        ("北京市（2所）", 1),
        ("北京市（2所）", 2),
        ("天津市", 3),
    ]
    assert types_of(table)["序号"] == "integer"
    assert "Headings without rows: 上海市" in said_by(table)


def test_a_row_with_a_name_and_no_values_stays_a_row(tmp_path: Path) -> None:
    rows = [
        ["country", "2018", "2019", "2020", "2021"],
        ["Aruba", 1, 2, 3, 4],
        ["Somalia"],
        ["Togo", 1, 2, 3, 4],
    ]
    table = only(tmp_path, rows)
    assert rows_of(table)[1] == ("Somalia", None, None, None, None)


def test_prose_hidden_sheets_and_lists(tmp_path: Path) -> None:
    path = make_xlsx(
        tmp_path / "t.xlsx",
        {
            "About": [["This workbook says a great deal about itself in one long cell. " * 3]],
            "References": [
                ["References"],
                *[["A long reference to a paper by many authors, with its title and year."]] * 9,
            ],
            "Hidden": ROWS,
            "Data": ROWS,
            "List": [["name"], ["甲"], ["乙"], ["丙"]],
            "Empty": [],
            "Names only": [["a", "b", "c"]],
        },
        hidden=["Hidden"],
    )
    data, names = read(path, tmp_path / "out")
    assert (data.key, names.key, names.rows) == ("Data", "List", 3)
    assert "The sheet About holds no table" in said_by(data)
    assert "The sheet Hidden is hidden" in said_by(data)
    assert "The sheet Names only holds no table" in said_by(names)
    (hidden,) = read(path, tmp_path / "out", sheets=("Hidden",))
    assert hidden.rows == 2
    with pytest.raises(Unreadable, match="has no sheet Nope"):
        read(path, tmp_path / "out", sheets=("Nope",))


def test_a_workbook_without_any_table_gets_one_sentence(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "t.xlsx", {"About": [["Nothing here"]]})
    with pytest.raises(Unreadable, match=r"t\.xlsx holds no table"):
        read(path, tmp_path / "out")


def test_empty_columns_and_blank_rows_are_left_out(tmp_path: Path) -> None:
    rows = [["", "a", "", "b"], ["", 1, "", 2], [], ["", 3, "", 4]]
    table = only(tmp_path, rows)
    assert (names_of(table), rows_of(table)) == (["a", "b"], [(1, 2), (3, 4)])
    assert "Blank rows that were left out: 1" in said_by(table)


def test_a_table_that_begins_far_from_the_corner(tmp_path: Path) -> None:
    rows = [
        [],
        [],
        ["", "", "all", "", "k"],
        ["", "", "a", "b", "k"],
        ["", "", 1, 2, 3],
        ["", "", 3, 4, 5],
    ]
    table = only(tmp_path, rows, merged=[(2, 2, 2, 3)])
    assert names_of(table) == ["all / a", "all / b", "k"]
    assert rows_of(table) == [(1, 2, 3), (3, 4, 5)]


def test_sheets_with_equal_columns_become_one_table(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "t.xlsx", {"2019": ROWS, "2020": ROWS})
    (table,) = read(path, tmp_path / "out", one_table=True)
    assert (table.key, table.rows) == ("data", 4)
    other = make_xlsx(tmp_path / "u.xlsx", {"a": ROWS})
    assert [table.key for table in read([path, other], tmp_path / "out")] == [
        "t/2019",
        "t/2020",
        "u/a",
    ]


def test_a_sheet_that_claims_to_be_huge_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "t.xlsx", {"S": [["a", "b"], [1, 2]]})
    huge = tmp_path / "huge.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(huge, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename == "xl/worksheets/sheet1.xml":
                content = content.replace(b'r="B2"', b'r="XFD1048576"')
            new.writestr(member.filename, content)
    with pytest.raises(TooLarge, match="more than 20000000 cells"):
        read(huge, tmp_path / "out")
    with pytest.raises(TooLarge, match="more than 3 cells"):
        read(path, tmp_path / "out", limits=Limits(sheet_cells=3))
    with pytest.raises(TooLarge, match="unpacks to more than 0 MB"):
        read(path, tmp_path / "out", limits=Limits(unpacked=1_000))


def test_ods(tmp_path: Path) -> None:
    row = "<table:table-row>{}</table:table-row>"
    number = '<table:table-cell office:value-type="float" office:value="3"><text:p>3</text:p></table:table-cell>'
    rows = (
        row.format(cell("name") + cell("n"))
        + row.format(cell("甲") + number)
        + row.format(cell("乙") + number)
    )
    (table,) = read(make_ods(tmp_path / "t.ods", rows), tmp_path / "out")
    assert rows_of(table) == [("甲", 3), ("乙", 3)]


def test_an_ods_that_repeats_itself_without_end_is_refused(tmp_path: Path) -> None:
    repeated = cell("x", 'table:number-columns-repeated="900000"')
    wide = f"<table:table-row>{repeated}</table:table-row>"
    with pytest.raises(TooLarge, match="cells"):
        read(make_ods(tmp_path / "t.ods", wide), tmp_path / "out")
    tall = f'<table:table-row table:number-rows-repeated="900000">{cell("x")}</table:table-row>'
    with pytest.raises(TooLarge, match="cells"):
        read(make_ods(tmp_path / "u.ods", tall), tmp_path / "out")


def test_damaged_workbooks_get_one_sentence(tmp_path: Path) -> None:
    content = make_xlsx(tmp_path / "t.xlsx", {"S": ROWS}).read_bytes()
    for at, cut in enumerate((content[:2000], content[: len(content) // 2], content[:-30])):
        path = make_file(tmp_path, f"cut{at}.xlsx", cut)
        with pytest.raises(Unreadable, match="cut off"):
            read(path, tmp_path / "out")
    with pytest.raises(Unreadable, match="no workbook that can be read"):
        read(
            make_file(tmp_path, "x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600),
            tmp_path / "out",
        )


def test_numbers_that_are_missing_by_a_mark(tmp_path: Path) -> None:
    rows = [["name", "amount"], ["x", 1.5], ["y", "N/A"], ["z", 2]]
    assert types_of(only(tmp_path, rows)) == {"name": "string", "amount": "string"}
    table = only(tmp_path, rows, missing=("N/A",))
    assert rows_of(table) == [("x", 1.5), ("y", None), ("z", 2.0)]


def test_cells_that_hold_an_error_are_counted(tmp_path: Path):
    path = tmp_path / "errors.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("一")
        sheet.write_row(0, 0, ["a", "b"])
        for at in range(1, 30):
            sheet.write_number(at, 0, at)
            sheet.write_formula(at, 1, "=1/0", None, "#DIV/0!" if at % 10 == 0 else at)
    (table,) = read(path, tmp_path / "out")
    assert rows_of(table)[9] == (10, None)
    assert (
        "Cells of the workbook that hold an error such as #N/A have no value here: 2."
        in said_by(table)
    )
