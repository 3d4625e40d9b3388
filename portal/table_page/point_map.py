"""The map of points on the page: circles with exact counts, or the points themselves, and ways to look closer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from flask import g

from catalog.errors import NotFound
from catalog.services import points
from catalog.tabular.filters import Comparison, Filter
from catalog.tabular.point_sql import Box, latitude_of, north_of
from portal.filters import compact, number
from portal.languages import gettext, ngettext

if TYPE_CHECKING:
    from catalog.services.points import PointMap
    from portal.table_page.page import TablePage

WIDTH = 640.0
LISTED = 50
"""Cells or points in the table beside the map."""
LEAST_RADIUS, SPOT = 4.0, 5.0
ROOM_FOR_COUNT = 11.0
"""Least radius of a circle that has its count inside."""
STEPS = (
    45.0,
    30.0,
    20.0,
    10.0,
    5.0,
    2.0,
    1.0,
    0.5,
    0.2,
    0.1,
    0.05,
    0.02,
    0.01,
    0.005,
    0.002,
    0.001,
)
"""Degrees between lines of the grid."""
MOST_LINES = 7
CLOSER = 0.5
"""Part of the width that is left when looking closer."""
STEP_ASIDE = 0.5


@dataclass(frozen=True)
class Circle:
    """A circle of the drawing."""

    x: float
    y: float
    radius: float
    count: str
    said: str
    address: str


@dataclass(frozen=True)
class Line:
    """A line of the grid of degrees."""

    at: float
    words: str
    upright: bool


@dataclass(frozen=True)
class Row:
    """A line of the table: where, how many or what, and the address of the place."""

    place: str
    words: str
    address: str


class PointsView:
    """The map of the rows' places."""

    width = WIDTH

    def __init__(self, page: TablePage, found: PointMap) -> None:
        self.page = page
        self.map = found
        self.height = round(WIDTH * self.box.height / self.box.width, 1)

    @property
    def box(self) -> Box:
        """What is shown."""
        return self.map.box

    @property
    def in_cells(self) -> bool:
        """Whether circles stand for many points."""
        return bool(self.map.cells)

    @cached_property
    def circles(self) -> list[Circle]:
        """What is drawn, the largest first, so that none hides a smaller one."""
        if not self.in_cells:
            return [
                Circle(*self._place(spot.longitude, spot.latitude), SPOT, "", spot.name, "")
                for spot in self.map.spots
            ]
        most = self.map.cells[0].rows
        room = WIDTH / points.ACROSS / 2 * 1.15
        found = []
        for cell in self.map.cells:
            radius = max(LEAST_RADIUS, room * math.sqrt(cell.rows / most))
            count = compact(cell.rows) if radius >= ROOM_FOR_COUNT else ""
            said = _points(cell.rows)
            address = self._at(Box(cell.west, cell.south, cell.east, cell.north))
            place = self._place(cell.longitude, cell.latitude)
            found.append(Circle(*place, round(radius, 1), count, said, address))
        return found

    @property
    def rows(self) -> list[Row]:
        """The largest cells, or the points from north to south."""
        if self.in_cells:
            return [
                Row(
                    _degrees(cell.longitude, cell.latitude, 4),
                    number(cell.rows),
                    self._at(Box(cell.west, cell.south, cell.east, cell.north)),
                )
                for cell in self.map.cells[:LISTED]
            ]
        return [
            Row(_degrees(spot.longitude, spot.latitude, 6), spot.name or "–", "")
            for spot in self.map.spots[:LISTED]
        ]

    @property
    def listed(self) -> tuple[int, int]:
        """Lines of the table, and how many there would be."""
        every = len(self.map.cells) or self.map.inside
        return min(LISTED, every), every

    @property
    def name_label(self) -> str:
        """What the points are called."""
        name = self.map.places.name
        return self.page.label(name.name) if name else str(gettext("Name"))

    @property
    def legend(self) -> list[tuple[float, str]]:
        """Radii with the counts that they stand for, the largest first."""
        if not self.in_cells:
            return []
        most = self.map.cells[0].rows
        room = WIDTH / points.ACROSS / 2 * 1.15
        counts = dict.fromkeys(max(1, _round(most * part)) for part in (1.0, 0.25, 0.05))
        return [
            (round(max(LEAST_RADIUS, room * math.sqrt(count / most)), 1), _points(count))
            for count in counts
        ]

    @property
    def system(self) -> str:
        """The system of coordinates in words."""
        system = self.map.places.system
        if not system:
            return str(
                gettext("Coordinates: the data do not say in which system; drawn as WGS 84.")
            )
        if system in ("GCJ-02", "BD-09"):
            return str(
                gettext(
                    "Coordinates: published in %(system)s, which lies some hundred metres beside WGS 84; the map shows "
                    "them converted to WGS 84.",
                    system=system,
                )
            )
        return str(gettext("Coordinates: %(system)s.", system=system))

    @property
    def lines(self) -> Iterator[Line]:
        """Lines of equal longitude and latitude with their degrees."""
        step = next((s for s in reversed(STEPS) if self.box.width / s <= MOST_LINES), STEPS[0])
        for at in _steps(self.box.west, self.box.east, step):
            yield Line(self._place(at, 0.0)[0], _one(at, "E", "W"), upright=True)
        for at in _steps(self.box.south, self.box.north, step):
            yield Line(self._place(0.0, at)[1], _one(at, "N", "S"), upright=False)

    @property
    def moves(self) -> list[tuple[str, str, str]]:
        """Ids, words and addresses of ways to look elsewhere."""
        whole = points.framed(self.map.extent)
        found = [
            ("closer", gettext("Closer"), self._at(self._scaled(CLOSER))),
            ("farther", gettext("Farther"), self._at(self._scaled(1 / CLOSER))),
            ("west", gettext("West"), self._at(self._moved(-1, 0))),
            ("east", gettext("East"), self._at(self._moved(1, 0))),
            ("north", gettext("North"), self._at(self._moved(0, 1))),
            ("south", gettext("South"), self._at(self._moved(0, -1))),
        ]
        if self.box != whole:
            found.append(("whole", gettext("All points"), self.page.at.box("")))
        return [(name, str(words), address) for name, words, address in found]

    @property
    def rows_address(self) -> str:
        """The rows of the part that is shown; empty where filters cannot say it."""
        position = self.map.places.position
        if position.shape or position.is_moved:
            return ""
        ends = (
            (position.longitude.name, Comparison.AT_LEAST, self.box.west),
            (position.longitude.name, Comparison.AT_MOST, self.box.east),
            (position.latitude.name, Comparison.AT_LEAST, self.box.south),
            (position.latitude.name, Comparison.AT_MOST, self.box.north),
        )
        return self.page.at.filtered(
            *(Filter(name, comparison, f"{end:.6g}") for name, comparison, end in ends)
        )

    @property
    def box_address(self) -> str:
        """The address of a part that a script fills in."""
        return self.page.at.box("BOX")

    def _place(self, longitude: float, latitude: float) -> tuple[float, float]:
        scale = WIDTH / self.box.width
        across, down = longitude - self.box.west, self.box.top - north_of(latitude)
        return round(across * scale, 1), round(down * scale, 1)

    def _scaled(self, factor: float) -> Box:
        middle, level = (self.box.west + self.box.east) / 2, (self.box.bottom + self.box.top) / 2
        half, tall = self.box.width * factor / 2, self.box.height * factor / 2
        return _box(middle - half, level - tall, middle + half, level + tall)

    def _moved(self, east: int, north: int) -> Box:
        aside, up = east * self.box.width * STEP_ASIDE, north * self.box.height * STEP_ASIDE
        return _box(
            self.box.west + aside,
            self.box.bottom + up,
            self.box.east + aside,
            self.box.top + up,
        )

    def _at(self, box: Box) -> str:
        ends = (box.west, box.south, box.east, box.north)
        return self.page.at.box(",".join(f"{end:.6f}".rstrip("0").rstrip(".") for end in ends))


def _box(west: float, bottom: float, east: float, top: float) -> Box:
    """A box of Mercator's units, kept on the earth."""
    width = min(360.0, east - west)
    west = max(-180.0, min(180.0 - width, west))
    return Box(west, latitude_of(bottom), west + width, latitude_of(top))


def _steps(first: float, last: float, step: float) -> Iterator[float]:
    for at in range(math.ceil(first / step), math.floor(last / step) + 1):
        yield at * step


def _one(value: float, positive: str, negative: str) -> str:
    shown = f"{abs(value):.3f}".rstrip("0").rstrip(".")
    return f"{shown}°{positive if value >= 0 else negative}" if value else "0°"


def _points(count: int) -> str:
    return str(ngettext("%(count)s point", "%(count)s points", count, count=number(count)))


def _degrees(longitude: float, latitude: float, digits: int) -> str:
    return f"{longitude:.{digits}f}, {latitude:.{digits}f}"


def _round(value: float) -> int:
    """A count with one digit and noughts, as legends have them."""
    if value < 10:
        return int(value)
    size = 10.0 ** math.floor(math.log10(value))
    return int(int(value / size) * size)


def view_of(page: TablePage) -> PointsView | None:
    """The map of points, of two columns of degrees or of GeoJSON points; None where nothing has a place."""
    columns = page.columns
    places = points.places_of(page.table, columns) or points.shapes_of(page.table, columns)
    if places is None:
        raise NotFound("this table has no map")
    where, box = page.conditions.where, page.grid.box
    found = points.show(g.identity, page.table.id, places, where=where, box=box, as_of=page.as_of)
    return PointsView(page, found) if found else None
