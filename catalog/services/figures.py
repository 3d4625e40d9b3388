"""What the portal holds, in numbers, for the home page."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from flask import current_app
from sqlalchemy import func, select

from catalog.db import db
from catalog.models.dataset import Dataset, Resource, public
from catalog.models.table import DataTable
from catalog.models.vocabulary import TableState

SECONDS = 10.0
"""Counting reads every table's row, so that the numbers are kept for this time."""
_KEPT = "weft_figures"


@dataclass(frozen=True)
class Figures:
    """Published datasets, organizations that have one, tables that can be read, and their rows."""

    datasets: int
    organizations: int
    tables: int
    rows: int


def show() -> Figures:
    """The numbers of a few seconds ago at most."""
    kept: tuple[Figures, float] | None = current_app.extensions.get(_KEPT)
    if kept is None or kept[1] < monotonic():
        kept = current_app.extensions[_KEPT] = (_count(), monotonic() + SECONDS)
    return kept[0]


def _count() -> Figures:
    published = public()
    datasets, organizations = db.session.execute(
        select(func.count(), func.count(Dataset.organization_id.distinct())).where(published)
    ).one()
    tables, rows = db.session.execute(
        select(func.count(), func.coalesce(func.sum(DataTable.rows), 0))
        .join(Resource, DataTable.resource_id == Resource.id)
        .join(Dataset, Resource.dataset_id == Dataset.id)
        .where(published, DataTable.state == TableState.READY)
    ).one()
    return Figures(datasets, organizations, tables, int(rows))
