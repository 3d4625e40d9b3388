"""The data dictionary of a table: what a load or a person says of its columns, kept with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from catalog.db import db, transaction
from catalog.errors import Invalid, NotFound
from catalog.models.base import now
from catalog.models.dataset import Resource
from catalog.models.table import DataTable, TableColumn
from catalog.permissions import Action, Identity, require
from catalog.tabular.table_schema import READING, Field, read_schema

OURS = {*READING, "type", "format", "constraints", "missingValues", "crs", "source"}
"""What a table schema says of a field; clients of CKAN say other things beside it."""

if TYPE_CHECKING:
    from catalog.tabular.reading import ReadTable


def describe(who: Identity, table_id: str, given: object) -> None:
    """Keep what a Table Schema says of the table's columns, and its primary key; types stay as they are.

    Invalid says which property cannot be used, or which field is no column. Fields that are not named keep
    what is said of them.
    """
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
    require(who, Action.TABLE_LOAD, table.resource.dataset)
    schema = read_schema(given)
    by_name = {column.name: column for column in table.columns}
    unknown = [field.name for field in schema.fields if field.name not in by_name]
    if unknown:
        raise Invalid("The table has no column %(column)s.", column=unknown[0])
    with transaction():
        for field in schema.fields:
            _say(by_name[field.name], field)
        if isinstance(given, Mapping) and "primaryKey" in given:
            table.primary_key = list(schema.primary_key)
        table.updated_at = now()


def take(table: DataTable, read: ReadTable) -> None:
    """Keep what the reader was told of the columns, or found in their values; part of the load's transaction."""
    for column in table.columns:
        field = read.dictionary.get(column.name)
        if field:
            label, description, unit = column.label, column.description, column.unit
            _say(column, field)
            column.label = label or column.label
            column.description = description or column.description
            column.unit = unit or column.unit
    if read.primary_key:
        table.primary_key = list(read.primary_key)


def _say(column: TableColumn, field: Field) -> None:
    column.label = dict(field.title) or column.label
    column.description = dict(field.description) or column.description
    column.unit = field.unit or column.unit
    column.semantic = field.semantic or column.semantic
    others = {key: value for key, value in (column.info or {}).items() if key not in OURS}
    column.info = {**others, **field.info} if field.info else column.info
