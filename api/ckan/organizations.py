"""Organizations: `organization_list`, `organization_show`, `organization_create` and their kin."""

from __future__ import annotations

from typing import Any

from api.ckan import bodies
from api.ckan.given import text
from api.ckan.registry import action, signed_in
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
def organization_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return a list of the names of the site's organizations.

    :param sort: name, title or package_count, with asc or desc (default: title asc)
    :param limit: at most so many (default and most: 1000, with all_fields 25)
    :param offset: how many to pass over
    :param organizations: names, to list only these
    :param q: text that stands in the name, the title or the description
    :param all_fields: dictionaries instead of names
    :param include_dataset_count: with all_fields, package_count (default: True)
    :param include_extras: with all_fields, the extras
    :param include_groups: with all_fields, the organization that each belongs to
    :param include_users: with all_fields, the members; needs a key
    :param include_member_count: with all_fields, how many members there are
    """
    return bodies.names(who, Organization, data)


@action(safe=True)
def organization_show(who: Identity, data: dict[str, Any]) -> Any:
    """Return the details of an organization.

    :param id: the id or name of the organization
    :param include_datasets: its ten datasets that changed last
    :param include_dataset_count: package_count (default: True)
    :param include_extras: the extras (default: True)
    :param include_users: the members; needs a key, with which the default is True
    :param include_groups: the organization that it belongs to (default: True)
    :param include_followers: num_followers (default: True)
    :param include_member_count: how many members there are
    """
    return bodies.shown(who, Organization, data)


@action()
def organization_create(who: Identity, data: dict[str, Any]) -> Any:
    """Create a new organization. You must be an administrator of the portal, and become an admin of it.

    :param name: 2 to 100 lower-case letters, digits, - and _
    :param id: its id, a UUID (optional)
    :param title, description, image_url: texts (optional)
    :param extras: list of dictionaries with key and value (optional)
    :param users: list of dictionaries with name and capacity (optional)
    :param groups: [{"name": …}], the organization that it belongs to (optional)
    """
    signed_in(who, "organization_create")
    return bodies.created(who, Organization, data)


@action()
def organization_update(who: Identity, data: dict[str, Any]) -> Any:
    """Update an organization. You must be an admin of it.

    Extras that are not given are removed; for other parameters see organization_create.

    :param id: the name or id of the organization to update
    """
    signed_in(who, "organization_update")
    return bodies.updated(who, Organization, data)


@action()
def organization_patch(who: Identity, data: dict[str, Any]) -> Any:
    """Patch an organization: what is not given stays as it is.

    :param id: the id or name of the organization
    """
    signed_in(who, "organization_patch")
    return bodies.patched(who, Organization, data)


@action()
def organization_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Delete an organization that has no datasets. You must be an admin of it.

    :param id: the name or id of the organization
    """
    signed_in(who, "organization_delete")
    return bodies.deleted(who, Organization, data)


@action()
def organization_purge(who: Identity, data: dict[str, Any]) -> Any:
    """Purge an organization: unlike a deleted one, it is gone, and its name is free. For administrators.

    :param id: the name or id of the organization
    """
    signed_in(who, "organization_purge")
    return bodies.purged(who, Organization, data)


@action(safe=True)
def organization_autocomplete(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return a list of organizations whose name or title contains a string.

    :param q: the string to search for
    :param limit: at most so many (default: 20)
    """
    return bodies.completed(Organization, data)


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
