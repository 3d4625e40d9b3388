"""Addresses of before: they lead to the thing that had them for ever, and are given to no other of its kind."""

from __future__ import annotations

from catalog.db import db
from catalog.errors import Conflict
from catalog.models.address import FormerAddress


def moved(kind: str, slug: str) -> str | None:
    """The id of the thing that had this address before."""
    former = db.session.get(FormerAddress, (kind, slug))
    return former.object_id if former else None


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
