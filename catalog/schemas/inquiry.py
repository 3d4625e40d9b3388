"""The form of a question to a department → a frozen draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from catalog.errors import N_
from catalog.schemas.texts import Line, Slug, clean

KINDS = ("data", "error", "access")
LONGEST = 10_000


@dataclass(frozen=True)
class InquiryDraft:
    """What somebody asks, and of whom: a dataset's department, or an organization."""

    kind: str
    title: str
    text: str
    dataset: str = ""
    organization: str = ""
    contact: str = ""
    public: bool = False
    details: Mapping[str, str] = field(default_factory=dict)


class InquirySchema(Schema):
    """The fields of the form."""

    kind = fields.String(load_default="data", validate=validate.OneOf(KINDS))
    title = Line(
        300, required=True, error_messages={"required": N_("Say in a few words what it is about.")}
    )
    text = fields.String(
        required=True,
        validate=validate.Length(
            1, LONGEST, error=N_("Write what you ask, in at most 10,000 characters.")
        ),
    )
    dataset = Line(120, load_default="")
    organization = Slug(load_default="")
    contact = fields.String(
        load_default="",
        validate=validate.Regexp(
            r"^$|^[^@\s]{1,100}@[^@\s]{1,150}$",
            error=N_("Enter an e-mail address such as name@example.org."),
        ),
    )
    public = fields.Boolean(load_default=False)
    purpose = Line(2000, load_default="")
    body = Line(300, load_default="")

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> InquiryDraft:
        """The draft; what only an application says goes into its details."""
        details = {name: data.pop(name) for name in ("purpose", "body")}
        data["text"] = clean(data["text"])
        kept = {name: words for name, words in details.items() if words}
        return InquiryDraft(**data, details=kept)
