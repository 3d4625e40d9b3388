"""What somebody hears of a dataset that may not be read: nothing, or that it was withdrawn and why."""

from __future__ import annotations

from catalog.errors import Gone, NotFound, Unauthenticated
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, allowed


class Withdrawn(Gone):
    """A dataset that was public: its page says what it was, and why it is no more."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__("the dataset “%(slug)s” was withdrawn", slug=dataset.slug)
        self.title = dataset.title
        self.reason, self.at = dataset.withdrawn_reason or {}, dataset.withdrawn_at


def unseen(dataset: Dataset) -> NotFound:
    """The error for who may not read the dataset: of one that never was public nobody hears."""
    if dataset.state == State.WITHDRAWN and dataset.published_at and not dataset.private:
        return Withdrawn(dataset)
    return NotFound("there is no dataset “%(slug)s”", slug=dataset.slug)


def seen(who: Identity, dataset: Dataset | None, name: str) -> Dataset:
    """The dataset, for a caller who wants to work on it; nobody learns by this which names are taken by drafts."""
    if who.account_id is None and not who.scheduler:
        raise Unauthenticated("sign in or send an API key to do this")
    if dataset is None:
        raise NotFound("there is no dataset “%(slug)s”", slug=name[:120])
    if not allowed(who, Action.DATASET_READ, dataset):
        raise unseen(dataset)
    return dataset
