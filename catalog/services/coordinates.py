"""Converting coordinates between the datums in use in China."""

from __future__ import annotations

import math
from collections.abc import Iterable

from catalog.errors import BadQuery
from catalog.tabular.coordinates import Datum, Point, convert

LONGEST = 20_000
"""Characters of a list of points."""
MOST_POINTS = 1_000
DIGITS = 9
"""Of a degree: a tenth of a millimetre."""


def convert_points(points: Iterable[Point], source: str, target: str) -> list[Point]:
    """The points in the other datum, for pairs of the columns longitude and latitude of a table."""
    found = (convert(point, Datum(source), Datum(target)) for point in points)
    return [(round(longitude, DIGITS), round(latitude, DIGITS)) for longitude, latitude in found]


def convert_text(text: str, source: str, target: str) -> list[Point]:
    """Points as `longitude,latitude;longitude,latitude` in the other datum; BadQuery names what is none."""
    parts = [part for part in text.split(";") if part.strip()]
    if len(parts) > MOST_POINTS:
        raise BadQuery("at most %(limit)s points can be converted at once", limit=MOST_POINTS)
    return convert_points(list(map(_point, parts)), source, target)


def _point(text: str) -> Point:
    try:
        longitude, latitude = map(float, text.split(","))
    except ValueError:
        longitude = latitude = math.nan
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):
        raise BadQuery("“%(text)s” is no longitude and latitude", text=text.strip()[:80])
    return longitude, latitude
