"""Outlines for small maps: GeoJSON geometries projected to a drawing and simplified. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Place = tuple[float, float]
Ring = list[Place]

WIDTH = 640.0
TALLEST = 1.25
"""Greatest height of a drawing, as a part of its width."""
TOLERANCE = 0.35
"""Units of the drawing that an outline may be moved by simplifying."""
MARGIN = 6.0
MOST_POINTS = 200_000
FARTHEST_NORTH = 85.0
"""Mercator has no poles."""


@dataclass(frozen=True)
class Outline:
    """An area of the drawing: its path, where its name may stand and how much room the name has."""

    path: str
    x: float
    y: float
    room: float
    tall: float


@dataclass(frozen=True)
class Drawing:
    """Areas in one frame."""

    width: float
    height: float
    outlines: tuple[Outline, ...]


def rings_of(geometry: object) -> Iterator[Ring]:
    """The rings of a Polygon, MultiPolygon, Feature or collection; all else has none."""
    if not isinstance(geometry, Mapping):
        return
    inside = geometry.get("coordinates")
    match geometry.get("type"):
        case "Polygon":
            yield from _rings(inside)
        case "MultiPolygon" if isinstance(inside, Sequence):
            for polygon in inside:
                yield from _rings(polygon)
        case "Feature":
            yield from rings_of(geometry.get("geometry"))
        case "GeometryCollection" if isinstance(geometry.get("geometries"), Sequence):
            for part in geometry["geometries"]:
                yield from rings_of(part)


def _rings(polygon: Any) -> Iterator[Ring]:
    if not isinstance(polygon, Sequence) or isinstance(polygon, str):
        return
    for ring in polygon:
        places = (
            [place for point in ring if (place := _place(point)) is not None]
            if _is_list(ring)
            else []
        )
        if len(places) >= 3:
            yield places


def _is_list(thing: object) -> bool:
    return isinstance(thing, Sequence) and not isinstance(thing, str)


def _place(point: Any) -> Place | None:
    try:
        lon, lat = float(point[0]), float(point[1])
    except (TypeError, ValueError, IndexError, KeyError):
        return None
    return (lon, lat) if math.isfinite(lon) and math.isfinite(lat) else None


def draw_outlines(geometries: Iterable[object], width: float = WIDTH) -> Drawing:
    """All geometries in one frame, north up, at most `width` wide; one outline for each geometry."""
    shapes = [[_mercator(ring) for ring in rings_of(geometry)] for geometry in geometries]
    places = [place for shape in shapes for ring in shape for place in ring]
    if not places or len(places) > MOST_POINTS:
        return Drawing(width, width, tuple(Outline("", 0, 0, 0, 0) for _ in shapes))
    left, right = min(p[0] for p in places), max(p[0] for p in places)
    bottom, top = min(p[1] for p in places), max(p[1] for p in places)
    inner = width - 2 * MARGIN
    scale = min(inner / max(right - left, 1e-9), inner * TALLEST / max(top - bottom, 1e-9))
    indent = MARGIN + (inner - (right - left) * scale) / 2

    def fit(ring: Ring) -> Ring:
        return [(indent + (x - left) * scale, MARGIN + (top - y) * scale) for x, y in ring]

    height = round((top - bottom) * scale + 2 * MARGIN, 1)
    outlines = tuple(_outline([fit(ring) for ring in shape]) for shape in shapes)
    return Drawing(width, height, outlines)


def _mercator(ring: Ring) -> Ring:
    return [(math.radians(lon), _north(lat)) for lon, lat in ring]


def _north(latitude: float) -> float:
    clamped = max(-FARTHEST_NORTH, min(FARTHEST_NORTH, latitude))
    return math.log(math.tan(math.pi / 4 + math.radians(clamped) / 2))


def _outline(rings: list[Ring]) -> Outline:
    if not rings:
        return Outline("", 0, 0, 0, 0)
    largest = max(rings, key=lambda ring: abs(_area(ring)))
    x, y = _middle(largest)
    width = max(p[0] for p in largest) - min(p[0] for p in largest)
    height = max(p[1] for p in largest) - min(p[1] for p in largest)
    path = "".join(_path(simplify(ring, TOLERANCE)) for ring in rings)
    return Outline(path, round(x, 1), round(y, 1), round(width, 1), round(height, 1))


def _area(ring: Ring) -> float:
    shifted = [*ring[1:], ring[0]]
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, shifted, strict=True)) / 2


def _middle(ring: Ring) -> Place:
    area = _area(ring)
    if abs(area) < 1e-9:
        return ring[0]
    x = y = 0.0
    for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
        cross = x0 * y1 - x1 * y0
        x += (x0 + x1) * cross
        y += (y0 + y1) * cross
    return x / (6 * area), y / (6 * area)


def _path(ring: Ring) -> str:
    if len(ring) > 1 and ring[0] == ring[-1]:
        ring = ring[:-1]
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in ring)
    return f"M{steps}Z"


def simplify(ring: Ring, tolerance: float) -> Ring:
    """Douglas and Peucker's: no dropped place lies farther than `tolerance` from what is kept."""
    if len(ring) <= 4:
        return ring
    keep = [False] * len(ring)
    keep[0] = keep[-1] = True
    spans = [(0, len(ring) - 1)]
    while spans:
        first, last = spans.pop()
        at, distance = _farthest(ring, first, last)
        if distance > tolerance:
            keep[at] = True
            spans += [(first, at), (at, last)]
    return [place for place, kept in zip(ring, keep, strict=True) if kept]


def _farthest(ring: Ring, first: int, last: int) -> tuple[int, float]:
    best, distance = first, -1.0
    for at in range(first + 1, last):
        away = _distance(ring[at], ring[first], ring[last])
        if away > distance:
            best, distance = at, away
    return best, distance


def _distance(place: Place, start: Place, end: Place) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    along = 0.0
    if length:
        along = max(
            0.0, min(1.0, ((place[0] - start[0]) * dx + (place[1] - start[1]) * dy) / length)
        )
    return math.hypot(place[0] - start[0] - along * dx, place[1] - start[1] - along * dy)
