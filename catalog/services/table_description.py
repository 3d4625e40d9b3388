"""What a source says about a table besides its rows: titles, key, chart, what its columns mean."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catalog.errors import NotFound
from catalog.models.base import now
from catalog.permissions import SCHEDULER
from catalog.services import data_elements, table_schema

if TYPE_CHECKING:
    from catalog.models.dataset import Resource
    from catalog.models.table import DataTable, TableColumn
    from catalog.tabular.reading import ReadTable

log = logging.getLogger(__name__)


def describe(table: DataTable, resource: Resource, read: ReadTable, position: int) -> None:
    """Take over what the source says about the table; it may change while the rows do not."""
    load_ = resource.load or {}
    table.position = position
    table.updated_at = now()
    table.title = dict((load_.get("tables") or {}).get(read.key) or read.title)
    table.notes = [dict(note) for note in read.notes]
    key = (load_.get("read") or {}).get("primary_key")
    if key is not None:
        table.primary_key = [str(name) for name in key]
    table.chart = dict(load_.get("chart") or {})
    if not load_.get("map"):  # else the harvester links it to the table of outlines
        table.map = {}
    _describe_columns(table, load_.get("columns") or {}, read)


def _describe_columns(
    table: DataTable, said: Mapping[str, Mapping[str, Any]], read: ReadTable
) -> None:
    words = {}
    for column in table.columns:
        about = said.get(column.name) or {}
        before = table_schema.written(column)
        told = (dict(column.label), dict(column.description))
        column.label = dict(about.get("label") or {})
        column.description = dict(about.get("description") or {})
        column.unit = str(about.get("unit") or "")[:60]
        for name, value in before.items():
            setattr(column, name, value)
        words[column.name] = told
    table_schema.take(table, read)
    for column in table.columns:
        machine = (said.get(column.name) or {}).get("machine") or ()
        table_schema.keep_origins(column, *words[column.name], machine=machine)
        _bind(column, (said.get(column.name) or {}).get("element"))


def _bind(column: TableColumn, code: str | None) -> None:
    """Bind the column to the data element that the source names; one that is not there binds nothing."""
    if not code:
        return
    try:
        element = data_elements.show(SCHEDULER, code)
    except NotFound:
        log.warning("column %s names the data element %s, which is not there", column.name, code)
        return
    if column.element_id != element.id:
        column.element_id, column.conformance = element.id, {}
