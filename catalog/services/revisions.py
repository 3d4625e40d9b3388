"""Revisions of datasets: the contents that one has had, those that are proposed, and how they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import func, select, update

from catalog.db import db
from catalog.errors import NotFound
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset
from catalog.models.revision import DatasetRevision
from catalog.models.vocabulary import RevisionState
from catalog.permissions import Action, Identity, require
from catalog.schemas.drafts import DatasetDraft


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
    revision.state = RevisionState.PUBLISHED
    return revision.number


def begin(who: Identity, dataset_id: str, draft: DatasetDraft) -> DatasetRevision:
    """A new draft after the revisions that there are, inside the caller's transaction."""
    own = DatasetRevision.dataset_id == dataset_id
    newest = db.session.scalar(select(func.max(DatasetRevision.number)).where(own)) or 0
    revision = DatasetRevision(
        id=new_id(),
        dataset_id=dataset_id,
        number=newest + 1,
        state=RevisionState.DRAFT,
        content=content_of(draft),
        made_by=who.account_id,
        made_by_name=who.name[:200],
        made_at=now(),
    )
    db.session.add(revision)
    return revision


def content_of(draft: DatasetDraft) -> dict[str, Any]:
    """The draft as JSON from which `dataset_draft` makes it again."""
    content: dict[str, Any] = orjson.loads(orjson.dumps(asdict(draft)))
    return content


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


def listed(
    who: Identity, dataset: Dataset, *, limit: int, offset: int = 0
) -> list[DatasetRevision]:
    """The revisions that `who` may see, the newest first: what was public once, to members all."""
    require(who, Action.DATASET_READ, dataset)
    own = select(DatasetRevision).where(DatasetRevision.dataset_id == dataset.id)
    if not _inside(who, dataset):
        own = own.where(
            DatasetRevision.state.in_((RevisionState.PUBLISHED, RevisionState.SUPERSEDED))
        )
    own = own.order_by(DatasetRevision.number.desc()).execution_options(populate_existing=True)
    return list(db.session.scalars(own.limit(limit).offset(offset)))


def between(who: Identity, dataset: Dataset, older: int, newer: int) -> list[Change]:
    """How two revisions of a dataset differ that `who` may see; raises NotFound."""
    require(who, Action.DATASET_READ, dataset)
    pair = [numbered(dataset.id, number) for number in (older, newer)]
    once_public = (RevisionState.PUBLISHED, RevisionState.SUPERSEDED)
    if not _inside(who, dataset) and any(one.state not in once_public for one in pair):
        raise NotFound("there is no such revision")
    before, after = ({**one.content, "slug": dataset.slug} for one in pair)
    return differences(before, after)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Fields that differ between two contents, in the order of their paths; resources by their key."""
    before, after = dict(_flat(old)), dict(_flat(new))
    return [
        Change(path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def _flat(content: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves with their paths; what is empty is nothing."""
    for name, value in content.items():
        here = f"{path}{name}"
        if name == "resources" and not path:
            value = {str(one["key"]): one for one in value}
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{here}.")
        elif value not in (None, "", [], {}, ()):
            yield here, value


def _inside(who: Identity, dataset: Dataset) -> bool:
    return who.administrator or who.scheduler or dataset.organization_id in who.organizations
