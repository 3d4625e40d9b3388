"""Reading one dataset with all that its page and the API show of it."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Select, String, bindparam, or_, select
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.attributes import set_committed_value

from catalog.db import db
from catalog.models.address import FormerAddress
from catalog.models.dataset import Dataset, Resource, dataset_theme
from catalog.models.group import Group
from catalog.models.table import DataTable


def named(slug_or_id: str) -> Dataset | None:
    """The dataset with its organization, also by an address that it had before; the one that it was merged into."""
    dataset = _by_name(slug_or_id) or _moved(slug_or_id)
    while dataset is not None and dataset.merged_into:
        dataset = _by_name(dataset.merged_into)
    return dataset


def with_parts(dataset: Dataset) -> Dataset:
    """The dataset with its themes, resources, tables and columns, read anew.

    Statements of their own cost half of what SQLAlchemy's loading of relationships does for a single dataset.
    """
    themes, resources = _parts()
    own = {"dataset": dataset.id}
    set_committed_value(dataset, "themes", list(db.session.scalars(themes, own)))
    set_committed_value(dataset, "resources", list(db.session.scalars(resources, own).unique()))
    return dataset


def _by_name(slug_or_id: str) -> Dataset | None:
    return db.session.scalars(_shown(), {"name": slug_or_id}).first()


def _moved(slug: str) -> Dataset | None:
    """The dataset that had this address before."""
    former = db.session.get(FormerAddress, ("dataset", slug))
    return _by_name(former.object_id) if former else None


@cache
def _shown() -> Select[Dataset]:
    """Made once: putting the statement together costs as much as running it."""
    name = bindparam("name", type_=String)
    return (
        select(Dataset)
        .where(or_(Dataset.slug == name, Dataset.id == name))
        .options(joinedload(Dataset.organization))
        .execution_options(populate_existing=True)
    )


@cache
def _parts() -> tuple[Select[Group], Select[Resource]]:
    own = bindparam("dataset", type_=String)
    themes = (
        select(Group)
        .join(dataset_theme, dataset_theme.c.theme_id == Group.id)
        .where(dataset_theme.c.dataset_id == own)
        .order_by(Group.position, Group.slug)
    )
    resources = (
        select(Resource)
        .where(Resource.dataset_id == own)
        .order_by(Resource.position)
        .options(joinedload(Resource.tables).selectinload(DataTable.columns))
    )
    fresh = {"populate_existing": True}
    return themes.execution_options(**fresh), resources.execution_options(**fresh)
