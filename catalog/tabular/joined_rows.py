"""Rows of two tables side by side, by DuckDB over the journals of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.tabular.base_rows import BaseRows
from catalog.tabular.column import Column
from catalog.tabular.masking import hide
from catalog.tabular.query import Condition, Join, TableQuery
from catalog.tabular.sql import (
    ROW_NUMBER,
    check_page,
    compile_all,
    compile_count,
    is_group,
    quoted,
    result_columns,
)
from catalog.tabular.values import TEXT_TYPES, usable

MOST_PAIRS = 10
LONGEST_NAME = 60
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})


class JoinedRows:
    """Answers what the rows of one table answer, with the columns of another beside them.

    The join is on the other table's declared key, so that a row finds at most one: nothing is multiplied.
    """

    def __init__(self, left: BaseRows, right: BaseRows, join: Join, key: Sequence[str]) -> None:
        self.duck = left.duck
        pairs = _pairs(left.columns, right.columns, join, key)
        added = tuple(_beside(column, join.name) for column in right.columns)
        self.columns = (*left.columns, *added)
        beside = "".join(
            f", r.{quoted(column)} AS {quoted(named)}"
            for column, named in zip(right.columns, added, strict=True)
        )
        on = " AND ".join(f"l.{quoted(mine)} = r.{quoted(other)}" for mine, other in pairs)
        self.relation = (
            f"(SELECT l.*{beside} FROM {left.relation} l"
            f" {join.kind.value.upper()} JOIN {right.relation} r ON {on})"
        )

    def rows(self, query: TableQuery) -> pa.Table:
        """A page of rows or of groups under published names."""
        sql, parameters = self._compiled(query)
        wanted = result_columns(query, self.columns)
        data = self.duck.table(sql, parameters)
        return hide(data.rename_columns([column.name for column in wanted]), wanted)

    def page(self, query: TableQuery) -> Iterator[pa.RecordBatch]:
        """The same page in batches, however long it is."""
        sql, parameters = self._compiled(query)
        wanted = result_columns(query, self.columns)
        for batch in self.duck.batches(sql, parameters):
            yield hide(batch.rename_columns([column.name for column in wanted]), wanted)

    def _compiled(self, query: TableQuery) -> tuple[str, list[object]]:
        check_page(query)
        sql, parameters = compile_all(query, self.columns, self.relation)
        if not query.order_by and not is_group(query):
            sql = f"{sql} ORDER BY {ROW_NUMBER}"
        return f"{sql} LIMIT ? OFFSET ?", [*parameters, query.limit, query.offset]

    def count(self, where: Condition | None) -> int:
        """Exact number of rows that satisfy `where`."""
        sql, parameters = compile_count(where, self.columns, self.relation)
        return int(self.duck.table(sql, parameters)["n"][0].as_py())

    def count_groups(self, query: TableQuery) -> int:
        """How many groups the query gives in all."""
        sql, parameters = compile_all(replace(query, order_by=()), self.columns, self.relation)
        counted = self.duck.table(f"SELECT count(*) AS n FROM ({sql})", parameters)
        return int(counted["n"][0].as_py())


def _beside(column: Column, name: str) -> Column:
    return replace(column, name=f"{name}.{column.name}", stored=f"j_{column.stored}")


def _pairs(
    left: Sequence[Column], right: Sequence[Column], join: Join, key: Sequence[str]
) -> list[tuple[Column, Column]]:
    """The columns that must be equal; raises BadQuery unless they are the other table's key."""
    if not key:
        raise BadQuery(
            "the other table declares no key, so a row might find several; who may write it declares one: "
            'PATCH /api/v1/tables/%(table)s with {"primary_key": ["column"]}',
            table=join.table,
        )
    if sorted(other for _, other in join.on) != sorted(key):
        raise BadQuery(
            "a join is made on the declared key of the other table: %(key)s", key=", ".join(key)
        )
    if not 0 < len(join.name) <= LONGEST_NAME or len(join.on) > MOST_PAIRS:
        raise BadQuery("the name of a join has 1 to %(most)s characters", most=LONGEST_NAME)
    pairs = [(usable(left, mine), usable(right, other)) for mine, other in join.on]
    for mine, other in pairs:
        if _family(mine) != _family(other):
            raise BadQuery(
                "“%(column)s” and “%(other)s” are of different types: they cannot be joined",
                column=mine.name,
                other=other.name,
            )
    return pairs


def _family(column: Column) -> str:
    if column.type in TEXT_TYPES:
        return "text"
    return "number" if column.type in _NUMBERS else column.type.value
