"""GeoPackage files, written by GDAL through pyogrio: equal rows of an equal moment give equal bytes."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyogrio

from catalog.tabular.column import Column
from catalog.tabular.geojson import properties_of
from catalog.tabular.places import Place, coordinates
from catalog.tabular.wkb import wkb_of, wkb_points

GEOMETRY = "geom"
NUMBER = "fid"
CHUNK = 1 << 20
_lock = threading.Lock()
"""GDAL is told the moment for the whole process, so one file is begun and ended at a time."""


def geopackage_stream(
    batches: Iterable[pa.RecordBatch],
    columns: Sequence[Column],
    schema: pa.Schema,
    place: Place,
    made_at: datetime,
) -> Iterator[bytes]:
    """A GeoPackage with one layer; it is complete before the first byte."""
    told = properties_of(columns, place)
    names = _layer_names([column.name for column in told])
    fields = [schema.field(column.name).with_name(n) for column, n in zip(told, names, strict=True)]
    written = pa.schema([*fields, pa.field(GEOMETRY, pa.binary())])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.gpkg"
        parts = (_layer(batch, told, written, place) for batch in batches)
        with _lock:
            _write(file, pa.RecordBatchReader.from_batches(written, parts), place, made_at)
        with file.open("rb") as finished:
            while chunk := finished.read(CHUNK):
                yield chunk


def _write(file: Path, rows: pa.RecordBatchReader, place: Place, made_at: datetime) -> None:
    moment = made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": moment})
    try:
        pyogrio.write_arrow(
            rows,
            file,
            layer="table",
            driver="GPKG",
            geometry_name=GEOMETRY,
            geometry_type="Point" if place.is_point else "Unknown",
            crs="EPSG:4326",
        )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _layer(
    batch: pa.RecordBatch, told: Sequence[Column], schema: pa.Schema, place: Place
) -> pa.RecordBatch:
    arrays = [batch.column(column.name) for column in told]
    return pa.RecordBatch.from_arrays([*arrays, _geometries(batch, place)], schema=schema)


def _geometries(batch: pa.RecordBatch, place: Place) -> pa.Array:
    if place.is_point:
        return wkb_points(*coordinates(batch, place))
    cells = batch.column(place.columns[0].name).to_pylist()
    return pa.array([wkb_of(value) for value in cells], pa.binary())


def _layer_names(names: Sequence[str]) -> list[str]:
    """SQLite tells no upper from lower case, and two names are GeoPackage's own."""
    taken = {GEOMETRY, NUMBER}
    found: list[str] = []
    for name in names:
        given, number = name, 1
        while given.lower() in taken:
            number += 1
            given = f"{name}_{number}"
        taken.add(given.lower())
        found.append(given)
    return found
