"""Accounts as others see them and administrators keep them: listed, made, described, closed, invited."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from catalog.db import db, transaction
from catalog.errors import Conflict
from catalog.models.account import Account, ApiKey, Membership
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, public
from catalog.models.follow import Collaborator
from catalog.models.group import Group, GroupMembership
from catalog.models.organization import Organization
from catalog.models.text import pick
from catalog.models.vocabulary import MemberRole, Role
from catalog.permissions import Action, Identity, require
from catalog.services import account_mails, account_names, accounts, keys, log, mail, members

MOST = 1_000
"""Accounts in one list."""
INVITED = "invited"
"""Mark among an account's extras: it was made by an invitation."""
SEEN = "dashboard_seen"
"""Moment among an account's extras: until when its dashboard was read."""


@dataclass(frozen=True)
class ProfileDraft:
    """The parts of an account that change; what is None stays as it is."""

    slug: str | None = None
    email: str | None = None
    name: str | None = None
    password: str | None = field(default=None, repr=False)
    about: str | None = None
    image_url: str | None = None
    administrator: bool | None = None
    active: bool | None = None
    extras: Mapping[str, Any] | None = None


def listed(*, words: str = "", email: str = "", limit: int = MOST) -> list[tuple[Account, int]]:
    """Open accounts with the number of public datasets that each has registered, in order of their names."""
    made = (
        select(func.count())
        .select_from(Dataset)
        .where(Dataset.creator_id == Account.id, public())
        .scalar_subquery()
    )
    statement = select(Account, made).where(Account.active)
    if words:
        statement = statement.where(
            or_(
                Account.slug.icontains(words, autoescape=True),
                Account.name.icontains(words, autoescape=True),
            )
        )
    if email:
        statement = statement.where(Account.email == email.strip().lower())
    page = statement.order_by(Account.name, Account.id).limit(limit)
    return [(account, number) for account, number in db.session.execute(page)]


def email_taken(email: str, *, but: str = "") -> bool:
    """Whether another account has the address."""
    other = select(Account.id).where(Account.email == email, Account.id != but)
    return db.session.scalar(other) is not None


def create(who: Identity, draft: ProfileDraft, *, own_id: str = "") -> Account:
    """A new account, made by an administrator."""
    require(who, Action.ACCOUNT_MANAGE)
    return _add(who, draft, own_id=own_id)


def change(who: Identity, account: Account, draft: ProfileDraft) -> None:
    """Change what the draft names; role, name in addresses and state are for administrators."""
    require(who, Action.ACCOUNT_WRITE, account)
    if draft.administrator is not None or draft.active is not None:
        require(who, Action.ACCOUNT_MANAGE, account)
    try:
        with transaction():
            _fill(account, draft)
            _note(who, account, "changed")
    except IntegrityError as error:
        raise Conflict(accounts.TAKEN) from error
    keys.forget(account.id)


def close(who: Identity, account: Account) -> None:
    """Close an account: its sessions, keys, memberships and collaborations end."""
    require(who, Action.ACCOUNT_MANAGE, account)
    with transaction():
        account.active = False
        account.session_token = new_id()
        for table in (Membership, GroupMembership, Collaborator):
            db.session.execute(
                delete(table).where(table.account_id == account.id),
                execution_options={"synchronize_session": False},
            )
        for key in db.session.scalars(
            select(ApiKey).filter_by(account_id=account.id, revoked_at=None)
        ):
            key.revoked_at = now()
        _note(who, account, "deleted")
    keys.forget(account.id)
    db.session.expire(account)


def invite(
    who: Identity, email: str, body: Organization | Group, role: MemberRole, *, language: str
) -> Account:
    """A new account that is a member already, and a mail to whoever it is for: they choose its password at an address that works once."""
    right = Action.ORGANIZATION_WRITE if isinstance(body, Organization) else Action.THEME_WRITE
    require(who, right, body)
    if not mail.possible():
        raise Conflict("this portal sends no mail; ask an administrator")
    local = email.partition("@")[0]
    draft = ProfileDraft(
        slug=account_names.free(local, email),
        email=email,
        name=local[:100],
        password=secrets.token_urlsafe(32),  # which nobody is told
        extras={INVITED: True},
    )
    with transaction():
        account = _add(who, draft)
        members.put(body, account.id, role)
        account_mails.welcome(who, account, pick(body.title, language)[0] or body.slug, language)
    return account


def _add(who: Identity, draft: ProfileDraft, *, own_id: str = "") -> Account:
    if email_taken(draft.email or "") or account_names.taken(draft.slug or ""):
        raise Conflict(accounts.TAKEN)
    account = Account(
        id=own_id or new_id(),
        email=draft.email,
        name="",
        password_hash="",
        role=Role.ACCOUNT,
        extras={},
        memberships=[],
        theme_memberships=[],
        collaborations=[],
    )
    try:
        with transaction():
            _fill(account, draft)
            db.session.add(account)
            db.session.flush()
            _note(who, account, "created")
    except IntegrityError as error:
        raise Conflict(accounts.TAKEN) from error
    return account


def _fill(account: Account, draft: ProfileDraft) -> None:
    for name in ("slug", "email", "name", "about", "image_url", "active", "extras"):
        value: Any = getattr(draft, name)
        if value is not None:
            setattr(account, name, value)
    if draft.administrator is not None:
        account.role = Role.ADMINISTRATOR if draft.administrator else Role.ACCOUNT
    if draft.password:
        accounts.set_password(account, draft.password)


def _note(who: Identity, account: Account, what: str) -> None:
    subject = log.Subject("account", account.id)
    log.append(who, f"account.{what}", subject, {"slug": account.slug})


def dashboard_seen(who: Identity) -> datetime:
    """Until when the caller has read what happened to what they follow."""
    account = accounts.own(who)
    seen = (account.extras or {}).get(SEEN)
    return datetime.fromisoformat(seen) if seen else account.created_at


def see_dashboard(who: Identity) -> None:
    """The caller has read everything until now."""
    account = accounts.own(who)
    with transaction():
        account.extras = {**(account.extras or {}), SEEN: now().isoformat()}
