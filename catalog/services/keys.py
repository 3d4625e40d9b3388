"""API keys: made, shown once, used, revoked."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from catalog.db import db, transaction
from catalog.errors import Conflict, Denied, NotFound, Unauthenticated
from catalog.models.account import Account, ApiKey
from catalog.models.base import new_id, now
from catalog.permissions import Action, Identity, require
from catalog.queue import job
from catalog.schemas.account import KeyDraft
from catalog.services import accounts

PREFIX = "weft_"
SECRET = re.compile(r"weft_[A-Za-z0-9_-]{43}")
IN_TEXT = re.compile(SECRET.pattern + r"(?![A-Za-z0-9_-])")
"""A key inside of other text; what only begins like one is none."""
MOST = 20
"""Keys in use of one account."""
MOST_KNOWN = 50_000
_KNOWN: dict[str, tuple[float, Identity]] = {}
"""SHA-256 of a key → until when it is taken for this identity."""
_NOTED: dict[str, float] = {}
"""Key id → when its use was last noted, in this process."""


@dataclass(frozen=True)
class NewKey:
    """A key that was just made, with the secret that nobody can show again."""

    key: ApiKey
    secret: str = field(repr=False)


def create(who: Identity, draft: KeyDraft, *, account: Account | None = None) -> NewKey:
    """A new key of the caller, or of the account; the plan `extended` is given by administrators only."""
    account = account or accounts.own(who)
    if draft.plan != "basic" and not who.administrator:
        raise Denied("only an administrator can give this plan")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        id=new_id(),
        account_id=account.id,
        name=draft.name,
        prefix=secret[:12],
        hash=_hash(secret),
        plan=draft.plan,
        created_at=now(),
    )
    require(who, Action.KEY_WRITE, key)
    with transaction():
        if _in_use(db.session(), account.id) >= MOST:
            raise Conflict("you have %(most)s keys; revoke one that is not needed", most=MOST)
        db.session.add(key)
    return NewKey(key, secret)


def all_of(who: Identity, account: Account | None = None) -> list[ApiKey]:
    """The keys of the caller, or of the account, newest first, revoked ones last."""
    account = accounts.show(who, account.id) if account else accounts.own(who)
    newest = select(ApiKey).filter_by(account_id=account.id)
    order = (ApiKey.revoked_at.is_not(None), ApiKey.created_at.desc(), ApiKey.id)
    return list(db.session.scalars(newest.order_by(*order).limit(200)))


def revoke(who: Identity, key_id: str) -> ApiKey:
    """End a key now; a key that has ended stays as it is."""
    key = _known(who, key_id)
    if key.revoked_at is None:
        with transaction():
            key.revoked_at = now()
        _KNOWN.pop(key.hash, None)
    return key


def known(key_id: str) -> ApiKey | None:
    """The key with this id."""
    return db.session.get(ApiKey, key_id)


def of_secret(secret: str) -> ApiKey | None:
    """The key that this is the secret of."""
    return db.session.scalar(select(ApiKey).where(ApiKey.hash == _hash(secret)))


def change_plan(who: Identity, key_id: str, plan: str) -> ApiKey:
    """Give a key another plan; administrators only."""
    key = _known(who, key_id)
    if not who.administrator:
        raise Denied("only an administrator can give this plan")
    with transaction():
        key.plan = plan
    _KNOWN.pop(key.hash, None)
    return key


def forget(account_id: str) -> None:
    """Ask the database again who the keys of an account stand for: what it may do has changed."""
    for digest, (_, who) in list(_KNOWN.items()):
        if who.account_id == account_id:
            _KNOWN.pop(digest, None)


def identify(secret: str) -> Identity:
    """Who sends this key; raises Unauthenticated for one that is unknown or revoked.

    An answer holds for five seconds, since asking the database costs a third of a page of rows; a
    key that is revoked in this process ends at once, in others when the five seconds are over.
    """
    digest = _hash(secret)
    known = _KNOWN.get(digest)
    if known is None or known[0] < time.monotonic():
        if len(_KNOWN) >= MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[digest] = (time.monotonic() + 5, _identified(secret, digest))
    who = known[1]
    _note(who.key_id or "")
    return who


def _identified(secret: str, digest: str) -> Identity:
    row = None
    if SECRET.fullmatch(secret):
        found = select(ApiKey, Account).join(Account, Account.id == ApiKey.account_id)
        row = db.session.execute(found.where(ApiKey.hash == digest)).first()
    if row is None or not secrets.compare_digest(row.ApiKey.hash, digest):
        raise Unauthenticated("this API key is not known")
    if row.ApiKey.revoked_at is not None or not row.Account.active:
        raise Unauthenticated("this API key was revoked")
    return Identity.of(row.Account, row.ApiKey)


@job()
def note_use(key_id: str, moment: str) -> None:
    """Remember when a key was used; in the worker, so that no call waits for a write."""
    used = datetime.fromisoformat(moment)
    older = (ApiKey.last_used_at.is_(None)) | (ApiKey.last_used_at < used)
    with transaction():
        db.session.execute(
            update(ApiKey).where(ApiKey.id == key_id, older).values(last_used_at=used),
            execution_options={"synchronize_session": False},
        )


def _note(key_id: str) -> None:
    clock = time.monotonic()
    if clock - _NOTED.get(key_id, -60.0) < 60:
        return
    if len(_NOTED) >= MOST_KNOWN:
        _NOTED.clear()
    _NOTED[key_id] = clock
    note_use.later(key_id, now().isoformat())


def _known(who: Identity, key_id: str) -> ApiKey:
    key = db.session.get(ApiKey, key_id)
    if key is None:
        raise NotFound("there is no such key")
    require(who, Action.KEY_WRITE, key)
    return key


def _in_use(session: Session, account_id: str) -> int:
    held = (
        select(func.count()).select_from(ApiKey).filter_by(account_id=account_id, revoked_at=None)
    )
    return session.scalar(held) or 0


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
