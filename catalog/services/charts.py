"""Charts of tables: the points, and the picture of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

import pyarrow as pa

from catalog.errors import NotFound
from catalog.files.cache import kept
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Identity
from catalog.services import tables
from catalog.tabular.chart import (
    SAMPLE,
    ChartData,
    ChartQuery,
    ChartWords,
    Kind,
    Point,
    chart_from,
    check_chart,
    fits,
    grouping,
    guess_chart,
    settle,
)
from catalog.tabular.chart_spec import EDITION, SIZES, vega_lite
from catalog.tabular.column import Column
from catalog.tabular.drawing import PEN
from catalog.tabular.query import Condition, TableQuery

SLICES = 20
"""Places in the table that a sample is taken from."""
PICTURES = ("svg", "png")


@dataclass(frozen=True)
class Chart:
    """A chart of a table's newest release, ready to be drawn or listed."""

    table: DataTable
    query: ChartQuery
    where: Condition | None
    type: ColumnType
    """Type of the horizontal column."""
    data: ChartData


def opening(table: DataTable) -> ChartQuery | None:
    """The chart that a table opens with: the one it came with, else a sensible guess."""
    columns = columns_by_name(table)
    came_with = chart_from(table.chart or {})
    if came_with is not None and fits(came_with, columns):
        return came_with
    distinct = {c.name: int(c.profile.get("distinct") or 0) for c in table.columns if c.profile}
    return guess_chart(list(columns.values()), distinct)


def columns_by_name(table: DataTable) -> dict[str, Column]:
    """Published name → column, in order."""
    return {c.name: Column(c.name, c.stored, ColumnType(c.type)) for c in table.columns}


def show(
    who: Identity, table_id: str, query: ChartQuery, *, where: Condition | None = None
) -> Chart:
    """The points of a chart of the newest release; raises BadQuery when the columns do not fit."""
    table = tables.show(who, table_id)
    columns = columns_by_name(table)
    check_chart(query, columns)
    key = f"{table.id} {table.release} {query!r} {where!r}"
    content = kept("chart-data", key, lambda: _pack(_points(who, table, query, where)))
    return Chart(table, query, where, columns[query.x].type, _unpack(content))


def picture(
    who: Identity,
    table_id: str,
    query: ChartQuery,
    words: ChartWords,
    format_: str,
    *,
    where: Condition | None = None,
    size: str = "wide",
) -> bytes:
    """The chart drawn as `svg` (letters stay letters) or `png` (letters need fonts on this machine)."""
    if format_ not in PICTURES:
        raise NotFound("there is no such picture")
    table = tables.show(who, table_id)

    def draw() -> bytes:
        chart = show(who, table_id, query, where=where)
        return PEN.draw(vega_lite(query, chart.type, chart.data, words, size=size), format_)

    wanted = f"{EDITION} {table.id} {table.release} {format_} {size if size in SIZES else ''}"
    return kept("chart-pictures", f"{wanted} {query!r} {where!r} {words!r}", draw)


def _points(
    who: Identity, table: DataTable, query: ChartQuery, where: Condition | None
) -> ChartData:
    columns = columns_by_name(table)
    type_ = columns[query.x].type
    if query.kind is Kind.SCATTER:
        return _sample(who, table, query, where, type_)
    asked = grouping(query, columns, where)
    found = tables.group(who, table.id, asked).data
    names = [query.x, asked.measures[0].name, query.series, asked.measures[1].name]
    return settle(query, type_, _tidy(found, names))


def _sample(
    who: Identity, table: DataTable, query: ChartQuery, where: Condition | None, type_: ColumnType
) -> ChartData:
    """Rows from places spread evenly over the table, so that no single station or year stands for all."""
    total = tables.count(who, table.id, where)
    wanted = tuple(dict.fromkeys(filter(None, (query.x, query.y, query.series))))
    slices = 1 if total <= SAMPLE else SLICES
    points: list[Point] = []
    for at in range(slices):
        page = TableQuery(wanted, where, limit=SAMPLE // slices, offset=at * total // slices)
        found = tables.rows(who, table.id, page).data
        points.extend(_tidy(found, [query.x, query.y, query.series, ""]))
    return settle(query, type_, points, rows_of=total if total > SAMPLE else 0)


def _tidy(found: pa.Table, names: list[str]) -> Iterator[Point]:
    """Points of a result whose columns have these names: x, value, series, weight."""
    length = found.num_rows
    xs, values, series, weights = (
        found.column(name).to_pylist() if name else [None] * length for name in names
    )
    for x, value, part, weight in zip(xs, values, series, weights, strict=True):
        number = _number(value)
        if number is not None:
            label = "" if part is None else str(_place(part))
            yield Point(_place(x), number, label, int(weight or 0))


def _number(value: Any) -> float | None:
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if not isinstance(value, int | float) or value != value or abs(value) == float("inf"):
        return None
    return value


def _place(value: Any) -> str | float | None:
    """A place on the axis: numbers stay, moments become ISO 8601, all else is text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return _number(value)
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _pack(data: ChartData) -> bytes:
    head = {f.name: getattr(data, f.name) for f in fields(data) if f.name != "points"}
    return json.dumps({"head": head, "rows": data.points}).encode()


def _unpack(content: bytes) -> ChartData:
    kept_: dict[str, Any] = json.loads(content)
    rows: Iterable[Any] = kept_["rows"]
    head: Mapping[str, Any] = kept_["head"]
    return ChartData(tuple(Point(*row) for row in rows), **head)
