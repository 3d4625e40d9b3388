"""Shapes of a column, GeoJSON or well-known text, compared with a place or a box; exact, a batch at a time.

These are functions of DuckDB, see `duck`. They never raise: a text that is no shape is unknown, as a null is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import shapely

from catalog.tabular.bound import EARTH_KM
from catalog.tabular.coordinates import Datum, convert_all

Function = Callable[..., pa.Array]


def in_box(
    texts: pa.Array, south: pa.Array, west: pa.Array, north: pa.Array, east: pa.Array
) -> pa.Array:
    """Whether any part of a shape lies in the box of degrees, edges included; the box may cross 180°."""
    if not len(texts):
        return pa.array([], pa.bool_())
    shapes = _shapes(texts)
    area = _area(*(edge[0].as_py() for edge in (south, west, north, east)))
    return _told(shapes, _compared(shapes, lambda known: shapely.intersects(known, area)))


def near(texts: pa.Array, latitude: pa.Array, longitude: pa.Array, km: pa.Array) -> pa.Array:
    """Whether the nearest part of a shape lies within so many kilometres of a place.

    Shapes are drawn around the place with true distances and directions from it; for points this is exact, for
    edges of shapes it is as exact as the sphere itself up to some hundred kilometres.
    """
    if not len(texts):
        return pa.array([], pa.bool_())
    shapes = _shapes(texts)
    around = _around(latitude[0].as_py(), longitude[0].as_py())
    place, most = shapely.Point(0.0, 0.0), km[0].as_py()
    found = _compared(
        shapes, lambda known: shapely.dwithin(shapely.transform(known, around), place, most)
    )
    return _told(shapes, found)


def moved(longitude: pa.Array, latitude: pa.Array, source: pa.Array, target: pa.Array) -> pa.Array:
    """Pairs of coordinates in another datum, as `lon` and `lat`."""
    points = longitude.to_numpy(zero_copy_only=False), latitude.to_numpy(zero_copy_only=False)
    if len(longitude):
        points = convert_all(points, Datum(source[0].as_py()), Datum(target[0].as_py()))
    return pa.StructArray.from_arrays(
        [pa.array(one, pa.float64(), from_pandas=True) for one in points], ["lon", "lat"]
    )


def _shapes(texts: pa.Array) -> np.ndarray:
    """The shapes; None for what is no shape, or an empty one."""
    values = np.array(texts.to_pylist(), object)
    is_json = np.array([bool(text) and text.lstrip().startswith("{") for text in values], bool)
    shapes = np.full(len(values), None, object)
    shapes[is_json] = shapely.from_geojson(values[is_json], on_invalid="ignore")
    shapes[~is_json] = shapely.from_wkt(values[~is_json], on_invalid="ignore")
    shapes[shapely.is_empty(shapes)] = None
    return shapes


def _compared(shapes: np.ndarray, compare: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The comparison; shapes that cross themselves are mended first where it cannot be made otherwise."""
    try:
        return compare(shapes)
    except shapely.errors.ShapelyError:
        return compare(shapely.make_valid(shapes))


def _told(shapes: np.ndarray, found: np.ndarray) -> pa.Array:
    return pa.array(found, pa.bool_(), mask=shapely.is_missing(shapes))


def _area(south: float, west: float, north: float, east: float) -> shapely.Geometry:
    """The box; across 180° two of them; what has no breadth or no height is a line or a point."""
    parts = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    corners = [shapely.MultiPoint([(left, south), (right, north)]) for left, right in parts]
    return shapely.union_all(shapely.envelope(corners))


def _around(latitude: float, longitude: float) -> Callable[[np.ndarray], np.ndarray]:
    """What turns degrees into kilometres east and north of a place, by the equidistant projection of a sphere."""
    here, there = np.radians(latitude), np.radians(longitude)

    def project(points: np.ndarray) -> np.ndarray:
        north, turn = np.radians(points[:, 1]), np.radians(points[:, 0]) - there
        height = np.sin((north - here) / 2) ** 2
        height += np.cos(here) * np.cos(north) * np.sin(turn / 2) ** 2
        distance = 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(height, 0.0, 1.0)))
        east = np.cos(north) * np.sin(turn)
        up = np.cos(here) * np.sin(north) - np.sin(here) * np.cos(north) * np.cos(turn)
        direction = np.arctan2(east, up)
        return np.column_stack([distance * np.sin(direction), distance * np.cos(direction)])

    return project


_DOUBLE, _TEXT = "DOUBLE", "VARCHAR"
FUNCTIONS: Mapping[str, tuple[Function, tuple[str, ...], str]] = MappingProxyType(
    {
        "shape_in_box": (in_box, (_TEXT, *[_DOUBLE] * 4), "BOOLEAN"),
        "shape_near": (near, (_TEXT, *[_DOUBLE] * 3), "BOOLEAN"),
        "datum_moved": (
            moved,
            (_DOUBLE, _DOUBLE, _TEXT, _TEXT),
            "STRUCT(lon DOUBLE, lat DOUBLE)",
        ),
    }
)
"""Name → function, types of what it takes, type of what it gives."""
