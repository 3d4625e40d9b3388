"""API tokens, our keys: `api_token_create`, `api_token_list`, `api_token_revoke`."""

from __future__ import annotations

from typing import Any

from api.ckan.dictized import moment
from api.ckan.given import one, refuse, required, text
from api.ckan.registry import action, signed_in
from api.ckan.users import found
from catalog.errors import Denied
from catalog.permissions import Identity
from catalog.schemas.account import KeyDraft
from catalog.services import keys

LONGEST = 100


@action()
def api_token_create(who: Identity, data: dict[str, Any]) -> Any:
    """Create a new API token for yourself, or as an administrator for anybody. It is told this once.

    :param user: the name or id of the user
    :param name: what the token is called
    """
    signed_in(who, "api_token_create")
    user, name = required(data, "user", "name")
    account = found(user)
    if len(name) > LONGEST:
        refuse("name", f"Must be a maximum of {LONGEST} characters long")
    made = keys.create(who, KeyDraft(name), account=account)
    return {"token": made.secret, "id": made.key.id}


@action(safe=True)
def api_token_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return a list of all API tokens in use of a user, from oldest to newest, without their secrets.

    :param user_id: the name or id of the user
    """
    signed_in(who, "api_token_list")
    name = text(data, "user_id") or text(data, "user") or one(data, "user_id")
    rows = keys.all_of(who, found(name))
    return [
        {
            "id": key.id,
            "name": key.name,
            "user_id": key.account_id,
            "created_at": moment(key.created_at),
            "last_access": moment(key.last_used_at),
        }
        for key in sorted(rows, key=lambda key: (key.created_at, key.id))
        if key.revoked_at is None
    ]


@action()
def api_token_revoke(who: Identity, data: dict[str, Any]) -> Any:
    """Revoke an API token: it ends now.

    :param token: the token itself
    :param jti: the id of the token; overrides `token`
    """
    signed_in(who, "api_token_revoke")
    key_id = text(data, "jti")
    key = keys.known(key_id) if key_id else keys.of_secret(one(data, "token"))
    if key is None or (key.account_id != who.account_id and not who.administrator):
        if who.administrator:
            return
        raise Denied("your account may not do this")
    keys.revoke(who, key.id)
