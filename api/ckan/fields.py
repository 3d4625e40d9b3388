"""The fields that `datastore_create` is given: checked, and their types guessed where none is said."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.ckan.errors import Refused, Unfit
from api.ckan.tables import Fields
from api.ckan.types import PgType, guessed, pg_type

LONGEST_NAME = 63
MOST_FIELDS = 1_600
"""Columns of a table in PostgreSQL."""


@dataclass(frozen=True)
class GivenField:
    """A field as it is wanted; `said` is the type in the client's words."""

    id: str
    said: str
    type: PgType
    info: Mapping[str, Any] | None

    def told(self) -> dict[str, Any]:
        """What the answer says of it."""
        told = {"id": self.id, "type": self.said}
        return {**told, "info": self.info} if self.info is not None else told


def is_name(name: str) -> bool:
    """Whether a field may be called so."""
    return bool(
        name
        and name == name.strip()
        and not name.startswith("_")
        and '"' not in name
        and not any(unicodedata.category(sign).startswith("C") for sign in name)
    )


def is_alias(name: str) -> bool:
    """Whether a table may be called so."""
    return is_name(name) and "%" not in name and len(name) <= 100


def checked_fields(given: Any) -> list[dict[str, Any]]:
    """The fields with names that may be; raises Refused with a problem for each field, or Unfit."""
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(field, dict) for field in given):
        raise Unfit(
            f"Only lists of dicts can be placed against subschema ('fields',) not {type(given)}"
        )
    problems = [_problem(field.get("id")) for field in given]
    if any(problems):
        raise Refused({"fields": problems})
    return [{**field, "id": str(field["id"])} for field in given]


def wanted_fields(
    fields: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]], known: Fields | None
) -> list[GivenField]:
    """What the fields and the first record ask for; fields that are there already keep their type."""
    _check_lengths(fields)
    wanted = [_typed(field, records, known) for field in fields]
    names = [field.id for field in wanted]
    if len(set(names)) < len(names):
        raise Refused({"field": ["Duplicate column names are not supported"]})
    taken = {*names, *(field.id for field in known or ())}
    for name, value in (records[0] if records else {}).items():
        if name not in taken:
            if not is_name(name):
                raise Refused({"fields": [f'"{name}" is not a valid field name']})
            wanted.append(_made(name, guessed(value), None))
    if len(wanted) > MOST_FIELDS:
        raise Refused({"fields": [f"tables can have at most {MOST_FIELDS} columns"]})
    return wanted


def _typed(
    field: Mapping[str, Any], records: Sequence[Mapping[str, Any]], known: Fields | None
) -> GivenField:
    name, said = field["id"], field.get("type")
    there = known.get(name) if known else None
    info = field.get("info") if isinstance(field.get("info"), dict) else None
    if said and pg_type(said) is None:
        raise Refused({"fields": [f'"{said}" is not a valid field type']})
    if there is not None:
        return GivenField(name, str(said or there.type.name), there.type, info)
    if not said:
        if not records or name not in records[0]:
            raise Refused({"fields": [f'"{name}" type not guessable']})
        said = guessed(records[0][name])
    return _made(name, said, info)


def _made(name: str, said: str, info: Mapping[str, Any] | None) -> GivenField:
    kind = pg_type(said)
    if kind is None:
        raise Refused({"fields": [f'"{said}" is not a valid field type']})
    return GivenField(name, said, kind, info)


def _check_lengths(fields: Sequence[Mapping[str, Any]]) -> None:
    long = [field["id"] for field in fields if len(field["id"]) > LONGEST_NAME]
    if long:
        sentence = 'Column heading "{0}" exceeds limit of 63 characters.'
        raise Refused({"fields": [sentence.format(name) for name in long]})


def _problem(name: Any) -> dict[str, list[str]]:
    if name in (None, "", [], {}):
        return {"id": ["Missing value"]}
    return {} if is_name(str(name)) else {"id": [f'"{name}" is not a valid field name']}
