"""Where the rows of a table are: a column of geometries, or a pair of coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.coordinates import Datum, convert_all

LONGITUDE, LATITUDE = "longitude", "latitude"
"""Semantic types of the two columns of a pair."""


@dataclass(frozen=True)
class Place:
    """The columns that say where a row is: one of geometries, or longitude and latitude in degrees."""

    columns: tuple[Column, ...]
    datum: Datum = Datum.WGS84
    """What the two numbers refer to; files have them in WGS-84, as GeoJSON demands."""
    said: bool = True
    """Whether somebody has said so; else it is what is usual."""

    @property
    def is_point(self) -> bool:
        """Whether every place is a point given by two numbers."""
        return len(self.columns) == 2


@dataclass(frozen=True)
class Meaning:
    """What the values of a column are, and for coordinates the datum."""

    semantic: str
    datum: Datum = Datum.WGS84
    said: bool = False
    """Whether the datum was said."""


def place_of(columns: Sequence[Column], meanings: Mapping[str, Meaning]) -> Place | None:
    """The first column of geometries, else the first pair; `meanings` is by stored name. None where there is none."""
    found = places_of(columns, meanings)
    return found[0] if found else None


def places_of(columns: Sequence[Column], meanings: Mapping[str, Meaning]) -> tuple[Place, ...]:
    """All columns of geometries, then all pairs: the first longitude belongs to the first latitude, and so on."""
    shapes = [
        Place((column,))
        for column in columns
        if column.type is ColumnType.GEOMETRY and not column.masked
    ]
    east, north = (
        [column for column in columns if _means(column, wanted, meanings)]
        for wanted in (LONGITUDE, LATITUDE)
    )
    pairs = [
        Place(pair, meanings[pair[0].stored].datum, said=meanings[pair[0].stored].said)
        for pair in zip(east, north, strict=False)
    ]
    return (*shapes, *pairs)


def _means(column: Column, wanted: str, meanings: Mapping[str, Meaning]) -> bool:
    known = meanings.get(column.stored)
    numeric = column.type in (ColumnType.NUMBER, ColumnType.INTEGER) and not column.masked
    return known is not None and known.semantic == wanted and numeric


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
    points = longitude.to_numpy(zero_copy_only=False), latitude.to_numpy(zero_copy_only=False)
    east, north = convert_all(points, datum, Datum.WGS84)
    return pa.array(east, from_pandas=True), pa.array(north, from_pandas=True)
