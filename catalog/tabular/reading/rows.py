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
