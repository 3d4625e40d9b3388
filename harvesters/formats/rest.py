"""A JSON interface with declared datasets, or a list of them: paths, paging, fields, and a key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import orjson
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from catalog.errors import CatalogError, Invalid, Unreadable
from harvesters.declaration import (
    LANGUAGE,
    DeclarationSchema,
    TextsField,
    dataset_from,
    load_from,
    unique_slugs,
)
from harvesters.formats.rest_calls import (
    NAME,
    PagingSchema,
    SignSchema,
    at_path,
    pages,
    records_of,
)
from harvesters.formats.rest_catalogue import CatalogueSchema, catalogued, described
from harvesters.harvester import Content, Record, Rows, Source
from harvesters.http import Answer, Http


class EndpointSchema(DeclarationSchema):
    """A dataset whose rows come from one path."""

    slug = fields.String(required=True, validate=validate.Regexp(r"^[a-z0-9][a-z0-9-]{1,99}$"))
    title = TextsField(required=True)
    path = fields.String(required=True)
    params = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    records = fields.String(load_default="")
    """Dotted path of the array of records in an answer; empty means the answer itself."""
    fields_ = fields.Dict(
        data_key="fields",
        attribute="fields",
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
    )
    """Column → dotted path inside a record; empty means all fields as they are."""
    paging = fields.Nested(PagingSchema, load_default=lambda: PagingSchema().load({}))
    version = fields.String(load_default="")
    """Dotted path of a value that changes when the data does, where the answers carry no ETag."""


class RestOptions(Schema):
    """What a source of the kind `rest` may be told."""

    language = fields.String(
        load_default="en",
        validate=LANGUAGE,
        metadata={"description": "Main language of the source"},
    )
    key = fields.String(
        load_default="", metadata={"secret": True, "description": "Key that is sent with each call"}
    )
    key_in = fields.String(
        load_default="header",
        validate=validate.OneOf(["header", "query", "signed"]),
        metadata={
            "description": "Where the key is sent: in a header, as a parameter, or not at all, because calls are signed with it"
        },
    )
    key_param = fields.String(
        load_default="key", validate=NAME, metadata={"description": "Name of the parameter"}
    )
    sign = fields.Nested(
        SignSchema,
        load_default=None,
        allow_none=True,
        metadata={"description": "Which parts of a call are signed, and what is sent"},
    )
    key_header = fields.String(
        load_default="X-API-Key",
        validate=validate.Regexp(r"^[A-Za-z0-9-]{1,60}$"),
        metadata={"description": "Name of the header"},
    )
    key_prefix = fields.String(
        load_default="",
        metadata={
            "description": "What stands before the key, such as `Bearer ` with a space at the end"
        },
    )
    datasets = fields.List(
        fields.Nested(EndpointSchema),
        load_default=list,
        validate=validate.Length(max=1000),
        metadata={"description": "Datasets, each with its path, its paging and its fields"},
    )

    catalogue = fields.Nested(
        CatalogueSchema,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "A list whose records are datasets, with the mapping of their fields"
        },
    )

    @validates_schema
    def check(self, data: dict[str, Any], **_: Any) -> None:
        """Something is declared, and no slug twice."""
        if not data.get("datasets") and not data.get("catalogue"):
            raise ValidationError("Declare datasets, or a catalogue of them.", "datasets")
        unique_slugs(data.get("datasets", []))


class Rest:
    """A format: each declared path is a dataset with one table, each record of a catalogue a dataset."""

    kind = "rest"
    options: ClassVar[type[Schema]] = RestOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The declared datasets, each with the state that its first page reports."""
        for declared in source.options["datasets"]:
            body = {"declared": dict(declared), "version": ""}
            try:
                first = next(pages(source, http, declared))
            except CatalogError as error:
                yield Record(declared["slug"], body, error)
                continue
            yield Record(declared["slug"], {**body, "version": _version(declared, first)})
        if source.options["catalogue"]:
            yield from catalogued(source, http, source.options["catalogue"])

    def describe(self, record: Record) -> dict[str, Any]:
        """The declaration, with one resource that stands for the interface."""
        if "mapping" in record.body:
            return described(record.body)
        declared = record.body["declared"]
        dataset = dataset_from(declared, {})
        part = {"dataset": declared["slug"], "how": _fingerprint(declared)}
        dataset["resources"] = [
            {
                "key": "data",
                "title": declared["title"],
                "format": "JSON",
                "media_type": "application/json",
                "load": load_from(declared, part, record.body["version"]),
            }
        ]
        return dataset

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol's signature
        """All rows, page by page."""
        wanted = load["part"]["dataset"]
        for declared in source.options["datasets"]:
            if declared["slug"] == wanted:
                return Rows(_rows(source, http, declared), list(declared["fields"]) or None)
        raise Invalid("%(name)s is no longer declared in the source", name=wanted)


def _fingerprint(declared: Mapping[str, Any]) -> str:
    """What changes when rows would be fetched in another way."""
    how = [declared[key] for key in ("path", "params", "records", "fields")]
    return hashlib.sha256(orjson.dumps(how, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _version(declared: Mapping[str, Any], first: tuple[Answer, Any]) -> str:
    answer, page = first
    stated = at_path(page, declared["version"]) if declared["version"] else None
    return f"value:{stated}" if stated is not None else answer.version


def _rows(
    source: Source, http: Http, declared: Mapping[str, Any]
) -> Iterator[Mapping[str, object]]:
    """The records of all pages; fewer than the stated total, or no list of records, is an error."""
    named: Mapping[str, str] = declared["fields"]
    count, total = 0, None
    for _, page in pages(source, http, declared):
        total = at_path(page, declared["paging"]["total"]) if declared["paging"]["total"] else None
        for row in records_of(page, declared):
            count += 1
            yield {name: at_path(row, path) for name, path in named.items()} if named else row
    if isinstance(total, int) and count != total:
        raise Unreadable(
            "the source says that there are %(total)s records, but gave %(count)s",
            total=total,
            count=count,
        )
