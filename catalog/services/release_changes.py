"""What changed between two releases as a file: a line a row, the old values behind the new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.vocabulary import ColumnType
from catalog.permissions import Identity
from catalog.services import releases
from catalog.services.table_exports import Export, name_of
from catalog.services.table_lookup import show, version_as_of
from catalog.tabular.changes import NUMBERLESS, Kind
from catalog.tabular.column import Column
from catalog.tabular.export import csv_stream, jsonl_stream

OLD = "old: "


@dataclass(frozen=True)
class _Format:
    media_type: str
    stream: Callable[[Iterator[pa.RecordBatch], Sequence[Column]], Iterator[bytes]]


FORMATS = {
    "csv": _Format("text/csv; charset=utf-8", csv_stream),
    "jsonl": _Format("application/x-ndjson", jsonl_stream),
}


def before(who: Identity, table_id: str, newer: str | None) -> str:
    """The release before another one (None: the newest), which most comparisons begin with; of the first, itself."""
    return str(max(1, version_as_of(show(who, table_id), newer).release - 1))


def changes_file(
    who: Identity,
    table_id: str,
    older: str,
    newer: str | None,
    format: str,  # noqa: A002 # the word that people use
    *,
    kind: Kind | None = None,
) -> Export:
    """All changes as csv or jsonl: what became of a row, its number from 1, its values, its old values."""
    wanted = FORMATS[format]
    table = show(who, table_id)
    columns, batches = releases.change_batches(who, table_id, older, newer, kind=kind)
    written = [
        Column("kind", "kind", ColumnType.STRING),
        Column("row", "row", ColumnType.INTEGER),
        *columns,
        *(Column(f"{OLD}{column.name}", column.stored, column.type) for column in columns),
    ]
    pieces = wanted.stream(map(_numbered, batches), written)
    first = next(pieces, b"")
    ends = [str(version_as_of(table, at).release) for at in (older, newer)]
    name = f"{name_of(table)}-changes-r{'-r'.join(ends)}.{format}"
    return Export(name, wanted.media_type, chain([first], pieces))


def _numbered(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Numbers of rows from 1, as people count; null where the two releases number rows differently."""
    numbers = batch.column(1)
    known = pc.if_else(pc.less(numbers, NUMBERLESS), pc.add(numbers, 1), None)
    return pa.RecordBatch.from_arrays(
        [batch.column(0), known, *batch.columns[2:]],
        names=[str(n) for n in range(batch.num_columns)],
    )
