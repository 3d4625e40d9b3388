"""Series of datasets: put, rename, withdraw, show with the datasets in order, list."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import count

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import joinedload

from catalog.db import Transaction, db, transaction
from catalog.errors import Conflict, Gone, NotFound
from catalog.models.address import FormerAddress
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, public
from catalog.models.organization import Organization
from catalog.models.series import DatasetSeries
from catalog.models.text import origins_of
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, require
from catalog.schemas.drafts import Origin
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


def put(who: Identity, draft: SeriesDraft, *, origin: Origin | None = None) -> DatasetSeries:
    """Create the series or change it; one that was withdrawn is public again.

    A harvested one is known by its origin: it takes another address where its own is in use, and is changed there only.
    """
    with transaction() as tx:
        organization = organization_named(draft.organization)
        require(who, Action.DATASET_WRITE, organization)
        series = _of_origin(origin) if origin else _by_slug(draft.slug)
        if series is None:
            slug = _free_slug(draft.slug) if origin else draft.slug
            series = DatasetSeries(id=new_id(), slug=slug, title={})
            if origin:
                series.source_id, series.record_key = origin.source_id, origin.record_key
            addresses.claim("series", slug, series.id)
            _fill(series, draft, organization)
            db.session.add(series)
            db.session.flush()
            tx.after_commit(changed, series.id)
            _note(who, series, "created")
            return series
        require(who, Action.DATASET_WRITE, series.organization_id)
        if origin is None:
            _require_own(series)
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
        _require_own(series)
        _withdraw(tx, who, series)


def retire_unseen(who: Identity, source_id: str, keys: Collection[str]) -> None:
    """Withdraw the series of a source whose record is not among `keys`."""
    with transaction() as tx:
        there = select(DatasetSeries).where(
            DatasetSeries.source_id == source_id, DatasetSeries.state == State.PUBLISHED
        )
        for series in db.session.scalars(there).all():
            if series.record_key not in keys:
                require(who, Action.DATASET_RETIRE, series.organization_id)
                _withdraw(tx, who, series)


def slug_of(who: Identity, origin: Origin) -> str:  # noqa: ARG001 # every series is public
    """The address of the public series that was harvested from there; empty where there is none."""
    series = _of_origin(origin)
    return series.slug if series is not None and series.state == State.PUBLISHED else ""


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


def neighbours(
    who: Identity,  # noqa: ARG001 # only what is public is told
    datasets: Iterable[Dataset],
) -> dict[str, tuple[str | None, str | None]]:
    """Id of a dataset that is in a series → ids of the public ones before and after it there."""
    some = {one.id: one.series_id for one in datasets if one.series_id}
    if not some:
        return {}
    places = (
        select(
            Dataset.id,
            func.lag(Dataset.id).over(partition_by=Dataset.series_id, order_by=_ORDER).label("one"),
            func.lead(Dataset.id)
            .over(partition_by=Dataset.series_id, order_by=_ORDER)
            .label("two"),
        )
        .where(public(), Dataset.series_id.in_(set(some.values())))
        .subquery()
    )
    rows = db.session.execute(select(places).where(places.c.id.in_(some)))
    return {id_: (before, after) for id_, before, after in rows}


def ends(
    who: Identity,  # noqa: ARG001 # only what is public is told
    series: Iterable[DatasetSeries],
) -> dict[str, tuple[str, str]]:
    """Id of a series → ids of its first and its last public dataset; nothing of one that has none."""
    falling = [column.desc() for column in _ORDER]
    first, last = (
        func.first_value(Dataset.id).over(partition_by=Dataset.series_id, order_by=order)
        for order in (_ORDER, falling)
    )
    ids = [one.id for one in series]
    if not ids:
        return {}
    found = select(Dataset.series_id, first, last).where(public(), Dataset.series_id.in_(ids))
    rows = db.session.execute(found.distinct())
    return {str(id_): (one, other) for id_, one, other in rows}


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


def _withdraw(tx: Transaction, who: Identity, series: DatasetSeries) -> None:
    _reindex(tx, series)
    members = update(Dataset).where(Dataset.series_id == series.id)
    db.session.execute(members.values(series_id=None, series_position=0))
    series.state = State.WITHDRAWN
    _note(who, series, "withdrawn")


def _require_own(series: DatasetSeries) -> None:
    if series.source_id is not None:
        raise Conflict(
            "the series “%(slug)s” is harvested: change it at its source", slug=series.slug
        )


def _of_origin(origin: Origin) -> DatasetSeries | None:
    return db.session.scalar(
        select(DatasetSeries).where(
            DatasetSeries.source_id == origin.source_id,
            DatasetSeries.record_key == origin.record_key,
        )
    )


def _free_slug(wanted: str) -> str:
    """The slug, with the least number behind it that makes it one that no series has or had."""
    like = f"{wanted}%"
    former = select(FormerAddress.slug).where(FormerAddress.kind == "series")
    taken = {
        *db.session.scalars(select(DatasetSeries.slug).where(DatasetSeries.slug.like(like))),
        *db.session.scalars(former.where(FormerAddress.slug.like(like))),
    }
    numbered = (f"{wanted}-{number}" for number in count(2))
    return wanted if wanted not in taken else next(one for one in numbered if one not in taken)


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
