"""Searches that people keep: their list, what is new in them, their feeds, and the mails that tell of it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlencode

import structlog
from flask import current_app
from sqlalchemy import func, select, update
from sqlalchemy.orm import joinedload

from catalog.db import db, transaction
from catalog.errors import CatalogError, Conflict, NotFound
from catalog.models.account import Account
from catalog.models.base import Texts, new_id, now
from catalog.models.dataset import Dataset, public
from catalog.models.saved_search import SavedSearch
from catalog.models.text import pick
from catalog.permissions import ANYONE, Identity
from catalog.queue import job
from catalog.schemas.search import search_query
from catalog.search import SearchQuery
from catalog.search.conditions import And, Condition, Range, Term
from catalog.services import accounts, mail, mail_texts, search
from catalog.settings import Settings

log = structlog.get_logger(__name__)

MOST = 100
"""Saved searches of one account."""
MOST_PARAMETERS, LONGEST = 100, 500
IN_FEED, IN_MAIL, MOST_NEW = 50, 20, 1_000
BATCH = 100
RHYTHM = timedelta(hours=23)
"""Between two mails of a search: a day, less what the job may come early."""
SETTLED = timedelta(minutes=1)
"""What changed later than this is told the next time: bulk work may not be in the index yet."""
FEED, UNSUBSCRIBE = "feed", "unsubscribe"


@dataclass(frozen=True)
class Found:
    """A dataset of a saved search."""

    id: str
    slug: str
    title: Texts
    description: Texts
    organization: Texts
    published: datetime
    changed: datetime


def save(
    who: Identity,
    name: str,
    parameters: Mapping[str, Sequence[str]],
    language: str,
    *,
    mails: bool = False,
) -> SavedSearch:
    """Keep a search for the caller; raises BadQuery for one that cannot be asked, Conflict for too many."""
    account = accounts.own(who)
    kept = _tidy(parameters)
    search_query(kept, language)
    saved = SavedSearch(
        id=new_id(),
        account_id=account.id,
        name=name[:200],
        parameters=kept,
        language=language,
        mail=mails,
        token_hash="",
        seen_until=now(),
        created_at=now(),
    )
    saved.token_hash = _hash(secret(saved, FEED))
    with transaction():
        held = select(func.count()).where(SavedSearch.account_id == account.id)
        if (db.session.scalar(held) or 0) >= MOST:
            raise Conflict("you have %(most)s saved searches; delete one first", most=MOST)
        db.session.add(saved)
    return saved


def all_of(who: Identity) -> list[SavedSearch]:
    """The caller's, in order of their names."""
    account = accounts.own(who)
    own = select(SavedSearch).filter_by(account_id=account.id)
    return list(db.session.scalars(own.order_by(SavedSearch.name, SavedSearch.id).limit(MOST)))


def show(who: Identity, search_id: str) -> SavedSearch:
    """One of the caller's; raises NotFound for any other."""
    account = accounts.own(who)
    saved = db.session.get(SavedSearch, search_id)
    if saved is None or saved.account_id != account.id:
        raise NotFound("there is no such saved search")
    return saved


def change(who: Identity, search_id: str, *, name: str, mails: bool) -> SavedSearch:
    """Rename it, and turn its mails on or off; mails that begin tell of what comes from now on."""
    with transaction():
        saved = show(who, search_id)
        if mails and not saved.mail:
            saved.seen_until = now()
        saved.name, saved.mail = name[:200], mails
    return saved


def forget(who: Identity, search_id: str) -> SavedSearch:
    """Delete it; its feed ends."""
    with transaction():
        saved = show(who, search_id)
        db.session.delete(saved)
    return saved


def secret(saved: SavedSearch, purpose: str) -> str:
    """What proves the right to read its feed or to end its mails: made of its id, so that it can be shown again."""
    key = str(current_app.secret_key).encode()
    digest = hmac.new(key, f"saved-search/{purpose}/{saved.id}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest[:24]).decode()


def of_feed(token: str) -> SavedSearch:
    """The saved search whose feed has this secret; raises NotFound, also when its account is closed."""
    found = select(SavedSearch).join(Account, Account.id == SavedSearch.account_id)
    saved = db.session.scalar(found.where(SavedSearch.token_hash == _hash(token), Account.active))
    if saved is None:
        raise NotFound("there is no such feed")
    return saved


def of_mail(search_id: str, token: str) -> SavedSearch:
    """The saved search whose mails this secret ends; raises NotFound."""
    saved = db.session.get(SavedSearch, search_id)
    if saved is None or not secrets.compare_digest(
        secret(saved, UNSUBSCRIBE).encode(), token.encode()
    ):
        raise NotFound("there is no such saved search")
    return saved


def unsubscribe(search_id: str, token: str) -> SavedSearch:
    """End its mails, whoever holds the secret; twice is as good as once."""
    with transaction():
        saved = of_mail(search_id, token)
        saved.mail = False
    return saved


def newest(saved: SavedSearch) -> list[Found]:
    """The datasets of its feed: what the public finds, the last changed first."""
    query = _query(saved, Term("type", "dataset"))
    page = search.find(ANYONE, replace(query, sort="updated", limit=IN_FEED))
    found = _public([hit.id for hit in page.hits])
    return sorted(found, key=lambda one: (one.changed, one.id), reverse=True)


def new_in(saved: SavedSearch, until: datetime) -> list[Found]:
    """What was published or changed after `seen_until` and not after `until`, the last changed first.

    The index finds, the database says when exactly: its moments are finer than those of the index.
    """
    low = saved.seen_until - timedelta(seconds=2)
    where = And((Term("type", "dataset"), Range("updated", low=low)))
    query = replace(_query(saved, where), sort="updated", limit=BATCH)
    ids: list[str] = []
    for offset in range(0, MOST_NEW, BATCH):
        page = search.find(ANYONE, replace(query, offset=offset))
        ids.extend(hit.id for hit in page.hits)
        if len(page.hits) < BATCH:
            break
    found = [one for one in _public(ids) if saved.seen_until < one.changed <= until]
    return sorted(found, key=lambda one: (one.changed, one.id), reverse=True)


def address(saved: SavedSearch) -> str:
    """Path and query of its page of results."""
    query = urlencode(list(saved.parameters.items()), doseq=True)
    return f"/{saved.language}/datasets" + (f"?{query}" if query else "")


@job(every_minutes=60)
def tell_what_is_new() -> None:
    """Write a mail for each saved search that has something new, at most one a day."""
    if not mail.possible():
        return
    last = ""
    while ids := _due(last):
        for search_id in ids:
            try:
                tell(search_id)
            except CatalogError as error:  # a facet that is gone must not stop the others
                log.warning("saved_search_not_told", search=search_id, error=str(error))
        last = ids[-1]


def tell(search_id: str) -> int:
    """Write the mail of one saved search, if there is something new; how much. Told once, by one worker."""
    saved = db.session.get(SavedSearch, search_id, populate_existing=True)
    if saved is None or not saved.mail:
        return 0
    account = db.session.get(Account, saved.account_id)
    until = now() - SETTLED
    found = new_in(saved, until)
    if account is None or not found:
        return 0
    seen = (
        update(SavedSearch)
        .where(SavedSearch.id == saved.id, SavedSearch.seen_until == saved.seen_until)
        .values(seen_until=until)
        .returning(SavedSearch.id)
    )
    with transaction():
        won = db.session.scalar(seen, execution_options={"synchronize_session": False})
        if won:
            ends = unsubscribe_address(saved)
            mail.write(account.email, _words(saved, found, ends), unsubscribe=ends)
    return len(found) if won else 0


def unsubscribe_address(saved: SavedSearch) -> str:
    """The whole address that ends its mails."""
    path = f"/{saved.language}/saved-searches/{saved.id}/unsubscribe/{secret(saved, UNSUBSCRIBE)}"
    return _settings().site_url + path


def _due(last: str) -> list[str]:
    """The next saved searches by id whose mail is due."""
    due = (
        select(SavedSearch.id)
        .join(Account, Account.id == SavedSearch.account_id)
        .where(
            SavedSearch.mail,
            Account.active,
            SavedSearch.id > last,
            SavedSearch.seen_until <= now() - RHYTHM,
        )
    )
    return list(db.session.scalars(due.order_by(SavedSearch.id).limit(BATCH)))


def _words(saved: SavedSearch, found: list[Found], ends: str) -> mail_texts.Words:
    settings, language = _settings(), saved.language
    items = [
        (
            pick(one.title, language)[0],
            f"{settings.site_url}/{language}/datasets/{one.slug}",
        )
        for one in found[:IN_MAIL]
    ]
    return mail_texts.search(
        language,
        site=settings.site_title_zh if language == "zh" else settings.site_title_en,
        name=saved.name,
        count=len(found),
        items=items,
        address=settings.site_url + address(saved),
        unsubscribe=ends,
    )


def _query(saved: SavedSearch, where: Condition) -> SearchQuery:
    query = search_query(saved.parameters, saved.language)
    both = And((query.where, where)) if query.where is not None else where
    return replace(query, where=both, offset=0, facets=False)


def _public(ids: list[str]) -> list[Found]:
    rows = db.session.scalars(
        select(Dataset)
        .options(joinedload(Dataset.organization))
        .where(Dataset.id.in_(ids), public())
        .execution_options(populate_existing=True)
    )
    return [
        Found(
            row.id,
            row.slug,
            row.title,
            row.description,
            row.organization.title,
            row.published_at or row.created_at,
            max(row.published_at or row.updated_at, row.updated_at),
        )
        for row in rows
    ]


def _tidy(parameters: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The parameters of the search alone, in one order."""
    kept = {
        name: [value[:LONGEST] for value in values if value][:MOST_PARAMETERS]
        for name, values in sorted(parameters.items())
        if name not in ("page", "offset", "limit", "csrf_token", "name", "mails")
    }
    return dict(
        list({name: values for name, values in kept.items() if values}.items())[:MOST_PARAMETERS]
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _settings() -> Settings:
    return cast("Settings", current_app.extensions["weft"]["settings"])
