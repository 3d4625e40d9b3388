"""Maps of points: where the rows of a table lie, counted in cells where they are many."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from catalog.files.cache import kept
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Identity
from catalog.services import tables
from catalog.services.maps import name_column
from catalog.services.table_lookup import Version, base_of, version_as_of
from catalog.tabular.chart import NUMERIC
from catalog.tabular.column import Column
from catalog.tabular.coordinates import DATUMS
from catalog.tabular.point_sql import (
    FARTHEST_NORTH,
    Box,
    Placed,
    Position,
    compile_cells,
    compile_extent,
    compile_inside,
    compile_points,
    latitude_of,
    placed,
)
from catalog.tabular.query import Condition

MOST_POINTS = 400
"""Points that are drawn one by one; more are counted in cells."""
ACROSS = 18
"""Cells from west to east."""
FLATTEST, TALLEST = 0.6, 0.85
"""Least and greatest height of a map as a part of its width."""
SEMANTICS = {180: frozenset({"longitude"}), 90: frozenset({"latitude"})}
"""Greatest degrees → what such columns mean."""
LEAST_WIDTH = 0.002
"""Degrees of the narrowest part that is shown: some two hundred metres."""
MARGIN = 0.04
LONGITUDES = re.compile(
    r"(^|[_\s\W])(lon|lng|long|longitude|经度)([_\s\W\d]|$)|经度", re.IGNORECASE
)
LATITUDES = re.compile(r"(^|[_\s\W])(lat|latitude|纬度)([_\s\W\d]|$)|纬度", re.IGNORECASE)
SYSTEMS = {"wgs84": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09", "cgcs2000": "CGCS2000"}
"""What a data dictionary calls a system of coordinates → its name."""
EDITION = "2"


class Cell(NamedTuple):
    """Points close to each other: how many, their middle, and the box of the cell."""

    rows: int
    longitude: float
    latitude: float
    west: float
    south: float
    east: float
    north: float


class Spot(NamedTuple):
    """One point and what it is called."""

    longitude: float
    latitude: float
    name: str


@dataclass(frozen=True)
class Places:
    """Where the rows of a table lie."""

    position: Position
    name: Column | None
    """The column that tells the points apart for people."""
    system: str
    """The system of coordinates, if the data dictionary says; empty when nothing is said."""


@dataclass(frozen=True)
class PointMap:
    """Points in a box, one by one or in cells."""

    places: Places
    extent: Box
    """All points that the filters leave."""
    box: Box
    """What is shown."""
    total: int
    """Points of the extent."""
    inside: int
    """Points of the box."""
    cells: tuple[Cell, ...]
    spots: tuple[Spot, ...]


def places_of(table: DataTable, columns: Mapping[str, Column]) -> Places | None:
    """Two columns of degrees, told by their names and their values; None where there are none."""
    described = {
        c.name: c for c in table.columns if c.name in columns and not columns[c.name].masked
    }
    numbers = [c for c in described.values() if columns[c.name].type in NUMERIC]
    east = [c for c in numbers if _is_degrees(c, LONGITUDES, 180)]
    north = [c for c in numbers if _is_degrees(c, LATITUDES, 90)]
    if not east or not north:
        return None
    datum = _datum(east[0]) or _datum(north[0])
    position = Position(
        columns[east[0].name], columns[north[0].name], datum if datum in DATUMS else ""
    )
    return Places(position, _name(table, columns), SYSTEMS.get(datum, ""))


def shapes_of(table: DataTable, columns: Mapping[str, Column]) -> Places | None:
    """The column of GeoJSON, whose points may be drawn; by its standard they are in WGS 84."""
    shapes = [c for c in columns.values() if c.type is ColumnType.GEOMETRY and not c.masked]
    if not shapes:
        return None
    return Places(Position(shapes[0], shapes[0]), _name(table, columns), SYSTEMS["wgs84"])


def show(
    who: Identity,
    table_id: str,
    places: Places,
    *,
    where: Condition | None = None,
    box: str = "",
    as_of: str | None = None,
) -> PointMap | None:
    """The points of a release in a part of the earth, in WGS 84; None where no row has a place."""
    table = tables.show(who, table_id)
    version = version_as_of(table, as_of)
    key = f"{EDITION} {table.id} {version.release} {table.narrowed} {places!r} {where!r} {box!r}"
    found = json.loads(kept("point-maps", key, lambda: _read(version, places, where, box)))
    if not found["total"]:
        return None
    return PointMap(
        places,
        Box(**found["extent"]),
        Box(**found["box"]),
        found["total"],
        found["inside"],
        tuple(Cell(*cell) for cell in found["cells"]),
        tuple(Spot(*spot) for spot in found["spots"]),
    )


def box_of(text: str) -> Box | None:
    """The box that an address names as `west,south,east,north`; None for what is none."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        return None
    inside = -360 <= west < east <= 360 and -90 <= south < north <= 90
    return Box(west, south, east, north) if inside else None


def framed(box: Box, margin: float = MARGIN) -> Box:
    """The box with a margin, not too narrow, in the shape of a drawing: neither too flat nor too high."""
    width = max(box.width * (1 + 2 * margin), LEAST_WIDTH)
    height = max(box.height * (1 + 2 * margin), width * FLATTEST)
    width = max(width, height / TALLEST)
    middle, level = (box.west + box.east) / 2, (box.bottom + box.top) / 2
    south, north = latitude_of(level - height / 2), latitude_of(level + height / 2)
    west, east = middle - width / 2, middle + width / 2
    return Box(
        *(
            round(end, 6)
            for end in (west, max(-FARTHEST_NORTH, south), east, min(FARTHEST_NORTH, north))
        )
    )


def _read(version: Version, places: Places, where: Condition | None, asked: str) -> bytes:
    base = base_of(version)
    points = placed(places.position, where, base.columns, base.relation)

    def rows(question: Placed) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = base.duck.table(*question).to_pylist()
        return found

    extent = rows(compile_extent(points))[0]
    total = extent.pop("n")
    if not total:
        return json.dumps({"total": 0}).encode()
    chosen = box_of(asked)
    box = framed(chosen, 0.0) if chosen else framed(Box(**extent))
    inside = rows(compile_inside(points, box))[0]["n"]
    cells = rows(compile_cells(points, box, ACROSS)) if inside > MOST_POINTS else []
    spots = [] if cells else rows(compile_points(points, box, places.name, MOST_POINTS))
    return json.dumps(
        {
            "extent": extent,
            "box": asdict(box),
            "total": total,
            "inside": inside,
            "cells": [_cell(cell, box) for cell in cells],
            "spots": [(spot["lon"], spot["lat"], spot["name"] or "") for spot in spots],
        }
    ).encode()


def _cell(found: Mapping[str, Any], box: Box) -> Cell:
    size = box.width / ACROSS
    west, bottom = box.west + found["x"] * size, box.bottom + found["y"] * size
    ends = (west, latitude_of(bottom), west + size, latitude_of(bottom + size))
    return Cell(found["n"], found["lon"], found["lat"], *(round(end, 6) for end in ends))


def _is_degrees(column: TableColumn, names: re.Pattern[str], most: int) -> bool:
    """Whether the column is called so, or means so, and its values can be degrees."""
    profile = column.profile or {}
    ends = [profile.get("least"), profile.get("greatest")]
    numbers = [end for end in ends if isinstance(end, int | float)]
    called = names.search(column.name) is not None or column.semantic in SEMANTICS[most]
    return called and all(-most <= end <= most for end in numbers)


def _datum(column: TableColumn) -> str:
    """The key in SYSTEMS that the data dictionary, or else the name of the column, says."""
    info = column.info or {}
    said = str(info.get("crs") or info.get("datum") or column.name).lower()
    plain = re.sub(r"[^a-z0-9]", "", said)
    return next((key for key in SYSTEMS if key in plain), "")


def _name(table: DataTable, columns: Mapping[str, Column]) -> Column | None:
    name = name_column(table)
    column = columns.get(name)
    return None if column is None or column.masked else column
