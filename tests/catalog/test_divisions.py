"""Division codes against the lists of all years, and what a load says of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.permissions import ANYONE
from catalog.services import table_cells, tables
from catalog.tabular import divisions, semantics
from tests.make_page import page
from tests.make_reading import make_file
from tests.make_table_page import make_table_of_files

AREAS = Path(__file__).parents[2] / "demo" / "civil-affairs-divisions" / "areas.gb18030.csv"


@pytest.mark.parametrize(
    ("code", "years"),
    [
        ("110000", (1980, 2024)),
        ("110101", (1980, 2024)),
        ("110103", (1980, 2009)),  # 崇文区, merged into 东城区 in 2010
        ("310103", (1980, 2010)),  # 卢湾区, merged into 黄浦区 in 2011
        ("500000", (1997, 2024)),  # 重庆 became a municipality
        ("441900", (1988, 2024)),  # 东莞
        ("330183", (1995, 2014)),  # 富阳市, a district since then
        ("460027", (1988, 2002)),  # 乐东: counties of Hainan had no prefecture
    ],
)
def test_a_code_is_listed_with_its_years(code: str, years: tuple[int, int]) -> None:
    assert divisions.listed()[code] == years


def test_all_listed_codes_have_the_form_of_one() -> None:
    codes = pa.array(sorted(divisions.listed()))
    assert len(codes) > 7_000
    assert all(semantics.valid("division", codes).to_pylist())
    assert all(divisions.is_listed(codes).to_pylist())
    assert divisions.is_gone(codes).to_pylist().count(False) == 3_222


def test_codes_are_looked_up_by_their_first_six_digits() -> None:
    codes = pa.array(["110101", "110101001002", "110103001", "119999", "x", None])
    assert divisions.is_listed(codes).to_pylist() == [True, True, True, False, False, None]
    assert divisions.is_gone(codes).to_pylist() == [False, False, True, False, False, None]
    assert divisions.last_year("110103001") is not None
    assert divisions.last_year("110101") is None
    assert divisions.last_year("119999") is None


def test_the_counties_of_the_bureau_of_statistics_are_listed_but_for_zones_of_its_own() -> None:
    with AREAS.open(encoding="gb18030", newline="") as file:
        codes = [row["code"] for row in csv.DictReader(file)]
    known = divisions.is_listed(pa.array(codes)).to_pylist()
    unknown = [code for code, there in zip(codes, known, strict=True) if not there]
    assert len(codes) == 2_978
    assert len(unknown) < 140
    zones = [code for code in unknown if code[4] == "7"]
    assert len(zones) > 0.9 * len(unknown)


def test_a_load_tells_unknown_codes_and_former_ones_apart(
    client: FlaskClient, app: Flask, tmp_path: Path
) -> None:
    text = "行政区划代码\n110101\n119999\n110103\n11010\n"
    schema = {"fields": [{"name": "行政区划代码", "semantic": "division"}]}
    table_id = make_table_of_files([make_file(tmp_path, "t.csv", text)], read={"schema": schema})
    cells = table_cells.page(ANYONE, table_id, notations=True).cells
    found = [(cell.row, cell.value, cell.reason) for cell in cells]
    assert found == [
        (2, "119999", "division_unknown"),
        (3, "110103", "division_gone"),
        (4, "11010", "division"),
    ]
    assert tables.show(ANYONE, table_id).kept_cells == 2
    told = client.get(f"/api/v1/tables/{table_id}/cells?notations=true").json["cells"]
    assert [cell["until"] for cell in told] == [None, divisions.last_year("110103"), None]
    shown = page(client, f"/en/tables/{table_id}/cells?notations=1").get_text()
    assert f"until {divisions.last_year('110103')}" in shown
