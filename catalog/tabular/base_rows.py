"""Rows straight from a base file of the journal, by DuckDB: groups, exports, and pages while no copy serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.tabular.column import Column
from catalog.tabular.duck import BATCH_ROWS, Duck
from catalog.tabular.query import Condition, TableQuery
from catalog.tabular.sql import compile_all, compile_count, compile_query, parquet, result_columns

BATCH_BYTES = 8_000_000


class BaseRows:
    """Answers what a table store answers, and groups, from one Parquet file."""

    def __init__(self, duck: Duck, base: Path, columns: tuple[Column, ...]) -> None:
        self.duck = duck
        self.base = base
        self.relation = parquet(base)
        self.columns = columns

    def rows(self, query: TableQuery) -> pa.Table:
        """A page of rows or of groups under published names."""
        sql, parameters = compile_query(query, self.columns, self.relation)
        return self.duck.table(sql, parameters).rename_columns(self._names(query))

    def count(self, where: Condition | None) -> int:
        """Exact number of rows that satisfy `where`."""
        sql, parameters = compile_count(where, self.columns, self.relation)
        return int(self.duck.table(sql, parameters)["n"][0].as_py())

    def batches(self, query: TableQuery) -> Iterator[pa.RecordBatch]:
        """All rows of the query under published names, in order."""
        names = self._names(query)
        sql, parameters = compile_all(query, self.columns, self.relation)
        rows = min(BATCH_ROWS, max(1, BATCH_BYTES // self._row_bytes()))
        for batch in self.duck.batches(sql, parameters, rows=rows):
            yield batch.rename_columns(names)

    def schema(self, query: TableQuery) -> pa.Schema:
        """Types of the columns that `batches` gives, in order."""
        sql, parameters = compile_all(query, self.columns, self.relation)
        empty = self.duck.table(f"SELECT * FROM ({sql}) LIMIT 0", parameters)
        return pa.schema(
            [
                field.with_name(name)
                for field, name in zip(empty.schema, self._names(query), strict=True)
            ]
        )

    def _row_bytes(self) -> int:
        """Mean size of a row, so that a batch of outlines takes no more memory than one of numbers."""
        about = pq.read_metadata(self.base)
        size = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
        return max(1, int(size // max(1, about.num_rows)))

    def _names(self, query: TableQuery) -> list[str]:
        return [column.name for column in result_columns(query, self.columns)]
