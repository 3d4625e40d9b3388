"""Where the rows of a table are: a column of geometries, or a pair of coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.coordinates import Datum, convert

LONGITUDE, LATITUDE = "longitude", "latitude"
"""Semantic types of the two columns of a pair."""


@dataclass(frozen=True)
class Place:
    """The columns that say where a row is: one of geometries, or longitude and latitude in degrees."""

    columns: tuple[Column, ...]
    datum: Datum = Datum.WGS84
    """What the two numbers refer to; files have them in WGS-84, as GeoJSON demands."""

    @property
    def is_point(self) -> bool:
        """Whether every place is a point given by two numbers."""
        return len(self.columns) == 2


@dataclass(frozen=True)
class Meaning:
    """What the values of a column are, and for coordinates the datum."""

    semantic: str
    datum: Datum = Datum.WGS84


def place_of(columns: Sequence[Column], meanings: Mapping[str, Meaning]) -> Place | None:
    """The first column of geometries, else the first pair; `meanings` is by stored name. None where there is none."""
    for column in columns:
        if column.type is ColumnType.GEOMETRY and not column.masked:
            return Place((column,))
    pair = [
        next(
            (
                column
                for column in columns
                if column.stored in meanings
                and meanings[column.stored].semantic == wanted
                and column.type in (ColumnType.NUMBER, ColumnType.INTEGER)
                and not column.masked
            ),
            None,
        )
        for wanted in (LONGITUDE, LATITUDE)
    ]
    if pair[0] is None or pair[1] is None:
        return None
    return Place((pair[0], pair[1]), meanings[pair[0].stored].datum)


def coordinates(batch: pa.RecordBatch, place: Place) -> tuple[pa.Array, pa.Array]:
    """Longitudes and latitudes of a pair; both are null where one is missing or is no place on Earth."""
    longitude, latitude = (batch.column(column.name).cast(pa.float64()) for column in place.columns)
    there = pc.and_(pc.less_equal(pc.abs(longitude), 180.0), pc.less_equal(pc.abs(latitude), 90.0))
    longitude, latitude = pc.if_else(there, longitude, None), pc.if_else(there, latitude, None)
    return (
        (longitude, latitude)
        if place.datum is Datum.WGS84
        else _moved(longitude, latitude, place.datum)
    )


def _moved(longitude: pa.Array, latitude: pa.Array, datum: Datum) -> tuple[pa.Array, pa.Array]:
    pairs = zip(longitude.to_pylist(), latitude.to_pylist(), strict=True)
    points = [
        (None, None)
        if east is None or north is None
        else convert((east, north), datum, Datum.WGS84)
        for east, north in pairs
    ]
    east, north = zip(*points, strict=True) if points else ((), ())
    return pa.array(east, pa.float64()), pa.array(north, pa.float64())
