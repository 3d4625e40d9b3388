"""What CKAN's rules say of a resource's dictionary."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from api.ckan.given import is_json, text_of
from catalog.services import resources

MOST_BYTES = 50_000
"""Of what we have no field for."""
DATES = ("last_modified", "cache_last_updated")
RUN = ("javascript", "data", "vbscript")
"""Schemes of addresses that a browser would run."""


def resource_problems(data: Mapping[str, Any], own: Collection[str] = ()) -> dict[str, Any]:
    """Field → its problems; `own` are ids of resources that the dataset has already."""
    problems: dict[str, Any] = {}
    if wrong := _id_problem(data.get("id"), own):
        problems["id"] = [wrong]
    if whole_number(data.get("size")) == "":
        problems["size"] = ["Invalid integer"]
    for name in (*DATES, "created"):
        if data.get(name) and moment(data[name]) is None:
            problems[name] = ["Date format incorrect"]
    if scheme_of(str(data.get("url") or "")) in RUN:
        problems["url"] = ["Must be a web address that starts with https:// or http://."]
    if fault := fault_of_settings({**data, "upload": None}):
        problems["__extras"] = [fault]
    return problems


def fault_of_settings(data: Mapping[str, Any]) -> str:
    """What is wrong with fields that are kept as they are, or nothing."""
    for name, value in data.items():
        if not is_json(value):
            return f"Could not parse extra '{name[:100]}' as valid JSON"
    too_long = len(text_of(data)) > MOST_BYTES
    return f"larger than {MOST_BYTES} bytes" if too_long else ""


def _id_problem(given: Any, own: Collection[str]) -> str:
    if not given:
        return ""
    if not is_uuid(given):
        return "Invalid id provided"
    taken = str(given) not in own and resources.exists(str(given))
    return "Resource id already exists." if taken else ""


def is_uuid(value: Any) -> bool:
    """Whether it is an id."""
    text = str(value)
    try:
        return len(text) <= len("00000000-0000-0000-0000-000000000000") and bool(UUID(text))
    except ValueError:
        return False


def whole_number(value: Any) -> Any:
    """The number; None for nothing, an empty text for what is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = int(value)
        return number if not isinstance(value, float) or number == value else ""
    except (TypeError, ValueError, OverflowError):
        return ""


def moment(value: Any) -> str | None:
    """The moment as CKAN writes it, or None for what is none."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else value
        return str(read.replace(tzinfo=None).isoformat()) if isinstance(read, datetime) else None
    except ValueError:
        return None


def scheme_of(url: str) -> str:
    """The scheme in lower case; empty where there is none."""
    try:
        return urlsplit(url.strip()).scheme.lower()
    except ValueError:
        return ""
