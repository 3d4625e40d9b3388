"""Rows with their coordinates in another datum than the one that they are published in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pyarrow as pa
import shapely

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.coordinates import Datum, convert, convert_all
from catalog.tabular.places import Place
from catalog.tabular.query import And, Box, Condition, Near, Not, Or, TableQuery
from catalog.tabular.sql import is_group

DIGITS = 9
"""Of a degree: a tenth of a millimetre; what follows is noise."""
Rows = TypeVar("Rows", pa.Table, pa.RecordBatch)


@dataclass(frozen=True)
class Moving:
    """Brings the places of rows into a datum."""

    places: tuple[Place, ...]
    target: Datum

    def query(self, query: TableQuery) -> TableQuery:
        """The query that reads what is needed: both columns of a pair, and places in the datum of the columns."""
        if is_group(query):
            raise BadQuery("coordinates of rows can be converted, not those of groups")
        where = query.where and self._condition(query.where)
        return replace(query, select=(*query.select, *self._partners(query.select)), where=where)

    def columns(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The columns that come out: converted degrees are numbers with a fraction."""
        moved = {column.name for place in self._moved for column in place.columns}
        return tuple(
            replace(column, type=ColumnType.NUMBER)
            if column.name in moved and column.type is ColumnType.INTEGER
            else column
            for column in columns
        )

    def rows(self, rows: Rows, columns: Sequence[Column], wanted: int | None = None) -> Rows:
        """The rows, whose columns are `columns`, with their places moved; of them the first `wanted` columns."""
        names = [column.name for column in columns]
        for place in self._moved:
            at = [names.index(column.name) for column in place.columns if column.name in names]
            if len(at) < len(place.columns):
                continue
            arrays = [rows.column(one) for one in at]
            moved = self._pair(arrays, place) if place.is_point else self._shapes(arrays)
            for one, array in zip(at, moved, strict=True):
                rows = rows.set_column(one, pa.field(names[one], array.type), array)
        return rows if wanted is None else rows.select(names[:wanted])

    @property
    def _moved(self) -> list[Place]:
        return [place for place in self.places if place.datum is not self.target]

    def _partners(self, select: Sequence[str]) -> list[str]:
        """Columns that are not wanted, but without which another one cannot be converted."""
        return [
            column.name
            for place in self._moved
            for column in place.columns
            if select and column.name not in select and any(c.name in select for c in place.columns)
        ]

    def _pair(self, arrays: Sequence[pa.ChunkedArray], place: Place) -> list[pa.Array]:
        """Degrees in the other datum; where one of them is missing, or is no place on Earth, both stay."""
        points = [np.array(_plain(array).to_numpy(zero_copy_only=False), float) for array in arrays]
        moved = convert_all((points[0], points[1]), place.datum, self.target)
        changed = (moved[0] != points[0]) | (moved[1] != points[1])
        known = changed & ~np.isnan(points[0]) & ~np.isnan(points[1])
        return [
            pa.array(np.where(known, np.round(new, DIGITS), old), from_pandas=True)
            for new, old in zip(moved, points, strict=True)
        ]

    def _shapes(self, arrays: Sequence[pa.ChunkedArray]) -> list[pa.Array]:
        """Geometries in the other datum; what is none stays as it is."""
        texts = np.array(arrays[0].to_pylist(), object)
        shapes = shapely.from_geojson(texts, on_invalid="ignore")
        there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))

        def move(points: np.ndarray) -> np.ndarray:
            east, north = convert_all((points[:, 0], points[:, 1]), Datum.WGS84, self.target)
            return np.column_stack([np.round(east, DIGITS), np.round(north, DIGITS), points[:, 2:]])

        moved = shapely.transform(shapes[there], move, include_z=None)
        texts[there] = shapely.to_geojson(moved)
        return [pa.array(texts.tolist(), pa.string())]

    def _condition(self, where: Condition) -> Condition:
        """The condition with places of the datum that is asked for in that of the columns."""
        match where:
            case And(parts):
                return And(tuple(map(self._condition, parts)))
            case Or(parts):
                return Or(tuple(map(self._condition, parts)))
            case Not(part):
                return Not(self._condition(part))
            case Near():
                at = self._back(where, where.longitude, where.latitude)
                return replace(where, longitude=at[0], latitude=at[1])
            case Box():
                west, south = self._back(where, where.west, where.south)
                east, north = self._back(where, where.east, where.north)
                return replace(where, west=west, south=south, east=east, north=north)
        return where

    def _back(self, asked: Near | Box, longitude: float, latitude: float) -> tuple[float, float]:
        named = {asked.latitude_column, asked.longitude_column}
        for place in self.places:
            if named <= {column.name for column in place.columns}:
                return convert((longitude, latitude), self.target, place.datum)
        return longitude, latitude


def moving_to(places: Iterable[Place], target: str | None) -> Moving | None:
    """What brings rows into a datum; None where none is asked for. BadQuery where nobody knows where they are."""
    if not target:
        return None
    found = tuple(places)
    if not found:
        raise BadQuery(
            "this table has no columns of longitude and latitude that could be converted"
        )
    for place in found:
        if not place.said:
            raise BadQuery(
                "nobody has said in which datum “%(column)s” is, so it cannot be converted; a data dictionary says it "
                "with crs",
                column=place.columns[0].name,
            )
    return Moving(found, Datum(target))


def _plain(array: pa.ChunkedArray | pa.Array) -> pa.Array:
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return whole.cast(pa.float64())
