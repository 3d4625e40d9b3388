"""Views of resources: how CKAN's clients want a resource to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select

from catalog.db import db, transaction
from catalog.errors import Conflict
from catalog.models.base import new_id
from catalog.models.dataset import Dataset, Resource
from catalog.models.view import ResourceView
from catalog.permissions import Action, Identity, require
from catalog.services import log

MOST = 100
"""Views of one resource."""


@dataclass(frozen=True)
class ViewDraft:
    """What is to be said of a view; `view_type` stays what it was made as."""

    title: str
    description: str = ""
    view_type: str = ""
    config: dict[str, Any] = field(default_factory=dict)


def find(view_id: str) -> ResourceView | None:
    """The view with this id."""
    return db.session.get(ResourceView, view_id)


def of(resource_id: str) -> list[ResourceView]:
    """The views of a resource in their order; the caller has checked who may see it."""
    own = select(ResourceView).where(ResourceView.resource_id == resource_id)
    return list(db.session.scalars(own.order_by(ResourceView.position, ResourceView.id)))


def add(who: Identity, resource: Resource, draft: ViewDraft, *, own_id: str = "") -> ResourceView:
    """Add a view after the others of the resource."""
    require(who, Action.DATASET_WRITE, resource.dataset)
    with transaction():
        own = ResourceView.resource_id == resource.id
        number, last = db.session.execute(
            select(func.count(), func.max(ResourceView.position)).where(own)
        ).one()
        if number >= MOST:
            raise Conflict("a resource has at most %(most)s views", most=MOST)
        row = ResourceView(
            id=own_id or new_id(),
            resource_id=resource.id,
            position=0 if last is None else last + 1,
            view_type=draft.view_type,
            title=draft.title,
            description=draft.description,
            config=dict(draft.config),
        )
        db.session.add(row)
        _note(who, resource.dataset, "created", row)
    return row


def change(who: Identity, resource: Resource, row: ResourceView, draft: ViewDraft) -> None:
    """Say something else of a view."""
    require(who, Action.DATASET_WRITE, resource.dataset)
    with transaction():
        row.title, row.description, row.config = draft.title, draft.description, dict(draft.config)
        _note(who, resource.dataset, "changed", row)


def remove(who: Identity, resource: Resource, row: ResourceView) -> None:
    """Take a view away."""
    require(who, Action.DATASET_WRITE, resource.dataset)
    with transaction():
        db.session.delete(row)
        _note(who, resource.dataset, "deleted", row)


def reorder(who: Identity, resource: Resource, order: Sequence[str]) -> None:
    """Put the views into this order; `order` names all of them."""
    require(who, Action.DATASET_WRITE, resource.dataset)
    with transaction():
        places = {view_id: at for at, view_id in enumerate(order, 1)}
        for row in of(resource.id):
            row.position = places[row.id]


def clear(who: Identity, kinds: Sequence[str]) -> None:
    """Take all views of these kinds away, of all kinds if none is named."""
    require(who, Action.PORTAL_OPERATE)
    statement = delete(ResourceView)
    with transaction():
        db.session.execute(
            statement.where(ResourceView.view_type.in_(kinds)) if kinds else statement
        )


def _note(who: Identity, dataset: Dataset, what: str, row: ResourceView) -> None:
    subject = log.Subject("dataset", dataset.id, dataset.organization_id)
    data = {
        "slug": dataset.slug,
        "view": row.id,
        "view_type": row.view_type,
        "resource": row.resource_id,
    }
    log.append(who, f"view.{what}", subject, data)
