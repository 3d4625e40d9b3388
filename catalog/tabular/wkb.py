"""Geometries of GeoJSON as well-known binary, which spatial files hold (OGC 06-103r4)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])


def wkb_of(text: str | None) -> bytes | None:
    """The geometry in two dimensions; None for what is no geometry that can be written."""
    if text is None:
        return None
    try:
        return _geometry(orjson.loads(text))
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError, struct.error):
        return None


def wkb_points(longitude: pa.Array, latitude: pa.Array) -> pa.Array:
    """A point for each pair; null where one of the two is."""
    cells = np.zeros(len(longitude), POINT)
    cells["order"], cells["kind"] = 1, 1
    cells["x"] = longitude.to_numpy(zero_copy_only=False)
    cells["y"] = latitude.to_numpy(zero_copy_only=False)
    size = POINT.itemsize
    written = cells.tobytes()
    valid = longitude.is_valid().to_pylist()
    points = [written[at * size : (at + 1) * size] if ok else None for at, ok in enumerate(valid)]
    return pa.array(points, pa.binary())


def _geometry(value: Mapping[str, Any]) -> bytes:
    kind = value["type"]
    if kind == "GeometryCollection":
        return _many(7, [_geometry(part) for part in value["geometries"]])
    return _WRITERS[kind](value["coordinates"])


def _head(kind: int) -> bytes:
    return struct.pack("<BI", 1, kind)


def _place(at: Sequence[float]) -> bytes:
    return struct.pack("<dd", at[0], at[1])


def _places(places: Sequence[Sequence[float]]) -> bytes:
    return struct.pack("<I", len(places)) + b"".join(map(_place, places))


def _point(at: Sequence[float]) -> bytes:
    return _head(1) + _place(at)


def _line(places: Sequence[Sequence[float]]) -> bytes:
    return _head(2) + _places(places)


def _polygon(rings: Sequence[Sequence[Sequence[float]]]) -> bytes:
    return _head(3) + struct.pack("<I", len(rings)) + b"".join(map(_places, rings))


def _many(kind: int, parts: Sequence[bytes]) -> bytes:
    return _head(kind) + struct.pack("<I", len(parts)) + b"".join(parts)


_WRITERS: dict[str, Callable[[Any], bytes]] = {
    "Point": _point,
    "LineString": _line,
    "Polygon": _polygon,
    "MultiPoint": lambda parts: _many(4, [_point(part) for part in parts]),
    "MultiLineString": lambda parts: _many(5, [_line(part) for part in parts]),
    "MultiPolygon": lambda parts: _many(6, [_polygon(part) for part in parts]),
}
