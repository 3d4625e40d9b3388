"""Where the rows of a table are: a column of geometries, or a pair of coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column

LONGITUDE, LATITUDE = "longitude", "latitude"
"""Semantic types of the two columns of a pair."""


@dataclass(frozen=True)
class Place:
    """The columns that say where a row is: one of geometries, or longitude and latitude in degrees."""

    columns: tuple[Column, ...]

    @property
    def is_point(self) -> bool:
        """Whether every place is a point given by two numbers."""
        return len(self.columns) == 2


def place_of(columns: Sequence[Column], semantics: Mapping[str, str]) -> Place | None:
    """The first column of geometries, else the first pair; `semantics` is by stored name. None where there is none."""
    for column in columns:
        if column.type is ColumnType.GEOMETRY and not column.masked:
            return Place((column,))
    pair = [
        next(
            (
                column
                for column in columns
                if semantics.get(column.stored) == wanted
                and column.type in (ColumnType.NUMBER, ColumnType.INTEGER)
                and not column.masked
            ),
            None,
        )
        for wanted in (LONGITUDE, LATITUDE)
    ]
    return Place((pair[0], pair[1])) if pair[0] and pair[1] else None


def coordinates(batch: pa.RecordBatch, place: Place) -> tuple[pa.Array, pa.Array]:
    """Longitudes and latitudes of a pair; both are null where one is missing or is no place on Earth."""
    longitude, latitude = (batch.column(column.name).cast(pa.float64()) for column in place.columns)
    there = pc.and_(pc.less_equal(pc.abs(longitude), 180.0), pc.less_equal(pc.abs(latitude), 90.0))
    return pc.if_else(there, longitude, None), pc.if_else(there, latitude, None)
