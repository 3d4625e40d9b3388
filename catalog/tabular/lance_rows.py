"""The rows that a copy began with once more, in small blocks in one file: rows by number without Lance.

Lance wakes a dozen threads for each page, which takes more CPU than all the rest of a call. A block of this file is
read and unpacked in the caller's thread in a twentieth of a millisecond: a page of rows takes one or two, a page of a
sort one a row. Rows that changed since are never asked for here, for they have other ids.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from catalog.tabular.lance_copies import OURS, Copy
from catalog.tabular.lance_layout import Ids

NAME = f"{OURS}/rows.arrow"
BLOCK_BYTES = 32_000
MOST_BLOCK_ROWS = 1_000
FEW_BLOCKS = 4
MOST_BLOCKS = 100_000
"""Each takes 24 bytes of memory in a process that reads the file."""


class RowFile:
    """Rows by number; any number of threads."""

    def __init__(self, path: Path, rows: int) -> None:
        options = pa.ipc.IpcReadOptions(use_threads=False)
        # Not mapped into memory: reading behind the end of a file that lost its tail would kill the process.
        self._file = pa.ipc.open_file(pa.OSFile(str(path)), options=options)
        self._block = max(1, int(self._file.get_batch(0).num_rows))
        if self._file.num_record_batches != -(-rows // self._block):
            raise OSError(f"{path} does not hold {rows} rows")
        self._names = frozenset(self._file.schema.names)
        self._lock = threading.Lock()

    @classmethod
    def of(cls, copy: Copy) -> RowFile | None:
        """The file of a copy; one that is small, or began with gaps in its numbers, has none."""
        return cls(copy.place / NAME, copy.rows) if NAME in copy.files else None

    def serves(self, stored: list[str], ids: Ids) -> bool:
        """Whether it has these columns, and reading whole rows is cheaper than reading only these columns."""
        if not self._names.issuperset(stored):
            return False
        if 2 * len(stored) >= len(self._names):
            return True
        first, last = int(ids.min()) // self._block, int(ids.max()) // self._block
        return last - first < FEW_BLOCKS

    def take(self, stored: list[str], ids: Ids) -> pa.Table:
        """The rows with these numbers, in this order."""
        steps = np.diff(ids.astype(np.int64))
        if bool((steps == 1).all()):
            return self._run(int(ids[0]), len(ids)).select(stored)
        order = None if bool((steps > 0).all()) else np.argsort(ids)
        ascending = ids if order is None else ids[order]
        blocks = ascending // self._block
        bounds = np.flatnonzero(blocks[1:] != blocks[:-1]) + 1
        parts = [self._part(places) for places in np.split(ascending, bounds)]
        data = pa.Table.from_batches(parts).select(stored)
        if order is None:
            return data
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return data.combine_chunks().take(pa.array(back))

    def _run(self, first: int, count: int) -> pa.Table:
        """Rows that follow each other."""
        numbers = range(first // self._block, (first + count - 1) // self._block + 1)
        whole = pa.Table.from_batches([self._read(number) for number in numbers])
        return whole.slice(first % self._block, count)

    def _part(self, ids: Ids) -> pa.RecordBatch:
        """Rows of one block."""
        block = self._read(int(ids[0]) // self._block)
        places = (ids % self._block).astype(np.int64)
        return block.slice(places[0], 1) if len(places) == 1 else block.take(pa.array(places))

    def _read(self, number: int) -> pa.RecordBatch:
        with self._lock:
            return self._file.get_batch(number)


def copied(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, place: Path, rows: int
) -> Iterator[pa.RecordBatch]:
    """The batches; their rows are written to the file of the copy at `place` as they pass."""
    path = place / NAME
    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as file:
        block, rest = 0, schema.empty_table()
        for batch in batches:
            yield batch
            block = block or _rows_of_block(batch, rows)
            rest = pa.concat_tables(
                [rest, pa.table(batch.select(schema.names).columns, schema=schema)]
            )
            whole = rest.num_rows - rest.num_rows % block
            if whole:
                file.write_table(rest.slice(0, whole).combine_chunks(), max_chunksize=block)
                rest = rest.slice(whole)
        if rest.num_rows:
            file.write_table(rest.combine_chunks())


def _rows_of_block(batch: pa.RecordBatch, rows: int) -> int:
    """So many rows that a block is small, and that there are not too many blocks."""
    wide: int = batch.nbytes // max(1, batch.num_rows) + 1
    return max(1, min(MOST_BLOCK_ROWS, BLOCK_BYTES // wide), rows // MOST_BLOCKS)
