"""Makes tables with rows, through the same services that harvests use."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.base import now
from catalog.models.dataset import Dataset, Resource
from catalog.models.table import DataTable
from catalog.permissions import SCHEDULER
from catalog.services import tables
from catalog.tabular.reading import ReadOptions, ReadTable, read_files, read_rows
from tests.make_dataset import make_organization, put


def make_loaded_table(
    rows: Iterable[Mapping[str, object]],
    *,
    slug: str = "air",
    columns: Sequence[str] | None = None,
    types: Mapping[str, str] | None = None,
    load: Mapping[str, Any] | None = None,
    **dataset: Any,
) -> str:
    """A dataset with one table of these rows; the table's id."""
    with tempfile.TemporaryDirectory() as folder:
        options = ReadOptions.from_json({"types": dict(types or {})})
        read = read_rows(rows, options, Path(folder), columns=columns)
        return _load([read], slug, load or {}, dataset)


def make_table_of_files(
    paths: Sequence[Path],
    *,
    slug: str = "air",
    read: Mapping[str, Any] | None = None,
    load: Mapping[str, Any] | None = None,
    **dataset: Any,
) -> str:
    """A dataset whose first table is read from files; the table's id."""
    with tempfile.TemporaryDirectory() as folder:
        options = ReadOptions.from_json(dict(read or {}))
        found = read_files(paths, options, Path(folder))
        return _load(found, slug, load or {}, dataset)


def link_map(table_id: str, outlines_id: str, **plan: Any) -> None:
    """Give the table a map, as a harvest does once both tables are there."""
    with transaction():
        table = db.session.scalars(select(DataTable).where(DataTable.id == table_id)).one()
        table.map = {"geometry": outlines_id, **plan}
        table.updated_at = now()


def _load(
    read: Iterable[ReadTable], slug: str, load: Mapping[str, Any], dataset: Mapping[str, Any]
) -> str:
    make_organization()
    dataset = {"title": {"zh": "空气质量", "en": "Air quality"}, **dataset}
    resource = {
        "key": "data",
        "title": dataset["title"],
        "format": "CSV",
        "load": {"version": "1", **load},
    }
    done = put(str(dataset["title"].get("en", slug)), slug=slug, resources=[resource], **dataset)
    found = db.session.scalars(
        select(Resource).join(Dataset).where(Dataset.id == done.dataset_id)
    ).one()
    tables.load(SCHEDULER, found.id, read, reason="test")
    first = (
        select(DataTable.id).where(DataTable.resource_id == found.id).order_by(DataTable.position)
    )
    return str(db.session.scalars(first).first())
