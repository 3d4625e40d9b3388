"""Places: shapes near a place or in a box, coordinates in another datum, long pages as files."""

from __future__ import annotations

import io
import json
from dataclasses import replace as changed
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.models.vocabulary import ColumnAccess, ColumnType
from catalog.permissions import SCHEDULER
from catalog.services import table_columns, table_writes
from catalog.tabular.coordinates import Datum, convert
from tests.make_page import page
from tests.make_portal import Served, make_served
from tests.make_reading import make_file
from tests.make_table import Row, make_columns
from tests.make_table_page import make_table_of_files

SHAPES = make_columns(
    name=ColumnType.STRING,
    geometry=ColumnType.GEOMETRY,
    wkt=ColumnType.STRING,
    n=ColumnType.INTEGER,
)
SQUARE = [[[121.0, 31.0], [122.0, 31.0], [122.0, 32.0], [121.0, 32.0], [121.0, 31.0]]]
CORNER = [[[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [0.0, 0.0]]]
FIJI = [[[178.0, -18.0], [179.5, -18.0], [179.5, -16.0], [178.0, -18.0]]]


def shape(kind: str, coordinates: object) -> str:
    return json.dumps({"type": kind, "coordinates": coordinates})


SHAPE_ROWS: tuple[Row, ...] = (
    {"name": "point", "geometry": shape("Point", [121.47, 31.23]), "wkt": "POINT (121.47 31.23)"},
    {"name": "square", "geometry": shape("Polygon", SQUARE), "wkt": "junk"},
    {"name": "corner", "geometry": shape("Polygon", CORNER), "wkt": None},
    {"name": "fiji", "geometry": shape("Polygon", FIJI), "wkt": "POINT (-179.9 -17)"},
    {"name": "none", "geometry": None, "wkt": ""},
    {"name": "junk", "geometry": "{}", "wkt": "POINT EMPTY"},
)


@pytest.fixture
def shapes(app: Flask, tmp_path: Path) -> Served:
    rows = tuple({**row, "n": at} for at, row in enumerate(SHAPE_ROWS))
    return make_served(tmp_path, columns=SHAPES, rows=rows)


def get(client: FlaskClient, table: str, what: str = "rows", **parameters: object) -> Any:
    return client.get(f"/api/v1/tables/{table}/{what}?{urlencode(parameters)}")


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json["rows"]]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ("31.2,121.4,31.3,121.5", ["point", "square"]),
        ("31.5,121.5,31.6,121.6", ["square"]),  # wholly inside
        ("32,122,33,123", ["square"]),  # the corner of the one touches that of the other
        ("3,3,4,4", []),  # inside the box around a triangle, but not inside the triangle
        ("1,1,1,1", ["corner"]),  # a point
        ("1,-1,1,9", ["corner"]),  # a line
        ("-20,177,-15,-177", ["fiji"]),  # across 180°
        ("-90,-180,90,180", ["point", "square", "corner", "fiji"]),
    ],
)
def test_shapes_are_found_in_a_box_of_which_any_part_counts(
    client: FlaskClient, shapes: Served, box: str, expected: list[str]
) -> None:
    assert names(get(client, shapes.table, box=f"geometry,{box}")) == expected
    counted = get(client, shapes.table, "count", where=f"box(geometry, {box.replace(',', ', ')})")
    assert counted.json["count"] == len(expected)
    outside = get(client, shapes.table, where=f"not box(geometry, {box.replace(',', ', ')})")
    assert names(outside) == [
        str(row["name"]) for row in SHAPE_ROWS[:4] if row["name"] not in expected
    ]


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        ("31.23,121.47,0", ["point", "square"]),
        ("31.5,120.9,9", []),
        ("31.5,120.9,10", ["square"]),  # 0.1° of longitude are 9.5 km here
        ("-17,-179.9,200", ["fiji"]),
        ("0,0,1", ["corner"]),
    ],
)
def test_shapes_are_found_by_the_distance_of_their_nearest_part(
    client: FlaskClient, shapes: Served, near: str, expected: list[str]
) -> None:
    assert names(get(client, shapes.table, near=f"geometry,{near}")) == expected
    latitude, longitude, km = map(float, near.split(","))
    body = {
        "near": {"columns": ["geometry"], "latitude": latitude, "longitude": longitude, "km": km}
    }
    asked = client.post(f"/api/v1/tables/{shapes.table}/query", json={"where": body})
    assert names(asked) == expected


def test_points_as_well_known_text_are_shapes_too(client: FlaskClient, shapes: Served) -> None:
    assert names(get(client, shapes.table, near="wkt,31.2,121.5,10")) == ["point"]
    assert names(get(client, shapes.table, box="wkt,-20,170,0,-170")) == ["fiji"]


def test_rows_of_shapes_are_sorted_grouped_deleted_and_downloaded(
    client: FlaskClient, shapes: Served
) -> None:
    asked = {"box": "geometry,31,121,32,122"}
    assert names(get(client, shapes.table, order_by="-n", **asked)) == ["square", "point"]
    groups = get(client, shapes.table, "group", measures="count(*)", **asked)
    assert groups.json["rows"] == [{"count": 2}]
    assert get(client, shapes.table, "download.csv", **asked).text.count("\r\n") == 3
    page_of_it = get(client, shapes.table, limit=1, **asked)
    assert names(client.get(page_of_it.json["next"])) == ["square"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"box": "geometry,32,121,31,122"}, "upside down"),
        ({"box": "n,n,32,121,31,122"}, "upside down"),
        ({"box": "n,31,121,32,122"}, "holds no shapes"),
        ({"near": "n,31,121,1"}, "holds no shapes"),
        ({"near": "geometry,31,121"}, "no place"),
        ({"near": "a,b,c,31,121,1"}, "no place"),
        ({"near": "geometry,91,121,1"}, "latitude"),
        ({"box": "nothing,31,121,32,122"}, "no column"),
    ],
)
def test_a_place_that_makes_no_sense_is_refused_with_a_reason(
    client: FlaskClient, shapes: Served, asked: dict[str, str], words: str
) -> None:
    answer = get(client, shapes.table, **asked)
    assert answer.status_code == 400
    assert words in answer.json["detail"]


def test_masked_shapes_answer_no_question(client: FlaskClient, shapes: Served) -> None:
    table_columns.set_access(SCHEDULER, shapes.table, "geometry", ColumnAccess.MASKED)
    for asked in ({"box": "geometry,31,121,32,122"}, {"near": "geometry,31,121,5"}):
        answer = get(client, shapes.table, **asked)
        assert answer.status_code == 400
        assert "masked" in answer.json["detail"]


PLACE = (116.404, 39.915)
"""In GCJ-02."""


def make_amap(folder: Path, rows: str) -> str:
    """A table whose coordinates are in GCJ-02, as its data dictionary says."""
    schema = {
        "fields": [
            {"name": "name"},
            {"name": "lon", "type": "number", "semantic": "longitude", "crs": "gcj02"},
            {"name": "lat", "type": "number", "semantic": "latitude", "crs": "gcj02"},
        ]
    }
    text = f"name,lon,lat\na,{PLACE[0]},{PLACE[1]}\n{rows}"
    return make_table_of_files([make_file(folder, "t.csv", text)], read={"schema": schema})


@pytest.fixture
def amap(app: Flask, tmp_path: Path) -> str:
    """Places in China, abroad, and none."""
    return make_amap(tmp_path, "b,2.35,48.85\nc,,39.9\nd,500,39.9\n")


@pytest.mark.parametrize("target", ["wgs84", "bd09", "gcj02"])
def test_coordinates_come_in_the_datum_that_is_asked_for(
    client: FlaskClient, amap: str, target: str
) -> None:
    expected = convert(PLACE, Datum.GCJ02, Datum(target))
    answer = get(client, amap, crs=target)
    assert answer.json["crs"] == target
    first, second, third, fourth = answer.json["rows"]
    assert (first["lon"], first["lat"]) == pytest.approx(expected, abs=1e-8)
    assert (second["lon"], second["lat"]) == (2.35, 48.85)  # abroad all datums are one
    assert (third["lon"], third["lat"]) == (None, 39.9)
    assert fourth["lon"] == 500
    asked = client.post(f"/api/v1/tables/{amap}/query", json={"crs": target, "limit": 1})
    assert asked.json["rows"] == [first]
    file = get(client, amap, "download.csv", crs=target).text.splitlines()
    assert file[1] == f"a,{first['lon']},{first['lat']}"
    table = pq.read_table(io.BytesIO(get(client, amap, "download.parquet", crs=target).data))
    assert table["lon"].to_pylist()[0] == first["lon"]


def test_one_column_of_a_pair_is_converted_with_the_help_of_the_other(
    client: FlaskClient, amap: str
) -> None:
    expected = convert(PLACE, Datum.GCJ02, Datum.WGS84)
    answer = get(client, amap, crs="wgs84", select="lat,name", limit=1)
    (row,) = answer.json["rows"]
    assert list(row) == ["lat", "name"]
    assert row["lat"] == pytest.approx(expected[1], abs=1e-8)
    assert names(client.get(answer.json["next"])) == ["b"]
    file = get(client, amap, "download.csv", crs="wgs84", select="lat").text.splitlines()
    assert file[:2] == ["lat", str(row["lat"])]
    assert names(get(client, amap, crs="wgs84", select="name")) == list("abcd")


def test_near_and_box_are_meant_in_the_datum_that_is_asked_for(
    client: FlaskClient, amap: str
) -> None:
    longitude, latitude = convert(PLACE, Datum.GCJ02, Datum.WGS84)
    near = f"lat,lon,{latitude},{longitude},0.01"
    assert names(get(client, amap, near=near)) == []
    assert names(get(client, amap, near=near, crs="wgs84")) == ["a"]
    edges = f"lat,lon,{latitude - 1e-4},{longitude - 1e-4},{latitude + 1e-4},{longitude + 1e-4}"
    assert names(get(client, amap, box=edges)) == []
    assert names(get(client, amap, box=edges, crs="wgs84")) == ["a"]
    where = f"not (not box({edges.replace(',', ', ')}) or name = 'x') and name = 'a'"
    assert names(get(client, amap, where=where, crs="wgs84")) == ["a"]
    map_file = get(client, amap, "download.geojson", near=near, crs="wgs84").json
    assert [one["properties"]["name"] for one in map_file["features"]] == ["a"]


def test_geometries_are_converted_from_wgs84(client: FlaskClient, shapes: Served) -> None:
    expected = convert((121.47, 31.23), Datum.WGS84, Datum.GCJ02)
    rows = get(client, shapes.table, crs="gcj02", select="name,geometry").json["rows"]
    assert rows[0]["geometry"]["coordinates"] == pytest.approx(expected, abs=1e-8)
    assert rows[2]["geometry"]["coordinates"] == CORNER
    assert rows[4]["geometry"] is None
    assert get(client, shapes.table, "download.geojson", crs="gcj02").status_code == 400


@pytest.mark.parametrize(
    ("what", "asked"),
    [
        ("rows", {"crs": "wgs84", "distinct": "true"}),
        ("rows", {"crs": "epsg4326"}),
        ("download.geojson", {"crs": "bd09"}),
    ],
)
def test_what_cannot_be_converted_is_refused(
    client: FlaskClient, amap: str, what: str, asked: dict[str, str]
) -> None:
    assert get(client, amap, what, **asked).status_code in (400, 422)


def test_a_table_that_does_not_say_its_datum_is_not_converted(
    client: FlaskClient, app: Flask, tmp_path: Path
) -> None:
    plain = make_table_of_files([make_file(tmp_path, "t.csv", "lon,lat\n116.4,39.9\n")])
    unsaid = get(client, plain, crs="wgs84")
    assert unsaid.status_code == 400
    assert "nobody has said" in unsaid.json["detail"]
    without = make_table_of_files([make_file(tmp_path, "u.csv", "a\n1\n")], slug="other")
    assert "no columns of longitude" in get(client, without, crs="wgs84").json["detail"]


def test_the_map_shows_places_converted_and_says_so(
    client: FlaskClient, app: Flask, tmp_path: Path
) -> None:
    amap = make_amap(tmp_path, "b,116.5,39.8\n")
    east = convert(PLACE, Datum.GCJ02, Datum.WGS84)[0]
    shown = page(client, f"/en/tables/{amap}?view=map")
    assert "converted to WGS 84" in shown.get_text()
    assert f"{east:.6f}" in shown.get_text()
    assert f"{PLACE[0]:.6f}" not in shown.get_text()


@pytest.fixture
def long(app: Flask, tmp_path: Path) -> Served:
    """A table of 25,000 rows."""
    columns = make_columns(n=ColumnType.INTEGER, t=ColumnType.STRING)
    rows = tuple({"n": at, "t": f"t{at % 7}"} for at in range(25_000))
    return make_served(tmp_path, columns=columns, rows=rows)


def numbers(kind: str, content: bytes) -> list[int]:
    if kind == "csv":
        return [int(line.split(",")[0]) for line in content.decode().splitlines()[1:]]
    if kind == "jsonl":
        return [json.loads(line)["n"] for line in content.splitlines()]
    read = (
        pq.read_table if kind == "parquet" else lambda source: pa.ipc.open_stream(source).read_all()
    )
    found: list[int] = read(io.BytesIO(content))["n"].to_pylist()
    return found


@pytest.mark.parametrize("kind", ["csv", "jsonl", "arrow", "parquet"])
def test_a_page_as_a_file_may_be_longer_than_one_of_json(
    client: FlaskClient, long: Served, kind: str
) -> None:
    first = get(client, long.table, limit=20_000, format=kind)
    assert first.headers["X-Total-Count"] == "25000"
    assert numbers(kind, first.data) == list(range(20_000))
    link = first.headers["Link"].partition(">")[0].removeprefix("<")
    second = client.get(link)
    assert numbers(kind, second.data) == list(range(20_000, 25_000))
    assert "Link" not in second.headers
    asked = {"order_by": "-n", "where": "t = 't1'", "limit": 10_001, "format": kind}
    expected = sorted((n for n in range(25_000) if n % 7 == 1), reverse=True)
    assert numbers(kind, get(client, long.table, **asked).data) == expected


def test_groups_and_joins_and_distinct_rows_come_as_long_files(
    client: FlaskClient, long: Served
) -> None:
    body = {"group_by": ["n"], "order_by": ["n"], "limit": 20_000, "format": "csv"}
    groups = client.post(f"/api/v1/tables/{long.table}/query", json=body)
    assert groups.headers["X-Total-Count"] == "25000"
    assert numbers("csv", groups.data) == list(range(20_000))
    assert "Link" not in groups.headers
    onward = client.post(
        f"/api/v1/tables/{long.table}/query", json={**body, "cursor": groups.headers["Weft-Cursor"]}
    )
    assert numbers("csv", onward.data) == list(range(20_000, 25_000))
    table_columns.set_key(SCHEDULER, long.table, ["n"])
    join = {"table": long.table, "on": [["n", "n"]], "name": "o"}
    joined = client.post(
        f"/api/v1/tables/{long.table}/query", json={"join": join, "limit": 12_000, "format": "csv"}
    )
    assert joined.headers["X-Total-Count"] == "25000"
    assert numbers("csv", joined.data) == list(range(12_000))
    nothing = get(client, long.table, where="n < 0", limit=20_000, format="arrow")
    assert numbers("arrow", nothing.data) == []


def test_a_long_page_converts_its_coordinates(client: FlaskClient, amap: str) -> None:
    short = get(client, amap, crs="wgs84", format="csv", select="lon")
    whole = get(client, amap, crs="wgs84", format="csv", select="lon", limit=20_000)
    assert whole.data == short.data
    assert whole.headers["Weft-CRS"] == "wgs84"


def test_a_page_has_no_more_rows_than_its_format_allows(
    app: Flask, client: FlaskClient, long: Served
) -> None:
    weft = app.extensions["weft"]
    weft["settings"] = changed(weft["settings"], page_file_rows=20_000)
    for asked in ({"limit": 10_001}, {"limit": 20_001, "format": "csv"}):
        answer = get(client, long.table, **asked)
        assert answer.status_code == 422
        assert "10000 rows of JSON, or 20000" in answer.json["problems"]["limit"][0]
        posted = client.post(f"/api/v1/tables/{long.table}/query", json=asked)
        assert posted.status_code == 422
    assert get(client, long.table, limit=20_000, format="csv").status_code == 200


def test_rows_in_a_box_can_be_deleted(client: FlaskClient, shapes: Served) -> None:
    from catalog.tabular.where import parse_where

    where = parse_where("box(geometry, 31, 121, 32, 122)")
    assert table_writes.delete(SCHEDULER, shapes.table, where=where).deleted == 2
