"""Tables as they were read last, shared by requests as long as their rows in the database stay the same.

Reading a table with its columns and profiles through the session takes 3 ms of CPU, more than a page of its
rows; comparing the rows that it was made of takes a tenth of that, and asking SQLite whether anybody has
committed anything a hundredth. No process can show an old release.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any, cast

from flask import current_app
from sqlalchemy import bindparam, select, type_coerce
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.types import NullType

from catalog.db import change_mark, db
from catalog.models.base import Base
from catalog.models.dataset import Dataset, Resource
from catalog.models.organization import Organization
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnAccess, ColumnType

MOST_TABLES = 256
LONGEST_SECONDS = 10.0
"""What is said of columns may change without a mark on the table; this is how long that may go unseen."""
_UNSTEADY = frozenset({"uses", "index_due"})

_WHOLE = (
    selectinload(DataTable.columns),
    joinedload(DataTable.resource, innerjoin=True)
    .joinedload(Resource.dataset, innerjoin=True)
    .joinedload(Dataset.organization, innerjoin=True),
)


def _plain_columns(row: type[Base]) -> list[Any]:
    """The columns of a row as the database has them: comparing needs no Python types."""
    return [
        type_coerce(column, NullType()).label(f"{row.__tablename__}_{column.name}")
        for column in row.__table__.columns
        if column.name not in _UNSTEADY
    ]


_ROWS = (
    select(
        *(
            column
            for row in (DataTable, Resource, Dataset, Organization)
            for column in _plain_columns(row)
        )
    )
    .select_from(DataTable.__table__)
    .join(Resource.__table__)
    .join(Dataset.__table__)
    .join(Organization.__table__)
    .where(DataTable.__table__.c.id == bindparam("table_id"))
)


@dataclass(frozen=True)
class _Known:
    rows: tuple[Any, ...]
    table: DataTable
    mark: int | None
    until: float


class TableCache:
    """The tables asked for last, each detached from any session; nobody may change them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def get(self, table_id: str) -> DataTable | None:
        """The table as it is in the database now, or None."""
        mark = change_mark()  # before the rows: what is committed in between is then seen next time
        known = self._known.get(table_id)
        fresh = known is not None and known.until > time.monotonic()
        if known is not None and fresh and mark is not None and mark == known.mark:
            return known.table
        found = db.session.execute(_ROWS, {"table_id": table_id}).first()
        if found is None:
            return None
        rows = tuple(found)
        if known is not None and fresh and known.rows == rows:
            self._known[table_id] = replace(known, mark=mark)
            return known.table
        return self._read(table_id, rows, mark)

    def _read(self, table_id: str, rows: tuple[Any, ...], mark: int | None) -> DataTable | None:
        with Session(db.session.connection(), expire_on_commit=False) as session:
            table = session.scalar(
                select(DataTable).where(DataTable.id == table_id).options(*_WHOLE)
            )
            session.expunge_all()
            if table is not None and table.withholds:
                narrow = session.scalars(
                    select(DataTable).where(DataTable.id == table_id).options(*_WHOLE)
                ).one()
                session.expunge_all()
                _narrow(table, narrow)
        if table is None:
            return None
        with self._lock:
            self._known[table_id] = _Known(rows, table, mark, time.monotonic() + LONGEST_SECONDS)
            self._known.move_to_end(table_id)
            while len(self._known) > MOST_TABLES:
                self._known.popitem(last=False)
        return table


def _withheld(table: DataTable) -> dict[str, tuple[ColumnAccess, dict[str, Any]]]:
    return {
        column.name: (ColumnAccess(column.access), column.mask)
        for column in table.columns
        if column.access != ColumnAccess.OPEN
    }


def _narrow(table: DataTable, narrow: DataTable) -> None:
    """Make `narrow` what the public sees of the table, and tell the table of it."""
    shown = [column for column in narrow.columns if column.access != ColumnAccess.HIDDEN]
    for column in shown:
        if column.access == ColumnAccess.MASKED:  # a profile would tell what the mask hides
            set_committed_value(column, "profile", {})
            set_committed_value(column, "type", ColumnType.STRING)
            set_committed_value(column, "info", {})
    set_committed_value(narrow, "columns", shown)
    names = {column.name for column in shown if column.access == ColumnAccess.OPEN}
    key = narrow.primary_key if set(narrow.primary_key) <= names else []
    set_committed_value(narrow, "primary_key", key)
    vars(narrow)["narrowed"], vars(narrow)["withheld"] = True, _withheld(table)
    vars(table)["narrow"] = narrow


def known_tables() -> TableCache:
    """This process's cache."""
    weft = current_app.extensions["weft"]
    return cast(
        "TableCache", weft.get("table_cache") or weft.setdefault("table_cache", TableCache())
    )
