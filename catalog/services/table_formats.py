"""Formats of downloads: what each is called, and how rows become its bytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import pyarrow as pa

from catalog.errors import NotFound
from catalog.models.table import DataTable
from catalog.tabular.base_rows import BaseRows
from catalog.tabular.column import ARROW, Column
from catalog.tabular.coordinates import DATUMS, Datum
from catalog.tabular.export import csv_stream, json_stream, jsonl_stream, parquet_stream
from catalog.tabular.geojson import geojson_stream
from catalog.tabular.geopackage import geopackage_stream
from catalog.tabular.masking import shown
from catalog.tabular.moving import Moving
from catalog.tabular.places import Meaning, Place, place_of
from catalog.tabular.query import TableQuery
from catalog.tabular.sql import result_columns
from catalog.tabular.workbook import workbook_stream

GZIP = 16 + zlib.MAX_WBITS
GZIP_LEVEL = 4
"""A twentieth larger than the usual level 6, in half of the time."""


@dataclass(frozen=True)
class Content:
    """Rows to be written, and the moment that a file of them names as its own."""

    base: BaseRows
    query: TableQuery
    made_at: datetime
    meanings: Mapping[str, Meaning]
    """Stored name → what the values are, for finding where the rows are."""
    moving: Moving | None = None
    """What brings coordinates into another datum, where that was asked for."""

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """What is written, in order."""
        found = result_columns(self.query, self.base.columns)
        return self.moving.columns(found) if self.moving else found

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows under published names, in order."""
        if self.moving is None:
            return self.base.batches(self.query)
        read = self.moving.query(self.query)
        seen = result_columns(read, self.base.columns)
        wanted = len(self.columns)
        return (self.moving.rows(batch, seen, wanted) for batch in self.base.batches(read))

    @property
    def schema(self) -> pa.Schema:
        """Types of the columns, in order."""
        if self.moving is None:
            return self.base.schema(self.query)
        return pa.schema([pa.field(one.name, ARROW[one.type]) for one in shown(self.columns)])

    @cached_property
    def place(self) -> Place:
        """Where the rows are; raises NotFound for a table without places."""
        found = place_of(self.columns, self.meanings)
        if found is None:
            raise NotFound("this table has no column of places, so there is no map file of it")
        return found


@dataclass(frozen=True)
class Format:
    """A kind of file; a spatial one is offered where rows have places."""

    name: str
    ending: str
    media_type: str
    stream: Callable[[Content], Iterator[bytes]]
    spatial: bool = False
    at_once: bool = True
    """Whether its first bytes can leave before the last ones are known."""


def format_of(name: str) -> Format:
    """The format; raises NotFound."""
    found = FORMATS.get(name)
    if found is None:
        raise NotFound("there is no download in the format “%(format)s”", format=name[:40])
    return found


def meanings_of(table: DataTable) -> dict[str, Meaning]:
    """Stored name → what the values of the column are."""
    return {
        column.stored: _meaning(column.semantic, column.info.get("crs"))
        for column in table.columns
        if column.semantic
    }


def _meaning(semantic: str, said: object) -> Meaning:
    datum = Datum(str(said)) if said in DATUMS else None
    return Meaning(semantic, datum or Datum.WGS84, said=datum is not None)


def formats_for(table: DataTable, columns: tuple[Column, ...]) -> list[Format]:
    """The formats that a table with these columns can be had in."""
    located = has_places(table, columns)
    return [format_ for format_ in FORMATS.values() if located or not format_.spatial]


def has_places(table: DataTable, columns: tuple[Column, ...]) -> bool:
    """Whether rows of the table can be drawn on a map."""
    return place_of(columns, meanings_of(table)) is not None


def gzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces compressed; no name and no moment is written, so equal content gives equal bytes."""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP)
    for piece in pieces:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()


def _csv(content: Content) -> Iterator[bytes]:
    return csv_stream(content.batches(), content.columns)


def _csv_bom(content: Content) -> Iterator[bytes]:
    batches = content.batches()
    return csv_stream(batches, content.columns, for_spreadsheets=True)


def _csv_gz(content: Content) -> Iterator[bytes]:
    return gzipped(_csv(content))


def _json(content: Content) -> Iterator[bytes]:
    return json_stream(content.batches(), content.columns)


def _jsonl(content: Content) -> Iterator[bytes]:
    return jsonl_stream(content.batches(), content.columns)


def _parquet(content: Content) -> Iterator[bytes]:
    return parquet_stream(content.batches(), content.columns, content.schema)


def _xlsx(content: Content) -> Iterator[bytes]:
    return workbook_stream(
        content.batches(),
        content.columns,
        rows=content.base.count(content.query.where),
        created=content.made_at,
    )


def _geojson(content: Content) -> Iterator[bytes]:
    return geojson_stream(content.batches(), content.columns, content.place)


def _gpkg(content: Content) -> Iterator[bytes]:
    return geopackage_stream(
        content.batches(), content.columns, content.schema, content.place, content.made_at
    )


FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format("csv", "csv", "text/csv; charset=utf-8", _csv),
        Format("csv-bom", "csv", "text/csv; charset=utf-8", _csv_bom),
        Format("csv.gz", "csv.gz", "application/gzip", _csv_gz),
        Format("json", "json", "application/json", _json),
        Format("jsonl", "jsonl", "application/x-ndjson", _jsonl),
        Format("parquet", "parquet", "application/vnd.apache.parquet", _parquet),
        Format(
            "xlsx",
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            _xlsx,
        ),
        Format("geojson", "geojson", "application/geo+json", _geojson, spatial=True),
        Format(
            "gpkg",
            "gpkg",
            "application/geopackage+sqlite3",
            _gpkg,
            spatial=True,
            at_once=False,
        ),
    )
}
"""Formats of downloads by name."""
