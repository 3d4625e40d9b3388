"""The organizations that an account belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from catalog.db import db
from catalog.models.account import Membership
from catalog.models.base import Texts
from catalog.models.organization import Organization
from catalog.models.vocabulary import MemberRole
from catalog.permissions import Identity
from catalog.services import accounts


@dataclass(frozen=True)
class Belonging:
    """An organization, and what the account is in it."""

    slug: str
    title: Texts
    role: MemberRole


def of(who: Identity) -> list[Belonging]:
    """The caller's organizations, by address."""
    account = accounts.own(who)
    held = (
        select(Organization.slug, Organization.title, Membership.role)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.account_id == account.id)
    )
    rows = db.session.execute(held.order_by(Organization.slug).limit(500))
    return [Belonging(slug, title, MemberRole(role)) for slug, title, role in rows]
