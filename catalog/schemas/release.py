"""Releases of tables, and what changed between two of them, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from catalog.models.vocabulary import ColumnType
from catalog.schemas.dataset import moment_json
from catalog.schemas.table_schema import PROFILE, field_json
from catalog.tabular.column import Column

if TYPE_CHECKING:
    from catalog.models.table import DataTable
    from catalog.services.releases import ChangePage, ReleaseInfo

WORDS = ("title", "description", "unit")
MISSING = ""
"""An empty cell is what CSV has for a missing value."""


def release_json(release: ReleaseInfo) -> dict[str, Any]:
    """What is said of a release, also after its rows were given up."""
    return {
        "number": release.number,
        "created_at": moment_json(release.created_at),
        "made_by": release.made_by or None,
        "reason": release.reason or None,
        "rows": release.rows,
        "inserted": release.inserted,
        "updated": release.updated,
        "deleted": release.deleted,
        "content": release.content,
        "pinned": release.pinned,
        "cited": release.cited,
        "expired_at": moment_json(release.expired_at),
    }


def release_schema_json(
    table: DataTable, release: ReleaseInfo, columns: Sequence[Column], language: str
) -> dict[str, Any]:
    """The Table Schema of a release: names, types and key as they were then, with what is said of the columns."""
    known = {column.stored: column for column in table.columns}
    fields = []
    for column in columns:
        now = known.get(column.stored)
        said = field_json(now, language) if now is not None else {}
        if now is None or now.type != column.type:  # what is said of values holds for another type
            said = {key: said[key] for key in WORDS if key in said} | {"type": column.type.value}
        fields.append({**said, "name": column.name})
    whole: dict[str, Any] = {"$schema": PROFILE, "fields": fields, "missingValues": [MISSING]}
    key = list(release.primary_key)
    names = {column.name for column in columns}
    return whole | ({"primaryKey": key} if key and names.issuperset(key) else {})


def changes_json(page: ChangePage) -> dict[str, Any]:
    """The rows that differ between two releases, with old and new values."""
    shapes = {column.name for column in page.columns if column.type is ColumnType.GEOMETRY}
    return {
        "table": page.table.id,
        "from": release_json(page.older),
        "to": release_json(page.newer),
        "counts": {
            "added": page.tally.added,
            "changed": page.tally.changed,
            "removed": page.tally.removed,
        },
        "schema": [
            {
                "kind": change.kind,
                "name": change.name,
                "before": change.before or None,
                "after": change.after or None,
            }
            for change in page.schema
        ],
        "changes": [
            {
                "row": None if change.number is None else change.number + 1,
                "kind": change.kind.value,
                "columns": list(change.columns),
                "old": _values(change.old, shapes),
                "new": _values(change.new, shapes),
            }
            for change in page.rows
        ],
    }


def _values(values: Mapping[str, object] | None, shapes: set[str]) -> dict[str, object] | None:
    if values is None:
        return None
    return {name: _shape(value) if name in shapes else value for name, value in values.items()}


def _shape(value: object) -> object:
    """A geometry as an object; a text that is no JSON stays the text that it is."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
