"""The form of a dataset: what stands in it, and the content that it describes. It works without JavaScript."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from catalog.errors import CatalogError, Invalid
from catalog.models.text import pick
from catalog.schemas.dataset_fields import (
    FIELDS,
    RESOURCE_FIELDS,
    SECTIONS,
    TRANSLATED,
    Content,
    Field,
    content_after,
    custom_field,
    field_of,
    problems_at,
    values_of,
)
from catalog.schemas.sentences import take_apart
from catalog.services import uploads
from portal.filters import fill, sentence
from portal.languages import current, gettext

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage

    from catalog.models.organization import Organization
    from catalog.models.series import DatasetSeries

MOST_RESOURCES = 200
"""A form with more links is no form any more; the API takes them."""
Errors = dict[str, list[str]]
STILL_RIGHT = "still_right_"
"""Begins the name of the box that clears the mark of a stale text."""


@dataclass(frozen=True)
class Input:
    """A field as the page shows it."""

    name: str
    label: str
    kind: str
    value: str
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    machine: bool = False
    """Whether a machine has written the text."""
    stale: bool = False
    """Whether the text changed in another language since."""
    confirmed: bool = False
    """Whether somebody has said that it is still right."""
    required: bool = False


@dataclass(frozen=True)
class Group:
    """Fields under one heading."""

    name: str
    label: str
    inputs: tuple[Input, ...]


@dataclass(frozen=True)
class ResourceInputs:
    """The fields of one resource."""

    number: int
    key: str
    inputs: tuple[Input, ...]
    loaded: bool
    """Whether the portal reads its content."""
    file: str = ""
    """Name of the file that was sent."""


class DatasetForm:
    """A form that was filled with a content; `offices` and `series` are what may be chosen."""

    def __init__(
        self,
        content: Content,
        offices: Sequence[Organization],
        series: Sequence[DatasetSeries] = (),
        origins: Mapping[str, Any] | None = None,
    ) -> None:
        self.content = content
        self._offices, self._series = offices, series
        self._origins = origins or {}

    @property
    def groups(self) -> list[Group]:
        """The sections with their fields."""
        values = values_of(self.content)
        return [
            Group(
                section.name,
                section.label.in_(current()),
                tuple(self._input(field, field.name, values) for field in section.fields),
            )
            for section in SECTIONS
        ]

    @property
    def resources(self) -> list[ResourceInputs]:
        """The links and files in their order."""
        return [
            ResourceInputs(
                number,
                str(one.get("key", "")),
                self._resource(number, one),
                bool(one.get("load")),
                str((one.get("extras") or {}).get(uploads.NAME) or ""),
            )
            for number, one in enumerate(self.content.get("resources", ()))
        ]

    @property
    def custom(self) -> tuple[Input, ...]:
        """The fields that the organization has defined itself."""
        fields = [custom_field(one) for one in self._custom_fields()]
        values = values_of(self.content, fields)
        return tuple(self._input(field, field.name, values) for field in fields)

    @property
    def labels(self) -> dict[str, str]:
        """What the fields are called, by the name that errors have; those of a file with its number."""
        said = {one.name: one.label for group in self.groups for one in group.inputs}
        said |= {one.name: one.label for one in self.custom}
        for file in self.resources:
            place = gettext("File %(number)s", number=file.number + 1)
            said |= {one.name: f"{place} · {one.label}" for one in file.inputs}
        return said

    def _custom_fields(self) -> Sequence[Mapping[str, Any]]:
        return next(
            (one.fields for one in self._offices if one.slug == self.content.get("organization")),
            (),
        )

    def _resource(self, number: int, resource: Mapping[str, Any]) -> tuple[Input, ...]:
        values = values_of(resource, RESOURCE_FIELDS)
        return tuple(
            self._input(field, f"resource_{number}_{field.name}", values)
            for field in RESOURCE_FIELDS
        )

    def _input(self, field: Field, name: str, values: Mapping[str, str]) -> Input:
        origins = self._origins if name == field.name else {}  # those of resources are not kept
        origin = origins.get(field.path[0], {}).get(field.path[-1], {})
        return Input(
            name,
            field.label.in_(current()),
            field.kind,
            values[field.name],
            field.hint.in_(current()),
            tuple(self._options(field)),
            machine=origin.get("origin") == "machine",
            stale=bool(origin.get("stale")),
            confirmed=field.path[-1]
            in (self.content.get("confirmed") or {}).get(field.path[0], ()),
            required=field.required,
        )

    def _options(self, field: Field) -> Iterable[tuple[str, str]]:
        if field.name == "organization":
            return [(one.slug, pick(one.title, current())[0]) for one in self._offices]
        if field.name == "series":
            return [("", "–"), *((one.slug, pick(one.title, current())[0]) for one in self._series)]
        return [(value, zh if current() == "zh" else en) for value, zh, en in field.choices]


def filled(content: Content, form: Mapping[str, str]) -> Content:
    """The content with what was typed, and with the step that a button of the resources asks for."""
    after = content_after(content, form)
    after["organization"] = form.get("organization") or content.get("organization", "")
    after["resources"] = _moved(_resources(content, form), form.get("do", ""))
    custom = {
        name.removeprefix("custom_"): value.strip()
        for name, value in form.items()
        if name.startswith("custom_")
    }
    if custom:
        kept = {**(content.get("custom") or {}), **custom}
        after["custom"] = {name: value for name, value in kept.items() if value != ""}
    after["confirmed"] = _confirmed(form)
    return {**after, "private": bool(form.get("private"))}


def with_files(content: Content, files: Mapping[str, FileStorage]) -> list[str]:
    """Keep the files that were chosen, as those of their resources; their keys."""
    keys = []
    for number, resource in enumerate(content["resources"]):
        file = files.get(f"resource_{number}_file")
        if file is None or not file.filename:
            continue
        name = uploads.file_name(file.filename)
        kept = uploads.keep(name, file.stream)
        keys.append(kept.key)
        extras = {**(resource.get("extras") or {}), **uploads.extras_of(kept)}
        resource |= {"url": "", "size": kept.size, "extras": extras}
        resource["format"] = resource.get("format") or name.rpartition(".")[2].upper()[:40]
        resource["title"] = resource.get("title") or {current(): file.filename[:200]}
    return keys


def _confirmed(form: Mapping[str, str]) -> dict[str, list[str]]:
    """Field → languages whose text is ticked as still right."""
    ticked: dict[str, list[str]] = {}
    for field in FIELDS:
        if field.path[0] in TRANSLATED and form.get(f"{STILL_RIGHT}{field.name}"):
            ticked.setdefault(field.path[0], []).append(field.path[-1])
    return ticked


def errors_of(error: CatalogError) -> Errors:
    """The problems of an error by the name of the field, in the reader's language."""
    errors: Errors = {}
    if isinstance(error, Invalid):
        for path, words in problems_at(error.problems):
            errors.setdefault(field_of(path) or ".".join(path[:1]), []).append(
                fill(*take_apart(words))
            )
    if not errors:
        errors[""] = [sentence({"message": error.message, "context": error.context})]
    return errors


def origins_named(origins: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Only the texts whose origin is kept."""
    return {name: one for name, one in (origins or {}).items() if name in TRANSLATED}


def _resources(content: Content, form: Mapping[str, str]) -> list[Content]:
    known = {str(one["key"]): one for one in content.get("resources", ())}
    count = form.get("resources", "")
    numbers = range(min(int(count), MOST_RESOURCES) if count.isdecimal() else 0)
    return [_resource_at(number, known, form) for number in numbers]


def _resource_at(number: int, known: Mapping[str, Content], form: Mapping[str, str]) -> Content:
    start = f"resource_{number}_"
    key = form.get(f"{start}key") or f"link-{token_hex(6)}"
    given = {
        name.removeprefix(start): value for name, value in form.items() if name.startswith(start)
    }
    return content_after(known.get(key, {"key": key}), given, RESOURCE_FIELDS)


def _moved(resources: list[Content], do: str) -> list[Content]:
    """The resources after the button `add`, or `up`, `down` and `remove` with a number."""
    if do == "add" and len(resources) < MOST_RESOURCES:
        return [*resources, {"key": f"link-{token_hex(6)}"}]
    step, _, number = do.partition("-")
    at = int(number) if number.isdecimal() else -1
    if not 0 <= at < len(resources):
        return resources
    if step == "remove":
        return [*resources[:at], *resources[at + 1 :]]
    to = {"up": at - 1, "down": at + 1}.get(step, -1)
    if 0 <= to < len(resources):
        resources[at], resources[to] = resources[to], resources[at]
    return resources
