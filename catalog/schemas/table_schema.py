"""The data dictionary as Frictionless Table Schema: what the API says of a table's columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catalog.models.text import pick
from catalog.tabular.semantics import DIVISION, EMAIL, IDENTITY, LABELS, USCC
from catalog.tabular.table_schema import READING

if TYPE_CHECKING:
    from catalog.models.table import DataTable, TableColumn

PROFILE = "https://datapackage.org/profiles/2.0/tableschema.json"
SOURCE = (*READING, "missingValues")
ELSEWHERE = ("format", "ckan", "written")
"""Told in another place: by its own rule, to clients of CKAN, and to nobody."""
OF_VALUES = {"email", "uri", "uuid", "binary"}
"""Formats of texts hold for what is published too; those of dates and numbers only for the source."""
CODES = {USCC, DIVISION, IDENTITY}


def schema_json(table: DataTable, language: str) -> dict[str, Any]:
    """The table schema of the published rows; how the source writes values stands under `source`."""
    names = {column.name for column in table.columns}
    schema: dict[str, Any] = {
        "$schema": PROFILE,
        "fields": [field_json(column, language) for column in table.columns],
        "missingValues": [""],
    }
    key = [name for name in table.primary_key or () if name in names]
    if key and len(key) == len(table.primary_key):
        schema["primaryKey"] = key
    return schema


def field_json(column: TableColumn, language: str) -> dict[str, Any]:
    """A field: its published type, with everything that the dictionary says of it."""
    info: Mapping[str, Any] = column.info or {}
    kept = {key: value for key, value in info.items() if key not in (*SOURCE, *ELSEWHERE)}
    source = {key: info[key] for key in (*SOURCE, "format") if key in info}
    format_ = str(source.pop("format", ""))
    said = {
        "title": pick(column.label, language)[0],
        "description": pick(column.description, language)[0],
        "unit": column.unit,
        "semantic": column.semantic,
    }
    field: dict[str, Any] = {"name": column.name, "type": str(column.type), **kept}
    if format_ in OF_VALUES:
        field["format"] = format_
    elif format_ not in {"", "default"}:
        source["format"] = format_
    field.update({key: value for key, value in said.items() if value})
    if column.semantic == EMAIL:
        field.setdefault("format", "email")
    if source:
        field["source"] = source
    return field


def semantic_label(semantic: str) -> str:
    """What the kind of value is called, as a msgid; nothing for one that is not known."""
    return LABELS.get(semantic, "")
