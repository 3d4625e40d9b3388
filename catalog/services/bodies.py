"""Organizations and groups alike: found by id or name, described, closed, opened again, removed for good."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from catalog.db import Transaction, db, transaction
from catalog.errors import N_, Conflict, Denied, Invalid, NotFound
from catalog.models.address import FormerAddress
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, dataset_theme
from catalog.models.group import Group as Group  # the API names the two kinds by this module
from catalog.models.group import GroupMembership
from catalog.models.organization import Organization as Organization
from catalog.models.vocabulary import MemberRole, State
from catalog.permissions import Action, Identity, allowed, require
from catalog.schemas.bodies import BodyDraft
from catalog.services import addresses, log, members
from catalog.services.search import forget_labels, index_due_datasets

Body = Organization | Group
T = TypeVar("T", bound=Organization | Group)
KINDS: Mapping[Any, str] = {Organization: "organization", Group: "theme"}
"""What each is called in the log and among former addresses."""
WRITE: Mapping[Any, Action] = {Organization: Action.ORGANIZATION_WRITE, Group: Action.THEME_WRITE}
PURGE: Mapping[Any, Action] = {Organization: Action.ORGANIZATION_PURGE, Group: Action.THEME_PURGE}
MOST = 5_000
"""Organizations or groups in one list."""
HAS_DATASETS = N_("Organization cannot be deleted while it still has datasets")
STILL_USED = N_("Organization cannot be purged while it still has datasets")
LOOP = N_("This parent would create a loop in the hierarchy")


def find(kind: type[T], name: str) -> T | None:
    """The one with this id, name, or name of before, also a closed one."""
    found = db.session.scalars(
        select(kind)
        .where(or_(kind.slug == name, kind.id == name))
        .execution_options(populate_existing=True)
    ).first()
    if found is not None:
        return found
    former = db.session.get(FormerAddress, (KINDS[kind], name[:120]))
    return db.session.get(kind, former.object_id) if former else None


def show(who: Identity, kind: type[T], name: str) -> T:
    """The one with this id or name; raises NotFound, and Denied for a closed one that is not one's own."""
    body = find(kind, name)
    if body is None:
        raise NotFound("there is no “%(name)s”", name=name[:120])
    if body.deleted_at is not None and not allowed(who, WRITE[kind], body):
        raise Denied("“%(name)s” was closed", name=body.slug)
    return body


def everyone(kind: type[T], *, words: str = "", names: Collection[str] = ()) -> list[T]:
    """Those that are open; with `words` those in whose name, titles or descriptions they stand."""
    statement = select(kind).where(kind.deleted_at.is_(None)).order_by(kind.slug).limit(MOST)
    if names:
        statement = statement.where(kind.slug.in_(names))
    listed = db.session.scalars(statement)
    sought = words.strip().lower()
    return [body for body in listed if sought in _said_of(body)] if sought else list(listed)


def of_ids(kind: type[T], ids: Collection[str]) -> list[T]:
    """The open ones with these ids."""
    return list(db.session.scalars(select(kind).where(kind.id.in_(ids), kind.deleted_at.is_(None))))


def known_id(kind: type[Body], own_id: str) -> bool:
    """Whether one has this id."""
    return db.session.get(kind, own_id) is not None


def taken(kind: type[T], slug: str, *, but: str | None = None) -> bool:
    """Whether another has the name, or had it."""
    if db.session.scalar(select(kind.id).where(kind.slug == slug, kind.id != (but or ""))):
        return True
    former = db.session.get(FormerAddress, (KINDS[kind], slug))
    return former is not None and former.object_id != but


def create(who: Identity, kind: type[T], draft: BodyDraft, *, own_id: str = "") -> T:
    """A new one; whoever makes it looks after it. `own_id` is the id that it had in another portal."""
    require(who, WRITE[kind])
    with transaction() as tx:
        slug = draft.slug or ""
        if taken(kind, slug):
            raise Conflict("the name “%(slug)s” is already in use", slug=slug)
        body = kind(id=own_id or new_id(), slug=slug, title={}, description={}, extras={})
        if isinstance(body, Organization):
            body.kind, body.contact, body.fields = "department", {}, []
        db.session.add(body)
        db.session.flush()
        _fill(tx, who, body, draft)
        if who.account_id:
            members.put(body, who.account_id, MemberRole.PUBLISHER)
        _note(who, body, "created")
        tx.after_commit(forget_labels)
    return body


def change(who: Identity, body: Body, draft: BodyDraft) -> None:
    """Change what the draft names; the datasets are found under the new name."""
    require(who, WRITE[type(body)], body)
    with transaction() as tx:
        before = (body.slug, body.title)
        if draft.slug and draft.slug != body.slug:
            if taken(type(body), draft.slug, but=body.id):
                raise Conflict("the name “%(slug)s” is already in use", slug=draft.slug)
            addresses.move(KINDS[type(body)], body, draft.slug)
        _fill(tx, who, body, draft)
        if (body.slug, body.title) != before:
            _reindex(tx, body)
        _note(who, body, "deleted" if draft.closed else "changed")
        tx.after_commit(forget_labels)


def close(who: Identity, body: Body) -> None:
    """Take it out of all lists; an organization that has datasets stays."""
    require(who, WRITE[type(body)], body)
    with transaction() as tx:
        _close(tx, body)
        _note(who, body, "deleted")
        tx.after_commit(forget_labels)


def purge(who: Identity, body: Body) -> None:
    """Remove it with everything that only it has; its name may be used again."""
    require(who, PURGE[type(body)], body)
    with transaction() as tx:
        if isinstance(body, Organization):
            if db.session.scalar(select(Dataset.id).filter_by(organization_id=body.id).limit(1)):
                raise Conflict(STILL_USED)
            _let_go(body)
        else:
            _reindex(tx, body)
        _note(who, body, "purged")
        former = (FormerAddress.kind == KINDS[type(body)], FormerAddress.object_id == body.id)
        db.session.execute(delete(FormerAddress).where(*former))
        db.session.delete(body)
        try:
            db.session.flush()
        except IntegrityError as error:
            raise Conflict(STILL_USED) from error
        tx.after_commit(forget_labels)


def _said_of(body: Body) -> str:
    texts = [body.slug, *body.title.values(), *(body.description or {}).values()]
    return "\n".join(texts).lower()


def _fill(tx: Transaction, who: Identity, body: Body, draft: BodyDraft) -> None:
    for name in ("title", "description", "extras", "image_url"):
        value: Any = getattr(draft, name)
        if value is not None:
            setattr(body, name, value if isinstance(value, str) else dict(value))
    if draft.parents is not None and isinstance(body, Organization):
        body.parent_id = _parent(body, draft.parents)
    if draft.members is not None:
        members.put_all(body, draft.members)
    if draft.datasets is not None and isinstance(body, Group):
        members.put_datasets(tx, who, body, draft.datasets)
    if draft.closed is not None:
        _open_or_close(tx, body, closed=draft.closed)


def _open_or_close(tx: Transaction, body: Body, *, closed: bool) -> None:
    if closed and body.deleted_at is None:
        _close(tx, body)
    elif not closed:
        body.deleted_at = None


def _parent(body: Organization, parents: tuple[str, ...]) -> str | None:
    """The one parent that an organization may have; raises Invalid for a loop."""
    if len(parents) > 1:
        raise Invalid(
            "an organization belongs to one other at most",
            problems={"groups": [N_("an organization belongs to one other at most")]},
        )
    seen, above = {body.id}, parents[0] if parents else None
    while above is not None:
        if above in seen:
            raise Invalid(LOOP, problems={"groups": [LOOP]})
        seen.add(above)
        above = db.session.scalar(select(Organization.parent_id).filter_by(id=above))
    return parents[0] if parents else None


def _close(tx: Transaction, body: Body) -> None:
    if isinstance(body, Organization):
        held = select(func.count()).select_from(Dataset).filter_by(organization_id=body.id)
        if db.session.scalar(held.where(Dataset.state != State.WITHDRAWN)):
            raise Conflict(HAS_DATASETS)
        _let_go(body)
    else:
        _reindex(tx, body)
        db.session.execute(delete(dataset_theme).where(dataset_theme.c.theme_id == body.id))
        db.session.execute(delete(GroupMembership).where(GroupMembership.theme_id == body.id))
    members.forget_all(body)
    body.deleted_at = now()


def _let_go(body: Organization) -> None:
    """The offices below belong to nobody for now."""
    below = update(Organization).where(Organization.parent_id == body.id)
    db.session.execute(below.values(parent_id=None))


def _reindex(tx: Transaction, body: Body) -> None:
    if isinstance(body, Organization):
        which = Dataset.organization_id == body.id
    else:
        held = select(dataset_theme.c.dataset_id).where(dataset_theme.c.theme_id == body.id)
        which = Dataset.id.in_(held)
    moment = now()
    changed = {"index_due": moment}
    if isinstance(body, Group):  # what is kept of a dataset knows when its organization changed
        changed["updated_at"] = moment
    touched = update(Dataset).where(which).values(changed)
    db.session.execute(touched, execution_options={"synchronize_session": False})
    tx.after_commit(index_due_datasets.later)


def _note(who: Identity, body: Body, what: str) -> None:
    kind = KINDS[type(body)]
    owner = body.id if isinstance(body, Organization) else None
    data = {"slug": body.slug, "title": body.title}
    log.append(who, f"{kind}.{what}", log.Subject(kind, body.id, owner), data)
