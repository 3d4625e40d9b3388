"""What CKAN's actions on organizations and on groups have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import g

from api.ckan import dictized, user_dicts
from api.ckan.body_drafts import draft_of
from api.ckan.given import MOST, flag, message, natural, one, refuse, text, texts
from catalog.errors import Denied, NotFound, Unauthenticated
from catalog.models.text import pick
from catalog.permissions import Identity, allowed
from catalog.search.analysis import spelled
from catalog.services import bodies, dataset_lists, follows, members
from catalog.services.bodies import Group, Organization

Body = Organization | Group
MOST_WITH_ALL = 25
"""Longest page of a list with all fields, as in CKAN."""
MOST_DATASETS = 10
MISSING = "Group was not found."
"""What CKAN says of organizations too."""
SORTS = ("name", "packages", "package_count", "title")


@dataclass(frozen=True)
class Includes:
    """What of a body is told besides its own fields."""

    datasets: bool = False
    count: bool = True
    users: bool = True
    groups: bool = True
    extras: bool = True
    followers: bool = True
    member_count: bool = False


def called(kind: type[Body]) -> str:
    """`organization` or `group`."""
    return "organization" if kind is Organization else "group"


def found(who: Identity, kind: type[Body], name: str, *, said: str = "") -> Body:
    """The one with this id or name; raises NotFound, and Denied for a closed one, in CKAN's words."""
    try:
        return bodies.show(who, kind, name)
    except NotFound as error:
        raise NotFound(said) from error
    except Denied as error:
        raise Denied(
            "User %(name)s not authorized to read group %(id)s", name=who.name, id=name[:120]
        ) from error


def names(who: Identity, kind: type[Body], data: Mapping[str, Any]) -> Any:
    """`organization_list` and `group_list`."""
    whole = flag(data, "all_fields")
    most = MOST_WITH_ALL if whole else MOST
    limit, offset = natural(data, "limit", most, most=most), natural(data, "offset", 0, most=10**9)
    if text(data, "type", called(kind)) != called(kind):
        return []
    wanted = texts(data, "groups") or (texts(data, "organizations") if kind is Organization else [])
    every = bodies.everyone(kind, words=text(data, "q"), names=wanted)
    field, down = _order(data)
    counts = _counts(who, kind) if whole or field == "package_count" else {}
    page = _sorted(every, counts, field, down=down)[offset : offset + (limit or most)]
    if not whole:
        return [body.slug for body in page]
    asked = Includes(
        datasets=flag(data, "include_datasets"),
        count=flag(data, "include_dataset_count", default=True),
        users=_users_wanted(who, data, default=False),
        groups=flag(data, "include_groups"),
        extras=flag(data, "include_extras"),
        followers=flag(data, "include_followers"),
        member_count=flag(data, "include_member_count"),
    )
    return [described(who, body, asked, counts) for body in page]


def shown(who: Identity, kind: type[Body], data: Mapping[str, Any]) -> dict[str, Any]:
    """`organization_show` and `group_show`."""
    body = found(who, kind, one(data))
    asked = Includes(
        datasets=flag(data, "include_datasets"),
        count=flag(data, "include_dataset_count", default=True),
        users=_users_wanted(who, data, default=who.account_id is not None),
        groups=flag(data, "include_groups", default=True),
        extras=flag(data, "include_extras", default=True),
        followers=flag(data, "include_followers", default=True),
        member_count=flag(data, "include_member_count"),
    )
    return described(who, body, asked)


def described(
    who: Identity, body: Body, asked: Includes, counts: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """The body with what was asked for."""
    told = own_fields(body)
    if asked.datasets or asked.count:
        told |= _with_datasets(who, body, asked, counts)
    if asked.extras:
        extras = sorted((body.extras or {}).items())
        told["extras"] = [{"key": key, "value": value} for key, value in extras]
    if asked.groups:
        told["groups"] = _parents(body)
    rows = members.of(body) if asked.users or asked.member_count else []
    if asked.users:
        made = dataset_lists.counts_by_maker([account.id for account, _ in rows])
        told["users"] = user_dicts.members(who, rows, made)
    if asked.member_count:
        told["member_count"] = len(rows)
    kind = "organization" if isinstance(body, Organization) else "theme"
    told["num_followers"] = follows.count_of(kind, body.id) if asked.followers else 0
    return told


def own_fields(body: Body) -> dict[str, Any]:
    """The fields of a body itself."""
    title = dictized.text_of(body.title)
    kind = called(type(body))
    return {
        "id": body.id,
        "name": body.slug,
        "title": title,
        "display_name": title or body.slug,
        "description": dictized.text_of(body.description),
        "type": kind,
        "is_organization": kind == "organization",
        "approval_status": "approved",
        "state": "active" if body.deleted_at is None else "deleted",
        "created": dictized.moment(body.created_at),
        "image_url": body.image_url,
        "image_display_url": body.image_url,
        "tags": [],
    }


def brief(body: Body) -> dict[str, Any]:
    """What an autocompletion tells."""
    return {"id": body.id, "name": body.slug, "title": dictized.text_of(body.title)}


def completed(who: Identity, kind: type[Body], data: Mapping[str, Any]) -> list[dict[str, Any]]:  # noqa: ARG001 # all of them are called alike
    """`organization_autocomplete` and `group_autocomplete`: those whose name or title holds the text."""
    sought, limit = text(data, "q").strip().lower(), natural(data, "limit", 20)
    if not isinstance(data.get("q"), str):
        one(data, "q")
    fit = [
        body
        for body in bodies.everyone(kind)
        if any(sought in said.lower() for said in (body.slug, *body.title.values()))
    ]
    return [brief(body) for body in fit[:limit]]


def created(who: Identity, kind: type[Body], data: Mapping[str, Any]) -> dict[str, Any]:
    """`organization_create` and `group_create`."""
    _check_may(who, kind, None, f"create {called(kind)}s")
    draft, own_id = draft_of(who, kind, data)
    body = bodies.create(who, kind, draft, own_id=own_id)
    return described(who, body, Includes())


def updated(who: Identity, kind: type[Body], data: Mapping[str, Any]) -> dict[str, Any]:
    """`organization_update` and `group_update`: lists that are given take the place of those that were."""
    body = found(who, kind, one(data), said=MISSING)
    if text(data, "type", called(kind)) != called(kind):
        refuse("type", "Type cannot be updated")
    _check_may(who, kind, body, f"edit {called(kind)} {body.id}")
    draft, _ = draft_of(who, kind, data, body)
    bodies.change(who, body, draft)
    return described(who, body, Includes(datasets=True))


def patched(who: Identity, kind: type[Body], data: Mapping[str, Any]) -> dict[str, Any]:
    """`organization_patch` and `group_patch`: what is not given stays."""
    body = found(who, kind, one(data))
    _check_may(who, kind, body, f"edit {called(kind)} {body.id}")
    draft, _ = draft_of(who, kind, {"name": body.slug, **data}, body, whole=False)
    bodies.change(who, body, draft)
    return described(who, body, Includes(datasets=True))


def deleted(who: Identity, kind: type[Body], data: Mapping[str, Any]) -> None:
    """`organization_delete` and `group_delete`."""
    body = found(who, kind, one(data), said=MISSING)
    _check_may(who, kind, body, f"delete {called(kind)} {body.id}")
    bodies.close(who, body)


def purged(who: Identity, kind: type[Body], data: Mapping[str, Any]) -> None:
    """`organization_purge` and `group_purge`."""
    bodies.purge(who, found(who, kind, one(data), said=f"{called(kind).title()} was not found"))


def of_members(
    who: Identity, rows: list[tuple[Body, str]], data: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Bodies with the capacity that somebody has in them, in order of their titles."""
    asked = Includes(
        count=flag(data, "include_dataset_count"),
        users=False,
        groups=False,
        extras=False,
        followers=False,
        member_count=flag(data, "include_member_count"),
    )
    counts = _counts(who, type(rows[0][0])) if rows and asked.count else {}
    told = []
    for body, capacity in rows:
        one_of_them = described(who, body, asked, counts)
        told.append({**one_of_them, "capacity": capacity} if capacity else one_of_them)
    return sorted(told, key=lambda item: str(item["display_name"]).casefold())


def _check_may(who: Identity, kind: type[Body], body: Body | None, doing: str) -> None:
    """Raise Denied in CKAN's words, before anything is said of what was sent."""
    if not allowed(who, bodies.WRITE[kind], body):
        raise Denied("User %(name)s not authorized to %(doing)s", name=who.name, doing=doing)


def _users_wanted(who: Identity, data: Mapping[str, Any], *, default: bool) -> bool:
    wanted = flag(data, "include_users", default=default)
    if wanted and who.account_id is None:
        raise Unauthenticated("sign in or send an API key to do this")
    return wanted


def _counts(who: Identity, kind: type[Body]) -> dict[str, int]:
    if kind is Organization:
        return dataset_lists.counts_by_organization(who)
    return dataset_lists.counts_by_group(who)


def _with_datasets(
    who: Identity, body: Body, asked: Includes, counts: Mapping[str, int] | None
) -> dict[str, Any]:
    if isinstance(body, Organization):
        which = dataset_lists.of_organization(body.id)
    else:
        which = dataset_lists.of_group(body.id)
    told: dict[str, Any] = {}
    if asked.datasets:
        rows = dataset_lists.listed(who, which, limit=MOST_DATASETS)
        told["packages"] = dictized.packages(who, rows)
    number = counts.get(body.id, 0) if counts is not None else dataset_lists.count(who, which)
    return {**told, "package_count": number}


def _parents(body: Body) -> list[dict[str, Any]]:
    if not isinstance(body, Organization) or body.parent_id is None:
        return []
    parent = bodies.find(Organization, body.parent_id)
    return [{**own_fields(parent), "capacity": "public"}] if parent else []


def _order(data: Mapping[str, Any]) -> tuple[str, bool]:
    """What a list is sorted by, and whether downwards."""
    asked = text(data, "sort") or text(data, "order_by") or "title"
    if asked.strip() in ("packages", "package_count"):
        asked = "package_count desc"
    parts = [part.split() for part in asked.split(",")]
    for part in parts:
        if not part or part[0] not in SORTS:
            message(f"Cannot sort by field `{part[0] if part else ''}`")
        if len(part) > 1 and part[1].lower() not in ("asc", "desc"):
            message(f"Invalid sort direction `{part[1].lower()}`")
    if len(parts) > 1:
        message("Too many sort criteria provided only 1 allowed")
    field = parts[0][0]
    down = len(parts[0]) > 1 and parts[0][1].lower() == "desc"
    return ("package_count" if field == "packages" else field), down


def _sorted(every: list[Any], counts: Mapping[str, int], field: str, *, down: bool) -> list[Any]:
    if field == "name":
        return sorted(every, key=lambda body: body.slug, reverse=down)
    if field == "package_count":
        return sorted(every, key=lambda body: (counts.get(body.id, 0), body.slug), reverse=down)
    return sorted(every, key=_title_key, reverse=down)


def _title_key(body: Body) -> tuple[str, str]:
    title, _ = pick(body.title or {}, g.lang)
    return spelled(title).casefold(), body.slug
