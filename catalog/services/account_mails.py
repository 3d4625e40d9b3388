"""What begins with a mail: another password, and invitations to an organization."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import cast

from flask import current_app
from sqlalchemy import delete, func, select

from catalog.db import db, transaction
from catalog.errors import Denied, NotFound, Unavailable
from catalog.models.account import Account, AccountToken, Membership
from catalog.models.base import now
from catalog.models.organization import Organization
from catalog.models.text import pick
from catalog.models.vocabulary import MemberRole
from catalog.permissions import Action, Identity, require
from catalog.schemas.account import N_
from catalog.services import accounts, attempts, keys, log, mail, mail_texts
from catalog.settings import Settings

RESET, INVITATION, WELCOME = "reset", "invitation", "welcome"
RESET_LASTS, INVITATION_LASTS = timedelta(hours=1), timedelta(days=7)
MOST_RESETS = 3
"""Mails to one address within an hour: nobody's mailbox is filled by a stranger."""
NO_MAIL = N_("this portal sends no mail; ask an administrator")
OVER = N_("this address does not work any more: it was used, or its time is over")


def ask_reset(email: str, language: str, *, address: str) -> None:
    """Send a mail with which the password is set anew; nothing tells whether there is such an account."""
    _need_mail()
    attempts.count_sign_in(address)
    account = accounts.by_email(email)
    if account is None or not account.active or not account.password_hash:
        return
    with transaction():
        recent = select(func.count()).select_from(AccountToken)
        if (
            db.session.scalar(
                recent.where(
                    AccountToken.account_id == account.id,
                    AccountToken.purpose == RESET,
                    AccountToken.expires_at > now(),
                )
            )
            or 0
        ) >= MOST_RESETS:
            return
        token = _add(RESET, email, RESET_LASTS, account_id=account.id)
        link = f"{_settings().site_url}/{language}/account/reset/{token}"
        words = mail_texts.reset(language, site=_site(language), name=account.name, address=link)
        mail.write(email, words)


def may_reset(token: str) -> Account:
    """Whose password this token sets; raises NotFound when it does not work any more."""
    return _account_of(_known(token, RESET, WELCOME))


def reset(token: str, password: str, *, address: str) -> Account:
    """Set the password, once; all sessions end. Raises NotFound, Invalid or TooMany."""
    attempts.count_sign_in(address)
    with transaction():
        account = _account_of(_known(token, RESET, WELCOME))
        accounts.refuse_weak(password, account.email, account.name)
        accounts.set_password(account, password)
        used = delete(AccountToken).where(
            AccountToken.account_id == account.id, AccountToken.purpose.in_((RESET, WELCOME))
        )
        db.session.execute(used, execution_options={"synchronize_session": False})
        log.append(Identity.of(account), "account.password", log.Subject("account", account.id), {})
    attempts.forget_failures(account.email)
    return account


def welcome(who: Identity, account: Account, title: str, language: str) -> None:
    """Send the owner of an account that `who` has made the address where they choose a password; in the caller's transaction."""
    token = _add(
        WELCOME, account.email, INVITATION_LASTS, account_id=account.id, inviter=who.name[:100]
    )
    words = mail_texts.welcome(
        language,
        site=_site(language),
        inviter=who.name,
        title=title,
        address=f"{_settings().site_url}/{language}/account/reset/{token}",
    )
    mail.write(account.email, words)


def invite(
    who: Identity, organization: Organization, email: str, role: MemberRole, language: str
) -> None:
    """Send somebody a mail with which they become a member; the one before to the same address ends."""
    require(who, Action.ORGANIZATION_WRITE, organization)
    _need_mail()
    with transaction():
        db.session.execute(
            delete(AccountToken).where(
                AccountToken.email == email, AccountToken.organization_id == organization.id
            ),
            execution_options={"synchronize_session": False},
        )
        token = _add(
            INVITATION,
            email,
            INVITATION_LASTS,
            organization_id=organization.id,
            role=role,
            inviter=who.name[:100],
        )
        words = mail_texts.invitation(
            language,
            site=_site(language),
            inviter=who.name,
            organization=pick(organization.title, language)[0],
            role=str(role),
            address=f"{_settings().site_url}/{language}/account/invitations/{token}",
        )
        mail.write(email, words)
        data = {"slug": organization.slug, "title": organization.title, "role": str(role)}
        log.append(who, "organization.invited", _subject(organization), data)


def invitations(who: Identity, organization: Organization) -> list[AccountToken]:
    """Who is invited and has not answered yet."""
    require(who, Action.ORGANIZATION_WRITE, organization)
    open_ = select(AccountToken).where(
        AccountToken.organization_id == organization.id, AccountToken.expires_at > now()
    )
    return list(db.session.scalars(open_.order_by(AccountToken.email).limit(500)))


def withdraw_invitation(who: Identity, organization: Organization, email: str) -> None:
    """Make an invitation worthless."""
    require(who, Action.ORGANIZATION_WRITE, organization)
    with transaction():
        ended = delete(AccountToken).where(
            AccountToken.organization_id == organization.id, AccountToken.email == email
        )
        db.session.execute(ended, execution_options={"synchronize_session": False})
        data = {"slug": organization.slug}
        log.append(who, "organization.uninvited", _subject(organization), data)


def invitation(token: str) -> tuple[AccountToken, Organization]:
    """An invitation and where it leads; raises NotFound when it does not work any more."""
    known = _known(token, INVITATION)
    organization = db.session.get(Organization, known.organization_id)
    if organization is None or organization.deleted_at is not None:
        raise NotFound(OVER)
    return known, organization


def accept(who: Identity, token: str) -> Organization:
    """Make the caller a member, once; raises Denied for an account with another address."""
    account = accounts.own(who)
    with transaction():
        known, organization = invitation(token)
        if account.email != known.email:
            raise Denied("this invitation was sent to another e-mail address")
        _join(account, organization, MemberRole(known.role or MemberRole.MEMBER))
        db.session.delete(known)
    return organization


def register_invited(token: str, name: str, password: str, *, address: str) -> Account:
    """A new account for the invited address, and its membership; raises Conflict, Invalid or NotFound."""
    attempts.count_sign_in(address)
    with transaction():
        known, organization = invitation(token)
        account = accounts.add_invited(known.email, name, password)
        _join(account, organization, MemberRole(known.role or MemberRole.MEMBER))
        db.session.delete(known)
    return account


def _join(account: Account, organization: Organization, role: MemberRole) -> None:
    """A member who is more already stays so."""
    if any(held.organization_id == organization.id for held in account.memberships):
        return
    account.memberships.append(
        Membership(account_id=account.id, organization_id=organization.id, role=role)
    )
    db.session.flush()
    keys.forget(account.id)
    data = {
        "slug": organization.slug,
        "title": organization.title,
        "account": account.id,
        "name": account.name,
        "role": str(role),
    }
    log.append(Identity.of(account), "organization.member", _subject(organization), data)


def _add(
    purpose: str,
    email: str,
    lasts: timedelta,
    *,
    account_id: str | None = None,
    organization_id: str | None = None,
    role: MemberRole | None = None,
    inviter: str = "",
) -> str:
    """A new secret; only its hash is kept. Those whose time is over are swept away."""
    old = delete(AccountToken).where(AccountToken.expires_at <= now())
    db.session.execute(old, execution_options={"synchronize_session": False})
    token = secrets.token_urlsafe(32)
    row = AccountToken(
        hash=_hash(token),
        purpose=purpose,
        email=email,
        account_id=account_id,
        organization_id=organization_id,
        role=role,
        inviter=inviter,
        created_at=now(),
        expires_at=now() + lasts,
    )
    db.session.add(row)
    return token


def _known(token: str, *purposes: str) -> AccountToken:
    found = db.session.get(AccountToken, _hash(token), populate_existing=True)
    if found is None or found.purpose not in purposes or found.expires_at <= now():
        raise NotFound(OVER)
    return found


def _account_of(known: AccountToken) -> Account:
    account = db.session.get(Account, known.account_id)
    if account is None or not account.active or not account.password_hash:
        raise NotFound(OVER)
    return account


def _need_mail() -> None:
    if not mail.possible():
        raise Unavailable(NO_MAIL)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _subject(organization: Organization) -> log.Subject:
    return log.Subject("organization", organization.id, organization.id)


def _site(language: str) -> str:
    settings = _settings()
    return settings.site_title_zh if language == "zh" else settings.site_title_en


def _settings() -> Settings:
    return cast("Settings", current_app.extensions["weft"]["settings"])
