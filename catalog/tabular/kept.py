"""Texts of cells that are kept beside the typed values: a Parquet file of row, column, value and reason."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.tabular.reasons import HARMLESS, Reason

SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("column", pa.string()),
        ("value", pa.string()),
        ("reason", pa.string()),
    ]
)
"""`row` counts from 0, `column` is the stored name: it outlives a renaming."""


class Example(NamedTuple):
    """The first cell of a column that breaks what is declared."""

    row: int
    value: str
    reason: Reason


class KeptCells:
    """Takes cells of one table in batches, in the order of its rows."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.broken: Counter[str] = Counter()
        """Stored name → how many cells break what is declared."""
        self.examples: dict[str, Example] = {}
        self.rows = 0
        self._batch: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None
        self._hash = hashlib.sha256()

    def add(self, stored: str, rows: pa.Array, values: pa.Array, reasons: pa.Array) -> None:
        """Cells of one column; `reasons` are codes of Reason."""
        if not len(rows):
            return
        names = pa.repeat(pa.scalar(stored), len(rows))
        self._batch.append(pa.table([rows, names, values, reasons], schema=SCHEMA))
        counts = {each["values"]: each["counts"] for each in pc.value_counts(reasons).to_pylist()}
        broken = sum(count for reason, count in counts.items() if reason not in HARMLESS)
        self.broken[stored] += broken
        if broken and stored not in self.examples:
            at = next(at for at, reason in enumerate(reasons.to_pylist()) if reason not in HARMLESS)
            self.examples[stored] = Example(
                rows[at].as_py(), values[at].as_py() or "", Reason(reasons[at].as_py())
            )

    def flush(self) -> None:
        """Write the cells of the rows that were added since the last time."""
        if not self._batch:
            return
        cells = pa.concat_tables(self._batch).sort_by(
            [("row", "ascending"), ("column", "ascending")]
        )
        self._batch = []
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.file, SCHEMA, compression="zstd")
        self._writer.write_table(cells)
        self.rows += cells.num_rows
        for name in SCHEMA.names:
            self._hash.update("\0".join(map(str, cells[name].to_pylist())).encode())

    def close(self) -> None:
        """Finish the file, if there is one."""
        self.flush()
        if self._writer:
            self._writer.close()

    @property
    def content(self) -> str:
        """The hash of all cells that were written; nothing when there are none."""
        return self._hash.hexdigest() if self.rows else ""
