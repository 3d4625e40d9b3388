"""A condition as the SQL-like text that the API's `where` takes: the way back from `parse_where`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from catalog.errors import BadQuery
from catalog.tabular.column import Column
from catalog.tabular.query import (
    And,
    Box,
    Compare,
    Condition,
    In,
    IsNull,
    Measure,
    Near,
    Not,
    Op,
    Or,
    Order,
    Scalar,
    Words,
)
from catalog.tabular.where import parse_where

QUOTED = re.compile(r'"((?:[^"]|"")*)"')
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CALLS = {
    Op.CONTAINS: "contains",
    Op.STARTS: "starts_with",
    Op.ENDS: "ends_with",
    Op.ICONTAINS: "icontains",
}


def short_where_text(condition: Condition, columns: Sequence[Column]) -> str:
    """The same without the quotes of names that mean the same without: easier to read and to type."""
    whole = where_text(condition)
    short = QUOTED.sub(lambda found: found[1] if PLAIN.fullmatch(found[1]) else found[0], whole)
    try:
        return short if parse_where(short, columns) == parse_where(whole, columns) else whole
    except BadQuery:
        return whole


def where_text(condition: Condition) -> str:
    """Text that means the same condition."""
    match condition:
        case Compare():
            return _comparison(condition)
        case In(column, values):
            return f"{name_text(column)} IN ({', '.join(map(value_text, values))})"
        case IsNull(column):
            return f"{name_text(column)} IS NULL"
        case Not(IsNull(column)):
            return f"{name_text(column)} IS NOT NULL"
        case Not(part):
            return f"NOT ({where_text(part)})"
        case And(parts):
            return " AND ".join(_inside(part) for part in parts)
        case Or(parts):
            return " OR ".join(_inside(part) for part in parts)
    return _own(condition)


def _own(condition: Words | Near | Box) -> str:
    match condition:
        case Words(text):
            return f"words({value_text(text)})"
        case Near():
            name, numbers = "near", [condition.latitude, condition.longitude, condition.km]
        case Box():
            name = "box"
            numbers = [condition.south, condition.west, condition.north, condition.east]
    columns = dict.fromkeys(map(name_text, (condition.latitude_column, condition.longitude_column)))
    return f"{name}({', '.join([*columns, *map(repr, numbers)])})"


def _comparison(condition: Compare) -> str:
    name, value = name_text(condition.column), value_text(condition.value)
    if condition.value is None and condition.op in (Op.EQ, Op.NE):
        return f"{name} IS {'NULL' if condition.op is Op.EQ else 'NOT NULL'}"
    if condition.op in CALLS:
        return f"{CALLS[condition.op]}({name}, {value})"
    return f"{name} {condition.op.value} {value}"


def _inside(part: Condition) -> str:
    return f"({where_text(part)})" if isinstance(part, And | Or) else where_text(part)


def name_text(name: str) -> str:
    """A column's name in double quotes: it may hold anything."""
    return '"' + name.replace('"', '""') + '"'


def value_text(value: Scalar) -> str:
    """A value as SQL writes it."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return repr(value)
    return "'" + value.replace("'", "''") + "'"


def order_text(orders: Sequence[Order]) -> str:
    """What the API's `order_by` takes."""
    return ",".join(f"{'-' if o.descending else ''}{listed_name(o.column)}" for o in orders)


def measures_text(measures: Sequence[Measure]) -> str:
    """What the API's `measures` takes."""
    return ",".join(
        f"{m.aggregate.value}({m.column if m.column == '*' else listed_name(m.column, set('()'))})"
        for m in measures
    )


def names_text(names: Sequence[str]) -> str:
    """What the API's `select` and `group_by` take."""
    return ",".join(listed_name(name) for name in names)


def listed_name(name: str, more: Collection[str] = ()) -> str:
    """A name in a list of names: in quotes where it would be read as something else."""
    odd = name != name.strip() or name.startswith("-") or set(name) & {'"', ",", *more}
    return name_text(name) if odd or not name else name
