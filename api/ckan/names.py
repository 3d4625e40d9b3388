"""Names and extras as CKAN's validators judge them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from api.ckan.given import MISSING
from catalog.schemas.texts import RESERVED

ROOT = frozenset(
    [
        "id",
        "name",
        "title",
        "author",
        "author_email",
        "maintainer",
        "maintainer_email",
        "license_id",
        "notes",
        "url",
        "version",
        "state",
        "type",
        "owner_org",
        "private",
        "resources",
        "tags",
        "tag_string",
        "plugin_data",
        "extras",
        "save",
        "return_to",
        "relationships_as_object",
        "relationships_as_subject",
        "groups",
        "metadata_modified",
    ]
)
"""Fields of a dataset: no extra may have such a name."""
NAME = re.compile(r"[a-z0-9_\-]*")
LONGEST = 100
TAG = re.compile(r"[\w \-.]*")
MOST_EXTRAS = 500


def fault_of_name(value: Any) -> str:
    """What is wrong with a name, or nothing."""
    if not isinstance(value, str):
        return "Names must be strings"
    if not value:
        return MISSING
    if value in RESERVED:
        return "That name cannot be used"
    if len(value) < 2:
        return "Must be at least 2 characters long"
    if len(value) > LONGEST:
        return f"Name must be a maximum of {LONGEST} characters long"
    if not NAME.fullmatch(value):
        return "Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"
    return ""


def fault_of_tag(value: Any) -> str:
    """What is wrong with the name of a tag, or nothing."""
    if not isinstance(value, str) or not value:
        return MISSING
    if len(value) < 2:
        return f'Tag "{value}" length is less than minimum 2'
    if len(value) > LONGEST:
        return f'Tag "{value}" length is more than maximum {LONGEST}'
    if not TAG.fullmatch(value):
        return (
            f'Tag "{value}" can only contain alphanumeric characters, spaces (" "), '
            'hyphens ("-"), underscores ("_") or dots (".")'
        )
    return ""


def extras_of(
    given: Any, fields: Collection[str] = ()
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Extras as key → value, and what is wrong with each of them; `fields` cannot be keys."""
    if not isinstance(given, list) or len(given) > MOST_EXTRAS:
        return {}, [{"__extras": [f"Must be a list of at most {MOST_EXTRAS} dicts"]}]
    extras: dict[str, str] = {}
    faults: list[dict[str, Any]] = []
    for item in given:
        fault = _fault_of_extra(item, fields)
        faults.append(fault)
        if not fault and not item.get("deleted"):
            extras[str(item["key"])] = str(item["value"])
    return extras, faults if any(faults) else []


def _fault_of_extra(item: Any, fields: Collection[str]) -> dict[str, Any]:
    if not isinstance(item, Mapping):
        return {"__extras": ["Must be a dict"]}
    if item.get("key") in (None, ""):
        return {"key": [MISSING]}
    if item["key"] in fields:
        return {"key": ["There is a schema field with the same name"]}
    if item.get("value") is None:
        return {"value": [MISSING]}
    return {}
