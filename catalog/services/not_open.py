"""The public list of what is not open: datasets, columns and data services, each with the legal reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Select, String, cast, func, literal, null, select, union_all
from sqlalchemy.orm import joinedload

from catalog.db import db
from catalog.models.base import Texts
from catalog.models.dataset import Dataset, Resource, public
from catalog.models.organization import Organization
from catalog.models.service import DataService
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import Access, ColumnAccess, State
from catalog.permissions import Identity
from catalog.services import log

BATCH = 1_000


@dataclass(frozen=True)
class NotOpen:
    """A dataset, a column of one of its tables, or a data service, that not everybody may have."""

    kind: str
    """`dataset` or `service`."""
    id: str
    """Of the dataset or the service."""
    slug: str
    title: Texts
    organization: Texts
    column: str
    """Empty where all of it is meant."""
    access: str
    """`on_application` or `closed`."""
    masked: bool
    """Whether the public sees a part of each value."""
    reason: Texts


def listed(
    who: Identity,  # noqa: ARG001 # everybody may read it
    *,
    limit: int,
    offset: int = 0,
) -> list[NotOpen]:
    """One page of the list, by the name of the dataset and of the column."""
    return _page(limit, offset)


def count(who: Identity) -> int:  # noqa: ARG001 # everybody may know
    """How long the list is."""
    counts = [
        select(func.count()).select_from(part.subquery())
        for part in (_datasets(), _columns(), _services())
    ]
    return sum(db.session.scalar(one) or 0 for one in counts)


def everything(who: Identity) -> Iterator[NotOpen]:  # noqa: ARG001 # everybody may read it
    """The whole list, a batch at a time."""
    offset = 0
    while batch := _page(BATCH, offset):
        yield from batch
        offset += len(batch)


def say_why(
    who: Identity,
    dataset: Dataset,
    column: TableColumn,
    withheld_as: Access,
    reason: Mapping[str, str] | None,
) -> None:
    """Keep why a column is withheld, inside the caller's transaction; without a reason the given one stays."""
    closed = column.access != ColumnAccess.OPEN
    column.withheld_as = Access(withheld_as).value if closed else ""
    column.withheld_reason = dict(reason or column.withheld_reason or {}) if closed else {}
    about = {"column": column.name, "access": str(column.access), "reason": column.withheld_reason}
    log.about(who, "column.access", dataset, **about)


def _page(limit: int, offset: int) -> list[NotOpen]:
    """Names first, for they are sorted; what is said of them is looked up for the page only."""
    parts = union_all(_datasets(), _columns(), _services()).subquery()
    page = select(parts.c.id, parts.c.column_id).order_by(parts.c.slug, parts.c.name, parts.c.id)
    keys = [tuple(row) for row in db.session.execute(page.limit(limit).offset(offset))]
    ids = {id_ for id_, _ in keys}
    found = _datasets_of(ids) | _services_of(ids)
    columns = _columns_of({column_id for _, column_id in keys if column_id})
    return [
        _entry(found[id_], columns.get(column_id or "")) for id_, column_id in keys if id_ in found
    ]


def _datasets() -> Select[str, str, str, str]:
    return select(
        Dataset.id.label("id"),
        Dataset.slug.label("slug"),
        literal("").label("name"),
        cast(null(), String).label("column_id"),
    ).where(public(), Dataset.access != Access.OPEN)


def _columns() -> Select[str, str, str, str]:
    return (
        select(Dataset.id, Dataset.slug, TableColumn.name, TableColumn.id)
        .join(DataTable, DataTable.id == TableColumn.table_id)
        .join(Resource, Resource.id == DataTable.resource_id)
        .join(Dataset, Dataset.id == Resource.dataset_id)
        .where(public(), TableColumn.access != ColumnAccess.OPEN)
    )


def _services() -> Select[str, str, str, str]:
    return select(DataService.id, DataService.slug, literal(""), cast(null(), String)).where(
        DataService.state == State.PUBLISHED, DataService.access != Access.OPEN
    )


Row = tuple[Dataset | DataService, Organization]


def _datasets_of(ids: set[str]) -> dict[str, Row]:
    found = (
        select(Dataset, Organization)
        .join(Organization, Organization.id == Dataset.organization_id)
        .where(Dataset.id.in_(ids))
    )
    return {one.id: (one, organization) for one, organization in db.session.execute(found)}


def _services_of(ids: set[str]) -> dict[str, Row]:
    found = (
        select(DataService)
        .where(DataService.id.in_(ids))
        .options(joinedload(DataService.organization, innerjoin=True))
    )
    return {one.id: (one, one.organization) for one in db.session.scalars(found)}


def _columns_of(ids: set[str]) -> dict[str, TableColumn]:
    found = db.session.scalars(select(TableColumn).where(TableColumn.id.in_(ids)))
    return {column.id: column for column in found}


def _entry(row: Row, column: TableColumn | None) -> NotOpen:
    whole, organization = row
    return NotOpen(
        "dataset" if isinstance(whole, Dataset) else "service",
        whole.id,
        whole.slug,
        whole.title,
        organization.title,
        column=column.name if column else "",
        access=(column.withheld_as or Access.CLOSED.value) if column else str(whole.access),
        masked=column is not None and column.access == ColumnAccess.MASKED,
        reason=(column.withheld_reason if column else whole.access_reason) or {},
    )
