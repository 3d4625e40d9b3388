"""Releases of tables as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.models.table import DataTable, Release
from catalog.schemas.dataset import moment_json
from catalog.tabular.column import Column

MISSING = ""
"""An empty cell is what CSV has for a missing value."""


def release_json(release: Release) -> dict[str, Any]:
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
        "expired_at": moment_json(release.expired_at),
    }


def release_schema_json(
    table: DataTable, release: Release, columns: Sequence[Column]
) -> dict[str, Any]:
    """The Table Schema of a release: its columns as they were then."""
    known = {column.stored: column for column in table.columns}
    names = {column.name for column in columns}
    fields = []
    for column in columns:
        described: dict[str, Any] = {"name": column.name, "type": column.type.value}
        now = known.get(column.stored)
        if now is not None and now.unit:
            described["unit"] = now.unit
        fields.append(described)
    key = [name for name in release.primary_key if name in names]
    whole: dict[str, Any] = {"fields": fields, "missingValues": [MISSING]}
    return whole | ({"primaryKey": key} if key and len(key) == len(release.primary_key) else {})
