"""Loading tables: what was read becomes a release, and the release gets its serving copy."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from catalog.db import Transaction, db, transaction
from catalog.errors import N_, CatalogError, NotFound, Unavailable, Unreadable
from catalog.models.base import new_id, now
from catalog.models.dataset import Resource
from catalog.models.table import DataTable, JournalFile, Release, TableColumn
from catalog.models.vocabulary import TableState
from catalog.permissions import Action, Identity, require
from catalog.queue import job
from catalog.services import datasets
from catalog.services.table_lookup import columns_of, newest
from catalog.tabular.column import Column
from catalog.tabular.duck import duck
from catalog.tabular.journal import Added
from catalog.tabular.profile import profile
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
        changed |= _load_one(who, resource, one, said, position=position, reason=reason)
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
    version, file = newest(table), _head_file(table)
    try:
        table_journal().verify(file.path, file.sha256)
    except Unreadable as error:
        with transaction():
            table.problem = {"message": error.message, "context": error.context, "code": error.code}
        raise
    base = table_journal().path(file.path)
    table_store().serve(table_id, version.position, base, version.columns)
    with transaction():
        table.served = version.position


@job(every_minutes=10)
def repair_tables() -> None:
    """Ask again for copies that are missing or behind; remove files and copies that belong to nothing."""
    heads = db.session.execute(select(DataTable.id, DataTable.head)).all()
    for table_id, head in heads:
        if head and table_store().served(table_id) != head:
            serve_table.later(table_id)
    known = {table_id for table_id, _ in heads}
    for stray in table_store().tables() - known:
        serve_table.later(stray)
    listed = db.session.scalars(select(JournalFile.path)).all()
    removed = table_journal().collect(listed, GRACE)
    if removed:
        log.info("removed %s files of the journal that nothing lists", len(removed))


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


def _load_one(
    who: Identity,
    resource: Resource,
    read: ReadTable,
    notes: Sequence[Mapping[str, Any]],
    *,
    position: int,
    reason: str,
) -> bool:
    table = _table(DataTable.resource_id == resource.id, DataTable.key == read.key)
    if table is None:
        table = DataTable(
            id=new_id(), resource_id=resource.id, key=read.key, columns=[], head=0, release=0
        )
    elif _is_same(table, read):
        with transaction():
            kept = [note for note in table.notes if note.get("message") == SHRUNK]
            _describe(table, resource, read, position)
            table.notes = [*table.notes, *kept]
        return False
    head = table.head + 1
    added = table_journal().add(table.id, head, read.file)
    profiles = profile(duck(), table_journal().path(added.path), read.columns)
    try:
        with transaction() as tx:
            db.session.add(table)
            _set_columns(table, read.columns, profiles)
            _release(table, read, added, head)
            db.session.add(
                Release(
                    table_id=table.id,
                    number=table.release,
                    position=head,
                    rows=read.rows,
                    content=read.content,
                    made_by=who.name[:200],
                    reason=reason[:500],
                )
            )
            _describe(table, resource, read, position)
            table.notes = [*table.notes, *map(dict, notes)]
            tx.after_commit(serve_table.later, table.id)
    except IntegrityError as error:
        raise Unavailable("another load of this resource is under way") from error
    return True


def _table(*conditions: ColumnElement[bool]) -> DataTable | None:
    return db.session.scalar(
        select(DataTable)
        .where(*conditions)
        .options(selectinload(DataTable.columns))
        .execution_options(populate_existing=True)
    )


def _head_file(table: DataTable) -> JournalFile:
    return db.session.scalars(
        select(JournalFile).where(
            JournalFile.table_id == table.id, JournalFile.position == table.head
        )
    ).one()


def _is_same(table: DataTable, read: ReadTable) -> bool:
    """Whether the newest release holds what was read, whole: a damaged file is written again."""
    content = db.session.scalar(
        select(Release.content).where(Release.table_id == table.id, Release.number == table.release)
    )
    if content != read.content or columns_of(table) != tuple(read.columns):
        return False
    file = _head_file(table)
    try:
        table_journal().verify(file.path, file.sha256)
    except Unreadable:
        log.warning("file %s of the journal is damaged or missing, loading it again", file.path)
        return False
    return True


def _release(table: DataTable, read: ReadTable, added: Added, head: int) -> None:
    """List the file and make it the newest release."""
    db.session.add(
        JournalFile(
            table_id=table.id,
            position=head,
            kind="base",
            path=added.path,
            rows=read.rows,
            bytes=added.bytes,
            sha256=added.sha256,
            columns=[
                {"name": column.name, "stored": column.stored, "type": column.type.value}
                for column in read.columns
            ],
        )
    )
    table.head = head
    table.release += 1
    table.rows, table.bytes = read.rows, added.bytes
    table.state, table.problem = TableState.READY, {}
    table.loaded_at = now()


def _set_columns(
    table: DataTable, columns: Sequence[Column], profiles: Mapping[str, dict[str, Any]]
) -> None:
    """Change rows in place by position: new ones before the old are deleted would break uniqueness."""
    del table.columns[len(columns) :]
    for at, column in enumerate(columns):
        if at == len(table.columns):
            table.columns.append(TableColumn(position=at))
        row = table.columns[at]
        row.name, row.stored, row.type = column.name, column.stored, column.type
        row.profile = profiles.get(column.name, {})


def _describe(table: DataTable, resource: Resource, read: ReadTable, position: int) -> None:
    """What the source says about the table besides its rows; it may change while the rows do not."""
    load_ = resource.load or {}
    table.position = position
    table.updated_at = now()
    table.title = dict((load_.get("tables") or {}).get(read.key) or read.title)
    table.notes = [dict(note) for note in read.notes]
    table.chart = dict(load_.get("chart") or {})
    if not load_.get("map"):  # else the harvester links it to the table of outlines
        table.map = {}
    said = load_.get("columns") or {}
    for column in table.columns:
        about = said.get(column.name) or {}
        column.label = dict(about.get("label") or {})
        column.description = dict(about.get("description") or {})
        column.unit = str(about.get("unit") or "")[:60]


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
