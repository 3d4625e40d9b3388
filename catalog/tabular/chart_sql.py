"""SQL of charts that a query of the API cannot ask: a sample of rows, and numbers put into steps. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.models.vocabulary import ColumnType
from catalog.tabular.chart import FITTING_UNITS
from catalog.tabular.column import Column
from catalog.tabular.query import Condition, TableQuery
from catalog.tabular.sql import ROW_NUMBER, compile_where, quoted, result_columns

BINS = 20
"""Steps at most, one more or less."""
STEP = "_step_"
TINIEST = 1e-9
"""Part of the numbers' size that their span must exceed, or floating numbers cannot tell the steps apart."""
SMALLEST = 1e-290
NICE = (1.0, 2.0, 5.0, 10.0)
UNIT_FORMATS = {
    "hour": "%Y-%m-%dT%H:00",
    "day": "%Y-%m-%d",
    "week": "%Y-%m-%d",
    "month": "%Y-%m",
    "quarter": "%Y-%m",
    "year": "%Y",
}
"""Unit of time → how its beginning is written."""


@dataclass(frozen=True)
class Steps:
    """Steps of equal, round width that hold all values from `low` on."""

    low: float
    width: float
    count: int


def compile_sample(
    query: TableQuery, columns: Sequence[Column], relation: str
) -> tuple[str, list[object]]:
    """As many rows as the limit says, at random, and the same ones each time: by a hash of their numbers."""
    names = ", ".join(quoted(column) for column in result_columns(query, columns))
    where, parameters = compile_where(query.where, columns)
    order = f" ORDER BY hash({ROW_NUMBER}), {ROW_NUMBER} LIMIT ?"
    return f"SELECT {names} FROM {relation}{where}{order}", [*parameters, query.limit]


def compile_bounds(
    column: Column, where: Condition | None, columns: Sequence[Column], relation: str
) -> tuple[str, list[object]]:
    """The least and the greatest number of a column as `low` and `high`, and how many different ones as `n`."""
    text, parameters = compile_where(where, columns)
    values = f"SELECT {_finite(column)} AS v FROM {relation}{text}"
    asked = "CAST(min(v) AS DOUBLE) AS low, CAST(max(v) AS DOUBLE) AS high, count(DISTINCT v) AS n"
    return f"SELECT {asked} FROM ({values})", parameters


def steps_between(low: float, high: float, *, whole: bool) -> Steps | None:
    """Some twenty round steps from `low` to `high`, or None where numbers are too large for steps."""
    span = high - low
    if not math.isfinite(span) or span <= TINIEST * max(abs(low), abs(high), SMALLEST):
        return None
    raw = span / BINS
    size = 10.0 ** math.floor(math.log10(raw))
    width = next(size * nice for nice in NICE if size * nice >= raw * (1 - 1e-9))
    width = max(1.0, width) if whole else width
    first = math.floor(low / width)
    return Steps(first * width, width, math.floor(high / width) - first + 1)


def in_steps(
    column: Column,
    steps: Steps,
    where: Condition | None,
    columns: Sequence[Column],
    relation: str,
) -> tuple[str, list[object]]:
    """A relation of the rows that satisfy `where`, with the number of each row's step as `STEP`, from 0."""
    text, parameters = compile_where(where, columns)
    place = f"floor(CAST({_finite(column)} AS DOUBLE) / ?) - ?"
    own: list[object] = [steps.width, float(round(steps.low / steps.width))]
    return f"(SELECT *, {place} AS {STEP} FROM {relation}{text})", [*own, *parameters]


def compile_moments(
    column: Column, where: Condition | None, columns: Sequence[Column], relation: str
) -> tuple[str, list[object]]:
    """How many different moments there are, as `n`, and how many hours, days … of them, by these names."""
    text, parameters = compile_where(where, columns)
    counted = ", ".join(
        f"count(DISTINCT date_trunc('{unit}', {quoted(column)})) AS {unit}"
        for unit in FITTING_UNITS
    )
    return (
        f"SELECT count(DISTINCT {quoted(column)}) AS n, {counted} FROM {relation}{text}",
        parameters,
    )


def in_units(
    column: Column,
    unit: str,
    where: Condition | None,
    columns: Sequence[Column],
    relation: str,
) -> tuple[str, list[object]]:
    """A relation of the rows that satisfy `where`, with the beginning of each row's unit of time as `STEP`."""
    text, parameters = compile_where(where, columns)
    began = f"strftime(date_trunc('{unit}', {quoted(column)}), '{UNIT_FORMATS[unit]}')"
    return f"(SELECT *, {began} AS {STEP} FROM {relation}{text})", parameters


def _finite(column: Column) -> str:
    name = quoted(column)
    if column.type is not ColumnType.NUMBER:
        return name
    return f"CASE WHEN isfinite({name}) THEN {name} END"
