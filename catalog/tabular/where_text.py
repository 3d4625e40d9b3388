"""A condition as the SQL-like text that the API's `where` takes: the way back from `parse_where`."""

from __future__ import annotations

from catalog.tabular.query import And, Compare, Condition, In, IsNull, Not, Op, Or, Scalar

CALLS = {Op.CONTAINS: "contains", Op.STARTS: "starts_with"}


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
    return " OR ".join(_inside(part) for part in condition.parts)


def _comparison(condition: Compare) -> str:
    name, value = name_text(condition.column), value_text(condition.value)
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
