"""Accounts as CKAN's users. E-mail addresses are for oneself and administrators; keys are for nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from api.ckan.dictized import moment
from catalog.models.vocabulary import MemberRole, Role
from catalog.permissions import Identity
from catalog.services import account_profiles

if TYPE_CHECKING:
    from catalog.models.account import Account

CAPACITIES = {
    MemberRole.PUBLISHER: "admin",
    MemberRole.EDITOR: "editor",
    MemberRole.MEMBER: "member",
}
ROLES = {capacity: role for role, capacity in CAPACITIES.items()}
INVITED = account_profiles.INVITED


def name_of(account: Account) -> str:
    """Its name for CKAN's clients: its id where it was never given one."""
    return account.slug or account.id


def may_see_email(who: Identity, account: Account) -> bool:
    """Whether it is one's own account, or one is an administrator."""
    return who.administrator or who.account_id == account.id


def user(who: Identity, account: Account, *, packages: int = 0) -> dict[str, Any]:
    """The account as `user_show` gives it."""
    seen = may_see_email(who, account)
    hashed = account.email if seen else account.id
    told: dict[str, Any] = {
        "id": account.id,
        "name": name_of(account),
        "fullname": account.name,
        "display_name": account.name or name_of(account),
        "about": account.about or None,
        "created": moment(account.created_at),
        "last_active": moment(account.last_signed_in) if seen else None,
        "activity_streams_email_notifications": False,
        "sysadmin": account.role == Role.ADMINISTRATOR,
        "state": state_of(account),
        "image_url": account.image_url or None,
        "image_display_url": account.image_url or None,
        "email_hash": hashlib.md5(hashed.encode(), usedforsecurity=False).hexdigest(),
        "number_created_packages": packages,
    }
    if seen:
        told["email"] = account.email
    return told


def state_of(account: Account) -> str:
    """`active`, `deleted`, or `pending` for somebody who was invited and has not come yet."""
    if not account.active:
        return "deleted"
    invited = (account.extras or {}).get(INVITED) and account.last_signed_in is None
    return "pending" if invited else "active"


def members(
    who: Identity, rows: Iterable[tuple[Account, MemberRole]], counts: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Members with their capacities, in order of their names; never with e-mail addresses."""
    told = []
    for account, role in rows:
        described = user(who, account, packages=counts.get(account.id, 0))
        described.pop("email", None)
        told.append({**described, "capacity": CAPACITIES[role]})
    return sorted(told, key=lambda one: one["name"])
