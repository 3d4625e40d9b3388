"""Records of metadata standards in XML: what is in one, and what that is in our words.

CSW, OAI-PMH and folders of files carry the same records; each of them hands over an element.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from marshmallow import Schema, fields, validate

from catalog.errors import Unreadable
from harvesters.declaration import LANGUAGE
from harvesters.formats import datacite, dublin_core, iso_details, iso_record


class MetadataOptions(Schema):
    """What a source whose records are in a metadata standard may be told."""

    default_language = fields.String(
        data_key="language",
        load_default="en",
        validate=LANGUAGE,
        metadata={"description": "Language of records that do not name theirs"},
    )
    themes = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        metadata={"description": "Topic category or keyword → slug of a theme, over those of ISO"},
    )
    levels = fields.List(
        fields.String(),
        load_default=list,
        metadata={
            "description": "Levels of records that are taken, such as `dataset`; all if none is named"
        },
    )
    record_page = fields.String(
        load_default="",
        validate=validate.Length(max=1000),
        metadata={"description": "Address of a record's page, with `{id}` for its identifier"},
    )
    content = fields.Boolean(
        data_key="load_files",
        load_default=False,
        metadata={"description": "Whether the resources' files are fetched and their tables read"},
    )


KINDS = frozenset((*iso_record.KINDS, *dublin_core.KINDS, *datacite.KINDS))
OPTIONS = ("default_language", "themes", "record_page", "content")
"""What describing a record needs to know of its source."""


def record_element(inside: ET.Element) -> ET.Element | None:
    """The first record of a known standard in an element."""
    for element in inside.iter():
        if element.tag in KINDS:
            return element
    return None


def said_in(record: ET.Element, options: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says, as plain JSON, with what the source was told."""
    asked = {name: options[name] for name in OPTIONS}
    if record.tag in iso_record.KINDS:
        return {"standard": "iso", **iso_record.said_in(record), **asked}
    if record.tag in dublin_core.KINDS:
        return {"standard": "dc", **dublin_core.said_in(record), **asked}
    if record.tag in datacite.KINDS:
        return {"standard": "dc", **datacite.said_in(record), **asked}
    raise Unreadable("records of the kind %(name)s are not known", name=record.tag)


def is_wanted(said: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    """Whether the record's level is one that the source shall give; a record without one is a dataset."""
    return not options["levels"] or (said.get("level") or "dataset") in options["levels"]


def described(body: Mapping[str, Any]) -> dict[str, Any]:
    """The record in the fields of DatasetDraft."""
    if body["standard"] == "dc":
        return dublin_core.described(body)
    return iso_details.described(body)
