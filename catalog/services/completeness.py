"""What a dataset must not lack once it is handed in, and whether a draft says anything new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select

from catalog.db import db
from catalog.errors import N_, Invalid
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import Access, State
from catalog.schemas.dataset import dataset_draft
from catalog.schemas.drafts import DatasetDraft
from catalog.services import dataset_content, datasets, publication_dates, revisions
from catalog.services.indexing import whole


def require_complete(draft: DatasetDraft) -> None:
    """Raise Invalid for what the public must not miss."""
    problems: dict[str, object] = _missing(draft)
    if not any(draft.description.values()):
        problems["description"] = [N_("Describe the dataset in at least one language.")]
    problems |= without_reason(draft.access, draft.access_reason)
    if draft.access == Access.OPEN and draft.license == "notspecified":
        problems["license"] = [N_("Choose a licence.")]
    if problems:
        raise Invalid("this dataset is not complete yet", problems=problems)


def without_reason(access: Access, reason: Mapping[str, str]) -> dict[str, object]:
    """The problem of what is not open and does not say why; nothing else."""
    if access == Access.OPEN or any(reason.values()):
        return {}
    return {"access_reason": [N_("Name the legal reason why it is not open.")]}


def is_same(dataset: Dataset, draft: DatasetDraft) -> bool:
    """Whether the draft would change nothing of what is public; dates that it leaves open are those there."""
    if draft.confirmed or dataset.state != State.PUBLISHED:
        return False
    named = select(Dataset).where(Dataset.id == dataset.id).options(*whole())
    whole_one = db.session.scalars(named.execution_options(populate_existing=True)).one()
    present = dataset_draft(dataset_content.described(whole_one))
    wanted = replace(publication_dates.dated(draft, dataset), slug=dataset.slug)
    return revisions.fingerprint_of(present) == revisions.fingerprint_of(wanted)


def _missing(draft: DatasetDraft) -> dict[str, object]:
    """What the custom fields of its organization still ask for."""
    try:
        dataset_content.fitted(draft, datasets.organization_named(draft.organization).fields)
    except Invalid as error:
        return dict(error.problems)
    return {}
