"""Reading tables: pages of rows, counts and groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from catalog.errors import NotFound
from catalog.models.table import DataTable
from catalog.permissions import Identity
from catalog.services.table_formats import meanings_of
from catalog.services.table_lookup import (
    Version,
    answered,
    base_of,
    is_number,
    key_of,
    moment_of,
    show,
    version_as_of,
    version_at,
)
from catalog.tabular.base_rows import BaseRows
from catalog.tabular.column import NUMBER, Column
from catalog.tabular.cursor import Cursor, read_cursor, write_cursor
from catalog.tabular.joined_rows import JoinedRows
from catalog.tabular.moving import Moving, moving_to
from catalog.tabular.places import places_of
from catalog.tabular.query import And, Compare, Condition, Join, Op, TableQuery
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

    @property
    def batches(self) -> Iterable[pa.RecordBatch]:
        """The rows in parts."""
        found: list[pa.RecordBatch] = self.data.to_batches()
        return found

    @property
    def schema(self) -> pa.Schema:
        """Types of the columns."""
        return self.data.schema


@dataclass(frozen=True)
class RowStream:
    """A long page of rows under published names, read while it is sent."""

    table: DataTable
    columns: tuple[Column, ...]
    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]
    total: int
    next_cursor: str | None
    release: int


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


def version(who: Identity, table_id: str, as_of: str | None) -> Version:
    """The release that `as_of` names, with its columns."""
    return version_as_of(show(who, table_id), as_of)


def place_of(
    who: Identity,
    table_id: str,
    number: int,
    where: Condition | None = None,
    *,
    as_of: str | None = None,
) -> int:
    """Where the row of a number (from 1) stands among those that satisfy `where`, from 1, in their own order.

    Numbers of deleted rows are never given again, so the place may be less than the number.
    """
    before = Compare(NUMBER.name, Op.LT, number - 1)
    narrowed = before if where is None else And((where, before))
    return count(who, table_id, narrowed, as_of=as_of) + 1


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
    crs: str | None = None,
) -> RowPage:
    """A page of whatever the query asks for: rows, groups, distinct rows, rows of two tables.

    The other table of a join is read in the release that `beside` says. With `crs` coordinates are converted.
    """
    moving = _moving(who, table_id, as_of, crs)
    if moving is not None:
        page = ask(who, table_id, moving.query(query), cursor=cursor, total=total, as_of=as_of)
        wanted = len(query.select) or None
        data = moving.rows(page.data, page.columns, wanted)
        return replace(page, data=data, columns=moving.columns(page.columns)[:wanted])
    if query.join is None and not is_group(query):
        return rows(who, table_id, query, cursor=cursor, total=total, as_of=as_of)
    opened = _open(who, table_id, query, cursor, as_of)
    data = opened.source.rows(_one_more(query, opened.offset))
    found = opened.count(query) if total else None
    asked = replace(query, offset=opened.offset)
    seen = replace(opened.version, columns=opened.source.columns)
    return _page(opened.table, seen, asked, data, found, beside=opened.beside)


def stream(
    who: Identity,
    table_id: str,
    query: TableQuery,
    *,
    cursor: str | None = None,
    as_of: str | None = None,
    crs: str | None = None,
) -> RowStream:
    """What `ask` gives, for pages that are too long to be held: read from the journal while they are sent.

    What can be refused is refused here, before the first row. The total is always counted, for it tells whether
    there is a next page.
    """
    moving = _moving(who, table_id, as_of, crs)
    read = moving.query(query) if moving else query
    opened = _open(who, table_id, read, cursor, as_of)
    asked = replace(read, offset=opened.offset)
    columns = result_columns(read, opened.source.columns)
    schema = opened.source.rows(replace(asked, limit=0)).schema
    batches: Iterator[pa.RecordBatch] = opened.source.page(asked)
    total = opened.count(read)
    if moving is not None:
        mover, before, wanted = moving, columns, len(query.select) or None
        columns = moving.columns(columns)[:wanted]
        schema = mover.rows(schema.empty_table(), before, wanted).schema
        batches = (mover.rows(batch, before, wanted) for batch in batches)
    following = None
    if asked.limit and asked.offset + asked.limit < total:
        place = Cursor(opened.version.position, asked.offset + asked.limit, opened.beside)
        following = write_cursor(place, table_id, read)
    release = opened.version.release
    return RowStream(opened.table, columns, schema, batches, total, following, release)


@dataclass(frozen=True)
class _Opened:
    """What answers a query that is no plain page, and where its page begins."""

    table: DataTable
    version: Version
    source: BaseRows | JoinedRows
    offset: int
    beside: int
    """Position of the other table of a join."""

    def count(self, query: TableQuery) -> int:
        """All groups or rows of the query."""
        if is_group(query):
            return self.source.count_groups(query)
        if query.join is None:
            return _count(self.table, self.version, query.where)
        return self.source.count(query.where)


def _open(
    who: Identity, table_id: str, query: TableQuery, cursor: str | None, as_of: str | None
) -> _Opened:
    table = show(who, table_id)
    version, offset = _place(table, query, cursor, as_of)
    other = None
    if query.join is not None:
        place = read_cursor(cursor, table.id, query).beside if cursor else 0
        other = beside(who, query.join, version, as_of, position=place)
    source = _source(who, version, query, other)
    return _Opened(table, version, source, offset, other.position if other else 0)


def _moving(who: Identity, table_id: str, as_of: str | None, crs: str | None) -> Moving | None:
    if not crs:
        return None
    found = version(who, table_id, as_of)
    return moving_to(places_of(found.columns, meanings_of(show(who, table_id))), crs)


def columns(
    who: Identity, table_id: str, join: Join | None, *, as_of: str | None = None
) -> tuple[Column, ...]:
    """The columns that a query of the table, or of two tables, may name."""
    version = version_as_of(show(who, table_id), as_of)
    if join is None:
        return version.columns
    other = beside(who, join, version, as_of)
    return _source(who, version, TableQuery(join=join), other).columns


def beside(
    who: Identity, join: Join, version: Version, as_of: str | None, *, position: int = 0
) -> Version:
    """The release of a join's other table: the one that the join names, else as of the time that `as_of` means.

    The number of a release means the moment at which it was made. Without `as_of` it is the newest one, or, for a
    page that goes on, that of the page before.
    """
    other = show(who, join.table)
    if position:
        return version_at(other, position)
    if join.as_of or not as_of or not as_of.strip():
        return version_as_of(other, join.as_of)
    moment = moment_of(version) if is_number(as_of.strip()) else as_of
    try:
        return version_as_of(other, moment)
    except NotFound as error:
        raise NotFound(
            "the other table of the join had no release at %(as_of)s; name one with as_of inside join",
            as_of=moment[:40],
        ) from error


def _source(
    who: Identity, version: Version, query: TableQuery, other: Version | None
) -> BaseRows | JoinedRows:
    """What answers groups and joins."""
    left = base_of(version)
    if query.join is None or other is None:
        return left
    key = key_of(show(who, query.join.table), other)
    return JoinedRows(left, base_of(other), query.join, key)


def count_groups(
    who: Identity, table_id: str, query: TableQuery, *, as_of: str | None = None
) -> int:
    """How many groups a query gives in all."""
    return base_of(version(who, table_id, as_of)).count_groups(query)


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
    table: DataTable,
    version: Version,
    query: TableQuery,
    data: pa.Table,
    total: int | None,
    *,
    beside: int = 0,
) -> RowPage:
    following = None
    if query.limit and data.num_rows > query.limit:
        data = data.slice(0, query.limit)
        place = Cursor(version.position, query.offset + query.limit, beside)
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
