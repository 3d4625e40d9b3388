"""Proposals as their authors and approvers see them: the content to edit, and what it would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from catalog.db import db
from catalog.errors import Conflict, NotFound
from catalog.models.dataset import Dataset
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.models.revision import DatasetRevision
from catalog.models.series import DatasetSeries
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, allowed, require
from catalog.services import dataset_content, revisions
from catalog.services.dataset_visibility import seen
from catalog.services.indexing import whole
from catalog.services.revisions import DECIDED, EDITABLE, Change, open_proposal


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
    """Against what is public, of one that was public itself against what was before; everything where nothing was."""
    new: bool
    edits: bool
    decides: bool
    retires: bool
    names: Names

    @property
    def stamp(self) -> str:
        """What tells whether its author has changed it meanwhile."""
        return revisions.stamp(self.dataset, self.revision)


@dataclass(frozen=True)
class Names:
    """Titles of what contents name by slugs and keys, and the custom fields."""

    organizations: Mapping[str, Mapping[str, str]]
    themes: Mapping[str, Mapping[str, str]]
    series: Mapping[str, Mapping[str, str]]
    resources: Mapping[str, Mapping[str, str]]
    fields: Sequence[Mapping[str, Any]]


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
    if revision is None:
        content.pop("modified", None)  # the next publication has a moment of its own
    return Editable(dataset, revision, {**content, "slug": dataset.slug})


def show(who: Identity, revision_id: str) -> Shown:
    """A proposal; raises NotFound, Denied to those outside of its department."""
    revision = db.session.get(DatasetRevision, revision_id, populate_existing=True)
    if revision is None:
        raise NotFound("there is no such revision")
    dataset = member_dataset(who, revision.dataset_id)
    present = _before(dataset, revision)
    wanted = {**revision.content, "slug": dataset.slug}
    may_edit = allowed(who, Action.DATASET_WRITE, dataset)
    decides = allowed(who, Action.DATASET_APPROVE, dataset) and who.account_id != revision.made_by
    return Shown(
        revision,
        dataset,
        revisions.differences(_without_open_dates(present, wanted), wanted),
        not present,
        edits=may_edit,
        retires=allowed(who, Action.DATASET_RETIRE, dataset),
        decides=decides,
        names=names_in(dataset, (present, wanted)),
    )


def _before(dataset: Dataset, revision: DatasetRevision) -> Mapping[str, Any]:
    """What a proposal is compared with; nothing where it is the first content."""
    if revision.state in DECIDED:
        earlier = revisions.before(revision)
        return {**earlier.content, "slug": dataset.slug} if earlier else {}
    if dataset.state == State.DRAFT:
        return {}
    files = revisions.content_of(dataset_content.draft_of(dataset))["resources"]
    return {**dataset_content.described(dataset), "resources": files}


def _without_open_dates(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Dates that a proposal leaves open are set when it is published: they are no difference."""
    left_open = {name for name in ("issued", "modified") if not wanted.get(name)}
    return {name: value for name, value in present.items() if name not in left_open}


def names_in(dataset: Dataset, contents: Sequence[Mapping[str, Any]]) -> Names:
    """What the organizations, themes, series, files and custom fields of these contents are called."""

    def said(name: str) -> set[str]:
        found = (content.get(name) or () for content in contents)
        return {str(one) for some in found for one in ([some] if isinstance(some, str) else some)}

    def titles(model: Any, slugs: set[str]) -> dict[str, Mapping[str, str]]:
        named = select(model.slug, model.title).where(model.slug.in_(slugs))
        return dict(db.session.execute(named).all()) if slugs else {}

    return Names(
        titles(Organization, said("organization")),
        titles(Group, said("themes")),
        titles(DatasetSeries, said("series")),
        {
            str(one["key"]): one.get("title") or {}
            for content in contents
            for one in content.get("resources", ())
        },
        dataset.organization.fields or (),
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


def retirable(who: Identity, slug_or_id: str) -> Dataset:
    """A dataset of any state, for those who may withdraw, merge and rename it; raises Denied."""
    dataset = member_dataset(who, slug_or_id)
    require(who, Action.DATASET_RETIRE, dataset)
    return dataset


def series_of(organizations: list[Organization]) -> list[DatasetSeries]:
    """The series that datasets of these organizations may be put into, at most 500."""
    ids = [organization.id for organization in organizations]
    statement = select(DatasetSeries).where(DatasetSeries.organization_id.in_(ids))
    return list(db.session.scalars(statement.order_by(DatasetSeries.slug).limit(500)))
