"""Users, our accounts: `user_list`, `user_show`, `user_create` and their kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import g

from api.ckan import bodies, dictized
from api.ckan.errors import Refused
from api.ckan.given import MISSING, flag, message, natural, one, text
from api.ckan.registry import action, signed_in
from api.ckan.user_dicts import ROLES, may_see_email, name_of, user
from api.ckan.user_drafts import email_faults, profile_draft
from catalog.errors import Denied, NotFound
from catalog.permissions import Action, Identity, require
from catalog.schemas.account import KeyDraft, normalized_email
from catalog.services import account_profiles, dataset_lists, follows, keys, members
from catalog.services import bodies as body_services
from catalog.services.bodies import Group, Organization

if TYPE_CHECKING:
    from catalog.models.account import Account

MOST_DATASETS = 50
ORDERS = ("id", "name", "fullname", "display_name", "created", "about", "sysadmin")


def found(name: str) -> Account:
    """The account with this id or name, unless it is closed."""
    account = members.account_named(name)
    if account is None:
        raise NotFound("User not found")
    return account


@action(safe=True)
def user_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return a list of the site's user accounts. Needs a key.

    :param q: text that stands in the name (optional)
    :param email: the e-mail address (optional, for administrators)
    :param order_by: name, fullname, display_name, created, about, sysadmin, id or number_created_packages
    :param all_fields: dictionaries instead of names (default: True)
    """
    signed_in(who, "user_list")
    email = text(data, "email")
    if email:
        require(who, Action.ACCOUNT_MANAGE)
    order = text(data, "order_by", "display_name")
    if order == "edits":
        message("order_by=edits is no longer supported")
    rows = account_profiles.listed(words=text(data, "q").strip(), email=email)
    told = [user(who, account, packages=number) for account, number in rows]
    if order in (*ORDERS, "number_created_packages"):
        told.sort(key=lambda item: (_key(item[order]), item["name"]))
    if not flag(data, "all_fields", default=True):
        return [item["name"] for item in told]
    return told


@action(safe=True)
def user_show(who: Identity, data: dict[str, Any]) -> Any:
    """Return a user account. Needs a key; e-mail addresses are told to oneself and administrators only.

    :param id: the id or name of the user (default: yourself)
    :param include_datasets: datasets that the user has created, at most 50
    :param include_num_followers: how many followers the user has
    :param include_password_hash: for administrators; the hash is always empty
    """
    signed_in(who, "user_show")
    account = found(text(data, "id") or who.account_id or "")
    if not account.active and not who.administrator:
        raise NotFound("User not found")
    everything = may_see_email(who, account)
    wanted = MOST_DATASETS if flag(data, "include_datasets") else 0
    number, rows = dataset_lists.made_by(account.id, limit=wanted, everything=everything)
    told = user(who, account, packages=number)
    if wanted:
        told["datasets"] = dictized.packages(who, rows)
    if who.administrator and flag(data, "include_password_hash"):
        told["password_hash"] = ""  # hashes stay here: elsewhere a password is set anew
    if flag(data, "include_num_followers"):
        told["num_followers"] = follows.count_of("account", account.id)
    return told


@action()
def user_create(who: Identity, data: dict[str, Any]) -> Any:
    """Create a new user. For administrators; people register themselves on the portal's pages.

    :param name: 2 to 100 lower-case letters, digits, - and _
    :param email: the e-mail address
    :param password: at least 10 characters
    :param password_hash: in the place of a password: the account has none until it is set anew (optional)
    :param id: its id, a UUID (optional)
    :param fullname, about, image_url: texts (optional)
    :param sysadmin: whether it is an administrator of the portal (optional)
    :param with_apitoken: also make an API token, told as `token` this once (optional)
    """
    signed_in(who, "user_create")
    require(who, Action.ACCOUNT_MANAGE)
    draft, own_id = profile_draft(who, data)
    account = account_profiles.create(who, draft, own_id=own_id)
    told = {**user(who, account), "email": account.email}
    if flag(data, "with_apitoken"):
        told["token"] = keys.create(who, KeyDraft("default"), account=account).secret
    return told


@action()
def user_update(who: Identity, data: dict[str, Any]) -> Any:
    """Update a user account: your own, or as an administrator any.

    :param id: the id or name of the user
    :param email: the e-mail address
    :param name, password, fullname, about, image_url, sysadmin, state: see user_create (optional)
    """
    signed_in(who, "user_update")
    account = _own(who, data, "user_update")
    draft, _ = profile_draft(who, data, account)
    account_profiles.change(who, account, draft)
    return user(who, account)


@action()
def user_patch(who: Identity, data: dict[str, Any]) -> Any:
    """Patch a user account: what is not given stays as it is.

    :param id: the id or name of the user
    """
    signed_in(who, "user_patch")
    account = _own(who, data, "user_patch")
    draft, _ = profile_draft(who, {"email": account.email, **data}, account)
    account_profiles.change(who, account, draft)
    return user(who, account)


@action()
def user_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Delete a user: the account is closed and belongs to nothing. For administrators.

    :param id: the id or name of the user
    """
    signed_in(who, "user_delete")
    require(who, Action.ACCOUNT_MANAGE)
    name = one(data)
    account = members.account_named(name)
    if account is None:
        raise NotFound('User "%(name)s" was not found.', name=name[:120])
    account_profiles.close(who, account)


@action()
def user_invite(who: Identity, data: dict[str, Any]) -> Any:
    """Invite a new user to an organization or a group that you are an admin of; they get a mail.

    :param email: the e-mail address of the user
    :param group_id: the id or name of the organization or group
    :param role: member, editor or admin
    """
    signed_in(who, "user_invite")
    problems = {name: [MISSING] for name in ("group_id", "role") if not data.get(name)}
    body = _inviting(text(data, "group_id")) if "group_id" not in problems else None
    if body is not None:  # which addresses are known here is not for everybody
        require(who, body_services.WRITE[type(body)], body)
    email = normalized_email(text(data, "email"))
    faults = email_faults(email) if body is not None or not email else []
    if faults:
        problems["email"] = faults
    role = ROLES.get(text(data, "role"))
    if role is None and "role" not in problems:
        problems["role"] = ["role does not exist."]
    if problems or role is None or body is None:
        raise Refused(problems)
    return user(who, account_profiles.invite(who, email, body, role, language=g.lang))


@action(safe=True)
def user_autocomplete(who: Identity, data: dict[str, Any]) -> Any:
    """Return a list of users whose name contains a string. Needs a key.

    :param q: the string to search for
    :param limit: at most so many (default: 20)
    :param ignore_self: leave yourself out
    """
    signed_in(who, "user_autocomplete")
    if data.get("q") is None:
        one(data, "q")
    limit, but = natural(data, "limit", 20), flag(data, "ignore_self")
    rows = account_profiles.listed(words=text(data, "q").strip(), limit=limit + but)
    others = [account for account, _ in rows if not (but and account.id == who.account_id)]
    return [
        {"id": account.id, "name": name_of(account), "fullname": account.name}
        for account in others[:limit]
    ]


def _key(value: Any) -> str:
    return f"{value:012d}" if isinstance(value, int) else str(value or "").casefold()


def _own(who: Identity, data: Mapping[str, Any], name: str) -> Account:
    account = members.account_named(one(data))
    if account is None:
        raise NotFound("User was not found.")
    if not may_see_email(who, account):
        raise Denied(f"Action {name} is for the user itself and administrators")
    return account


def _inviting(name: str) -> Organization | Group:
    for kind in (Organization, Group):
        body = body_services.find(kind, name)
        if body is not None and body.deleted_at is None:
            return body
    return bodies.found(Identity(), Organization, name)
