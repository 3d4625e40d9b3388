"""Proposals as their authors and approvers see them: the content to edit, and what it would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from catalog.db import db
from catalog.errors import Conflict, NotFound
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.models.revision import DatasetRevision
from catalog.models.series import DatasetSeries
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, allowed, require
from catalog.services import dataset_content, revisions
from catalog.services.indexing import whole
from catalog.services.publishing import EDITABLE, OPEN
from catalog.services.revisions import Change


@dataclass(frozen=True)
class Editable:
    """A dataset to edit: the draft that is begun already, or what is public now."""

    dataset: Dataset
    revision: DatasetRevision | None
    content: dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """A proposal with what it would change, and what the reader may do with it."""

    revision: DatasetRevision
    dataset: Dataset
    changes: list[Change]
    """Against what is public; everything where nothing was public yet."""
    new: bool
    edits: bool
    decides: bool


def editable(who: Identity, slug_or_id: str) -> Editable:
    """What the form of a dataset begins with; raises Conflict for a harvested one and while one waits."""
    dataset = member_dataset(who, slug_or_id)
    require(who, Action.DATASET_WRITE, dataset)
    if dataset.source_id is not None:
        raise Conflict(
            "the dataset “%(slug)s” is harvested: change it at its source", slug=dataset.slug
        )
    revision = open_revision(dataset.id)
    if revision is not None and revision.state not in EDITABLE:
        raise Conflict("a change to this dataset waits for its approval: decide on it first")
    content = revision.content if revision else dataset_content.described(dataset)
    return Editable(dataset, revision, {**content, "slug": dataset.slug})


def show(who: Identity, revision_id: str) -> Shown:
    """A proposal; raises NotFound, Denied to those outside of its department."""
    revision = db.session.get(DatasetRevision, revision_id, populate_existing=True)
    if revision is None:
        raise NotFound("there is no such revision")
    dataset = member_dataset(who, revision.dataset_id)
    new = dataset.state == State.DRAFT
    present: Mapping[str, Any] = {} if new else dataset_content.described(dataset)
    wanted = {**revision.content, "slug": dataset.slug}
    may_edit = allowed(who, Action.DATASET_WRITE, dataset)
    decides = allowed(who, Action.DATASET_APPROVE, dataset) and who.account_id != revision.made_by
    return Shown(
        revision,
        dataset,
        revisions.differences(present, wanted),
        new,
        edits=may_edit,
        decides=decides,
    )


def member_dataset(who: Identity, slug_or_id: str) -> Dataset:
    """A dataset of any state, for its department only."""
    dataset = db.session.scalars(
        select(Dataset)
        .where((Dataset.id == slug_or_id) | (Dataset.slug == slug_or_id))
        .options(*whole())
        .execution_options(populate_existing=True)
    ).first()
    if dataset is None:
        raise NotFound("there is no dataset “%(slug)s”", slug=slug_or_id[:120])
    require(who, Action.ORGANIZATION_READ, dataset.organization)
    return dataset


def open_revision(dataset_id: str) -> DatasetRevision | None:
    """The proposal of a dataset that is not decided for good."""
    return db.session.scalar(
        select(DatasetRevision)
        .where(DatasetRevision.dataset_id == dataset_id, DatasetRevision.state.in_(OPEN))
        .execution_options(populate_existing=True)
    )


def series_of(organizations: list[Organization]) -> list[DatasetSeries]:
    """The series that datasets of these organizations may be put into, at most 500."""
    ids = [organization.id for organization in organizations]
    statement = select(DatasetSeries).where(DatasetSeries.organization_id.in_(ids))
    return list(db.session.scalars(statement.order_by(DatasetSeries.slug).limit(500)))
