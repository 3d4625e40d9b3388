"""CKAN's filters: `{"field": value | [values] | {"gt": value}}`, `$and` and `$or`, made into conditions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from api.ckan.errors import Refused
from api.ckan.tables import ID, Field, Fields
from api.ckan.types import PgType
from api.ckan.values import WrongValue, fitted
from catalog.models.vocabulary import ColumnType
from catalog.tabular.query import And, Compare, Condition, In, Op, Or, Scalar

MOST_PARTS = 100
DEEPEST = 10
_OPS = {"eq": Op.EQ, "gt": Op.GT, "gte": Op.GE, "lt": Op.LT, "lte": Op.LE}
NEVER = Or(())


def condition_of(filters: Any, fields: Fields) -> Condition | None:
    """The condition that the filters mean, or None for none; raises Refused."""
    if not filters:
        return None
    reader = _Reader(fields)
    if isinstance(filters, list) and all(isinstance(one, dict) for one in filters):
        condition = reader.some(filters, 0)
    elif isinstance(filters, dict):
        condition = reader.every(filters, 0)
    else:
        raise _wrong("Filters must be defined as a dict or a list of dicts")
    if reader.problems:
        raise Refused({"filters": reader.problems})
    return condition


class _Reader:
    """Turns filters into conditions and collects what is wrong with them."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.problems: list[str] = []
        self.parts = 0

    def some(self, filters: Any, depth: int) -> Condition:
        """One of the filters of a list."""
        return Or(tuple(self.every(one, depth + 1) for one in filters))

    def every(self, filters: Mapping[str, Any], depth: int) -> Condition:
        """All that an object asks for."""
        if depth >= DEEPEST:
            raise _wrong("Maximum nesting depth for filter operations reached")
        parts = []
        for key, value in filters.items():
            self._count()
            if key.startswith("$") and not key.startswith("$$"):
                parts.append(self._operator(key, value, depth))
            else:
                parts.append(self._field(key.removeprefix("$") if key[:2] == "$$" else key, value))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _operator(self, key: str, value: Any, depth: int) -> Condition:
        if key not in ("$or", "$and"):
            self.problems.append(f"Unknown operators (must be one of $or, $and): {key}")
        elif not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.problems.append(f"Filter operations must be defined as a list of dicts: {value}")
        elif key == "$or":
            return self.some(value, depth)
        else:
            return And(tuple(self.every(one, depth + 1) for one in value))
        return NEVER

    def _field(self, name: str, value: Any) -> Condition:
        field = self.fields.get(name)
        if field is None:
            self.problems.append(f"Unknown field: {name}")
            return NEVER
        if field.masked:
            self.problems.append(f"The field is masked: {name}")
            return NEVER
        if isinstance(value, dict):
            return self._compared(field, value)
        if not isinstance(value, list):
            return self._one(field, "eq", value)
        ranges = [self._compared(field, one) for one in value if isinstance(one, dict)]
        plain = [one for one in value if not isinstance(one, dict)]
        if not ranges:
            return self._within(field, plain)
        return Or((*ranges, *([self._within(field, plain)] if plain else [])))

    def _compared(self, field: Field, asked: Mapping[str, Any]) -> Condition:
        return And(tuple(self._one(field, op, value) for op, value in asked.items()))

    def _one(self, field: Field, op: str, value: Any) -> Condition:
        self._count()
        if op == "in" and isinstance(value, list):
            return self._within(field, value)
        if op not in _OPS:
            self.problems.append(f"Unknown filter operation: {op}")
            return NEVER
        if value is None:
            return NEVER  # nothing compares with null
        made = comparable(value, field)
        return Compare(field.name, _OPS[op], made)

    def _within(self, field: Field, values: list[Any]) -> Condition:
        self._count()
        made = tuple(comparable(value, field) for value in values if value is not None)
        return In(field.name, made) if made else NEVER

    def _count(self) -> None:
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise _wrong("Maximum number of filter operations exceeded")


def comparable(value: Any, field: Field) -> Scalar:
    """The value in the form that the column is compared with; raises Refused in PostgreSQL's words.

    A number is compared with a number of any size: only what is written into a column must fit it.
    """
    if field.type.column in (ColumnType.INTEGER, ColumnType.NUMBER):
        return _number(value, field)
    try:
        made = fitted(value, field.type)
    except WrongValue as error:
        raise Refused({"query": ["Invalid query"], "info": {"orig": [str(error)]}}) from error
    if made is None:
        raise _invalid(field.type, value)
    return made if isinstance(made, str | bool) else str(made.isoformat())


def _number(value: Any, field: Field) -> Scalar:
    if isinstance(value, bool | dict | list) or (isinstance(value, str) and not value.strip()):
        raise _invalid(field.type, value)
    number: int | float | str = value if isinstance(value, int | float) else str(value).strip()
    if field.id == ID:  # rows count from 0 here, from 1 there
        try:
            return int(number) - 1 if float(number) == int(float(number)) else float(number) - 1
        except (ValueError, OverflowError) as error:
            raise _invalid(field.type, value) from error
    return number


def _invalid(wanted: PgType, value: Any) -> Refused:
    text = value if isinstance(value, str) else json.dumps(value)
    orig = f'invalid input syntax for type {wanted.native}: "{text[:200]}"'
    return Refused({"query": ["Invalid query"], "info": {"orig": [orig]}})


def _wrong(sentence: str) -> Refused:
    return Refused({"filters": [sentence]})
