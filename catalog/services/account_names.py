"""Names of accounts in addresses and in CKAN's API."""

from __future__ import annotations

from sqlalchemy import select

from catalog.db import db
from catalog.models.account import Account
from catalog.models.slug import slug_from
from catalog.search.analysis import spelled


def free(name: str, email: str) -> str:
    """A name made from the person's, Chinese in pinyin, or from the e-mail address; nobody else has it."""
    wanted = slug_from(spelled(name), 80)
    if wanted.startswith("d-") or len(wanted) < 2:
        wanted = slug_from(email.partition("@")[0], 80)
    like = wanted.replace("_", r"\_")
    held = select(Account.slug).where(
        (Account.slug == wanted) | Account.slug.like(f"{like}-%", escape="\\")
    )
    taken = set(db.session.scalars(held))
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def taken(slug: str, *, but: str = "") -> bool:
    """Whether another account has the name."""
    other = select(Account.id).where((Account.slug == slug) | (Account.id == slug))
    return db.session.scalar(other.where(Account.id != but)) is not None
