"""Series of datasets: put, rename, withdraw, show with the datasets in order, list."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import joinedload

from catalog.db import Transaction, db, transaction
from catalog.errors import Gone, NotFound
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, public
from catalog.models.organization import Organization
from catalog.models.series import DatasetSeries
from catalog.models.text import origins_of
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, require
from catalog.schemas.series import SeriesDraft
from catalog.services import addresses, log
from catalog.services.datasets import organization_named
from catalog.services.indexing import changed, index_due_datasets

TRANSLATED = ("title", "description")
MOST = 500


@dataclass(frozen=True)
class Neighbours:
    """A series with the datasets before and after one of its own."""

    series: DatasetSeries
    before: Dataset | None
    after: Dataset | None


def put(who: Identity, draft: SeriesDraft) -> DatasetSeries:
    """Create the series or change it; one that was withdrawn is public again."""
    with transaction() as tx:
        organization = organization_named(draft.organization)
        require(who, Action.DATASET_WRITE, organization)
        series = _by_slug(draft.slug)
        if series is None:
            series = DatasetSeries(id=new_id(), slug=draft.slug, title={})
            addresses.claim("series", draft.slug, series.id)
            _fill(series, draft, organization)
            db.session.add(series)
            db.session.flush()
            tx.after_commit(changed, series.id)
            _note(who, series, "created")
            return series
        require(who, Action.DATASET_WRITE, series.organization_id)
        _fill(series, draft, organization)
        if db.session.is_modified(series):
            _reindex(tx, series)
            _note(who, series, "changed")
    return series


def rename(who: Identity, slug: str, to: str) -> None:
    """Give the series another address; the old one leads there."""
    with transaction() as tx:
        series = show(who, slug)
        require(who, Action.DATASET_RETIRE, series.organization_id)
        if addresses.move("series", series, to):
            _reindex(tx, series)
            _note(who, series, "renamed")


def withdraw(who: Identity, slug: str) -> None:
    """Take the series away; its datasets stay, and belong to none."""
    with transaction() as tx:
        series = show(who, slug)
        require(who, Action.DATASET_RETIRE, series.organization_id)
        _reindex(tx, series)
        members = update(Dataset).where(Dataset.series_id == series.id)
        db.session.execute(members.values(series_id=None, series_position=0))
        series.state = State.WITHDRAWN
        _note(who, series, "withdrawn")


def show(who: Identity, slug: str) -> DatasetSeries:  # noqa: ARG001 # every series is public
    """The series with its organization, also by an address of before; raises NotFound, Gone when withdrawn."""
    series = _by_slug(slug)
    if series is None:
        id_ = addresses.moved("series", slug)
        series = db.session.get(DatasetSeries, id_, options=_WITH) if id_ else None
    if series is None:
        raise NotFound("there is no series “%(slug)s”", slug=slug[:120])
    if series.state == State.WITHDRAWN:
        raise Gone("the series “%(slug)s” was withdrawn", slug=series.slug)
    return series


def members(
    who: Identity,  # noqa: ARG001 # only what is public is told
    series: DatasetSeries,
    *,
    limit: int = MOST,
    offset: int = 0,
) -> tuple[list[Dataset], int]:
    """A page of its public datasets in their order, and how many there are."""
    of_series = select(Dataset).where(Dataset.series_id == series.id, public())
    total = db.session.scalar(select(func.count()).select_from(of_series.subquery())) or 0
    page = of_series.order_by(*_ORDER).limit(min(limit, MOST)).offset(offset)
    return list(db.session.scalars(page)), total


def listed(
    who: Identity,  # noqa: ARG001 # every series is public
    *,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[tuple[DatasetSeries, int]], int]:
    """A page of the series by slug, each with the number of its public datasets; and how many there are."""
    counts = (
        select(Dataset.series_id, func.count().label("datasets"))
        .where(public(), Dataset.series_id.is_not(None))
        .group_by(Dataset.series_id)
        .subquery()
    )
    there = DatasetSeries.state == State.PUBLISHED
    statement = (
        select(DatasetSeries, func.coalesce(counts.c.datasets, 0))
        .outerjoin(counts, counts.c.series_id == DatasetSeries.id)
        .where(there)
        .options(*_WITH)
        .order_by(DatasetSeries.slug)
    )
    total = db.session.scalar(select(func.count()).select_from(DatasetSeries).where(there)) or 0
    found = db.session.execute(statement.limit(min(limit, MOST)).offset(offset))
    return [(series, count) for series, count in found], total


def around(
    who: Identity,  # noqa: ARG001 # only what is public is told
    dataset: Dataset,
) -> Neighbours | None:
    """The series of a dataset, and the datasets that come before and after it there."""
    if dataset.series_id is None:
        return None
    series = db.session.get(DatasetSeries, dataset.series_id, options=_WITH)
    if series is None or series.state == State.WITHDRAWN:
        return None
    place = (dataset.series_position, dataset.temporal_start, dataset.slug)
    others = select(Dataset).where(Dataset.series_id == series.id, public())
    before = others.where(tuple_(*_ORDER) < tuple_(*place))
    after = others.where(tuple_(*_ORDER) > tuple_(*place))
    return Neighbours(
        series,
        db.session.scalar(before.order_by(*(column.desc() for column in _ORDER)).limit(1)),
        db.session.scalar(after.order_by(*_ORDER).limit(1)),
    )


_ORDER = (Dataset.series_position, Dataset.temporal_start, Dataset.slug)
"""The last of them tells all apart."""
_WITH = (joinedload(DatasetSeries.organization),)


def _fill(series: DatasetSeries, draft: SeriesDraft, organization: Organization) -> None:
    values = {
        "text_origins": origins_of(series, draft, TRANSLATED),
        "title": dict(draft.title),
        "description": dict(draft.description),
        "frequency": draft.frequency,
        "organization_id": organization.id,
        "state": State.PUBLISHED,
    }
    for name, value in values.items():
        if getattr(series, name) != value:
            setattr(series, name, value)


def _reindex(tx: Transaction, series: DatasetSeries) -> None:
    members_ = update(Dataset).where(Dataset.series_id == series.id)
    db.session.execute(members_.values(index_due=now()))
    tx.after_commit(index_due_datasets.later)
    tx.after_commit(changed, series.id)


def _by_slug(slug: str) -> DatasetSeries | None:
    return db.session.scalar(
        select(DatasetSeries).where(DatasetSeries.slug == slug).options(*_WITH)
    )


def _note(who: Identity, series: DatasetSeries, what: str) -> None:
    subject = log.Subject("series", series.id, series.organization_id)
    log.append(who, f"series.{what}", subject, {"slug": series.slug, "title": series.title})
