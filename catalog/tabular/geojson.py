"""GeoJSON as a stream: a feature a line, written by Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from catalog.tabular.column import Column
from catalog.tabular.json_text import json_objects, text_of
from catalog.tabular.places import Place, coordinates

KINDS = frozenset(
    [
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
        "GeometryCollection",
    ]
)


def geojson_stream(
    batches: Iterable[pa.RecordBatch], columns: Sequence[Column], place: Place
) -> Iterator[bytes]:
    """A collection of features as RFC 7946 has it; a row without a place is a feature without a geometry."""
    told = properties_of(columns, place)
    before = b'{"type":"FeatureCollection","features":[\n'
    for batch in batches:
        if batch.num_rows:
            yield before + text_of(_features(batch, told, place))[:-2]
            before = b",\n"
    yield b"\n]}\n" if before == b",\n" else before + b"]}\n"


def properties_of(columns: Sequence[Column], place: Place) -> list[Column]:
    """All columns but that of the geometries; numbers of a pair stay, for they are what was published."""
    return [column for column in columns if place.is_point or column not in place.columns]


def geometry_text(value: str | None) -> str | None:
    """A geometry of GeoJSON on one line; None for what is none."""
    if value is None:
        return None
    try:
        read = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(read, dict) or read.get("type") not in KINDS:
        return None
    return value.replace("\n", " ").replace("\r", " ")


def _features(batch: pa.RecordBatch, told: Sequence[Column], place: Place) -> pa.Array:
    rest = batch.select([column.name for column in told])
    return pc.binary_join_element_wise(
        '{"type":"Feature","geometry":',
        _geometries(batch, place),
        ',"properties":',
        json_objects(rest, told),
        "},\n",
        "",
    )


def _geometries(batch: pa.RecordBatch, place: Place) -> pa.Array:
    if place.is_point:
        longitude, latitude = (cells.cast(pa.string()) for cells in coordinates(batch, place))
        points = pc.binary_join_element_wise(
            '{"type":"Point","coordinates":[', longitude, ",", latitude, "]}", ""
        )
        return pc.fill_null(points, "null")
    found = [geometry_text(value) for value in batch.column(place.columns[0].name).to_pylist()]
    return pc.fill_null(pa.array(found, pa.string()), "null")
