"""Custom fields of an organization's datasets: what fields there may be, and whether values keep to them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from catalog.errors import N_
from catalog.schemas.texts import Line, Texts

MOST = 100
LONGEST = 5000
TYPES = ("string", "number", "date", "boolean", "choice")
_YES_NO = {
    **dict.fromkeys(("true", "yes", "1", "是"), True),
    **dict.fromkeys(("false", "no", "0", "否"), False),
}
UNKNOWN, MISSING = N_("There is no such field."), N_("This field is required.")
WRONG = {
    "string": N_("Must be a text of at most 5,000 characters."),
    "number": N_("Must be a number."),
    "date": N_("Must be a date such as 2024-05-31."),
    "boolean": N_("Must be true or false."),
    "choice": N_("Must be one of the choices."),
}


class ChoiceSchema(Schema):
    """A value to choose, and what it is called."""

    value = Line(100, shortest=1, required=True)
    label = Texts(300)


class CustomFieldSchema(Schema):
    """A field: its name in the API, what it is called, what it holds."""

    name = fields.String(
        required=True,
        validate=validate.Regexp(
            r"[a-z][a-z0-9_]{0,59}$", error=N_("Use lower-case letters a to z, digits and _.")
        ),
    )
    label = Texts(300, required=True)
    type = fields.String(load_default="string", validate=validate.OneOf(TYPES))
    required = fields.Boolean(load_default=False)
    choices = fields.List(fields.Nested(ChoiceSchema), validate=validate.Length(max=500))

    @validates_schema
    def check_choices(self, data: Mapping[str, Any], **_: Any) -> None:
        """A choice needs choices."""
        if data.get("type") == "choice" and not data.get("choices"):
            raise ValidationError(N_("A choice needs at least one value."), "choices")

    @post_load
    def tidy(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Choices without a name of their own are called by their value."""
        choices = [{"label": {}, **choice} for choice in data.pop("choices", ())]
        return {**data, **({"choices": choices} if choices else {})}


class CustomFields(fields.List[dict[str, Any]]):
    """All fields of an organization; a name stands once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            fields.Nested(CustomFieldSchema), validate=validate.Length(max=MOST), **options
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        found: Any = super()._deserialize(value, attr, data, **options)
        names = [one["name"] for one in found]
        if len(set(names)) < len(names):
            raise ValidationError(N_("Two fields have the same name."))
        return found


def typed(values: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The values with texts of forms, workbooks and other programs' extras as what their fields hold.

    A text that cannot be read so stays, for `problems_of` to name; an empty one is no value.
    """
    types = {field["name"]: field["type"] for field in known}
    return {
        name: _read(value.strip(), types.get(name, "")) if isinstance(value, str) else value
        for name, value in values.items()
        if not (isinstance(value, str) and not value.strip() and name in types)
    }


def problems_of(
    values: Mapping[str, Any], known: Sequence[Mapping[str, Any]], *, complete: bool = True
) -> dict[str, list[str]]:
    """Field → what is wrong with its value; nothing where all values keep to the fields.

    What is required may still be missing where the description need not be `complete` yet.
    """
    by_name = {field["name"]: field for field in known}
    problems = {name: [UNKNOWN] for name in values if name not in by_name}
    for name, field in by_name.items():
        value = values.get(name)
        if value is None or value == "":
            if field.get("required") and complete:
                problems[name] = [MISSING]
        elif not _fits(value, field):
            problems[name] = [WRONG[field["type"]]]
    return problems


def _read(text: str, kind: str) -> Any:
    if kind == "boolean":
        return _YES_NO.get(text.casefold(), text)
    if kind == "number":
        return _figure(text)
    return text


def _figure(text: str) -> Any:
    """The number that the text writes, whole where it is; else the text."""
    for read in (int, float):
        if text.isascii() and "_" not in text:
            with suppress(ValueError):
                return read(text)
    return text


def _fits(value: Any, field: Mapping[str, Any]) -> bool:
    match field["type"]:
        case "number":
            return isinstance(value, int | float) and _is_figure(value)
        case "boolean":
            return isinstance(value, bool)
        case "date":
            return isinstance(value, str) and _is_day(value)
        case "choice":
            return value in _values(field.get("choices", ()))
    return isinstance(value, str) and len(value) <= LONGEST


def _is_figure(value: float) -> bool:
    return not isinstance(value, bool) and math.isfinite(value)


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _values(choices: Iterable[Mapping[str, Any]]) -> list[Any]:
    return [choice["value"] for choice in choices]
