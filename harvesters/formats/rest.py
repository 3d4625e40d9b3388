"""A JSON interface with declared datasets: paths, paging, fields, and a key in a header."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urljoin

import orjson
from marshmallow import Schema, fields, validate, validates_schema

from catalog.errors import CatalogError, Invalid, Unreadable
from harvesters.addresses import shown
from harvesters.declaration import (
    LANGUAGE,
    DeclarationSchema,
    TextsField,
    dataset_from,
    load_from,
    unique_slugs,
)
from harvesters.harvester import Content, Record, Rows, Source
from harvesters.http import Answer, Http


class PagingSchema(Schema):
    """How the pages of a list are asked for."""

    kind = fields.String(
        load_default="none", validate=validate.OneOf(["none", "page", "offset", "cursor", "next"])
    )
    param = fields.String()
    """Parameter for the page's number, the offset or the cursor."""
    start = fields.Integer(load_default=None, allow_none=True)
    size_param = fields.String(load_default="")
    size = fields.Integer(load_default=500, validate=validate.Range(1, 100_000))
    following = fields.String(load_default="")
    """Dotted path of the next cursor or of the link to the next page."""
    total = fields.String(load_default="")
    """Dotted path of the number of all records; a walk that ends with fewer is refused."""
    most_pages = fields.Integer(load_default=10_000, validate=validate.Range(1, 1_000_000))


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
        load_default="", metadata={"secret": True, "description": "Key that is sent in a header"}
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
        required=True,
        validate=validate.Length(1, 1000),
        metadata={"description": "Datasets, each with its path, its paging and its fields"},
    )

    @validates_schema
    def check(self, data: dict[str, Any], **_: Any) -> None:
        """No slug twice."""
        unique_slugs(data.get("datasets", []))


class Rest:
    """A format: each declared path is a dataset with one table."""

    kind = "rest"
    options: ClassVar[type[Schema]] = RestOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The declared datasets, each with the state that its first page reports."""
        for declared in source.options["datasets"]:
            body = {"declared": dict(declared), "version": ""}
            try:
                first = next(_pages(source, http, declared))
            except CatalogError as error:
                yield Record(declared["slug"], body, error)
                continue
            yield Record(declared["slug"], {**body, "version": _version(declared, first)})

    def describe(self, record: Record) -> dict[str, Any]:
        """The declaration, with one resource that stands for the interface."""
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


def at_path(value: Any, path: str) -> Any:
    """The value at a dotted path of keys and positions; None where there is nothing."""
    for step in path.split(".") if path else ():
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _rows(
    source: Source, http: Http, declared: Mapping[str, Any]
) -> Iterator[Mapping[str, object]]:
    """The records of all pages; fewer than the stated total, or no list of records, is an error."""
    named: Mapping[str, str] = declared["fields"]
    count, total = 0, None
    for _, page in _pages(source, http, declared):
        total = at_path(page, declared["paging"]["total"]) if declared["paging"]["total"] else None
        for row in _list(page, declared):
            count += 1
            yield {name: at_path(row, path) for name, path in named.items()} if named else row
    if isinstance(total, int) and count != total:
        raise Unreadable(
            "the source says that there are %(total)s records, but gave %(count)s",
            total=total,
            count=count,
        )


def _list(page: Any, declared: Mapping[str, Any]) -> list[Mapping[str, object]]:
    found = at_path(page, declared["records"])
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise Unreadable(
            "the answer has no list of records at “%(path)s”", path=declared["records"] or "."
        )
    return found


def _address(base: str, path: str) -> str:
    """The path below the base, with the queries of both."""
    place, _, query = base.partition("#")[0].partition("?")
    url = urljoin(place.rstrip("/") + "/", path.lstrip("/"))
    return url + ("&" if "?" in url else "?") + query if query else url


def _pages(source: Source, http: Http, declared: Mapping[str, Any]) -> Iterator[tuple[Answer, Any]]:
    """Answers in order, until the source has no more; a walk that turns in a circle is an error."""
    options, paging = source.options, declared["paging"]
    headers = {"Accept": "application/json"}
    if options["key"]:
        headers[options["key_header"]] = options["key_prefix"] + options["key"]
    url = _address(source.url, declared["path"])
    params: dict[str, str] | None = {**declared["params"], **_first_params(paging)}
    seen: set[bytes] = set()
    for number in range(paging["most_pages"]):
        answer = http.get(url, headers=headers, params=params)
        page = answer.json()
        rows = _list(page, declared)
        mark = hashlib.sha256(answer.content).digest()
        if rows and mark in seen:
            raise Unreadable(
                "the paging of %(url)s does not end: a page came twice", url=shown(url)
            )
        seen.add(mark)
        yield answer, page
        following = _following(paging, page, len(rows), number)
        if following is None:
            return
        if paging["kind"] == "next":
            url, params = _same_origin(source.url, urljoin(answer.url, following)), None
        else:
            params = {**(params or {}), paging["param"]: following}
    raise Unreadable(
        "the paging of %(url)s does not end: more than %(limit)s pages",
        url=shown(url),
        limit=paging["most_pages"],
    )


_PARAMS = {"page": "page", "offset": "offset", "cursor": "cursor"}


def _first_params(paging: dict[str, Any]) -> dict[str, str]:
    kind = paging["kind"]
    paging.setdefault("param", _PARAMS.get(kind, ""))
    params: dict[str, str] = {}
    if kind in {"page", "offset"}:
        params[paging["param"]] = str(_start(paging))
    if paging["size_param"]:
        params[paging["size_param"]] = str(paging["size"])
    return params


def _start(paging: Mapping[str, Any]) -> int:
    if paging["start"] is not None:
        return int(paging["start"])
    return 1 if paging["kind"] == "page" else 0


def _following(paging: Mapping[str, Any], page: Any, rows: int, number: int) -> str | None:
    """What asks for the next page, or None after the last one."""
    match paging["kind"]:
        case "page" if rows >= paging["size"]:
            return str(_start(paging) + number + 1)
        case "offset" if rows >= paging["size"]:
            return str(_start(paging) + (number + 1) * paging["size"])
        case "cursor" | "next" if rows:
            found = at_path(page, paging["following"])
            return str(found) if found not in (None, "", False) else None
    return None


def _same_origin(first: str, following: str) -> str:
    """The next page's address, which must stay on the same server: the key is sent along."""
    if first.split("/")[:3] != following.split("/")[:3]:
        raise Unreadable(
            "the link to the next page leads to another server: %(url)s", url=shown(following)
        )
    return following
