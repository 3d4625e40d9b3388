"""Coordinates of the three datums that are in use in China, converted into each other.

GCJ-02 moves every place in the country by some hundred metres, BD-09 moves it once more. Both are defined by
the way forward only; the way back is found by repeating it until nothing changes, which is exact to less than a
millimetre. Outside of the country (a rectangle, as the definition has it) all three are equal to WGS-84.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum

Point = tuple[float, float]
"""Longitude and latitude in degrees."""


class Datum(StrEnum):
    """What a pair of longitude and latitude refers to."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


DATUMS = tuple(datum.value for datum in Datum)
DATUM_NAMES = {"wgs84": "WGS-84", "gcj02": "GCJ-02", "bd09": "BD-09"}
AXIS = 6378245.0
"""Of Krassowski's ellipsoid, on which GCJ-02 is defined."""
ECCENTRICITY = 0.00669342162296594323
WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271
BD_TURN = math.pi * 3000 / 180
BD_EAST, BD_NORTH = 0.0065, 0.006
EXACT = 1e-11
"""Degrees: a thousandth of a millimetre."""
MOST_STEPS = 50


def convert(point: Point, source: Datum, target: Datum) -> Point:
    """The place in the other datum."""
    if source is target:
        return point
    if source is Datum.BD09:
        point = _back(point, _bd_from_gcj)
    if source is Datum.WGS84 and is_inside(point):
        point = _gcj_from_wgs(point)
    if target is Datum.BD09:
        return _bd_from_gcj(point) if is_inside(point) else point
    if target is Datum.WGS84:
        return _back(point, _gcj_from_wgs)
    return point


def is_inside(point: Point) -> bool:
    """Whether the place lies where the datums differ."""
    longitude, latitude = point
    return WEST <= longitude <= EAST and SOUTH <= latitude <= NORTH


def _back(point: Point, forward: Callable[[Point], Point]) -> Point:
    """The place that `forward` brings here."""
    if not is_inside(point):
        return point
    found = point
    for _ in range(MOST_STEPS):
        moved = forward(found)
        off = (point[0] - moved[0], point[1] - moved[1])
        found = (found[0] + off[0], found[1] + off[1])
        if max(map(abs, off)) < EXACT:
            break
    return found


def _gcj_from_wgs(point: Point) -> Point:
    longitude, latitude = point
    east, north = _shift(longitude - 105.0, latitude - 35.0)
    radians = math.radians(latitude)
    bend = 1 - ECCENTRICITY * math.sin(radians) ** 2
    root = math.sqrt(bend)
    north = math.degrees(north * bend * root / (AXIS * (1 - ECCENTRICITY)))
    east = math.degrees(east * root / (AXIS * math.cos(radians)))
    return longitude + east, latitude + north


def _shift(x: float, y: float) -> Point:
    """How far a place moves, in metres to the east and to the north."""
    common = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + common
    east += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + common
    north += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    return east, north


def _bd_from_gcj(point: Point) -> Point:
    x, y = point
    radius = math.hypot(x, y) + 0.00002 * math.sin(y * BD_TURN)
    angle = math.atan2(y, x) + 0.000003 * math.cos(x * BD_TURN)
    return radius * math.cos(angle) + BD_EAST, radius * math.sin(angle) + BD_NORTH
