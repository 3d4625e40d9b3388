"""Collaborators of datasets: `package_collaborator_create` and its kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from api.ckan import packages
from api.ckan.dictized import moment
from api.ckan.given import message, required, text
from api.ckan.given import one as the_one
from api.ckan.registry import action, signed_in
from api.ckan.users import found
from catalog.errors import Denied, NotFound
from catalog.permissions import Identity
from catalog.services import collaborators, members

if TYPE_CHECKING:
    from catalog.models.follow import Collaborator


def collaborator(row: Collaborator) -> dict[str, Any]:
    """The collaborator as CKAN's dictionary."""
    return {
        "package_id": row.dataset_id,
        "user_id": row.account_id,
        "capacity": row.capacity,
        "modified": moment(row.modified),
    }


@action()
def package_collaborator_create(who: Identity, data: dict[str, Any]) -> Any:
    """Make a user a collaborator of a dataset. For admins of its organization, and of the dataset.

    :param id: the id or name of the dataset
    :param user_id: the id or name of the user
    :param capacity: member (reads), editor (also changes) or admin (also chooses collaborators)
    """
    signed_in(who, "package_collaborator_create")
    name, user_name, capacity = required(data, "id", "user_id", "capacity")
    if capacity not in collaborators.CAPACITIES:
        message(f'Role must be one of "{", ".join(collaborators.CAPACITIES)}"')
    dataset = packages.found(who, name)
    return collaborator(collaborators.put(who, dataset, found(user_name), capacity))


@action()
def package_collaborator_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Remove a collaborator from a dataset.

    :param id: the id or name of the dataset
    :param user_id: the id or name of the user
    """
    signed_in(who, "package_collaborator_delete")
    name, user_name = required(data, "id", "user_id")
    dataset = packages.found(who, name)
    try:
        collaborators.remove(who, dataset, found(user_name))
    except NotFound as error:
        raise NotFound(
            "User %(name)s is not a collaborator on this package", name=user_name[:120]
        ) from error


@action(safe=True)
def package_collaborator_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return the list of all collaborators of a dataset.

    :param id: the id or name of the dataset
    :param capacity: only those with this capacity (optional)
    """
    signed_in(who, "package_collaborator_list")
    dataset = packages.found(who, the_one(data))
    return [collaborator(row) for row in collaborators.of(who, dataset, _capacity(data))]


@action(safe=True)
def package_collaborator_list_for_user(who: Identity, data: dict[str, Any]) -> Any:
    """Return the datasets that a user is a collaborator of. For the user and administrators.

    :param id: the id or name of the user
    :param capacity: only those with this capacity (optional)
    """
    signed_in(who, "package_collaborator_list_for_user")
    account = members.account_named(the_one(data))
    if account is None:
        raise Denied("Not allowed to retrieve collaborators")
    rows = collaborators.of_account(who, account, _capacity(data))
    return [
        {
            "package_id": row.dataset_id,
            "capacity": row.capacity,
            "modified": moment(row.modified),
        }
        for row in rows
    ]


def _capacity(data: Mapping[str, Any]) -> str:
    capacity = text(data, "capacity")
    if capacity and capacity not in collaborators.CAPACITIES:
        message(f'Capacity must be one of "{", ".join(collaborators.CAPACITIES)}"')
    return capacity
