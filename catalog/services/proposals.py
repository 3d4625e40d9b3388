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
from catalog.services.dataset_visibility import seen
from catalog.services.indexing import whole
from catalog.services.revisions import EDITABLE, Change, open_proposal


@dataclass(frozen=True)
class Editable:
    """A dataset to edit: the draft that is begun already, or what is public now."""

    dataset: Dataset
    revision: DatasetRevision | None
    content: dict[str, Any]

    @property
    def stamp(self) -> str:
        """What tells whether somebody else has changed it meanwhile."""
        return revisions.stamp(self.dataset, self.revision)


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

    @property
    def stamp(self) -> str:
        """What tells whether its author has changed it meanwhile."""
        return revisions.stamp(self.dataset, self.revision)


def editable(who: Identity, slug_or_id: str) -> Editable:
    """What the form of a dataset begins with; raises Conflict for a harvested one and while one waits."""
    dataset = member_dataset(who, slug_or_id)
    require(who, Action.DATASET_WRITE, dataset)
    if dataset.source_id is not None:
        raise Conflict(
            "the dataset “%(slug)s” is harvested: change it at its source", slug=dataset.slug
        )
    revision = open_proposal(dataset.id)
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
    """A dataset of any state, for its department and those who edit it with them."""
    dataset = db.session.scalars(
        select(Dataset)
        .where((Dataset.id == slug_or_id) | (Dataset.slug == slug_or_id))
        .options(*whole())
        .execution_options(populate_existing=True)
    ).first()
    known = seen(who, dataset, slug_or_id)
    if not revisions.inside(who, known):
        require(who, Action.ORGANIZATION_READ, known.organization)
    return known


def series_of(organizations: list[Organization]) -> list[DatasetSeries]:
    """The series that datasets of these organizations may be put into, at most 500."""
    ids = [organization.id for organization in organizations]
    statement = select(DatasetSeries).where(DatasetSeries.organization_id.in_(ids))
    return list(db.session.scalars(statement.order_by(DatasetSeries.slug).limit(500)))
