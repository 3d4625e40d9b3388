"""Activities, read from the log: `package_activity_list`, `activity_show`, `dashboard_activity_list` and their kin."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from api.ckan import bodies, dictized, packages
from api.ckan.given import message, natural, one, refuse, required, text, texts
from api.ckan.registry import action, register_as, signed_in
from api.ckan.users import found
from catalog.errors import NotFound
from catalog.permissions import Identity
from catalog.services import account_profiles, activities
from catalog.services.activities import Span
from catalog.services.bodies import Group, Organization

if TYPE_CHECKING:
    from catalog.models.log import LogEntry

DEFAULT, MOST = 31, 100
MOST_LINES = 2_000
"""Compared side by side: that takes time that grows with their square."""
_KINDS = {
    "dataset": "package",
    "theme": "group",
    "organization": "organization",
    "account": "user",
}


def activity(who: Identity, entry: LogEntry, *, whole: bool = False) -> dict[str, Any]:
    """The line as CKAN's activity; with `whole` a dataset's content at that time stands in its data."""
    return {
        "id": str(UUID(int=entry.number)),
        "timestamp": dictized.moment(entry.at),
        "user_id": entry.actor_id or "",
        "object_id": entry.object_id,
        "activity_type": activities.ACTIONS[entry.action],
        "data": _data(who, entry, whole=whole),
    }


@action(safe=True)
def package_activity_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return a package's activity stream, the newest first.

    :param id: the id or name of the package
    :param limit: at most so many (default: 31, most: 100)
    :param offset: how many to pass over
    :param after, before: seconds since 1970, only what happened between them
    :param activity_types, exclude_activity_types: such as changed package
    """
    kinds, without = texts(data, "activity_types"), texts(data, "exclude_activity_types")
    if kinds and without:
        refuse("activity_types", "Cannot be used together with `exclude_activity_types")
    dataset = packages.found(who, one(data))
    return _told(who, activities.of_dataset(who, dataset.id, _span(data)))


@action(safe=True)
def user_activity_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return a user's public activity stream, the newest first. Needs a key.

    :param id: the id or name of the user
    :param limit, offset, after, before: see package_activity_list
    """
    signed_in(who, "user_activity_list")
    account = found(one(data))
    return _told(who, activities.of_account(who, account.id, _span(data)))


def _make_list(kind: type[Organization | Group], of: Callable[..., list[LogEntry]]) -> None:
    def listed(who: Identity, data: dict[str, Any]) -> Any:
        body = bodies.found(who, kind, one(data))
        return _told(who, of(who, body.id, _span(data)))

    name = bodies.called(kind)
    explained = f"""Return the activity stream of {name}s: one of them and its datasets, the newest first.

:param id: the id or name of the {name}
:param limit, offset, after, before, activity_types: see package_activity_list"""
    register_as(f"{name}_activity_list", explained, listed, safe=True)


_make_list(Organization, activities.of_organization)
_make_list(Group, activities.of_group)


@action(safe=True)
def recently_changed_packages_activity_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return the activity stream of all recently added or changed packages.

    :param limit, offset, after, before: see package_activity_list
    """
    return _told(who, activities.of_datasets(who, _span(data)))


@action(safe=True)
def dashboard_activity_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return your dashboard activity stream: what you did, and what happened to what you follow.

    :param limit, offset, after, before: see package_activity_list
    """
    signed_in(who, "dashboard_activity_list")
    return [{**activity(who, entry), "is_new": is_new} for entry, is_new in _dashboard(who, data)]


@action(safe=True)
def dashboard_new_activities_count(who: Identity, data: dict[str, Any]) -> Any:
    """Return the number of new activities in your dashboard."""
    signed_in(who, "dashboard_new_activities_count")
    return sum(is_new for _, is_new in _dashboard(who, data))


@action()
def dashboard_mark_activities_old(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Mark all the activities in your dashboard as old."""
    signed_in(who, "dashboard_mark_activities_old")
    account_profiles.see_dashboard(who)


@action(safe=True)
def activity_show(who: Identity, data: dict[str, Any]) -> Any:
    """Show details of an item of the activity stream, with a dataset's content at that time.

    :param id: the id of the activity
    """
    return activity(who, _entry(who, one(data)), whole=True)


@action(safe=True)
def activity_data_show(who: Identity, data: dict[str, Any]) -> Any:
    """Show the data of an activity: what its object was at that time.

    :param id: the id of the activity
    :param object_type: package, group, organization or user, to have only that (optional)
    """
    told = _data(who, _entry(who, one(data)), whole=True)
    kind = text(data, "object_type")
    if not kind:
        return told
    if kind not in told:
        raise NotFound("Could not find that object_type in the activity")
    return told[kind]


@action(safe=True)
def activity_diff(who: Identity, data: dict[str, Any]) -> Any:
    """Return how the object of an activity differs from what it was before.

    :param id: the id of the activity
    :param object_type: package, group or organization
    :param diff_type: unified, context or html (default: unified)
    """
    activity_id, kind = required(data, "id", "object_type")
    entry = _entry(who, activity_id)
    older = activities.before(who, entry)
    if older is None:
        raise NotFound("Previous activity for this object not found")
    pair = [activity(who, line, whole=True) for line in (older, entry)]
    if any(kind not in item["data"] for item in pair):
        raise NotFound("Could not find object in the activity data")
    old, new = (
        json.dumps(item["data"][kind], indent=2, sort_keys=True, ensure_ascii=False).split("\n")
        for item in pair
    )
    return {"diff": _difference(old, new, text(data, "diff_type", "unified")), "activities": pair}


def _difference(old: list[str], new: list[str], kind: str) -> str:
    if kind not in ("unified", "context", "html"):
        message("diff_type not recognized")
    if kind == "unified":
        return "\n".join(difflib.unified_diff(old, new))
    if kind == "context":
        return "\n".join(difflib.context_diff(old, new))
    if len(old) + len(new) > MOST_LINES:
        message(f"more than {MOST_LINES} lines are compared as unified or context only")
    return difflib.HtmlDiff(wrapcolumn=70).make_table(old, new)


def _dashboard(who: Identity, data: Mapping[str, Any]) -> list[tuple[LogEntry, bool]]:
    """Lines of the caller's dashboard, and whether each is new: others did it, and since the last look."""
    since = account_profiles.dashboard_seen(who)
    return [
        (entry, entry.actor_id != who.account_id and entry.at > since)
        for entry in activities.of_dashboard(who, _span(data))
    ]


def _told(who: Identity, entries: list[LogEntry]) -> list[dict[str, Any]]:
    return [activity(who, entry) for entry in entries]


def _span(data: Mapping[str, Any]) -> Span:
    return Span(
        limit=natural(data, "limit", DEFAULT, most=MOST),
        offset=natural(data, "offset", 0, most=10**9),
        after=_moment(data, "after"),
        before=_moment(data, "before"),
        kinds=tuple(texts(data, "activity_types")),
        without=tuple(texts(data, "exclude_activity_types")),
    )


def _moment(data: Mapping[str, Any], name: str) -> datetime | None:
    """A moment in seconds since 1970."""
    given = text(data, name)
    if not given:
        return None
    try:
        return datetime.fromtimestamp(float(given), UTC)
    except (ValueError, OverflowError, OSError):
        refuse(name, "Must be a float timestamp")


def _entry(who: Identity, activity_id: str) -> LogEntry:
    try:
        number = UUID(activity_id).int
    except ValueError:
        number = 0
    entry = activities.show(who, number) if 0 < number < 2**63 else None
    if entry is None:
        raise NotFound("Activity not found")
    return entry


def _data(who: Identity, entry: LogEntry, *, whole: bool) -> dict[str, Any]:
    kind = _KINDS[entry.kind]
    told: dict[str, Any] = {
        "id": entry.object_id,
        "name": entry.data.get("slug") or entry.object_id,
        "title": dictized.text_of(entry.data.get("title") or {}),
    }
    seen = activities.revision_of(who, entry) if whole else None
    if seen is not None:
        told |= _package(seen.content, readable=seen.reachable)
    if "view" in entry.data:
        return {
            "id": entry.data["view"],
            "resource_id": entry.data.get("resource", ""),
            "package_id": entry.object_id,
            "view_type": entry.data.get("view_type", ""),
            kind: told,
            "actor": entry.actor,
        }
    return {kind: told, "actor": entry.actor}


def _package(content: Mapping[str, Any], *, readable: bool) -> dict[str, Any]:
    """A dataset's content of that time in CKAN's words."""
    extras = {**(content.get("extras") or {}), **(content.get("custom") or {})}
    return {
        **{name: extras.get(name) for name in dictized.OWN},
        "title": dictized.text_of(content.get("title") or {}),
        "notes": dictized.text_of(content.get("description") or {}),
        "license_id": dictized.license_id(extras, str(content.get("license") or "notspecified")),
        "private": bool(content.get("private")),
        "url": content.get("landing_page") or extras.get("url"),
        "organization": {"name": content.get("organization")},
        "groups": [{"name": name} for name in content.get("themes") or ()],
        "tags": [{"name": name, "display_name": name} for name in content.get("tags") or ()],
        "extras": dictized.extras_list(extras),
        "resources": [
            {
                "name": dictized.text_of(item.get("title") or {}) or item.get("key"),
                "description": dictized.text_of(item.get("description") or {}),
                "format": item.get("format") or "",
                "url": (item.get("url") or "") if readable else "",
            }
            for item in content.get("resources") or ()
        ],
    }
