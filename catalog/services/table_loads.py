"""Loading tables: what was read becomes a release, and the release gets its serving copy."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from catalog.db import Transaction, db, transaction
from catalog.errors import N_, CatalogError, NotFound, Unavailable, Unreadable
from catalog.models.base import new_id
from catalog.models.dataset import Resource
from catalog.models.table import DataTable, JournalFile, Release
from catalog.permissions import Action, Identity, require
from catalog.queue import job
from catalog.services import datasets, table_cells
from catalog.services.conformance import measure_table
from catalog.services.table_description import describe
from catalog.services.table_journal import (
    MOST_CHANGED,
    Change,
    add_delta,
    commit,
    follow,
    listed,
    set_columns,
    write_delta,
)
from catalog.services.table_lookup import BASE, columns_of, journal_files, newest, state_of
from catalog.tabular.compare import Counts, comparing
from catalog.tabular.duck import duck, heavy_duck
from catalog.tabular.profile import profile
from catalog.tabular.sql import parquet
from catalog.tabular.state import State
from catalog.tabular.store import table_journal, table_store

if TYPE_CHECKING:
    from catalog.tabular.reading import ReadTable

log = logging.getLogger(__name__)

SHRUNK = N_("The table has %(rows)s rows now; before, it had %(before)s.")
REMOVED = N_("The source no longer has the table %(table)s; it was removed with its %(rows)s rows.")
EMPTY_SHEET = "The sheet %(sheet)s holds no table; it was left out."
"""The reader's note about a sheet that is still there."""
GRACE = timedelta(hours=6)
"""Longer than any transaction that lists a file: younger stray files may still be listed."""


@dataclass(frozen=True)
class LoadReport:
    """What a load did."""

    tables: int
    rows: int
    changed: bool
    notes: tuple[dict[str, Any], ...] = ()
    """What else is worth knowing: `{"message": msgid, "context": {…}}`."""


def load(who: Identity, resource_id: str, read: Iterable[ReadTable], *, reason: str) -> LoadReport:
    """Make the resource's tables equal to what was read; equal content makes no new release.

    Each table is one transaction: a load that breaks off leaves whole tables, some new and some old. Tables
    that were not read again are removed only when all was read. A table that has rows keeps them when
    nothing was read for it: Unreadable says so, after all others were loaded.
    """
    resource = _resource(who, resource_id)
    keys: list[str] = []
    notes: list[dict[str, Any]] = []
    left_out: set[str] = set()
    total, changed, emptied = 0, False, 0
    for position, one in enumerate(read):
        keys.append(one.key)
        before = _rows_of(resource, one.key)
        if before and _is_emptied(resource, one):
            emptied += before
            continue
        said = _shrunk(resource, before, one)
        changed |= load_table(who, resource, one, said, position=position, reason=reason)
        notes += said
        total += one.rows
        left_out |= _left_out(one)
    if not keys:
        raise Unreadable("no table was found in it")
    emptied += _rows_left_out(resource, keys, left_out)
    with transaction() as tx:
        if not emptied:
            gone = _remove_others(tx, resource, keys)
            changed |= bool(gone)
            notes += gone
            resource.problem = {}
        if changed:
            datasets.touch(resource.dataset_id)
    if emptied:
        raise Unreadable(
            "The source gave no rows; the %(rows)s rows of before are kept.", rows=emptied
        )
    return LoadReport(len(keys), total, changed, tuple(notes))


def fail(who: Identity, resource_id: str, error: CatalogError) -> None:
    """Record why the resource could not be loaded; its tables stay as they were."""
    resource = _resource(who, resource_id)
    with transaction():
        resource.problem = {
            "message": error.message,
            "context": {name: _plain(value) for name, value in error.context.items()},
            "code": error.code,
        }


@job(retries=3)
def serve_table(table_id: str) -> None:
    """Make the serving copy equal to the newest release; raises Unreadable for a damaged journal file."""
    table = _table(DataTable.id == table_id)
    if table is None:
        table_store().drop(table_id)
        return
    if not table.head:
        return
    try:
        follow(table_id)
    except Unreadable as error:
        with transaction():
            table.problem = {"message": error.message, "context": error.context, "code": error.code}
        raise
    with transaction():
        table.served = table_store().served(table_id)


@job(every_minutes=10)
def repair_tables() -> None:
    """Ask again for copies that are missing or behind; remove files and copies that belong to nothing.

    Machines that share a journal keep their copies up themselves: a job might run on any of them.
    """
    if not table_journal().shared:
        _repair_copies()
    listed = db.session.scalars(select(JournalFile.path)).all()
    removed = table_journal().collect(listed, GRACE)
    if removed:
        log.info("removed %s files of the journal that nothing lists", len(removed))


def _repair_copies() -> None:
    heads = db.session.execute(select(DataTable.id, DataTable.head)).all()
    for table_id, head in heads:
        if head and table_store().served(table_id) != head:
            serve_table.later(table_id)
    known = {table_id for table_id, _ in heads}
    for stray in table_store().tables() - known:
        serve_table.later(stray)


def _resource(who: Identity, resource_id: str) -> Resource:
    resource = db.session.scalar(
        select(Resource)
        .where(Resource.id == resource_id)
        .options(joinedload(Resource.dataset, innerjoin=True))
    )
    if resource is None:
        raise NotFound("there is no such resource")
    require(who, Action.TABLE_LOAD, resource.dataset)
    return resource


def _rows_of(resource: Resource, key: str) -> int:
    """How many rows the table has so far."""
    found = select(DataTable.rows).where(
        DataTable.resource_id == resource.id, DataTable.key == key, DataTable.head > 0
    )
    return db.session.scalar(found) or 0


def _may_shrink(resource: Resource) -> bool:
    return bool(((resource.load or {}).get("read") or {}).get("may_shrink"))


def _is_emptied(resource: Resource, read: ReadTable) -> bool:
    """Whether a source gave nothing, which is most often its mistake."""
    return not read.columns or (not read.rows and not _may_shrink(resource))


def _left_out(read: ReadTable) -> set[str]:
    """Sheets and members of archives that are there, but hold no table this time."""
    names = set()
    for note in read.notes:
        context = note.get("context") or {}
        problem = context.get("problem")
        if note.get("message") == EMPTY_SHEET:
            names.add(str(context["sheet"]))
        elif isinstance(problem, Mapping):
            names.add(str((problem.get("context") or {}).get("file")))
    return names


def _rows_left_out(resource: Resource, keys: Sequence[str], left_out: set[str]) -> int:
    """Rows of tables that what was left out had before."""
    if not left_out or _may_shrink(resource):
        return 0
    named = select(DataTable.key, DataTable.rows).where(DataTable.resource_id == resource.id)
    return sum(
        row.rows
        for row in db.session.execute(named)
        if row.key not in keys
        and any(
            f"/{name}".endswith(f"/{row.key}") or row.key.endswith(f"/{name}") for name in left_out
        )
    )


def _shrunk(resource: Resource, before: int, read: ReadTable) -> list[dict[str, Any]]:
    """A note when more than half of the rows are gone."""
    if read.rows * 2 >= before or _may_shrink(resource):
        return []
    return [{"message": SHRUNK, "context": {"rows": read.rows, "before": before}}]


def load_table(
    who: Identity,
    resource: Resource,
    read: ReadTable,
    notes: Sequence[Mapping[str, Any]],
    *,
    position: int,
    reason: str,
) -> bool:
    """Make one table of the resource equal to what was read, as one release; whether there was anything new."""
    table = _table(DataTable.resource_id == resource.id, DataTable.key == read.key)
    if table is None:
        table = DataTable(
            id=new_id(), resource_id=resource.id, key=read.key, columns=[], head=0, release=0
        )
    elif _is_same(table, read):
        with transaction():
            kept = [note for note in table.notes if note.get("message") == SHRUNK]
            describe(table, resource, read, position)
            table.notes = [*table.notes, *kept]
        return False
    said = (table, read, tuple(map(dict, notes)), position)
    with table_journal().writing(table.id):
        compared = _compared(table, read)
        if compared and not compared.counts.total and not table_cells.differ(table, read):
            return False  # the same rows in another order
        try:
            if compared and compared.file:
                _load_delta(who, resource, *said, compared=compared, reason=reason)
            else:
                counts = compared.counts if compared else None
                _load_base(who, resource, *said, counts=counts, reason=reason)
        except IntegrityError as error:
            raise Unavailable("another load of this resource is under way") from error
    return True


@dataclass(frozen=True)
class _Compared:
    """What a load changes; the delta is there when it is worth more than another base."""

    counts: Counts
    file: Path | None
    profiles: Mapping[str, dict[str, Any]]
    kept: Path | None = None
    """The kept cells, under the numbers of the rows instead of their places in the file."""


def _compared(table: DataTable, read: ReadTable) -> _Compared | None:
    """What was read compared with the newest release; None where the columns are others or its files damaged."""
    columns = tuple(read.columns)
    if not table.head or columns_of(table) != columns or not _is_sound(table):
        return None
    old, new = state_of(newest(table)), State.of_file(read.file, columns)
    key = [(column, column) for column in columns if column.name in (table.primary_key or [])]
    pairs = [(column, column) for column in columns]
    with heavy_duck(read.file.parent) as own, comparing(own, old, new, pairs) as comparison:
        counts = comparison.counts(key if len(key) == len(table.primary_key or []) else [])
        if not counts.total or counts.total > MOST_CHANGED * max(table.rows, read.rows):
            return _Compared(counts, None, {})
        file = read.file.with_suffix(".delta")
        write_delta(comparison.changes(table.next_row), columns, file)
        kept = table_cells.renumbered(read, comparison) if read.kept else None
        return _Compared(counts, file, profile(own, new.relation(), columns), kept)


def _is_sound(table: DataTable) -> bool:
    """Whether the files of the newest release are those that were written."""
    try:
        for file in journal_files(table.id, table.head):
            table_journal().verify(file.path, file.sha256)
    except Unreadable:
        log.warning("the journal of table %s is damaged, loading it whole", table.id)
        return False
    return True


def _load_delta(  # noqa: PLR0913 # what a load knows
    who: Identity,
    resource: Resource,
    table: DataTable,
    read: ReadTable,
    notes: Sequence[dict[str, Any]],
    position: int,
    *,
    compared: _Compared,
    reason: str,
) -> None:
    if compared.file is None:  # pragma: no cover # the caller has looked
        return
    columns, counts = tuple(read.columns), compared.counts
    files = add_delta(table, compared.file, counts.total, columns)
    change = Change.of(table.rows, counts, read.content)
    cells = table_cells.stored(table, read, compared.kept)
    with transaction() as tx:
        set_columns(table, columns, profiles=compared.profiles)
        commit(who, table, files, change, columns, reason)
        table_cells.list_cells(table, read, cells)
        table.next_row += counts.inserted
        _after_load(tx, resource, table, read, notes, position)


def _load_base(  # noqa: PLR0913 # what a load knows
    who: Identity,
    resource: Resource,
    table: DataTable,
    read: ReadTable,
    notes: Sequence[dict[str, Any]],
    position: int,
    *,
    counts: Counts | None,
    reason: str,
) -> None:
    columns = tuple(read.columns)
    added = table_journal().add(table.id, table.head + 1, read.file)
    profiles = profile(duck(), parquet(table_journal().path(added.path)), columns)
    change = Change(read.rows, read.content, *([] if table.head else [read.rows, 0, 0]))
    if counts:
        change = Change.of(table.rows, counts, read.content)
    cells = table_cells.stored(table, read, read.kept)
    with transaction() as tx:
        db.session.add(table)
        set_columns(table, columns, profiles=profiles)
        file = listed(table, BASE, added, read.rows, columns)
        commit(who, table, [file], change, columns, reason)
        table_cells.list_cells(table, read, cells)
        table.next_row, table.next_column = read.rows, len(columns)
        _after_load(tx, resource, table, read, notes, position)


def _after_load(  # what a load knows
    tx: Transaction,
    resource: Resource,
    table: DataTable,
    read: ReadTable,
    notes: Sequence[dict[str, Any]],
    position: int,
) -> None:
    table.profiled = table.head
    describe(table, resource, read, position)
    table.notes = [*table.notes, *notes]
    tx.after_commit(serve_table.later, table.id)
    if any(column.element_id for column in table.columns):
        tx.after_commit(measure_table.later, table.id)


def _table(*conditions: ColumnElement[bool]) -> DataTable | None:
    return db.session.scalar(
        select(DataTable)
        .where(*conditions)
        .options(selectinload(DataTable.columns))
        .execution_options(populate_existing=True)
    )


def _is_same(table: DataTable, read: ReadTable) -> bool:
    """Whether the newest release holds what was read, whole: a damaged file is written again."""
    content = db.session.scalar(
        select(Release.content).where(Release.table_id == table.id, Release.number == table.release)
    )
    if content != read.content or columns_of(table) != tuple(read.columns):
        return False
    return _is_sound(table)


def _remove_others(
    tx: Transaction, resource: Resource, keys: Sequence[str]
) -> list[dict[str, Any]]:
    """Remove tables that are no longer read, and say so; the collector removes their files later."""
    named = select(DataTable.id, DataTable.key, DataTable.rows)
    found = db.session.execute(named.where(DataTable.resource_id == resource.id)).all()
    gone = {row.id: row for row in found if row.key not in keys}
    if gone:
        db.session.execute(delete(DataTable).where(DataTable.id.in_(gone)))
    for table_id in gone:
        tx.after_commit(serve_table.later, table_id)
    return [
        {"message": REMOVED, "context": {"table": row.key, "rows": row.rows}}
        for row in gone.values()
    ]


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
