"""Indexes of a serving copy: which column gets which, decided from a look at its first rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column

MOST_INDEXES = 60
HEAD_ROWS = 50_000
"""So many rows show whether a column has too many values for bitmaps; counting all of them takes a second a million."""


def index(dataset: Any, columns: tuple[Column, ...], bitmaps_to: int) -> None:
    """Index every column; few values in a bitmap, which answers filters in a third of a tree's time."""
    indexed = [column for column in columns if column.type is not ColumnType.GEOMETRY]
    stored = [column.stored for column in indexed[:MOST_INDEXES]]
    head = dataset.to_table(columns=stored, limit=HEAD_ROWS)
    for name in stored:
        few = _few(dataset, name, head[name], bitmaps_to)
        dataset.create_scalar_index(name, "BITMAP" if few else "BTREE", name=f"{name}_idx")


def _few(dataset: Any, name: str, head: pa.ChunkedArray, most: int) -> bool:
    """Whether the column has at most so many different values."""
    if pc.count_distinct(head).as_py() > most:
        return False
    if len(head) < HEAD_ROWS:
        return True
    return bool(pc.count_distinct(dataset.to_table(columns=[name])[name]).as_py() <= most)
