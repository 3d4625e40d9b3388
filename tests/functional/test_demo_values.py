"""Every file of the demo against the portal: rows counted independently, every value compared.

The sources are read here with Python's own csv, json, sqlite3, zipfile and xml, not with the portal's readers. What the portal
serves is its CSV download over HTTP. Texts must be equal; numbers must be equal as decimal numbers.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sqlite3
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.functional.conftest import ROOT, Demo

pytestmark = pytest.mark.demo
FILES = ROOT / "demo"
csv.field_size_limit(10_000_000)


def fetch(demo: Demo, path: str) -> bytes:
    with urllib.request.urlopen(demo.address + path) as answer:
        return answer.read()


def dataset(demo: Demo, slug: str) -> dict:
    return json.loads(fetch(demo, f"/api/v1/datasets/{slug}"))


def tables(demo: Demo, slug: str) -> list[dict]:
    return [table for resource in dataset(demo, slug)["resources"] for table in resource["tables"]]


def served(demo: Demo, table: dict) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table's CSV download; the API's count agrees with it."""
    text = fetch(demo, f"/api/v1/tables/{table['id']}/download.csv").decode("utf-8")
    header, *rows = list(csv.reader(io.StringIO(text)))
    assert (
        json.loads(fetch(demo, f"/api/v1/tables/{table['id']}/count"))["count"]
        == len(rows)
        == table["rows"]
    )
    return header, rows


def only_table(demo: Demo, slug: str) -> tuple[list[str], list[list[str]], dict[str, str]]:
    (table,) = tables(demo, slug)
    header, rows = served(demo, table)
    return header, rows, {column["name"]: column["type"] for column in table["columns"]}


def assert_equal(
    source: Sequence[Sequence[str | None]], rows: list[list[str]], types: Sequence[str]
) -> None:
    """Row by row and cell by cell, in order."""
    assert len(source) == len(rows)
    numeric = [type_ in ("integer", "number") for type_ in types]
    for at, (theirs, ours) in enumerate(zip(source, rows, strict=True)):
        for number, left, right in zip(numeric, theirs, ours, strict=True):
            if number:
                missing = left in (None, "", "NA")
                assert right == "" if missing else Decimal(str(left)) == Decimal(right), (
                    at,
                    left,
                    right,
                )
            else:
                assert (left or "") == right, (at, left, right)


@pytest.mark.parametrize(
    ("slug", "table", "rows"),
    [
        ("divisions-provinces", "provinces", 31),
        ("divisions-cities", "cities", 342),
        ("divisions-areas", "areas", 2978),
        ("divisions-streets", "streets", 41352),
    ],
)
def test_civil_affairs_database(demo: Demo, tmp_path: Path, slug: str, table: str, rows: int):
    file = tmp_path / "divisions.sqlite"
    file.write_bytes(
        gzip.decompress((FILES / "civil-affairs-divisions/divisions.sqlite.gz").read_bytes())
    )
    with sqlite3.connect(file) as connection:
        names = [row[1] for row in connection.execute(f"pragma table_info({table})")]
        source = {tuple(row) for row in connection.execute(f"select * from {table}")}
    connection.close()
    header, ours, types = only_table(demo, slug)
    assert (header, len(ours), set(types.values())) == (names, rows, {"string"})
    assert {tuple(row) for row in ours} == source


def test_civil_affairs_gb18030_file(demo: Demo):
    text = (FILES / "civil-affairs-divisions/areas.gb18030.csv").read_bytes().decode("gb18030")
    header, *source = list(csv.reader(io.StringIO(text)))
    ours_header, ours, types = only_table(demo, "divisions-areas-export")
    assert ours_header == header
    assert_equal(source, ours, [types[name] for name in header])


def test_ecology_hours(demo: Demo):
    source: list[list[str]] = []
    for file in sorted((FILES / "ecology-environment-air").glob("*.csv.gz")):
        with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
            header, *rows = list(csv.reader(text))
            source += rows
    ours_header, ours, types = only_table(demo, "air-quality-hourly")
    assert (ours_header, len(source)) == (header, 140_256)
    assert_equal(source, ours, [types[name] for name in header])


def test_health_districts(demo: Demo):
    source = json.loads(
        gzip.decompress(
            (FILES / "health-commission-covid/shanghai-districts-daily.json.gz").read_bytes()
        )
    )
    header, ours, types = only_table(demo, "covid-shanghai-districts")
    assert set(header) == set(source[0])
    expected = [
        [None if record[name] is None else str(record[name]) for name in header]
        for record in source
    ]
    assert_equal(expected, ours, [types[name] for name in header])
    assert len(ours) == 5920


def test_health_provinces(demo: Demo):
    with gzip.open(
        FILES / "health-commission-covid/china-provinces-daily.csv.gz",
        "rt",
        encoding="utf-8",
        newline="",
    ) as text:
        header, *source = list(csv.reader(text))
    ours_header, ours, types = only_table(demo, "covid-provinces")
    assert (set(ours_header), len(ours)) == (set(header), 11_023)
    order = [header.index(name) for name in ours_header]
    assert_equal(
        [[row[at] for at in order] for row in source], ours, [types[name] for name in ours_header]
    )


def test_planning_outlines(demo: Demo):
    features = json.loads(
        (FILES / "planning-natural-resources-geo/shanghai-districts.geojson").read_text("utf-8")
    )["features"]
    header, ours, _ = only_table(demo, "shanghai-districts")
    assert len(ours) == len(features) == 16
    for feature, row in zip(features, ours, strict=True):
        record = dict(zip(header, row, strict=True))
        assert record["name"] == feature["properties"]["name"]
        assert record["id"] == str(feature.get("id", ""))
        assert json.loads(record["geometry"]) == feature["geometry"]


def test_general_office_holidays(demo: Demo):
    expected = []
    for file in sorted((FILES / "general-office-holidays").glob("*.json")):
        year = json.loads(file.read_text("utf-8"))
        expected += [
            [str(year["year"]), day["name"], day["date"], str(day["isOffDay"]).lower()]
            for day in year["days"]
        ]
    header, ours, types = only_table(demo, "public-holidays")
    assert (header, ours) == (["year", "name", "date", "isOffDay"], expected)
    assert (len(ours), types["date"], types["isOffDay"]) == (678, "date", "boolean")


def test_world_population(demo: Demo):
    with (FILES / "intl-world-population/data/population.csv").open(
        encoding="utf-8", newline=""
    ) as text:
        header, *source = list(csv.reader(text))
    ours_header, ours, types = only_table(demo, "world-population")
    assert (ours_header, len(ours)) == (header, 17_195)
    assert_equal(source, ours, [types[name] for name in header])


def sheets(file: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """Name and rows of texts of each sheet, read as the XML that an .xlsx is."""
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(file) as package:
        shared = [
            "".join(part.text or "" for part in item.iter(f"{main}t"))
            for item in ElementTree.fromstring(package.read("xl/sharedStrings.xml"))  # noqa: S314 # a file of this repository
        ]
        book = ElementTree.fromstring(package.read("xl/workbook.xml"))  # noqa: S314 # a file of this repository
        for at, sheet in enumerate(book.iter(f"{main}sheet"), 1):
            tree = ElementTree.fromstring(package.read(f"xl/worksheets/sheet{at}.xml"))  # noqa: S314 # a file of this repository
            rows = []
            for row in tree.iter(f"{main}row"):
                cells = []
                for cell in row.iter(f"{main}c"):
                    value = cell.findtext(f"{main}v")
                    if value is not None:
                        cells.append(shared[int(value)] if cell.get("t") == "s" else value)
                rows.append(cells)
            yield sheet.get("name", ""), rows


def plain(text: str) -> str:
    """A cell's text for comparing: numbers as the 64-bit floats that Excel knows, texts with single spaces."""
    try:
        return repr(float(text))
    except ValueError:
        return re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize(
    "workbook",
    ["Table_D1_Summary_CI_Vulnerability_Data_V1.1.0.xlsx", "Table_D3_Costs_V1.1.0.xlsx"],
)
def test_gfdrr_workbooks(demo: Demo, workbook: str):
    """Each cell of a row of a table's sheet is in the portal's table as often as in the sheet."""
    by_sheet = {table["key"]: table for table in tables(demo, "infrastructure-vulnerability")}
    checked = 0
    for name, rows in sheets(FILES / "intl-gfdrr-excel" / workbook):
        if name not in by_sheet:
            continue
        _, ours = served(demo, by_sheet[name])
        theirs = Counter(plain(cell) for row in rows for cell in row if cell.strip())
        served_cells = Counter(plain(cell) for row in ours for cell in row if cell)
        body = {cell for row in rows[3:] if len(row) > 3 for cell in map(plain, row) if cell}
        assert not {cell for cell in body if cell not in served_cells}, name
        assert not {cell for cell in served_cells if cell not in theirs}, name
        checked += 1
    assert checked >= 1


def test_belgium_catalogue(demo: Demo):
    """40 datasets, each title in each of its plain languages."""
    ns = {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"}
    tree = ElementTree.parse(FILES / "intl-belgium-dcat/catalog.rdf")  # noqa: S314 # a file of this repository
    titles = []
    for node in tree.getroot().iter("{http://www.w3.org/ns/dcat#}Dataset"):
        found = {
            title.get("{http://www.w3.org/XML/1998/namespace}lang"): title.text
            for title in node.findall("dct:title", ns)
        }
        if found:
            titles.append(found)
    ours = [
        dataset(demo, card["slug"])["texts"]["title"]
        for card in all_of(demo, "belgium-planning-bureau")
    ]
    assert len(titles) == len(ours) == 40
    for title in titles:
        assert any(
            all(one.get(language) == text for language, text in title.items()) for one in ours
        ), title


def test_philadelphia_records(demo: Demo):
    """70 records: titles, number of resources and their addresses."""
    records = [
        yaml.safe_load(re.split(r"^---\s*$", file.read_text("utf-8"), flags=re.MULTILINE)[1])
        for file in sorted((FILES / "intl-philadelphia-jkan/_datasets").glob("*.md"))
    ]
    cards = all_of(demo, "opendataphilly")
    assert len(records) == len(cards) == 70
    theirs = Counter(
        ((record["title"] or "").strip(), len(record["resources"] or ())) for record in records
    )
    ours = Counter(
        (card["texts"]["title"]["en"], len(dataset(demo, card["slug"])["resources"]))
        for card in cards
    )
    ((untitled, resources),) = (
        theirs - ours
    )  # one record has no title and is shown under its file's name
    assert untitled == ""
    assert list(ours - theirs) == [("Creal program", resources)]


def all_of(demo: Demo, organization: str) -> list[dict]:
    """Every dataset of an organization, through the pages of the API."""
    found: list[dict] = []
    while True:
        page = json.loads(
            fetch(
                demo, f"/api/v1/datasets?organization={organization}&limit=50&offset={len(found)}"
            )
        )
        found += page["results"]
        if not page["results"] or len(found) >= page["total"]:
            return found
