"""The hierarchy of organizations: what is above one, what is below it, and the whole tree with counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from catalog.db import db
from catalog.models.organization import Organization
from catalog.schemas.organization import ListedOrganization

Counted = tuple[ListedOrganization, int]
"""An organization and the number of its published datasets."""
DEEPEST = 20
"""Levels that are followed: a circle, which nobody can make, would end there."""


@dataclass(frozen=True)
class Node:
    """An organization with those below it; `datasets` are its own, `whole` also theirs."""

    organization: ListedOrganization
    datasets: int
    children: tuple[Node, ...]
    whole: int


def above(organization: Organization) -> list[Organization]:
    """Those that it belongs to, the nearest first."""
    found: list[Organization] = []
    parent_id = organization.parent_id
    while parent_id is not None and len(found) < DEEPEST:
        parent = db.session.get(Organization, parent_id)
        if parent is None:
            break
        found.append(parent)
        parent_id = parent.parent_id
    return found


def below(organization: Organization) -> list[Organization]:
    """All that belongs to it, level by level; closed ones are left out."""
    found: list[Organization] = []
    level = [organization.id]
    for _ in range(DEEPEST):
        children = db.session.scalars(
            select(Organization)
            .where(Organization.parent_id.in_(level), Organization.deleted_at.is_(None))
            .order_by(Organization.slug)
        ).all()
        if not children:
            break
        found += children
        level = [one.id for one in children]
    return found


def tree(counted: Sequence[Counted]) -> list[Node]:
    """The organizations as they belong to each other, in the order in which they are given."""
    known = {organization.id for organization, _ in counted}
    under: dict[str | None, list[Counted]] = {}
    for organization, count in counted:
        parent = organization.parent_id if organization.parent_id in known else None
        under.setdefault(parent, []).append((organization, count))

    def node(organization: ListedOrganization, datasets: int, depth: int) -> Node:
        children = nodes(organization.id, depth + 1)
        whole = datasets + sum(child.whole for child in children)
        return Node(organization, datasets, children, whole)

    def nodes(parent: str | None, depth: int) -> tuple[Node, ...]:
        if depth > DEEPEST:
            return ()
        return tuple(node(*counted, depth) for counted in under.get(parent, ()))

    return list(nodes(None, 0))
