"""`_table_metadata`: the list of all tables and aliases, as a table of CKAN's DataStore."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from typing import Any

from api.ckan.errors import Refused
from catalog.permissions import Identity
from catalog.services import table_aliases

NAME = "_table_metadata"
FIELDS = [
    {"id": "_id", "type": "text"},
    {"id": "name", "type": "name"},
    {"id": "oid", "type": "oid"},
    {"id": "alias_of", "type": "name"},
]


def search(who: Identity, given: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the list, narrowed by a name or by what aliases are of; it cannot be searched or sorted."""
    for name in ("q", "full_text", "distinct"):
        if given.get(name):
            raise Refused({name: [f"{NAME} can only be paged and filtered"]})
    filters = _filters(given.get("filters") or {})
    if given["offset"] < 0:
        raise Refused({"offset": [f'invalid value "{given["offset"]}"']})
    listed, total = table_aliases.listed(
        who, limit=given["limit"], offset=given["offset"], **filters
    )
    rows = [_row(named) for named in listed]
    result = {
        "resource_id": NAME,
        "fields": FIELDS,
        "records": _written(rows, given["records_format"]),
        "limit": given["limit"],
        "include_total": given["include_total"],
        "records_format": given["records_format"],
    }
    if given["include_total"]:
        result |= {"total": total, "total_was_estimated": False}
    return result


def _filters(filters: Any) -> dict[str, str]:
    if not isinstance(filters, dict):
        raise Refused({"filters": ["Filters must be defined as a dict or a list of dicts"]})
    for name, value in filters.items():
        if name not in ("name", "alias_of"):
            raise Refused({"filters": [f"Unknown field: {name}"]})
        if not isinstance(value, str):
            raise Refused({"filters": [f"{NAME} is filtered by one text for each field"]})
    return filters


def _row(named: table_aliases.NamedTable) -> list[Any]:
    known = hashlib.sha256(f"{named.name}{named.alias_of or ''}".encode()).digest()
    return [known.hex()[:16], named.name, int.from_bytes(known[:4], "big"), named.alias_of]


def _written(rows: list[list[Any]], form: str) -> Any:
    if form == "lists":
        return rows
    if form == "objects":
        return [dict(zip([field["id"] for field in FIELDS], row, strict=True)) for row in rows]
    text = io.StringIO()
    csv.writer(text, delimiter="," if form == "csv" else "\t", lineterminator="\n").writerows(rows)
    return text.getvalue()
