"""What CKAN's dictionaries show of many datasets: a few statements of columns, without rows that could be written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any, cast

from flask import current_app
from sqlalchemy import bindparam, func, or_, select

from catalog.db import db
from catalog.models.base import Texts
from catalog.models.dataset import Dataset, Resource, dataset_tag, dataset_theme, upload_path
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.models.table import DataTable
from catalog.models.tag import Tag
from catalog.models.vocabulary import Access, State
from catalog.permissions import ANYONE, Action, Identity, allowed

MOST_SHARED = 5_000
"""Organizations, and themes, that are kept."""
_SHARED = "weft_dataset_rows"


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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class ThemeRow:
    """As much of a theme as stands in its datasets."""

    id: str
    slug: str
    title: Texts
    description: Texts
    image_url: str
    position: int


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
    access: str
    creator_id: str | None
    created_at: datetime
    updated_at: datetime
    extras: dict[str, Any]
    organization_changed: datetime | None
    themes_changed: datetime | None
    organization: OrganizationRow = field(init=False)
    themes: Sequence[ThemeRow] = ()
    tag_rows: Sequence[Any] = ()
    """Columns `id`, `name` and `vocabulary_id`."""
    resources: Sequence[ResourceRow] = ()

    @property
    def stamp(self) -> tuple[object, ...]:
        """Another one whenever anything that is shown of it has changed."""
        return (
            self.state,
            self.private,
            self.organization_id,
            self.updated_at,
            self.organization_changed,
            self.themes_changed,
        )


class Shared:
    """What many datasets have in common as it was last read, with what tells whether it is still so."""

    def __init__(self) -> None:
        self.organizations: dict[str, OrganizationRow] = {}
        self.themes: tuple[datetime | None, dict[str, ThemeRow]] = (None, {})


def named(who: Identity, names: Iterable[str]) -> list[DatasetRow]:
    """Those of the datasets with these ids or addresses that `who` may read, without what hangs on them."""
    found = []
    for row in db.session.execute(_named(), {"names": list(names)}).all():
        dataset = DatasetRow(*row)
        if _is_everybodys(dataset.state, dataset.private) or allowed(
            who, Action.DATASET_READ, _target(dataset)
        ):
            found.append(dataset)
    return found


def is_readable(who: Identity, dataset: DatasetRow) -> bool:
    """Whether `who` may have the data, and with it the addresses that lead there."""
    if dataset.access == Access.OPEN and _is_everybodys(dataset.state, dataset.private):
        return True
    return allowed(who, Action.TABLE_READ, _target(dataset))


def complete(datasets: Sequence[DatasetRow]) -> None:
    """Add organization, themes, tags, and resources with their tables."""
    asked = {"ids": [dataset.id for dataset in datasets]}
    tags: dict[str, list[Any]] = defaultdict(list)
    for tag in db.session.execute(_tags(), asked).all():
        tags[tag.dataset_id].append(tag)
    organizations = _organizations(datasets)
    themes = _themes(datasets, asked)
    resources = _resources(asked)
    for dataset in datasets:
        dataset.organization = organizations[dataset.organization_id]
        dataset.themes = themes.get(dataset.id, ())
        dataset.tag_rows = tags.get(dataset.id, ())
        dataset.resources = resources.get(dataset.id, ())


def _organizations(datasets: Sequence[DatasetRow]) -> dict[str, OrganizationRow]:
    """The organizations by id; those that have changed are read anew."""
    shared = _shared()
    kept = shared.organizations  # other threads may put another one in its place
    changed = {dataset.organization_id: dataset.organization_changed for dataset in datasets}
    found = {id_: kept[id_] for id_ in changed if id_ in kept}
    old = [id_ for id_ in changed if id_ not in found or found[id_].updated_at != changed[id_]]
    if old:
        rows = db.session.execute(_organizations_of_ids(), {"ids": old}).all()
        found |= {row.id: OrganizationRow(*row) for row in rows}
        if len(kept) > MOST_SHARED:
            kept = shared.organizations = {}
        kept.update(found)
    return found


def _themes(
    datasets: Sequence[DatasetRow], asked: Mapping[str, list[str]]
) -> dict[str, list[ThemeRow]]:
    """The themes by dataset, in their order; all are read anew when any has changed."""
    held = db.session.execute(_held_themes(), asked).all()
    changed = datasets[0].themes_changed
    shared = _shared()
    kept = shared.themes  # other threads may put those of another moment in its place
    if kept[0] != changed or len(kept[1]) > MOST_SHARED:
        kept = shared.themes = (changed, {})
    known = kept[1]
    missing = {row.theme_id for row in held if row.theme_id not in known}
    if missing:
        rows = db.session.execute(_themes_of_ids(), {"ids": list(missing)}).all()
        known.update((row.id, ThemeRow(*row)) for row in rows)
    found: dict[str, list[ThemeRow]] = defaultdict(list)
    for row in held:
        found[row.dataset_id].append(known[row.theme_id])
    for themes in found.values():
        themes.sort(key=lambda theme: (theme.position, theme.slug))
    return found


def _resources(asked: Mapping[str, list[str]]) -> dict[str, list[ResourceRow]]:
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


def _shared() -> Shared:
    return cast("Shared", current_app.extensions.setdefault(_SHARED, Shared()))


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
        access=Access(row.access),
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
        select(*_columns(Dataset, DatasetRow), organization.updated_at, themes_changed)
        .join(Organization.__table__, organization.id == dataset.organization_id)
        .where(or_(dataset.id.in_(names), dataset.slug.in_(names)), dataset.merged_into.is_(None))
    )


@cache
def _organizations_of_ids() -> Any:
    columns = _columns(Organization, OrganizationRow)
    return select(*columns).where(_is_asked(Organization.__table__.c.id))


@cache
def _themes_of_ids() -> Any:
    return select(*_columns(Group, ThemeRow)).where(_is_asked(Group.__table__.c.id))


@cache
def _held_themes() -> Any:
    return select(dataset_theme).where(_is_asked(dataset_theme.c.dataset_id))


@cache
def _tags() -> Any:
    tag, held = Tag.__table__.c, dataset_tag.c
    return (
        select(held.dataset_id, tag.id, tag.name, tag.vocabulary_id)
        .join(Tag.__table__, tag.id == held.tag_id)
        .where(_is_asked(held.dataset_id))
    )


@cache
def _resources_with_tables() -> Any:
    resource, table = Resource.__table__.c, DataTable.__table__.c
    return (
        select(*_columns(Resource, ResourceRow), *_columns(DataTable, TableRow))
        .outerjoin(DataTable.__table__, table.resource_id == resource.id)
        .where(_is_asked(resource.dataset_id))
        .order_by(resource.position, table.position)
    )


def _is_asked(column: Any) -> Any:
    return column.in_(bindparam("ids", expanding=True))
