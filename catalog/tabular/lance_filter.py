"""Filters for Lance, which takes no parameters: literals are written by type, text with doubled quotes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from catalog.tabular.bound import Bound, Every, Missing, OneOf, Opposite, Settled, Some, Test, bind
from catalog.tabular.column import Column
from catalog.tabular.query import Condition, Op
from catalog.tabular.values import LEAST_INTEGER, Value

_OPERATORS = {Op.EQ: "=", Op.NE: "<>", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
_FUNCTIONS = {Op.CONTAINS: "contains", Op.STARTS: "starts_with"}


def filter_text(where: Condition, columns: Sequence[Column]) -> str:
    """The condition in the SQL of DataFusion, under stored names."""
    return _write(bind(where, columns))


def _write(bound: Bound) -> str:
    match bound:
        case Every(parts):
            return "(" + " AND ".join(_write(part) for part in parts) + ")" if parts else "true"
        case Some(parts):
            return "(" + " OR ".join(_write(part) for part in parts) + ")" if parts else "false"
        case Opposite(Missing(column)):
            return f"({column.stored} IS NOT NULL)"
        case Opposite(part):
            # Said outright, for DataFusion simplifies `a OR NOT a` to true without minding nulls.
            return f"({part.column.stored} IS NOT NULL AND NOT {_write(part)})"
        case Missing(column):
            return f"({column.stored} IS NULL)"
        case Settled(column, holds):
            return f"({column.stored} {'>=' if holds else '<'} {literal(LEAST_INTEGER)})"
        case OneOf() | Test():
            return _write_test(bound)


def _write_test(bound: OneOf | Test) -> str:
    name = bound.column.stored
    if isinstance(bound, OneOf):
        return f"({name} IN ({', '.join(map(literal, bound.values))}))"
    if bound.op in _FUNCTIONS:
        return f"{_FUNCTIONS[bound.op]}({name}, {literal(bound.value)})"
    return f"({name} {_OPERATORS[bound.op]} {literal(bound.value)})"


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
