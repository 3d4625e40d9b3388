"""Typed batches as a Parquet file: row groups of a good size, dictionaries only where they pay."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

GROUP_ROWS = 100_000
GROUP_BYTES = 1 << 26
SAMPLE_ROWS = 10_000
FEW = 0.5
"""A dictionary of more distinct values than this share of the rows costs time and room, and is given up later anyway."""


class Groups:
    """Takes batches in order; the file is whole when the context ends without an error."""

    def __init__(self, file: Path, schema: pa.Schema) -> None:
        self._file, self._schema = file, schema
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._rows = self._size = 0

    def __enter__(self) -> Groups:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and (self._waiting or self._writer is None):
            self._write()
        if self._writer is not None:
            self._writer.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Further rows."""
        self._waiting.append(batch)
        self._rows, self._size = self._rows + batch.num_rows, self._size + batch.nbytes
        if self._rows >= GROUP_ROWS or self._size >= GROUP_BYTES:
            self._write()

    def _write(self) -> None:
        group = pa.Table.from_batches(self._waiting, self._schema)
        if self._writer is None:
            repeating = _repeating(group)
            self._writer = pq.ParquetWriter(
                self._file,
                self._schema,
                compression=_compression(self._schema, repeating),
                use_dictionary=repeating,
            )
        if group.num_rows:
            self._writer.write_table(group, row_group_size=group.num_rows)
        self._waiting, self._rows, self._size = [], 0, 0


def _repeating(group: pa.Table) -> list[str]:
    """The columns whose first values repeat."""
    sample = group.slice(0, SAMPLE_ROWS)
    most = max(1, int(sample.num_rows * FEW))
    return [name for name in sample.column_names if len(sample[name].unique()) <= most]


def _compression(schema: pa.Schema, repeating: list[str]) -> dict[str, str]:
    """LZ4 for measured numbers, which hardly get smaller but would be slow to unpack for each sum and mean; else Zstandard."""
    return {
        field.name: "lz4"
        if pa.types.is_floating(field.type) and field.name not in repeating
        else "zstd"
        for field in schema
    }
