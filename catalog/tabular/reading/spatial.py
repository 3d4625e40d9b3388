"""Shapefiles and GeoPackages, read by GDAL through pyogrio: each layer is a table with a geometry."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataSourceError, FieldError

from catalog.errors import Unreadable
from catalog.tabular.reading.arrow import arrays_of
from catalog.tabular.reading.chunk import Chunk, Kind, Part
from catalog.tabular.reading.encoding import encoding_of
from catalog.tabular.reading.geometry import called, geometries, is_wgs84
from catalog.tabular.reading.header import distinct
from catalog.tabular.reading.notes import note
from catalog.tabular.reading.options import ReadOptions
from catalog.tabular.reading.source import Source
from catalog.tabular.reading.title import title_of

BATCH_ROWS = 10_000
GEOMETRY = "geometry"
BROKEN = (DataSourceError, FieldError, pa.ArrowException, OSError, ValueError, UnicodeError)
HEADER_AT = 8
"""Where a dBase file says how long its header is, as two bytes."""


def spatial(source: Source, options: ReadOptions) -> Iterator[Part]:
    """The layers of the file; `sheets` in the options chooses among several."""
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(source.path)]
    except BROKEN:
        raise _damaged(source.name) from None
    wanted = [name for name in layers if name in (options.sheets or layers)]
    missing = set(options.sheets) - set(layers)
    if missing:
        raise Unreadable(
            "%(file)s has no layer %(layer)s.", file=source.name, layer=", ".join(sorted(missing))
        )
    for layer in wanted:
        alone = source.path.suffix == ".shp"
        label = source.name if alone else f"{source.name}: {layer}"
        part = Part(label, source.key if alone else layer, iter(()))
        if not alone:
            part.title = title_of(layer)
        part.chunks = _chunks(source, layer, options, part)
        yield part


def _chunks(source: Source, layer: str, options: ReadOptions, part: Part) -> Iterator[Chunk]:
    encoding = _encoding(source, options)
    try:
        with pyogrio.raw.open_arrow(
            source.path,
            layer=layer,
            encoding=encoding,
            use_pyarrow=True,
            batch_size=BATCH_ROWS,
            datetime_as_string=True,
        ) as (meta, reader):
            crs = _crs(meta.get("crs") or "", part, is_map=bool(meta["geometry_type"]))
            shape = (meta.get("geometry_name") or "wkb_geometry") if meta["geometry_type"] else ""
            names, notes = distinct(
                [GEOMETRY if name == shape else name for name in reader.schema.names]
            )
            part.notes += notes
            yield Chunk(
                names, [pa.array([], pa.string()) for _ in names], [Kind.NONE] * len(names), 0
            )
            for batch in reader:
                yield _chunk(batch, names, reader.schema.names, shape, crs, part)
    except BROKEN:
        raise _damaged(part.source) from None


def _chunk(
    batch: pa.RecordBatch, names: list[str], fields: list[str], shape: str, crs: str, part: Part
) -> Chunk:
    pairs = [
        (geometries(column, crs, part.source), Kind.GEOMETRY)
        if name == shape
        else arrays_of(column)
        for name, column in zip(fields, batch.columns, strict=True)
    ]
    return Chunk(names, [array for array, _ in pairs], [kind for _, kind in pairs], batch.num_rows)


def _crs(crs: str, part: Part, *, is_map: bool) -> str:
    """The coordinate system, with a note about what it means for the geometry."""
    if is_map and not crs:
        part.notes.append(
            note(
                "%(file)s does not say its coordinate system; coordinates are as in the file.",
                file=part.source,
            )
        )
    elif is_map and not is_wgs84(crs):
        part.notes.append(
            note("Coordinates were converted from %(crs)s to WGS-84.", crs=called(crs))
        )
    return crs


def _encoding(source: Source, options: ReadOptions) -> str | None:
    """In which encoding a shapefile has its texts: as it says if that is true, else as they are written."""
    attributes = source.path.with_suffix(".dbf")
    if not attributes.is_file():
        return None
    page = source.path.with_suffix(".cpg")
    said = options.encoding or (
        page.read_text("ascii", "replace").strip() if page.is_file() else ""
    )
    texts = source.path.with_suffix(".texts")
    content = attributes.read_bytes()
    (header,) = struct.unpack_from("<H", content, HEADER_AT) if len(content) > 10 else (0,)
    texts.write_bytes(content[header:].replace(b"\0", b" "))
    for declared in (said, "") if said else ("",):
        try:
            return encoding_of(texts, source.name, declared).codec.replace("utf-8-sig", "utf-8")
        except Unreadable:
            continue
    return None


def _damaged(name: str) -> Unreadable:
    return Unreadable("%(file)s is cut off or damaged: its map cannot be read.", file=name)


def is_complete(path: Path) -> bool:
    """Whether a shapefile's attributes and index lie beside its geometry."""
    return all(path.with_suffix(suffix).is_file() for suffix in (".dbf", ".shx"))
