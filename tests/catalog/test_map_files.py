"""Map files: geometries as well-known binary, GeoJSON by features, GeoPackage with equal bytes for equal rows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pyarrow as pa
import pyogrio
import pytest
import shapely

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.coordinates import Datum
from catalog.tabular.geojson import geojson_stream
from catalog.tabular.geopackage import geopackage_stream
from catalog.tabular.places import Meaning, Place, coordinates, place_of
from catalog.tabular.wkb import wkb_of
from tests.make_table import make_columns

RING = [[0, 0], [4, 0], [4, 4], [0, 0]]
SHAPES = (
    {"type": "Point", "coordinates": [1.5, 2]},
    {"type": "Point", "coordinates": [1.5, 2, 99]},
    {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
    {"type": "Polygon", "coordinates": [RING, [[1, 1], [2, 1], [2, 2], [1, 1]]]},
    {"type": "MultiPoint", "coordinates": [[0, 0], [1, 1]]},
    {"type": "MultiLineString", "coordinates": [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]},
    {"type": "MultiPolygon", "coordinates": [[RING]]},
    {
        "type": "GeometryCollection",
        "geometries": [
            {"type": "Point", "coordinates": [1, 2]},
            {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
        ],
    },
)
MADE = datetime(2024, 1, 1, tzinfo=UTC)
COLUMNS = (
    Column("名称", "c0", ColumnType.STRING),
    Column("fid", "c1", ColumnType.INTEGER),
    Column("Fid", "c2", ColumnType.INTEGER),
    Column("where", "c3", ColumnType.GEOMETRY),
)
PLACE = Place((COLUMNS[3],))


def batch(*shapes: str | None) -> pa.RecordBatch:
    count = len(shapes)
    arrays = [
        pa.array([f"第{at}" for at in range(count)]),
        pa.array(range(count), pa.int64()),
        pa.array(range(count), pa.int64()),
        pa.array(shapes, pa.string()),
    ]
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in COLUMNS])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape["type"])
def test_a_geometry_is_the_same_as_well_known_binary(shape: dict[str, object]) -> None:
    written = wkb_of(orjson.dumps(shape).decode())
    flat = shapely.force_2d(shapely.from_geojson(orjson.dumps(shape)))
    assert shapely.from_wkb(written).equals(flat)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "no json",
        "1",
        "[]",
        "{}",
        '{"type": "Circle", "coordinates": [1, 2]}',
        '{"type": "Point", "coordinates": [1]}',
        '{"type": "Point", "coordinates": ["a", "b"]}',
        '{"type": "Polygon"}',
    ],
)
def test_what_is_no_geometry_has_none(text: str | None) -> None:
    assert wkb_of(text) is None


def test_features_are_json_whatever_the_cells_hold() -> None:
    shapes = [orjson.dumps(shape, option=orjson.OPT_INDENT_2).decode() for shape in SHAPES]
    rows = batch(*shapes, "no json", '"a text"', None)
    content = b"".join(geojson_stream([rows, rows.slice(0, 0)], COLUMNS, PLACE))
    features = orjson.loads(content)["features"]
    assert [feature["geometry"] for feature in features] == [*SHAPES, None, None, None]
    assert features[0]["properties"] == {"名称": "第0", "fid": 0, "Fid": 0}
    assert content.count(b"\n") == len(features) + 2
    assert orjson.loads(b"".join(geojson_stream([], COLUMNS, PLACE)))["features"] == []


def test_a_package_holds_every_row_and_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    rows = batch(orjson.dumps(SHAPES[3]).decode(), None)
    first, second = (
        b"".join(geopackage_stream([rows], COLUMNS, rows.schema, PLACE, MADE)) for _ in range(2)
    )
    assert first == second
    file = tmp_path / "x.gpkg"
    file.write_bytes(first)
    about, read = pyogrio.raw.read_arrow(file)
    assert about["crs"] == "EPSG:4326"
    assert read.column_names == ["名称", "fid_2", "Fid_3", "geom"]
    assert read["名称"].to_pylist() == ["第0", "第1"]
    assert shapely.from_wkb(read["geom"][0].as_py()).area == 7.5
    assert read["geom"][1].as_py() is None


def test_where_rows_are_is_told_by_a_geometry_or_by_a_pair() -> None:
    columns = make_columns(x=ColumnType.NUMBER, y=ColumnType.INTEGER, t=ColumnType.STRING)
    meanings = {"c0": Meaning("longitude", Datum.BD09), "c1": Meaning("latitude")}
    pair = place_of(columns, meanings)
    assert pair is not None
    assert (pair.is_point, pair.datum) == (True, Datum.BD09)
    assert place_of(columns, {"c0": Meaning("longitude")}) is None
    assert place_of(columns, {"c0": Meaning("longitude"), "c2": Meaning("latitude")}) is None
    assert place_of(COLUMNS, {}) == PLACE


def test_numbers_that_are_no_place_on_earth_are_no_place() -> None:
    columns = make_columns(x=ColumnType.NUMBER, y=ColumnType.NUMBER)
    rows = pa.RecordBatch.from_pydict({"x": [1.0, 181.0, None, 5.0], "y": [2.0, 2.0, 2.0, -91.0]})
    east, north = coordinates(rows, Place((columns[0], columns[1])))
    assert east.to_pylist() == [1.0, None, None, None]
    assert north.to_pylist() == [2.0, None, None, None]
    moved = coordinates(rows.slice(0, 0), Place((columns[0], columns[1]), Datum.GCJ02))
    assert [part.to_pylist() for part in moved] == [[], []]
