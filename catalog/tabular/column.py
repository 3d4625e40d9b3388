"""A column as queries and engines know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from catalog.models.vocabulary import ColumnType

ARROW: dict[ColumnType, pa.DataType] = {
    ColumnType.STRING: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.DATETIME: pa.timestamp("us"),
    ColumnType.GEOMETRY: pa.string(),
}
"""How each type is stored."""


@dataclass(frozen=True)
class Column:
    """`name` is what is published, `stored` what the engines call it (`c0`, `c1` …)."""

    name: str
    stored: str
    type: ColumnType
    masked: bool = False
    """Whether who asks sees masked values only: the column can be shown, and nothing else."""
    left: tuple[int, int] = (0, 0)
    """Of a masked value, how many characters at its beginning and at its end are shown."""


NUMBER = Column("", "row", ColumnType.INTEGER)
"""The number of a row, from 0, for queries that name it: no published name is empty."""


def columns_of(names: Sequence[str], types: Sequence[ColumnType]) -> tuple[Column, ...]:
    """Columns in order, stored under safe names."""
    pairs = zip(names, types, strict=True)
    return tuple(Column(name, f"c{at}", type_) for at, (name, type_) in enumerate(pairs))
