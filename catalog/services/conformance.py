"""Columns bound to data elements: bind, suggest, and measure how well the values keep to the standard."""

from __future__ import annotations

import logging
import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from catalog.db import db, transaction
from catalog.errors import CatalogError, Invalid, NotFound
from catalog.models.base import now
from catalog.models.element import DataElement
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import ColumnAccess, ColumnType
from catalog.permissions import Identity
from catalog.queue import job
from catalog.services import data_elements, datasets
from catalog.services import log as changes
from catalog.services.table_journal import state_at_head
from catalog.services.table_lookup import columns_of
from catalog.services.table_writes import own
from catalog.tabular.conformance import Rule, measure
from catalog.tabular.duck import heavy_duck

log = logging.getLogger(__name__)
MOST_SUGGESTED = 5
_SIGNS = re.compile(r"[\W_]+")


def bind(who: Identity, table_id: str, name: str, code: str) -> None:
    """Say that the column holds values of a data element (none: empty `code`); it is measured at once."""
    table = own(who, table_id)
    column = next((one for one in table.columns if one.name == name), None)
    if column is None:
        raise NotFound("there is no column “%(column)s”", column=name[:200])
    element = data_elements.show(who, code) if code else None
    if element is not None and element.retired_at is not None:
        raise Invalid("the data element “%(code)s” is no longer in use", code=code[:100])
    with transaction() as tx:
        column.element_id = element.id if element else None
        column.conformance = {}
        table.updated_at = now()
        dataset = table.resource.dataset
        datasets.touch(dataset.id)
        subject = changes.Subject("table", table.id, dataset.organization_id)
        changes.append(who, "table.bound", subject, {"column": name, "element": code or None})
        if element is not None:
            tx.after_commit(measure_table.later, table_id)


def element_of(column: TableColumn) -> DataElement | None:
    """The data element that a column is bound to."""
    return db.session.get(DataElement, column.element_id) if column.element_id else None


def elements_of(table: DataTable) -> dict[str, DataElement]:
    """Column → the element that it is bound to."""
    ids = {column.name: column.element_id for column in table.columns if column.element_id}
    if not ids:
        return {}
    found = db.session.scalars(select(DataElement).where(DataElement.id.in_(ids.values())))
    by_id = {element.id: element for element in found}
    return {name: by_id[id_] for name, id_ in ids.items() if id_ in by_id}


def suggestions(who: Identity, column: TableColumn) -> list[DataElement]:
    """Elements that the column may be meant to hold, the likeliest first: by what is known of it, label and name."""
    elements, _ = data_elements.listed(who, limit=data_elements.MOST)
    names = {_bare(text) for text in (column.name, *(column.label or {}).values())} - {""}
    scored = [(_score(element, names, column), element) for element in elements]
    likely = sorted((pair for pair in scored if pair[0]), key=lambda pair: (-pair[0], pair[1].code))
    return [element for _, element in likely[:MOST_SUGGESTED]]


def _score(element: DataElement, names: set[str], column: TableColumn) -> int:
    if element.retired_at is not None:
        return 0
    if column.semantic and element.semantic == column.semantic:
        return 3
    titles = {_bare(text) for text in (element.code, *element.title.values())}
    if names & titles:
        return 2
    within = any(
        title in name or name in title
        for title in titles
        for name in names
        if _long(name) and _long(title)
    )
    return 1 if within else 0


def _bare(text: str) -> str:
    return _SIGNS.sub("", text).lower()


def _long(text: str) -> bool:
    """Whether a name is long enough to mean something inside of another one."""
    return len(text) >= (4 if text.isascii() else 2)


@job()
def measure_table(table_id: str) -> None:
    """Measure the bound columns of a table whose rows, or whose element, changed since."""
    table = _table(table_id)
    if table is None or not table.head:
        return
    head = table.head
    behind = [c for c in table.columns if c.element_id and c.conformance.get("position") != head]
    if not behind:
        return
    found = {column.name: _measured(table, column) for column in behind}
    with transaction():
        current = _table(table_id)
        if current is None or current.head != head:
            return  # it was written to meanwhile: the next round sees all of it
        for column in current.columns:
            if column.name in found and column.element_id:
                column.conformance = {**found[column.name], "position": head}
        current.updated_at = now()


@job(every_minutes=10)
def measure_tables() -> None:
    """Measure what was written to, or defined otherwise, since it was measured."""
    position = TableColumn.conformance["position"].as_integer()
    behind = (
        select(DataTable.id)
        .join(TableColumn, TableColumn.table_id == DataTable.id)
        .where(
            TableColumn.element_id.is_not(None),
            DataTable.head > 0,
            position.is_(None) | (position != DataTable.head),
        )
        .distinct()
    )
    for table_id in db.session.scalars(behind).all():
        measure_table(table_id)


def _measured(table: DataTable, column: TableColumn) -> dict[str, Any]:
    """The figures; of a column that is withheld no value is told. What cannot be measured says so."""
    element = db.session.get(
        DataElement, column.element_id, options=[joinedload(DataElement.code_list)]
    )
    if element is None:
        return {}
    stored = next(one for one in columns_of(table) if one.name == column.name)
    try:
        with heavy_duck() as duck:
            found = measure(
                duck, state_at_head(table.id, table.head).relation(), stored, rule_of(element)
            )
    except CatalogError as error:
        log.warning("column %s of table %s was not measured: %s", column.name, table.id, error)
        return {"problem": error.message}
    if column.access != ColumnAccess.OPEN:
        found["examples"] = []
    return {**found, "measured_at": now().isoformat(timespec="seconds")}


def rule_of(element: DataElement) -> Rule:
    """What the element asks of values."""
    codes = element.code_list
    entries = tuple(str(entry["code"]) for entry in codes.entries) if codes else None
    return Rule(
        ColumnType(element.type), element.format, element.pattern, entries, element.semantic
    )


def _table(table_id: str) -> DataTable | None:
    return db.session.scalar(
        select(DataTable)
        .where(DataTable.id == table_id)
        .options(selectinload(DataTable.columns))
        .execution_options(populate_existing=True)
    )
