"""Geometries as GeoJSON texts in WGS-84, whatever coordinates the file has them in."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pyarrow as pa
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from catalog.errors import Unreadable

DIGITS = 9
"""Of a degree, after a conversion: a tenth of a millimetre; what follows is noise."""
WGS84 = ("EPSG:4326", "OGC:CRS84")
WGS84_NAMES = ("CRS84", ":4326", "WGS84", "WGS 84")
"""How names of the system end, in GeoJSON of before 2016."""
Transformation = Callable[[np.ndarray], np.ndarray]


def geometries(wkb: pa.Array, crs: str, name: str) -> pa.Array:
    """GeoJSON texts of well-known binary; null stays null, and so does what is empty."""
    try:
        shapes = shapely.from_wkb(wkb.to_numpy(zero_copy_only=False))
        convert = conversion(crs)
        if convert:
            shapes = shapely.transform(shapes, convert, include_z=None)
        texts = shapely.to_geojson(shapes)
    except (shapely.errors.ShapelyError, ProjError, ValueError):
        raise Unreadable(
            "%(file)s holds geometries that cannot be read or converted.", file=name
        ) from None
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return pa.array(texts, pa.string(), mask=~there)


def moved(geojson: str, crs: str, name: str) -> str:
    """A GeoJSON geometry in another system as one in WGS-84."""
    try:
        shape = shapely.transform(shapely.from_geojson(geojson), conversion(crs), include_z=None)
        return str(shapely.to_geojson(shape))
    except (shapely.errors.ShapelyError, ProjError, ValueError, TypeError):
        raise Unreadable(
            "%(file)s holds geometries that cannot be read or converted.", file=name
        ) from None


def is_wgs84(crs: str) -> bool:
    """Whether coordinates of this system are longitude and latitude in WGS-84 already."""
    return not crs or crs in WGS84 or crs.endswith(WGS84_NAMES)


@lru_cache(maxsize=16)
def conversion(crs: str) -> Transformation | None:
    """What turns coordinates of this system into WGS-84; nothing when they are already, or nobody knows."""
    if is_wgs84(crs):
        return None
    transformer = Transformer.from_crs(CRS.from_user_input(crs), WGS84[0], always_xy=True)

    def convert(points: np.ndarray) -> np.ndarray:
        x, y = transformer.transform(points[:, 0], points[:, 1], errcheck=True)
        return np.column_stack([np.round(x, DIGITS), np.round(y, DIGITS), points[:, 2:]])

    return convert


def called(crs: str) -> str:
    """What people call the system: its name and code, for a note."""
    try:
        system = CRS.from_user_input(crs)
    except ProjError:
        return crs
    code = system.to_epsg()
    return f"{system.name} (EPSG:{code})" if code else str(system.name)
