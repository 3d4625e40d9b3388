"""Organizations: what there is for them only."""

from __future__ import annotations

from typing import Any

from api.ckan import bodies
from api.ckan.given import text
from api.ckan.registry import action
from api.ckan.user_dicts import CAPACITIES
from catalog.errors import Denied, NotFound
from catalog.models.vocabulary import Role
from catalog.permissions import Identity
from catalog.services import bodies as services
from catalog.services import members
from catalog.services.bodies import Organization

_EVERY = ("member", "editor", "admin")
ROLES_THAT_MAY = {
    "read": _EVERY,
    "manage_group": ("member", "editor", "admin"),
    "create_dataset": ("editor", "admin"),
    "update_dataset": ("editor", "admin"),
    "delete_dataset": ("editor", "admin"),
}
"""Permission in CKAN's words → capacities that have it; all others are of admins."""


@action(safe=True)
def organization_list_for_user(who: Identity, data: dict[str, Any]) -> Any:
    """Return the organizations that the user has a given permission for.

    :param id: the name or id of the user (default: yourself); others only for administrators
    :param permission: such as read, create_dataset or manage_group (default: manage_group)
    :param include_dataset_count: package_count
    :param include_member_count: how many members there are
    """
    account = members.account_named(text(data, "id") or who.account_id or "")
    if account is None:
        if text(data, "id"):
            raise NotFound("User not found")
        return []
    if account.id != who.account_id and not who.administrator:
        raise Denied("your account may not do this")
    if account.role == Role.ADMINISTRATOR:
        every = [(one, "admin") for one in services.everyone(Organization)]
        return bodies.of_members(who, [*every], data)
    capable = ROLES_THAT_MAY.get(text(data, "permission", "manage_group"), ("admin",))
    capacities = [(one, CAPACITIES[role]) for one, role in members.organizations_of(account)]
    return bodies.of_members(who, [pair for pair in capacities if pair[1] in capable], data)
