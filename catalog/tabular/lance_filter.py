"""Filters for Lance, which takes no parameters: literals are written by type, text with doubled quotes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from catalog.errors import Unavailable
from catalog.tabular.bound import (
    Bound,
    Every,
    Missing,
    OneOf,
    Opposite,
    Settled,
    Shaped,
    Some,
    Test,
    Within,
    bind,
)
from catalog.tabular.column import Column
from catalog.tabular.query import Condition, Op
from catalog.tabular.values import LEAST_INTEGER, TEXT_TYPES, Value
from catalog.tabular.words import WORDS

_OPERATORS = {Op.EQ: "=", Op.NE: "<>", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
_FUNCTIONS = {
    Op.CONTAINS: "contains({}, {})",
    Op.STARTS: "starts_with({}, {})",
    Op.ENDS: "ends_with({}, {})",
    Op.ICONTAINS: "contains(lower({}), lower({}))",
}


def filter_text(where: Condition, columns: Sequence[Column]) -> str:
    """The condition in the SQL of DataFusion, under stored names."""
    return write(bind(where, columns))


def write(bound: Bound) -> str:
    """The same for what is bound already."""
    match bound:
        case Every(parts):
            return "(" + " AND ".join(write(part) for part in parts) + ")" if parts else "true"
        case Some(parts):
            return "(" + " OR ".join(write(part) for part in parts) + ")" if parts else "false"
        case Opposite(Missing(column)):
            return f"({column.stored} IS NOT NULL)"
        case Opposite(part):
            # Said outright, for DataFusion simplifies `a OR NOT a` to true without minding nulls.
            known = " AND ".join(f"{column.stored} IS NOT NULL" for column in _columns(part))
            return f"({known} AND NOT {write(part)})"
        case _:
            return _write_leaf(bound)


def _write_leaf(bound: Missing | Settled | Within | Shaped | OneOf | Test) -> str:
    match bound:
        case Missing(column):
            return f"({column.stored} IS NULL)"
        case Settled(column, holds) if column.type in TEXT_TYPES:
            return f"({column.stored} IS NOT NULL)" if holds else "false"
        case Settled(column, holds):
            return f"({column.stored} {'>=' if holds else '<'} {literal(LEAST_INTEGER)})"
        case Within():
            return _write_within(bound)
        case Shaped():  # who asks the copy turns to the journal then
            raise Unavailable("a copy cannot compare shapes")
    return _write_test(bound)


def _write_test(bound: OneOf | Test) -> str:
    name = bound.column.stored
    if isinstance(bound, OneOf):
        return f"({name} IN ({', '.join(map(literal, bound.values))}))"
    if bound.op in WORDS:
        return f"regexp_like(cast({name} AS string), {literal(bound.value)})"
    if bound.op in _FUNCTIONS:
        return _FUNCTIONS[bound.op].format(name, literal(bound.value))
    return f"({name} {_OPERATORS[bound.op]} {literal(bound.value)})"


def _columns(part: Test | OneOf | Missing | Within | Shaped) -> tuple[Column, ...]:
    return (part.latitude, part.longitude) if isinstance(part, Within) else (part.column,)


def _write_within(bound: Within) -> str:
    latitude, longitude = (
        f"cast({column.stored} AS double)" for column in (bound.latitude, bound.longitude)
    )
    north, east = map(literal, bound.place)
    most = literal(bound.most)
    return (
        f"(power(sin(radians({latitude} - {north}) / 2), 2) + cos(radians({latitude})) *"
        f" cos(radians({north})) * power(sin(radians({longitude} - {east}) / 2), 2) <= {most})"
    )


def literal(value: Value) -> str:
    """A typed literal; nothing in the value can end it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"cast('{value}' AS bigint)"
        case float():
            return f"cast('{value!r}' AS double)"
        case datetime():
            return f"timestamp '{value.isoformat(sep=' ', timespec='microseconds')}'"
        case date():
            return f"date '{value.isoformat()}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
    raise TypeError(f"no literal for {type(value).__name__}")
