"""The whole public catalogue, a page at a time: what feeds, maps of the site and copies of it are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from flask import current_app
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import joinedload, selectinload

from catalog.db import change_mark, db
from catalog.models.dataset import Dataset, dataset_theme, public
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.models.series import DatasetSeries
from catalog.models.service import DataService
from catalog.models.table import ReleaseFile
from catalog.models.vocabulary import Access, State
from catalog.permissions import Action, Identity, allowed
from catalog.services.indexing import MOST_LEVELS, whole

if TYPE_CHECKING:
    from sqlalchemy.orm.interfaces import ORMOption

PAGE = 100
"""Datasets on a page of a feed."""
_SIZE = "weft_catalogue_size"
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How much is public, and when anything of it last changed."""

    datasets: int
    services: int
    series: int
    changed: datetime
    earliest: datetime

    @property
    def pages(self) -> int:
        """Pages that hold all of it, at least one."""
        return max(1, -(-max(self.datasets, self.services, self.series) // PAGE))


@dataclass(frozen=True)
class Which:
    """Part of the catalogue: everything that is not said is everything."""

    organization: str = ""
    """Slug; those below it belong to it too."""
    theme: str = ""
    changed_from: datetime | None = None
    changed_until: datetime | None = None
    gone: bool = False
    """Whether those that were public and were withdrawn are wanted too."""


EVERYTHING = Which()


def size(who: Identity) -> Size:  # noqa: ARG001 # everybody may count what is public
    """How large the catalogue is; kept until somebody writes, where that can be told."""
    mark = change_mark()
    kept: tuple[int | None, Size] | None = current_app.extensions.get(_SIZE)
    if kept is not None and mark is not None and kept[0] == mark:
        return kept[1]
    row = db.session.execute(
        select(func.count(), func.min(Dataset.updated_at)).where(public())
    ).one()
    changed = [
        db.session.scalar(select(func.max(one)))
        for one in (
            Dataset.updated_at,
            DataService.updated_at,
            DatasetSeries.updated_at,
            Organization.updated_at,
        )
    ]
    counts = [
        db.session.scalar(select(func.count()).select_from(one).where(one.state == State.PUBLISHED))
        for one in (DataService, DatasetSeries)
    ]
    found = Size(
        row[0],
        counts[0] or 0,
        counts[1] or 0,
        max([moment for moment in changed if moment], default=BEGINNING),
        row[1] or BEGINNING,
    )
    current_app.extensions[_SIZE] = (mark, found)
    return found


def page(
    who: Identity,  # noqa: ARG001 # everybody may read what is public
    which: Which = EVERYTHING,
    *,
    after: str = "",
    offset: int = 0,
    limit: int = PAGE,
) -> Sequence[Dataset]:
    """Datasets with everything that their pages show, in order of their ids, behind the id `after`.

    What is written meanwhile moves nothing: no other dataset is passed over or given twice.
    """
    return _read(_ids(which, after, offset, limit), *whole())


class Address(NamedTuple):
    """What a map of the site says of a dataset."""

    id: str
    slug: str
    changed: datetime


def addresses(
    who: Identity,  # noqa: ARG001 # everybody may read what is public
    *,
    after: str = "",
    offset: int = 0,
    limit: int,
) -> list[Address]:
    """Where the datasets are, in order of their ids."""
    chosen = select(Dataset.id, Dataset.slug, Dataset.updated_at).where(public())
    if after:
        chosen = chosen.where(Dataset.id > after)
    rows = db.session.execute(chosen.order_by(Dataset.id).offset(offset).limit(limit))
    return [Address._make(row) for row in rows]


def id_at(who: Identity, position: int) -> str:
    """The id at a place in the order of ids; nothing where there are not so many."""
    found = addresses(who, offset=position, limit=1)
    return found[0].id if found else ""


def newest(who: Identity, which: Which = EVERYTHING, *, limit: int = PAGE) -> Sequence[Dataset]:  # noqa: ARG001 # as above
    """The datasets that changed last, the last one first, with their organizations and themes."""
    ids = (
        select(Dataset.id)
        .where(_chosen(which))
        .order_by(Dataset.updated_at.desc(), Dataset.id)
        .limit(limit)
    )
    wanted = list(db.session.scalars(ids))
    found = {one.id: one for one in _read_ids(wanted, *_listed())}
    return [found[id_] for id_ in wanted if id_ in found]


def named(who: Identity, ids: Sequence[str]) -> Sequence[Dataset]:  # noqa: ARG001 # as above
    """The public ones of these datasets in the same order, with their organizations and themes."""
    found = {one.id: one for one in _read_ids(list(ids), *_listed()) if _is_public(one)}
    return [found[id_] for id_ in ids if id_ in found]


def ever_public(who: Identity, dataset_id: str) -> Dataset | None:  # noqa: ARG001 # as above
    """The dataset with everything, if it is or was public."""
    chosen = select(Dataset.id).where(_chosen(Which(gone=True)), Dataset.id == dataset_id)
    return next(iter(_read(chosen, *whole())), None)


def count(who: Identity, which: Which) -> int:  # noqa: ARG001 # as above
    """Number of datasets of this part."""
    return db.session.scalar(select(func.count()).select_from(Dataset).where(_chosen(which))) or 0


def services(who: Identity, *, offset: int = 0, limit: int = PAGE) -> Sequence[DataService]:  # noqa: ARG001 # as above
    """A page of the public data services, with the datasets that they serve."""
    statement = (
        select(DataService)
        .where(DataService.state == State.PUBLISHED)
        .options(joinedload(DataService.organization), selectinload(DataService.datasets))
        .order_by(DataService.id)
    )
    return db.session.scalars(statement.offset(offset).limit(limit)).all()


def series(who: Identity, *, offset: int = 0, limit: int = PAGE) -> Sequence[DatasetSeries]:  # noqa: ARG001 # as above
    """A page of the public series."""
    statement = (
        select(DatasetSeries)
        .where(DatasetSeries.state == State.PUBLISHED)
        .options(joinedload(DatasetSeries.organization))
        .order_by(DatasetSeries.id)
    )
    return db.session.scalars(statement.offset(offset).limit(limit)).all()


def series_of(datasets: Iterable[Dataset]) -> dict[str, DatasetSeries]:
    """Id → public series that these datasets are of."""
    ids = {one.series_id for one in datasets if one.series_id}
    if not ids:
        return {}
    wanted = (
        select(DatasetSeries)
        .where(DatasetSeries.id.in_(ids), DatasetSeries.state == State.PUBLISHED)
        .options(joinedload(DatasetSeries.organization))
    )
    return {one.id: one for one in db.session.scalars(wanted)}


def above(organizations: Iterable[Organization]) -> dict[str, Organization]:
    """Id → organization, of these and of all that they belong to."""
    found = {one.id: one for one in organizations}
    for _ in range(MOST_LEVELS):
        missing = {one.parent_id for one in found.values() if one.parent_id} - found.keys()
        if not missing:
            break
        for one in db.session.scalars(select(Organization).where(Organization.id.in_(missing))):
            found[one.id] = one
    return found


def line(id_: str, known: Mapping[str, Organization]) -> Iterator[Organization]:
    """The organization and those that it belongs to, the nearest first, of those that `above` found."""
    one = known.get(id_)
    for _ in range(MOST_LEVELS):
        if one is None:
            break
        yield one
        one = known.get(one.parent_id or "")


def files(datasets: Iterable[Dataset]) -> dict[tuple[str, str], ReleaseFile]:
    """Table and format → what is known of the file of its newest release, where it was made."""
    releases = {
        table.id: table.release
        for dataset in datasets
        for resource in dataset.resources
        for table in resource.tables
        if table.release
    }
    rows: dict[tuple[str, str], ReleaseFile] = {}
    ids = sorted(releases)
    for start in range(0, len(ids), 500):
        listed = select(ReleaseFile).where(ReleaseFile.table_id.in_(ids[start : start + 500]))
        for row in db.session.scalars(listed):
            if row.release == releases[row.table_id]:
                rows[row.table_id, row.format] = row
    return rows


def is_readable(who: Identity, dataset: Dataset) -> bool:
    """Whether `who` may have the data, and not only what is said of it: without it no address leads there."""
    return allowed(who, Action.TABLE_READ, dataset)


def readable_by(who: Identity) -> ColumnElement[bool]:
    """The condition that `who`, who may read what is said of a dataset, may have the data too."""
    if who.administrator or who.scheduler:
        return true()
    return or_(
        Dataset.access == Access.OPEN,
        Dataset.organization_id.in_(who.organizations),
        Dataset.id.in_(who.collaborations),
    )


def all(who: Identity, which: Which = EVERYTHING, *, limit: int = PAGE) -> Iterator[Dataset]:  # noqa: A001 # reads as catalogue.all
    """All of them with everything, of which no more than a page is in memory."""
    after = ""
    while found := page(who, which, after=after, limit=limit):
        yield from found
        after = found[-1].id
        forget()


def organization_ids(slug: str) -> list[str]:
    """Ids of the organization and of those below it; none where there is none."""
    ids = list(db.session.scalars(select(Organization.id).where(Organization.slug == slug)))
    level = ids
    for _ in range(MOST_LEVELS):
        level = list(
            db.session.scalars(select(Organization.id).where(Organization.parent_id.in_(level)))
        )
        if not level:
            break
        ids += [id_ for id_ in level if id_ not in ids]
    return ids


def forget() -> None:
    """Let go what was read, so that a walk through everything needs the memory of a page."""
    db.session.expunge_all()


def _is_public(dataset: Dataset) -> bool:
    return dataset.state == State.PUBLISHED and not dataset.private


def _listed() -> tuple[ORMOption, ...]:
    return joinedload(Dataset.organization), selectinload(Dataset.themes)


def _ids(which: Which, after: str, offset: int, limit: int) -> Select[str]:
    chosen = select(Dataset.id).where(_chosen(which))
    if after:
        chosen = chosen.where(Dataset.id > after)
    return chosen.order_by(Dataset.id).offset(offset).limit(limit)


def _read(ids: Select[str], *options: ORMOption) -> Sequence[Dataset]:
    """The ids first: to pass over a hundred thousand of them is quicker than to pass over as many rows."""
    return _read_ids(list(db.session.scalars(ids)), *options)


def _read_ids(ids: list[str], *options: ORMOption) -> Sequence[Dataset]:
    statement = (
        select(Dataset)
        .where(Dataset.id.in_(ids))
        .options(*options)
        .order_by(Dataset.id)
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(statement).all()


def _chosen(which: Which) -> ColumnElement[bool]:
    state = public()
    if which.gone:
        was = and_(
            Dataset.state == State.WITHDRAWN,
            Dataset.published_at.is_not(None),
            Dataset.private.is_(False),
        )
        state = or_(state, was)
    conditions: list[ColumnElement[bool]] = [state]
    if which.organization:
        conditions.append(Dataset.organization_id.in_(organization_ids(which.organization)))
    if which.theme:
        members = (
            select(dataset_theme.c.dataset_id)
            .join(Group, Group.id == dataset_theme.c.theme_id)
            .where(Group.slug == which.theme)
        )
        conditions.append(Dataset.id.in_(members))
    if which.changed_from:
        conditions.append(Dataset.updated_at >= which.changed_from)
    if which.changed_until:
        conditions.append(Dataset.updated_at <= which.changed_until)
    return and_(*conditions)
