"""What a publisher's organization has to look at: texts that may be out of date in one language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, cast, or_, select

from catalog.db import db
from catalog.models.dataset import Dataset, Resource
from catalog.models.organization import Organization
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, require

STALE = '%"stale": true%'
MOST = 500


@dataclass(frozen=True)
class StaleText:
    """A text whose other language changed since; `column` and `table_id` only where it is one of a column."""

    slug: str
    title: Mapping[str, str]
    field: str
    language: str
    table_id: str = ""
    column: str = ""


def stale_texts(who: Identity, organization: Organization, *, limit: int = 100) -> list[StaleText]:
    """Texts of the organization's datasets and columns that may be out of date, by dataset; only for its members."""
    require(who, Action.ORGANIZATION_READ, organization)
    most = min(limit, MOST)
    of = Dataset.organization_id == organization.id
    there = Dataset.state != State.WITHDRAWN
    datasets = db.session.execute(
        select(Dataset.slug, Dataset.title, Dataset.text_origins)
        .where(of, there, is_said(Dataset.text_origins))
        .order_by(Dataset.slug)
        .limit(most)
    )
    found = [
        StaleText(slug, title, field, language)
        for slug, title, origins in datasets
        for field, language in _stale(origins)
    ]
    columns = db.session.execute(
        select(
            Dataset.slug, Dataset.title, TableColumn.label_origins, DataTable.id, TableColumn.name
        )
        .join(DataTable, DataTable.id == TableColumn.table_id)
        .join(Resource, Resource.id == DataTable.resource_id)
        .join(Dataset, Dataset.id == Resource.dataset_id)
        .where(of, there, is_said(TableColumn.label_origins))
        .order_by(Dataset.slug, DataTable.id, TableColumn.position)
        .limit(most)
    )
    found += [
        StaleText(slug, title, field, language, table_id, column)
        for slug, title, origins, table_id, column in columns
        for field, language in _stale(origins)
    ]
    return sorted(found, key=lambda one: (one.slug, one.table_id, one.column))[:most]


def is_said(origins: Any) -> ColumnElement[bool]:
    """The condition that a text is out of date; JSON is written with or without a blank after the colon, as the database likes."""
    text = cast(origins, String)
    return or_(text.like(STALE), text.like(STALE.replace(": ", ":")))


def _stale(origins: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[tuple[str, str]]:
    for field, by_language in (origins or {}).items():
        for language, known in by_language.items():
            if known.get("stale"):
                yield field, language
