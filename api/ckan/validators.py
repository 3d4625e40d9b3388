"""Fields that take what CKAN takes and refuse with CKAN's sentences."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load

from api.ckan.errors import Refused

YES = ("true", "yes", "t", "y", "1")
NO = ("false", "no", "f", "n", "0")
GREATEST = 2**63 - 1
REQUIRED: dict[str, str | list[Any] | dict[Any, Any]] = {
    "required": "Missing value",
    "null": "Missing value",
}


class ActionSchema(Schema):
    """Parameters of an action: null counts as missing, `id` is another name of `resource_id`."""

    class Meta:
        """What the action does not know is looked at by the action."""

        unknown = EXCLUDE

    @pre_load
    def given(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """What was given, under the names that the schema knows."""
        kept = {name: value for name, value in data.items() if value is not None}
        if kept.get("id"):
            kept["resource_id"] = kept.pop("id")
        return kept


def checked(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the schema makes them; raises Refused."""
    try:
        loaded: dict[str, Any] = schema.load(data)
    except ValidationError as error:
        raise Refused(error.messages_dict) from error
    return loaded


class Name(fields.Field[str]):
    """A text that must be there."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=True, error_messages=REQUIRED, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if value in ("", [], {}):
            raise ValidationError("Missing value")
        return value if isinstance(value, str) else str(value)


class Moment(fields.Field[str]):
    """A release, by its number or by a time."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValidationError("Must be a release number, a day or a moment")
        return str(value)


class Flag(fields.Field[bool]):
    """True for true, yes, t, y, 1; false for everything else."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        return value.lower() in YES if isinstance(value, str) else bool(value)


class FlagOr(fields.Field[Any]):
    """True, false, or one of a few words."""

    def __init__(self, words: Collection[str], **options: Any) -> None:
        super().__init__(**options)
        self.words = words

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, bool | int):
            return bool(value)
        if value == "" or value in self.words:
            return value
        lower = value.lower() if isinstance(value, str) else ""
        if lower in YES + NO:
            return lower in YES
        raise ValidationError(f"Value must be boolean or one of: {', '.join(self.words)}")


class Whole(fields.Field[int]):
    """A whole number, also as text; with `natural` none below zero."""

    def __init__(self, *, natural: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.natural = natural

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        try:
            number = int(value)
            if (isinstance(value, float) and number != value) or abs(number) > GREATEST:
                raise ValueError("a part of one, or more than a database can count")
        except (TypeError, ValueError, OverflowError) as error:
            raise ValidationError("Invalid integer") from error
        if self.natural and number < 0:
            raise ValidationError("Must be a natural number")
        return number


def whole_or_refused(
    value: Any, default: int, problems: dict[str, Any], name: str, *, natural: bool
) -> int:
    """The number, or the default for none; what is wrong with it is added to `problems`."""
    if value is None:
        return default
    try:
        number: int = Whole(natural=natural).deserialize(value)
    except ValidationError as error:
        problems[name] = error.messages
        return default
    return number


class OneOf(fields.Field[str]):
    """One of a few words."""

    def __init__(self, words: Collection[str], **options: Any) -> None:
        super().__init__(**options)
        self.words = words

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if value == "":
            return ""
        if not isinstance(value, str) or value not in self.words:
            raise ValidationError(f"Value must be one of {list(self.words)}")
        return value


class Listed(fields.Field[list[Any]]):
    """A list, or a text with commas; `stripped` also takes quotes away, as CKAN does."""

    def __init__(self, *, stripped: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.stripped = stripped

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[Any]:
        return listed(value, stripped=self.stripped)


def listed(value: Any, *, stripped: bool = True) -> list[Any]:
    """The items of a list or of a text with commas; raises ValidationError for anything else."""
    if isinstance(value, str):
        items: list[Any] = [item.strip() for item in value.split(",")] if value else []
    elif isinstance(value, list):
        items = value
    else:
        raise ValidationError("Not a list")
    for item in items:
        if not isinstance(item, str | list):
            raise ValidationError(f"Neither a string nor a list: {item}")
    return [_bare(item) for item in items] if stripped else items


def _bare(item: Any) -> Any:
    """Without the quotes around it."""
    if isinstance(item, str) and item and item[0] == item[-1]:
        return item.strip().strip('"')
    return item


class JSONValue(fields.Field[Any]):
    """An object or a list, also written as text."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, dict | list):
            return value
        try:
            return json.loads(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValidationError("Cannot parse JSON") from error


class TextOrObject(fields.Field[Any]):
    """A text; one that is a JSON object is that object."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, dict):
            return value
        try:
            read = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            return value
        return read if isinstance(read, dict) else str(value)


class Objects(fields.Field[dict[str, Any]]):
    """An object."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Must be a dict")
        return value
