"""Published datasets that somebody may see: counted and listed by organization, group, tag or maker."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, func, or_, select

from catalog.db import db
from catalog.models.dataset import Dataset, dataset_tag, dataset_theme, public
from catalog.models.vocabulary import State
from catalog.permissions import Identity
from catalog.services.search import whole


def seen_by(who: Identity) -> ColumnElement[bool]:
    """The condition that a dataset is published, and not private to an organization that `who` is not of."""
    published = Dataset.state == State.PUBLISHED
    if who.administrator or who.scheduler:
        return published
    own = [Dataset.organization_id.in_(who.organizations)] if who.organizations else []
    shared = [Dataset.id.in_(who.collaborations)] if who.collaborations else []
    return or_(public(), *(and_(published, one) for one in (*own, *shared)))


def of_organization(organization_id: str) -> ColumnElement[bool]:
    """The datasets of one organization."""
    return Dataset.organization_id == organization_id


def of_group(group_id: str) -> ColumnElement[bool]:
    """The datasets that a group holds."""
    held = select(dataset_theme.c.dataset_id).where(dataset_theme.c.theme_id == group_id)
    return Dataset.id.in_(held)


def of_tag(tag_id: str) -> ColumnElement[bool]:
    """The datasets that bear a tag."""
    tagged = select(dataset_tag.c.dataset_id).where(dataset_tag.c.tag_id == tag_id)
    return Dataset.id.in_(tagged)


def of_ids(ids: Collection[str]) -> ColumnElement[bool]:
    """The datasets with these ids."""
    return Dataset.id.in_(ids)


def count(who: Identity, *which: ColumnElement[bool]) -> int:
    """How many there are that `who` may see."""
    statement = select(func.count()).select_from(Dataset).where(seen_by(who), *which)
    return db.session.scalar(statement) or 0


def listed(
    who: Identity, *which: ColumnElement[bool], limit: int, offset: int = 0
) -> list[Dataset]:
    """Those that `who` may see with all that is told of them, the last changed first."""
    statement = (
        select(Dataset)
        .where(seen_by(who), *which)
        .order_by(Dataset.updated_at.desc(), Dataset.id)
        .limit(limit)
        .offset(offset)
        .options(*whole())
    )
    return list(db.session.scalars(statement))


def counts_by_organization(who: Identity) -> dict[str, int]:
    """Organization id → how many of its datasets `who` may see."""
    statement = (
        select(Dataset.organization_id, func.count())
        .where(seen_by(who))
        .group_by(Dataset.organization_id)
    )
    counted: dict[str, int] = dict(db.session.execute(statement).all())
    return counted


def counts_by_group(who: Identity) -> dict[str, int]:
    """Group id → how many of its datasets `who` may see."""
    statement = (
        select(dataset_theme.c.theme_id, func.count())
        .join(Dataset, Dataset.id == dataset_theme.c.dataset_id)
        .where(seen_by(who))
        .group_by(dataset_theme.c.theme_id)
    )
    counted: dict[str, int] = dict(db.session.execute(statement).all())
    return counted


def counts_by_maker(account_ids: Collection[str]) -> dict[str, int]:
    """Account id → how many public datasets it has registered."""
    statement = (
        select(Dataset.creator_id, func.count())
        .where(public(), Dataset.creator_id.in_(account_ids))
        .group_by(Dataset.creator_id)
    )
    return {maker: number for maker, number in db.session.execute(statement) if maker}


def ids_named(names: Collection[str]) -> dict[str, str]:
    """Id or name → id, for those of the names that a dataset has."""
    named = Dataset.id.in_(names) | Dataset.slug.in_(names)
    known: dict[str, str] = {}
    for dataset_id, slug in db.session.execute(select(Dataset.id, Dataset.slug).where(named)):
        known |= {dataset_id: dataset_id, slug: dataset_id}
    return known


def made_by(account_id: str, *, limit: int, everything: bool) -> tuple[int, list[Dataset]]:
    """How many datasets an account has registered, and the last of them; drafts and private ones if asked for."""
    seen = Dataset.state != State.WITHDRAWN if everything else public()
    which = (Dataset.creator_id == account_id, seen)
    number = db.session.scalar(select(func.count()).select_from(Dataset).where(*which)) or 0
    rows = select(Dataset).where(*which).order_by(Dataset.updated_at.desc(), Dataset.id)
    return number, list(db.session.scalars(rows.limit(limit).options(*whole()))) if limit else []
