"""A catalogue behind a JSON interface: each record is a dataset, by a declared mapping of fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import Schema, fields, validate

from harvesters.declaration import DeclarationSchema, dataset_from
from harvesters.formats.rest_calls import PagingSchema, at_path, pages, records_of
from harvesters.harvester import Record, Source
from harvesters.http import Http
from harvesters.terms import day_of, format_of, frequency_of, license_of, moment_of

TEXTS = frozenset({"title", "description", "notice", "access_reason"})
LINES = frozenset(
    [
        "slug",
        "landing_page",
        "contact",
        "spatial",
        "spatial_code",
        "identifier",
        "temporal_start",
        "temporal_end",
    ]
)
MAPPED = TEXTS | LINES | {"license", "frequency", "tags", "issued", "modified", "access"}
OF_RESOURCE = ("key", "title", "description", "url", "format")


class SinceSchema(Schema):
    """How the interface is asked only for what changed."""

    param = fields.String(required=True)
    field = fields.String(required=True)
    """Dotted path of the moment of change inside a record: the greatest one is asked for the next time."""
    full_days = fields.Integer(load_default=7, validate=validate.Range(1, 3650))
    """After so many days everything is read again, which also shows what was removed."""


class GoneSchema(Schema):
    """How a record says that it was removed."""

    field = fields.String(required=True)
    values = fields.List(fields.String(), load_default=lambda: ["true", "deleted", "1"])


class ResourcesSchema(Schema):
    """The files and interfaces of a record."""

    records = fields.String(required=True)
    fields_ = fields.Dict(
        data_key="fields",
        attribute="fields",
        keys=fields.String(validate=validate.OneOf(OF_RESOURCE)),
        values=fields.String(),
        load_default=dict,
    )


class CatalogueSchema(Schema):
    """A list of datasets."""

    path = fields.String(required=True)
    params = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    records = fields.String(load_default="")
    key = fields.String(required=True)
    """Dotted path of what tells records apart."""
    fields_ = fields.Dict(
        data_key="fields",
        attribute="fields",
        keys=fields.String(validate=validate.OneOf(sorted(MAPPED))),
        values=fields.String(),
        required=True,
    )
    """Field of a dataset → dotted path inside a record."""
    defaults = fields.Nested(DeclarationSchema, load_default=dict)
    resources = fields.Nested(ResourcesSchema, load_default=None, allow_none=True)
    paging = fields.Nested(PagingSchema, load_default=lambda: PagingSchema().load({}))
    since = fields.Nested(SinceSchema, load_default=None, allow_none=True)
    gone = fields.Nested(GoneSchema, load_default=None, allow_none=True)


def catalogued(source: Source, http: Http, declared: Mapping[str, Any]) -> Iterator[Record]:
    """The records of all pages, or those that changed since the last run."""
    asked, since = dict(declared), declared["since"]
    if since:
        asked["params"] = {**declared["params"], **_changes(source, since)}
    greatest = str(source.memory.before.get("since", "")) if source.memory.partial else ""
    kept = {"fields": declared["fields"], "defaults": declared["defaults"]}
    for _, page in pages(source, http, asked):
        for body in records_of(page, declared):
            if since:
                greatest = max(greatest, _text(at_path(body, since["field"])), key=_order)
            yield Record(
                _text(at_path(body, declared["key"])),
                {
                    "record": dict(body),
                    "mapping": {**kept, "resources": declared["resources"]},
                    "language": source.options["language"],
                },
                gone=_is_gone(body, declared["gone"]),
            )
    if since:
        source.memory.after["since"] = greatest


def described(body: Mapping[str, Any]) -> dict[str, Any]:
    """The record in the fields of a dataset."""
    record, mapping, language = body["record"], body["mapping"], body["language"]
    stated: dict[str, Any] = {}
    for name, path in mapping["fields"].items():
        value = at_path(record, path)
        if value not in (None, "", [], {}):
            stated |= _stated(name, value, language)
    dataset = {**dataset_from(mapping["defaults"], {}), **stated}
    if mapping["resources"]:
        dataset["resources"] = _resources(record, mapping["resources"], language)
    return dataset


def _stated(name: str, value: Any, language: str) -> dict[str, Any]:
    text = _text(value)
    if name in TEXTS:
        return {name: dict(value) if isinstance(value, Mapping) else {language: text}}
    if name == "tags":
        return {name: list(map(_text, value)) if isinstance(value, list) else _split(text)}
    if name == "license":
        known, words = license_of(text)
        return {"license": known, "license_text": words}
    readers = {
        "frequency": frequency_of, "issued": _moment_of, "modified": _moment_of,
        "temporal_start": day_of, "temporal_end": day_of,
    }  # fmt: skip
    read = readers.get(name)
    found = read(text) if read else text
    return {name: found} if found else {}


def _resources(
    record: Mapping[str, Any], declared: Mapping[str, Any], language: str
) -> list[dict[str, Any]]:
    found = at_path(record, declared["records"])
    made: dict[str, dict[str, Any]] = {}
    for one in found if isinstance(found, list) else [found] if found else []:
        said = {name: _text(at_path(one, path)) for name, path in declared["fields"].items()}
        key = said.get("key") or said.get("url") or str(len(made) + 1)
        texts = {
            name: {language: said[name]} for name in ("title", "description") if said.get(name)
        }
        form = format_of(said.get("format", ""))
        made.setdefault(key, {"key": key, "url": said.get("url", ""), "format": form, **texts})
    return list(made.values())


def _changes(source: Source, since: Mapping[str, Any]) -> dict[str, str]:
    """What asks for the changes since the last run; nothing when everything is due."""
    memory, moment = source.memory, datetime.now(UTC)
    last, full = str(memory.before.get("since") or ""), str(memory.before.get("full") or "")
    due = not full or datetime.fromisoformat(full) < moment - timedelta(days=since["full_days"])
    if not last or due:
        memory.after["full"] = moment.isoformat()
        return {}
    memory.partial, memory.after["full"] = True, full
    return {since["param"]: a_little_before(last)}


def a_little_before(text: str) -> str:
    """A minute before a moment, written as it was; a day, and what is no moment, stay as they are."""
    if text.isdecimal() and len(text) in {10, 13}:
        return str(int(text) - (60 if len(text) == 10 else 60_000))
    if len(text) <= len("2024-05-31"):
        return text
    try:
        earlier = datetime.fromisoformat(text) - timedelta(minutes=1)
    except (ValueError, OverflowError):
        return text
    written = earlier.isoformat(" " if " " in text else "T")
    return written.replace("+00:00", "Z") if text.endswith("Z") else written


def _order(text: str) -> tuple[float, str]:
    """Moments by their time, also where their zones differ; numbers by their value."""
    if text.isdecimal():
        return float(text), text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0.0, text
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(), text


def _moment_of(text: str) -> str:
    """The moment, also of seconds or milliseconds since 1970."""
    if text.isdecimal() and len(text) in {10, 13}:
        return datetime.fromtimestamp(int(text[:10]), UTC).isoformat()
    return moment_of(text)


def _is_gone(record: Mapping[str, Any], declared: Mapping[str, Any] | None) -> bool:
    return declared is not None and _text(at_path(record, declared["field"])) in declared["values"]


def _split(text: str) -> list[str]:
    for sign in ("、", ";", "；", ",", "，"):  # Chinese signs
        text = text.replace(sign, "\n")
    return [part.strip() for part in text.split("\n") if part.strip()]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).strip()
