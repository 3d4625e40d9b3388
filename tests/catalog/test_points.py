"""Maps of points: where rows lie, exact counts in cells, a closer look, what has no place."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from catalog.permissions import ANYONE
from catalog.services import points, tables
from catalog.services.points import ACROSS, MOST_POINTS, TALLEST, PointMap, box_of, framed
from catalog.tabular.point_sql import FARTHEST_NORTH, Box, latitude_of, north_of
from catalog.tabular.query import Compare, Condition, Op
from tests.make_table_page import make_loaded_table

LIBRARIES = [
    {"name": "东馆", "lng": 121.54, "lat": 31.22},
    {"name": "西馆", "lng": 121.42, "lat": 31.2},
    {"name": "无处", "lng": None, "lat": 31.2},
]


def drawn(table_id: str, where: Condition | None = None, box: str = "") -> PointMap | None:
    table = tables.show(ANYONE, table_id)
    columns = {column.name: column for column in tables.columns_of(table)}
    places = points.places_of(table, columns) or points.shapes_of(table, columns)
    assert places is not None
    return points.show(ANYONE, table_id, places, where=where, box=box)


def test_few_points_are_drawn_one_by_one_with_their_names(app: Flask) -> None:
    found = drawn(make_loaded_table(LIBRARIES, slug="libraries"))
    assert found is not None
    assert [tuple(spot) for spot in found.spots] == [
        (121.54, 31.22, "东馆"),
        (121.42, 31.2, "西馆"),
    ]
    assert (found.total, found.inside, found.cells) == (2, 2, ())
    assert found.extent == Box(121.42, 31.2, 121.54, 31.22)
    assert found.box.west < 121.42
    assert found.box.east > 121.54


def test_many_points_are_counted_in_cells_exactly(app: Flask) -> None:
    rows = [
        {"n": at, "经度": 121 + (at * 7919 % 1000) / 1000, "纬度": 31 + (at * 104729 % 997) / 997}
        for at in range(3000)
    ]
    table = make_loaded_table(rows, slug="many")
    found = drawn(table)
    assert found is not None
    assert found.spots == ()
    assert sum(cell.rows for cell in found.cells) == found.total == 3000
    assert 1 < len(found.cells) <= ACROSS * math.ceil(ACROSS * TALLEST)
    for cell in found.cells:
        assert cell.west - 1e-6 <= cell.longitude <= cell.east + 1e-6
        assert cell.south - 1e-6 <= cell.latitude <= cell.north + 1e-6
    largest = found.cells[0]
    inside = [
        row
        for row in rows
        if largest.west <= row["经度"] < largest.east
        and largest.south <= row["纬度"] < largest.north
    ]
    assert abs(len(inside) - largest.rows) <= 2  # the ends of the cell are rounded for the address
    box = f"{largest.west},{largest.south},{largest.east},{largest.north}"
    closer = drawn(table, box=box)
    assert closer is not None
    assert closer.inside >= largest.rows - 2
    assert closer.total == 3000
    assert len(closer.spots) == closer.inside <= MOST_POINTS


def test_filters_leave_points_out(app: Flask) -> None:
    table = make_loaded_table(LIBRARIES, slug="libraries")
    found = drawn(table, Compare("name", Op.EQ, "东馆"))
    assert found is not None
    assert found.total == 1
    assert found.box.width == pytest.approx(points.LEAST_WIDTH)
    assert drawn(table, Compare("name", Op.EQ, "无处")) is None


def test_points_of_shapes_are_drawn_and_other_shapes_are_not(app: Flask) -> None:
    shapes: list[Any] = [
        {"type": "Point", "coordinates": [121.5, 31.2]},
        {"type": "Point", "coordinates": [200, 31.2]},
        {"type": "Point", "coordinates": ["x", None]},
        {"type": "Point"},
        {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
    ]
    rows: list[dict[str, object]] = [{"at": json.dumps(shape)} for shape in shapes]
    rows.append({"at": None})
    found = drawn(make_loaded_table(rows, slug="shapes", types={"at": "geojson"}))
    assert found is not None
    assert [tuple(spot) for spot in found.spots] == [(121.5, 31.2, "")]
    assert found.places.system == "WGS 84"


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"lon": 121.5, "lat": 31.2}, True),
        ({"Longitude": 121.5, "Latitude": 31.2}, True),
        ({"GPS_LNG_gcj02": 121.5, "GPS_LAT_gcj02": 31.2}, True),
        ({"东经经度": 121.5, "北纬纬度": 31.2}, True),
        ({"lon": 13_500_000.0, "lat": 3_600_000.0}, False),
        ({"lon": "121.5 E", "lat": "31.2 N"}, False),
        ({"long": 121.5, "wide": 31.2}, False),
        ({"salon": 121.5, "flat": 31.2}, False),
    ],
)
def test_columns_of_degrees_are_told_by_name_and_values(
    app: Flask, row: dict[str, object], found: bool
) -> None:
    table = tables.show(ANYONE, make_loaded_table([row], slug="degrees"))
    columns = {column.name: column for column in tables.columns_of(table)}
    places = points.places_of(table, columns)
    assert (places is not None) == found
    if places:
        assert places.system == ("GCJ-02" if "gcj" in str(row) else "")


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "a,b,c,d", "3,0,1,2", "0,5,1,2", "0,0,999,1", "nan,0,1,1"]
)
def test_a_box_that_is_none_is_passed_over(text: str) -> None:
    assert box_of(text) is None


@given(st.floats(-180, 180), st.floats(-90, 90), st.floats(0, 360), st.floats(0, 180))
def test_every_frame_holds_its_box_and_has_the_shape_of_a_drawing(
    west: float, south: float, width: float, height: float
) -> None:
    box = Box(west, south, min(180.0, west + width), min(90.0, south + height))
    frame = framed(box)
    assert frame.west <= box.west
    assert frame.east >= box.east
    assert frame.south <= max(box.south, -FARTHEST_NORTH) + 1e-5
    assert frame.north >= min(box.north, FARTHEST_NORTH) - 1e-5
    assert frame.width > 0
    assert 0 < frame.height <= frame.width * TALLEST * 1.01


@given(st.floats(-85, 85))
def test_mercator_and_back(latitude: float) -> None:
    assert latitude_of(north_of(latitude)) == pytest.approx(latitude, abs=1e-9)
