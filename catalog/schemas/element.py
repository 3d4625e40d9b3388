"""Data elements and lists of codes: what an operator or a file says of them → drafts; rows → JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from marshmallow import Schema, ValidationError, fields, post_load, validate, validates

from catalog.errors import N_, Invalid
from catalog.models.element import CodeList, DataElement
from catalog.models.vocabulary import ColumnType
from catalog.schemas.dataset import moment_json
from catalog.schemas.texts import Line, Texts, chosen
from catalog.tabular.representation import representation
from catalog.tabular.semantics import SEMANTICS

MOST_CODES = 20_000
CODE = validate.Regexp(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", error=N_("Use letters a to z, digits, dots, - and _.")
)


@dataclass(frozen=True)
class ElementDraft:
    """A data element as an operator defines it."""

    code: str
    title: Mapping[str, str]
    definition: Mapping[str, str] = field(default_factory=dict)
    type: ColumnType = ColumnType.STRING
    format: str = ""
    pattern: str = ""
    unit: str = ""
    semantic: str = ""
    code_list: str = ""
    """Code of a list of codes."""
    source: str = ""
    version: str = ""


@dataclass(frozen=True)
class CodeListDraft:
    """A list of codes."""

    code: str
    title: Mapping[str, str]
    source: str = ""
    entries: tuple[Mapping[str, Any], ...] = ()


class ElementSchema(Schema):
    """A data element."""

    code = fields.String(required=True, validate=CODE)
    title = Texts(300, required=True)
    definition = Texts(5000)
    type = fields.Enum(ColumnType, by_value=True)
    format = Line(100)
    pattern = Line(500)
    unit = Line(60)
    semantic = fields.String(validate=validate.OneOf(("", *SEMANTICS)))
    code_list = fields.String(validate=validate.Length(max=100))
    source = Line(500)
    version = Line(40)

    @validates("format")
    def check_format(self, value: str, data_key: str) -> None:  # noqa: ARG002 # the signature is marshmallow's
        """It must be one of GB/T 19488.1."""
        try:
            representation(value)
        except Invalid as error:
            raise ValidationError(error.message) from error

    @validates("pattern")
    def check_pattern(self, value: str, data_key: str) -> None:  # noqa: ARG002 # the signature is marshmallow's
        """RE2 must take it."""
        try:
            pc.match_substring_regex(pa.array([""]), value)
        except pa.ArrowInvalid as error:
            raise ValidationError(N_("This is no regular expression of RE2.")) from error

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> ElementDraft:
        """The draft."""
        return ElementDraft(**data)


class EntrySchema(Schema):
    """A code with its meaning."""

    code = Line(100, shortest=1, required=True)
    label = Texts(500, required=True)


class CodeListSchema(Schema):
    """A list of codes."""

    code = fields.String(required=True, validate=CODE)
    title = Texts(300, required=True)
    source = Line(500)
    entries = fields.List(
        fields.Nested(EntrySchema), required=True, validate=validate.Length(1, MOST_CODES)
    )

    @validates("entries")
    def check_entries(self, value: list[dict[str, Any]], data_key: str) -> None:  # noqa: ARG002 # the signature is marshmallow's
        """A code stands once."""
        codes = Counter(one["code"] for one in value if "code" in one)
        twice = [code for code, n in codes.items() if n > 1]
        if twice:
            raise ValidationError(N_("A code stands in the list twice."))

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> CodeListDraft:
        """The draft."""
        return CodeListDraft(**{**data, "entries": tuple(data["entries"])})


def element_draft(described: Mapping[str, Any]) -> ElementDraft:
    """The draft of an element; raises Invalid with its problems by field."""
    try:
        draft: ElementDraft = ElementSchema().load(dict(described))
    except ValidationError as error:
        raise Invalid(
            "the data element “%(code)s” cannot be used",
            problems=dict(error.messages_dict),
            code=str(described.get("code", ""))[:100],
        ) from error
    return draft


def code_list_draft(described: Mapping[str, Any]) -> CodeListDraft:
    """The draft of a list of codes; raises Invalid with its problems by field."""
    try:
        draft: CodeListDraft = CodeListSchema().load(dict(described))
    except ValidationError as error:
        raise Invalid(
            "the list of codes “%(code)s” cannot be used",
            problems=dict(error.messages_dict),
            code=str(described.get("code", ""))[:100],
        ) from error
    return draft


def element_json(element: DataElement, language: str) -> dict[str, Any]:
    """What the API says of a data element; `code_list` must be loaded."""
    return {
        "code": element.code,
        "title": chosen(element.title, language),
        "definition": chosen(element.definition, language),
        "texts": {"title": element.title, "definition": element.definition},
        "type": element.type,
        "format": element.format or None,
        "pattern": element.pattern or None,
        "unit": element.unit or None,
        "semantic": element.semantic or None,
        "code_list": element.code_list.code if element.code_list else None,
        "source": element.source or None,
        "version": element.version or None,
        "retired_at": moment_json(element.retired_at),
    }


def code_list_json(codes: CodeList) -> dict[str, Any]:
    """A list of codes, as files hold it and as the API says it."""
    return {
        "code": codes.code,
        "title": codes.title,
        "source": codes.source,
        "entries": codes.entries,
    }
