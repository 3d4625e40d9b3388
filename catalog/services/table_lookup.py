"""Finding a table: who may see it, which release is asked for, and who answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import object_session

from catalog.db import db
from catalog.errors import BadQuery, Gone, NotFound, Unavailable
from catalog.models.table import DataTable, JournalFile
from catalog.models.vocabulary import ColumnType, State
from catalog.permissions import Action, Identity, allowed, require
from catalog.services.table_cache import known_tables
from catalog.tabular.base_rows import BaseRows
from catalog.tabular.column import Column
from catalog.tabular.duck import duck
from catalog.tabular.store import TableStore, table_journal, table_store

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Version:
    """A release of a table: its position in the journal and the columns as of then."""

    table_id: str
    position: int
    columns: tuple[Column, ...]


def show(who: Identity, table_id: str) -> DataTable:
    """The table with its columns, resource, dataset and organization, for reading only.

    Raises NotFound, Gone or Denied.
    """
    table = known_tables().get(table_id)
    if table is None:
        raise NotFound("there is no such table")
    dataset = table.resource.dataset
    if dataset.state == State.WITHDRAWN and not allowed(who, Action.DATASET_READ, dataset):
        raise Gone("this dataset was withdrawn")
    require(who, Action.TABLE_READ, dataset)
    return table


def columns_of(table: DataTable) -> tuple[Column, ...]:
    """The columns of the newest release, as queries know them."""
    return tuple(
        Column(column.name, column.stored, ColumnType(column.type)) for column in table.columns
    )


def newest(table: DataTable) -> Version:
    """The newest release; raises Unavailable while nothing was loaded."""
    if not table.head:
        raise Unavailable("this table has not been loaded yet")
    shared = object_session(table) is None  # then nobody changes it, see table_cache
    columns = _kept_columns(table) if shared else columns_of(table)
    return Version(table.id, table.head, columns)


_kept_columns = lru_cache(maxsize=256)(columns_of)


def version_at(table: DataTable, position: int) -> Version:
    """The release at a position of the journal; raises BadQuery when it is no longer kept."""
    if position == table.head:
        return newest(table)
    file = _journal_file(table.id, position)
    if file is None:
        raise BadQuery(
            "the cursor belongs to a release that is no longer kept; start again without it"
        )
    columns = tuple(
        Column(column["name"], column["stored"], ColumnType(column["type"]))
        for column in file.columns
    )
    return Version(table.id, position, columns)


def base_of(version: Version) -> BaseRows:
    """The rows of the release straight from the journal."""
    file = _journal_file(version.table_id, version.position)
    if file is None:
        raise Unavailable("the table cannot be queried right now")
    return BaseRows(duck(), table_journal().path(file.path), version.columns)


def answered(
    version: Version,
    served: Callable[[TableStore], Answer],
    from_base: Callable[[BaseRows], Answer],
) -> Answer:
    """What the serving copy answers, or the journal while there is no copy."""
    try:
        return served(table_store())
    except Unavailable:
        log.info("table %s is answered from the journal", version.table_id)
        return from_base(base_of(version))


def _journal_file(table_id: str, position: int) -> JournalFile | None:
    return db.session.scalar(
        select(JournalFile).where(
            JournalFile.table_id == table_id, JournalFile.position == position
        )
    )
