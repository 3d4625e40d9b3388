"""The further elements of a dataset and its custom fields, in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from catalog.models.text import pick
from catalog.search.regions import line_of, name_of
from portal.dates import format_date
from portal.entries import Line, shown
from portal.filters import contact, lang_attr, language_name, markdown, number
from portal.languages import current, gettext, lazy_gettext

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset

SHARE_TYPES = {
    "unconditional": lazy_gettext("Shared without conditions"),
    "conditional": lazy_gettext("Shared on conditions"),
    "not_shared": lazy_gettext("Not shared"),
}
LABELS = {
    "version": lazy_gettext("Version"),
    "version_notes": lazy_gettext("What is new in this version"),
    "languages": lazy_gettext("Languages of the data"),
    "contact_point": lazy_gettext("Contact"),
    "creator": lazy_gettext("Made by"),
    "publisher": lazy_gettext("Published by"),
    "provider_code": lazy_gettext("Code of the provider"),
    "resource_class": lazy_gettext("Class of the resource"),
    "resource_format": lazy_gettext("Format of the resource"),
    "linked_code": lazy_gettext("Codes of related resources"),
    "share_type": lazy_gettext("Sharing inside the government"),
    "share_condition": lazy_gettext("Conditions of sharing"),
    "share_mode": lazy_gettext("Way of sharing"),
    "open_condition": lazy_gettext("Conditions of opening"),
    "rights": lazy_gettext("Rights"),
    "conforms_to": lazy_gettext("Follows the standard"),
    "documentation": lazy_gettext("Documentation"),
    "provenance": lazy_gettext("How it came about"),
    "was_generated_by": lazy_gettext("Made in the course of"),
    "created": lazy_gettext("Made on"),
    "spatial_resolution": lazy_gettext("Resolution in metres"),
    "temporal_resolution": lazy_gettext("Resolution in time"),
    "type": lazy_gettext("Type of dataset"),
    "applicable_legislation": lazy_gettext("Legislation"),
    "hvd_category": lazy_gettext("Category of high value"),
    "sample": lazy_gettext("Sample"),
    "related": lazy_gettext("Related"),
    "sources": lazy_gettext("Made from"),
    "has_version": lazy_gettext("Other versions"),
    "is_version_of": lazy_gettext("Version of"),
    "is_referenced_by": lazy_gettext("Cited by"),
}
"""Elements of `Dataset.details` in the order in which they are shown."""
LONG = frozenset({"version_notes", "rights", "provenance"})


def detail_lines(dataset: Dataset) -> list[Line]:
    """The elements that are filled."""
    details = dataset.details or {}
    lines = ((label, _said(name, details.get(name))) for name, label in LABELS.items())
    return [Line(str(label), value) for label, value in lines if value]


def custom_lines(dataset: Dataset) -> list[Line]:
    """Values of the custom fields of its organization, in the order of the fields."""
    values = dataset.custom or {}
    lines = (
        (pick(field["label"], current())[0], _value(values.get(field["name"]), field))
        for field in dataset.organization.fields or ()
    )
    return [Line(label, value) for label, value in lines if value]


def area(dataset: Dataset) -> str:
    """The division that it covers, by name and code."""
    code = dataset.spatial_code
    if not code:
        return ""
    names = " ".join(map(name_of, line_of(code)))
    return f"{names} ({code})" if names else code


def box(dataset: Dataset) -> str:
    """The box that it covers, in degrees."""
    if not dataset.spatial_box:
        return ""
    west, south, east, north = (number(round(edge, 4)) for edge in dataset.spatial_box)
    return str(
        gettext(
            "%(south)s to %(north)s north, %(west)s to %(east)s east",
            south=south, north=north, west=west, east=east,
        )
    )  # fmt: skip


def _said(name: str, value: Any) -> Markup:
    if value in (None, "", [], {}):
        return Markup()
    if name in ("contact_point", "creator", "publisher"):
        return Markup(" · ").join(_agent(value))
    if name == "share_type":
        return escape(str(SHARE_TYPES.get(str(value), value)))
    if name == "languages":
        return escape(str(gettext(", ")).join(map(language_name, value)))
    if name in LONG:
        return Markup('<div class="weft-prose"{}>{}</div>').format(
            lang_attr(value), markdown(pick(value, current())[0])
        )
    return shown(f"{value:g}" if isinstance(value, float) else value)


def _agent(value: Mapping[str, str]) -> Iterator[Markup]:
    for name in ("name", "email", "phone", "url", "address"):
        if value.get(name):
            yield contact(value[name])


def _value(value: Any, field: Mapping[str, Any]) -> Markup:
    if value is None or value == "":
        return Markup()
    match field["type"]:
        case "boolean":
            return escape(gettext("yes") if value else gettext("no"))
        case "number":
            return escape(number(value))
        case "date":
            return escape(format_date(value))
        case "choice":
            return escape(_choice(value, field.get("choices", ())))
    return shown(value)


def _choice(value: str, choices: Sequence[Mapping[str, Any]]) -> str:
    labels = {one["value"]: one.get("label") or {} for one in choices}
    return pick(labels.get(value, {}), current())[0] or value
