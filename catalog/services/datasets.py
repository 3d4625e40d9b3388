"""Datasets: put, retire, show, and whether one is kept up to date."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Select, String, bindparam, delete, insert, or_, select, update

from catalog.db import Transaction, db, transaction
from catalog.errors import N_, Conflict, Gone, Invalid, NotFound
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, Resource, dataset_theme
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.models.slug import slug_from
from catalog.models.table import DataTable
from catalog.models.text import pick
from catalog.models.vocabulary import FREQUENCY_DAYS, Frequency, State
from catalog.permissions import Action, Identity, allowed, require
from catalog.schemas.drafts import DatasetDraft, Origin, ResourceDraft
from catalog.search.analysis import spelled
from catalog.search.documents import last_change
from catalog.services.search import index_dataset, index_due_datasets, whole


class Outcome(StrEnum):
    """What became of a draft."""

    CREATED = "created"
    CHANGED = "changed"
    SAME = "same"


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


def put(who: Identity, draft: DatasetDraft, *, origin: Origin | None = None) -> Put:
    """Create the dataset, change it, or leave it when nothing is new.

    A harvested dataset is found again by its origin, any other by the slug of the draft. Its slug
    and id never change; one that was withdrawn is published again.
    """
    fingerprint = fingerprint_of(draft)
    with transaction() as tx:
        organization = _organization(draft.organization)
        dataset = _existing(draft, origin)
        require(who, Action.DATASET_WRITE, organization)
        if dataset is None:
            return _create(tx, draft, organization, origin, fingerprint)
        require(who, Action.DATASET_WRITE, dataset)
        if dataset.fingerprint == fingerprint and dataset.state == State.PUBLISHED:
            return Put(Outcome.SAME, dataset.id)
        return _change(tx, dataset, draft, organization, fingerprint)


def retire_unseen(who: Identity, source_id: str, keys: Collection[str]) -> int:
    """Withdraw the published datasets of a source whose record is not among `keys`; how many."""
    seen = frozenset(keys)
    with transaction() as tx:
        published = db.session.scalars(
            select(Dataset)
            .where(Dataset.source_id == source_id, Dataset.state == State.PUBLISHED)
            .execution_options(populate_existing=True)
        )
        unseen = [dataset for dataset in published if dataset.record_key not in seen]
        for dataset in unseen:
            require(who, Action.DATASET_RETIRE, dataset)
            dataset.state = State.WITHDRAWN
            dataset.updated_at = dataset.index_due = now()
        if unseen:
            tx.after_commit(index_due_datasets.later)
    return len(unseen)


def show(who: Identity, slug_or_id: str) -> Dataset:
    """The dataset with everything that its page shows; raises NotFound, or Gone when withdrawn."""
    dataset = db.session.scalars(_shown(), {"name": slug_or_id}).first()
    if dataset is None:
        raise NotFound("there is no dataset “%(slug)s”", slug=slug_or_id[:120])
    if not allowed(who, Action.DATASET_READ, dataset):
        raise Gone("the dataset “%(slug)s” was withdrawn", slug=dataset.slug)
    return dataset


def slugs(
    who: Identity,  # noqa: ARG001 # everybody may read what is published
    *,
    limit: int,
    offset: int,
) -> list[str]:
    """Names in addresses of the published datasets, in order of the alphabet."""
    published = select(Dataset.slug).where(Dataset.state == State.PUBLISHED)
    page = published.order_by(Dataset.slug).limit(limit).offset(offset)
    return list(db.session.scalars(page))


def tables(who: Identity) -> list[DataTable]:
    """The tables with rows of all datasets whose data `who` may read, largest first."""
    statement = (
        select(DataTable, Dataset)
        .join(Resource, Resource.id == DataTable.resource_id)
        .join(Dataset, Dataset.id == Resource.dataset_id)
        .where(Dataset.state == State.PUBLISHED)
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
        tx.after_commit(index_dataset.later, dataset_id)


def fingerprint_of(draft: DatasetDraft) -> str:
    """SHA-256 of a draft, the same for equal drafts in any order of keys."""
    packed = orjson.dumps(asdict(draft), option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(packed).hexdigest()


@cache
def _shown() -> Select[Dataset]:
    """Made once: putting the statement together costs as much as running it."""
    named = bindparam("name", type_=String)
    return (
        select(Dataset)
        .where(or_(Dataset.slug == named, Dataset.id == named))
        .options(*whole())
        .execution_options(populate_existing=True)
    )


def _organization(slug: str) -> Organization:
    organization = db.session.scalar(select(Organization).where(Organization.slug == slug))
    if organization is None:
        raise Invalid(
            "there is no organization “%(slug)s”",
            problems={"organization": [N_("There is no such organization.")]},
            slug=slug,
        )
    return organization


def _existing(draft: DatasetDraft, origin: Origin | None) -> Dataset | None:
    statement = select(Dataset).execution_options(populate_existing=True)
    if origin is not None:
        return db.session.scalar(
            statement.where(
                Dataset.source_id == origin.source_id, Dataset.record_key == origin.record_key
            )
        )
    if not draft.slug:
        return None
    dataset = db.session.scalar(statement.where(Dataset.slug == draft.slug))
    if dataset is not None and dataset.source_id is not None:
        raise Conflict(
            "the dataset “%(slug)s” is harvested: change it at its source", slug=draft.slug
        )
    return dataset


def _create(
    tx: Transaction,
    draft: DatasetDraft,
    organization: Organization,
    origin: Origin | None,
    fingerprint: str,
) -> Put:
    dataset = Dataset(
        id=new_id(),
        slug=_free_slug(draft),
        organization_id=organization.id,
        source_id=origin.source_id if origin else None,
        record_key=origin.record_key if origin else None,
        **_fields(draft),
    )
    db.session.add(dataset)
    db.session.flush()
    to_load = _fill(tx, dataset, draft, fingerprint)
    return Put(Outcome.CREATED, dataset.id, to_load)


def _change(
    tx: Transaction,
    dataset: Dataset,
    draft: DatasetDraft,
    organization: Organization,
    fingerprint: str,
) -> Put:
    for name, value in _fields(draft).items():
        setattr(dataset, name, value)
    dataset.organization_id = organization.id
    dataset.state = State.PUBLISHED
    to_load = _fill(tx, dataset, draft, fingerprint)
    return Put(Outcome.CHANGED, dataset.id, to_load)


def _fill(
    tx: Transaction, dataset: Dataset, draft: DatasetDraft, fingerprint: str
) -> tuple[str, ...]:
    """Themes, resources and what follows from a change; ids of the resources that must be read."""
    dataset.fingerprint = fingerprint
    _set_themes(dataset, draft.themes)
    to_load = _set_resources(dataset, draft.resources)
    _touch(tx, dataset)
    return to_load


def _touch(tx: Transaction, dataset: Dataset) -> None:
    dataset.updated_at = now()
    dataset.index_due = now()
    tx.after_commit(index_dataset.later, dataset.id)


def _fields(draft: DatasetDraft) -> dict[str, Any]:
    return {
        "title": dict(draft.title),
        "description": dict(draft.description),
        "notice": dict(draft.notice),
        "license_id": draft.license,
        "license_text": draft.license_text,
        "frequency": draft.frequency,
        "access": draft.access,
        "access_reason": dict(draft.access_reason),
        "tags": list(draft.tags),
        "landing_page": draft.landing_page,
        "contact": draft.contact,
        "spatial": draft.spatial,
        "temporal_start": draft.temporal_start,
        "temporal_end": draft.temporal_end,
        "issued": draft.issued,
        "modified": draft.modified,
        "extras": dict(draft.extras),
    }


def _free_slug(draft: DatasetDraft) -> str:
    """The wanted slug, or one made from the English or the spelled Chinese title; free of others."""
    title, _ = pick(draft.title, "en")
    wanted = draft.slug or slug_from(spelled(title))
    like = wanted.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    taken = set(
        db.session.scalars(
            select(Dataset.slug).where(
                or_(Dataset.slug == wanted, Dataset.slug.like(f"{like}-%", escape="\\"))
            )
        )
    )
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def _set_themes(dataset: Dataset, slugs: tuple[str, ...]) -> None:
    known = dict(
        db.session.execute(select(Group.slug, Group.id).where(Group.slug.in_(slugs))).all()
    )
    unknown = [slug for slug in slugs if slug not in known]
    if unknown:
        raise Invalid(
            "there is no theme “%(slug)s”",
            problems={"themes": [N_("There is no such theme.")]},
            slug=unknown[0],
        )
    db.session.execute(delete(dataset_theme).where(dataset_theme.c.dataset_id == dataset.id))
    rows = [{"dataset_id": dataset.id, "theme_id": known[slug]} for slug in slugs]
    if rows:
        db.session.execute(insert(dataset_theme), rows)


def _set_resources(dataset: Dataset, drafts: tuple[ResourceDraft, ...]) -> tuple[str, ...]:
    """Match resources by key: ids and tables stay with their key; ids of those to be read."""
    known = {
        resource.key: resource
        for resource in db.session.scalars(
            select(Resource)
            .where(Resource.dataset_id == dataset.id)
            .execution_options(populate_existing=True)
        )
    }
    gone = known.keys() - {draft.key for draft in drafts}
    if gone:
        ids = [known[key].id for key in sorted(gone)]
        db.session.execute(delete(Resource).where(Resource.id.in_(ids)))
    to_load = []
    for position, draft in enumerate(drafts):
        resource = known.get(draft.key)
        if resource is None:
            resource = Resource(id=new_id(), dataset_id=dataset.id, key=draft.key, load={})
            db.session.add(resource)
        if draft.load and dict(draft.load) != resource.load:
            to_load.append(resource.id)
        _describe(resource, draft, position)
    return tuple(to_load)


def _describe(resource: Resource, draft: ResourceDraft, position: int) -> None:
    values: Mapping[str, object] = {
        "position": position,
        "title": dict(draft.title),
        "description": dict(draft.description),
        "format": draft.format,
        "media_type": draft.media_type,
        "url": draft.url,
        "size": draft.size,
        "load": dict(draft.load),
    }
    changed = {name: value for name, value in values.items() if getattr(resource, name) != value}
    for name, value in changed.items():
        setattr(resource, name, value)
    if changed:
        resource.updated_at = now()
