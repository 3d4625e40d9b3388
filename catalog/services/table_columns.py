"""What a table is besides its rows: making one, its columns, its key, and what is withheld of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import delete as remove
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from catalog.db import db, transaction
from catalog.errors import Conflict, Invalid, NotFound, TooLarge
from catalog.models.base import new_id, now
from catalog.models.dataset import Resource
from catalog.models.table import DataTable, JournalFile, Release, ReleaseFile, TableColumn
from catalog.models.vocabulary import Access, ColumnAccess, ColumnType
from catalog.permissions import Action, Identity, require
from catalog.services import datasets, not_open
from catalog.services.table_journal import (
    Change,
    add_delta,
    commit,
    folder,
    follow_now,
    listed,
    overtaken,
    set_columns,
    write_delta,
)
from catalog.services.table_loads import serve_table
from catalog.services.table_lookup import BASE, base_of, columns_of, newest, state_of
from catalog.services.table_writes import WriteReport, own
from catalog.tabular.column import ARROW, Column
from catalog.tabular.column import columns_of as new_columns
from catalog.tabular.reading.groups import Groups
from catalog.tabular.state import State, schema_of
from catalog.tabular.store import table_journal
from catalog.tabular.values import find

MOST_COLUMNS = 2_000
LONGEST_NAME = 500
CODE = "^[+-]?0[0-9]"


@dataclass(frozen=True)
class AddColumn:
    """A column more, which holds nothing yet."""

    name: str
    type: ColumnType


@dataclass(frozen=True)
class DropColumn:
    """A column less; older releases still have it."""

    name: str


@dataclass(frozen=True)
class RenameColumn:
    """Another published name."""

    name: str
    to: str


@dataclass(frozen=True)
class RetypeColumn:
    """Another type, which every value must satisfy."""

    name: str
    type: ColumnType


ColumnChange = AddColumn | DropColumn | RenameColumn | RetypeColumn


def create(  # what a table is
    who: Identity,
    resource_id: str,
    columns: Sequence[tuple[str, ColumnType]],
    *,
    key: str = "data",
    primary_key: Sequence[str] = (),
    reason: str = "",
) -> DataTable:
    """A table of the resource without rows; raises Conflict when the resource has one of that key.

    So does a resource that is loaded from its source: the next load would remove what it did not read.
    """
    resource = db.session.scalar(
        select(Resource).where(Resource.id == resource_id).options(joinedload(Resource.dataset))
    )
    if resource is None:
        raise NotFound("there is no such resource")
    require(who, Action.TABLE_WRITE, resource.dataset)
    if resource.load and resource.dataset.source_id is not None:
        raise Conflict(
            "the tables of this resource are harvested, and the next run would remove one that its source does not "
            "have: make the table in a resource of another dataset"
        )
    made = new_columns([name for name, _ in columns], [type_ for _, type_ in columns])
    _check_names(made)
    _check_key(primary_key, made)
    table = DataTable(
        id=new_id(), resource_id=resource.id, key=key[:300], columns=[], head=0, release=0, rows=0
    )
    table.primary_key = list(primary_key)
    with folder() as name:
        file = Path(name) / "base.parquet"
        pq.write_table(schema_of(made).empty_table().select([c.stored for c in made]), file)
        added = table_journal().add(table.id, 1, file)
    content = sha256(orjson.dumps([table.id, *map(repr, made)])).hexdigest()
    try:
        with transaction():
            db.session.add(table)
            set_columns(table, made)
            table.next_column = len(made)
            base = listed(table, BASE, added, 0, made)
            commit(who, table, [base], Change(0, content, 0, 0, 0), made, reason or "table made")
            datasets.touch(resource.dataset_id)
    except IntegrityError as error:
        raise Conflict("this resource has a table of that name already") from error
    follow_now(table.id)
    return table


def drop(who: Identity, table_id: str) -> None:
    """Remove the table with all of its releases; its files are collected later."""
    table = own(who, table_id)
    with transaction() as tx:
        datasets.touch(table.resource.dataset_id)
        db.session.execute(remove(DataTable).where(DataTable.id == table_id))
        tx.after_commit(serve_table.later, table_id)


def change_columns(
    who: Identity, table_id: str, changes: Sequence[ColumnChange], *, reason: str = ""
) -> WriteReport:
    """Change the columns, in order, as one release; rows are rewritten only for another type."""
    with table_journal().writing(table_id):
        table = own(who, table_id)
        shape = _Shape(table)
        for one in changes:
            shape.apply(one)
        _check_names(shape.columns)
        return _reshape(who, table, shape, reason or "columns changed")


def check(
    who: Identity,
    table_id: str,
    changes: Sequence[ColumnChange],
    primary_key: Sequence[str] | None,
    withheld: Sequence[str],
) -> None:
    """Raise what would be wrong with changing all of this, before any of it is done."""
    table = own(who, table_id)
    if withheld:
        require(who, Action.TABLE_MANAGE, table.resource.dataset)
    shape = _Shape(table)
    for one in changes:
        shape.apply(one)
    _check_names(shape.columns)
    _check_key(primary_key or [], shape.columns)
    names = {column.name for column in shape.columns}
    for name in withheld:
        if name not in names:
            raise NotFound("there is no column “%(column)s”", column=name[:200])


def set_key(who: Identity, table_id: str, primary_key: Sequence[str]) -> None:
    """Say which columns tell rows apart; raises Conflict where they do not."""
    table = own(who, table_id)
    columns = columns_of(table)
    _check_key(primary_key, columns)
    if primary_key and table.rows:
        key = [find(columns, name) for name in primary_key]
        if not base_of(newest(table)).tells_apart(key):
            raise Conflict("some rows have the same values in these columns, or none")
    with transaction():
        table.primary_key = list(primary_key)
        table.updated_at = now()


def set_access(
    who: Identity,
    table_id: str,
    name: str,
    access: ColumnAccess,
    mask: Mapping[str, int] | None = None,
    *,
    withheld_as: Access = Access.CLOSED,
    reason: Mapping[str, str] | None = None,
) -> None:
    """Withhold a column, or open it, in all releases; `not_open` lists it with `withheld_as` and `reason`.

    Without a reason the one that was given stays.
    """
    table = own(who, table_id)
    require(who, Action.TABLE_MANAGE, table.resource.dataset)
    column = next((one for one in table.columns if one.name == name), None)
    if column is None:
        raise NotFound("there is no column “%(column)s”", column=name[:200])
    with transaction():
        column.access, column.mask = access, dict(mask or {})
        if access != ColumnAccess.OPEN and column.conformance:
            column.conformance = {**column.conformance, "examples": []}
        not_open.say_why(who, table.resource.dataset, column, withheld_as, reason)
        table.updated_at = now()
        for row in _recorded(table_id):
            row.columns = [_withheld(entry, column) for entry in row.columns]
        recorded = (entry for row in _recorded(table_id) for entry in row.columns)
        table.withholds = any(one.access != ColumnAccess.OPEN for one in table.columns) or any(
            "access" in entry for entry in recorded
        )
        # Files that were made of releases show what was open then: they are made again when they are asked for.
        db.session.execute(remove(ReleaseFile).where(ReleaseFile.table_id == table_id))
        datasets.touch(table.resource.dataset_id)


class _Shape:
    """The columns of a table while they change."""

    def __init__(self, table: DataTable) -> None:
        self.columns = list(columns_of(table))
        self.key = list(table.primary_key or [])
        self.next_column = table.next_column
        self.casts: dict[str, Column] = {}
        """Stored name of before → column that takes its place."""
        self.names: dict[str, str] = {column.name: column.name for column in self.columns}
        """Name now → name of before, for what is said of it."""

    def apply(self, change: ColumnChange) -> None:
        """One change after the other."""
        if isinstance(change, AddColumn):
            self.columns.append(Column(change.name, self._stored(), change.type))
            return
        column = find(self.columns, change.name)
        at = self.columns.index(column)
        if isinstance(change, DropColumn):
            if change.name in self.key:
                raise Conflict(
                    "“%(column)s” tells rows apart; change the key first", column=change.name
                )
            del self.columns[at]
        elif isinstance(change, RenameColumn):
            self.columns[at] = replace(column, name=change.to)
            self.key = [change.to if name == change.name else name for name in self.key]
            self.names[change.to] = self.names.pop(change.name, change.name)
        elif column.type is not change.type:
            self.columns[at] = Column(column.name, self._stored(), change.type)
            self.casts[column.stored] = self.columns[at]

    def _stored(self) -> str:
        self.next_column += 1
        return f"c{self.next_column - 1}"


def _reshape(who: Identity, table: DataTable, shape: _Shape, reason: str) -> WriteReport:
    columns = tuple(shape.columns)
    before = db.session.scalars(
        select(Release.content).where(Release.table_id == table.id, Release.number == table.release)
    ).one()
    content = sha256(f"{before}{columns!r}".encode()).hexdigest()
    with folder() as name:
        file = Path(name) / "change.parquet"
        if shape.casts:
            rows = _rewrite(state_of(newest(table)), shape, file)
            added = table_journal().add(table.id, table.head + 1, file)
            files = [listed(table, BASE, added, rows, columns, numbered=True)]
        else:
            write_delta([], columns, file)
            files = add_delta(table, file, 0, columns)
    try:
        with transaction():
            _keep_withheld(table)
            set_columns(table, columns, shape.names)
            table.primary_key, table.next_column = shape.key, shape.next_column
            for one in files:
                one.columns = [
                    {**entry, **_access_of(table, entry["name"])} for entry in one.columns
                ]
            commit(who, table, files, Change(table.rows, content, 0, 0, 0), columns, reason)
            datasets.touch(table.resource.dataset_id)
    except IntegrityError as error:
        raise overtaken(error) from error
    follow_now(table.id)
    return WriteReport(table.release, table.rows)


def _rewrite(state: State, shape: _Shape, file: Path) -> int:
    """Write all rows with the new types; how many there are. Raises Invalid for a value that does not fit."""
    before = {column.stored: old for old, column in shape.casts.items()}
    schema = schema_of(shape.columns)
    wanted = [
        c
        for c in state.columns
        if c.stored in {*before.values(), *(x.stored for x in shape.columns)}
    ]
    rows = 0
    with Groups(file, schema) as groups:
        for batch in state.batches(wanted):
            arrays = []
            for column in shape.columns:
                old = before.get(column.stored, column.stored)
                if old in batch.schema.names:
                    arrays.append(_cast(batch.column(old), column))
                else:
                    arrays.append(pa.nulls(batch.num_rows, ARROW[column.type]))
            arrays.append(batch.column(batch.num_columns - 1))
            groups.add(pa.RecordBatch.from_arrays(arrays, schema=schema))
            rows += batch.num_rows
    return rows


def _cast(values: pa.Array, column: Column) -> pa.Array:
    try:
        cast = values.cast(ARROW[column.type])
        if column.type in (ColumnType.INTEGER, ColumnType.NUMBER) and values.type == pa.string():
            _refuse_codes(values, column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Invalid(
            "not every value of “%(column)s” is of the type %(type)s; the column stays as it is",
            column=column.name, type=column.type.value,
        ) from error  # fmt: skip
    return cast


def _refuse_codes(values: pa.Array, column: Column) -> None:
    """A code such as 007 would come back as 7: that is no change of type but of value."""
    found = values.filter(pc.fill_null(pc.match_substring_regex(values, CODE), False))  # noqa: FBT003 # for nothing
    if len(found):
        raise Invalid(
            "“%(column)s” holds codes such as %(value)s, which would lose their zeros; it stays text",
            column=column.name,
            value=found[0].as_py()[:50],
        )


def _check_names(columns: Sequence[Column]) -> None:
    names = [column.name for column in columns]
    if not names:
        raise Invalid("a table needs at least one column")
    if len(names) > MOST_COLUMNS:
        raise TooLarge("a table has at most %(most)s columns", most=MOST_COLUMNS)
    for name in names:
        if not name.strip() or len(name) > LONGEST_NAME or "\x00" in name:
            raise Invalid("“%(column)s” cannot be the name of a column", column=name[:100])
        if names.count(name) > 1:
            raise Invalid("two columns are called “%(column)s”", column=name[:100])


def _check_key(primary_key: Sequence[str], columns: Sequence[Column]) -> None:
    names = {column.name for column in columns}
    for name in primary_key:
        if name not in names:
            raise Invalid("there is no column “%(column)s”", column=name[:200])


def _recorded(table_id: str) -> list[Release | JournalFile]:
    found: list[Release | JournalFile] = [
        *db.session.scalars(select(Release).where(Release.table_id == table_id)),
        *db.session.scalars(select(JournalFile).where(JournalFile.table_id == table_id)),
    ]
    return found


def _withheld(entry: dict[str, Any], column: TableColumn) -> dict[str, Any]:
    if entry["name"] != column.name and entry["stored"] != column.stored:
        return entry
    kept = {name: value for name, value in entry.items() if name not in ("access", "mask")}
    if column.access == ColumnAccess.OPEN:
        return kept
    return {**kept, "access": str(column.access), "mask": column.mask}


def _keep_withheld(table: DataTable) -> None:
    """What is withheld of a column that goes, or is called otherwise, stays withheld in older releases."""
    for column in table.columns:
        if column.access != ColumnAccess.OPEN:
            for row in _recorded(table.id):
                row.columns = [_withheld(entry, column) for entry in row.columns]


def _access_of(table: DataTable, name: str) -> dict[str, Any]:
    row = next((one for one in table.columns if one.name == name), None)
    if row is None or row.access in (None, ColumnAccess.OPEN):
        return {}
    return {"access": str(row.access), "mask": row.mask}
