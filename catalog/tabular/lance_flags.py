"""Which rows satisfy a condition, by comparing keys: a million of them in a fraction of a millisecond."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import and_, or_

import numpy as np

from catalog.models.vocabulary import ColumnType
from catalog.tabular.bound import Bound, Every, Missing, OneOf, Opposite, Some, Test
from catalog.tabular.column import ARROW, Column
from catalog.tabular.lance_keys import Flags, KeyColumn
from catalog.tabular.query import Op
from catalog.tabular.values import Value

COMPARED = frozenset({Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE})
NUMERIC = frozenset({ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DATE, ColumnType.DATETIME})

KeyOf = Callable[[Column], KeyColumn]


def is_keyed(bound: Bound, coded: frozenset[str], *, numbers: bool) -> bool:
    """Whether keys tell all of it: columns that are coded, and of other `numbers` and moments comparisons."""
    match bound:
        case Every(parts) | Some(parts):
            return bool(parts) and all(is_keyed(part, coded, numbers=numbers) for part in parts)
        case Test(column, op) if op in COMPARED:
            return column.stored in coded or (numbers and column.type in NUMERIC)
        case OneOf(column) | Missing(column) | Opposite(OneOf(column) | Missing(column)):
            return column.stored in coded
    return False


def flags_of(bound: Bound, key: KeyOf) -> Flags:
    """For each place among the keys whether the row there satisfies what `is_keyed`."""
    match bound:
        case Every(parts):
            return reduce(and_, (flags_of(part, key) for part in parts))
        case Some(parts):
            return reduce(or_, (flags_of(part, key) for part in parts))
        case Missing(column):
            return _missing(key(column))
        case Opposite(Missing(column)):
            return ~_missing(key(column))
        case Opposite(OneOf(column, values)):
            return ~(_listed(key(column), column, values) | _missing(key(column)))
        case OneOf(column, values):
            return _listed(key(column), column, values)
        case Test():
            return _compared(key(bound.column), bound)
    raise TypeError(f"{bound!r} is not told by keys")


def _missing(key: KeyColumn) -> Flags:
    numbers = key.numbers
    return np.zeros(len(numbers.ranks), bool) if numbers.missing is None else numbers.missing


def _listed(key: KeyColumn, column: Column, values: tuple[Value, ...]) -> Flags:
    wanted = np.zeros(len(key.values or ()) + 1, bool)
    for value in values:
        first, last = key.span(value, ARROW[column.type])
        wanted[first : last + 1] = True
    flags: Flags = wanted[key.numbers.ranks]
    return flags if key.numbers.missing is None else flags & ~key.numbers.missing


def _compared(key: KeyColumn, test: Test) -> Flags:
    first, last = key.span(test.value, ARROW[test.column.type])
    ranks, missing = key.numbers.ranks, key.numbers.missing
    match test.op:
        case Op.LT:
            flags = ranks < first
        case Op.LE:
            flags = ranks <= last
        case Op.GT:
            flags = ranks > last
        case Op.GE:
            flags = ranks >= first
        case Op.EQ:
            flags = ranks == first if first == last else (ranks >= first) & (ranks <= last)
        case _:
            flags = ranks != first if first == last else (ranks < first) | (ranks > last)
    return flags if missing is None else flags & ~missing
