"""The rows of a table at a position of its journal: a base, and the deltas that came after it.

A row has a number that it keeps: an update leaves it, an insert takes the next, a deleted number never
returns. Rows that nobody sorted come in the order of their numbers, whoever answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import ARROW, Column
from catalog.tabular.sql import ROW_NUMBER, literal, parquet

ROW = "row"
"""Number of a row, in deltas, in numbered bases and in serving copies."""
OP = "op"
OLD = "o_"
"""Before the stored name of a column that holds the value from before a change."""
INSERTED, UPDATED, DELETED = 1, 2, 3
BATCH_ROWS = 16_384

SQL_TYPES: dict[ColumnType, str] = {
    ColumnType.STRING: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.DATETIME: "TIMESTAMP",
    ColumnType.GEOMETRY: "VARCHAR",
}

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """A file of the journal: where it is and which stored columns it has."""

    path: Path
    position: int
    stored: frozenset[str]
    rows: int = 0


@dataclass(frozen=True)
class State:
    """What the rows at `position` are made of; `columns` are those that are published then."""

    position: int
    columns: tuple[Column, ...]
    base: Part
    numbered: bool = False
    """Whether the base names the number of each row; else its rows count from 0."""
    deltas: tuple[Part, ...] = ()
    """What came after the base, in order."""

    @classmethod
    def of_file(cls, path: Path, columns: Sequence[Column], position: int = 0) -> State:
        """The rows of one Parquet file, numbered from 0."""
        stored = frozenset(column.stored for column in columns)
        return cls(position, tuple(columns), Part(path, position, stored))

    @property
    def plain(self) -> bool:
        """Whether the rows are those of the base as they stand there."""
        return (
            not self.deltas
            and not self.numbered
            and all(column.stored in self.base.stored for column in self.columns)
        )

    def relation(self, *, ordered: bool = False) -> str:
        """SQL for DuckDB that gives the stored columns and the number of each row.

        `ordered` brings the rows in the order of their numbers, which costs a sort where there are deltas.
        """
        if self.plain:
            return parquet(self.base.path)
        names = ", ".join(_named(column, self.base) for column in self.columns)
        number = ROW if self.numbered else ROW_NUMBER
        if not self.deltas:
            return f"(SELECT {names}, {number} AS {ROW_NUMBER} FROM {parquet(self.base.path)})"
        order = f" ORDER BY {ROW_NUMBER}" if ordered else ""
        changed = frozenset[str]().union(*(delta.stored for delta in self.deltas))
        latest = ", ".join(_named(column, Part(Path(), 0, changed)) for column in self.columns)
        return (
            f"(SELECT * FROM (SELECT {names}, base.{number} AS {ROW_NUMBER} FROM {parquet(self.base.path)} base"
            f" ANTI JOIN {latest_changes(self.deltas)} gone ON base.{number} = gone.{ROW}"
            f" UNION ALL SELECT {latest}, {ROW} AS {ROW_NUMBER} FROM {latest_changes(self.deltas)} changed"
            f" WHERE {OP} <> {DELETED}){order})"
        )

    def batches(self, columns: Sequence[Column] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows in the order of their numbers, in batches: stored columns, then `row`."""
        wanted = self.columns if columns is None else tuple(columns)
        schema = pa.schema(
            [*(pa.field(c.stored, ARROW[c.type]) for c in wanted), (ROW, pa.int64())]
        )
        changes = Changes.read(self.deltas, schema)
        with pq.ParquetFile(self.base.path) as file:
            there = [c.stored for c in wanted if c.stored in self.base.stored]
            first = 0
            for batch in file.iter_batches(
                BATCH_ROWS, columns=[*there, *([ROW] if self.numbered else [])]
            ):
                numbered = _with_numbers(batch, schema, None if self.numbered else first)
                first += batch.num_rows
                yield from changes.applied(numbered)
        yield from changes.rest()


class Changes:
    """The last word of some deltas on each row they touched, applied to batches that come in order."""

    def __init__(self, rows: pa.Table, gone: Numbers) -> None:
        self._rows = rows.combine_chunks()
        self._numbers: Numbers = rows[ROW].to_numpy()
        self._gone = gone
        self._at = 0

    @classmethod
    def read(cls, deltas: Sequence[Part], schema: pa.Schema) -> Changes:
        """What the deltas leave: the new rows by number, and all numbers that they touched."""
        if not deltas:
            return cls(schema.empty_table(), np.empty(0, np.int64))
        tables = []
        for delta in deltas:
            table = pq.read_table(
                delta.path, columns=[OP, ROW, *(n for n in schema.names if n in delta.stored)]
            )
            arrays = [
                table[name].cast(schema.field(name).type)
                if name in table.column_names
                else pa.nulls(table.num_rows, schema.field(name).type)
                for name in schema.names
            ]
            tables.append(pa.table([*arrays, table[OP]], names=[*schema.names, OP]))
        whole = pa.concat_tables(tables)
        numbers: Numbers = whole[ROW].to_numpy()
        # The last word on a row counts: of the reversed numbers, `unique` names the first of each.
        touched, from_end = np.unique(numbers[::-1], return_index=True)
        last = whole.take(pa.array(len(numbers) - 1 - from_end))
        return cls(last.filter(pc.not_equal(last[OP], DELETED)).select(schema.names), touched)

    def applied(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The batch without the rows that changed, and with what they became, in order."""
        if not len(self._gone) or not batch.num_rows:
            yield batch
            return
        numbers: Numbers = batch.column(ROW).to_numpy()
        end = int(np.searchsorted(self._numbers, numbers[-1], side="right"))
        touched = _is_in(numbers, self._gone)
        new = self._rows.slice(self._at, end - self._at)
        self._at = end
        if not new.num_rows:
            yield batch.filter(pa.array(~touched)) if touched.any() else batch
            return
        kept = pa.Table.from_batches([batch]).filter(pa.array(~touched))
        whole = pa.concat_tables([kept, new]).combine_chunks()
        yield from whole.take(pc.sort_indices(whole[ROW])).to_batches()

    def rest(self) -> Iterator[pa.RecordBatch]:
        """The rows whose numbers come after all of the base."""
        yield from self._rows.slice(self._at).to_batches(BATCH_ROWS)


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """The stored columns, then the number of the row."""
    fields = [pa.field(column.stored, ARROW[column.type]) for column in columns]
    return pa.schema([*fields, pa.field(ROW, pa.int64())])


def latest_changes(deltas: Sequence[Part]) -> str:
    """SQL for the last change of each row that the deltas touch."""
    if len(deltas) == 1:
        return f"(SELECT * FROM read_parquet({literal(deltas[0].path)}))"
    files = ", ".join(literal(delta.path) for delta in deltas)
    ranks = " ".join(f"WHEN {literal(delta.path)} THEN {delta.position}" for delta in deltas)
    return (
        f"(SELECT * FROM read_parquet([{files}], union_by_name=true, filename=true)"
        f" QUALIFY row_number() OVER (PARTITION BY {ROW} ORDER BY CASE filename {ranks} END DESC) = 1)"
    )


def _named(column: Column, part: Part) -> str:
    if column.stored in part.stored:
        return f'"{column.stored}"'
    return f'CAST(NULL AS {SQL_TYPES[column.type]}) AS "{column.stored}"'


def _with_numbers(batch: pa.RecordBatch, schema: pa.Schema, first: int | None) -> pa.RecordBatch:
    """The batch in the schema: columns that came later are null, numbers count from `first`."""
    arrays = []
    for field in schema:
        if field.name == ROW and first is not None:
            arrays.append(pa.array(np.arange(first, first + batch.num_rows, dtype=np.int64)))
        elif field.name in batch.schema.names:
            arrays.append(batch.column(field.name).cast(field.type))
        else:
            arrays.append(pa.nulls(batch.num_rows, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _is_in(numbers: Numbers, sorted_: Numbers) -> npt.NDArray[np.bool_]:
    places = np.searchsorted(sorted_, numbers)
    places[places == len(sorted_)] = len(sorted_) - 1
    found: npt.NDArray[np.bool_] = sorted_[places] == numbers
    return found
