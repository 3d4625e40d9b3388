"""Makes organizations, themes, datasets and their tables in the database."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import ColumnType
from catalog.permissions import SCHEDULER, Identity
from catalog.schemas.dataset import dataset_draft
from catalog.schemas.drafts import DatasetDraft, Origin
from catalog.services import datasets, groups, organizations


def make_organization(slug: str = "ecology", **fields: Any) -> Organization:
    """A department; `title` by default in both languages."""
    fields.setdefault("title", {"zh": f"{slug}局", "en": f"Bureau of {slug}"})
    return organizations.put(SCHEDULER, slug, **fields)


def make_theme(slug: str = "environment", **fields: Any) -> None:
    """A theme."""
    fields.setdefault("title", {"zh": "环境", "en": "Environment"})
    groups.put(SCHEDULER, slug, **fields)


def make_draft(name: str = "Air quality", **fields: Any) -> DatasetDraft:
    """A draft with an English title, of the organization `ecology`."""
    return dataset_draft(
        {"title": {"en": name}, "organization": "ecology", **fields}, harvested=True
    )


def put(
    name: str = "Air quality", *, key: str = "", who: Identity = SCHEDULER, **fields: Any
) -> datasets.Put:
    """Put a dataset; with `key` as if it was harvested from the source `s1`."""
    origin = Origin("s1", key) if key else None
    return datasets.put(who, make_draft(name, **fields), origin=origin)


def make_table(
    resource_id: str,
    *,
    key: str = "data",
    columns: tuple[str, ...] = ("station", "value"),
    rows: int = 10,
    release: int = 1,
    loaded_at: datetime | None = None,
) -> str:
    """A table with its columns and without files; its id."""
    table = DataTable(
        resource_id=resource_id, key=key, rows=rows, release=release, loaded_at=loaded_at
    )
    table.columns = [
        TableColumn(position=at, name=name, stored=f"c{at}", type=ColumnType.STRING)
        for at, name in enumerate(columns)
    ]
    with transaction():
        db.session.add(table)
    return table.id


def retire_unseen(who: Identity, source_id: str, keys: Collection[str]) -> int:
    """Withdraw what came from a source but for these of its records; how many were public."""
    there = select(Dataset.id, Dataset.record_key).where(Dataset.source_id == source_id)
    return datasets.retire(who, [id_ for id_, key in db.session.execute(there) if key not in keys])
