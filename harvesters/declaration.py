"""What an operator declares about datasets whose systems do not describe themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from harvesters.terms import MEDIA_TYPES

LANGUAGE = validate.Regexp(r"^[a-z]{2,3}(-[A-Za-z0-9-]{1,30})?$")


class TextsField(fields.Dict):
    """Texts by language tag."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(keys=fields.String(validate=LANGUAGE), values=fields.String(), **kwargs)


class ColumnSchema(Schema):
    """A column's names for people, its unit, and its type where guessing is not wanted."""

    label = TextsField()
    description = TextsField()
    unit = fields.String(validate=validate.Length(max=60))
    element = fields.String(
        validate=validate.Length(max=100),
        metadata={"description": "Code of the data element whose values the column holds"},
    )
    type = fields.String(
        validate=validate.OneOf(
            ["string", "integer", "number", "boolean", "date", "datetime", "geojson"]
        )
    )


class DeclarationSchema(Schema):
    """A dataset's description, in the words of DatasetDraft."""

    slug = fields.String(validate=validate.Regexp(r"^[a-z0-9][a-z0-9-]{1,99}$"))
    title = TextsField()
    description = TextsField()
    notice = TextsField()
    license = fields.String()
    license_text = fields.String()
    frequency = fields.String()
    access = fields.String()
    access_reason = TextsField()
    tags = fields.List(fields.String())
    themes = fields.List(fields.String())
    landing_page = fields.String()
    contact = fields.String()
    spatial = fields.String()
    temporal_start = fields.String()
    temporal_end = fields.String()
    issued = fields.String()
    modified = fields.String()
    series = fields.String()
    series_position = fields.Integer()
    spatial_code = fields.String()
    extras = fields.Dict(keys=fields.String())
    read = fields.Dict(keys=fields.String())
    columns = fields.Dict(keys=fields.String(), values=fields.Nested(ColumnSchema))
    chart = fields.Dict(keys=fields.String())
    map = fields.Dict(keys=fields.String())
    tables = fields.Dict(
        keys=fields.String(),
        values=TextsField(),
        metadata={"description": "Sheet or other table of a file → its title"},
    )


OF_COLUMN = ("label", "description", "unit", "element")
OF_DATASET = frozenset(DeclarationSchema().fields) - {"read", "columns", "chart", "map", "tables"}


def dataset_from(declared: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the dataset that were declared, over `defaults`."""
    return {**defaults, **{key: declared[key] for key in OF_DATASET if key in declared}}


def load_from(declared: Mapping[str, Any], part: Mapping[str, Any], version: str) -> dict[str, Any]:
    """A resource's `load`: what to fetch, how to read it, what its columns mean."""
    columns: Mapping[str, Mapping[str, Any]] = declared.get("columns", {})
    types = {name: about["type"] for name, about in columns.items() if "type" in about}
    read = dict(declared.get("read", {}))
    if types:
        read["types"] = {**read.get("types", {}), **types}
    labels = {
        name: {key: about[key] for key in OF_COLUMN if key in about}
        for name, about in columns.items()
    }
    load: dict[str, Any] = {"part": dict(part), "read": read, "version": version}
    if any(labels.values()):
        load["columns"] = {name: about for name, about in labels.items() if about}
    return {
        **load,
        **{key: declared[key] for key in ("chart", "map", "tables") if declared.get(key)},
    }


_ENDINGS = {"ndjson": "JSONL", "txt": "TSV", "tab": "TSV", "json": "JSON", "jsonl": "JSONL"}


def format_by_name(name: str) -> str:
    """Short name of a file's format by its ending; nothing when no table can be read from it."""
    lower = name.lower()
    for packing in (".gz", ".zip"):
        lower = lower.removesuffix(packing)
    ending = lower.rpartition(".")[2] if "." in lower else ""
    known = _ENDINGS.get(ending, ending.upper())
    if not known and name.lower().endswith(".zip"):
        return "ZIP"
    return known if known in MEDIA_TYPES else ""


def titled(name: str) -> str:
    """A readable title made from a file's or table's name."""
    stem = name.rpartition("/")[2]
    while format_by_name(stem) or stem.lower().endswith((".gz", ".zip")):
        stem = stem.rpartition(".")[0]
    return " ".join(stem.replace("_", " ").split()) or name


def unique_slugs(declared: list[Mapping[str, Any]]) -> None:
    """Raise ValidationError when two declarations claim one slug."""
    slugs = [entry["slug"] for entry in declared if "slug" in entry]
    twice = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    if twice:
        raise ValidationError(f"declared twice: {', '.join(twice)}", "datasets")
