"""The data dictionary of a table: what a load or a person says of its columns, kept with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from catalog.db import db, transaction
from catalog.errors import Invalid
from catalog.models.base import now
from catalog.models.table import DataTable, TableColumn
from catalog.models.text import origins_after
from catalog.permissions import Action, Identity
from catalog.services.table_writes import own
from catalog.tabular.table_schema import READING, Field, read_schema

OURS = {*READING, "type", "format", "constraints", "missingValues", "crs", "source"}
"""What a table schema says of a field; clients of CKAN say other things beside it."""

WRITTEN = "written"
"""Under this name the dictionary lists what a person said of the column, which no load changes."""
SAID = ("label", "description", "unit", "semantic", "info")

if TYPE_CHECKING:
    from catalog.tabular.reading import ReadOptions, ReadTable


def describe(who: Identity, table_id: str, given: object) -> None:
    """Keep what a Table Schema says of the table's columns, and its primary key; types stay as they are.

    Invalid says which property cannot be used, or which field is no column. Fields that are not named keep
    what is said of them.
    """
    table = own(who, table_id, Action.TABLE_LOAD)
    schema = read_schema(given)
    by_name = {column.name: column for column in table.columns}
    unknown = [field.name for field in schema.fields if field.name not in by_name]
    if unknown:
        raise Invalid("The table has no column %(column)s.", column=unknown[0])
    with transaction():
        for field in schema.fields:
            column = by_name[field.name]
            before = {name: getattr(column, name) for name in SAID}
            _say(column, field)
            mark_written(column, [name for name in SAID if getattr(column, name) != before[name]])
            keep_origins(column, before["label"], before["description"])
        if isinstance(given, Mapping) and "primaryKey" in given:
            table.primary_key = list(schema.primary_key)
        table.updated_at = now()


def keep_origins(
    column: TableColumn,
    label: Mapping[str, str],
    description: Mapping[str, str],
    *,
    machine: Collection[str] = (),
) -> None:
    """Keep who wrote its label and description, given what they were before; the other language may be stale now."""
    known = column.label_origins or {}
    before = {"label": label, "description": description}
    after = {
        name: origins_after(
            texts or {}, getattr(column, name) or {}, known.get(name, {}), machine=machine
        )
        for name, texts in before.items()
    }
    kept = {name: origins for name, origins in after.items() if origins}
    if kept != known:
        column.label_origins = kept


def take(table: DataTable, read: ReadTable) -> None:
    """Keep what the reader was told of the columns, or found in their values; part of the load's transaction."""
    for column in table.columns:
        field = read.dictionary.get(column.name)
        if field:
            label, description, unit = column.label, column.description, column.unit
            before = written(column)
            _say(column, field)
            column.label = label or column.label
            column.description = description or column.description
            column.unit = unit or column.unit
            for name, value in before.items():
                setattr(column, name, value)
    if read.primary_key:
        table.primary_key = list(read.primary_key)


def written(column: TableColumn) -> dict[str, object]:
    """What a person said of the column: names of its properties and their values."""
    return {name: getattr(column, name) for name in (column.info or {}).get(WRITTEN, ())}


def mark_written(column: TableColumn, names: Iterable[str]) -> None:
    """Remember that a person said this of the column; part of the caller's transaction."""
    info = dict(column.info or {})
    known = {*info.get(WRITTEN, ()), *names}
    column.info = {**info, WRITTEN: [name for name in SAID if name in known]}


def with_written(options: ReadOptions, resource_id: str) -> ReadOptions:
    """The options of a reader, with what people declared of the columns of the resource's only table.

    Where a resource has several tables, names of columns say nothing of which one is meant.
    """
    tables = db.session.scalars(
        select(DataTable)
        .where(DataTable.resource_id == resource_id)
        .options(selectinload(DataTable.columns))
        .limit(2)
    ).all()
    if len(tables) != 1:
        return options
    declared = {
        column.name: _field_of(column)
        for column in tables[0].columns
        if {"info", "semantic"} & written(column).keys()
    }
    if not declared:
        return options
    others = [field for field in options.schema.fields if field.name not in declared]
    return replace(
        options,
        schema=replace(options.schema, fields=(*others, *declared.values())),
        types={name: kind for name, kind in options.types.items() if name not in declared},
    )


def _field_of(column: TableColumn) -> Field:
    info = {name: value for name, value in (column.info or {}).items() if name in OURS}
    given = {"type": str(column.type), **info, "name": column.name, "semantic": column.semantic}
    return read_schema({"fields": [given]}).fields[0]


def _say(column: TableColumn, field: Field) -> None:
    column.label = dict(field.title) or column.label
    column.description = dict(field.description) or column.description
    column.unit = field.unit or column.unit
    column.semantic = field.semantic or column.semantic
    others = {key: value for key, value in (column.info or {}).items() if key not in OURS}
    column.info = {**others, **field.info} if field.info else column.info
