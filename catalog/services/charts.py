"""Charts of tables: the points, and the picture of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from catalog.errors import BadQuery, NotFound
from catalog.files.cache import kept
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Identity
from catalog.services import tables
from catalog.services.table_lookup import Version, base_of, version_as_of
from catalog.tabular.chart import (
    FITTING_UNITS,
    MOST_BARS,
    MOST_MOMENTS,
    NUMERIC,
    SAMPLE,
    TEMPORAL,
    ChartData,
    ChartQuery,
    ChartWords,
    Kind,
    Point,
    chart_from,
    check_chart,
    fits,
    free_name,
    grouping,
    guess_chart,
    settle,
    with_others,
)
from catalog.tabular.chart_spec import EDITION, SIZES, vega_lite
from catalog.tabular.chart_sql import (
    STEP,
    Steps,
    compile_bounds,
    compile_moments,
    compile_sample,
    in_steps,
    in_units,
    steps_between,
)
from catalog.tabular.column import Column
from catalog.tabular.drawing import PEN
from catalog.tabular.filters import all_of
from catalog.tabular.query import Condition, In, IsNull, Not, Or, Order, TableQuery
from catalog.tabular.sql import compile_query

PICTURES = ("svg", "png")
MAKERS = (Path(__file__), *sorted((Path(__file__).parents[1] / "tabular").glob("chart*.py")))
POINTS_EDITION = hashlib.sha256(b"".join(file.read_bytes() for file in MAKERS)).hexdigest()[:12]
"""Points that were kept are computed again when what computes them has changed."""


@dataclass(frozen=True)
class Chart:
    """A chart of a release, ready to be drawn or listed."""

    table: DataTable
    query: ChartQuery
    where: Condition | None
    type: ColumnType
    """Type of the horizontal column."""
    data: ChartData


def opening(table: DataTable, columns: Mapping[str, Column] | None = None) -> ChartQuery | None:
    """The chart that a table opens with: the one it came with, else a sensible guess; of these columns, or all."""
    columns = columns_by_name(table) if columns is None else columns
    came_with = chart_from(table.chart or {})
    if came_with is not None and fits(came_with, columns):
        return came_with
    profiles = {c.name: c.profile for c in table.columns if c.profile}
    distinct = {name: int(profile.get("distinct") or 0) for name, profile in profiles.items()}
    serial = {name for name, profile in profiles.items() if _is_serial(profile, table.rows)}
    return guess_chart(list(columns.values()), distinct, table.rows, serial)


def _is_serial(profile: Mapping[str, Any], rows: int) -> bool:
    """Whether whole numbers only count the rows: each another one, with hardly a gap."""
    least, greatest = profile.get("least"), profile.get("greatest")
    if not isinstance(least, int) or not isinstance(greatest, int):
        return False
    return rows > 1 and profile.get("distinct") == rows and greatest - least < 2 * rows


def columns_by_name(table: DataTable) -> dict[str, Column]:
    """Published name → column, in order."""
    return {column.name: column for column in tables.columns_of(table)}


def show(
    who: Identity,
    table_id: str,
    query: ChartQuery,
    *,
    where: Condition | None = None,
    as_of: str | None = None,
) -> Chart:
    """The points of a chart of the newest release, or that of `as_of`; raises BadQuery when the columns do not fit."""
    table = tables.show(who, table_id)
    version = version_as_of(table, as_of)
    columns = _by_name(version)
    check_chart(query, columns)
    key = f"{POINTS_EDITION} {_named(table, version)} {query!r} {where!r}"
    content = kept("chart-data", key, lambda: _pack(_points(who, version, query, where)))
    data = _unpack(content)
    if query.kind is Kind.PIE and any(point.value < 0 for point in data.points):
        raise BadQuery("a pie cannot show numbers below zero: choose bars")
    return Chart(table, query, where, columns[query.x].type, data)


def picture(  # noqa: PLR0913 # a picture is all of these
    who: Identity,
    table_id: str,
    query: ChartQuery,
    words: ChartWords,
    format_: str,
    *,
    where: Condition | None = None,
    size: str = "wide",
    as_of: str | None = None,
) -> bytes:
    """The chart drawn as `svg` (letters stay letters) or `png` (letters need fonts on this machine)."""
    if format_ not in PICTURES:
        raise NotFound("there is no such picture")
    table = tables.show(who, table_id)
    version = version_as_of(table, as_of)

    def draw() -> bytes:
        chart = show(who, table_id, query, where=where, as_of=as_of)
        return PEN.draw(vega_lite(query, chart.type, chart.data, words, size=size), format_)

    wanted = f"{EDITION} {POINTS_EDITION} {_named(table, version)} {format_} {size if size in SIZES else ''}"
    return kept("chart-pictures", f"{wanted} {query!r} {where!r} {words!r}", draw)


def _by_name(version: Version) -> dict[str, Column]:
    return {column.name: column for column in version.columns}


def _named(table: DataTable, version: Version) -> str:
    """What names the rows in keys of what is kept: who may see more sees another table."""
    return f"{table.id} {version.release} {table.narrowed}"


def _points(
    who: Identity, version: Version, query: ChartQuery, where: Condition | None
) -> ChartData:
    columns = _by_name(version)
    type_ = columns[query.x].type
    if query.kind is Kind.SCATTER:
        return _sample(who, version, query, where, type_)
    if query.kind is Kind.BAR and type_ in NUMERIC:
        steps = _steps(version, columns[query.x], where)
        if steps is not None:
            return _histogram(version, query, where, steps)
    unit = _unit(version, query, columns[query.x], where) if type_ in TEMPORAL else ""
    if unit:
        return _by_unit(version, query, where, unit)
    asked = grouping(query, columns, where)
    found = base_of(version).rows(asked)
    names = [query.x, asked.measures[0].name, query.series]
    data = settle(query, type_, _tidy(found, names))
    if query.with_other and data.categories_left_out:
        return _with_others(version, query, where, data)
    return data


def _with_others(
    version: Version, query: ChartQuery, where: Condition | None, data: ChartData
) -> ChartData:
    """The calculation over all rows of the categories that are not shown: no sum of what was cut off."""
    shown = tuple(dict.fromkeys(point.x for point in data.points))
    listed = Not(In(query.x, tuple(x for x in shown if x is not None)))
    left = listed if None in shown else Or((listed, IsNull(query.x)))
    others = all_of([*([where] if where else []), left])
    asked = grouping(query, _by_name(version), others)
    by = (query.series,) if query.series else ()
    order = tuple(Order(name) for name in by)
    found = base_of(version).rows(replace(asked, group_by=by, order_by=order))
    names = ["", asked.measures[0].name, query.series]
    kept_series = {point.series for point in data.points}
    return with_others(data, (p for p in _tidy(found, names) if p.series in kept_series))


def _unit(version: Version, query: ChartQuery, column: Column, where: Condition | None) -> str:
    """The unit that is asked for, or the finest one whose number is small enough; empty for moments as they are."""
    if query.unit:
        return query.unit
    base = base_of(version)
    sql, parameters = compile_moments(column, where, base.columns, base.relation)
    found = base.duck.table(sql, parameters).to_pylist()[0]
    if found["n"] <= MOST_MOMENTS:
        return ""
    return next((unit for unit in FITTING_UNITS if found[unit] <= MOST_MOMENTS), FITTING_UNITS[-1])


def _by_unit(version: Version, query: ChartQuery, where: Condition | None, unit: str) -> ChartData:
    """The calculation for each unit of time, over all of its rows."""
    columns = _by_name(version)
    base = base_of(version)
    relation, parameters = in_units(columns[query.x], unit, where, base.columns, base.relation)
    found, names = _of_places(version, query, relation, parameters)
    return settle(query, columns[query.x].type, _tidy(found, names), unit=unit)


def _of_places(
    version: Version, query: ChartQuery, relation: str, parameters: Sequence[object]
) -> tuple[pa.Table, list[str]]:
    """The calculation for each `STEP` of a relation, and the names of place, value and series."""
    columns = _by_name(version)
    base = base_of(version)
    place = Column(free_name("step", columns), STEP, ColumnType.NUMBER)
    known = {**columns, place.name: place}
    asked = grouping(replace(query, x=place.name), known, None)
    sql, more = compile_query(asked, tuple(known.values()), relation)
    found = base.duck.table(sql, [*parameters, *more])
    by = [place.name, *([query.series] if query.series else [])]
    found = found.rename_columns([*by, *(measure.name for measure in asked.measures)])
    return found, [place.name, asked.measures[0].name, query.series]


def _steps(version: Version, column: Column, where: Condition | None) -> Steps | None:
    """Steps for the column's numbers, if there are too many different ones for a bar each."""
    base = base_of(version)
    sql, parameters = compile_bounds(column, where, base.columns, base.relation)
    found = base.duck.table(sql, parameters).to_pylist()[0]
    if found["n"] <= MOST_BARS:
        return None
    return steps_between(found["low"], found["high"], whole=column.type is ColumnType.INTEGER)


def _histogram(
    version: Version, query: ChartQuery, where: Condition | None, steps: Steps
) -> ChartData:
    """The calculation for each step of the axis."""
    columns = _by_name(version)
    base = base_of(version)
    relation, parameters = in_steps(columns[query.x], steps, where, base.columns, base.relation)
    found, names = _of_places(version, query, relation, parameters)
    points = (
        point._replace(x=_round(steps.low + float(point.x) * steps.width))
        for point in _tidy(found, names)
        if point.x is not None
    )
    return settle(query, columns[query.x].type, points, step=steps.width)


def _sample(
    who: Identity, version: Version, query: ChartQuery, where: Condition | None, type_: ColumnType
) -> ChartData:
    """Rows drawn at random from all that have both values, the same ones each time."""
    filled = [Not(IsNull(name)) for name in dict.fromkeys((query.x, query.y))]
    where = all_of([*([where] if where else []), *filled])
    total = tables.count(who, version.table_id, where, as_of=str(version.release))
    wanted = tuple(dict.fromkeys(filter(None, (query.x, query.y, query.series))))
    base = base_of(version)
    asked = TableQuery(wanted, where, limit=SAMPLE)
    sql, parameters = compile_sample(asked, base.columns, base.relation)
    found = base.duck.table(sql, parameters).rename_columns(list(wanted))
    data = settle(query, type_, _tidy(found, [query.x, query.y, query.series]))
    if total <= SAMPLE:
        return data
    return replace(data, rows_of=total, sample=found.num_rows)


def _tidy(found: pa.Table, names: list[str]) -> Iterator[Point]:
    """Points of a result whose columns have these names: x, value, series."""
    length = found.num_rows
    xs, values, series = (
        found.column(name).to_pylist() if name else [None] * length for name in names
    )
    for x, value, part in zip(xs, values, series, strict=True):
        number = _number(value)
        if number is not None:
            label = "" if part is None else str(_place(part))
            yield Point(_place(x), number, label)


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


def _round(value: float) -> float:
    """The end of a step without what adding up floating numbers leaves behind."""
    return float(f"{value:.12g}")
