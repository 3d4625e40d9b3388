"""SQL of maps of points: how many there are, where they lie, and counts in the cells of a grid. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.tabular.column import Column
from catalog.tabular.coordinates import Datum
from catalog.tabular.query import Condition
from catalog.tabular.sql import compile_where, quoted

Placed = tuple[str, list[object]]
"""SQL that begins with the points as `p`, and its parameters."""
FARTHEST_NORTH = 85.0
"""Mercator has no poles."""


@dataclass(frozen=True)
class Box:
    """A part of the earth in degrees; the north and the south are within Mercator's reach."""

    west: float
    south: float
    east: float
    north: float

    @property
    def width(self) -> float:
        """Degrees from west to east."""
        return self.east - self.west

    @property
    def bottom(self) -> float:
        """The south in Mercator's units, which are degrees at the equator."""
        return north_of(self.south)

    @property
    def top(self) -> float:
        """The north in the same units."""
        return north_of(self.north)

    @property
    def height(self) -> float:
        """From south to north in Mercator's units."""
        return self.top - self.bottom


@dataclass(frozen=True)
class Position:
    """Where a row lies: two columns of degrees, or one of GeoJSON points."""

    longitude: Column
    latitude: Column
    datum: str = ""
    """What two columns refer to; places come out in WGS-84."""

    @property
    def is_moved(self) -> bool:
        """Whether what is published differs from the place in WGS-84."""
        return self.datum not in ("", Datum.WGS84)

    @property
    def shape(self) -> Column | None:
        """The column of GeoJSON, when both are in one."""
        return self.longitude if self.longitude == self.latitude else None


def north_of(latitude: float) -> float:
    """Mercator's y of a latitude, in degrees at the equator."""
    clamped = max(-FARTHEST_NORTH, min(FARTHEST_NORTH, latitude))
    return math.degrees(math.log(math.tan(math.pi / 4 + math.radians(clamped) / 2)))


def latitude_of(north: float) -> float:
    """The way back."""
    return math.degrees(2 * math.atan(math.exp(math.radians(north))) - math.pi / 2)


def placed(
    position: Position, where: Condition | None, columns: Sequence[Column], relation: str
) -> Placed:
    """The rows that satisfy `where` and have a place on the earth, with it as `lon` and `lat`."""
    text, parameters = compile_where(where, columns)
    lon, lat = _degrees(position)
    if position.is_moved:
        place = f"datum_moved({lon}, {lat}, '{Datum(position.datum)}', '{Datum.WGS84}')"
        relation = f"(SELECT *, {place} AS moved FROM {relation})"
        lon, lat = "moved.lon", "moved.lat"
    inside = f"lon BETWEEN -180 AND 180 AND lat BETWEEN -{FARTHEST_NORTH} AND {FARTHEST_NORTH}"
    rows = f"SELECT *, {lon} AS lon, {lat} AS lat FROM {relation}{text}"
    return f"WITH p AS (SELECT * FROM ({rows}) WHERE {inside})", parameters


def _degrees(position: Position) -> tuple[str, str]:
    shape = position.shape
    if shape is None:
        east, north = quoted(position.longitude), quoted(position.latitude)
        return f"CAST({east} AS DOUBLE)", f"CAST({north} AS DOUBLE)"
    name = quoted(shape)
    point = f"CASE WHEN json_valid({name}) AND json_extract_string({name}, '$.type') = 'Point' THEN"
    place = f"json_extract_string({name}, '$.coordinates[{{}}]')"
    lon, lat = (f"{point} TRY_CAST({place.format(at)} AS DOUBLE) END" for at in (0, 1))
    return lon, lat


def compile_extent(points: Placed) -> Placed:
    """How many points there are, as `n`, and the ends of the box that holds them."""
    ends = "min(lon) AS west, min(lat) AS south, max(lon) AS east, max(lat) AS north"
    return f"{points[0]} SELECT count(*) AS n, {ends} FROM p", points[1]


def compile_inside(points: Placed, box: Box) -> Placed:
    """How many points lie in the box, as `n`."""
    inside, parameters = _inside(box)
    return f"{points[0]} SELECT count(*) AS n FROM p WHERE {inside}", [*points[1], *parameters]


def compile_cells(points: Placed, box: Box, across: int) -> Placed:
    """Counts and means of the cells of a square grid, `across` cells wide: `x`, `y`, `n`, `lon`, `lat`."""
    inside, parameters = _inside(box)
    size = box.width / across
    last_x, last_y = across - 1, max(0, math.ceil(box.height / size) - 1)
    north = "degrees(ln(tan(pi() / 4 + radians(lat) / 2)))"
    x = "least(greatest(CAST(floor((lon - ?) / ?) AS INTEGER), 0), ?)"
    y = f"least(greatest(CAST(floor(({north} - ?) / ?) AS INTEGER), 0), ?)"
    return (
        (
            f"{points[0]} SELECT {x} AS x, {y} AS y, count(*) AS n, avg(lon) AS lon, avg(lat) AS lat "
            f"FROM p WHERE {inside} GROUP BY 1, 2 ORDER BY n DESC, x, y"
        ),
        [*points[1], box.west, size, last_x, box.bottom, size, last_y, *parameters],
    )


def compile_points(points: Placed, box: Box, name: Column | None, most: int) -> Placed:
    """The points in the box from north to south, as `lon`, `lat` and `name`."""
    inside, parameters = _inside(box)
    named = f"CAST({quoted(name)} AS VARCHAR)" if name else "''"
    return (
        (
            f"{points[0]} SELECT lon, lat, {named} AS name FROM p WHERE {inside} "
            "ORDER BY lat DESC, lon, name LIMIT ?"
        ),
        [*points[1], *parameters, most],
    )


def _inside(box: Box) -> tuple[str, list[object]]:
    return (
        "lon BETWEEN ? AND ? AND lat BETWEEN ? AND ?",
        [box.west, box.east, box.south, box.north],
    )
