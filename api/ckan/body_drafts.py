"""CKAN's dictionaries of organizations and groups → drafts, judged by CKAN's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from api.ckan.errors import Refused
from api.ckan.given import MISSING, objects, text, uuid_of
from api.ckan.names import extras_of, fault_of_name
from api.ckan.texts import language_of
from api.ckan.user_dicts import ROLES
from catalog.models.vocabulary import MemberRole
from catalog.permissions import Identity
from catalog.schemas.bodies import BodyDraft
from catalog.services import bodies, dataset_lists, members
from catalog.services.bodies import Group, Organization

Body = Organization | Group
FIELDS = ("id", "name", "title", "description", "image_url", "type", "state", "extras", "users")
LONGEST = {"title": 1_000, "description": 100_000, "image_url": 2_000}


def draft_of(
    who: Identity,
    kind: type[Body],
    data: Mapping[str, Any],
    body: Body | None = None,
    *,
    whole: bool = True,
) -> tuple[BodyDraft, str]:
    """The draft, and the id that is wanted for a new one; raises Refused naming every field that is wrong.

    With `whole` extras that are not given are removed, as CKAN's updates do.
    """
    problems: dict[str, Any] = {}
    own_id = _own_id(who, kind, data, problems) if body is None else ""
    slug = _name(kind, data, body, problems)
    draft = BodyDraft(
        slug=slug,
        title=_text(data, "title", body.title if body else {}, slug, problems),
        description=_text(data, "description", body.description if body else {}, None, problems),
        image_url=_plain(data, "image_url", problems),
        closed=_closed(data),
    )
    if "extras" in data or whole:
        extras, faults = extras_of(data.get("extras") or [], FIELDS)
        draft = replace(draft, extras=extras)
        if faults:
            problems["extras"] = faults
    draft = _with_lists(kind, data, draft, problems)
    if problems:
        raise Refused(problems)
    return draft, own_id


def _own_id(
    who: Identity, kind: type[Body], data: Mapping[str, Any], problems: dict[str, Any]
) -> str:
    wanted = text(data, "id")
    if not wanted:
        return ""
    if not who.administrator:
        problems["id"] = ["The input field id was not expected."]
    elif not (own_id := uuid_of(wanted)):
        problems["id"] = ["Invalid id provided"]
    elif bodies.known_id(kind, own_id):
        problems["id"] = ["Id already exists"]
    else:
        return own_id
    return ""


def _name(
    kind: type[Body], data: Mapping[str, Any], body: Body | None, problems: dict[str, Any]
) -> str:
    if body is not None and data.get("name") is None:
        return body.slug
    name = data.get("name", "")
    fault = fault_of_name(name if name is not None else "")
    if not fault and bodies.taken(kind, name, but=body.id if body else None):
        fault = "Group name already exists in database"
    if fault:
        problems["name"] = [fault]
    return str(name)


def _text(
    data: Mapping[str, Any],
    name: str,
    before: Mapping[str, str],
    instead: str | None,
    problems: dict[str, Any],
) -> dict[str, str] | None:
    """The text in the caller's language beside those in others; None where it stays.

    A title that is empty is the name: nothing in the portal is without one.
    """
    given = _plain(data, name, problems)
    if given is None:
        return None if before or instead is None else {language_of(instead, {}): instead}
    if not given and instead is not None:
        return {language_of(instead, {}): instead}
    return {**before, language_of(given, before): given}


def _plain(data: Mapping[str, Any], name: str, problems: dict[str, Any]) -> str | None:
    if data.get(name) is None:
        return None
    given = text(data, name).strip()
    if len(given) > LONGEST[name]:
        problems[name] = [f"Must be a maximum of {LONGEST[name]} characters long"]
    if name == "image_url" and given and not given.startswith(("http://", "https://")):
        problems[name] = ["Please provide a valid URL"]
    return given


def _closed(data: Mapping[str, Any]) -> bool | None:
    return {"deleted": True, "active": False}.get(text(data, "state"))


def _with_lists(
    kind: type[Body], data: Mapping[str, Any], draft: BodyDraft, problems: dict[str, Any]
) -> BodyDraft:
    """The draft with the members, the parents and the datasets that are given."""
    if data.get("users") is not None:
        draft = replace(draft, members=_members(data, problems))
    if kind is Organization and data.get("groups") is not None:
        draft = replace(draft, parents=_parents(data, problems))
    if kind is Group and data.get("packages") is not None:
        draft = replace(draft, datasets=_datasets(data, problems))
    return draft


def _members(data: Mapping[str, Any], problems: dict[str, Any]) -> dict[str, MemberRole]:
    """Members by their ids; names that nobody has are passed over, as CKAN does."""
    wanted: dict[str, MemberRole] = {}
    for item in objects(data, "users"):
        name = item.get("id") or item.get("name")
        if not isinstance(name, str) or not name:
            problems["users"] = [{"name": [MISSING]}]
            continue
        account = members.account_named(name)
        role = ROLES.get(str(item.get("capacity") or "member"), MemberRole.MEMBER)
        if account is not None:
            wanted[account.id] = role
    return wanted


def _parents(data: Mapping[str, Any], problems: dict[str, Any]) -> tuple[str, ...]:
    found = []
    for item in objects(data, "groups"):
        name = item.get("name") or item.get("id")
        if not isinstance(name, str) or not name:
            problems["groups"] = [{"name": [MISSING]}]
            continue
        parent = bodies.find(Organization, name)
        if parent is None or parent.deleted_at is not None:
            problems["groups"] = [{"name": [f"Group not found: {name[:120]}"]}]
        else:
            found.append(parent.id)
    return tuple(found)


def _datasets(data: Mapping[str, Any], problems: dict[str, Any]) -> tuple[str, ...]:
    names = [str(item.get("id") or item.get("name") or "") for item in objects(data, "packages")]
    known = dataset_lists.ids_named(names)
    if any(name not in known for name in names):
        problems["packages"] = [
            {} if name in known else {"id": ["Dataset not found"]} for name in names
        ]
    return tuple(dict.fromkeys(known[name] for name in names if name in known))
