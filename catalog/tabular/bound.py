"""Conditions bound to columns: names are known, values have the column's type; engines only write them down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.query import And, Compare, Condition, In, IsNull, Not, Op, Or, Scalar
from catalog.tabular.values import (
    GREATEST_INTEGER,
    LEAST_INTEGER,
    TEXT_TYPES,
    Value,
    coerce,
    usable,
)

MOST_PARTS = 500
MOST_VALUES = 1_000
DEEPEST = 40


@dataclass(frozen=True)
class Test:
    """`column op value`."""

    __test__ = False  # pytest would take the class for a test
    column: Column
    op: Op
    value: Value


@dataclass(frozen=True)
class OneOf:
    """`column in (values)`; there is at least one."""

    column: Column
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Missing:
    """`column is null`."""

    column: Column


@dataclass(frozen=True)
class Settled:
    """The same answer for every value of the column; null stays unknown, as in SQL."""

    column: Column
    holds: bool


@dataclass(frozen=True)
class Every:
    """All of them; none means true."""

    parts: tuple[Bound, ...]


@dataclass(frozen=True)
class Some:
    """One of them; none means false."""

    parts: tuple[Bound, ...]


@dataclass(frozen=True)
class Opposite:
    """The opposite of a test that has no opposite operator; unknown stays unknown."""

    part: Test | OneOf | Missing


Bound = Test | OneOf | Missing | Settled | Every | Some | Opposite

_INVERSE = {
    Op.EQ: Op.NE,
    Op.NE: Op.EQ,
    Op.LT: Op.GE,
    Op.LE: Op.GT,
    Op.GT: Op.LE,
    Op.GE: Op.LT,
}


def bind(condition: Condition, columns: Sequence[Column]) -> Bound:
    """The condition with columns and typed values; raises BadQuery for what does not fit."""
    if _size(condition, 0) > MOST_PARTS:
        raise BadQuery("the condition has more than %(most)s parts", most=MOST_PARTS)
    return _bind(condition, columns)


def _size(condition: Condition, depth: int) -> int:
    if depth > DEEPEST:
        raise BadQuery("the condition is nested more than %(most)s deep", most=DEEPEST)
    if isinstance(condition, And | Or):
        return 1 + sum(_size(part, depth + 1) for part in condition.parts)
    if isinstance(condition, Not):
        return 1 + _size(condition.part, depth + 1)
    return 1


def _bind(condition: Condition, columns: Sequence[Column]) -> Bound:
    match condition:
        case And(parts):
            return Every(tuple(_bind(part, columns) for part in parts))
        case Or(parts):
            return Some(tuple(_bind(part, columns) for part in parts))
        case Not(part):
            return _negate(_bind(part, columns))
        case IsNull(name):
            return Missing(usable(columns, name))
        case In(name, values):
            return _bind_in(usable(columns, name), values)
        case Compare(name, op, value):
            return _bind_compare(usable(columns, name), op, value)


def _negate(bound: Bound) -> Bound:
    """The opposite with the negations next to the tests.

    Engines simplify `a AND NOT a` to false, which is wrong for null under another NOT; written like this a
    null makes a test untrue and no outer NOT can turn that around.
    """
    match bound:
        case Every(parts):
            return Some(tuple(_negate(part) for part in parts))
        case Some(parts):
            return Every(tuple(_negate(part) for part in parts))
        case Opposite(part):
            return part
        case Settled(column, holds):
            return Settled(column, not holds)
        case Test(column, op, value) if op in _INVERSE:
            return Test(column, _INVERSE[op], value)
        case Test() | OneOf() | Missing():
            return Opposite(bound)


def _bind_in(column: Column, values: tuple[Scalar, ...]) -> Bound:
    if len(values) > MOST_VALUES:
        raise BadQuery("a list holds more than %(most)s values", most=MOST_VALUES)
    typed = [coerce(column, value) for value in values if value is not None]
    listed = tuple(dict.fromkeys(value for value in typed if not isinstance(value, Decimal)))
    parts: list[Bound] = [Missing(column)] if None in values else []
    if listed:
        parts.append(OneOf(column, listed))
    elif typed:
        parts.append(Settled(column, holds=False))
    return parts[0] if len(parts) == 1 else Some(tuple(parts))


def _bind_compare(column: Column, op: Op, value: Scalar) -> Bound:
    if value is None and op in (Op.EQ, Op.NE):
        return Missing(column) if op is Op.EQ else Opposite(Missing(column))
    if op in (Op.CONTAINS, Op.STARTS) and column.type not in TEXT_TYPES:
        raise BadQuery(
            "“%(column)s” is no text: “%(op)s” cannot be used", column=column.name, op=op.value
        )
    if column.type is ColumnType.BOOLEAN and op not in (Op.EQ, Op.NE):
        raise BadQuery(
            "“%(column)s” is true or false: “%(op)s” cannot be used",
            column=column.name,
            op=op.value,
        )
    typed = coerce(column, value)
    if isinstance(typed, Decimal):
        return _bind_beyond(column, op, typed)
    return Test(column, op, typed)


def _bind_beyond(column: Column, op: Op, value: Decimal) -> Bound:
    """An integer compared with 2.5 or with 1e30: exact, although no int64 is equal to the value."""
    if op in (Op.EQ, Op.NE):
        return Settled(column, holds=op is Op.NE)
    below = op in (Op.LT, Op.LE)
    if value > GREATEST_INTEGER:
        return Settled(column, holds=below)
    if value < LEAST_INTEGER:
        return Settled(column, holds=not below)
    floor = int(value.to_integral_value(ROUND_FLOOR))
    return Test(column, Op.LE, floor) if below else Test(column, Op.GT, floor)
