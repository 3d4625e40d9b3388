"""Tables that another one can be joined with: those that declare what tells their rows apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import String, cast, select
from sqlalchemy.orm import joinedload

from catalog.db import db
from catalog.models.dataset import Dataset, Resource
from catalog.models.table import DataTable
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, allowed
from catalog.services.table_lookup import show

MOST = 100


@dataclass(frozen=True)
class Joinable:
    """A table with a key: its id, its titles from the table to the dataset, and its name in the resource."""

    id: str
    titles: tuple[Mapping[str, str], ...]
    key: str


def joinable(who: Identity, table_id: str) -> list[Joinable]:
    """Tables that can stand beside this one, those of the same dataset and department first; at most MOST."""
    dataset = show(who, table_id).resource.dataset
    found = db.session.scalars(
        select(DataTable)
        .join(Resource, Resource.id == DataTable.resource_id)
        .join(Dataset, Dataset.id == Resource.dataset_id)
        .where(
            cast(DataTable.primary_key, String) != "[]",
            DataTable.head > 0,
            DataTable.id != table_id,
            Dataset.state == State.PUBLISHED,
        )
        .options(joinedload(DataTable.resource).joinedload(Resource.dataset))
        .order_by(
            (Dataset.id == dataset.id).desc(),
            (Dataset.organization_id == dataset.organization_id).desc(),
            Dataset.uses.desc(),
            Dataset.id,
            DataTable.position,
        )
        .limit(MOST)
    )
    return [
        Joinable(
            table.id,
            (table.title, table.resource.title, table.resource.dataset.title),
            table.key,
        )
        for table in found
        if allowed(who, Action.TABLE_READ, table.resource.dataset)
    ]
