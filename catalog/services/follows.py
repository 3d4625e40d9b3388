"""Who follows which dataset, group, organization or account."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, func, select

from catalog.db import db, transaction
from catalog.errors import Unauthenticated
from catalog.models.account import Account
from catalog.models.base import now
from catalog.models.follow import Follow
from catalog.permissions import Identity

KINDS = ("account", "dataset", "theme", "organization")
MOST = 1_000
"""Followers, or followed things, in one list."""


def follow(who: Identity, kind: str, object_id: str) -> Follow:
    """Follow it from now on; what is followed already is followed since before."""
    mine = _own(who)
    with transaction():
        row = db.session.get(Follow, (mine, kind, object_id))
        if row is None:
            row = Follow(account_id=mine, kind=kind, object_id=object_id, created_at=now())
            db.session.add(row)
    return row


def unfollow(who: Identity, kind: str, object_id: str) -> None:
    """Follow it no longer."""
    mine = _own(who)
    with transaction():
        db.session.execute(
            delete(Follow).where(
                Follow.account_id == mine, Follow.kind == kind, Follow.object_id == object_id
            )
        )


def is_following(who: Identity, kind: str, object_id: str) -> bool:
    """Whether the caller follows it."""
    return db.session.get(Follow, (_own(who), kind, object_id)) is not None


def count_of(kind: str, object_id: str) -> int:
    """How many open accounts follow it."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Follow)
            .join(Account, Account.id == Follow.account_id)
            .where(Follow.kind == kind, Follow.object_id == object_id, Account.active)
        )
        or 0
    )


def followers(kind: str, object_id: str) -> list[Account]:
    """The open accounts that follow it, the newest first."""
    statement = (
        select(Account)
        .join(Follow, Follow.account_id == Account.id)
        .where(Follow.kind == kind, Follow.object_id == object_id, Account.active)
        .order_by(Follow.created_at.desc(), Account.id)
        .limit(MOST)
    )
    return list(db.session.scalars(statement))


def followed(account_id: str, kinds: Collection[str] = KINDS) -> list[tuple[str, str]]:
    """Kind and id of what an account follows, the newest first."""
    statement = (
        select(Follow.kind, Follow.object_id)
        .where(Follow.account_id == account_id, Follow.kind.in_(kinds))
        .order_by(Follow.created_at.desc(), Follow.object_id)
        .limit(MOST)
    )
    return [(kind, object_id) for kind, object_id in db.session.execute(statement)]


def _own(who: Identity) -> str:
    if who.account_id is None:
        raise Unauthenticated("sign in or send an API key to do this")
    return who.account_id
