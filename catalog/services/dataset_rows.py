"""What CKAN's dictionaries show of many datasets: a few statements of columns, without rows that could be written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, or_, select

from catalog.db import db
from catalog.models.base import Texts
from catalog.models.dataset import Dataset, Resource, dataset_tag, dataset_theme, upload_path
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.models.table import DataTable
from catalog.models.tag import Tag
from catalog.models.vocabulary import State
from catalog.permissions import ANYONE, Action, Identity, allowed


@dataclass(slots=True)
class TableRow:
    """As much of a table as stands in its resource."""

    id: str
    head: int
    loaded_at: datetime | None


@dataclass(slots=True)
class ResourceRow:
    """As much of a resource as stands in its dataset; the fields of the same names."""

    id: str
    dataset_id: str
    key: str
    position: int
    title: Texts
    description: Texts
    format: str
    media_type: str
    url: str
    size: int | None
    extras: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    tables: list[TableRow] = field(default_factory=list)

    @property
    def file_path(self) -> str:
        """Where its uploaded file is fetched."""
        return upload_path(self.dataset_id, self.id, self.extras)


@dataclass(slots=True)
class OrganizationRow:
    """As much of an organization as stands in its datasets."""

    id: str
    slug: str
    title: Texts
    description: Texts
    image_url: str
    created_at: datetime
    deleted_at: datetime | None
    updated_at: datetime | None


@dataclass(slots=True)
class ThemeRow:
    """As much of a theme as stands in its datasets."""

    id: str
    slug: str
    title: Texts
    description: Texts
    image_url: str


@dataclass(slots=True)
class TagRow:
    """As much of a tag as stands in its datasets."""

    id: str
    name: str
    vocabulary_id: str | None


@dataclass(slots=True)
class DatasetRow:
    """As much of a dataset as CKAN shows, under the names of its model's fields; `complete` adds what hangs on it."""

    id: str
    slug: str
    title: Texts
    description: Texts
    organization_id: str
    license_id: str
    license_text: str
    landing_page: str
    contact: str
    custom: dict[str, Any]
    state: str
    private: bool
    creator_id: str | None
    created_at: datetime
    updated_at: datetime
    extras: dict[str, Any]
    organization: OrganizationRow
    themes_changed: datetime | None
    themes: Sequence[ThemeRow] = ()
    tag_rows: Sequence[TagRow] = ()
    resources: Sequence[ResourceRow] = ()

    @property
    def stamp(self) -> tuple[object, ...]:
        """Another one whenever anything that is shown of it has changed."""
        return (
            self.state,
            self.private,
            self.organization_id,
            self.updated_at,
            self.organization.updated_at,
            self.themes_changed,
        )


def named(who: Identity, names: Iterable[str]) -> list[DatasetRow]:
    """Those of the datasets with these ids or addresses that `who` may read, without what hangs on them."""
    width = len(_columns(Dataset, DatasetRow))
    found = []
    for row in db.session.execute(_named(), {"names": list(names)}).all():
        parts: list[Any] = [*row[:width], OrganizationRow(*row[width:-1]), row[-1]]
        dataset = DatasetRow(*parts)
        if _is_everybodys(dataset.state, dataset.private) or allowed(
            who, Action.DATASET_READ, _target(dataset)
        ):
            found.append(dataset)
    return found


def complete(datasets: Sequence[DatasetRow]) -> None:
    """Add themes, tags and resources with their tables."""
    asked = {"ids": [dataset.id for dataset in datasets]}
    themes: dict[str, list[ThemeRow]] = defaultdict(list)
    for id_, *theme in db.session.execute(_themes(), asked).all():
        themes[id_].append(ThemeRow(*theme))
    tags: dict[str, list[TagRow]] = defaultdict(list)
    for id_, *tag in db.session.execute(_tags(), asked).all():
        tags[id_].append(TagRow(*tag))
    resources = _resources(asked)
    for dataset in datasets:
        dataset.themes = themes.get(dataset.id, ())
        dataset.tag_rows = tags.get(dataset.id, ())
        dataset.resources = resources.get(dataset.id, ())


def _resources(asked: dict[str, list[str]]) -> dict[str, list[ResourceRow]]:
    """The resources by dataset; a resource of several tables comes in as many rows."""
    width = len(_columns(Resource, ResourceRow))
    known: dict[str, ResourceRow] = {}
    found: dict[str, list[ResourceRow]] = defaultdict(list)
    for row in db.session.execute(_resources_with_tables(), asked).all():
        resource = known.get(row[0])
        if resource is None:
            resource = known[row[0]] = ResourceRow(*row[:width])
            found[resource.dataset_id].append(resource)
        if row[width] is not None:
            resource.tables.append(TableRow(*row[width:]))
    return found


@cache
def _is_everybodys(state: str, private: bool) -> bool:  # noqa: FBT001 # as the dataset has it
    """Whether such a dataset is read by anyone: then nobody is refused it."""
    return allowed(ANYONE, Action.DATASET_READ, Dataset(state=State(state), private=private))


def _target(row: DatasetRow) -> Dataset:
    """As much of a dataset as rules look at."""
    return Dataset(
        id=row.id,
        state=State(row.state),
        private=row.private,
        organization_id=row.organization_id,
    )


@cache
def _columns(model: Any, kind: Any) -> tuple[Any, ...]:
    """The columns of a table that a kind of row has fields for, in their order."""
    known = model.__table__.c
    return tuple(known[one.name] for one in fields(kind) if one.name in known)


@cache
def _named() -> Any:
    """Made once, as those below: putting a statement together costs more than running it."""
    names: Any = bindparam("names", expanding=True)
    dataset, organization = Dataset.__table__.c, Organization.__table__.c
    themes_changed = select(func.max(Group.__table__.c.updated_at)).scalar_subquery()
    return (
        select(
            *_columns(Dataset, DatasetRow),
            *_columns(Organization, OrganizationRow),
            themes_changed,
        )
        .join(Organization.__table__, organization.id == dataset.organization_id)
        .where(or_(dataset.id.in_(names), dataset.slug.in_(names)), dataset.merged_into.is_(None))
    )


@cache
def _themes() -> Any:
    theme, held = Group.__table__.c, dataset_theme.c
    return (
        select(held.dataset_id, *_columns(Group, ThemeRow))
        .join(Group.__table__, theme.id == held.theme_id)
        .where(held.dataset_id.in_(bindparam("ids", expanding=True)))
        .order_by(theme.position, theme.id)
    )


@cache
def _tags() -> Any:
    tag, held = Tag.__table__.c, dataset_tag.c
    return (
        select(held.dataset_id, *_columns(Tag, TagRow))
        .join(Tag.__table__, tag.id == held.tag_id)
        .where(held.dataset_id.in_(bindparam("ids", expanding=True)))
    )


@cache
def _resources_with_tables() -> Any:
    resource, table = Resource.__table__.c, DataTable.__table__.c
    return (
        select(*_columns(Resource, ResourceRow), *_columns(DataTable, TableRow))
        .outerjoin(DataTable.__table__, table.resource_id == resource.id)
        .where(resource.dataset_id.in_(bindparam("ids", expanding=True)))
        .order_by(resource.position, table.position)
    )
