"""SQL for DuckDB: pure functions; every name is a stored name of a known column, every value a parameter."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
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
from catalog.tabular.column import NUMBER, Column
from catalog.tabular.query import Aggregate, Condition, Measure, Op, Order, TableQuery
from catalog.tabular.values import find, usable
from catalog.tabular.words import WORDS

ROW_NUMBER = "file_row_number"
MOST_COLUMNS_ORDERED = 10
GREATEST_OFFSET = 2**53
_NUMERIC = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})
_MEANS = frozenset({Aggregate.AVG, Aggregate.MEDIAN})
_OPERATORS = {Op.EQ: "=", Op.NE: "<>", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
_FUNCTIONS = {
    Op.CONTAINS: "contains({}, ?)",
    Op.STARTS: "starts_with({}, ?)",
    Op.ENDS: "ends_with({}, ?)",
    Op.ICONTAINS: "contains(lower({}), lower(?))",
}
_AGGREGATES = {
    Aggregate.COUNT: "count({})",
    Aggregate.SUM: "sum({})",
    Aggregate.AVG: "avg({})",
    Aggregate.MEDIAN: "median({})",
    Aggregate.MIN: "min({})",
    Aggregate.MAX: "max({})",
    Aggregate.DISTINCT: "count(DISTINCT {})",
}


def parquet(path: Path) -> str:
    """The relation that reads a file of the journal, with the number of each row."""
    return f"read_parquet({literal(path)}, {ROW_NUMBER}=true)"


def literal(path: Path) -> str:
    """The path as a text of SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def compile_query(
    query: TableQuery, columns: Sequence[Column], relation: str
) -> tuple[str, list[object]]:
    """A page of rows or of groups; results come under the stored names of `result_columns`."""
    select, parameters = compile_all(query, columns, relation)
    check_page(query)
    return f"{select} LIMIT ? OFFSET ?", [*parameters, query.limit, query.offset]


def compile_all(
    query: TableQuery, columns: Sequence[Column], relation: str
) -> tuple[str, list[object]]:
    """All rows or groups of the query, in order; limit and offset are ignored."""
    if query.having is not None and not (query.group_by or query.measures):
        raise BadQuery("having narrows groups: use where for rows")
    if is_group(query):
        return _compile_group(query, columns, relation)
    names = ", ".join(quoted(column) for column in result_columns(query, columns))
    where, parameters = compile_where(query.where, columns)
    order = _order_of_rows(query.order_by, columns)
    return f"SELECT {names} FROM {relation}{where}{order}", parameters


def compile_count(
    where: Condition | None, columns: Sequence[Column], relation: str
) -> tuple[str, list[object]]:
    """The number of rows that satisfy `where`."""
    text, parameters = compile_where(where, columns)
    return f"SELECT count(*) AS n FROM {relation}{text}", parameters


def compile_where(where: Condition | None, columns: Sequence[Column]) -> tuple[str, list[object]]:
    """` WHERE …`, or nothing, with its parameters."""
    if where is None:
        return "", []
    parameters: list[object] = []
    return f" WHERE {_write(bind(where, columns), parameters)}", parameters


def check_page(query: TableQuery) -> None:
    """Raise BadQuery for a limit or an offset that no engine could obey."""
    if query.limit < 0 or not 0 <= query.offset <= GREATEST_OFFSET:
        raise BadQuery("limit and offset must be whole numbers from 0")


def is_group(query: TableQuery) -> bool:
    """Whether the query asks for groups, not for rows."""
    return bool(query.group_by or query.measures or query.distinct)


def group_keys(query: TableQuery, columns: Sequence[Column]) -> tuple[str, ...]:
    """Names of the columns that make groups; of distinct rows all that are selected."""
    if not query.distinct:
        return query.group_by
    if query.group_by or query.measures:
        raise BadQuery("groups are distinct already: leave out either distinct or group_by")
    return query.select or tuple(column.name for column in columns)


def result_columns(query: TableQuery, columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns that a query gives, in order; raises BadQuery for unknown or repeated ones."""
    if is_group(query):
        keys = [usable(columns, name) for name in group_keys(query, columns)]
        named = [Column(key.name, f"g{at}", key.type) for at, key in enumerate(keys)]
        named += [
            Column(measure.name, f"m{at}", _measure_type(measure, columns))
            for at, measure in enumerate(query.measures)
        ]
    else:
        named = [find(columns, name) for name in query.select] if query.select else list(columns)
    _refuse_repeats([column.name for column in named])
    return tuple(named)


def ordered_columns(
    order_by: Sequence[Order], columns: Sequence[Column]
) -> list[tuple[Column, bool]]:
    """The columns to sort by and whether descending; a column counts once."""
    if len(order_by) > MOST_COLUMNS_ORDERED:
        raise BadQuery("sort by at most %(most)s columns", most=MOST_COLUMNS_ORDERED)
    found: dict[str, tuple[Column, bool]] = {}
    for order in order_by:
        found.setdefault(order.column, (usable(columns, order.column), order.descending))
    return list(found.values())


def nulls_first(order_by: Sequence[Order]) -> frozenset[str]:
    """The columns whose nulls are wanted first."""
    said: dict[str, bool] = {}
    for order in order_by:
        said.setdefault(order.column, order.nulls_first)
    return frozenset(name for name, first in said.items() if first)


def quoted(column: Column) -> str:
    """The stored name as an SQL identifier."""
    if column.stored == NUMBER.stored:
        return ROW_NUMBER
    return '"' + column.stored.replace('"', '""') + '"'


def _refuse_repeats(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise BadQuery("“%(column)s” is asked for twice", column=name[:200])


def _write(bound: Bound, parameters: list[object]) -> str:
    match bound:
        case Every(parts):
            return "(" + " AND ".join(["true", *(_write(part, parameters) for part in parts)]) + ")"
        case Some(parts):
            return "(" + " OR ".join(["false", *(_write(part, parameters) for part in parts)]) + ")"
        case Opposite(part):
            return f"(NOT {_write(part, parameters)})"
        case Missing(column):
            return f"({quoted(column)} IS NULL)"
        case Settled(column, holds):
            return f"({quoted(column)} {'=' if holds else '<>'} {quoted(column)})"
        case Within():
            return _write_within(bound, parameters)
        case Shaped(column, function, numbers):
            parameters += numbers
            return f"{function}({', '.join([quoted(column), *'?' * len(numbers)])})"
        case _:
            return _write_test(bound, parameters)


def _write_within(bound: Within, parameters: list[object]) -> str:
    latitude, longitude = quoted(bound.latitude), quoted(bound.longitude)
    parameters += [bound.place[0], bound.place[0], bound.place[1], bound.most]
    return (
        f"(pow(sin(radians({latitude} - ?) / 2), 2) + cos(radians({latitude})) * cos(radians(?)) *"
        f" pow(sin(radians({longitude} - ?) / 2), 2) <= ?)"
    )


def _write_test(bound: OneOf | Test, parameters: list[object]) -> str:
    name = quoted(bound.column)
    if isinstance(bound, OneOf):
        parameters.extend(bound.values)
        return f"({name} IN ({', '.join('?' * len(bound.values))}))"
    parameters.append(bound.value)
    if bound.op in WORDS:
        return f"regexp_matches(CAST({name} AS VARCHAR), ?)"
    if bound.op in _FUNCTIONS:
        return _FUNCTIONS[bound.op].format(name)
    return f"({name} {_OPERATORS[bound.op]} ?)"


def _order_of_rows(order_by: Sequence[Order], columns: Sequence[Column]) -> str:
    keys: list[str] = []
    first = nulls_first(order_by)
    for column, descending in ordered_columns(order_by, columns):
        keys.append(f"{quoted(column)} {'DESC' if descending else 'ASC'} {_nulls(column, first)}")
        if column.type is ColumnType.NUMBER:
            # The serving copy sorts -0.0 before 0.0; a page must not depend on who answers.
            keys.append(f"signbit({quoted(column)}) {'ASC' if descending else 'DESC'} NULLS LAST")
    return f" ORDER BY {', '.join([*keys, ROW_NUMBER])}" if keys else ""


def _nulls(column: Column, first: Container[str]) -> str:
    return "NULLS FIRST" if column.name in first else "NULLS LAST"


def _compile_group(
    query: TableQuery, columns: Sequence[Column], relation: str
) -> tuple[str, list[object]]:
    results = result_columns(query, columns)
    names = group_keys(query, columns)
    keys = results[: len(names)]
    selected = [
        f"{quoted(usable(columns, name))} AS {key.stored}"
        for name, key in zip(names, keys, strict=True)
    ]
    selected += [
        f"{_measure_sql(measure, columns)} AS m{at}" for at, measure in enumerate(query.measures)
    ]
    where, parameters = compile_where(query.where, columns)
    grouping = f" GROUP BY {', '.join(str(at + 1) for at in range(len(keys)))}" if keys else ""
    first = nulls_first(query.order_by)
    wanted = ordered_columns(query.order_by, results)
    wanted += [(key, False) for key in keys if key not in {column for column, _ in wanted}]
    order = ", ".join(
        f"{column.stored} {'DESC' if descending else 'ASC'} {_nulls(column, first)}"
        for column, descending in wanted
    )
    text = f"SELECT {', '.join(selected)} FROM {relation}{where}{grouping}"
    if query.having is not None:
        having, more = compile_where(query.having, results)
        text, parameters = f"SELECT * FROM ({text}){having}", [*parameters, *more]
    return (f"{text} ORDER BY {order}" if order else text), parameters


def _measure_sql(measure: Measure, columns: Sequence[Column]) -> str:
    if measure.column == "*":
        return "count(*)"
    column = usable(columns, measure.column)
    text = _AGGREGATES[measure.aggregate].format(quoted(column))
    if measure.aggregate is Aggregate.SUM and column.type is ColumnType.INTEGER:
        return (
            f"CAST({text} AS BIGINT)"  # DuckDB adds up in 128 bits; beyond 64 the query is refused
        )
    return text


def _measure_type(measure: Measure, columns: Sequence[Column]) -> ColumnType:
    aggregate = measure.aggregate
    if measure.column == "*" and aggregate is not Aggregate.COUNT:
        raise BadQuery("“%(aggregate)s” needs a column", aggregate=aggregate.value)
    if aggregate is Aggregate.COUNT and measure.column == "*":
        return ColumnType.INTEGER
    column = usable(columns, measure.column)
    if aggregate in (Aggregate.COUNT, Aggregate.DISTINCT):
        return ColumnType.INTEGER
    if aggregate in (Aggregate.SUM, *_MEANS) and column.type not in _NUMERIC:
        raise BadQuery(
            "“%(column)s” is no number: “%(aggregate)s” cannot be used",
            column=column.name,
            aggregate=aggregate.value,
        )
    return ColumnType.NUMBER if aggregate in _MEANS else column.type
