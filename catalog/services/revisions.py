"""Revisions of datasets: the contents that one has had, those that are proposed, and how they differ."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import func, or_, select, true, update

from catalog.db import db
from catalog.errors import NotFound
from catalog.models.address import FormerAddress
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.models.revision import DatasetRevision
from catalog.models.vocabulary import Access, RevisionState
from catalog.permissions import Action, Identity, allowed, require
from catalog.schemas.drafts import DatasetDraft

OPEN = (
    RevisionState.DRAFT,
    RevisionState.SUBMITTED,
    RevisionState.RETURNED,
    RevisionState.APPROVED,
)
"""States of a proposal that is not decided for good; a dataset has at most one."""
EDITABLE = (RevisionState.DRAFT, RevisionState.RETURNED)
DECIDED = (RevisionState.PUBLISHED, RevisionState.SUPERSEDED)
"""States of what the dataset is, or was."""
_HOW_READ = re.compile(r"resources\..*\.load\.")
"""How the portal reads a file at its source: nothing that a dataset says of itself."""
_ADDRESS = re.compile(r"resources\..*\.url$")
_FURTHER = re.compile(r"resources\..*\.extras\.")
"""Where the data are, and what clients say of files besides, which may say it too."""


@dataclass(frozen=True)
class Change:
    """A field that differs between two revisions; `field` is a path such as `title.zh` or `resources.a.url`."""

    field: str
    old: Any
    """None where there was nothing."""
    new: Any


def keep_published(
    who: Identity, dataset: Dataset, draft: DatasetDraft, revision: DatasetRevision | None = None
) -> int:
    """Keep what the dataset is from now on, inside the caller's transaction; the revision's number."""
    own = DatasetRevision.dataset_id == dataset.id
    if dataset.revision:
        db.session.execute(
            update(DatasetRevision)
            .where(own, DatasetRevision.state == RevisionState.PUBLISHED)
            .values(state=RevisionState.SUPERSEDED)
            .execution_options(synchronize_session=False)
        )
    if revision is None:
        revision = begin(who, dataset.id, draft)
        revision.decided_at = now()
    revision.content = content_of(draft)
    revision.state = RevisionState.PUBLISHED
    return revision.number


def first(who: Identity, dataset: Dataset, draft: DatasetDraft) -> DatasetRevision:
    """What a new dataset is, for the caller to write."""
    revision = _draft(who, dataset.id, draft, 1)
    revision.state, revision.decided_at = RevisionState.PUBLISHED, now()
    return revision


def begin(who: Identity, dataset_id: str, draft: DatasetDraft) -> DatasetRevision:
    """A new draft after the revisions that there are, inside the caller's transaction."""
    own = DatasetRevision.dataset_id == dataset_id
    newest = db.session.scalar(select(func.max(DatasetRevision.number)).where(own)) or 0
    revision = _draft(who, dataset_id, draft, newest + 1)
    db.session.add(revision)
    return revision


def _draft(who: Identity, dataset_id: str, draft: DatasetDraft, number: int) -> DatasetRevision:
    return DatasetRevision(
        id=new_id(),
        dataset_id=dataset_id,
        number=number,
        state=RevisionState.DRAFT,
        content=content_of(draft),
        made_by=who.account_id,
        made_by_name=who.name[:200],
        made_at=now(),
    )


def content_of(draft: DatasetDraft) -> dict[str, Any]:
    """The draft as JSON from which `dataset_draft` makes it again."""
    content: dict[str, Any] = orjson.loads(orjson.dumps(draft, default=dict))
    return content


def reviewed(who: Identity, draft: DatasetDraft) -> bool:
    """Whether the draft has to be approved: for the organization that it names, or the one whose dataset it changes."""
    if who.administrator or who.scheduler:
        return False
    moved = select(FormerAddress.object_id).where(
        FormerAddress.kind == "organization", FormerAddress.slug == draft.organization
    )
    owner = select(Dataset.organization_id).where(Dataset.slug == draft.slug)
    meant = or_(
        Organization.slug == draft.organization,
        Organization.id.in_(moved),
        Organization.id.in_(owner),
    )
    wanting = select(Organization.id).where(Organization.review.is_(True), meant).limit(1)
    return db.session.scalar(wanting) is not None


def open_proposal(dataset_id: str) -> DatasetRevision | None:
    """The proposal of a dataset that is not decided for good."""
    return db.session.scalar(
        select(DatasetRevision)
        .where(DatasetRevision.dataset_id == dataset_id, DatasetRevision.state.in_(OPEN))
        .execution_options(populate_existing=True)
    )


def stamp(dataset: Dataset, proposal: DatasetRevision | None) -> str:
    """Another one whenever somebody has written the proposal, or what is public where there is none."""
    return proposal.made_at.isoformat() if proposal else f"#{dataset.revision}"


def fingerprint_of(draft: DatasetDraft) -> str:
    """SHA-256 of a draft, the same for equal drafts in any order of keys.

    What a draft may have since lately counts only where it is filled, so that drafts of before keep their hash.
    """
    packed = orjson.dumps(draft, option=orjson.OPT_UTC_Z, default=dict)
    values: dict[str, Any] = orjson.loads(packed)
    del values["confirmed"]  # a word on what is there, no part of it
    for name in _LATER:
        if not values[name]:
            del values[name]
    for resource in values["resources"]:
        for name in ("id", "extras"):
            if not resource[name]:
                del resource[name]
    packed = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(packed).hexdigest()


_LATER = (
    "identifier", "spatial_code", "spatial_box", "spatial_geometry", "vocabulary_tags", "details", "custom",
    "series", "series_position", "private", "machine",
)  # fmt: skip


def numbered(dataset_id: str, number: int) -> DatasetRevision:
    """A revision of a dataset; raises NotFound. The caller has checked who may read it."""
    revision = db.session.scalar(
        select(DatasetRevision).where(
            DatasetRevision.dataset_id == dataset_id, DatasetRevision.number == number
        )
    )
    if revision is None:
        raise NotFound("there is no such revision")
    return revision


def before(revision: DatasetRevision) -> DatasetRevision | None:
    """What its dataset was before this one was public, if it was anything."""
    earlier = select(DatasetRevision).where(
        DatasetRevision.dataset_id == revision.dataset_id,
        DatasetRevision.number < revision.number,
        DatasetRevision.state.in_(DECIDED),
    )
    return db.session.scalars(earlier.order_by(DatasetRevision.number.desc()).limit(1)).first()


def listed(
    who: Identity, dataset: Dataset, *, limit: int, offset: int = 0
) -> list[DatasetRevision]:
    """The revisions that `who` may see, the newest first: what was public once, to members all."""
    require(who, Action.DATASET_READ, dataset)
    own = select(DatasetRevision).where(DatasetRevision.dataset_id == dataset.id)
    if not inside(who, dataset):
        kept_inside = DatasetRevision.content["private"].as_boolean()
        own = own.where(DatasetRevision.state.in_(DECIDED), kept_inside.is_not(true()))
    own = own.order_by(DatasetRevision.number.desc()).execution_options(populate_existing=True)
    return list(db.session.scalars(own.limit(limit).offset(offset)))


def between(who: Identity, dataset: Dataset, older: int, newer: int) -> list[Change]:
    """How two revisions of a dataset differ that `who` may see; raises NotFound."""
    require(who, Action.DATASET_READ, dataset)
    pair = [numbered(dataset.id, number) for number in (older, newer)]
    if not all(is_shown(who, dataset, one) for one in pair):
        raise NotFound("there is no such revision")
    before, after = ({**one.content, "slug": dataset.slug} for one in pair)
    changes = differences(before, after)
    if inside(who, dataset):
        return changes
    told = [change for change in changes if not _HOW_READ.match(change.field)]
    if all(is_reachable(who, dataset, one) for one in pair):
        return told
    return [change for change in told if not _leads_to_data(change)]


def _leads_to_data(change: Change) -> bool:
    if _FURTHER.match(change.field) and "://" in f"{change.old} {change.new}":
        return True
    return _ADDRESS.match(change.field) is not None


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Fields that differ between two contents, in the order of their paths; resources by their key.

    A file whose extras one of them leaves as they are (None) has the same in both.
    """
    left = _left_alone(old) | _left_alone(new)
    before, after = dict(_flat(old, left=left)), dict(_flat(new, left=left))
    return [
        Change(path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def _left_alone(content: Mapping[str, Any]) -> frozenset[str]:
    """Paths of the extras of files that the content leaves as they are."""
    files = content.get("resources", ())
    return frozenset(f"resources.{one['key']}.extras" for one in files if one.get("extras") is None)


def _flat(
    content: Mapping[str, Any], path: str = "", *, left: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Any]]:
    """Leaves with their paths but for those that are left out; what is empty is nothing."""
    for name, value in content.items():
        here = f"{path}{name}"
        if here in left:
            continue
        if name == "resources" and not path:
            value = {str(one["key"]): one for one in value}
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{here}.", left=left)
        elif value not in (None, "", [], {}, ()):
            yield here, value


def is_shown(who: Identity, dataset: Dataset, revision: DatasetRevision) -> bool:
    """Whether `who`, who may read the dataset, may see this content of it: others see what was public once."""
    public = revision.state in DECIDED and not revision.content.get("private")
    return public or inside(who, dataset)


def is_reachable(who: Identity, dataset: Dataset, revision: DatasetRevision) -> bool:
    """Whether `who` may know where the data of this content were: not as long as they are not open, or were not then."""
    was_open = revision.content.get("access", Access.OPEN) == Access.OPEN
    return allowed(who, Action.TABLE_READ, dataset) and (was_open or inside(who, dataset))


def inside(who: Identity, dataset: Dataset) -> bool:
    """Whether `who` sees proposals: people of its organization, and those who edit the dataset with them."""
    rights = (Action.ORGANIZATION_READ, Action.DATASET_WRITE)
    return any(allowed(who, right, dataset) for right in rights)
