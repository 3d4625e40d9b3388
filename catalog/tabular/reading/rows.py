"""Rows that are already values: of a database, of an interface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

from catalog.tabular.reading.assemble import Assembly
from catalog.tabular.reading.cells import chunk_of, chunks_of
from catalog.tabular.reading.chunk import Part
from catalog.tabular.reading.options import ReadOptions
from catalog.tabular.reading.table import ReadTable


def read_rows(
    rows: Iterable[Mapping[str, object]],
    options: ReadOptions,
    into: Path,
    *,
    key: str = "data",
    columns: Sequence[str] | None = None,
) -> ReadTable:
    """One table of rows that are already values; `columns` gives their order, also when there are no rows."""
    names = [chunk_of([*columns], [[] for _ in columns], options.missing)] if columns else []
    with Assembly(options, into) as assembly:
        assembly.add(Part(key, key, chain(names, chunks_of(rows, options.missing, columns or ()))))
        return assembly.finish(key, {})


def read_columns(
    batches: Iterable[Sequence[Sequence[object]]],
    options: ReadOptions,
    into: Path,
    *,
    columns: Sequence[str],
    key: str = "data",
) -> ReadTable:
    """One table of batches of values by column, which are converted a column at a time."""
    names = [*columns]
    empty = chunk_of(names, [[] for _ in names], options.missing)
    chunks = (chunk_of(names, batch, options.missing) for batch in batches)
    with Assembly(options, into) as assembly:
        assembly.add(Part(key, key, chain([empty], chunks)))
        return assembly.finish(key, {})
