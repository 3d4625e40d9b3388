"""Tying tables that draw a map to the table that has the outlines.

A source declares the outlines by the slug of their dataset; pages need the id of the table, which is
known only once both are loaded, in whatever order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select

from catalog.db import db, transaction
from catalog.models.dataset import Dataset, Resource
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import ColumnType


def link_maps(resource_id: str) -> None:
    """Set `DataTable.map` of the resource's tables, and of tables whose outlines it holds."""
    with transaction():
        slug = db.session.scalar(
            select(Dataset.slug)
            .join(Resource, Resource.dataset_id == Dataset.id)
            .where(Resource.id == resource_id)
        )
        drawn = Resource.load["map"]["geometry"].as_string()
        pairs = db.session.execute(
            select(DataTable, Resource.load)
            .join(Resource, DataTable.resource_id == Resource.id)
            .where(drawn.is_not(None), or_(Resource.id == resource_id, drawn == slug))
            .execution_options(populate_existing=True)
        )
        for table, load in pairs.all():
            linked = _linked(load["map"])
            if table.map != linked:
                table.map = linked


def _linked(declared: Mapping[str, Any]) -> dict[str, Any]:
    """The declaration with the id of the table of outlines; nothing while there is none."""
    outlines = db.session.scalar(
        select(DataTable.id)
        .join(Resource, DataTable.resource_id == Resource.id)
        .join(Dataset, Resource.dataset_id == Dataset.id)
        .join(TableColumn, TableColumn.table_id == DataTable.id)
        .where(Dataset.slug == declared["geometry"], TableColumn.type == ColumnType.GEOMETRY)
        .order_by(Resource.position, DataTable.position)
        .limit(1)
    )
    return {**declared, "geometry": outlines} if outlines else {}
