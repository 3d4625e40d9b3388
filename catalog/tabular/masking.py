"""Masked values: what is shown of a column whose values only its editors may read.

A masked value says no more than its first and last characters, as far as the column's mask leaves them, and
never how long it is. A value too short to hide anything behind what the mask leaves is hidden whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column

HIDDEN = "***"
LEAST_HIDDEN = 4
"""So many characters at least stay behind the mask."""

Rows = TypeVar("Rows", pa.Table, pa.RecordBatch)


def shown(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns as they come out: a masked one is text, whatever it holds."""
    return tuple(
        replace(column, type=ColumnType.STRING) if column.masked else column for column in columns
    )


def hide(rows: Rows, columns: Sequence[Column]) -> Rows:
    """The rows with the values of masked columns masked; `columns` are those of the rows, in order."""
    for at, column in enumerate(columns):
        if column.masked:
            field = pa.field(rows.schema.names[at], pa.string())
            rows = rows.set_column(at, field, _masked(rows.column(at), *column.left))
    return rows


def _masked(
    values: pa.Array | pa.ChunkedArray, first: int, last: int
) -> pa.Array | pa.ChunkedArray:
    texts = values.cast(pa.string())
    begin = pc.utf8_slice_codeunits(texts, 0, first)
    end = pc.utf8_slice_codeunits(texts, -last) if last else pa.scalar("")
    long_enough = pc.greater_equal(pc.utf8_length(texts), first + last + LEAST_HIDDEN)
    partly = pc.binary_join_element_wise(begin, HIDDEN, end, "")
    whole = pc.if_else(pc.is_valid(texts), HIDDEN, pa.scalar(None, pa.string()))
    return pc.if_else(pc.fill_null(long_enough, False), partly, whole)  # noqa: FBT003 # the value for nothing
