"""The form of the data dictionary for one column → a frozen draft; what is wrong stands at its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_load, validate
from marshmallow import validates_schema as whole

from catalog.errors import N_, Invalid
from catalog.models.vocabulary import ColumnType
from catalog.schemas.texts import Line, clean
from catalog.tabular.column import Column
from catalog.tabular.reading.convert import Constraints
from catalog.tabular.semantics import SEMANTICS
from catalog.tabular.table_schema import TYPES, Field, read_schema

LANGUAGES = ("zh", "en")
TEXT_FORMATS = ("default", "email", "uri", "uuid", "binary")
LONGEST_WORDS = 2_000
MOST_LINES = 500
CONSTRAINTS = {
    "required": "required",
    "unique": "unique",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minimum": "minimum",
    "maximum": "maximum",
    "pattern": "pattern",
    "enum": "enum",
}
"""Names in Table Schema → fields of the form."""
LIMITS = ("minimum", "maximum", "enum")
DATES = ("date", "datetime", "time")


@dataclass(frozen=True)
class ColumnDraft:
    """What a person says of a column; `kind` is the type by its name in Table Schema."""

    kind: str
    title: Mapping[str, str] = field(default_factory=dict)
    description: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    semantic: str = ""
    format: str = ""
    missing: tuple[str, ...] | None = None
    constraints: Mapping[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> ColumnType:
        """How the values are stored."""
        return TYPES[self.kind]

    @property
    def info(self) -> dict[str, Any]:
        """What the dictionary keeps beyond name, title, description, unit and semantic."""
        said: dict[str, Any] = {"constraints": dict(self.constraints)}
        if self.kind != self.type.value:
            said["type"] = self.kind
        if self.format not in ("", "default"):
            said["format"] = self.format
        if self.missing is not None:
            said["missingValues"] = list(self.missing)
        return {name: value for name, value in said.items() if value}

    def field(self, name: str) -> Field:
        """The draft as the reader of files takes it."""
        given = {"name": name, "type": self.kind, "semantic": self.semantic, **self.info}
        return read_schema({"fields": [given]}).fields[0]


class _Lines(fields.String):
    """A text of several lines as a list of them; blank ones are dropped."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        text = super()._deserialize(value, attr, data, **options)
        lines = [line.strip() for line in clean(text).split("\n")]
        found = [line for line in dict.fromkeys(lines) if line]
        if len(found) > MOST_LINES:
            raise ValidationError(N_("Write at most 500 lines."))
        return found


def _words() -> fields.String:
    return fields.String(load_default="", validate=validate.Length(max=LONGEST_WORDS))


class ColumnDeclarationSchema(Schema):
    """The fields of the form."""

    title_zh = Line(500, load_default="")
    title_en = Line(500, load_default="")
    description_zh = _words()
    description_en = _words()
    unit = Line(60, load_default="")
    type = fields.String(required=True, validate=validate.OneOf(list(TYPES)))
    semantic = fields.String(load_default="", validate=validate.OneOf(["", *SEMANTICS]))
    format = Line(200, load_default="")
    missing = _Lines(load_default=None)
    required = fields.Boolean(load_default=False)
    unique = fields.Boolean(load_default=False)
    min_length = fields.Integer(load_default=None, validate=validate.Range(0))
    max_length = fields.Integer(load_default=None, validate=validate.Range(0))
    minimum = Line(100, load_default="")
    maximum = Line(100, load_default="")
    pattern = fields.String(load_default="")
    enum = _Lines(load_default=None)

    @pre_load
    def without_blanks(self, data: Mapping[str, str], **_: Any) -> dict[str, str]:
        """A field that was left empty says nothing."""
        return {name: text for name, text in data.items() if text.strip()}

    @whole(skip_on_field_errors=True)
    def check_properties(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse what the reader of files could not use, each at its field."""
        wrong = {name: [words] for name, words in _mistakes(data)}
        if wrong:
            raise ValidationError(wrong)

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> ColumnDraft:
        """The draft."""
        return ColumnDraft(
            kind=data["type"],
            title=_texts(data, "title"),
            description=_texts(data, "description"),
            unit=data["unit"],
            semantic=data["semantic"],
            format=data["format"],
            missing=None if data["missing"] is None else tuple(data["missing"]),
            constraints=_constraints(data),
        )


def _texts(data: Mapping[str, Any], name: str) -> dict[str, str]:
    found = {tag: clean(data[f"{name}_{tag}"]) for tag in LANGUAGES}
    return {tag: text for tag, text in found.items() if text}


def _constraints(data: Mapping[str, Any]) -> dict[str, Any]:
    kept = {theirs: data[ours] for theirs, ours in CONSTRAINTS.items()}
    return {name: value for name, value in kept.items() if value not in (None, "", False, [])}


def _mistakes(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    kind, given = data["type"], _constraints(data)
    found = [
        (name, N_("This is not a value of the type of the column."))
        for name in LIMITS
        if name in given and not _is_read(kind, {name: given[name]})
    ]
    if not found and not _is_ordered(kind, given):
        found.append(("maximum", N_("The greatest value is below the least one.")))
    if "maxLength" in given and given["maxLength"] < given.get("minLength", 0):
        found.append(("max_length", N_("The greatest length is below the least one.")))
    if "pattern" in given and not _is_read(kind, {"pattern": given["pattern"]}):
        found.append(("pattern", N_("This is no regular expression that can be used.")))
    if not _is_format(kind, data["format"]):
        found.append(("format", N_("The type has no such format.")))
    return found


def _is_read(kind: str, constraints: Mapping[str, Any]) -> bool:
    """Whether the reader of files can use these constraints of a column."""
    try:
        said = read_schema({"fields": [{"name": "c", "type": kind, "constraints": constraints}]})
        Constraints(said.fields[0], Column("c", "c", TYPES[kind]))
    except Invalid:
        return False
    return True


def _is_ordered(kind: str, given: Mapping[str, Any]) -> bool:
    """Whether the least value is not above the greatest."""
    limits = {name: given[name] for name in ("minimum", "maximum") if name in given}
    said = read_schema({"fields": [{"name": "c", "type": kind, "constraints": limits}]}).fields[0]
    least, most = Constraints(said, Column("c", "c", TYPES[kind])).limits
    return least is None or most is None or bool(least <= most)


def _is_format(kind: str, format_: str) -> bool:
    if format_ in ("", "default"):
        return True
    if kind in DATES:
        return format_ == "any" or "%" in format_
    return kind == "string" and format_ in TEXT_FORMATS
