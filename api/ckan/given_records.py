"""The records that clients send, made to fit the fields; what does not fit is named with its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.ckan.errors import Refused
from api.ckan.tables import ID, Fields
from api.ckan.types import PgType
from api.ckan.values import WrongValue, fitted
from catalog.services.table_records import Numbered


def checked_records(records: Any) -> list[Mapping[str, Any]]:
    """A list whose first record is an object; raises Refused."""
    if not records:
        return []
    if not isinstance(records, list):
        raise Refused({"records": ["Records has to be a list of dicts"]})
    if not isinstance(records[0], dict):
        raise Refused({"records": ["The first row is not a json object"]})
    return records


def for_insert(
    records: Sequence[Mapping[str, Any]], types: Mapping[str, PgType]
) -> list[dict[str, Any]]:
    """The records with values that fit; raises Refused."""
    for at, record in enumerate(records):
        if not isinstance(record, dict):
            raise Refused({"records": [f'row "{at}" is not a json object']})
        extra = [name for name in record if name not in types]
        if extra:
            said = f'row "{at + 1}" has extra keys "{", ".join(extra)}"'
            raise Refused({"records": [said]})
    return [_fitted(record, types, at) for at, record in enumerate(records)]


def for_change(
    records: Sequence[Mapping[str, Any]], fields: Fields, key: Sequence[str]
) -> list[Numbered]:
    """The records with the numbers of their rows, where they name them; raises Refused."""
    types = {field.id: field.type for field in fields}
    made = []
    for at, record in enumerate(records):
        if not isinstance(record, dict):
            raise Refused({"records": [f'row "{at}" is not a json object']})
        _check_key(record, key)
        unknown = [name for name in record if name not in types and name != ID]
        if unknown:
            raise Refused({"fields": [f'fields "{", ".join(unknown)}" do not exist']})
        values = {name: value for name, value in record.items() if name != ID}
        number = _number(record[ID], at) if ID in record else None
        made.append(Numbered(number, _fitted(values, types, at)))
    return made


def _check_key(record: Mapping[str, Any], key: Sequence[str]) -> None:
    if ID in record:
        return
    if not key:
        raise Refused({"table": ["unique key must be passed for update/upsert"]})
    missing = [name for name in key if name not in record]
    if missing:
        said = f'fields "{", ".join(missing)}" are missing but needed as key'
        raise Refused({"key": [said]})


def _number(value: Any, at: int) -> int:
    """The number of the row: rows count from 0 here, from 1 there."""
    text = str(value).strip()
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or len(text) > 18:
        said = f'invalid input syntax for type integer: "{text[:200]}"'
        raise Refused({"records": [said], "records_row": at})
    return int(text) - 1


def _fitted(record: Mapping[str, Any], types: Mapping[str, PgType], at: int) -> dict[str, Any]:
    try:
        return {name: fitted(value, types[name]) for name, value in record.items()}
    except WrongValue as error:
        raise Refused({"records": [str(error)], "records_row": at}) from error
