"""Differences of two contents of a dataset in the words of its form, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from catalog.models.text import pick
from catalog.schemas.dataset_fields import FIELDS, RESOURCE_FIELDS, Field, Words, custom_field
from catalog.services import uploads
from catalog.services.proposals import Names
from catalog.services.revisions import Change
from portal.dates import format_date
from portal.details import LABELS
from portal.filters import language_name
from portal.languages import current, gettext

_FIELDS = {field.path: field for field in FIELDS}
_RESOURCE = {field.path: field for field in RESOURCE_FIELDS}
SENT = ("extras", uploads.NAME)
LONGEST = 2000


@dataclass(frozen=True)
class Difference:
    """A field with what it said before and after, in words; empty where it said nothing."""

    label: str
    old: str
    new: str


def in_words(changes: Sequence[Change], names: Names) -> list[Difference]:
    """The differences as a reader sees them; what only tells machines apart is left out."""
    return [
        Difference(
            _label(change.field, names),
            _value(change.field, change.old, names),
            _value(change.field, change.new, names),
        )
        for change in changes
        if not _is_machinery(tuple(change.field.split("."))) and not _says_nothing(change)
    ]


def _is_machinery(path: tuple[str, ...]) -> bool:
    """Whether it is the key or id of a file, or where the portal keeps it."""
    return path[0] == "resources" and path[-1] in ("key", "id", "file", "url_type", "last_modified")


def _says_nothing(change: Change) -> bool:
    """Whether a field that was not there is the default of one that nobody filled."""
    return change.field == "series_position" and not change.old and not change.new


def _label(path: str, names: Names) -> str:
    parts = tuple(path.split("."))
    if parts[0] == "resources" and len(parts) > 2:
        key, name = _resource_parts(path, names)
        title = pick(names.resources.get(key, {}), current())[0] or key
        of = gettext("File that was sent") if name == SENT else ""
        of = of or _called(_RESOURCE, name) or _MORE.get(name[0], lambda: ".".join(name))()
        return str(gettext("File “%(title)s”: %(field)s", title=title, field=of))
    if parts[0] == "custom":
        field = _custom(names).get(parts)
        return field.label.in_(current()) if field else path
    if parts[0] == "details" and len(parts) > 1 and parts not in _FIELDS:
        said = LABELS.get(parts[1])
        return _in_language(str(said), parts[-1]) if said and len(parts) == 3 else str(said or path)
    return _called(_FIELDS, parts) or _MORE.get(parts[0], lambda: path)()


_MORE: Mapping[str, Callable[[], str]] = {
    "machine": lambda: gettext("Machine translation"),
    "confirmed": lambda: gettext("Texts that are still right"),
    "spatial_geometry": lambda: Words("空间范围（GeoJSON）", "Geometry (GeoJSON)").in_(current()),
    "vocabulary_tags": lambda: gettext("Tags of a vocabulary"),
    "extras": lambda: gettext("Further details"),
    "media_type": lambda: gettext("Media type"),
    "size": lambda: gettext("Size"),
    "load": lambda: gettext("How the file is read"),
}


def _called(known: Mapping[tuple[str, ...], Field], parts: tuple[str, ...]) -> str:
    """The label of the field at that path, also of a text in a language for which the form has no field."""
    if parts in known:
        return known[parts].label.in_(current())
    base = known.get((*parts[:-1], "zh"))
    if base is None:
        return ""
    words = Words(base.label.zh.partition("（")[0], base.label.en.partition(" in ")[0])
    return _in_language(words.in_(current()), parts[-1])


def _in_language(words: str, tag: str) -> str:
    return f"{words} ({language_name(tag)})"


def _resource_parts(path: str, names: Names) -> tuple[str, tuple[str, ...]]:
    """The key of the resource, which may have dots in it, and the path inside of it."""
    rest = path.partition(".")[2]
    key = next((one for one in names.resources if rest.startswith(f"{one}.")), None)
    if key is None:
        key, _, inside = rest.partition(".")
    else:
        inside = rest[len(key) + 1 :]
    return key, tuple(inside.split("."))


def _custom(names: Names) -> dict[tuple[str, ...], Field]:
    return {field.path: field for field in map(custom_field, names.fields)}


def _value(path: str, value: Any, names: Names) -> str:
    parts = tuple(path.split("."))
    if value is None:
        return ""
    if isinstance(value, list):
        return str(gettext(", ")).join(_one(parts, one, names) for one in value)
    return _one(parts, value, names)[:LONGEST]


def _one(parts: tuple[str, ...], value: Any, names: Names) -> str:
    titles = {
        "organization": names.organizations, "themes": names.themes, "series": names.series,
    }.get(parts[0])  # fmt: skip
    if titles is not None:
        return pick(titles.get(str(value), {}), current())[0] or str(value)
    field = _FIELDS.get(parts) or _custom(names).get(parts)
    written = "true" if value is True else "false" if value is False else str(value)
    for chosen, zh, en in field.choices if field else ():
        if chosen == written:
            return zh if current() == "zh" else en
    return _plain(parts, value)


def _plain(parts: tuple[str, ...], value: Any) -> str:
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if parts[-1] == "languages" or parts[0] in ("machine", "confirmed"):
        return language_name(str(value))
    if parts[0] in ("issued", "modified", "temporal_start", "temporal_end"):
        return format_date(_moment(str(value)))
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _moment(text: str) -> datetime | str:
    """The moment, if it has a clock: a day's stays that day in every zone."""
    midnight = text[10:19] == "T00:00:00"
    return text[:10] if midnight or len(text) <= len("2024-05-31") else datetime.fromisoformat(text)
