"""Columns of Arrow, as Parquet and maps have them, as texts with what they were."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as is_

from catalog.tabular.reading.cells import array_of
from catalog.tabular.reading.chunk import Kind


def arrays_of(column: pa.Array) -> tuple[pa.Array, Kind]:
    """The values as strings, and what they are."""
    type_ = column.type
    if is_.is_dictionary(type_):
        return arrays_of(column.dictionary_decode())
    for matches, kind in _PLAIN:
        if matches(type_):
            return column.cast(pa.string()), kind
    if is_.is_timestamp(type_) and type_.tz is None:
        try:
            return pc.cast(column.cast(pa.timestamp("us")), pa.string()), Kind.DATETIME
        except pa.ArrowInvalid:
            return column.cast(
                pa.string()
            ), Kind.TEXT  # Nanoseconds that microseconds would change.
    if is_.is_timestamp(type_):
        return _with_zone(column), Kind.TEXT
    return array_of(_values(column), ())


def _values(column: pa.Array) -> list[object]:
    """The values; a short float is the decimal that it stands for, not what a double makes of it."""
    if is_.is_float32(column.type) or is_.is_float16(column.type):
        texts = column.cast(pa.float32()).cast(pa.string()).to_pylist()
        return [None if text is None else float(text) for text in texts]
    return list(column.to_pylist())


def _with_zone(column: pa.Array) -> pa.Array:
    """Moments as UTC with the letter that says so."""
    return pc.strftime(column.cast(pa.timestamp(column.type.unit, "UTC")), "%Y-%m-%dT%H:%M:%SZ")


_PLAIN = (
    (is_.is_string, Kind.TEXT),
    (is_.is_large_string, Kind.TEXT),
    (is_.is_integer, Kind.INTEGER),
    (is_.is_boolean, Kind.BOOLEAN),
    (is_.is_date32, Kind.DATE),
)
