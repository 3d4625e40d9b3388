"""Groups, our themes: `group_list`, `group_show`, `group_create` and their kin."""

from __future__ import annotations

from typing import Any

from api.ckan import bodies, dictized
from api.ckan.given import flag, message, natural, one, text
from api.ckan.registry import action, signed_in
from catalog.permissions import Identity
from catalog.services import bodies as services
from catalog.services import dataset_lists, members
from catalog.services.bodies import Group


@action(safe=True)
def group_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return a list of the names of the site's groups.

    :param sort: name, title or package_count, with asc or desc (default: title asc)
    :param limit: at most so many (default and most: 1000, with all_fields 25)
    :param offset: how many to pass over
    :param groups: names, to list only these
    :param q: text that stands in the name, the title or the description
    :param all_fields: dictionaries instead of names
    :param include_dataset_count: with all_fields, package_count (default: True)
    :param include_extras: with all_fields, the extras
    :param include_users: with all_fields, the members; needs a key
    """
    return bodies.names(who, Group, data)


@action(safe=True)
def group_show(who: Identity, data: dict[str, Any]) -> Any:
    """Return the details of a group.

    :param id: the id or name of the group
    :param include_datasets: its ten datasets that changed last
    :param include_dataset_count: package_count (default: True)
    :param include_extras: the extras (default: True)
    :param include_users: the members; needs a key, with which the default is True
    :param include_groups: always an empty list: groups hold datasets only (default: True)
    :param include_followers: num_followers (default: True)
    """
    return {"groups": [], **bodies.shown(who, Group, data)}


@action(safe=True)
def group_package_show(who: Identity, data: dict[str, Any]) -> Any:
    """Return the datasets of a group.

    :param id: the id or name of the group
    :param limit: at most so many (default: 10, most: 1000)
    """
    limit = text(data, "limit")
    if limit and not limit.lstrip("+").isdigit():
        message("Limit must be a positive integer")
    body = bodies.found(who, Group, one(data))
    rows = dataset_lists.listed(
        who, dataset_lists.of_group(body.id), limit=natural(data, "limit", 10)
    )
    return dictized.packages(rows)


@action()
def group_create(who: Identity, data: dict[str, Any]) -> Any:
    """Create a new group. You must be an administrator of the portal, and become an admin of it.

    :param name: 2 to 100 lower-case letters, digits, - and _
    :param id: its id, a UUID (optional)
    :param title, description, image_url: texts (optional)
    :param extras: list of dictionaries with key and value (optional)
    :param packages: list of dictionaries with the id or name of a dataset (optional)
    :param users: list of dictionaries with name and capacity (optional)
    """
    signed_in(who, "group_create")
    return bodies.created(who, Group, data)


@action()
def group_update(who: Identity, data: dict[str, Any]) -> Any:
    """Update a group. You must be an admin of it.

    Extras that are not given are removed; for other parameters see group_create.

    :param id: the name or id of the group to update
    """
    signed_in(who, "group_update")
    return bodies.updated(who, Group, data)


@action()
def group_patch(who: Identity, data: dict[str, Any]) -> Any:
    """Patch a group: what is not given stays as it is.

    :param id: the id or name of the group
    """
    signed_in(who, "group_patch")
    return bodies.patched(who, Group, data)


@action()
def group_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Delete a group; its datasets stay. You must be an admin of it.

    :param id: the name or id of the group
    """
    signed_in(who, "group_delete")
    return bodies.deleted(who, Group, data)


@action()
def group_purge(who: Identity, data: dict[str, Any]) -> Any:
    """Purge a group: unlike a deleted one, it is gone, and its name is free. For administrators.

    :param id: the name or id of the group
    """
    signed_in(who, "group_purge")
    return bodies.purged(who, Group, data)


@action(safe=True)
def group_autocomplete(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return a list of groups whose name or title contains a string.

    :param q: the string to search for
    :param limit: at most so many (default: 20)
    """
    return bodies.completed(Group, data)


@action(safe=True)
def group_list_authz(who: Identity, data: dict[str, Any]) -> Any:
    """Return the groups that you may put datasets into.

    :param am_member: only those that you are a member of, also for administrators
    :param include_dataset_count: package_count
    :param include_member_count: how many members there are
    """
    if who.account_id is None:
        return []
    if who.administrator and not flag(data, "am_member"):
        groups = services.everyone(Group)
    else:
        groups = members.groups_of(who.account_id)
    return bodies.of_members(who, [(group, "") for group in groups], data)
