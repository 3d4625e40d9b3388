"""Parquet files: their columns as they are, with the geometries of GeoParquet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import Unreadable
from catalog.tabular.reading.arrow import arrays_of
from catalog.tabular.reading.chunk import Chunk, Kind, Part
from catalog.tabular.reading.geometry import called, geometries, is_wgs84
from catalog.tabular.reading.header import names_of
from catalog.tabular.reading.notes import note
from catalog.tabular.reading.source import Source

BATCH_ROWS = 10_000


def parquet(source: Source) -> Part:
    """The table of a Parquet file."""
    part = Part(source.name, source.key, iter(()))
    part.chunks = _chunks(source, part)
    return part


def _chunks(source: Source, part: Part) -> Iterator[Chunk]:
    try:
        with pq.ParquetFile(source.path) as file:
            shapes = _geometries(file.metadata.metadata or {}, part)
            fields = file.schema_arrow.names
            names, notes = names_of(fields)
            part.notes += notes
            yield Chunk(
                names, [pa.array([], pa.string()) for _ in names], [Kind.NONE] * len(names), 0
            )
            for batch in file.iter_batches(BATCH_ROWS):
                pairs = [
                    (
                        geometries(column.cast(pa.binary()), shapes[field], source.name),
                        Kind.GEOMETRY,
                    )
                    if field in shapes
                    else arrays_of(column)
                    for field, column in zip(fields, batch.columns, strict=True)
                ]
                arrays, kinds = [array for array, _ in pairs], [kind for _, kind in pairs]
                yield Chunk(names, arrays, kinds, batch.num_rows)
    except (pa.ArrowException, OSError):
        raise Unreadable(
            "%(file)s is cut off or damaged: it is no whole Parquet file.", file=source.name
        ) from None


def _geometries(metadata: Mapping[bytes, bytes], part: Part) -> dict[str, str]:
    """The columns of geometries in well-known binary, each with its coordinate system."""
    found: dict[str, str] = {}
    for name, about in _geo(metadata).items():
        if about.get("encoding") != "WKB":
            continue
        crs = about.get("crs", "")
        found[name] = "" if _is_default(crs) else json.dumps(crs)
        if not is_wgs84(found[name]):
            said = called(found[name])
            part.notes.append(note("Coordinates were converted from %(crs)s to WGS-84.", crs=said))
    return found


def _geo(metadata: Mapping[bytes, bytes]) -> dict[str, dict[str, Any]]:
    try:
        columns = json.loads(metadata.get(b"geo", b"{}")).get("columns", {})
    except (ValueError, AttributeError):
        return {}
    return {str(name): about for name, about in columns.items() if isinstance(about, dict)}


def _is_default(crs: object) -> bool:
    """Whether nothing is said, which means WGS-84, or just that."""
    if not isinstance(crs, dict):
        return True
    said = crs.get("id") or {}
    return f"{said.get('authority')}:{said.get('code')}" in ("OGC:CRS84", "EPSG:4326")
