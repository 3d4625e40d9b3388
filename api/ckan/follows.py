"""Following: `follow_dataset`, `am_following_user`, `group_follower_count`, `followee_list` and their kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from api.ckan import bodies, dictized, packages
from api.ckan.errors import Refused
from api.ckan.given import message, one, refuse, text
from api.ckan.registry import action, register_as, signed_in
from api.ckan.user_dicts import user
from catalog.errors import NotFound
from catalog.permissions import Action as Right
from catalog.permissions import Identity, require
from catalog.services import bodies as body_services
from catalog.services import dataset_lists, follows, members
from catalog.services.bodies import Group, Organization

if TYPE_CHECKING:
    from catalog.models.account import Account

LISTED = {
    "user": "account",
    "dataset": "dataset",
    "group": "theme",
    "organization": "organization",
}

_BODIES: dict[str, type[Group | Organization]] = {"group": Group, "organization": Organization}


@action()
def follow_user(who: Identity, data: dict[str, Any]) -> Any:
    """Start following another user.

    :param id: the id or name of the user to follow
    """
    signed_in(who, "follow_user")
    target = _wanted(who, "user", data, "user to follow")
    if target[1] == who.account_id:
        message("You cannot follow yourself")
    return _followed(who, target)


@action()
def follow_dataset(who: Identity, data: dict[str, Any]) -> Any:
    """Start following a dataset.

    :param id: the id or name of the dataset to follow
    """
    signed_in(who, "follow_dataset")
    return _followed(who, _wanted(who, "dataset", data, "dataset to follow"))


@action()
def follow_group(who: Identity, data: dict[str, Any]) -> Any:
    """Start following a group or an organization.

    :param id: the id or name of the group or organization to follow
    """
    signed_in(who, "follow_group")
    return _followed(who, _wanted(who, "group", data, "group to follow"))


@action()
def unfollow_user(who: Identity, data: dict[str, Any]) -> Any:
    """Stop following a user.

    :param id: the id or name of the user
    """
    signed_in(who, "unfollow_user")
    follows.unfollow(who, *_wanted(who, "user", data, "object to unfollow"))


@action()
def unfollow_dataset(who: Identity, data: dict[str, Any]) -> Any:
    """Stop following a dataset.

    :param id: the id or name of the dataset
    """
    signed_in(who, "unfollow_dataset")
    follows.unfollow(who, *_wanted(who, "dataset", data, "object to unfollow"))


@action()
def unfollow_group(who: Identity, data: dict[str, Any]) -> Any:
    """Stop following a group or an organization.

    :param id: the id or name of the group or organization
    """
    signed_in(who, "unfollow_group")
    follows.unfollow(who, *_wanted(who, "group", data, "object to unfollow"))


@action(safe=True)
def followee_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return the list of objects that are followed by a user. For the user and administrators.

    :param id: the id of the user
    :param q: with what their names begin (optional)
    """
    account = _follower(who, data)
    listed: list[dict[str, Any]] = [
        {"type": kind, "display_name": _display_name(told), "dict": told}
        for kind in LISTED
        for told in _followees(who, account, kind)
    ]
    listed.sort(key=lambda item: item["display_name"])
    q = text(data, "q").strip().lower()
    return [item for item in listed if item["display_name"].strip().lower().startswith(q)]


@action(safe=True)
def followee_count(who: Identity, data: dict[str, Any]) -> Any:
    """Return the number of objects that are followed by a user.

    :param id: the id of the user
    """
    account = _account(data)
    return sum(_followee_count(who, account, kind) for kind in LISTED)


def _make_counts(kind: str) -> None:
    def count(who: Identity, data: dict[str, Any]) -> Any:
        return follows.count_of(*_target(who, kind, data))

    def am_following(who: Identity, data: dict[str, Any]) -> Any:
        signed_in(who, f"am_following_{kind}")
        return follows.is_following(who, *_target(who, kind, data))

    def followers(who: Identity, data: dict[str, Any]) -> Any:
        signed_in(who, f"{kind}_follower_list")
        require(who, Right.ACCOUNT_MANAGE)
        told = [user(who, account) for account in follows.followers(*_target(who, kind, data))]
        return sorted(told, key=lambda item: item["name"])

    asked = f":param id: the id or name of the {kind}"
    explained = f"Return the number of followers of a {kind}.\n\n{asked}"
    register_as(f"{kind}_follower_count", explained, count, safe=True)
    register_as(
        f"{kind}_follower_list",
        f"Return the list of users that are following a {kind}. For administrators.\n\n{asked}",
        followers,
        safe=True,
    )
    if kind != "organization":
        register_as(
            f"am_following_{kind}",
            f"Return True if you're following the given {kind}, False if not.\n\n{asked}",
            am_following,
            safe=True,
        )


def _make_followees(kind: str) -> None:
    def listed(who: Identity, data: dict[str, Any]) -> Any:
        return _followees(who, _follower(who, data), kind)

    def count(who: Identity, data: dict[str, Any]) -> Any:
        return _followee_count(who, _account(data), kind)

    asked = ":param id: the id of the user"
    register_as(
        f"{kind}_followee_list",
        f"Return the {kind}s that are followed by a user. For the user and administrators.\n\n{asked}",
        listed,
        safe=True,
    )
    explained = f"Return the number of {kind}s that are followed by a user.\n\n{asked}"
    register_as(f"{kind}_followee_count", explained, count, safe=True)


for _kind in LISTED:
    _make_counts(_kind)
    _make_followees(_kind)


def _followed(who: Identity, target: tuple[str, str]) -> dict[str, Any]:
    row = follows.follow(who, *target)
    return {
        "follower_id": row.account_id,
        "object_id": row.object_id,
        "datetime": dictized.moment(row.created_at),
    }


def _wanted(who: Identity, kind: str, data: Mapping[str, Any], thing: str) -> tuple[str, str]:
    """What shall be followed, or no longer; what is wrong with its name is not told by field there."""
    try:
        return _target(who, kind, data)
    except Refused as error:
        raise Refused({"message": f"Error validating the schema of the {thing}."}) from error


def _target(who: Identity, kind: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """Our kind and the id of what is named; what is not there is wrong by its field, as in CKAN."""
    name = one(data)
    if kind == "user":
        account = members.account_named(name)
        if account is not None and account.active:
            return "account", account.id
        raise Refused({"id": ["Not found: User"]})
    if kind == "dataset":
        try:
            return "dataset", packages.found(who, name).id
        except NotFound as error:
            raise Refused({"id": ["Not found: Dataset"]}) from error
    for body_kind in (Group, Organization) if kind == "group" else (Organization,):
        body = body_services.find(body_kind, name)
        if body is not None:
            return body_services.KINDS[body_kind], bodies.found(who, body_kind, name).id
    raise Refused({"id": ["Not found: Group"]})


def _account(data: Mapping[str, Any]) -> Account:
    account = members.account_named(one(data))
    if account is None:
        refuse("id", "Not found: User")
    return account


def _follower(who: Identity, data: Mapping[str, Any]) -> Account:
    """The account whose follows are asked for, by itself or an administrator."""
    signed_in(who, "followee_list")
    account = _account(data)
    require(who, Right.ACCOUNT_READ, account)
    return account


def _followee_count(who: Identity, account: Account, kind: str) -> int:
    """How many there are in the list of `_followees`."""
    ids = [object_id for _, object_id in follows.followed(account.id, [LISTED[kind]])]
    if kind == "dataset" and ids:
        return dataset_lists.count(who, dataset_lists.of_ids(ids))
    if kind == "user":
        return len(members.accounts_of(ids))
    return len(body_services.of_ids(_BODIES[kind], ids)) if kind in _BODIES else 0


def _followees(who: Identity, account: Account, kind: str) -> list[dict[str, Any]]:
    ids = [object_id for _, object_id in follows.followed(account.id, [LISTED[kind]])]
    if not ids:
        return []
    if kind == "user":
        told = [user(who, one_of) for one_of in members.accounts_of(ids)]
    elif kind == "dataset":
        rows = dataset_lists.listed(who, dataset_lists.of_ids(ids), limit=follows.MOST)
        told = dictized.packages(who, rows)
    else:
        told = [bodies.own_fields(body) for body in body_services.of_ids(_BODIES[kind], ids)]
    return told


def _display_name(told: Mapping[str, Any]) -> str:
    names = (told.get("display_name"), told.get("fullname"), told.get("title"), told.get("name"))
    return next((str(name) for name in names if name), "")
