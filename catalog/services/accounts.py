"""Accounts: registering, signing in, passwords."""

from __future__ import annotations

import secrets
import threading
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.exc import IntegrityError

from catalog.db import db, transaction
from catalog.errors import Conflict, Invalid, NotFound, Unauthenticated
from catalog.models.account import Account, AccountSession
from catalog.models.base import new_id, now
from catalog.models.vocabulary import Role
from catalog.permissions import Action, Identity, require
from catalog.schemas.account import (
    N_,
    PasswordDraft,
    ProfileDraft,
    RegisterDraft,
    SignInDraft,
    normalized_email,
    normalized_password,
    weakness,
)
from catalog.services import account_names, attempts

_HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
"""argon2id with 32 MiB: over the least that OWASP names."""
_UNKNOWN = _HASHER.hash(secrets.token_hex())
"""Compared with when there is no such account, so that the answer takes as long."""
_AT_ONCE = threading.BoundedSemaphore(2)
"""Hashes at once: many people signing in together must take neither the memory nor the cores."""
SESSION_LASTS = timedelta(days=14)
TAKEN = N_("there is already an account with this e-mail address")


def register(who: Identity, draft: RegisterDraft, *, address: str) -> Account:
    """A new account; raises Conflict for a known address, TooMany over the limit for this address."""
    require(who, Action.ACCOUNT_CREATE)
    attempts.count_sign_in(address)
    return _add(draft.email, draft.name, draft.password, role=Role.ACCOUNT)


def sign_in(draft: SignInDraft, *, address: str) -> Account:
    """The account, if the password is right; raises Unauthenticated or TooMany."""
    attempts.require_patience(draft.email)
    attempts.count_sign_in(address)
    account = db.session.scalar(select(Account).filter_by(email=draft.email, active=True))
    known = account.password_hash if account else ""  # empty: it signs in at a provider only
    if not _matches(known or _UNKNOWN, draft.password) or not known or account is None:
        attempts.count_failure(draft.email)
        raise Unauthenticated("the e-mail address or the password is wrong")
    attempts.forget_failures(draft.email)
    if _HASHER.check_needs_rehash(account.password_hash):
        with transaction():
            account.password_hash = _hash(draft.password)
    return account


def open_session(account: Account) -> str:
    """What the cookie of a new session remembers; it ends with the row, with the password and in time."""
    opened = AccountSession(
        id=new_id(), account_id=account.id, created_at=now(), expires_at=now() + SESSION_LASTS
    )
    remembered = f"{opened.id}.{account.session_token}"
    with transaction():
        _end_sessions(account, AccountSession.expires_at <= now())
        account.last_signed_in = now()
        db.session.add(opened)
    return remembered


def of_session(remembered: str) -> Account | None:
    """The account of a session, unless the session has ended or the account is closed."""
    session_id, _, token = remembered.partition(".")
    found = select(Account).join(AccountSession, AccountSession.account_id == Account.id)
    account = db.session.scalar(
        found.where(AccountSession.id == session_id, AccountSession.expires_at > now())
    )
    if account is None or not account.active:
        return None
    same = secrets.compare_digest(account.session_token.encode(), token.encode())
    return account if same else None


def close_session(remembered: str) -> None:
    """End a session, whoever has copies of its cookie."""
    session_id = remembered.partition(".")[0]
    with transaction():
        db.session.execute(delete(AccountSession).where(AccountSession.id == session_id))


def show(who: Identity, account_id: str) -> Account:
    """The account; raises NotFound, Unauthenticated or Denied."""
    account = db.session.get(Account, account_id)
    if account is None:
        raise NotFound("there is no such account")
    require(who, Action.ACCOUNT_READ, account)
    return account


def own(who: Identity) -> Account:
    """The caller's account; raises Unauthenticated when nobody is signed in."""
    if who.account_id is None:
        raise Unauthenticated("sign in to do this")
    return show(who, who.account_id)


def change_password(who: Identity, draft: PasswordDraft, *, address: str) -> Account:
    """Set another password and end all sessions; raises Invalid beside the field that is wrong."""
    account = own(who)
    attempts.require_patience(account.email)
    attempts.count_sign_in(address)
    if not _matches(account.password_hash, draft.present):
        attempts.count_failure(account.email)
        raise _invalid("present", N_("This is not your present password"))
    refuse_weak(draft.password, account.email, account.name)
    attempts.forget_failures(account.email)
    with transaction():
        set_password(account, draft.password)
    return account


def sign_out_everywhere(who: Identity) -> Account:
    """End all sessions of the caller."""
    account = own(who)
    with transaction():
        _end_sessions(account)
    return account


def create_administrator(email: str, name: str = "Administrator") -> str:
    """A new administrator's one-time password, for the command line; raises Conflict if known."""
    password = _one_time_password()
    _add(normalized_email(email), name, password, role=Role.ADMINISTRATOR, must_change=True)
    return password


def reset_password(email: str) -> str:
    """Another one-time password for an account, for the command line; its sessions end."""
    account = db.session.scalar(select(Account).filter_by(email=normalized_email(email)))
    if account is None:
        raise NotFound("there is no such account")
    password = _one_time_password()
    with transaction():
        account.password_hash = _hash(password)
        account.must_change_password = True
        _end_sessions(account)
    attempts.forget_failures(account.email)
    return password


def by_email(email: str) -> Account | None:
    """The account with this address in its normal form, also a closed one."""
    return db.session.scalar(select(Account).filter_by(email=email))


def add_invited(email: str, name: str, password: str) -> Account:
    """An account for an address that was proved by a mail; raises Conflict for a known one, Invalid."""
    refuse_weak(password, email, name)
    return _add(email, name, password, role=Role.ACCOUNT)


def refuse_weak(password: str, email: str, name: str) -> None:
    """Raise Invalid beside the password that others would guess."""
    weak = weakness(password, email, name)
    if weak:
        raise _invalid("password", weak)


def set_password(account: Account, password: str) -> None:
    """Give it this password and end its sessions, in the caller's transaction."""
    account.password_hash = _hash(password)
    account.must_change_password = False
    _end_sessions(account)


def leave_password(account: Account) -> None:
    """Let it sign in at its provider only, and end its sessions, in the caller's transaction."""
    account.password_hash = ""
    account.must_change_password = False
    _end_sessions(account)


def _add(email: str, name: str, password: str, *, role: Role, must_change: bool = False) -> Account:
    if db.session.scalar(select(Account.id).filter_by(email=email)):
        raise Conflict(TAKEN)
    account = Account(
        id=new_id(),
        email=email,
        name=name,
        slug=account_names.free(name, email),
        password_hash=_hash(password),
        role=role,
        must_change_password=must_change,
        memberships=[],
    )
    try:
        with transaction():
            db.session.add(account)
    except IntegrityError as error:  # someone else registered it in the meantime
        raise Conflict(TAKEN) from error
    return account


def change_profile(who: Identity, draft: ProfileDraft) -> Account:
    """Change how the caller is called and what is said of them; raises Conflict for a user name in use."""
    account = own(who)
    with transaction():
        if account_names.taken(draft.slug, but=account.id):
            raise Conflict("this user name is taken", slug=draft.slug)
        account.name, account.slug, account.about = draft.name, draft.slug, draft.about
    return account


def _end_sessions(account: Account, *which: ColumnElement[bool]) -> None:
    """End these sessions of an account; without conditions all, also those that are just being opened."""
    if not which:
        account.session_token = new_id()
    ended = delete(AccountSession).where(AccountSession.account_id == account.id, *which)
    db.session.execute(ended, execution_options={"synchronize_session": False})


def _one_time_password() -> str:
    letters = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def _hash(password: str) -> str:
    with _AT_ONCE:
        return _HASHER.hash(normalized_password(password))


def _matches(hashed: str, password: str) -> bool:
    try:
        with _AT_ONCE:
            return _HASHER.verify(hashed, normalized_password(password))
    except (VerificationError, InvalidHashError):
        return False


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid("the password was not changed", {field: [sentence]})
