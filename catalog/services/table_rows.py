"""Reading tables: pages of rows, counts and groups."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa

from catalog.models.table import DataTable
from catalog.permissions import Identity
from catalog.services.table_lookup import (
    Version,
    answered,
    base_of,
    newest,
    show,
    version_as_of,
    version_at,
)
from catalog.tabular.base_rows import BaseRows
from catalog.tabular.column import Column
from catalog.tabular.cursor import Cursor, read_cursor, write_cursor
from catalog.tabular.joined_rows import JoinedRows
from catalog.tabular.query import Condition, Join, TableQuery
from catalog.tabular.sql import check_page, is_group, result_columns


@dataclass(frozen=True)
class RowPage:
    """A page of rows under published names, and the cursor of the next one."""

    table: DataTable
    columns: tuple[Column, ...]
    data: pa.Table
    total: int | None
    next_cursor: str | None
    """None on the last page."""
    offset: int
    release: int = 0
    """Number of the release that the rows are of."""


def rows(
    who: Identity,
    table_id: str,
    query: TableQuery,
    *,
    cursor: str | None = None,
    total: bool = False,
    as_of: str | None = None,
) -> RowPage:
    """A page of rows; with a cursor the page after the one that gave it, in the release of that one.

    `as_of` names a release or a time, see `version_as_of`; with a cursor it says nothing new.
    """
    table = show(who, table_id)
    version, offset = _place(table, query, cursor, as_of)
    asked = _one_more(query, offset)
    data = answered(
        version,
        lambda store: store.rows(table.id, version.position, version.columns, asked),
        lambda base: base.rows(asked),
    )
    found = _count(table, version, query.where) if total else None
    return _page(table, version, replace(query, offset=offset), data, found)


def count(
    who: Identity, table_id: str, where: Condition | None = None, *, as_of: str | None = None
) -> int:
    """Exact number of rows that satisfy `where`."""
    table = show(who, table_id)
    return _count(table, version_as_of(table, as_of), where)


def release_as_of(who: Identity, table_id: str, as_of: str | None) -> int:
    """Number of the release that `as_of` names."""
    return version_as_of(show(who, table_id), as_of).release


def group(
    who: Identity,
    table_id: str,
    query: TableQuery,
    *,
    cursor: str | None = None,
    as_of: str | None = None,
) -> RowPage:
    """A page of groups: what `measures` compute for each combination of `group_by`."""
    table = show(who, table_id)
    version, offset = _place(table, query, cursor, as_of)
    data = base_of(version).rows(_one_more(query, offset))
    return _page(table, version, replace(query, offset=offset), data, None)


def ask(
    who: Identity,
    table_id: str,
    query: TableQuery,
    *,
    cursor: str | None = None,
    total: bool = False,
    as_of: str | None = None,
) -> RowPage:
    """A page of whatever the query asks for: rows, groups, distinct rows, rows of two tables.

    The other table of a join is read as it is now, whichever release of this one is asked for.
    """
    if query.join is None and not is_group(query):
        return rows(who, table_id, query, cursor=cursor, total=total, as_of=as_of)
    table = show(who, table_id)
    version, offset = _place(table, query, cursor, as_of)
    source = _source(who, version, query)
    data = source.rows(_one_more(query, offset))
    found = None
    if total:
        found = source.count_groups(query) if is_group(query) else source.count(query.where)
    return _page(
        table, replace(version, columns=source.columns), replace(query, offset=offset), data, found
    )


def columns(
    who: Identity, table_id: str, join: Join | None, *, as_of: str | None = None
) -> tuple[Column, ...]:
    """The columns that a query of the table, or of two tables, may name."""
    version = version_as_of(show(who, table_id), as_of)
    return _source(who, version, TableQuery(join=join)).columns if join else version.columns


def _source(who: Identity, version: Version, query: TableQuery) -> BaseRows | JoinedRows:
    """What answers groups and joins."""
    left = base_of(version)
    if query.join is None:
        return left
    other = show(who, query.join.table)
    return JoinedRows(left, base_of(newest(other)), query.join, other.primary_key)


def count_groups(who: Identity, table_id: str, query: TableQuery) -> int:
    """How many groups a query gives in all."""
    return base_of(newest(show(who, table_id))).count_groups(query)


def _place(
    table: DataTable, query: TableQuery, cursor: str | None, as_of: str | None
) -> tuple[Version, int]:
    """The release and the first row that are asked for."""
    if cursor is None:
        return version_as_of(table, as_of), query.offset
    place = read_cursor(cursor, table.id, query)
    return version_at(table, place.position), place.offset


def _one_more(query: TableQuery, offset: int) -> TableQuery:
    """The same page with one row more, which tells whether there is a next page."""
    check_page(query)
    return replace(query, limit=query.limit + 1 if query.limit else 0, offset=offset)


def _page(
    table: DataTable, version: Version, query: TableQuery, data: pa.Table, total: int | None
) -> RowPage:
    following = None
    if query.limit and data.num_rows > query.limit:
        data = data.slice(0, query.limit)
        place = Cursor(version.position, query.offset + query.limit)
        following = write_cursor(place, table.id, query)
    columns = result_columns(query, version.columns)
    return RowPage(table, columns, data, total, following, query.offset, version.release)


def _count(table: DataTable, version: Version, where: Condition | None) -> int:
    if where is None and version.position == table.head:
        return table.rows
    return answered(
        version,
        lambda store: store.count(table.id, version.position, version.columns, where),
        lambda base: base.count(where),
    )
