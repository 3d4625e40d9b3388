"""Groups, our themes: what there is for them only."""

from __future__ import annotations

from typing import Any

from api.ckan import bodies, dictized
from api.ckan.given import flag, message, natural, one, text
from api.ckan.registry import action
from catalog.permissions import Identity
from catalog.services import bodies as services
from catalog.services import dataset_lists, members
from catalog.services.bodies import Group


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
    return dictized.packages(who, rows)


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
