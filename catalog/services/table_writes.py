"""Writing rows: single ones or batches, by key or by condition; what is acknowledged is a release."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from catalog.db import db, transaction
from catalog.errors import Invalid, NotFound, TooLarge, Unavailable
from catalog.models.dataset import Resource
from catalog.models.table import DataTable, Release
from catalog.permissions import Action, Identity, require
from catalog.services import datasets, table_cells
from catalog.services.table_journal import (
    Change,
    Overtaken,
    add_delta,
    chained,
    commit,
    folder,
    follow_now,
    overtaken,
    write_delta,
)
from catalog.services.table_lookup import DELTA, Version, answered, newest
from catalog.tabular.column import NUMBER, Column
from catalog.tabular.query import Condition, In, Scalar
from catalog.tabular.records import (
    Rows,
    Values,
    check_keys,
    check_names,
    key_of,
    merge,
    numbered_rows,
    read_records,
)
from catalog.tabular.store import table_journal

log = logging.getLogger(__name__)

MOST_RECORDS = 50_000
"""Records of one call; more are sent in several calls, or as a file."""
MOST_DELETED = 1_000_000
MOST_KEYS = 1_000
"""Keys that are looked for at a time."""
ATTEMPTS = 8
"""So often a change is worked out again because another writer was first."""

Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class WriteReport:
    """What a call wrote: the release that shows it, and how many rows changed how."""

    release: int
    rows: int
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    kept_cells: int = 0
    """Cells of a file that do not fit their column and are kept as they were."""


def insert(who: Identity, table_id: str, records: Records, *, reason: str = "") -> WriteReport:
    """Add rows; with a key Conflict for one that is there already."""
    return _merge(who, table_id, records, "insert", reason)


def upsert(who: Identity, table_id: str, records: Records, *, reason: str = "") -> WriteReport:
    """Change the rows that have the keys of the records, add the others; fields left out stay as they are."""
    return _merge(who, table_id, records, "upsert", reason)


def update(who: Identity, table_id: str, records: Records, *, reason: str = "") -> WriteReport:
    """Change the rows that have the keys of the records; Invalid when there is none."""
    return _merge(who, table_id, records, "update", reason)


def delete(
    who: Identity,
    table_id: str,
    *,
    where: Condition | None = None,
    keys: Records | None = None,
    reason: str = "",
) -> WriteReport:
    """Delete the rows that satisfy `where`, or that have one of the keys; with neither all rows."""

    def work(table: DataTable, version: Version) -> Rows:
        condition = where
        if keys is not None:
            key = key_columns(table, version)
            check_names(keys, key)
            listed = read_records(keys, key)
            check_keys(listed, key)
            rows = Rows(version.columns, table.next_row, found_by_key(version, listed, key))
        else:
            rows = Rows(version.columns, table.next_row, _matching(table, version, condition))
        for number in rows.before:
            rows.delete(number)
        return rows

    return change(who, table_id, work, reason or "rows deleted")


def key_columns(table: DataTable, version: Version) -> tuple[Column, ...]:
    """The columns that tell rows apart; raises Invalid where none are declared."""
    key = tuple(column for column in version.columns if column.name in (table.primary_key or []))
    if not key:
        raise Invalid(
            "this table has no key that tells its rows apart; declare one first: PATCH /api/v1/tables/%(table)s with "
            '{"primary_key": ["column"]}',
            table=table.id,
        )
    return key


def change(
    who: Identity, table_id: str, work: Callable[[DataTable, Version], Rows], reason: str
) -> WriteReport:
    """Let `work` say what becomes of which rows, and make it a release; again if another writer was first."""
    for _ in range(ATTEMPTS):
        with table_journal().writing(table_id):
            table = own(who, table_id)
            version = newest(table)
            rows = work(table, version)
            try:
                return _write(who, table, rows, reason)
            except Overtaken as error:
                log.info("table %s: %s", table_id, error)
    raise Unavailable("the table is being changed by others all the time; try again later")


def own(who: Identity, table_id: str, action: Action = Action.TABLE_WRITE) -> DataTable:
    """The table as it is now, for changing it; raises NotFound, Denied or Unauthenticated."""
    with transaction():  # ends the snapshot of earlier reads
        table = db.session.scalar(
            select(DataTable)
            .where(DataTable.id == table_id)
            .options(
                selectinload(DataTable.columns),
                joinedload(DataTable.resource, innerjoin=True).joinedload(
                    Resource.dataset, innerjoin=True
                ),
            )
            .execution_options(populate_existing=True)
        )
    if table is None:
        raise NotFound("there is no such table")
    require(who, action, table.resource.dataset)
    return table


def _merge(who: Identity, table_id: str, records: Records, method: str, reason: str) -> WriteReport:
    if len(records) > MOST_RECORDS:
        raise TooLarge("send at most %(most)s records in a call", most=MOST_RECORDS)

    def work(table: DataTable, version: Version) -> Rows:
        listed = read_records(records, version.columns)
        needed = method != "insert" or table.primary_key
        key = key_columns(table, version) if needed else ()
        check_keys(listed, key)
        found = found_by_key(version, listed, key) if key else {}
        rows = Rows(version.columns, table.next_row, found)
        merge(rows, listed, key, method=method)
        return rows

    return change(who, table_id, work, reason or method)


def _write(who: Identity, table: DataTable, rows: Rows, reason: str) -> WriteReport:
    counts = rows.counts()
    if not counts.total:
        return WriteReport(table.release, table.rows)
    with folder() as name:
        file = Path(name) / "delta.parquet"
        write_delta([rows.delta()], rows.columns, file)
        files = add_delta(table, file, counts.total, rows.columns)
    before = db.session.scalars(
        select(Release.content).where(Release.table_id == table.id, Release.number == table.release)
    ).one()
    delta = next(file for file in files if file.kind == DELTA)
    done = Change.of(table.rows, counts, chained(before, delta.sha256))
    try:
        with transaction():
            release = commit(who, table, files, done, rows.columns, reason)
            table.next_row = rows.next_row
            datasets.touch(table.resource.dataset_id)
            report = WriteReport(
                release.number, table.rows, counts.inserted, counts.updated, counts.deleted
            )
    except IntegrityError as error:
        raise overtaken(error) from error
    follow_now(table.id)
    if table.kept_cells:  # rows that were written over, or deleted, have none any more
        left = table_cells.count(table.id)
        with transaction():
            table.kept_cells = left
    return report


def found_by_number(version: Version, numbers: Sequence[int]) -> dict[int, Values]:
    """The rows of these numbers that are there, by number."""
    found: dict[int, Values] = {}
    wanted = sorted(set(numbers))
    for start in range(0, len(wanted), MOST_KEYS):
        part = tuple(wanted[start : start + MOST_KEYS])
        found |= _numbered(version, In(NUMBER.name, part))
    return found


def found_by_key(
    version: Version, records: Sequence[Values], key: Sequence[Column]
) -> dict[int, Values]:
    """The rows that have the keys of the records, by number."""
    wanted = {key_of(record, key) for record in records}
    found: dict[int, Values] = {}
    for part in _parts(sorted(wanted, key=repr)):
        where = In(key[0].name, tuple(dict.fromkeys(_asked(values[0]) for values in part)))
        numbered = _numbered(version, where)
        found |= {number: row for number, row in numbered.items() if _key(row, key) in wanted}
    return found


def _key(values: Values, key: Sequence[Column]) -> tuple[Any, ...]:
    return tuple(values[column.stored] for column in key)


def _asked(value: Any) -> Scalar:
    """A typed value as conditions name it."""
    return value.isoformat() if isinstance(value, date) else value


def _matching(table: DataTable, version: Version, where: Condition | None) -> dict[int, Values]:
    total = table.rows
    if where is not None:
        total = answered(
            version,
            lambda store: store.count(table.id, version.position, version.columns, where),
            lambda base: base.count(where),
        )
    if total > MOST_DELETED:
        raise TooLarge(
            "a call deletes at most %(most)s rows; narrow the condition", most=MOST_DELETED
        )
    return _numbered(version, where)


def _numbered(version: Version, where: Condition | None) -> dict[int, Values]:
    found = answered(
        version,
        lambda store: store.numbered(version.table_id, version.position, version.columns, where),
        lambda base: base.numbered(where),
    )
    return numbered_rows(found, version.columns)


def _parts(keys: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    for start in range(0, len(keys), MOST_KEYS):
        yield keys[start : start + MOST_KEYS]
