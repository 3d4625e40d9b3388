"""Conditions as JSON: `{"and": […]}`, `{"not": …}`, `{"column": "x", "op": ">=", "value": 3}`, or the text of `where`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from catalog.errors import BadQuery
from catalog.tabular.query import (
    And,
    Box,
    Compare,
    Condition,
    In,
    IsNull,
    Near,
    Not,
    Op,
    Or,
    Scalar,
    Words,
)
from catalog.tabular.where import parse_where

DEEPEST = 40
OPS = {op.value: op for op in Op} | {"==": Op.EQ, "<>": Op.NE}
IN, NULL = "in", "null"
NEAR_FIELDS = ("latitude", "longitude", "km")
BOX_FIELDS = ("south", "west", "north", "east")
Given = Mapping[str, Any]


def read_condition(given: object, bare: Iterable[str] = ()) -> Condition:
    """The condition that the JSON means; raises BadQuery with what is wrong.

    `bare` are the names with dots that may stand without quotes in a text.
    """
    return _read(given, tuple(bare), 0)


def condition_json(condition: Condition) -> dict[str, Any]:
    """The condition as JSON."""
    match condition:
        case And(parts):
            return {"and": [condition_json(part) for part in parts]}
        case Or(parts):
            return {"or": [condition_json(part) for part in parts]}
        case Not(part):
            return {"not": condition_json(part)}
        case IsNull(column):
            return {"column": column, "op": NULL}
        case In(column, values):
            return {"column": column, "op": IN, "value": list(values)}
        case Compare(column, op, value):
            return {"column": column, "op": op.value, "value": value}
    return _own_json(condition)


def _own_json(condition: Words | Near | Box) -> dict[str, Any]:
    match condition:
        case Words(text):
            return {"words": text}
        case Near():
            return {"near": _place_json(condition, NEAR_FIELDS)}
    return {"box": _place_json(condition, BOX_FIELDS)}


def _place_json(condition: Near | Box, fields: tuple[str, ...]) -> dict[str, Any]:
    columns = list(dict.fromkeys((condition.latitude_column, condition.longitude_column)))
    return {"columns": columns, **{field: getattr(condition, field) for field in fields}}


def _read(given: object, bare: tuple[str, ...], depth: int) -> Condition:
    if depth > DEEPEST:
        raise BadQuery("the condition is nested more than %(most)s deep", most=DEEPEST)
    if isinstance(given, str):
        return parse_where(given, bare=bare)
    if not isinstance(given, Mapping):
        raise _wrong(given)
    if "column" in given:
        return _comparison(given)
    name, inner = next(iter(given.items())) if len(given) == 1 else ("", None)
    if name in ("and", "or") and isinstance(inner, list):
        parts = tuple(_read(part, bare, depth + 1) for part in inner)
        return And(parts) if name == "and" else Or(parts)
    if name == "not":
        return Not(_read(inner, bare, depth + 1))
    if name not in _OWN:
        raise _wrong(given)
    return _OWN[name](inner)


def _comparison(given: Given) -> Condition:
    column, op = given["column"], given.get("op", Op.EQ.value)
    if not isinstance(column, str) or not isinstance(op, str) or given.keys() - _KEYS:
        raise _wrong(given)
    word = op.strip().lower()
    if word == NULL and "value" not in given:
        return IsNull(column)
    if "value" not in given:
        raise _wrong(given)
    value = given["value"]
    if word == IN and isinstance(value, list) and all(map(_is_scalar, value)):
        return In(column, tuple(value))
    if word not in OPS or not _is_scalar(value):
        raise _wrong(given)
    return Compare(column, OPS[word], value)


def _is_scalar(value: object) -> bool:
    return isinstance(value, Scalar)


def _words(inner: object) -> Condition:
    if not isinstance(inner, str):
        raise _wrong(inner)
    return Words(inner)


def _near(inner: object) -> Condition:
    latitude, longitude, numbers = _place(inner, NEAR_FIELDS)
    return Near(latitude, longitude, *numbers)


def _box(inner: object) -> Condition:
    latitude, longitude, numbers = _place(inner, BOX_FIELDS)
    return Box(latitude, longitude, *numbers)


def _place(inner: object, fields: tuple[str, ...]) -> tuple[str, str, list[float]]:
    """Names of the columns of latitude and longitude, twice the same for shapes, and the numbers of these fields."""
    if not isinstance(inner, Mapping) or inner.keys() != {"columns", *fields}:
        raise _wrong(inner)
    columns, numbers = inner["columns"], [inner[field] for field in fields]
    named = isinstance(columns, list) and len(columns) in (1, 2)
    if not named or not all(isinstance(name, str) for name in columns):
        raise _wrong(inner)
    if not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
        raise _wrong(inner)
    try:
        return columns[0], columns[-1], [float(number) for number in numbers]
    except OverflowError as error:
        raise _wrong(inner) from error


def _wrong(given: object) -> BadQuery:
    return BadQuery(
        "“%(given)s” is no condition: write {“column”, “op”, “value”}, {“and”: […]}, {“or”: […]}, {“not”: …}, "
        "{“words”: …}, {“near”: …}, {“box”: …} or a text",
        given=str(given)[:100],
    )


_KEYS = frozenset({"column", "op", "value"})
_OWN: dict[str, Callable[[object], Condition]] = {"words": _words, "near": _near, "box": _box}
