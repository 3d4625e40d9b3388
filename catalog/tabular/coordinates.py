"""Coordinates of the three datums that are in use in China, converted into each other.

GCJ-02 moves every place in the country by some hundred metres, BD-09 moves it once more. Both are defined by
the way forward only; the way back is found by repeating it until nothing changes, which is exact to less than a
millimetre. Outside of the country (a rectangle, as the definition has it) all three are equal to WGS-84.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np

Point = tuple[float, float]
"""Longitude and latitude in degrees."""
Points = tuple[np.ndarray, np.ndarray]
"""Longitudes and latitudes of many places."""


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
BD_TURN = np.pi * 3000 / 180
BD_EAST, BD_NORTH = 0.0065, 0.006
EXACT = 1e-11
"""Degrees: a thousandth of a millimetre."""
MOST_STEPS = 50


def convert(point: Point, source: Datum, target: Datum) -> Point:
    """The place in the other datum."""
    longitude, latitude = convert_all((np.array([point[0]]), np.array([point[1]])), source, target)
    return float(longitude[0]), float(latitude[0])


def convert_all(points: Points, source: Datum, target: Datum) -> Points:
    """The places in the other datum; what is no place on Earth stays as it is."""
    found = points[0].astype(np.float64), points[1].astype(np.float64)
    if source is target:
        return found
    if source is Datum.BD09:
        found = _moved(found, lambda inside: _back(inside, _bd_from_gcj))
    if source is Datum.WGS84:
        found = _moved(found, _gcj_from_wgs)
    if target is Datum.BD09:
        return _moved(found, _bd_from_gcj)
    if target is Datum.WGS84:
        return _moved(found, lambda inside: _back(inside, _gcj_from_wgs))
    return found


def _moved(points: Points, move: Callable[[Points], Points]) -> Points:
    """The places of which those where the datums differ are moved."""
    longitude, latitude = points
    inside = (longitude >= WEST) & (longitude <= EAST) & (latitude >= SOUTH) & (latitude <= NORTH)
    if inside.any():
        longitude[inside], latitude[inside] = move((longitude[inside], latitude[inside]))
    return longitude, latitude


def _back(points: Points, forward: Callable[[Points], Points]) -> Points:
    """The places that `forward` brings here."""
    longitude, latitude = points[0].copy(), points[1].copy()
    for _ in range(MOST_STEPS):
        moved = forward((longitude, latitude))
        east, north = points[0] - moved[0], points[1] - moved[1]
        longitude += east
        latitude += north
        if max(np.abs(east).max(), np.abs(north).max()) < EXACT:
            break
    return longitude, latitude


def _gcj_from_wgs(points: Points) -> Points:
    longitude, latitude = points
    east, north = _shift(longitude - 105.0, latitude - 35.0)
    radians = np.radians(latitude)
    bend = 1 - ECCENTRICITY * np.sin(radians) ** 2
    root = np.sqrt(bend)
    north = np.degrees(north * bend * root / (AXIS * (1 - ECCENTRICITY)))
    east = np.degrees(east * root / (AXIS * np.cos(radians)))
    return longitude + east, latitude + north


def _shift(x: np.ndarray, y: np.ndarray) -> Points:
    """How far a place moves, in metres to the east and to the north."""
    common = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(abs(x)) + common
    east += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    east += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(abs(x)) + common
    north += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    north += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    return east, north


def _bd_from_gcj(points: Points) -> Points:
    x, y = points
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * BD_TURN)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * BD_TURN)
    return radius * np.cos(angle) + BD_EAST, radius * np.sin(angle) + BD_NORTH
