"""Finding a table: who may see it, which release is asked for, and who answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import object_session

from catalog.db import db
from catalog.errors import BadQuery, Gone, NotFound, Unavailable
from catalog.models.table import DataTable, JournalFile, Release, TableColumn
from catalog.models.vocabulary import ColumnAccess, ColumnType
from catalog.permissions import Action, Identity, allowed, require
from catalog.services.dataset_visibility import unseen
from catalog.services.table_cache import known_tables
from catalog.tabular.base_rows import BaseRows
from catalog.tabular.column import Column
from catalog.tabular.duck import duck
from catalog.tabular.state import Part
from catalog.tabular.state import State as RowState
from catalog.tabular.store import TableStore, table_journal, table_store

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

BASE, DELTA, CELLS = "base", "delta", "cells"
"""Kinds of files of the journal."""
MOST_NAMESAKES = 2_000
"""Tables of one resource whose titles are compared."""


@dataclass(frozen=True)
class Version:
    """A release of a table: its position in the journal and the columns as of then."""

    table_id: str
    position: int
    columns: tuple[Column, ...]
    release: int = 0


def show(who: Identity, table_id: str) -> DataTable:
    """The table with its columns, resource, dataset and organization, as `who` may see it.

    Who may not write the table gets it without its hidden columns, and with masked ones as text. It is shared
    with other requests: it may be read, not changed. Raises NotFound, Gone or Denied.
    """
    table = known_tables().get(table_id)
    if table is None:
        raise NotFound("there is no such table")
    dataset = table.resource.dataset
    if not allowed(who, Action.DATASET_READ, dataset):
        raise unseen(dataset)
    require(who, Action.TABLE_READ, dataset)
    if table.narrow is not None and not allowed(who, Action.COLUMN_READ, dataset):
        return table.narrow
    return table


def has_namesakes(table: DataTable) -> bool:
    """Whether another table of the resource has the same title, or has none either."""
    others = db.session.scalars(
        select(DataTable.title)
        .where(DataTable.resource_id == table.resource_id, DataTable.id != table.id)
        .limit(MOST_NAMESAKES)
    )
    return any(title == table.title for title in others)


def columns_of(table: DataTable) -> tuple[Column, ...]:
    """The columns of the newest release, as queries know them."""
    return tuple(_column(column, narrowed=table.narrowed) for column in table.columns)


def newest(table: DataTable) -> Version:
    """The newest release; raises Unavailable while nothing was loaded."""
    if not table.head:
        raise Unavailable("this table has not been loaded yet")
    shared = object_session(table) is None  # then nobody changes it, see table_cache
    columns = _kept_columns(table) if shared else columns_of(table)
    return Version(table.id, table.head, columns, table.release)


_kept_columns = lru_cache(maxsize=256)(columns_of)


def version_at(table: DataTable, position: int) -> Version:
    """The release at a position of the journal; raises BadQuery when it is no longer kept."""
    if position == table.head:
        return newest(table)
    release = _release(Release.table_id == table.id, Release.position == position)
    if release is None or release.expired_at is not None:
        raise BadQuery(
            "the cursor belongs to a release that is no longer kept; start again without it"
        )
    return version_of(table, release)


def version_of(table: DataTable, release: Release) -> Version:
    """The release with its columns as of then; raises Gone once its rows were given up."""
    if release.number == table.release:
        return newest(table)
    if release.expired_at is not None:
        raise Gone("the rows of release %(number)s are no longer kept", number=release.number)
    columns = recorded_columns(table, release.columns)
    return Version(table.id, release.position, columns, release.number)


def version_as_of(table: DataTable, as_of: str | None) -> Version:
    """The release that `as_of` names: its number, or the newest one at a day's end or at a moment (ISO 8601).

    A moment without a zone, and the day, are in the portal's time zone. Raises BadQuery, NotFound or Gone.
    """
    if as_of is None or not as_of.strip():
        return newest(table)
    text = as_of.strip()
    if is_number(text):
        found = _release(Release.table_id == table.id, Release.number == int(text))
        missing = "there is no release %(as_of)s of this table"
    else:
        moment = _moment(text)
        found = _release(Release.table_id == table.id, Release.created_at <= moment)
        missing = "there was no release of this table at %(as_of)s"
    if found is None:
        raise NotFound(missing, as_of=text[:40])
    return version_of(table, found)


def is_number(as_of: str) -> bool:
    """Whether it names a release by its number."""
    return as_of.isascii() and as_of.isdigit() and len(as_of) < 8


def moment_of(version: Version) -> str:
    """When the release was made, as `as_of` names moments."""
    release = _release(Release.table_id == version.table_id, Release.number == version.release)
    return release.created_at.astimezone(UTC).isoformat() if release else ""


def key_of(table: DataTable, version: Version) -> list[str]:
    """The columns that told the rows of the release apart; none where nothing was declared that does."""
    if version.position == table.head:
        return list(table.primary_key or [])
    release = _release(Release.table_id == table.id, Release.number == version.release)
    if release is not None and release.primary_key:
        return list(release.primary_key)
    known = {column.name: column for column in version.columns}
    key = [known[name] for name in table.primary_key or [] if name in known]
    if not key or len(key) < len(table.primary_key) or not base_of(version).tells_apart(key):
        return []
    return list(table.primary_key)


def recorded_columns(table: DataTable, recorded: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Columns as a release recorded them, narrowed by what was withheld then and what is withheld now."""
    found: list[Column] = []
    for entry in recorded:
        column = Column(entry["name"], entry["stored"], ColumnType(entry["type"]))
        if not table.narrowed:
            found.append(column)
            continue
        access, mask = table.withheld.get(column.name, (ColumnAccess.OPEN, {}))
        strictest = {entry.get("access", ColumnAccess.OPEN), access}
        if ColumnAccess.HIDDEN in strictest:
            continue
        if ColumnAccess.MASKED in strictest:
            column = _masked(column, mask or entry.get("mask") or {})
        found.append(column)
    return tuple(found)


def state_of(version: Version) -> RowState:
    """The rows of the release, and where this machine has their files; raises Unavailable when there are none."""
    base, deltas = files_of(version)
    parts = tuple(map(part_of, deltas))
    return RowState(version.position, version.columns, part_of(base), base.numbered, parts)


def files_of(version: Version) -> tuple[JournalFile, list[JournalFile]]:
    """The base that the rows of the release are made of, and the deltas after it; raises Unavailable."""
    files = journal_files(version.table_id, version.position)
    bases = [file for file in files if file.kind == BASE]
    if not bases:
        raise Unavailable("the table cannot be queried right now")
    base = bases[-1]
    return base, [file for file in files if file.kind == DELTA and file.position > base.position]


def journal_files(table_id: str, until: int) -> Sequence[JournalFile]:
    """The files of the journal up to a position, in order."""
    return db.session.scalars(
        select(JournalFile)
        .where(JournalFile.table_id == table_id, JournalFile.position <= until)
        .order_by(JournalFile.position)
    ).all()


def part_of(file: JournalFile) -> Part:
    """Where a file of the journal is, and which columns it has."""
    stored = frozenset(column["stored"] for column in file.columns)
    return Part(table_journal().path(file.path), file.position, stored, file.rows)


def base_of(version: Version) -> BaseRows:
    """The rows of the release straight from the journal."""
    return BaseRows(duck(), state_of(version))


def answered(
    version: Version,
    served: Callable[[TableStore], Answer],
    from_base: Callable[[BaseRows], Answer],
) -> Answer:
    """What the serving copy answers, or the journal while there is no copy or where it cannot."""
    try:
        return served(table_store())
    except Unavailable:
        log.info("table %s is answered from the journal", version.table_id)
        return from_base(base_of(version))


def _column(column: TableColumn, *, narrowed: bool) -> Column:
    plain = Column(column.name, column.stored, ColumnType(column.type))
    if narrowed and column.access == ColumnAccess.MASKED:
        return _masked(plain, column.mask)
    return plain


def _masked(column: Column, mask: Mapping[str, Any]) -> Column:
    left = (int(mask.get("first", 0)), int(mask.get("last", 0)))
    return replace(column, type=ColumnType.STRING, masked=True, left=left)


def _release(*conditions: Any) -> Release | None:
    """The newest release that satisfies all conditions."""
    return db.session.scalar(
        select(Release).where(*conditions).order_by(Release.number.desc()).limit(1)
    )


def _moment(text: str) -> datetime:
    zone = ZoneInfo(current_app.extensions["weft"]["settings"].time_zone)
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time.max, zone).astimezone(UTC)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadQuery(
            "“%(text)s” names no release: write its number, a day such as 2026-01-31 or a moment such as "
            "2026-01-31T12:00:00",
            text=text[:40],
        ) from error
