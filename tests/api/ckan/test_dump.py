"""`/datastore/dump/…`: files as CKAN writes them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.ckan.dump import _cut
from api.ckan.tables import Field
from api.ckan.types import pg_type
from api.ckan.writers import writer_of
from catalog.models.vocabulary import ColumnType
from tests.make_ckan import make_app
from tests.make_portal import Served, make_served
from tests.make_table import make_columns

BOOKS = make_columns(
    book=ColumnType.STRING,
    year=ColumnType.INTEGER,
    shape=ColumnType.GEOMETRY,
    price=ColumnType.NUMBER,
)
POINT = '{"type":"Point","coordinates":[121.5,31.2]}'
ROWS = (
    {"book": "annakarenina", "year": 1878, "shape": POINT, "price": 12.5},
    {"book": "war & <peace>, “1”", "year": None, "shape": None, "price": 9.0},
    {"book": "红楼梦", "year": 1791, "shape": None, "price": None},
)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Served]]:
    folder = tmp_path_factory.mktemp("dump")
    with make_app(folder) as app:
        yield app, make_served(folder, columns=BOOKS, rows=ROWS)


@pytest.fixture
def client(portal: tuple[Flask, Served]) -> FlaskClient:
    return portal[0].test_client()


@pytest.fixture
def path(portal: tuple[Flask, Served]) -> str:
    return f"/datastore/dump/{portal[1].resource}"


def test_csv_has_a_head_and_a_line_a_row(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.text == (
        "_id,book,year,shape,price\r\n"
        '1,annakarenina,1878,"{""type"":""Point"",""coordinates"":[121.5,31.2]}",12.5\n'
        '2,"war & <peace>, “1”",,,9\n'
        "3,红楼梦,1791,,\n"
    )
    assert response.content_type == "text/csv; charset=utf-8"
    name = path.rsplit("/", 1)[1]
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}.csv"'
    assert response.headers["RateLimit-Limit"] == "100000"
    assert list(csv.reader(io.StringIO(response.text)))[2][1] == "war & <peace>, “1”"


def test_tsv_has_tabs_and_a_mark_when_it_is_wanted(client: FlaskClient, path: str) -> None:
    response = client.get(f"{path}?format=tsv&bom=true&fields=book,year&limit=1")
    assert response.data == b"\xef\xbb\xbfbook\tyear\r\nannakarenina\t1878\n"
    assert response.content_type == "text/tab-separated-values; charset=utf-8"
    assert response.headers["Content-Disposition"].endswith('.tsv"')


def test_json_has_fields_and_lists(client: FlaskClient, path: str) -> None:
    response = client.get(f"{path}?format=json")
    assert response.content_type == "application/json; charset=utf-8"
    assert response.text.startswith('{\n  "fields": [{"id":"_id","type":"int"},')
    assert '"records": [\n    [1,' in response.text
    assert response.text.endswith("\n]}\n")
    body = response.json
    assert body["records"][0] == [1, "annakarenina", 1878, orjson.loads(POINT), 12.5]
    assert body["records"][1][4] == 9
    empty = client.get(f"{path}?format=json&limit=0")
    assert empty.json["records"] == []


def test_xml_has_an_element_a_field(client: FlaskClient, path: str) -> None:
    response = client.get(f"{path}?format=xml&bom=1")
    assert response.content_type == "text/xml; charset=utf-8"
    assert response.data.startswith(b"\xef\xbb\xbf<data xmlns:xsi=")
    root = ET.fromstring(response.data)  # noqa: S314 # our own
    first, second, _ = root.findall("row")
    assert first.attrib == {"_id": "1"}
    assert first.findtext("book") == "annakarenina"
    shape = first.find("shape")
    assert shape is not None
    assert [(value.get("key"), value.text) for value in shape] == [
        ("type", "Point"),
        ("coordinates", None),
    ]
    assert [value.text for value in shape[1]] == ["121.5", "31.2"]
    assert second.findtext("book") == "war & <peace>, “1”"
    year = second.find("year")
    assert year is not None
    assert year.attrib == {"{http://www.w3.org/2001/XMLSchema-instance}nil": "true"}


def test_names_that_xml_cannot_have_are_changed_and_stay_apart() -> None:
    text = pg_type("text")
    assert text is not None
    names = ["278bad_name", "xmlbad_name", "bad name", "bad_(name)", ".bad_name", "（）", "站点"]
    fields = [Field(name, name, text, {}) for name in names]
    writer = writer_of("xml", fields, bom=False)
    assert [getattr(writer, "names", None)] == [
        ["bad_name", "bad_name_0", "bad_name_1", "bad_name_2", "bad_name_3", "_0", "站点"]
    ]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ("", ["1", "2", "3"]),
        ("limit=2", ["1", "2"]),
        ("offset=1&limit=1", ["2"]),
        ("offset=9", []),
        ("limit=0", []),
        ("sort=year desc nulls last", ["1", "3", "2"]),
        ("sort=_id desc&limit=1", ["3"]),
        ('filters={"price": {"lt": 10}}', ["2"]),
        ("q=红楼", ["3"]),
        ('q={"book": "peace"}', ["2"]),
        ("q=a|b&plain=false", []),
    ],
)
def test_a_dump_may_be_cut_sorted_and_narrowed(
    client: FlaskClient, path: str, asked: str, ids: list[str]
) -> None:
    lines = client.get(f"{path}?{asked}").text.splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == ids


def test_a_dump_may_have_ranks_or_distinct_rows(client: FlaskClient, path: str) -> None:
    ranked = client.get(f"{path}?q=annakarenina&fields=book,rank").text
    assert ranked.startswith("book,rank\r\nannakarenina,0.")
    distinct = client.get(f"{path}?fields=year&distinct=1&sort=year desc nulls last").text
    assert distinct == "year\r\n1878\n1791\n\n"


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("limit=x", 400, "limit: Invalid integer"),
        ("limit=-1", 400, "limit: Must be a natural number"),
        ("format=exe", 400, "format: Value must be one of ['csv', 'tsv', 'json', 'xml']"),
        ("filters={", 400, "filters: Cannot parse JSON"),
        ("fields=nope", 400, 'fields: invalid value "nope"'),
        ("sort=nope", 400, 'sort: invalid value "nope"'),
        ('filters={"year": "x"}', 400, "query: Invalid query"),
    ],
)
def test_what_cannot_be_dumped_gets_a_line_that_says_why(
    client: FlaskClient, path: str, asked: str, status: int, said: str
) -> None:
    response = client.get(f"{path}?{asked}")
    assert response.status_code == status
    assert response.text.splitlines()[0] == said
    assert response.content_type == "text/plain; charset=utf-8"


def test_a_dump_of_nothing_is_not_found(client: FlaskClient) -> None:
    response = client.get("/datastore/dump/nope")
    assert response.status_code == 404
    assert response.text == "Not found: DataStore resource not found"
    assert client.get("/datastore/nope").status_code == 404


def test_parts_are_cut_wherever_they_end(tmp_path: Path) -> None:
    import pyarrow as pa

    parts = [pa.table({"a": list(range(start, start + 4))}) for start in (0, 4, 8)]
    for offset, limit in ((0, None), (3, 2), (4, 4), (5, 20), (12, 1), (0, 0), (11, None)):
        cut = [value for part in _cut(parts, offset, limit) for value in part["a"].to_pylist()]
        assert cut == list(range(12))[offset:][:limit]
