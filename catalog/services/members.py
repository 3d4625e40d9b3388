"""Who belongs to an organization or a group, as what; and which datasets a group holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import delete, insert, select, update

from catalog.db import Transaction, db, transaction
from catalog.errors import Denied
from catalog.models.account import Account, Membership
from catalog.models.base import now
from catalog.models.dataset import Dataset, dataset_theme
from catalog.models.group import Group, GroupMembership
from catalog.models.organization import Organization
from catalog.models.vocabulary import MemberRole
from catalog.permissions import Action, Identity, require
from catalog.services import dataset_lists, keys, log
from catalog.services.search import index_due_datasets

MOST = 10_000
"""Members in one list."""
Body = Organization | Group


def of(body: Body) -> list[tuple[Account, MemberRole]]:
    """The members whose accounts are open, in order of their names."""
    if isinstance(body, Organization):
        statement = (
            select(Account, Membership.role)
            .join(Membership, Membership.account_id == Account.id)
            .where(Membership.organization_id == body.id)
        )
    else:
        statement = (
            select(Account, GroupMembership.role)
            .join(GroupMembership, GroupMembership.account_id == Account.id)
            .where(GroupMembership.theme_id == body.id)
        )
    rows = db.session.execute(
        statement.where(Account.active).order_by(Account.slug, Account.id).limit(MOST)
    )
    return [(account, MemberRole(role)) for account, role in rows]


def organizations_of(account: Account) -> list[tuple[Organization, MemberRole]]:
    """The open organizations that an account is a member of, and as what."""
    held = select(Organization, Membership.role).join(
        Membership, Membership.organization_id == Organization.id
    )
    mine = held.where(Membership.account_id == account.id, Organization.deleted_at.is_(None))
    return [(body, MemberRole(role)) for body, role in db.session.execute(mine)]


def groups_of(account_id: str) -> list[Group]:
    """The open groups that an account is a member of."""
    held = select(Group).join(GroupMembership, GroupMembership.theme_id == Group.id)
    mine = held.where(GroupMembership.account_id == account_id, Group.deleted_at.is_(None))
    return list(db.session.scalars(mine))


def datasets_of(group: Group) -> list[str]:
    """Ids of all datasets in a group."""
    held = select(dataset_theme.c.dataset_id).where(dataset_theme.c.theme_id == group.id)
    return list(db.session.scalars(held))


def datasets_seen(who: Identity, body: Body) -> list[str]:
    """Ids of its published datasets that `who` may see."""
    held = (
        dataset_lists.of_organization(body.id)
        if isinstance(body, Organization)
        else dataset_lists.of_group(body.id)
    )
    seen = select(Dataset.id).where(held, dataset_lists.seen_by(who))
    return list(db.session.scalars(seen.order_by(Dataset.slug).limit(MOST)))


def add(who: Identity, body: Body, account: Account, role: MemberRole) -> None:
    """Make the account a member, or give the member another role; nobody takes the highest from themselves."""
    require(who, _right(body), body)
    with transaction():
        if account.id == who.account_id and role != MemberRole.PUBLISHER and not who.administrator:
            raise Denied("Administrators cannot revoke their own admin status")
        put(body, account.id, role)
        _note(who, body, account, role)


def remove(who: Identity, body: Body, account: Account) -> bool:
    """End a membership; whether there was one."""
    require(who, _right(body), body)
    with transaction():
        row = _row(body, account.id)
        if row is None:
            return False
        db.session.delete(row)
        db.session.flush()
        keys.forget(account.id)
        _note(who, body, account, None)
    return True


def add_dataset(who: Identity, group: Group, dataset: Dataset) -> None:
    """Put a dataset into a group."""
    require(who, Action.THEME_FILL, group)
    with transaction() as tx:
        _link(tx, group, dataset.id)


def remove_dataset(who: Identity, group: Group, dataset: Dataset) -> None:
    """Take a dataset out of a group."""
    require(who, Action.THEME_FILL, group)
    with transaction() as tx:
        _unlink(tx, group, [dataset.id])


def put(body: Body, account_id: str, role: MemberRole) -> None:
    """Write a membership, inside the caller's transaction."""
    row = _row(body, account_id)
    if row is not None:
        row.role = role
    elif isinstance(body, Organization):
        db.session.add(Membership(account_id=account_id, organization_id=body.id, role=role))
    else:
        db.session.add(GroupMembership(account_id=account_id, theme_id=body.id, role=role))
    db.session.flush()
    keys.forget(account_id)


def put_all(body: Body, wanted: Mapping[str, MemberRole]) -> None:
    """Make these the members, inside the caller's transaction."""
    for account, _ in of(body):
        if account.id not in wanted:
            db.session.delete(_row(body, account.id))
            keys.forget(account.id)
    db.session.flush()
    for account_id, role in wanted.items():
        put(body, account_id, role)


def forget_all(body: Body) -> None:
    """End all memberships, inside the caller's transaction."""
    put_all(body, {})


def put_datasets(tx: Transaction, who: Identity, group: Group, wanted: Collection[str]) -> None:
    """Make these the datasets of a group, inside the caller's transaction."""
    require(who, Action.THEME_WRITE, group)
    held = set(datasets_of(group))
    _unlink(tx, group, held - set(wanted))
    for dataset_id in set(wanted) - held:
        _link(tx, group, dataset_id)


def account_named(name: str) -> Account | None:
    """The account with this id or name, also a closed one."""
    found = select(Account).where((Account.id == name) | (Account.slug == name))
    return db.session.scalars(found.execution_options(populate_existing=True)).first()


def accounts_of(ids: Collection[str]) -> list[Account]:
    """The open accounts with these ids."""
    return list(db.session.scalars(select(Account).where(Account.id.in_(ids), Account.active)))


def _right(body: Body) -> Action:
    return Action.ORGANIZATION_WRITE if isinstance(body, Organization) else Action.THEME_WRITE


def _row(body: Body, account_id: str) -> Membership | GroupMembership | None:
    if isinstance(body, Organization):
        return db.session.get(Membership, (account_id, body.id))
    return db.session.get(GroupMembership, (account_id, body.id))


def _link(tx: Transaction, group: Group, dataset_id: str) -> None:
    known = select(dataset_theme.c.theme_id).where(
        dataset_theme.c.dataset_id == dataset_id, dataset_theme.c.theme_id == group.id
    )
    if db.session.scalar(known) is None:
        row = {"dataset_id": dataset_id, "theme_id": group.id}
        db.session.execute(insert(dataset_theme), [row])
        _due(tx, [dataset_id])


def _unlink(tx: Transaction, group: Group, ids: Collection[str]) -> None:
    gone = delete(dataset_theme).where(
        dataset_theme.c.theme_id == group.id, dataset_theme.c.dataset_id.in_(ids)
    )
    db.session.execute(gone)
    _due(tx, ids)


def _due(tx: Transaction, ids: Collection[str]) -> None:
    moment = now()
    changed = {"updated_at": moment, "index_due": moment}
    due = update(Dataset).where(Dataset.id.in_(ids)).values(changed)
    db.session.execute(due, execution_options={"synchronize_session": False})
    tx.after_commit(index_due_datasets.later)


def _note(who: Identity, body: Body, account: Account, role: MemberRole | None) -> None:
    kind = "organization" if isinstance(body, Organization) else "theme"
    owner = body.id if isinstance(body, Organization) else None
    data = {
        "slug": body.slug,
        "title": body.title,
        "account": account.id,
        "name": account.name,
        "role": role.value if role else None,
    }
    log.append(who, f"{kind}.member", log.Subject(kind, body.id, owner), data)
