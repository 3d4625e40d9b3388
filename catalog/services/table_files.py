"""A file that a publisher sends takes the place of a table's rows."""

from __future__ import annotations

from dataclasses import replace as with_changes
from pathlib import Path

from sqlalchemy import select

from catalog.db import db
from catalog.errors import Conflict, Unreadable
from catalog.models.table import DataTable, Release
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Identity
from catalog.services import datasets, table_loads, table_schema
from catalog.services.table_journal import folder, follow_now
from catalog.services.table_writes import WriteReport, own
from catalog.tabular.base_rows import BaseRows
from catalog.tabular.duck import heavy_duck
from catalog.tabular.reading import ReadOptions, ReadTable, read_files
from catalog.tabular.state import State


def replace(  # what may be said of a file
    who: Identity,
    table_id: str,
    name: str,
    content: bytes,
    *,
    reason: str,
    other_columns: bool = False,
) -> WriteReport:
    """Make the rows of the file those of the table; raises Unreadable that says what is wrong with it.

    The file is read as the table's source says that its files are read, with the types of the table's columns;
    it must hold one table. Conflict for other columns, unless they are meant.
    """
    table = own(who, table_id)
    resource = table.resource
    options = ReadOptions.from_json((resource.load or {}).get("read", {}))
    types = {column.name: ColumnType(column.type) for column in table.columns}
    options = with_changes(options, types={**types, **options.types})
    options = table_schema.with_written(options, table.resource_id)
    before = table.release
    with folder() as place:
        file = Path(place) / "sent" / name
        file.parent.mkdir()
        file.write_bytes(content)
        found = list(read_files([file], options, Path(place) / "read"))
        if len(found) != 1:
            raise Unreadable(
                "%(file)s holds %(count)s tables; send one with the rows of this table",
                file=name, count=len(found),
            )  # fmt: skip
        read = with_changes(found[0], key=table.key)
        if not other_columns:
            _check_columns(table, read)
        _check_key(table, read)
        table_loads.load_table(who, resource, read, (), position=table.position, reason=reason)
    follow_now(table_id)
    table = own(who, table_id)
    if table.release == before:
        return WriteReport(table.release, table.rows, kept_cells=table.kept_cells)
    datasets.touch(resource.dataset_id)
    made = db.session.scalars(
        select(Release).where(Release.table_id == table_id, Release.number == table.release)
    ).one()
    return WriteReport(
        made.number,
        made.rows,
        made.inserted or 0,
        made.updated or 0,
        made.deleted or 0,
        table.kept_cells,
    )


def _check_key(table: DataTable, read: ReadTable) -> None:
    """Rows that the table's key cannot tell apart are refused: updates by key would find only some of them."""
    key = [column for column in read.columns if column.name in (table.primary_key or [])]
    if not key or len(key) < len(table.primary_key):
        return
    with heavy_duck(read.file.parent) as own_:
        rows = BaseRows(own_, State.of_file(read.file, read.columns))
        found = rows.doubled(key)
    if found:
        raise Conflict(
            "some rows of the file have the same key, or none: %(keys)s", keys="; ".join(found)
        )


def _check_columns(table: DataTable, read: ReadTable) -> None:
    """The wrong file must not take the place of a table unseen."""
    wanted = {column.name for column in table.columns}
    found = {column.name for column in read.columns}
    if wanted != found:
        raise Conflict(
            "the file has other columns than the table (missing: %(missing)s; only in the file: %(extra)s)",
            missing=", ".join(sorted(wanted - found)[:20]) or "–",
            extra=", ".join(sorted(found - wanted)[:20]) or "–",
        )
