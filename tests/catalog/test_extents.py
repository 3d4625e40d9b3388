"""The small map of a dataset's area."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.tabular.extents import DOT, MOST_POINTS, SHORTEST, TALLEST, WIDTH, draw_extent

SQUARE = [[121.0, 31.0], [122.0, 31.0], [122.0, 32.0], [121.0, 31.0]]


def test_a_box_lies_in_the_middle_among_labelled_degrees() -> None:
    drawn = draw_extent([120.8, 30.6, 122.2, 31.9])
    assert drawn is not None
    assert drawn.box is not None
    left, top, width, height = drawn.box
    assert left + width / 2 == pytest.approx(WIDTH / 2, abs=0.2)
    assert top + height / 2 == pytest.approx(drawn.height / 2, abs=0.2)
    assert [line.label for line in drawn.meridians] == ["121°E", "122°E"]
    assert [line.label for line in drawn.parallels] == ["31°N", "32°N"]
    xs = [line.at for line in drawn.meridians]
    ys = [line.at for line in drawn.parallels]
    assert xs == sorted(xs)
    assert ys == sorted(ys, reverse=True)
    assert (drawn.path, drawn.dots) == ("", ())


@pytest.mark.parametrize(
    ("geometry", "paths", "dots"),
    [
        ({"type": "Polygon", "coordinates": [SQUARE]}, 1, 0),
        ({"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE]]}, 2, 0),
        ({"type": "Point", "coordinates": [121.5, 31.2]}, 0, 1),
        ({"type": "LineString", "coordinates": SQUARE}, 0, 4),
        ({"type": "MultiLineString", "coordinates": [SQUARE, SQUARE]}, 0, 8),
        ({"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}, 0, 1),
        (
            {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Point", "coordinates": [1, 2]},
                    {"type": "Polygon", "coordinates": [SQUARE]},
                ],
            },
            1,
            1,
        ),
    ],
)
def test_every_kind_of_geometry_is_drawn(geometry: Any, paths: int, dots: int) -> None:
    drawn = draw_extent((), geometry)
    assert drawn is not None
    assert (drawn.path.count("M"), len(drawn.dots), drawn.box) == (paths, dots, None)
    assert SHORTEST * WIDTH - 1 <= drawn.height <= TALLEST * WIDTH + 1


def test_a_box_over_the_antimeridian_is_no_larger_than_it_is() -> None:
    drawn = draw_extent([170, -20, -170, -10])
    assert drawn is not None
    assert drawn.box is not None
    assert drawn.box[2] > WIDTH / 3
    assert {"170°E", "175°E", "180°W", "175°W", "170°W"} & {line.label for line in drawn.meridians}


def test_a_point_as_a_box_can_be_seen() -> None:
    drawn = draw_extent([7, 50, 7, 50])
    assert drawn is not None
    assert drawn.box is not None
    assert drawn.box[2:] == (DOT, DOT)


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {},
        {"type": "Point", "coordinates": ["a", None]},
        {"type": "Point"},
        {"type": "MultiPoint", "coordinates": 3},
        {"type": "Polygon", "coordinates": "x"},
        {"type": "Point", "coordinates": [float("nan"), 1]},
    ],
)
def test_what_is_no_place_is_not_drawn(geometry: Any) -> None:
    assert draw_extent((), geometry) is None
    assert draw_extent([0, 0, 1, 1], geometry) is not None


def test_of_a_very_fine_outline_the_box_is_drawn_only() -> None:
    ring = [[n / MOST_POINTS, n % 7] for n in range(MOST_POINTS + 1)]
    drawn = draw_extent([0, 0, 1, 7], {"type": "Polygon", "coordinates": [ring]})
    assert drawn is not None
    assert (drawn.path, drawn.box is None) == ("", False)
