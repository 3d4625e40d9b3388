"""Parameters of actions, one by one, refused with CKAN's sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn
from uuid import UUID

import orjson

from api.ckan.errors import Refused
from api.ckan.validators import NO, YES

MISSING = "Missing value"
MOST = 1_000
"""Longest page of a list."""


def refuse(field: str, sentence: str) -> NoReturn:
    """Say what is wrong with a field."""
    raise Refused({field: [sentence]})


def message(sentence: str) -> NoReturn:
    """Say what is wrong with the whole call."""
    raise Refused({"message": sentence})


def required(data: Mapping[str, Any], *names: str) -> list[str]:
    """The texts of these parameters; all that are missing are named at once."""
    missing = {name: [MISSING] for name in names if data.get(name) in (None, "", [], {})}
    if missing:
        raise Refused(missing)
    return [text(data, name) for name in names]


def one(data: Mapping[str, Any], name: str = "id") -> str:
    """The text of a parameter that must be there."""
    return required(data, name)[0]


def text(data: Mapping[str, Any], name: str, default: str = "") -> str:
    """A text; a number is taken as one."""
    value = data.get(name)
    if value is None:
        return default
    if isinstance(value, bool | dict | list):
        refuse(name, "Must be a string")
    return str(value)


def flag(data: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """True or false, in any way that CKAN writes them."""
    value = data.get(name)
    if value is None or value == "":
        return default
    lower = str(value).strip().lower()
    if lower in (*YES, "on") or lower in (*NO, "off"):
        return lower in (*YES, "on")
    message("Parameter is not an bool")


def natural(data: Mapping[str, Any], name: str, default: int, *, most: int = MOST) -> int:
    """A whole number from zero, at most so large."""
    value = data.get(name)
    if value is None or value == "":
        return min(default, most)
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        refuse(name, "Invalid integer")
    if number < 0:
        refuse(name, "Must be a natural number")
    return min(number, most)


def texts(data: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts, or a text with commas."""
    value = data.get(name) or []
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        refuse(name, "Not a list of strings")
    return value


def objects(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects."""
    value = data.get(name) or []
    if not isinstance(value, list):
        refuse(name, "Must be a list")
    if not all(isinstance(item, Mapping) for item in value):
        refuse(name, "Must be a list of dicts")
    return value


def text_of(value: Any) -> str:
    """The value as CKAN makes a text of it: what is none is written as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if is_json(value):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode()
    return json.dumps(value, sort_keys=True, default=str)


def is_json(value: Any) -> bool:
    """Whether the value can be given back in an answer: numbers of more than 64 bits cannot."""
    try:
        orjson.dumps(value, default=str)
    except TypeError:
        return False
    return True


def uuid_of(value: str) -> str:
    """The id in the form in which ids are kept; empty for what is none."""
    try:
        return str(UUID(value))
    except ValueError:
        return ""
