"""Datasets: put, retire, show, and whether one is kept up to date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select, update

from catalog.db import Transaction, db, transaction
from catalog.errors import N_, Conflict, Invalid, NotFound
from catalog.models.base import now
from catalog.models.dataset import Dataset, Resource, public
from catalog.models.organization import Organization
from catalog.models.revision import DatasetRevision
from catalog.models.table import DataTable
from catalog.models.vocabulary import FREQUENCY_DAYS, Frequency, State
from catalog.permissions import Action, Identity, allowed, require
from catalog.schemas.drafts import DatasetDraft, Origin
from catalog.search.documents import last_change
from catalog.services import (
    addresses,
    dataset_content,
    dataset_creation,
    dataset_reading,
    log,
    publication_dates,
    revisions,
)
from catalog.services.dataset_visibility import unseen
from catalog.services.indexing import changed, index_due_datasets

_NO_LONGER_LISTED = {
    "zh": "提供部门的目录中已不再列出。",
    "en": "Its department no longer lists it.",
}


class Outcome(StrEnum):
    """What became of a draft."""

    CREATED = "created"
    CHANGED = "changed"
    SAME = "same"
    SUBMITTED = "submitted"
    """Nothing is public yet: somebody has to approve it."""


@dataclass(frozen=True)
class Put:
    """The outcome, the dataset, and its resources whose content must be read (again)."""

    outcome: Outcome
    dataset_id: str
    to_load: tuple[str, ...] = ()
    """Ids of resources that are new or whose `load` changed, and that have a `load`."""


class Kept(StrEnum):
    """Whether a dataset is updated as often as it promises."""

    KEPT = "kept"
    LATE = "late"
    UNKNOWN = "unknown"
    STATIC = "static"


@dataclass(frozen=True)
class Freshness:
    """`due` is the day by which the next update is promised, `last` the day of the last one, if known."""

    status: Kept
    due: date | None
    last: date | None


def put(
    who: Identity, draft: DatasetDraft, *, origin: Origin | None = None, wanted_id: str = ""
) -> Put:
    """Create the dataset, change it, or leave it when nothing is new.

    A harvested dataset is found again by its origin, any other by the slug of the draft. Its slug
    and id never change; one that was withdrawn is published again. A new one gets `wanted_id`, if given.
    """
    with transaction() as tx:
        organization = organization_named(draft.organization)
        record = _Record(draft, organization, _existing(draft, origin), origin, wanted_id)
        return _put(tx, who, [record])[0]


def put_all(who: Identity, records: Sequence[tuple[DatasetDraft, Origin]]) -> list[Put]:
    """Put many harvested records, each origin once, with few statements for all of them.

    All or none: an error of one leaves nothing of the others.
    """
    with transaction() as tx:
        organizations = _organizations({draft.organization for draft, _ in records})
        known = _of_origins([origin for _, origin in records])
        return _put(
            tx,
            who,
            [
                _Record(draft, organizations[draft.organization], known.get(origin), origin)
                for draft, origin in records
            ],
        )


@dataclass(frozen=True)
class _Record:
    """A draft with the rows that it speaks of."""

    draft: DatasetDraft
    organization: Organization
    dataset: Dataset | None
    """What is there already."""
    origin: Origin | None = None
    wanted_id: str = ""

    def fitted(self) -> DatasetDraft:
        """The draft as its organization takes it; raises Invalid."""
        return dataset_content.fitted(self.draft, self.organization.fields)


def _put(tx: Transaction, who: Identity, records: Sequence[_Record]) -> list[Put]:
    """The outcomes in the order of the records; those that are new are created together."""
    news = [record for record in records if record.dataset is None]
    created = iter(_created(tx, who, news))
    return [
        next(created) if record.dataset is None else _changed(tx, who, record, record.dataset)
        for record in records
    ]


def _created(tx: Transaction, who: Identity, records: Sequence[_Record]) -> list[Put]:
    for record in records:
        require_place(who, None, record.organization)
    news = [
        dataset_creation.New(record.fitted(), record.organization, record.origin, record.wanted_id)
        for record in records
    ]
    created = dataset_creation.create(who, news) if news else []
    tx.after_commit(changed, *(one.dataset.id for one in created))
    return [Put(Outcome.CREATED, one.dataset.id, one.to_load) for one in created]


def _changed(tx: Transaction, who: Identity, record: _Record, dataset: Dataset) -> Put:
    require_place(who, dataset, record.organization)
    draft = record.fitted()
    if dataset.merged_into and record.origin is not None:  # its source knows nothing of the merger
        return Put(Outcome.SAME, dataset.id)
    same = dataset.fingerprint == revisions.fingerprint_of(draft)
    if same and dataset.state == State.PUBLISHED and not draft.confirmed:
        return Put(Outcome.SAME, dataset.id)
    return apply(tx, who, dataset, draft)


def require_place(who: Identity, dataset: Dataset | None, organization: Organization) -> None:
    """Raise unless `who` may make a dataset of this organization, or make the one that is there one of it.

    Whoever collaborates on a dataset does not carry it away.
    """
    targets: list[object] = [dataset or organization]
    if dataset is not None and dataset.organization_id != organization.id:
        targets += [dataset.organization_id, organization]
    for target in targets:
        require(who, Action.DATASET_WRITE, target)


def retire(who: Identity, ids: Collection[str]) -> int:
    """Withdraw those of the datasets that are published, for their source no longer has them; how many."""
    with transaction() as tx:
        published = db.session.scalars(
            select(Dataset)
            .where(Dataset.id.in_(ids), Dataset.state == State.PUBLISHED)
            .execution_options(populate_existing=True)
        ).all()
        for dataset in published:
            require(who, Action.DATASET_RETIRE, dataset)
            dataset.state, dataset.withdrawn_at = State.WITHDRAWN, now()
            dataset.withdrawn_reason = dict(_NO_LONGER_LISTED)
            dataset.updated_at = dataset.index_due = now()
            log.about(who, "dataset.withdrawn", dataset)
        if published:
            tx.after_commit(index_due_datasets.later)
    return len(published)


def show(who: Identity, slug_or_id: str) -> Dataset:
    """The dataset with everything that its page shows, also by an address that it had before.

    Raises NotFound, also for what is not public; Gone when withdrawn. One that was merged into another gives that.
    """
    dataset = dataset_reading.named(slug_or_id)
    if dataset is None:
        raise NotFound("there is no dataset “%(slug)s”", slug=slug_or_id[:120])
    if not allowed(who, Action.DATASET_READ, dataset):
        raise unseen(dataset)
    return dataset_reading.with_parts(dataset)


def may_edit(who: Identity, dataset: Dataset) -> bool:
    """Whether `who` may propose a change to it; for hiding a button."""
    return dataset.source_id is None and allowed(who, Action.DATASET_WRITE, dataset)


def slugs(
    who: Identity,  # noqa: ARG001 # everybody may read what is published
    *,
    limit: int,
    offset: int,
) -> list[str]:
    """Names in addresses of the published datasets, in order of the alphabet."""
    published = select(Dataset.slug).where(public())
    page = published.order_by(Dataset.slug).limit(limit).offset(offset)
    return list(db.session.scalars(page))


def tables(who: Identity) -> list[DataTable]:
    """The tables with rows of all datasets whose data `who` may read, largest first."""
    statement = (
        select(DataTable, Dataset)
        .join(Resource, Resource.id == DataTable.resource_id)
        .join(Dataset, Dataset.id == Resource.dataset_id)
        .where(public())
        .order_by(DataTable.rows.desc(), DataTable.id)
    )
    pairs = db.session.execute(statement)
    return [table for table, dataset in pairs if allowed(who, Action.TABLE_READ, dataset)]


def freshness(dataset: Dataset, today: date) -> Freshness:
    """Whether the dataset is kept up to date, judged by its frequency and its last change.

    A quarter of the period (at least a day) is granted: a monthly dataset a week late is kept.
    """
    changed = last_change(dataset)
    last = changed.date() if changed else None
    if dataset.frequency == Frequency.NEVER:
        return Freshness(Kept.STATIC, None, last)
    days = FREQUENCY_DAYS.get(Frequency(dataset.frequency))
    if days is None or last is None:
        return Freshness(Kept.UNKNOWN, None, last)
    due = last + timedelta(days=days)
    late = today > due + timedelta(days=max(1, days // 4))
    return Freshness(Kept.LATE if late else Kept.KEPT, due, last)


def touch(dataset_id: str) -> None:
    """Say that the dataset's tables changed, so that it is indexed again."""
    with transaction() as tx:
        db.session.execute(
            update(Dataset)
            .where(Dataset.id == dataset_id)
            .values(updated_at=now(), index_due=now())
        )
        tx.after_commit(changed, dataset_id)


def _organizations(slugs: Collection[str]) -> dict[str, Organization]:
    """All of these; raises Invalid for one that is unknown."""
    found = db.session.scalars(select(Organization).where(Organization.slug.in_(slugs)))
    known = {organization.slug: organization for organization in found}
    return {slug: known.get(slug) or organization_named(slug) for slug in slugs}


def organization_named(slug: str) -> Organization:
    """The organization of a draft, also by an address that it had before; raises Invalid."""
    organization: Organization | None = db.session.scalar(_organization(), {"slug": slug})
    if organization is None and (moved := addresses.moved("organization", slug)):
        organization = db.session.get(Organization, moved)
    if organization is None:
        raise Invalid(
            "there is no organization “%(slug)s”",
            problems={"organization": [N_("There is no such organization.")]},
            slug=slug,
        )
    return organization


@cache
def _organization() -> Any:
    return select(Organization).where(Organization.slug == bindparam("slug"))


def has_address(slug: str) -> bool:
    """Whether a dataset in any state has this address."""
    return db.session.scalar(_address(), {"slug": slug}) is not None


@cache
def _address() -> Any:
    known = Dataset.__table__.c
    return select(known.id).where(known.slug == bindparam("slug"))


def _existing(draft: DatasetDraft, origin: Origin | None) -> Dataset | None:
    statement = select(Dataset).with_for_update().execution_options(populate_existing=True)
    if origin is not None:
        return db.session.scalar(
            statement.where(
                Dataset.source_id == origin.source_id, Dataset.record_key == origin.record_key
            )
        )
    if not draft.slug or not has_address(draft.slug):
        return None
    dataset = db.session.scalar(statement.where(Dataset.slug == draft.slug))
    if dataset is not None and dataset.source_id is not None:
        raise Conflict(
            "the dataset “%(slug)s” is harvested: change it at its source", slug=draft.slug
        )
    return dataset


def _of_origins(origins: Sequence[Origin]) -> dict[Origin, Dataset]:
    """The datasets that were harvested from there."""
    keys = defaultdict(list)
    for origin in origins:
        keys[origin.source_id].append(origin.record_key)
    return {
        Origin(source_id, str(dataset.record_key)): dataset
        for source_id, some in keys.items()
        for dataset in db.session.scalars(
            select(Dataset)
            .where(Dataset.source_id == source_id, Dataset.record_key.in_(some))
            .execution_options(populate_existing=True)
        )
    }


def apply(
    tx: Transaction,
    who: Identity,
    dataset: Dataset,
    draft: DatasetDraft,
    *,
    revision: DatasetRevision | None = None,
) -> Put:
    """Make the dataset what the draft says and public, inside the caller's transaction.

    The content is that of `revision`, or it becomes a revision of its own.
    """
    if dataset.merged_into:
        raise Conflict("the dataset “%(slug)s” was merged into another one", slug=dataset.slug)
    changed = changed_fields(dataset, publication_dates.dated(draft, dataset))
    dataset.organization_id = organization_named(draft.organization).id
    back = dataset.state != State.PUBLISHED
    dataset.state, dataset.fingerprint = State.PUBLISHED, revisions.fingerprint_of(draft)
    dataset.published_at = dataset.published_at or now()
    dataset.withdrawn_at, dataset.withdrawn_reason = None, {}
    dated = publication_dates.published_now(draft, dataset, who)
    to_load = dataset_content.fill(dataset, dated)
    draft = replace(draft, issued=dated.issued)
    action = "dataset.published" if back else "dataset.changed"
    _said(tx, who, dataset, draft, action, revision=revision, fields=changed)
    return Put(Outcome.CHANGED, dataset.id, to_load)


def changed_fields(dataset: Dataset, draft: DatasetDraft) -> list[str]:
    """Names of the columns of the dataset's own row that the draft would change."""
    return [
        name
        for name, value in dataset_content.fields_of(draft).items()
        if getattr(dataset, name) != value
    ]


def _said(
    tx: Transaction,
    who: Identity,
    dataset: Dataset,
    draft: DatasetDraft,
    action: str,
    *,
    revision: DatasetRevision | None = None,
    **more: object,
) -> None:
    """Keep the content as the public revision, write the line of the log, have it indexed."""
    dataset.revision = revisions.keep_published(who, dataset, draft, revision)
    log.about(who, action, dataset, revision=dataset.revision, **more)
    _touch(tx, dataset)


def _touch(tx: Transaction, dataset: Dataset) -> None:
    dataset.updated_at = now()
    dataset.index_due = now()
    tx.after_commit(changed, dataset.id)
