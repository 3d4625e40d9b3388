"""What a change of a table's rows leaves behind: files in the journal, a release, and the copy that follows.

A change becomes a release in one transaction that lists its files; who was overtaken by another writer meanwhile
gets Overtaken and does the work again on what is there now.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from catalog.db import db, transaction
from catalog.errors import CatalogError, Unavailable
from catalog.models.base import now
from catalog.models.table import DataTable, JournalFile, Release, TableColumn
from catalog.models.vocabulary import ColumnAccess, ColumnType, TableState
from catalog.permissions import Identity
from catalog.services.table_lookup import BASE, DELTA, Version, journal_files, part_of, state_of
from catalog.tabular.column import Column
from catalog.tabular.compare import Counts, delta_schema
from catalog.tabular.journal import Added
from catalog.tabular.reading.groups import Groups
from catalog.tabular.state import State, schema_of
from catalog.tabular.store import table_journal, table_store

log = logging.getLogger(__name__)

MOST_DELTAS = 64
"""Reading from the journal slows down with the number of deltas on a base."""
MOST_DELTAS_OF_SMALL = 16
SMALL_ROWS = 20_000
"""A base of so few rows costs no more than the deltas that it takes the place of."""
MOST_CHANGED = 0.3
"""Part of the rows beyond which a base is smaller, or soon better, than deltas."""


class Overtaken(Unavailable):
    """Another writer was first: what was worked out is about rows that have changed."""


@dataclass(frozen=True)
class Change:
    """What a release changes: how many rows there are then, and what became of which of them."""

    rows: int
    content: str
    inserted: int | None = None
    updated: int | None = None
    deleted: int | None = None

    @classmethod
    def of(cls, before: int, counts: Counts, content: str) -> Change:
        """The change that counts describe, of a table with `before` rows."""
        rows = before + counts.inserted - counts.deleted
        return cls(rows, content, counts.inserted, counts.updated, counts.deleted)


def recorded(table: DataTable, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Columns as the journal and releases record them, with what is withheld of them."""
    about = {column.name: column for column in table.columns}
    found: list[dict[str, Any]] = []
    for column in columns:
        entry: dict[str, Any] = {
            "name": column.name,
            "stored": column.stored,
            "type": column.type.value,
        }
        row = about.get(column.name)
        if row is not None and row.access not in (None, ColumnAccess.OPEN):
            entry |= {"access": str(row.access), "mask": row.mask}
        found.append(entry)
    return found


def set_columns(
    table: DataTable,
    columns: Sequence[Column],
    names: Mapping[str, str] | None = None,
    profiles: Mapping[str, dict[str, Any]] | None = None,
) -> None:
    """Make the rows of the table's columns these; `names` gives the name of before where it changed.

    They change in place by position: new ones before the old are deleted would break uniqueness. What is said of
    a column, and above all what is withheld of it, goes by its name.
    """
    said = {
        row.name: {field: getattr(row, field) for field in NOTHING_SAID} for row in table.columns
    }
    withheld = _withheld_before(table)
    del table.columns[len(columns) :]
    for at, column in enumerate(columns):
        if at == len(table.columns):
            table.columns.append(TableColumn(position=at))
        row = table.columns[at]
        row.name, row.stored, row.type = column.name, column.stored, column.type
        about = said.get((names or {}).get(column.name, column.name)) or withheld.get(column.name)
        for field, nothing in NOTHING_SAID.items():
            setattr(row, field, about[field] if about else nothing())
        if profiles is not None:
            row.profile = profiles.get(column.name, {})


def _withheld_before(table: DataTable) -> dict[str, dict[str, Any]]:
    """What releases withheld of columns, by name: one that comes back stays withheld until somebody opens it."""
    if not table.withholds:
        return {}
    found: dict[str, dict[str, Any]] = {}
    recorded_ = select(Release.columns).where(Release.table_id == table.id).order_by(Release.number)
    for entry in (entry for columns in db.session.scalars(recorded_) for entry in columns):
        known = found.get(entry["name"], {}).get("access")
        if "access" in entry and known != ColumnAccess.HIDDEN:
            nothing = {field: make() for field, make in NOTHING_SAID.items()}
            about = {"access": ColumnAccess(entry["access"]), "mask": entry.get("mask") or {}}
            found[entry["name"]] = nothing | about
    return found


NOTHING_SAID: Mapping[str, Callable[[], Any]] = {
    "label": dict,
    "description": dict,
    "unit": str,
    "semantic": str,
    "access": lambda: ColumnAccess.OPEN,
    "mask": dict,
    "info": dict,
    "profile": dict,
    "element_id": lambda: None,
    "conformance": dict,
    "label_origins": dict,
    "withheld_as": str,
    "withheld_reason": dict,
}


def chained(before: str, delta: str) -> str:
    """The content of a release that a delta with this hash makes of the one before."""
    return sha256(f"{before}{delta}".encode()).hexdigest()


def folder() -> TemporaryDirectory[str]:
    """A folder of its own beside the data, so that large files do not fill the system's."""
    base = Path(current_app.extensions["weft"]["settings"].data_dir) / "work"
    base.mkdir(parents=True, exist_ok=True)
    return TemporaryDirectory(dir=base)


def write_delta(batches: Iterable[pa.RecordBatch], columns: Sequence[Column], file: Path) -> int:
    """Write the rows of a delta as Parquet; how many there are."""
    rows = 0
    with Groups(file, delta_schema(columns)) as groups:
        for batch in batches:
            groups.add(batch)
            rows += batch.num_rows
    return rows


def add_delta(
    table: DataTable, file: Path, rows: int, columns: Sequence[Column]
) -> list[JournalFile]:
    """The files that list the delta as the next position: itself and, when it is due, a base that folds them all."""
    head = table.head + 1
    delta = listed(table, DELTA, table_journal().add(table.id, head, file), rows, columns)
    state = state_of(Version(table.id, table.head, tuple(columns)))
    whole = replace(state, position=head, deltas=(*state.deltas, part_of(delta)))
    if not _is_fold_due(whole, table.rows):
        return [delta]
    return [delta, _folded(table, whole)]


def listed(  # what a listed file says
    table: DataTable,
    kind: str,
    added: Added,
    rows: int,
    columns: Sequence[Column],
    *,
    numbered: bool = False,
) -> JournalFile:
    """The row that lists a file as the next position of the journal."""
    return JournalFile(
        table_id=table.id,
        position=table.head + 1,
        kind=kind,
        numbered=numbered,
        path=added.path,
        rows=rows,
        bytes=added.bytes,
        sha256=added.sha256,
        columns=recorded(table, columns),
    )


def commit(  # what a release says
    who: Identity,
    table: DataTable,
    files: Sequence[JournalFile],
    change: Change,
    columns: Sequence[Column],
    reason: str,
) -> Release:
    """Make the files the next position and the newest release; the caller's transaction commits.

    Raises Overtaken when the table has another head than the files were made for.
    """
    head = db.session.scalar(
        select(DataTable.head).where(DataTable.id == table.id).with_for_update()
    )
    if head is not None and head != files[0].position - 1:
        raise Overtaken("another change of this table came first; try again")
    db.session.add_all(files)
    table.head = files[0].position
    table.release += 1
    table.rows = change.rows
    table.bytes = _bytes(table, files)
    table.state, table.problem = TableState.READY, {}
    table.loaded_at = table.updated_at = now()
    release = Release(
        table_id=table.id,
        number=table.release,
        position=table.head,
        rows=change.rows,
        content=change.content,
        inserted=change.inserted,
        updated=change.updated,
        deleted=change.deleted,
        columns=recorded(table, columns),
        primary_key=list(table.primary_key or []),
        made_by=who.name[:200],
        reason=reason[:500],
    )
    db.session.add(release)
    return release


def overtaken(error: IntegrityError) -> Overtaken:
    """What a position or a release that somebody else took means."""
    log.info("a change of a table was overtaken: %s", error.orig)
    return Overtaken("another change of this table came first; try again")


def follow(table_id: str) -> None:
    """Let the serving copy follow the journal to its head; raises Unreadable for a damaged file."""
    head = db.session.execute(
        select(DataTable.head, DataTable.id).where(DataTable.id == table_id)
    ).first()
    if head is None or not head.head:
        return
    store = table_store()
    files = journal_files(table_id, head.head)
    state = state_at_head(table_id, head.head)
    served = store.served(table_id)
    since = {file.position: file for file in files if file.kind == DELTA and file.position > served}
    follows = 0 < served < head.head and len(since) == head.head - served
    changes = {at: part_of(file) for at, file in since.items()} if follows else {}
    needed = {part.position for part in state.deltas}
    for file in files:
        is_change = file.kind == DELTA and file.position in changes
        is_base = file.kind == BASE and file.position == state.base.position
        is_part = file.kind == DELTA and file.position in needed
        if is_change if follows else is_base or is_part:
            table_journal().verify(file.path, file.sha256)
    store.serve(table_id, state, changes)


def follow_now(table_id: str) -> bool:
    """Let the copy follow at once, so that who wrote reads it; whether it could. What is written stays written."""
    try:
        follow(table_id)
    except CatalogError as error:
        log.warning("the serving copy of %s stays behind: %s", table_id, error)
        return False
    with transaction():
        table = db.session.get(DataTable, table_id, populate_existing=True)
        if table is not None:
            table.served = table_store().served(table_id)
    return True


def state_at_head(table_id: str, head: int) -> State:
    """The rows of the newest release with all of its columns, whoever asks."""
    columns = db.session.scalars(
        select(Release.columns).where(Release.table_id == table_id, Release.position == head)
    ).first()
    return state_of(Version(table_id, head, plain_columns(columns or [])))


def plain_columns(recorded_: Sequence[dict[str, Any]]) -> tuple[Column, ...]:
    """Columns as they were recorded, with nothing withheld."""
    return tuple(
        Column(entry["name"], entry["stored"], ColumnType(entry["type"])) for entry in recorded_
    )


def _is_fold_due(state: State, rows: int) -> bool:
    changed = sum(delta.rows for delta in state.deltas)
    most = MOST_DELTAS_OF_SMALL if rows <= SMALL_ROWS else MOST_DELTAS
    return len(state.deltas) >= most or (rows > SMALL_ROWS and changed > MOST_CHANGED * rows)


def _folded(table: DataTable, state: State) -> JournalFile:
    """A base of all rows as they are at the state, with their numbers."""
    with folder() as name:
        file = Path(name) / "base.parquet"
        rows = write_base(state, file)
        added = table_journal().add(table.id, state.position, file)
    return listed(table, BASE, added, rows, state.columns, numbered=True)


def write_base(state: State, file: Path) -> int:
    """Write all rows of the state with their numbers; how many there are."""
    rows = 0
    with Groups(file, schema_of(state.columns)) as groups:
        for batch in state.batches():
            groups.add(batch)
            rows += batch.num_rows
    return rows


def _bytes(table: DataTable, files: Sequence[JournalFile]) -> int:
    """Bytes of the newest base and of the deltas after it."""
    if any(file.kind == BASE for file in files):
        return next(file.bytes for file in files if file.kind == BASE)
    return int(table.bytes or 0) + sum(file.bytes for file in files)
