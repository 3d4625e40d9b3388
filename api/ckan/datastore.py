"""Reading the DataStore: `datastore_search`, `datastore_info`, and the list of all tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import request

from api.ckan import metadata
from api.ckan.errors import Refused, message_of
from api.ckan.question import Question, ask
from api.ckan.records import columns_of, lines, objects
from api.ckan.registry import action
from api.ckan.schemas import DEFAULT_ROWS, InfoSchema, SearchSchema
from api.ckan.tables import Field, Table, found
from api.ckan.validators import checked
from catalog.errors import BadQuery, Gone
from catalog.permissions import Identity
from catalog.services import table_aliases, usage

_SEARCH, _INFO = SearchSchema(), InfoSchema()  # making one takes longer than using it
_KNOWN = {*_SEARCH.load_fields, "fields", "id", "total_estimation_threshold"}
_DEFAULTS = {
    "distinct": False,
    "include_total": True,
    "records_format": "objects",
    "include_next_page": False,
    "limit": DEFAULT_ROWS,
}
SEPARATORS = {"csv": ",", "tsv": "\t"}


@action(safe=True)
def datastore_search(who: Identity, data: dict[str, Any]) -> Any:
    """Search a DataStore resource.

    :param resource_id: id or alias of the resource to be searched against
    :param filters: matching conditions to select, e.g. {"name": "fred"}, {"year": {"lt": 2020}},
        {"$or": [{"a": 1}, {"b": 2}]}
    :param q: full text query: a string (all fields) or a dictionary of fields and strings
    :param full_text: full text query on all fields, to use together with a dictionary in q
    :param distinct: return only distinct rows (default: false)
    :param plain: treat as plain text query (default: true); false reads PostgreSQL's query language
    :param language: language of the full text query (default: english)
    :param limit: maximum number of rows to return (default: 100, at most 32000)
    :param offset: offset this number of rows
    :param fields: fields to return (default: all fields in original order)
    :param sort: comma separated field names with ordering, e.g. "a, b desc nulls last"
    :param include_total: whether to return the total matching record count (default: true)
    :param records_format: objects (default), lists, csv or tsv
    :param as_of: the release to read: its number, a day or a moment (not in CKAN)
    :param include_next_page: whether to return a filter that gives the next page of results
        when sorting by _id
    """
    given = checked(_SEARCH, data)
    if given["resource_id"] == metadata.NAME:
        return metadata.search(who, given)
    table = _found(who, given)
    question = Question.of(given, table.fields, extra=_unknown(data))
    reply = ask(who, table, question, total=given["include_total"])
    usage.count(table.table.resource.dataset_id, "call")
    result = {
        **_echo(data, given, table),
        "records": written(reply.data, reply.fields, given["records_format"]),
        "fields": [field.shown() for field in reply.fields],
        "_links": _links(given),
    }
    if given["include_total"]:
        result |= {"total": reply.total, "total_was_estimated": False}
    if given["include_next_page"] and reply.next_page:
        result["next_page"] = reply.next_page
    return result


@action(safe=True)
def datastore_info(who: Identity, data: dict[str, Any]) -> Any:
    """Returns detailed metadata about a resource.

    :param resource_id: id or alias of the resource we want info about
    :param include_meta: return table size, row count and aliases (default: true)
    :param include_fields_schema: return the fields' index, unique and notnull status (default: true)
    """
    given = checked(_INFO, data)
    table = found(who, given["resource_id"], sentence='Resource/Alias "{0}" was not found.')
    info: dict[str, Any] = {"fields": [field.shown() for field in table.fields]}
    if given["include_fields_schema"]:
        for told, field in zip(info["fields"], table.fields, strict=True):
            told["schema"] = _schema(table, field)
    if given["include_meta"]:
        info["meta"] = _meta(table)
    return info


def written(data: Any, fields: list[Field], form: str) -> Any:
    """The records in the form that was asked for."""
    if form in SEPARATORS:
        return lines(data, fields, SEPARATORS[form])
    columns = columns_of(data, fields)
    if form == "lists":
        return [list(row) for row in zip(*columns, strict=True)]
    return objects(fields, columns)


def _found(who: Identity, given: Mapping[str, Any]) -> Table:
    """The table in the release that is asked for; a release that is none is an invalid parameter."""
    try:
        return found(who, given["resource_id"], as_of=given.get("as_of"))
    except (BadQuery, Gone) as error:
        raise Refused({"as_of": [message_of(error)]}) from error


def _unknown(data: Mapping[str, Any]) -> list[str]:
    return [name for name, value in data.items() if name not in _KNOWN and value is not None]


def _echo(data: Mapping[str, Any], given: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """CKAN tells the caller what it understood; `fields` is told of the columns instead."""
    kept = {name: value for name, value in given.items() if name not in ("fields", "offset")}
    if given["offset"]:
        kept["offset"] = given["offset"]
    if not given["distinct"]:
        del kept["distinct"]
    if "sort" in kept:
        kept["sort"] = data["sort"]
    return {**kept, "resource_id": table.id}


def _links(given: Mapping[str, Any]) -> dict[str, str]:
    """Where the first page and the next are, as paths: clients put the portal's address before them."""
    asked = {
        name: _as_text(value)
        for name, value in given.items()
        if name != "offset" and value != _DEFAULTS.get(name)
    }
    path = f"{request.script_root}/api/3/action/datastore_search"
    following = {**asked, "offset": given["offset"] + given["limit"]}
    return {"start": f"{path}?{urlencode(asked)}", "next": f"{path}?{urlencode(following)}"}


def _as_text(value: Any) -> str:
    """The value as an address may carry it."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _schema(table: Table, field: Field) -> dict[str, Any]:
    """What the database would say of a column."""
    keyed = field.name in table.table.primary_key
    return {
        "native_type": field.type.native,
        "notnull": False,
        "index_name": f"{table.id}_{field.id}" if keyed or field.indexed else None,
        "is_index": keyed or field.indexed,
        "uniquekey": keyed and len(table.table.primary_key) == 1,
    }


def _meta(table: Table) -> dict[str, Any]:
    """Sizes are those of the newest release: there is no separate size of a database or of indexes."""
    size = table.table.bytes
    return {
        "id": table.id,
        "count": table.table.rows,
        "table_type": "BASE TABLE",
        "size": size,
        "db_size": size,
        "idx_size": 0,
        "aliases": table_aliases.aliases_of(table.table.id),
    }
