"""What is said of a table's columns: labels, descriptions, and what only some clients say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.db import transaction
from catalog.models.base import now
from catalog.permissions import Identity
from catalog.services import datasets
from catalog.services.table_schema import keep_origins
from catalog.services.table_writes import own


@dataclass(frozen=True)
class Said:
    """What is said of a column; None leaves what was said before."""

    label: Mapping[str, str] | None = None
    description: Mapping[str, str] | None = None
    info: Mapping[str, Any] = field(default_factory=dict)
    """Added to the data dictionary of the column, by name."""


def describe(who: Identity, table_id: str, said: Mapping[str, Said]) -> None:
    """Say something of columns, by published name; of columns that are not there nothing is kept."""
    table = own(who, table_id)
    with transaction():
        for column in table.columns:
            words = said.get(column.name)
            if words is None:
                continue
            before = (dict(column.label or {}), dict(column.description or {}))
            column.info = {**(column.info or {}), **words.info}
            if words.label is not None:
                column.label = dict(words.label)
            if words.description is not None:
                column.description = dict(words.description)
            keep_origins(column, *before)
        table.updated_at = now()
        datasets.touch(table.resource.dataset_id)
