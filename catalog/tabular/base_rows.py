"""Rows straight from the journal, by DuckDB: groups, exports, and pages while no copy serves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.tabular.column import ARROW, NUMBER, Column
from catalog.tabular.duck import BATCH_ROWS, Duck
from catalog.tabular.masking import hide, shown
from catalog.tabular.query import Condition, TableQuery
from catalog.tabular.sql import (
    ROW_NUMBER,
    compile_all,
    compile_count,
    compile_query,
    compile_where,
    is_group,
    quoted,
    result_columns,
)
from catalog.tabular.state import ROW, State, schema_of

BATCH_BYTES = 8_000_000


class BaseRows:
    """Answers what a table store answers, and groups, from the files of the journal; masked columns masked."""

    def __init__(self, duck: Duck, state: State) -> None:
        self.duck = duck
        self.state = state
        self.relation = state.relation()
        self.columns = state.columns

    def rows(self, query: TableQuery) -> pa.Table:
        """A page of rows or of groups under published names."""
        sql, parameters = compile_query(query, self.columns, self._ordered(query))
        wanted = result_columns(query, self.columns)
        data = self.duck.table(sql, parameters).rename_columns([c.name for c in wanted])
        return hide(data, wanted)

    def page(self, query: TableQuery) -> Iterator[pa.RecordBatch]:
        """The same page in batches, however long it is."""
        sql, parameters = compile_query(query, self.columns, self._ordered(query))
        wanted = result_columns(query, self.columns)
        rows = min(BATCH_ROWS, max(1, BATCH_BYTES // self._row_bytes()))
        for batch in self.duck.batches(sql, parameters, rows=rows):
            yield hide(batch.rename_columns([c.name for c in wanted]), wanted)

    def numbered(self, where: Condition | None) -> pa.Table:
        """All rows that satisfy `where` under stored names, with the number of each as `row`."""
        names = ", ".join(quoted(column) for column in self.columns)
        text, parameters = compile_where(where, self.columns)
        sql = f"SELECT {names}, {ROW_NUMBER} AS {ROW} FROM {self.relation}{text}"
        return self.duck.table(sql, parameters).cast(schema_of(self.columns))

    def count(self, where: Condition | None) -> int:
        """Exact number of rows that satisfy `where`."""
        sql, parameters = compile_count(where, self.columns, self.relation)
        return int(self.duck.table(sql, parameters)["n"][0].as_py())

    def count_groups(self, query: TableQuery) -> int:
        """How many groups the query gives in all."""
        sql, parameters = compile_all(replace(query, order_by=()), self.columns, self.relation)
        return int(
            self.duck.table(f"SELECT count(*) AS n FROM ({sql})", parameters)["n"][0].as_py()
        )

    def tells_apart(self, key: Sequence[Column]) -> bool:
        """Whether every row has values in these columns that no other row has."""
        names = ", ".join(quoted(column) for column in key)
        filled = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in key)
        sql = f"SELECT count(*) - count(DISTINCT ({names})) + count(*) FILTER (NOT ({filled})) AS n FROM {self.relation}"
        return int(self.duck.table(sql)["n"][0].as_py()) == 0

    def doubled(self, key: Sequence[Column], most: int = 5) -> list[str]:
        """Some keys that more than one row has, or that lack a value, as text."""
        names = ", ".join(quoted(column) for column in key)
        missing = " OR ".join(f"{quoted(column)} IS NULL" for column in key)
        sql = (
            f"SELECT {names} FROM {self.relation} GROUP BY {names} HAVING count(*) > 1 OR {missing} "
            f"ORDER BY ALL LIMIT {most}"
        )
        rows = self.duck.table(sql).to_pylist()
        return [", ".join("–" if v is None else str(v) for v in row.values()) for row in rows]

    def batches(self, query: TableQuery) -> Iterator[pa.RecordBatch]:
        """All rows of the query under published names, in order."""
        wanted = result_columns(query, self.columns)
        names = [column.name for column in wanted]
        for batch in self._batches(query, wanted):
            yield hide(batch.rename_columns(names), wanted)

    def schema(self, query: TableQuery) -> pa.Schema:
        """Types of the columns that `batches` gives, in order."""
        wanted = shown(result_columns(query, self.columns))
        if not is_group(query):
            return pa.schema([pa.field(column.name, ARROW[column.type]) for column in wanted])
        sql, parameters = compile_all(query, self.columns, self.relation)
        empty = self.duck.table(f"SELECT * FROM ({sql}) LIMIT 0", parameters)
        pairs = zip(empty.schema, wanted, strict=True)
        return pa.schema([field.with_name(column.name) for field, column in pairs])

    def _batches(self, query: TableQuery, wanted: tuple[Column, ...]) -> Iterator[pa.RecordBatch]:
        rows = min(BATCH_ROWS, max(1, BATCH_BYTES // self._row_bytes()))
        if (
            query.where is None
            and not query.order_by
            and not is_group(query)
            and not self.state.plain
        ):
            stored = [column.stored for column in wanted]
            named = [column for column in wanted if column != NUMBER]  # numbers come anyway
            for batch in self.state.batches(named):  # in order without sorting
                for start in range(0, batch.num_rows, rows):
                    yield batch.slice(start, rows).select(stored)
            return
        sql, parameters = compile_all(query, self.columns, self._ordered(query))
        yield from self.duck.batches(sql, parameters, rows=rows)

    def _ordered(self, query: TableQuery) -> str:
        """The relation; in the order of its rows where the query does not sort or group."""
        return self.state.relation(ordered=not query.order_by and not is_group(query))

    def _row_bytes(self) -> int:
        """Mean size of a row, so that a batch of outlines takes no more memory than one of numbers."""
        about = pq.read_metadata(self.state.base.path)
        size = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
        return max(1, int(size // max(1, about.num_rows)))
