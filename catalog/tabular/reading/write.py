"""The typed Parquet file, and the hash of what is in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import ARROW, Column
from catalog.tabular.kept import KeptCells
from catalog.tabular.reading.convert import Conversion
from catalog.tabular.reading.groups import Groups
from catalog.tabular.reading.repeated import keep_repeated


def write(
    batches: Iterable[pa.RecordBatch],
    conversions: Sequence[Conversion],
    file: Path,
    kept: KeptCells,
) -> str:
    """Write string batches as typed Parquet and return the hash of names, types, rows and kept cells."""
    columns = [conversion.column for conversion in conversions]
    schema = pa.schema([(column.stored, ARROW[column.type]) for column in columns])
    hashes = [ColumnHash(column) for column in columns]
    start = 0
    with Groups(file, schema) as groups:
        for batch in batches:
            arrays = [
                conversion.convert(array, start, kept)
                for array, conversion in zip(batch.columns, conversions, strict=True)
            ]
            kept.flush()
            start += batch.num_rows
            for hash_, array in zip(hashes, arrays, strict=True):
                hash_.add(array)
            groups.add(pa.record_batch(arrays, schema=schema))
    keep_repeated(conversions, file, kept)
    kept.close()
    return _together(columns, hashes, kept.content)


class ColumnHash:
    """SHA-256 of a column; where batches end makes no difference."""

    def __init__(self, column: Column) -> None:
        self._type = column.type
        self._rows = 0
        self._parts = [hashlib.sha256() for _ in range(3)]

    def add(self, array: pa.Array) -> None:
        """Further values: which are there, how long they are, and their bytes."""
        there, sizes, values = self._parts
        self._rows += len(array)
        there.update(_bytes(pc.cast(pc.is_valid(array), pa.uint8())))
        if ARROW[self._type] == pa.string():
            array = pc.fill_null(array, "")
            sizes.update(_bytes(pc.binary_length(array)))
            values.update(_characters(array))
        else:
            values.update(_bytes(_plain(array, self._type)))

    def digest(self) -> bytes:
        """The hash so far."""
        return str(self._rows).encode() + b"".join(part.digest() for part in self._parts)


def _together(columns: Sequence[Column], hashes: Sequence[ColumnHash], kept: str) -> str:
    head = json.dumps([[column.name, column.type.value] for column in columns], ensure_ascii=False)
    whole = hashlib.sha256(head.encode())
    for hash_ in hashes:
        whole.update(hash_.digest())
    whole.update(kept.encode())
    return whole.hexdigest()


def _plain(array: pa.Array, type_: ColumnType) -> pa.Array:
    if type_ is ColumnType.BOOLEAN:
        return pc.cast(pc.fill_null(array, False), pa.uint8())  # noqa: FBT003 # the value for nothing
    if type_ is ColumnType.NUMBER:
        return pc.fill_null(array, 0.0)
    width = pa.int32() if type_ is ColumnType.DATE else pa.int64()
    return pc.fill_null(array.view(width), 0)


def _bytes(array: pa.Array) -> bytes:
    return np.ascontiguousarray(array.to_numpy(zero_copy_only=False)).tobytes()


def _characters(array: pa.Array) -> bytes:
    if not len(array):
        return b""
    _, offsets, data = array.buffers()
    if data is None:
        return b""
    ends = np.frombuffer(offsets, np.int32, len(array) + 1, array.offset * 4)
    return memoryview(data)[ends[0] : ends[-1]].tobytes()
