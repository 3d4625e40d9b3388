"""Addresses of before: they lead to the thing that had them for ever, and are given to no other of its kind."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from catalog.db import db
from catalog.errors import Conflict
from catalog.models.address import FormerAddress


def moved(kind: str, slug: str) -> str | None:
    """The id of the thing that had this address before."""
    former = db.session.get(FormerAddress, (kind, slug))
    return former.object_id if former else None


def move(kind: str, item: Any, to: str) -> bool:
    """Give an item of this kind another address, to which the present one leads; whether it is another.

    Raises Conflict for one that another item has or had; in the caller's transaction.
    """
    if to == item.slug:
        return False
    table = type(item)
    if db.session.scalar(select(table.id).where(table.slug == to)):
        raise Conflict("the address “%(slug)s” is in use", slug=to)
    claim(kind, to, item.id)
    keep(kind, item.slug, item.id)
    item.slug = to
    return True


def keep(kind: str, slug: str, object_id: str) -> None:
    """Let an address lead on to the thing; in the caller's transaction."""
    if db.session.get(FormerAddress, (kind, slug)) is None:
        db.session.add(FormerAddress(kind=kind, slug=slug, object_id=object_id))


def claim(kind: str, slug: str, object_id: str) -> None:
    """Take an address: one's own of before is in use again, that of another is refused with Conflict."""
    former = db.session.get(FormerAddress, (kind, slug))
    if former is None:
        return
    if former.object_id != object_id:
        raise Conflict("the address “%(slug)s” belonged to something else before", slug=slug)
    db.session.delete(former)
