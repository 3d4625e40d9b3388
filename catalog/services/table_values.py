"""The values of a column: the most frequent ones, under the filters of the others."""

from __future__ import annotations

from typing import Any, NamedTuple

from catalog.models.table import DataTable
from catalog.permissions import Identity
from catalog.services import tables
from catalog.tabular.query import Aggregate, Condition, Measure, Order, TableQuery

MOST = 20
TOO_MANY = 200_000
"""Different values from which on the most frequent ones say little, and cost a pass over all of them."""


class Counted(NamedTuple):
    """A value, None for none, and the number of rows that have it."""

    value: Any
    rows: int


def frequent(
    who: Identity,
    table_id: str,
    column: str,
    *,
    where: Condition | None = None,
    most: int = MOST,
    as_of: str | None = None,
) -> tuple[Counted, ...]:
    """The most frequent values of a column in the rows that satisfy `where`, exactly counted."""
    table = tables.show(who, table_id)
    if _too_many(table, column):
        return ()
    rows = "_rows" if column == "rows" else "rows"
    query = TableQuery(
        where=where,
        group_by=(column,),
        measures=(Measure(Aggregate.COUNT, "*", rows),),
        order_by=(Order(rows, descending=True), Order(column)),
        limit=most,
    )
    data = tables.group(who, table.id, query, as_of=as_of).data
    pairs = zip(data.column(column).to_pylist(), data.column(rows).to_pylist(), strict=True)
    return tuple(Counted(value, int(count)) for value, count in pairs)


def _too_many(table: DataTable, column: str) -> bool:
    profile = next((c.profile for c in table.columns if c.name == column), None) or {}
    return int(profile.get("distinct") or 0) > TOO_MANY
