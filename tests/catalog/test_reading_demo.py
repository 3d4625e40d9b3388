"""Every file of the demo becomes the right table: counted and compared by other means than ours."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
import tarfile
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from catalog.errors import Unreadable
from tests.make_reading import names_of, read, rows_of, said_by, types_of

DEMO = Path(__file__).parents[2] / "demo"
DEV = Path(__file__).parents[3] / "shared" / "data" / "dev"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

REFERENCE = "Refer to supplementary material of source for complete overview"

needs_dev = pytest.mark.skipif(
    not DEV.is_dir(), reason="the larger collection of real files is not here"
)


def texts(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values as they stand in a CSV."""
    shown = []
    for value in row:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        shown.append("" if value is None else str(value))
    return tuple(shown)


def sheet_rows(path: Path, sheet: str) -> list[dict[str, str]]:
    """The filled cells of a sheet's rows by column letter, read from the XML itself."""
    with zipfile.ZipFile(path) as archive:
        strings = [
            "".join(text.text or "" for text in item.iter(f"{SHEET}t"))
            for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))  # noqa: S314 # our own file
        ]
        root = ElementTree.fromstring(archive.read(f"xl/worksheets/{sheet}.xml"))  # noqa: S314 # our own file
    rows = []
    for row in root.iter(f"{SHEET}row"):
        cells = {}
        for cell in row.iter(f"{SHEET}c"):
            value = cell.find(f"{SHEET}v")
            if value is not None and value.text:
                text = strings[int(value.text)] if cell.get("t") == "s" else value.text
                if text.strip():
                    cells["".join(filter(str.isalpha, cell.get("r", "")))] = text
        if cells:
            rows.append(cells)
    return rows


def test_codes_of_areas_in_gb18030_are_not_changed(tmp_path: Path) -> None:
    path = DEMO / "civil-affairs-divisions" / "areas.gb18030.csv"
    (table,) = read(path, tmp_path)
    wanted = list(csv.reader(io.StringIO(path.read_bytes().decode("gb18030"), newline="")))
    assert [tuple(names_of(table)), *rows_of(table)] == [tuple(row) for row in wanted]
    assert set(types_of(table).values()) == {"string"}
    with gzip.open(DEMO / "civil-affairs-divisions" / "divisions.sqlite.gz") as packed:
        (tmp_path / "d.sqlite").write_bytes(packed.read())
    with sqlite3.connect(tmp_path / "d.sqlite") as database:
        (count,) = database.execute("SELECT count(*) FROM areas").fetchone()
    assert table.rows == count == 2_978


def test_hours_of_air_become_one_table(tmp_path: Path) -> None:
    paths = sorted((DEMO / "ecology-environment-air").glob("*.csv.gz"))
    (table,) = read(paths, tmp_path, one_table=True)
    wanted: list[tuple[str, ...]] = []
    for path in paths:
        with gzip.open(path, "rt", newline="") as file:
            wanted += map(tuple, list(csv.reader(file))[1:])
    assert table.rows == len(wanted) == 140_256
    columns = {column.name: column.type for column in table.columns}
    is_text = [type_ == "string" for type_ in columns.values()]
    for row, cells in zip(rows_of(table), wanted, strict=True):
        assert texts(row) == tuple(
            cell if text or cell != "NA" else "" for cell, text in zip(cells, is_text, strict=True)
        )
    assert columns["PM2.5"] == "number"
    assert columns["wd"] == columns["station"] == "string"
    assert columns["year"] == "integer"


def test_holidays_of_all_years_become_one_table(tmp_path: Path) -> None:
    paths = sorted((DEMO / "general-office-holidays").glob("*.json"))
    (table,) = read(paths, tmp_path, one_table=True, records="days", carry=("year",))
    documents = [json.loads(path.read_text()) for path in paths]
    wanted = [
        (document["year"], day["name"], day["date"], day["isOffDay"])
        for document in documents
        for day in document["days"]
    ]
    assert [(year, name, str(day), off) for year, name, day, off in rows_of(table)] == wanted
    assert table.rows == 678
    assert types_of(table) == {
        "year": "integer",
        "name": "string",
        "date": "date",
        "isOffDay": "boolean",
    }
    assert table.notes == ()


def test_days_of_districts_and_provinces(tmp_path: Path) -> None:
    path = DEMO / "health-commission-covid" / "shanghai-districts-daily.json.gz"
    (table,) = read(path, tmp_path)
    records = json.loads(gzip.decompress(path.read_bytes()))
    for row, record in zip(rows_of(table), records, strict=True):
        assert (str(row[0]), *row[1:]) == tuple(record.values())
    assert types_of(table)["cityCode"] == "string"
    path = DEMO / "health-commission-covid" / "china-provinces-daily.csv.gz"
    (table,) = read(path, tmp_path)
    wanted = list(csv.reader(io.StringIO(gzip.decompress(path.read_bytes()).decode(), newline="")))[
        1:
    ]
    assert [texts(row) for row in rows_of(table)] == [tuple(row) for row in wanted]
    assert types_of(table)["cityCode"] == types_of(table)["provinceCode"] == "string"


def test_population_of_the_world(tmp_path: Path) -> None:
    path = DEMO / "intl-world-population" / "data" / "population.csv"
    (table,) = read(path, tmp_path)
    with path.open(newline="") as file:
        wanted = list(csv.reader(file))[1:]
    assert [texts(row) for row in rows_of(table)] == [tuple(row) for row in wanted]
    assert types_of(table) == {
        "Country Name": "string", "Country Code": "string", "Year": "integer", "Value": "integer"
    }  # fmt: skip


def test_outlines_of_districts(tmp_path: Path) -> None:
    folder = DEMO / "planning-natural-resources-geo"
    (table,) = read(folder / "shanghai-districts.geojson", tmp_path)
    features = json.loads((folder / "shanghai-districts.geojson").read_text())["features"]
    assert types_of(table)["geometry"] == "geojson"
    for row, feature in zip(rows_of(table), features, strict=True):
        found = dict(zip(names_of(table), row, strict=True))
        assert found["id"] == feature.get("id")
        assert found["name"] == feature["properties"]["name"]
        assert json.loads(found["geometry"]) == feature["geometry"]
    assert table.rows == 16
    with pytest.raises(Unreadable, match="packed coordinates"):
        read(folder / "shanghai.echarts-original.json", tmp_path)


def test_a_workbook_of_summaries(tmp_path: Path) -> None:
    path = DEMO / "intl-gfdrr-excel" / "Table_D1_Summary_CI_Vulnerability_Data_V1.1.0.xlsx"
    tables = read(path, tmp_path)
    assert [(table.key, table.rows) for table in tables] == [
        ("Energy", 14), ("Transportation", 29), ("Telecommunication", 2), ("Water", 25), ("Waste", 14),
        ("Education & Health", 13),
    ]  # fmt: skip
    for at, table in enumerate(tables):
        rows = sheet_rows(path, f"sheet{at + 2}")[2:]
        data = [row for row in rows if len(row) > 1]
        assert table.rows == len(data)
        assert "Hazard / Hazard type" in names_of(table)
        shift = names_of(table)[0] == "section"
        for found, wanted in zip(rows_of(table), data, strict=True):
            assert [cell for cell in found[shift:] if cell is not None] == [*wanted.values()]
    headings = [next(iter(row.values())) for row in sheet_rows(path, "sheet2")[2:] if len(row) == 1]
    sections = {row[0] for row in rows_of(tables[0])}
    assert all(
        heading.strip() in sections or heading.strip() in said_by(tables[0]) for heading in headings
    )


def test_a_workbook_of_costs(tmp_path: Path) -> None:
    path = DEMO / "intl-gfdrr-excel" / "Table_D3_Costs_V1.1.0.xlsx"
    (table,) = read(path, tmp_path, missing=("", "N/A", REFERENCE))
    rows = sheet_rows(path, "sheet2")
    assert table.rows == len(rows) - 1 == 179
    assert types_of(table)["Amount"] == "number"
    amounts = [row[names_of(table).index("Amount")] for row in rows_of(table)]
    assert amounts == [
        float(row["D"]) if row["D"] not in ("N/A", REFERENCE) else None for row in rows[1:]
    ]
    assert rows_of(table)[0][0] == "1"


@pytest.mark.parametrize(
    "name",
    [
        "civil-affairs-divisions/divisions.sqlite.gz",
        "intl-belgium-dcat/catalog.rdf",
        "general-office-holidays/2027.json",
    ],
)
def test_what_is_no_table_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unreadable):
        read(DEMO / name, tmp_path)


@needs_dev
def test_every_yearbook_table_has_the_rows_of_its_file(tmp_path: Path) -> None:
    with tarfile.open(DEV / "nbs-yearbook-csv" / "national-data.tar.gz") as archive:
        for at, member in enumerate(file for file in archive if file.name.endswith(".csv")):
            content = archive.extractfile(member).read()  # type: ignore[union-attr] # it is a file
            if at % 60:
                continue
            path = tmp_path / "t.csv"
            path.write_bytes(content)
            (table,) = read(path, tmp_path / "out")
            wanted = [
                row
                for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
                if any(row)
            ]
            assert table.rows == len(wanted) - 1, member.name


@needs_dev
def test_the_list_of_universities(tmp_path: Path) -> None:
    folder = DEV / "moe-colleges-xls"
    (table,) = read(folder / "全国普通高等学校名单.xls", tmp_path)
    names = json.loads((folder / "大学目录.json").read_text())
    at = names_of(table).index("学校名称")
    assert ["".join(row[at].split()) for row in rows_of(table)] == [
        "".join(name.split()) for name in names
    ]
    assert types_of(table)["学校标识码"] == "string"
    assert len({row[0] for row in rows_of(table)}) == 31


@needs_dev
def test_villages_in_utf16_with_tabs_and_with_two_rows_of_names(tmp_path: Path) -> None:
    folder = DEV / "taiwan-population"
    (table,) = read(folder / "education-2013.csv.gz", tmp_path)
    lines = (
        gzip.decompress((folder / "education-2013.csv.gz").read_bytes())
        .decode("utf-16")
        .splitlines()
    )
    assert table.rows == len(lines) - 1
    (table,) = read(folder / "education-2020.csv.gz", tmp_path)
    lines = (
        gzip.decompress((folder / "education-2020.csv.gz").read_bytes())
        .decode("utf-8-sig")
        .splitlines()
    )
    assert table.rows == len(lines) - 2
    assert names_of(table)[0] == "statistic_yyy / 統計年"
    (table,) = read(sorted(folder.glob("cunli-2020-*.csv.gz")), tmp_path, one_table=True)
    assert table.rows == 93_120
