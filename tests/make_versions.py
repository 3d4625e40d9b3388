"""Makes a table with several releases, through the services that write."""

from __future__ import annotations

from pathlib import Path

from catalog.db import db, transaction
from catalog.models.base import now
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnType
from catalog.permissions import SCHEDULER
from catalog.services import table_writes
from tests.make_portal import Served, make_served
from tests.make_table import make_columns

COLUMNS = make_columns(code=ColumnType.STRING, n=ColumnType.INTEGER, note=ColumnType.STRING)


def make_row(code: str, n: int, note: str = "s") -> dict[str, object]:
    """A row of the table."""
    return {"code": code, "n": n, "note": note}


def make_versions(folder: Path) -> Served:
    """A table with four releases: loaded, a row added, one changed, one removed."""
    rows = (make_row("a", 1), make_row("b", 2), make_row("c", 3))
    made = make_served(folder, columns=COLUMNS, rows=rows)
    with transaction():
        table = db.session.get(DataTable, made.table)
        assert table is not None
        table.primary_key = ["code"]
        table.updated_at = now()
    table_writes.insert(SCHEDULER, made.table, [make_row("d", 4)], reason="one more")
    table_writes.upsert(SCHEDULER, made.table, [make_row("b", 20)], reason="corrected")
    table_writes.delete(SCHEDULER, made.table, keys=[{"code": "a"}], reason="closed down")
    return made
