"""A column has the narrowest type that every value satisfies, and no value changes."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.models.vocabulary import ColumnType
from catalog.tabular.reading.types import is_code, is_exact
from tests.make_reading import kept_in, read_text, rows_of, said_by, types_of


def type_of(folder: Path, *values: str) -> str:
    """The type of a CSV column of these values."""
    table = read_text(folder, "value,k\n" + "".join(f'"{value}",x\n' for value in values))
    return types_of(table)["value"]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["1", "-2", "0", "9223372036854775807"], "integer"),
        (["1", "007"], "string"),
        (["1", "+2"], "string"),
        (["-0"], "number"),
        (["9223372036854775808"], "string"),
        (["9007199254740993", "0.5"], "string"),
        (["9007199254740992", "0.5"], "number"),
        (["1", "2.50"], "number"),
        (["0.1", "-1.5e3", ".5"], "string"),
        (["0.1", "-1.5", ".5"], "number"),
        (["0.1234567890123456789"], "string"),
        (["0.30000000000000004"], "number"),
        (["1e400"], "string"),
        (["0x10"], "string"),
        (["nan"], "string"),
        (["1,5"], "string"),
        (["1 "], "string"),
        (["１"], "string"),
        (["true", "false"], "boolean"),
        (["TRUE"], "string"),
        (["2020-02-29", "1999-12-31"], "date"),
        (["2021-02-29"], "string"),
        (["0000-01-01"], "string"),
        (["2020-1-2"], "string"),
        (["2020-01-02T03:04", "2020-01-02 03:04:05.123456"], "datetime"),
        (["2020-01-02T03:04:05.1234567"], "string"),
        (["2020-01-02T24:00"], "string"),
        (["2020-01-02T03:04:05Z"], "string"),
        (["2020-01-02", "2020-01-02T03:04"], "string"),
        (["1", "", "NA", "2"], "integer"),
        (["", ""], "string"),
        (["NA", "NA"], "string"),
    ],
)
def test_the_type_of_a_column(tmp_path: Path, values: list[str], wanted: str) -> None:
    assert type_of(tmp_path, *values) == wanted


def test_values_keep_what_they_were(tmp_path: Path) -> None:
    text = "n,x,d,t,b\n1,2.50,2020-01-02,2020-01-02T03:04:05.5,true\nNA,NA,NA,NA,NA\n,,,,\n"
    assert rows_of(read_text(tmp_path, text)) == [
        (1, 2.5, date(2020, 1, 2), datetime(2020, 1, 2, 3, 4, 5, 500_000), True),  # as in the file
        (None,) * 5,
    ]


def test_in_a_text_only_the_empty_cell_is_nothing(tmp_path: Path) -> None:
    assert rows_of(read_text(tmp_path, "a,b\nNA,1\n,2\nx,3\n")) == [("NA", 1), (None, 2), ("x", 3)]


def test_marks_of_missing_values_can_be_chosen(tmp_path: Path) -> None:
    table = read_text(tmp_path, "a,b\n-,1\n5,2\n", missing=("-",))
    assert rows_of(table) == [(None, 1), (5, 2)]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("code", True), ("Country Code", True), ("cityCode", True), ("编码", True), ("行政区划代码", True),
        ("村里代碼", True), ("id", True), ("site_id", True), ("objectId", True), ("ID number", True),
        ("zip", True), ("postcode", True), ("联系电话", True), ("身份证", True), ("门牌号", True), ("编号", True),
        ("序号", False), ("paid", False), ("covid", False), ("year", False), ("No", False), ("人口", False),
        ("width", False), ("PM2.5", False), ("Value", False),
    ],
)  # fmt: skip
def test_names_that_speak_of_codes(name: str, wanted: bool) -> None:
    assert is_code(name) is wanted


def test_codes_stay_text_until_a_type_is_declared(tmp_path: Path) -> None:
    text = "code,n\n110101,1\n310101,2\n"
    assert types_of(read_text(tmp_path, text)) == {"code": "string", "n": "integer"}
    declared = {"code": ColumnType.INTEGER, "n": ColumnType.STRING}
    assert rows_of(read_text(tmp_path, text, types=declared)) == [(110101, "1"), (310101, "2")]


def test_names_can_be_chosen_and_types_are_declared_by_either(tmp_path: Path) -> None:
    table = read_text(
        tmp_path,
        "a,b\n1,2\n",
        names={"a": "甲"},
        types={"甲": ColumnType.NUMBER, "b": ColumnType.STRING},
    )
    assert types_of(table) == {"甲": "number", "b": "string"}


def test_a_value_that_breaks_a_declared_type_is_listed_and_the_column_keeps_the_type(
    tmp_path: Path,
) -> None:
    lines = "".join(f"{at},x\n" for at in range(70_000))
    table = read_text(tmp_path, f"n,k\n{lines}NA,x\nabout 12,x\n", types={"n": ColumnType.INTEGER})
    assert types_of(table)["n"] == "integer"
    assert rows_of(table)[-3:] == [(69_999, "x"), (None, "x"), (None, "x")]
    assert kept_in(table) == [(70_000, "n", "NA", "missing"), (70_001, "n", "about 12", "integer")]
    assert table.kept_cells == 1
    assert "column n: 1 cells are listed as they were, the first in row 70002" in said_by(table)


def test_a_declared_geometry_must_look_like_one(tmp_path: Path) -> None:
    declared = {"g": ColumnType.GEOMETRY}
    text = 'g;n\n{"type":"Point","coordinates":[1,2]};1\n'
    assert types_of(read_text(tmp_path, text, types=declared, delimiter=";"))["g"] == "geojson"
    table = read_text(tmp_path, "g;n\nPOINT (1 2);1\n", types=declared)
    assert kept_in(table) == [(0, "g", "POINT (1 2)", "geojson")]


@settings(deadline=None, max_examples=200)
@given(
    values=st.lists(
        st.from_regex(r"-?[0-9]{1,21}(\.[0-9]{0,18})?(e-?[0-9]{1,2})?", fullmatch=True), min_size=1
    )
)
def test_a_number_is_exactly_what_was_written(values: list[str]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        table = read_text(folder, "value,k\n" + "".join(f"{value},x\n" for value in values))
        found = [row[0] for row in rows_of(table)]
        assert [
            Decimal(repr(value)) if isinstance(value, float) else Decimal(value) for value in found
        ] == [Decimal(value) for value in values]
        if types_of(table)["value"] in ("string", "integer"):
            assert [str(value) for value in found] == values
    finally:
        shutil.rmtree(folder)


def test_what_is_no_number_is_not_exact() -> None:
    assert not is_exact("x")


def test_equal_content_has_an_equal_hash_whatever_the_file(tmp_path: Path) -> None:
    one = read_text(tmp_path, "a,b\n1,x\n,y\n")
    for same in ("a;b\r\n1;x\r\n;y\r\n", '\ufeffa\tb\n1\t"x"\n\n\ty'):
        assert read_text(tmp_path, same).content == one.content
    others = (
        "a,b\n1,x\n0,y\n",
        "a,c\n1,x\n,y\n",
        "a,b\n,y\n1,x\n",
        "a,b\n1,x\n,y\n,z\n",
        "a,b\n1.0,x\n,y\n",
    )
    assert len({one.content, *(read_text(tmp_path, other).content for other in others)}) == 6


def test_the_hash_does_not_depend_on_where_batches_end(tmp_path: Path) -> None:
    regular = "".join(f"{at},名{at}\n" for at in range(150_000))
    one = read_text(tmp_path, f"a,b\n{regular}")
    two = read_text(tmp_path, f"a,b\n{regular}\n\n")
    three = read_text(tmp_path, f"a,b\n1\n{regular}")
    assert one.content == two.content != three.content
    assert one.rows == 150_000


@pytest.mark.parametrize(
    ("name", "values", "wanted", "said"),
    [
        ("price", ["1.10", "2.5", "-0"], "number", "2 values were written with other zeros"),
        ("price", ["1.5", "2.25"], "number", ""),
        ("version", ["1.9", "1.10"], "string", ""),
        ("软件版本", ["1.9", "1.10"], "string", ""),
        ("version", ["1.5", "2.25"], "number", ""),
        ("version", ["1", "10"], "integer", ""),
        ("price", ["1.10", "x"], "string", ""),
        ("key", ["7", "1e5", "2E7"], "string", "The column key stays text: 1e5 may be a code"),
        ("key", ["1e5", "x1"], "string", ""),
    ],
)
def test_a_number_that_comes_back_otherwise_is_noted_or_stays_text(
    tmp_path: Path, name: str, values: list[str], wanted: str, said: str
) -> None:
    table = read_text(tmp_path, f"{name},k\n" + "".join(f"{value},x\n" for value in values))
    assert types_of(table)[name] == wanted
    assert said_by(table).startswith(said)
    assert bool(table.notes) == bool(said)
    if wanted == "string":
        assert [row[0] for row in rows_of(table)] == values


def test_a_declared_number_may_have_an_exponent(tmp_path: Path) -> None:
    table = read_text(tmp_path, "n,k\n1e5,x\n", types={"n": ColumnType.NUMBER})
    assert rows_of(table) == [(100000.0, "x")]


def test_an_exponent_in_later_rows_is_seen(tmp_path: Path) -> None:
    rows = "".join(f"{at},x\n" for at in range(300_000))
    table = read_text(tmp_path, f"n,k\n{rows}1e5,x\n")
    assert types_of(table)["n"] == "string"
    assert "1e5" in said_by(table)
