"""Organizations: put, list with the number of their datasets, show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, case, func, select, true, update

from catalog.db import Transaction, db, transaction
from catalog.errors import N_, Invalid, NotFound
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, public
from catalog.models.organization import Organization
from catalog.permissions import Action, Identity, require
from catalog.schemas.organization import KINDS, ListedOrganization, organization_fields
from catalog.services import addresses, log, organization_tree
from catalog.services.organization_tree import Counted, Node
from catalog.services.search import forget_labels, index_due_datasets

_RANK = case({kind: at for at, kind in enumerate(KINDS)}, value=Organization.kind)
"""The city first, bodies outside of it last."""


def put(  # noqa: PLR0913 # the fields of an organization, by keyword
    who: Identity,
    slug: str,
    *,
    title: Mapping[str, str],
    description: Mapping[str, str] | None = None,
    kind: str = "department",
    homepage: str = "",
    parent: str | None = None,
    image_url: str | None = None,
    contact: Mapping[str, str] | None = None,
    review: bool | None = None,
    fields: Sequence[Mapping[str, Any]] | None = None,
    extras: Mapping[str, Any] | None = None,
) -> Organization:
    """Create the organization, or change the one that has this address, or had it; its datasets are found by its name.

    `parent` is a slug, empty for none. From `parent` on, what is None stays as it is.
    """
    more = {
        "parent": parent,
        "image_url": image_url,
        "contact": contact,
        "review": review,
        "fields": fields,
        "extras": extras,
    }
    values = organization_fields(
        {
            "slug": slug,
            "title": title,
            "description": description or {},
            "kind": kind,
            "homepage": homepage,
            **{name: value for name, value in more.items() if value is not None},
        }
    )
    with transaction() as tx:
        organization = _by_slug(slug) or _moved(slug)
        require(who, Action.ORGANIZATION_WRITE, organization)
        if organization is not None:
            values["slug"] = organization.slug  # one that was renamed keeps its new name
        if "parent" in values:
            values["parent_id"] = _parent(organization, values.pop("parent"))
        if organization is None:
            organization = Organization(id=new_id(), **values)
            db.session.add(organization)
            db.session.flush()
            _note(who, organization, "created", list(values))
        else:
            _change(tx, who, organization, values)
        tx.after_commit(forget_labels)
    return organization


def set_fields(who: Identity, slug: str, fields: Any) -> Organization:
    """Give the datasets of an organization these custom fields; raises NotFound, and Invalid for what are none."""
    organization = show(who, slug)
    return put(
        who,
        organization.slug,
        title=organization.title,
        description=organization.description,
        kind=organization.kind,
        homepage=organization.homepage,
        fields=fields,
    )


def _change(
    tx: Transaction, who: Identity, organization: Organization, values: Mapping[str, Any]
) -> None:
    changed = [name for name, value in values.items() if getattr(organization, name) != value]
    if not changed:
        return
    for name in changed:
        setattr(organization, name, values[name])
    below = [organization.id]
    if "parent_id" in changed:  # datasets are found by all that they belong to
        below += [one.id for one in organization_tree.below(organization)]
    db.session.execute(
        update(Dataset).where(Dataset.organization_id.in_(below)).values(index_due=now())
    )
    tx.after_commit(index_due_datasets.later)
    _note(who, organization, "changed", changed)


def _parent(organization: Organization | None, slug: str) -> str | None:
    """The id of the body that it is to belong to; Invalid for one that is unknown, or below itself."""
    if not slug:
        return None
    parent = _by_slug(slug)
    if parent is None:
        raise Invalid(
            "there is no organization “%(slug)s”",
            problems={"parent": [N_("There is no such organization.")]},
            slug=slug,
        )
    line = [parent, *organization_tree.above(parent)]
    if organization is not None and organization.id in {one.id for one in line}:
        raise Invalid(
            "“%(slug)s” would belong to itself",
            problems={"parent": [N_("An organization cannot belong to one that is below it.")]},
            slug=organization.slug,
        )
    return parent.id


def _note(who: Identity, organization: Organization, what: str, fields: list[str]) -> None:
    subject = log.Subject("organization", organization.id, organization.id)
    data = {"slug": organization.slug, "title": organization.title, "fields": fields}
    log.append(who, f"organization.{what}", subject, data)


def all(who: Identity) -> list[Counted]:  # noqa: A001, ARG001 # reads as organizations.all; everybody may
    """All organizations with the number of their published datasets: the city and its departments first."""
    return _listed(_counted())


def first(who: Identity, limit: int) -> list[Counted]:  # noqa: ARG001 # everybody may
    """The first of them that have published any."""
    counted = _counted()
    return _listed(counted.where(counted.selected_columns.datasets > 0).limit(limit))


def with_all_below(who: Identity, organization: Organization) -> Node:  # noqa: ARG001 # everybody may
    """An organization with all that belongs to it, as `all` counts and orders them."""
    members = [organization, *organization_tree.below(organization)]
    listed = _listed(_counted(some=True), ids=[one.id for one in members])
    return organization_tree.tree(listed)[0]


def _listed(counted: Select[Any], **asked: Any) -> list[Counted]:
    return [
        (ListedOrganization(*described), datasets)
        for *described, datasets in db.session.execute(counted, asked)
    ]


@cache
def _counted(*, some: bool = False) -> Select[Any]:
    """What is said of organizations, of all or of those whose `ids` are given, and how many datasets of each are public."""
    ids: BindParameter[str] = bindparam("ids", expanding=True)
    mine, theirs = (
        (Organization.id.in_(ids), Dataset.organization_id.in_(ids)) if some else (true(), true())
    )
    counts = (
        select(Dataset.organization_id, func.count().label("datasets"))
        .where(public(), theirs)
        .group_by(Dataset.organization_id)
        .subquery()
    )
    datasets = func.coalesce(counts.c.datasets, 0).label("datasets")
    said = [getattr(Organization, name) for name in ListedOrganization._fields]
    return (
        select(*said, datasets)
        .outerjoin(counts, counts.c.organization_id == Organization.id)
        .where(Organization.deleted_at.is_(None), mine)
        .order_by(_RANK, datasets.desc(), Organization.slug)
    )


def show(who: Identity, slug: str) -> Organization:  # noqa: ARG001 # every organization is public
    """The organization, also by an address that it had before; raises NotFound."""
    organization = _by_slug(slug) or _moved(slug)
    if organization is None or organization.deleted_at is not None:
        raise NotFound("there is no organization “%(slug)s”", slug=slug[:120])
    return organization


def _by_slug(slug: str) -> Organization | None:
    return db.session.scalar(select(Organization).where(Organization.slug == slug))


def _moved(slug: str) -> Organization | None:
    known = addresses.moved("organization", slug)
    return db.session.get(Organization, known) if known else None
