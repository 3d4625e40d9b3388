"""Revisions of datasets: the contents that one has had, and those that are proposed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import func, select, update

from catalog.db import db
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset
from catalog.models.revision import DatasetRevision
from catalog.models.vocabulary import RevisionState
from catalog.permissions import Identity
from catalog.schemas.drafts import DatasetDraft


def keep_published(who: Identity, dataset: Dataset, draft: DatasetDraft) -> int:
    """Keep what the dataset is from now on, inside the caller's transaction; the revision's number."""
    own = DatasetRevision.dataset_id == dataset.id
    newest = db.session.scalar(select(func.max(DatasetRevision.number)).where(own)) or 0
    if newest:
        db.session.execute(
            update(DatasetRevision)
            .where(own, DatasetRevision.state == RevisionState.PUBLISHED)
            .values(state=RevisionState.SUPERSEDED)
            .execution_options(synchronize_session=False)
        )
    revision = DatasetRevision(
        id=new_id(),
        dataset_id=dataset.id,
        number=newest + 1,
        state=RevisionState.PUBLISHED,
        content=content_of(draft),
        made_by=who.account_id,
        made_by_name=who.name[:200],
        decided_at=now(),
    )
    db.session.add(revision)
    return revision.number


def content_of(draft: DatasetDraft) -> dict[str, Any]:
    """The draft as JSON from which `dataset_draft` makes it again."""
    content: dict[str, Any] = orjson.loads(orjson.dumps(asdict(draft)))
    return content
