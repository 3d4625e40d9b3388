"""A small drawing of where a dataset lies: its box and its outline among degrees. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.tabular.outlines import FARTHEST_NORTH, Place, rings_of

WIDTH, TALLEST, SHORTEST = 320.0, 1.1, 0.5
"""Of the drawing, and its greatest and least height as parts of the width."""
ROOM = 0.35
"""Room around the place, as a part of its size."""
LEAST_DEGREES = 0.02
"""A point is shown with so much around it: about two kilometres."""
MOST_POINTS = 4_000
"""Of an outline with more points its box is drawn only: a page must stay small."""
STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 45, 90)
LINES = 4
"""Lines of degrees in one direction, at most."""
DOT = 4.0


@dataclass(frozen=True)
class Line:
    """A meridian or a parallel: where it stands in the drawing, and its degree."""

    at: float
    label: str


@dataclass(frozen=True)
class Extent:
    """What the drawing shows."""

    width: float
    height: float
    meridians: tuple[Line, ...]
    parallels: tuple[Line, ...]
    box: tuple[float, float, float, float] | None
    """Left, top, width and height; at least as large as a dot."""
    path: str
    """The outline of areas."""
    dots: tuple[Place, ...]
    """Single points."""


def draw_extent(box: Sequence[float], geometry: object = None) -> Extent | None:
    """The drawing of a box (west, south, east, north) and a GeoJSON geometry; None where there is neither."""
    rings = list(rings_of(geometry))
    dots = list(_dots(geometry))
    if sum(map(len, rings)) + len(dots) > MOST_POINTS:
        rings, dots = [], []
    places = [*(place for ring in rings for place in ring), *dots]
    if len(box) == 4:
        west, south, east, north = (float(edge) for edge in box)
        box = west, south, east + 360 if east < west else east, north
        places += [(box[0], south), (box[2], north)]
    if not places:
        return None
    frame = _Frame(places)
    return Extent(
        WIDTH,
        frame.height,
        tuple(frame.meridians()),
        tuple(frame.parallels()),
        frame.rectangle(box) if len(box) == 4 else None,
        "".join(frame.path(ring) for ring in rings),
        tuple(frame.place(dot) for dot in dots),
    )


class _Frame:
    """What of the world is drawn: the places with room around them, north up."""

    def __init__(self, places: Sequence[Place]) -> None:
        xs, ys = [p[0] for p in places], [_north(p[1]) for p in places]
        wide = max(max(xs) - min(xs), max(ys) - min(ys), LEAST_DEGREES) * (1 + 2 * ROOM)
        tall = max((max(ys) - min(ys)) * (1 + 2 * ROOM), wide * SHORTEST)
        wide = max(wide, tall / TALLEST)
        self.left = (min(xs) + max(xs) - wide) / 2
        self.top = (min(ys) + max(ys) + tall) / 2
        self.scale = WIDTH / wide
        self.right, self.bottom = self.left + wide, self.top - tall
        self.height = round(tall * self.scale, 1)

    def place(self, place: Place) -> Place:
        """Where it stands in the drawing."""
        x, y = place[0] - self.left, self.top - _north(place[1])
        return round(x * self.scale, 1), round(y * self.scale, 1)

    def path(self, ring: Sequence[Place]) -> str:
        """The ring as a path; points that fall together are one."""
        drawn = dict.fromkeys(map(self.place, ring))
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in drawn) + "Z"

    def rectangle(self, box: Sequence[float]) -> tuple[float, float, float, float]:
        """The box in the drawing."""
        (left, top), (right, bottom) = self.place((box[0], box[3])), self.place((box[2], box[1]))
        return left, top, max(round(right - left, 1), DOT), max(round(bottom - top, 1), DOT)

    def meridians(self) -> Iterator[Line]:
        """Lines from north to south."""
        for degree in _degrees(self.left, self.right):
            east = (degree + 180) % 360 - 180
            yield Line(self.place((degree, 0))[0], _label(east, "E", "W"))

    def parallels(self) -> Iterator[Line]:
        """Lines from west to east."""
        for degree in _degrees(_south(self.bottom), _south(self.top)):
            yield Line(self.place((0, degree))[1], _label(degree, "N", "S"))


def _degrees(least: float, most: float) -> Iterator[float]:
    step = next((one for one in STEPS if (most - least) / one <= LINES), STEPS[-1])
    for number in range(math.ceil(least / step), math.floor(most / step) + 1):
        yield round(number * step, 6)


def _label(degree: float, positive: str, negative: str) -> str:
    side = positive if degree > 0 else negative if degree < 0 else ""
    return f"{abs(degree):g}°{side}"


def _north(latitude: float) -> float:
    """Mercator's ordinate, in degrees as the equator has them."""
    clamped = max(-FARTHEST_NORTH, min(FARTHEST_NORTH, latitude))
    return math.degrees(math.log(math.tan(math.pi / 4 + math.radians(clamped) / 2)))


def _south(ordinate: float) -> float:
    """The latitude of an ordinate."""
    return math.degrees(2 * math.atan(math.exp(math.radians(ordinate))) - math.pi / 2)


def _dots(geometry: object) -> Iterator[Place]:
    """Points, and the points of lines."""
    for one in _simple(geometry):
        inside: Any = one.get("coordinates")
        lines = {
            "Point": [[inside]],
            "MultiPoint": [inside],
            "LineString": [inside],
            "MultiLineString": inside,
        }.get(str(one.get("type")), ())
        for line in lines if isinstance(lines, Sequence) else ():
            yield from _points(line)


def _simple(geometry: object) -> Iterator[Mapping[str, Any]]:
    """The geometries inside a feature or a collection."""
    if not isinstance(geometry, Mapping):
        return
    yield geometry
    yield from _simple(geometry.get("geometry"))
    parts = geometry.get("geometries")
    for part in parts if isinstance(parts, Sequence) else ():
        yield from _simple(part)


def _points(given: Any) -> Iterator[Place]:
    for point in given if isinstance(given, Sequence) and not isinstance(given, str) else ():
        try:
            lon, lat = float(point[0]), float(point[1])
        except (TypeError, ValueError, IndexError, KeyError):
            continue
        if math.isfinite(lon) and math.isfinite(lat):
            yield lon, lat
