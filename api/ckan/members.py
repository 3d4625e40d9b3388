"""Members of organizations and groups: `member_create`, `organization_member_create` and their kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from api.ckan import bodies, package_writes
from api.ckan.errors import Refused
from api.ckan.given import MISSING, message, one, refuse, required, text
from api.ckan.registry import action, signed_in
from api.ckan.user_dicts import CAPACITIES, ROLES
from catalog.errors import NotFound, Unauthenticated
from catalog.permissions import Action, Identity, require
from catalog.schemas.bodies import BodyDraft
from catalog.services import bodies as services
from catalog.services import members
from catalog.services.bodies import Group, Organization

Body = Organization | Group
TYPES = ("user", "package", "group")
"""What may be a member of something."""
_TITLES = {"admin": "Admin", "editor": "Editor", "member": "Member"}


@action(safe=True)
def member_roles_list(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return the possible roles for members of groups and organizations.

    :param group_type: group or organization (default: organization)
    """
    roles = [{"text": said, "value": role} for role, said in _TITLES.items()]
    if text(data, "group_type", "organization") == "group":
        return [role for role in roles if role["value"] != "editor"]
    return roles


@action(safe=True)
def member_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return the members of a group or an organization as lists of id, type and capacity.

    :param id: the id or name of the group
    :param object_type: user or package; users are told with a key only (optional)
    :param capacity: admin, editor, member, public or organization (optional)
    """
    body = _body(who, one(data))
    wanted, capacity = text(data, "object_type"), text(data, "capacity")
    rows: list[tuple[str, str, str]] = []
    if wanted == "user" and who.account_id is None:
        raise Unauthenticated("sign in or send an API key to do this")
    if wanted in ("", "user") and who.account_id is not None:
        rows += [(account.id, "user", CAPACITIES[role]) for account, role in members.of(body)]
    if wanted in ("", "package"):
        held_as = "organization" if isinstance(body, Organization) else "public"
        seen = members.datasets_seen(who, body)
        rows += [(dataset_id, "package", held_as) for dataset_id in seen]
    return [
        (object_id, kind, _TITLES.get(held_as, held_as))
        for object_id, kind, held_as in rows
        if capacity in ("", held_as)
    ]


@action()
def member_create(who: Identity, data: dict[str, Any]) -> Any:
    """Make an object a member of a group or an organization, or give it another capacity.

    :param id: the id or name of the group or organization
    :param object: the id or name of the user, of the package (groups), or of the organization above
    :param object_type: user, package or group
    :param capacity: admin, editor or member; public for packages
    """
    signed_in(who, "member_create")
    name, object_name, kind, capacity = required(data, "id", "object", "object_type", "capacity")
    body = _body(who, name)
    _check_type(kind)
    if kind == "user":
        object_id = _add_user(who, body, object_name, capacity)
    elif kind == "package" and isinstance(body, Group):
        dataset = package_writes.there(who, object_name)
        members.add_dataset(who, body, dataset)
        object_id = dataset.id
    elif kind == "group" and isinstance(body, Organization):
        object_id = bodies.found(who, Organization, object_name, said=bodies.MISSING).id
        services.change(who, body, BodyDraft(parents=(object_id,)))
    else:
        refuse("object_type", f"Cannot be a member of this: {kind[:40]}")
    return _member(body, kind, object_id, capacity)


@action()
def member_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Remove an object from a group or an organization.

    :param id: the id or name of the group or organization
    :param object: the id or name of the object
    :param object_type: user, package or group
    """
    signed_in(who, "member_delete")
    name, object_name, kind = required(data, "id", "object", "object_type")
    body = _body(who, name)
    _check_type(kind)
    if kind == "user":
        account = members.account_named(object_name)
        if account is None:
            raise NotFound("User was not found.")
        members.remove(who, body, account)
    elif kind == "package" and isinstance(body, Group):
        members.remove_dataset(who, body, package_writes.there(who, object_name))
    elif kind == "group" and isinstance(body, Organization):
        services.change(who, body, BodyDraft(parents=()))
    else:
        refuse("object_type", f"Cannot be a member of this: {kind[:40]}")


@action()
def organization_member_create(who: Identity, data: dict[str, Any]) -> Any:
    """Make a user a member of an organization. You must be an admin of it.

    :param id: the id or name of the organization
    :param username: the name or id of the user
    :param role: member, editor or admin
    """
    signed_in(who, "organization_member_create")
    return _joined(who, Organization, data)


@action()
def group_member_create(who: Identity, data: dict[str, Any]) -> Any:
    """Make a user a member of a group. You must be an admin of it.

    :param id: the id or name of the group
    :param username: the name or id of the user
    :param role: member or admin
    """
    signed_in(who, "group_member_create")
    return _joined(who, Group, data)


@action()
def organization_member_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Remove a user from an organization. You must be an admin of it.

    :param id: the id or name of the organization
    :param username: the name or id of the user
    """
    signed_in(who, "organization_member_delete")
    _left(who, Organization, data)


@action()
def group_member_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Remove a user from a group. You must be an admin of it.

    :param id: the id or name of the group
    :param username: the name or id of the user
    """
    signed_in(who, "group_member_delete")
    _left(who, Group, data)


def _check_type(kind: str) -> None:
    if kind not in TYPES:
        message(f"{kind[:40].title()} isn't a valid model")


def _add_user(who: Identity, body: Body, name: str, capacity: str) -> str:
    role = ROLES.get(capacity)
    if role is None:
        refuse("capacity", "role does not exist.")
    account = members.account_named(name)
    if account is None:
        raise NotFound("User was not found.")
    members.add(who, body, account, role)
    return account.id


def _joined(who: Identity, kind: type[Body], data: Mapping[str, Any]) -> dict[str, Any]:
    problems = {
        name: [MISSING] for name in ("id", "username", "role") if data.get(name) in (None, "")
    }
    body = services.find(kind, text(data, "id")) if "id" not in problems else None
    if body is None:
        problems.setdefault("id", ["That group name or ID does not exist."])
    else:
        require(who, services.WRITE[kind], body)
    account = members.account_named(text(data, "username"))
    if account is None:
        problems.setdefault("username", ["User not found"])
    role = ROLES.get(text(data, "role"))
    if role is None:
        problems.setdefault("role", ["role does not exist."])
    if body is None or account is None or role is None:
        if not who.administrator and body is None:
            require(who, Action.PORTAL_OPERATE)  # whether it is there is not for everybody
        raise Refused(problems)
    members.add(who, body, account, role)
    return _member(body, "user", account.id, CAPACITIES[role])


def _left(who: Identity, kind: type[Body], data: Mapping[str, Any]) -> None:
    body = bodies.found(who, kind, one(data))
    name = text(data, "username") or text(data, "user_id")
    if not name:
        message("username is missing")
    account = members.account_named(name)
    if account is None:
        raise NotFound("User was not found.")
    members.remove(who, body, account)


def _body(who: Identity, name: str) -> Body:
    """The organization or the group with this id or name."""
    kind: type[Body] = Organization if services.find(Organization, name) else Group
    return bodies.found(who, kind, name, said=bodies.MISSING)


def _member(body: Body, kind: str, object_id: str, capacity: str) -> dict[str, Any]:
    return {
        "id": str(uuid5(NAMESPACE_URL, f"member:{body.id}:{kind}:{object_id}")),
        "table_name": kind,
        "table_id": object_id,
        "capacity": capacity,
        "group_id": body.id,
        "state": "active",
    }
