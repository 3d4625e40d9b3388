"""Maps: outlines projected and simplified, classes of values, the map of a day."""

from __future__ import annotations

import gzip
import json
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import NotFound
from catalog.permissions import ANYONE
from catalog.services import maps, tables
from catalog.tabular.classes import CLASSES, class_of, limits_of
from catalog.tabular.outlines import (
    MOST_POINTS,
    TALLEST,
    WIDTH,
    draw_outlines,
    rings_of,
    simplify,
)
from tests.make_table_page import link_map, make_loaded_table, make_table_of_files

DEMO = Path(__file__).parents[2] / "demo"
GEOJSON = DEMO / "planning-natural-resources-geo" / "shanghai-districts.geojson"
DAILY = DEMO / "health-commission-covid" / "shanghai-districts-daily.json.gz"
NUMBER = re.compile(r"-?\d+\.\d")
PLACES = st.lists(
    st.tuples(st.floats(-180, 180, allow_nan=False), st.floats(-90, 90, allow_nan=False)),
    min_size=3,
    max_size=40,
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=4),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "coordinates", "geometries", "geometry"]), inside, max_size=3
        )
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(["Polygon", "MultiPolygon", "GeometryCollection", "Feature", "Point"])


def square(left: float, bottom: float, side: float = 1.0) -> dict[str, Any]:
    right, top = left + side, bottom + side
    ring = [[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]]
    return {"type": "Polygon", "coordinates": [ring]}


# Outlines


@given(st.lists(st.lists(PLACES, min_size=1, max_size=3), min_size=1, max_size=5))
def test_every_point_of_a_drawing_lies_inside_its_frame(
    shapes: list[list[list[tuple[float, float]]]],
) -> None:
    drawing = draw_outlines({"type": "Polygon", "coordinates": rings} for rings in shapes)
    assert len(drawing.outlines) == len(shapes)
    assert drawing.width == WIDTH
    assert 0 < drawing.height <= WIDTH * TALLEST + 1
    for outline in drawing.outlines:
        numbers = [float(number) for number in NUMBER.findall(outline.path)]
        assert all(-0.1 <= x <= drawing.width + 0.1 for x in numbers[::2])
        assert all(-0.1 <= y <= drawing.height + 0.1 for y in numbers[1::2])


@given(ANYTHING, KINDS)
def test_whatever_is_no_outline_draws_nothing_and_breaks_nothing(thing: object, kind: str) -> None:
    for geometry in (
        thing,
        {"type": kind, "coordinates": thing, "geometries": thing, "geometry": thing},
    ):
        drawing = draw_outlines([geometry])
        assert len(drawing.outlines) == 1


@given(PLACES, st.floats(0.01, 5))
def test_simplifying_moves_an_outline_by_no_more_than_it_may(
    ring: list[tuple[float, float]], tolerance: float
) -> None:
    left = simplify(ring, tolerance)
    assert set(left) <= set(ring)
    assert left[0] == ring[0]
    assert left[-1] == ring[-1]
    for place in ring:
        assert min(_away(place, a, b) for a, b in pairwise(left)) <= tolerance + 1e-6


def _away(
    place: tuple[float, float], start: tuple[float, float], end: tuple[float, float]
) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    along = (
        0.0 if not length else ((place[0] - start[0]) * dx + (place[1] - start[1]) * dy) / length
    )
    along = max(0.0, min(1.0, along))
    return math.hypot(place[0] - start[0] - along * dx, place[1] - start[1] - along * dy)


def test_north_is_up_and_east_is_right() -> None:
    west, east, north = draw_outlines([square(121, 31), square(122, 31), square(121, 32)]).outlines
    assert west.x < east.x
    assert north.y < west.y
    assert west.room == pytest.approx(east.room, abs=0.2)


def test_features_and_collections_are_looked_into() -> None:
    collection = {
        "type": "GeometryCollection",
        "geometries": [square(0, 0), {"type": "Point", "coordinates": [0, 0]}],
    }
    assert len(list(rings_of({"type": "Feature", "geometry": collection}))) == 1
    two = {
        "type": "MultiPolygon",
        "coordinates": [square(0, 0)["coordinates"], square(3, 3)["coordinates"]],
    }
    assert len(list(rings_of(two))) == 2


def test_a_line_has_no_area_and_still_a_place_for_its_name() -> None:
    flat = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [2, 0], [0, 0]]]}
    assert draw_outlines([flat]).outlines[0].path.startswith("M")


def test_outlines_that_are_too_large_are_not_drawn() -> None:
    ring = [[math.cos(at), math.sin(at)] for at in range(MOST_POINTS + 1)]
    assert draw_outlines([{"type": "Polygon", "coordinates": [ring]}]).outlines[0].path == ""


# Classes


@given(st.lists(st.tuples(st.floats(0, 1e9), st.integers(0, 50)), max_size=60))
def test_limits_rise_and_every_value_has_a_class(counted: list[tuple[float, int]]) -> None:
    limits = limits_of(counted)
    assert len(limits) < CLASSES
    assert list(limits) == sorted(set(limits))
    assert all(0 <= class_of(value, limits) < CLASSES for value, _ in counted)


def test_zero_is_a_class_of_its_own_and_limits_are_round() -> None:
    assert limits_of([(0, 500), (1, 30), (2, 30), (5, 40), (8, 20), (15, 20), (123, 30)]) == (
        1,
        2,
        5,
        15,
    )
    assert limits_of([(value / 7, 1) for value in range(1, 100)]) == (2.9, 5.7, 8.6, 11)
    assert limits_of([(-5.0, 1), (0.0, 1), (5.0, 1)]) == (5,)
    assert limits_of([(0.0, 9)]) == ()
    assert limits_of([]) == ()
    assert class_of(4.9, (5, 10)) == 0
    assert class_of(5, (5, 10)) == 1


# The map of a day

JOIN = [["code", "id"], ["name", "name"]]
DISTRICTS = [
    {"id": "310101", "name": "黄浦区", "geometry": square(121.4, 31.2)},
    {"id": None, "name": "崇明区", "geometry": square(121.6, 31.5)},
    {"id": "310115", "name": "浦东新区", "geometry": square(121.5, 31.0)},
]
COUNTS = [
    {"day": "2020-01-01", "code": "310101", "name": "黄浦区", "cases": 3},
    {"day": "2020-01-03", "code": "310101", "name": "黄浦区", "cases": 5},
    {"day": "2020-01-03", "code": "310151", "name": "崇明区", "cases": 0},
    {"day": "2020-01-03", "code": "3100xy", "name": "外地来沪", "cases": 40},
    {"day": "2020-01-03", "code": "310115", "name": "浦东新区", "cases": None},
]


@pytest.fixture
def table_id(app: Flask, tmp_path: Path) -> str:
    outlines = tmp_path / "outlines.geojson"
    features = [
        {
            "type": "Feature",
            "id": d["id"],
            "properties": {"name": d["name"]},
            "geometry": d["geometry"],
        }
        for d in DISTRICTS
    ]
    outlines.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    drawn = make_table_of_files([outlines], slug="outlines")
    counts = make_loaded_table(COUNTS, slug="counts")
    link_map(counts, drawn, join=JOIN, day="day", value="cases")
    return counts


def test_values_are_joined_by_code_and_where_there_is_none_by_name(table_id: str) -> None:
    map_ = maps.show(ANYONE, table_id)
    assert map_.day == "2020-01-03"
    assert {area.name: (area.value, area.level) for area in map_.areas} == {
        "黄浦区": (5.0, class_of(5, map_.limits)),
        "崇明区": (0.0, 0),
        "浦东新区": (None, None),
    }
    assert map_.elsewhere == (("外地来沪", 40.0),)
    assert map_.outlines is not None


@pytest.mark.parametrize(
    ("asked", "day", "previous", "next_"),
    [
        ("", "2020-01-03", "2020-01-01", None),
        ("2020-01-02", "2020-01-01", None, "2020-01-03"),
        ("1999-01-01", "2020-01-01", None, "2020-01-03"),
        ("no day", "2020-01-03", "2020-01-01", None),
    ],
)
def test_a_day_without_values_gives_the_one_before(
    table_id: str, asked: str, day: str, previous: str | None, next_: str | None
) -> None:
    map_ = maps.show(ANYONE, table_id, asked)
    assert (map_.day, map_.previous, map_.next) == (day, previous, next_)


def test_without_outlines_the_values_are_still_told(app: Flask) -> None:
    counts = make_loaded_table(COUNTS, slug="counts")
    link_map(counts, "gone", join=JOIN, day="day", value="cases")
    map_ = maps.show(ANYONE, counts)
    assert map_.areas == ()
    assert map_.outlines is None
    assert len(map_.elsewhere) == 4


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"join": JOIN, "day": "day"},
        {"join": [], "day": "day", "value": "cases"},
        {"join": [["code"]], "day": "day", "value": "cases"},
        {"join": JOIN, "day": "gone", "value": "cases"},
    ],
)
def test_a_plan_that_does_not_fit_is_no_map(app: Flask, plan: dict[str, Any]) -> None:
    counts = make_loaded_table(COUNTS, slug="counts")
    link_map(counts, "outlines", **plan)
    assert maps.plan_of(tables.show(ANYONE, counts)) is None
    with pytest.raises(NotFound):
        maps.show(ANYONE, counts)


def test_a_table_without_days_has_no_map(app: Flask) -> None:
    empty = make_loaded_table([{"day": None, "code": "1", "name": "x", "cases": 1}], slug="empty")
    link_map(empty, "outlines", join=JOIN, day="day", value="cases")
    with pytest.raises(NotFound):
        maps.show(ANYONE, empty)


def test_geometries_that_are_no_json_and_values_that_are_no_numbers_are_passed_over() -> None:
    assert maps._geometry("{") is None
    assert maps._geometry({"type": "Point"}) == {"type": "Point"}
    assert [
        maps._is_number(value) for value in (None, True, "x", "1.5", float("nan"), float("inf"), 3)
    ] == [
        False,
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_the_real_districts_have_their_values_on_every_day(app: Flask) -> None:
    drawn = make_table_of_files([GEOJSON], slug="shanghai-districts")
    rows = json.loads(gzip.decompress(DAILY.read_bytes()))
    counts = make_loaded_table(rows, slug="covid")
    link_map(
        counts, drawn, join=[["cityCode", "id"], ["city", "name"]], day="date", value="confirmed"
    )
    map_ = maps.show(ANYONE, counts, "2020-03-01")
    of_day = {row["city"]: row["confirmed"] for row in rows if row["date"] == "2020-03-01"}
    on_map = {area.name: area.value for area in map_.areas if area.value is not None}
    assert len(map_.areas) == 16
    assert all(area.path for area in map_.areas)
    assert on_map | dict(map_.elsewhere) == of_day
    assert {name for name, _ in map_.elsewhere} == {"外地来沪", "未公布来源"}
    assert len(map_.days) == len({row["date"] for row in rows})
    assert len(map_.limits) == 4
