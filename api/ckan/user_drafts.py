"""CKAN's dictionaries of users → drafts of accounts, judged by CKAN's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask_babel import gettext

from api.ckan.errors import Refused
from api.ckan.given import MISSING, text, uuid_of
from api.ckan.names import fault_of_name
from api.ckan.validators import YES
from catalog.permissions import Identity
from catalog.schemas.account import EMAIL, SHORTEST_PASSWORD, normalized_email, weakness
from catalog.services import account_names, account_profiles, members
from catalog.services.account_profiles import ProfileDraft

if TYPE_CHECKING:
    from catalog.models.account import Account

_TAKEN = "The username is already associated with another account. Please use a different username."
LONGEST = {"fullname": 100, "about": 2_000, "image_url": 2_000}


def profile_draft(
    who: Identity, data: Mapping[str, Any], account: Account | None = None
) -> tuple[ProfileDraft, str]:
    """The draft of an account, and the id that is wanted for a new one; raises Refused naming all that is wrong."""
    problems: dict[str, Any] = {}
    slug = _name(who, data, account, problems)
    email = normalized_email(text(data, "email"))
    faults = email_faults(email, but=account.id if account else "")
    if faults:
        problems["email"] = faults
    fullname = _short(data, "fullname", problems)
    draft = ProfileDraft(
        slug=slug,
        email=email,
        name=fullname if fullname or account else slug,
        password=_password(data, email, fullname or "", account, problems),
        about=_about(data, problems),
        image_url=_image(data, problems),
        administrator=_administrator(who, data, account, problems),
        active=_active(who, data),
    )
    own_id = _own_id(who, data, problems) if account is None else ""
    if problems:
        raise Refused(problems)
    return draft, own_id


def email_faults(email: str, *, but: str = "") -> list[str]:
    """What is wrong with the address of an account."""
    if not email:
        return [MISSING]
    if len(email) > 254 or not EMAIL.fullmatch(email):
        return [f"Email {email} is not a valid format"]
    if account_profiles.email_taken(email, but=but):
        return [f"The email address '{email}' belongs to a registered user."]
    return []


def _name(
    who: Identity, data: Mapping[str, Any], account: Account | None, problems: dict[str, Any]
) -> str | None:
    if account is not None and data.get("name") in (None, account.slug, account.id):
        return None
    name = data.get("name")
    fault = fault_of_name("" if name is None else name)
    if not fault and account_names.taken(str(name), but=account.id if account else ""):
        fault = _TAKEN
    if not fault and account is not None and account.slug and not who.administrator:
        fault = "That login name can not be modified."
    if fault:
        problems["name"] = [fault]
    return str(name)


def _password(
    data: Mapping[str, Any],
    email: str,
    fullname: str,
    account: Account | None,
    problems: dict[str, Any],
) -> str | None:
    given = data.get("password")
    if given is None or given == "":
        if account is None and data.get("password_hash") is None:
            problems["password"] = [MISSING]
        return None
    if not isinstance(given, str):
        problems["password"] = ["Passwords must be strings"]
    elif len(given) < SHORTEST_PASSWORD:
        problems["password"] = [f"Your password must be {SHORTEST_PASSWORD} characters or longer"]
    else:
        weak = weakness(given, email, fullname)
        if weak:
            problems["password"] = [gettext(weak)]
    return str(given)


def _short(data: Mapping[str, Any], name: str, problems: dict[str, Any]) -> str | None:
    if data.get(name) is None:
        return None
    given = text(data, name).strip()
    if len(given) > LONGEST[name]:
        problems[name] = [f"Must be a maximum of {LONGEST[name]} characters long"]
    return given


def _about(data: Mapping[str, Any], problems: dict[str, Any]) -> str | None:
    about = _short(data, "about", problems)
    if about and ("http://" in about or "https://" in about):
        problems["about"] = [
            "Edit not allowed as it looks like spam. Please avoid links in your description."
        ]
    return about


def _image(data: Mapping[str, Any], problems: dict[str, Any]) -> str | None:
    image = _short(data, "image_url", problems)
    if image and not image.startswith(("http://", "https://")):
        problems["image_url"] = ["Please provide a valid URL"]
    return image


def _administrator(
    who: Identity, data: Mapping[str, Any], account: Account | None, problems: dict[str, Any]
) -> bool | None:
    """What only administrators may say, and is passed over from others; none of themselves."""
    if not who.administrator or data.get("sysadmin") is None:
        return None
    wanted = str(data["sysadmin"]).lower() in YES
    if account is not None and account.id == who.account_id and not wanted:
        problems["sysadmin"] = ["Cannot modify your own sysadmin privileges"]
    return wanted


def _active(who: Identity, data: Mapping[str, Any]) -> bool | None:
    if not who.administrator:
        return None
    return {"active": True, "deleted": False}.get(text(data, "state"))


def _own_id(who: Identity, data: Mapping[str, Any], problems: dict[str, Any]) -> str:
    wanted = text(data, "id")
    if not wanted or not who.administrator:
        return ""
    if members.account_named(uuid_of(wanted) or wanted) is not None:
        return ""  # as CKAN does: the new account gets an id of its own
    if not uuid_of(wanted):
        problems["id"] = ["Invalid id provided"]
    return uuid_of(wanted)
