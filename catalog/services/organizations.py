"""Organizations: put, list with the number of their datasets, show."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select, update

from catalog.db import db, transaction
from catalog.errors import NotFound
from catalog.models.base import now
from catalog.models.dataset import Dataset, public
from catalog.models.organization import Organization
from catalog.permissions import Action, Identity, require
from catalog.schemas.organization import organization_fields
from catalog.services.search import forget_labels, index_due_datasets


def put(  # the fields of an organization, by keyword
    who: Identity,
    slug: str,
    *,
    title: Mapping[str, str],
    description: Mapping[str, str] | None = None,
    kind: str = "department",
    homepage: str = "",
) -> Organization:
    """Create the organization or change it; its datasets are found under its new name."""
    values = organization_fields(
        {
            "slug": slug,
            "title": title,
            "description": description or {},
            "kind": kind,
            "homepage": homepage,
        }
    )
    with transaction() as tx:
        organization = _by_slug(slug)
        require(who, Action.ORGANIZATION_WRITE, organization)
        if organization is None:
            organization = Organization(**values)
            db.session.add(organization)
        elif any(getattr(organization, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(organization, name, value)
            db.session.execute(
                update(Dataset)
                .where(Dataset.organization_id == organization.id)
                .values(index_due=now())
            )
            tx.after_commit(index_due_datasets.later)
        tx.after_commit(forget_labels)
    return organization


def all(who: Identity) -> list[tuple[Organization, int]]:  # noqa: A001, ARG001 # reads as organizations.all; everybody may
    """All organizations with the number of their published datasets: departments first."""
    counts = (
        select(Dataset.organization_id, func.count().label("datasets"))
        .where(public())
        .group_by(Dataset.organization_id)
        .subquery()
    )
    datasets = func.coalesce(counts.c.datasets, 0)
    statement = (
        select(Organization, datasets)
        .outerjoin(counts, counts.c.organization_id == Organization.id)
        .where(Organization.deleted_at.is_(None))
        .order_by(Organization.kind, datasets.desc(), Organization.slug)
    )
    return [(organization, count) for organization, count in db.session.execute(statement)]


def show(who: Identity, slug: str) -> Organization:  # noqa: ARG001 # every organization is public
    """The organization; raises NotFound."""
    organization = _by_slug(slug)
    if organization is None or organization.deleted_at is not None:
        raise NotFound("there is no organization “%(slug)s”", slug=slug[:120])
    return organization


def _by_slug(slug: str) -> Organization | None:
    return db.session.scalar(select(Organization).where(Organization.slug == slug))
