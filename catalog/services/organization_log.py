"""The log as the people of a department read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from catalog.db import db
from catalog.errors import Denied, NotFound, Unauthenticated
from catalog.models.dataset import Dataset
from catalog.models.log import LogEntry
from catalog.models.organization import Organization
from catalog.permissions import Action, Identity, allowed, require
from catalog.services import log


@dataclass(frozen=True)
class Asked:
    """What lines are wanted: of an organization (slug), about a dataset (slug or id), by a person (name)."""

    organization: str = ""
    dataset: str = ""
    actor: str = ""


def readable(who: Identity) -> list[Organization]:
    """The organizations whose log `who` may read."""
    statement = select(Organization).order_by(Organization.slug).limit(2_000)
    if not who.administrator:
        statement = statement.where(Organization.id.in_(sorted(who.organizations)))
    return [one for one in db.session.scalars(statement) if allowed(who, Action.LOG_READ, one)]


def lines(who: Identity, asked: Asked, *, limit: int, offset: int = 0) -> list[LogEntry]:
    """Lines about the things of an organization, the newest first."""
    statement = select(LogEntry).where(LogEntry.organization_id == _organization(who, asked).id)
    if asked.dataset:
        named = (Dataset.slug == asked.dataset) | (Dataset.id == asked.dataset)
        found = db.session.scalar(select(Dataset.id).where(named)) or asked.dataset
        statement = statement.where(LogEntry.kind == "dataset", LogEntry.object_id == found)
    if asked.actor:
        statement = statement.where(LogEntry.actor == asked.actor)
    newest_first = statement.order_by(LogEntry.number.desc()).limit(limit).offset(offset)
    return list(db.session.scalars(newest_first))


def of_dataset(who: Identity, dataset: Dataset, *, limit: int) -> list[LogEntry]:
    """The newest lines about a dataset; none for those who may not read the log."""
    if not allowed(who, Action.LOG_READ, dataset):
        return []
    return log.of(log.Subject("dataset", dataset.id), limit=limit)


def newest() -> tuple[int, str, datetime | None]:
    """Number, hash and moment of the last line."""
    return log.newest()


def _organization(who: Identity, asked: Asked) -> Organization:
    if asked.organization:
        wanted = select(Organization).where(Organization.slug == asked.organization)
        organization = db.session.scalar(wanted)
        if organization is None:
            raise NotFound("there is no organization “%(slug)s”", slug=asked.organization)
        require(who, Action.LOG_READ, organization)
        return organization
    if who.account_id is None:
        raise Unauthenticated("sign in or send an API key to do this")
    first = readable(who)[:1]
    if not first:
        raise Denied("your account may not do this")
    return first[0]
