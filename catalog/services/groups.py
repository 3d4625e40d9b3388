"""Groups, the themes: put, list with the number of their datasets, show."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Select, func, not_, select, update

from catalog.db import db, transaction
from catalog.errors import NotFound
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, dataset_theme, public
from catalog.models.group import Group
from catalog.permissions import Action, Identity, require
from catalog.schemas.organization import group_fields
from catalog.services import log
from catalog.services.search import forget_labels, index_due_datasets


def put(  # the fields of a theme, by keyword
    who: Identity,
    slug: str,
    *,
    title: Mapping[str, str],
    description: Mapping[str, str] | None = None,
    icon: str = "",
    position: int = 0,
) -> Group:
    """Create the theme or change it; its datasets are found under its new name."""
    values = group_fields(
        {
            "slug": slug,
            "title": title,
            "description": description or {},
            "icon": icon,
            "position": position,
        }
    )
    with transaction() as tx:
        group = _by_slug(slug)
        require(who, Action.THEME_WRITE, group)
        if group is None:
            group = Group(id=new_id(), **values)
            db.session.add(group)
            db.session.flush()
            _note(who, group, "created")
        elif any(getattr(group, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(group, name, value)
            members = select(dataset_theme.c.dataset_id).where(dataset_theme.c.theme_id == group.id)
            db.session.execute(
                update(Dataset).where(Dataset.id.in_(members)).values(index_due=now())
            )
            tx.after_commit(index_due_datasets.later)
            _note(who, group, "changed")
        tx.after_commit(forget_labels)
    return group


def all(who: Identity) -> list[tuple[Group, int]]:  # noqa: A001, ARG001 # reads as groups.all; everybody may
    """All themes in their order, with the number of their published datasets."""
    linked = dict(db.session.execute(_links()).all())
    unseen = dict(db.session.execute(_links(not_(public()))).all())
    groups = select(Group).where(Group.deleted_at.is_(None)).order_by(Group.position, Group.slug)
    return [
        (group, linked.get(group.id, 0) - unseen.get(group.id, 0))
        for group in db.session.scalars(groups)
    ]


def _links(of: ColumnElement[bool] | None = None) -> Select[str, int]:
    """How many datasets each theme has: all of them, or of the few that not everybody may see, which is quick."""
    links = select(dataset_theme.c.theme_id, func.count()).group_by(dataset_theme.c.theme_id)
    if of is None:
        return links
    return links.where(dataset_theme.c.dataset_id.in_(select(Dataset.id).where(of)))


def show(who: Identity, slug: str) -> Group:  # noqa: ARG001 # every theme is public
    """The theme; raises NotFound."""
    group = _by_slug(slug)
    if group is None or group.deleted_at is not None:
        raise NotFound("there is no theme “%(slug)s”", slug=slug[:120])
    return group


def _note(who: Identity, group: Group, what: str) -> None:
    data = {"slug": group.slug, "title": group.title}
    log.append(who, f"theme.{what}", log.Subject("theme", group.id), data)


def _by_slug(slug: str) -> Group | None:
    return db.session.scalar(select(Group).where(Group.slug == slug))
