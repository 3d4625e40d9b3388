"""Rows wait on disk as texts until all of them were seen and the types are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.ipc


class Spool:
    """Appends batches of string columns; columns may be added at the end at any time."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._segments: list[Path] = []
        self._writer: pa.ipc.RecordBatchFileWriter | None = None
        self._width = -1

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        for path in self._segments:
            path.unlink(missing_ok=True)

    def add(self, arrays: Sequence[pa.Array]) -> None:
        """Append rows; a new width starts a new segment."""
        if self._writer is None or len(arrays) != self._width:
            self._open(len(arrays))
        self._writer.write_batch(pa.record_batch(list(arrays), schema=_schema(self._width)))  # type: ignore[union-attr] # _open made it

    def batches(self, width: int) -> Iterator[pa.RecordBatch]:
        """All rows in order, every batch as wide as the widest."""
        self._close()
        schema = _schema(width)
        for path in self._segments:
            with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
                for at in range(reader.num_record_batches):
                    batch = reader.get_batch(at)
                    absent = [pa.nulls(batch.num_rows, pa.string())] * (width - batch.num_columns)
                    yield pa.record_batch([*batch.columns, *absent], schema=schema)

    def _open(self, width: int) -> None:
        self._close()
        path = self._folder / f".{self._name}.{len(self._segments)}.spool"
        self._segments.append(path)
        self._width = width
        options = pa.ipc.IpcWriteOptions(use_threads=False)  # packing takes longer than the disk
        self._writer = pa.ipc.new_file(str(path), _schema(width), options=options)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _schema(width: int) -> pa.Schema:
    return pa.schema([(f"c{at}", pa.string()) for at in range(width)])
