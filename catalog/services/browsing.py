"""The catalogue without its search engine: datasets from the database, in order and narrowed by what SQL does cheaply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.sql.expression import SQLColumnExpression

from catalog.db import db
from catalog.models.dataset import Dataset, Resource, dataset_theme, public
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.search import Bucket, Hit, SearchPage, SearchQuery
from catalog.search.documents import card_of, last_change
from catalog.services.indexing import whole

Values = tuple[str, ...]


def browse(query: SearchQuery) -> SearchPage:
    """A page of public datasets; words, and facets that are not in NARROWED, are passed over.

    Relevance is the last change, and a title is its address, which is made of it (Chinese by its pinyin).
    """
    wanted = _conditions(query)
    total = db.session.scalar(select(func.count(Dataset.id)).where(*wanted)) or 0
    page = (
        select(Dataset)
        .where(*wanted)
        .options(*whole())
        .order_by(*_order(query))
        .offset(query.offset)
        .limit(query.limit)
    )
    hits = tuple(
        Hit(dataset.id, 0.0, card_of(dataset, last_change(dataset)))
        for dataset in db.session.scalars(page)
    )
    return SearchPage(total, hits, _chosen(query), browsed=True)


def _conditions(query: SearchQuery) -> list[ColumnElement[bool]]:
    chosen = [
        NARROWED[name](values)
        for name, values in query.filters.items()
        if values and name in NARROWED
    ]
    return [public(), *chosen]


def _order(query: SearchQuery) -> list[SQLColumnExpression[Any]]:
    match query.sort:
        case "title" | "slug":
            return [Dataset.slug.desc() if query.reverse else Dataset.slug.asc()]
        case "uses":
            return [Dataset.uses.desc(), Dataset.id]
    return [Dataset.modified.desc().nulls_last(), Dataset.id]


def _of_organization(slugs: Values) -> ColumnElement[bool]:
    """Datasets of these organizations and of those below them."""
    below = select(Organization.id).where(Organization.slug.in_(slugs)).cte(recursive=True)
    below = below.union(select(Organization.id).where(Organization.parent_id == below.c.id))
    return Dataset.organization_id.in_(select(below.c.id))


def _of_theme(slugs: Values) -> ColumnElement[bool]:
    themes = select(Group.id).where(Group.slug.in_(slugs))
    return Dataset.id.in_(
        select(dataset_theme.c.dataset_id).where(dataset_theme.c.theme_id.in_(themes))
    )


def _of_format(formats: Values) -> ColumnElement[bool]:
    return exists().where(Resource.dataset_id == Dataset.id, Resource.format.in_(formats))


NARROWED: Mapping[str, Callable[[Values], ColumnElement[bool]]] = {
    "organization": _of_organization,
    "theme": _of_theme,
    "format": _of_format,
    "access": lambda values: Dataset.access.in_(values),
    "license": lambda values: func.coalesce(
        func.nullif(Dataset.extras["license_id"].as_string(), ""), Dataset.license_id
    ).in_(values),
    "frequency": lambda values: Dataset.frequency.in_(values),
}
"""Facets that can be chosen in without the search engine."""


def _chosen(query: SearchQuery) -> dict[str, tuple[Bucket, ...]]:
    """What was chosen, without counts: they would cost more than everything else here."""
    return {
        name: tuple(Bucket(value, 0) for value in values)
        for name, values in query.filters.items()
        if name in NARROWED
    }
