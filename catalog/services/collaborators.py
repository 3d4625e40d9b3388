"""Collaborators: accounts that may read or edit one dataset without being of its organization."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import NotFound
from catalog.models.account import Account
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.follow import Collaborator
from catalog.permissions import Action, Identity, require
from catalog.services import keys, log

CAPACITIES = ("admin", "editor", "member")
MOST = 1_000
"""Collaborators of one dataset, or datasets of one collaborator, in one list."""


def put(who: Identity, dataset: Dataset, account: Account, capacity: str) -> Collaborator:
    """Let the account read (`member`), edit (`editor`), or also choose others (`admin`)."""
    require(who, Action.DATASET_SHARE, dataset)
    with transaction():
        row = db.session.get(Collaborator, (dataset.id, account.id))
        if row is None:
            row = Collaborator(dataset_id=dataset.id, account_id=account.id)
            db.session.add(row)
        row.capacity, row.modified = capacity, now()
        _note(who, dataset, account, capacity)
    keys.forget(account.id)
    return row


def remove(who: Identity, dataset: Dataset, account: Account) -> None:
    """Let the account do so no longer; raises NotFound for one that could not."""
    require(who, Action.DATASET_SHARE, dataset)
    with transaction():
        row = db.session.get(Collaborator, (dataset.id, account.id))
        if row is None:
            raise NotFound("this account is no collaborator of the dataset")
        db.session.delete(row)
        _note(who, dataset, account, None)
    keys.forget(account.id)


def of(who: Identity, dataset: Dataset, capacity: str = "") -> list[Collaborator]:
    """The collaborators of a dataset."""
    require(who, Action.DATASET_SHARE, dataset)
    statement = select(Collaborator).where(Collaborator.dataset_id == dataset.id)
    return _listed(statement.order_by(Collaborator.account_id), capacity)


def of_account(who: Identity, account: Account, capacity: str = "") -> list[Collaborator]:
    """The datasets that an account is a collaborator of; for itself and administrators."""
    require(who, Action.ACCOUNT_READ, account)
    statement = select(Collaborator).where(Collaborator.account_id == account.id)
    return _listed(statement.order_by(Collaborator.dataset_id), capacity)


def _listed(statement: Any, capacity: str) -> list[Collaborator]:
    if capacity:
        statement = statement.where(Collaborator.capacity == capacity)
    return list(db.session.scalars(statement.limit(MOST)))


def _note(who: Identity, dataset: Dataset, account: Account, capacity: str | None) -> None:
    more = {"account": account.id, "name": account.name, "capacity": capacity}
    log.about(who, "dataset.collaborator", dataset, **more)
