"""Makes accounts with memberships, and the keys that they call with."""

from __future__ import annotations

from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.account import Account, Membership
from catalog.models.organization import Organization
from catalog.models.vocabulary import MemberRole, Role
from catalog.permissions import Identity
from catalog.schemas.account import KeyDraft
from catalog.services import keys


def make_account(
    name: str,
    *,
    organization: str = "",
    role: MemberRole = MemberRole.EDITOR,
    administrator: bool = False,
) -> Account:
    """An account called `name`, a member of the organization if one is named."""
    account = Account(
        email=f"{name}@example.org",
        slug=name,
        name=name.title(),
        password_hash="",
        role=Role.ADMINISTRATOR if administrator else Role.ACCOUNT,
    )
    with transaction():
        db.session.add(account)
        db.session.flush()
        if organization:
            held = select(Organization.id).filter_by(slug=organization)
            organization_id = db.session.scalars(held).one()
            db.session.add(
                Membership(account_id=account.id, organization_id=organization_id, role=role)
            )
    db.session.refresh(account)
    return account


def make_key_of(account: Account) -> str:
    """A key of the account."""
    return keys.create(Identity.of(account), KeyDraft("client")).secret
