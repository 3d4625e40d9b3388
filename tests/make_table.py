"""Makers of small tables: Parquet files as the journal holds them, and the same rows as plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column, columns_of

ARROW = {
    ColumnType.STRING: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.DATETIME: pa.timestamp("us"),
    ColumnType.GEOMETRY: pa.string(),
}

Row = dict[str, object]

STATIONS = (
    Column("站点", "c0", ColumnType.STRING),
    Column("No", "c1", ColumnType.INTEGER),
    Column("PM2.5", "c2", ColumnType.NUMBER),
    Column('open`"now', "c3", ColumnType.BOOLEAN),
    Column("day", "c4", ColumnType.DATE),
    Column("seen at", "c5", ColumnType.DATETIME),
)
"""Columns of all types under names that engines would not take."""

STATION_ROWS: tuple[Row, ...] = tuple(
    dict(zip([column.name for column in STATIONS], values, strict=True))
    for values in (
        ("东四", 1, 9.5, True, date(2013, 3, 1), datetime(2013, 3, 1, 0, 0)),
        ("顺义", 2, None, False, date(2013, 3, 2), datetime(2013, 3, 1, 1, 0)),
        (None, 3, -4.0, None, None, None),
        (
            "it's 100%_",
            2**62 + 1,
            1e300,
            True,
            date(1899, 12, 31),
            datetime(1969, 12, 31, 23, 59, 59, 5),
        ),
        ("东四十条", -(2**63), 0.1, False, date(9999, 12, 31), datetime(2017, 2, 28, 23, 0)),
        ("", None, 9.5, True, date(2013, 3, 1), datetime(2013, 3, 1, 0, 0)),
        ("007", 2**63 - 1, 2.0, None, date(2013, 3, 3), None),
    )
)


def make_parquet(
    path: Path, columns: Sequence[Column] = STATIONS, rows: Sequence[Row] = STATION_ROWS
) -> Path:
    """A base file with stored names; gives its path."""
    arrays = [
        pa.array([row[column.name] for row in rows], ARROW[column.type]) for column in columns
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.Table.from_arrays(arrays, names=[column.stored for column in columns]),
        path,
        compression="zstd",
    )
    return path


def make_columns(**types: ColumnType) -> tuple[Column, ...]:
    """Columns by keyword: name=type."""
    return columns_of(list(types), list(types.values()))
