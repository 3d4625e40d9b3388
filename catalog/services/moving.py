"""Moving a portal to other engines: its files, then all rows in one transaction, each compared with what was read.

A move that breaks off leaves no rows, so it is started again; files that have arrived are not sent twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Table, bindparam, func, literal, select, text, update
from sqlalchemy.exc import DBAPIError

from catalog.db import db, transaction
from catalog.errors import Conflict
from catalog.files import LocalFiles, file_store
from catalog.models.base import Base
from catalog.models.table import JournalFile
from catalog.permissions import Action, Identity, require
from catalog.tabular.journal import LocalJournal
from catalog.tabular.store import table_journal

BATCH = 1_000
"""Rows that are held in memory at once."""
COPY_BYTES = 1 << 20
Tell = Callable[[str, int], None]
"""Hears what was moved, and how much of it."""


@dataclass(frozen=True)
class Old:
    """What is moved: an open connection to the old database, and the folders of the old portal."""

    rows: Connection
    journal: Path
    files: Path


def move(who: Identity, old: Old, tell: Tell) -> None:
    """Copy everything of the old portal to the engines of this one, whose database holds no rows.

    The caller sees to it that nobody writes to the old one meanwhile. Raises Conflict if there are rows
    here, or those of the old one do not fit, and Unreadable if a file is damaged or missing.
    """
    require(who, Action.PORTAL_OPERATE)
    _require_same_schema(old.rows)
    _require_empty()
    tell("files of tables", _copy_journal(old))
    tell("other files", _copy_files(old.files))
    with transaction():
        for table in Base.metadata.sorted_tables:
            tell(table.name, _copy_table(old.rows, db.session.connection(), table))


def _require_same_schema(rows: Connection) -> None:
    """Raise Conflict unless both databases are of the same version of the portal."""
    version = text("SELECT version_num FROM alembic_version")
    try:
        theirs = rows.scalar(version)
    except DBAPIError as error:
        raise Conflict("there is no database of a portal to move") from error
    if theirs != db.session.scalar(version):
        raise Conflict(
            "the old database is of another version: run `migrate` with its settings first"
        )


def _require_empty() -> None:
    """Raise Conflict if there are rows in the database of this portal."""
    held = [
        table.name
        for table in Base.metadata.sorted_tables
        if db.session.scalar(select(literal(1)).select_from(table).limit(1))
    ]
    db.session.rollback()
    if held:
        raise Conflict(
            "the new database is not empty: there are rows in %(tables)s", tables=", ".join(held)
        )


def _copy_journal(old: Old) -> int:
    """Send the listed files of the journal whose place changes, comparing each with its hash."""
    listed = select(JournalFile.path, JournalFile.sha256).order_by(JournalFile.path)
    there = LocalJournal(old.journal)
    count = 0
    for path, sha256 in old.rows.execute(listed):
        if there.folder.is_dir():
            there.verify(path, sha256)
            table_journal().keep(path, there.path(path))
        else:  # it lies on S3, for both
            table_journal().verify(path, sha256)
        count += 1
    return count


def _copy_files(folder: Path) -> int:
    """Send the files that are not there; each is whole wherever its key is seen."""
    there, here = LocalFiles(folder), file_store()
    arrived, count = set(here.keys("")), 0  # all of them where the folder stays the same
    for key in there.keys(""):
        count += 1
        if key not in arrived:
            with there.open(key) as read, here.writing(key) as written:
                while part := read.read(COPY_BYTES):
                    written.write(part)
    return count


def _copy_table(source: Connection, target: Connection, table: Table) -> int:
    """Copy all rows, and prove that what is read here is what was read there; their number."""
    late = _own_columns(table)
    sent, pointing = Tally(), []
    for batch in _batches(source, table):
        sent.add(batch)
        rows = [dict(row._mapping) for row in batch]
        pointing += [_renamed(table, late, row) for row in rows if any(row[one] for one in late)]
        _insert(target, table, [row | dict.fromkeys(late) for row in rows])
    if pointing:
        target.execute(_pointers(table, late), pointing)
    _restart_numbers(target, table)
    found = Tally()
    for batch in _batches(target, table):
        found.add(batch)
    if found != sent:
        raise Conflict(
            "of %(table)s, %(found)s rows arrived, of %(sent)s, or not as they were",
            table=table.name,
            found=found.count,
            sent=sent.count,
        )
    return sent.count


@dataclass
class Tally:
    """How many rows there were, and a sum of their hashes, which no order changes."""

    count: int = 0
    total: int = 0

    def add(self, rows: Sequence[Row[Any]]) -> None:
        """Take these rows into account."""
        for row in rows:
            packed = orjson.dumps(tuple(row), option=orjson.OPT_SORT_KEYS, default=str)
            digest = hashlib.sha256(packed).digest()
            self.total = (self.total + int.from_bytes(digest[:16])) % (1 << 128)
        self.count += len(rows)


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    found = connection.execute(select(table), execution_options={"yield_per": BATCH})
    yield from found.partitions()


def _insert(target: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    try:
        target.execute(table.insert(), rows)
    except DBAPIError as error:
        raise Conflict(
            "rows of %(table)s do not fit the new database: %(reason)s",
            table=table.name,
            reason=str(error.orig).partition("\n")[0],
        ) from error


def _own_columns(table: Table) -> list[str]:
    """Columns that name other rows of the same table, which may come later."""
    return [
        column.name
        for column in table.columns
        if any(key.column.table is table for key in column.foreign_keys)
    ]


def _renamed(table: Table, late: list[str], row: Mapping[str, Any]) -> dict[str, Any]:
    wanted = [*(column.name for column in table.primary_key), *late]
    return {f"its_{name}": row[name] for name in wanted}


def _pointers(table: Table, late: list[str]) -> Any:
    """The statement that fills in what had to wait until all rows were there."""
    key = [column == bindparam(f"its_{column.name}") for column in table.primary_key]
    kept = {column.name: column for column in table.columns if column.onupdate is not None}
    return (
        update(table).where(*key).values(kept | {name: bindparam(f"its_{name}") for name in late})
    )


def _restart_numbers(target: Connection, table: Table) -> None:
    """Let PostgreSQL number the next row after the last; SQLite does so by itself."""
    column = table.autoincrement_column
    if column is None or target.dialect.name != "postgresql":
        return
    last = target.scalar(select(func.max(column)))
    if last is not None:
        sequence = text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)")
        target.execute(sequence, {"table": table.name, "column": column.name, "last": last})
