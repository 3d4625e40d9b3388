"""When a dataset was first published and last updated, where those who describe it do not say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from catalog.errors import N_, Invalid
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.permissions import Identity
from catalog.schemas.drafts import DatasetDraft

PRESENT = timedelta(minutes=1)
"""What is given to the minute is not over before the minute is."""


def require_not_over(moment: datetime | None) -> None:
    """Raise Invalid for a moment of publication that is over; None means at once."""
    if moment is not None and moment < now() - PRESENT:
        raise Invalid(
            "the moment of publication is over",
            problems={"publish_at": [N_("Enter a moment that is not over yet.")]},
        )


def dated(draft: DatasetDraft, dataset: Dataset) -> DatasetDraft:
    """The draft with the dataset's dates where it gives none."""
    return replace(
        draft, issued=draft.issued or dataset.issued, modified=draft.modified or dataset.modified
    )


def published_now(draft: DatasetDraft, dataset: Dataset, who: Identity) -> DatasetDraft:
    """The draft with the dates of its publication by people where it gives none: first published, last updated.

    A harvested dataset, and what the portal itself registers, has the dates of its source or none.
    """
    if dataset.source_id is not None or who.scheduler:
        return draft
    moment = now()
    first = draft.issued or dataset.issued or dataset.published_at or moment
    return replace(draft, issued=first, modified=draft.modified or moment)


def undated(draft: DatasetDraft, dataset: Dataset) -> DatasetDraft:
    """The draft of a program that says nothing of dates: those of a publication are the portal's to set."""
    return draft if dataset.source_id is not None else replace(draft, issued=None, modified=None)
