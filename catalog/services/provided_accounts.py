"""Accounts of people who sign in at an OpenID provider: found, made, linked, and given what claims say."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from catalog.db import db, transaction
from catalog.errors import Conflict, Denied
from catalog.models.account import Account, ApiKey, Membership
from catalog.models.base import new_id, now
from catalog.models.organization import Organization
from catalog.models.vocabulary import MemberRole, Role
from catalog.permissions import Identity
from catalog.schemas.account import N_
from catalog.schemas.claims import ClaimRules, Person, Standing
from catalog.services import account_names, accounts, keys, log

PROVIDER = Identity(name="OpenID Connect")
"""Who is written down as having changed what claims decide."""
CLOSED = N_("your account is closed; ask an administrator of the portal")
NO_EMAIL = N_("the provider did not tell your e-mail address, without which there is no account")
UNPROVED = N_("the provider says that your e-mail address is not verified; verify it there first")
TAKEN = N_(
    "there is already an account with your e-mail address: sign in with its password, "
    "or ask an administrator to link it"
)


def sign_in(person: Person, rules: ClaimRules, *, link_email: bool) -> Account:
    """The person's account with the roles that the claims give; raises Denied or Conflict."""
    try:
        with transaction():
            account = _of(person) or _by_email(person, link_email=link_email) or _made(person)
            if not account.active:
                raise Denied(CLOSED)
            _give(account, rules, rules.standing(person.claims))
            keys.forget(account.id)
    except IntegrityError as error:  # the same person signed in twice at the same moment
        raise Conflict(TAKEN) from error
    return account


def _of(person: Person) -> Account | None:
    return db.session.scalar(
        select(Account).filter_by(issuer=person.issuer, subject=person.subject)
    )


def _by_email(person: Person, *, link_email: bool) -> Account | None:
    """The account with the person's address, linked now if the operator allows it.

    Whoever registered it may not be who owns the address, so its password and its keys end.
    """
    if not person.email:
        raise Denied(NO_EMAIL)
    if person.email_verified is False:
        raise Denied(UNPROVED)
    account = accounts.by_email(person.email)
    if account is None:
        return None
    if not account.active:
        raise Denied(CLOSED)
    if not link_email or person.email_verified is not True or account.issuer:
        raise Conflict(TAKEN)
    account.issuer, account.subject = person.issuer, person.subject
    accounts.leave_password(account)
    ended = update(ApiKey).where(ApiKey.account_id == account.id, ApiKey.revoked_at.is_(None))
    db.session.execute(
        ended.values(revoked_at=now()), execution_options={"synchronize_session": False}
    )
    log.append(PROVIDER, "account.linked", _subject(account), {"issuer": person.issuer})
    return account


def _made(person: Person) -> Account:
    account = Account(
        id=new_id(),
        email=person.email,
        name=person.name,
        slug=account_names.free(person.name, person.email),
        password_hash="",  # the provider asks for it
        issuer=person.issuer,
        subject=person.subject,
        role=Role.ACCOUNT,
        memberships=[],
    )
    db.session.add(account)
    db.session.flush()
    log.append(PROVIDER, "account.created", _subject(account), {"issuer": person.issuer})
    return account


def _give(account: Account, rules: ClaimRules, standing: Standing) -> None:
    """Write down only what differs, so that a sign-in like the one before leaves no line in the log."""
    if rules.decide_administrator:
        role = Role.ADMINISTRATOR if standing.administrator else Role.ACCOUNT
        if account.role != role:
            account.role = role
            log.append(PROVIDER, "account.role", _subject(account), {"role": role.value})
    decided = select(Organization).where(Organization.slug.in_(rules.organizations))
    for organization in db.session.scalars(decided):
        _member(account, organization, standing.organizations.get(organization.slug))


def _member(account: Account, organization: Organization, role: MemberRole | None) -> None:
    held = next((m for m in account.memberships if m.organization_id == organization.id), None)
    if (held.role if held else None) == role:
        return
    if held and role:
        held.role = role
    elif role:
        account.memberships.append(
            Membership(account_id=account.id, organization_id=organization.id, role=role)
        )
    elif held:
        account.memberships.remove(held)
    db.session.flush()
    data = {
        "slug": organization.slug,
        "title": organization.title,
        "account": account.id,
        "name": account.name,
        "role": role.value if role else None,
    }
    subject = log.Subject("organization", organization.id, organization.id)
    log.append(PROVIDER, "organization.member", subject, data)


def _subject(account: Account) -> log.Subject:
    return log.Subject("account", account.id)
