"""Charts of tables: what is asked, the query that answers it, the points drawn, the Vega-Lite spec.

Everything here is pure; `services/charts.py` asks the tables and has the picture drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.query import Aggregate, Condition, Measure, Order, TableQuery
from catalog.tabular.values import usable

MOST_GROUPS = 20_000
"""Groups that are fetched: two years of hours fit."""
MOST_MOMENTS = 1_500
"""Points of a line over time; more are folded into days, months or years."""
MOST_CATEGORIES = 30
MOST_SLICES = 8
"""Slices of a pie, that of all others included: eyes cannot compare more."""
MOST_BARS = 80
"""Different numbers that get a bar each; more are put into steps of equal width."""
MOST_SERIES = 8
SAMPLE = 2_000
"""Rows of a scatter plot."""

NUMERIC = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})
TEMPORAL = frozenset({ColumnType.DATE, ColumnType.DATETIME})
YEARS = frozenset({"year", "年", "年份", "年度"})
POSITIONS = frozenset(
    {"id", "no", "no.", "index", "month", "day", "hour", "序号", "编号", "月", "日"}
)
"""Names of numbers that say where a row stands; their average means nothing."""
ADDITIVE = frozenset({Aggregate.COUNT, Aggregate.SUM})
"""What may be stacked: averages on top of each other would mean nothing."""
UNITS = ("hour", "day", "week", "month", "quarter", "year")
"""What moments are put together by, the finest first."""
FITTING_UNITS = ("hour", "day", "month", "year")
"""Those of them that are chosen where nobody has asked for one."""
TOPS = (5, 10, 20, MOST_CATEGORIES)
OTHER = "\0"
"""The place of all categories that are not shown one by one."""


class Kind(StrEnum):
    """Kinds of charts."""

    LINE = "line"
    AREA = "area"
    BAR = "bar"
    SCATTER = "scatter"
    PIE = "pie"


class Sorting(StrEnum):
    """The order of categories."""

    USUAL = ""
    """Bars and slices by size, the largest first; lines by name."""
    LARGEST = "largest"
    SMALLEST = "smallest"
    NAME = "name"


@dataclass(frozen=True)
class ChartQuery:
    """A chart: `aggregate` of `y` (a column, or empty for rows) by `x`, in colours by `series`."""

    kind: Kind
    x: str
    aggregate: Aggregate = Aggregate.COUNT
    y: str = ""
    series: str = ""
    unit: str = ""
    """What moments are put together by, of `UNITS`; empty leaves it to their number."""
    top: int = 0
    """So many of the largest categories; 0 leaves it to the kind of chart."""
    other: bool = False
    """Whether all other categories are shown as one."""
    sorting: Sorting = Sorting.USUAL

    @property
    def most(self) -> int:
        """Categories that are shown one by one."""
        if self.kind is Kind.PIE:
            return min(self.top or MOST_SLICES - 1, MOST_SLICES - 1)
        return min(self.top or MOST_CATEGORIES, MOST_CATEGORIES)

    @property
    def with_other(self) -> bool:
        """A pie is the whole, so that nothing may be missing in it."""
        return self.other or self.kind is Kind.PIE


class Point(NamedTuple):
    """What is drawn at one place."""

    x: str | float | None
    value: float
    series: str = ""


@dataclass(frozen=True)
class ChartData:
    """The points in the order they are drawn, and what had to be left out."""

    points: tuple[Point, ...]
    unit: str = ""
    """One of `UNITS` when moments were put together."""
    categories_left_out: int = 0
    others: int = 0
    """Categories that are shown as one, at the place `OTHER`."""
    series_left_out: int = 0
    rows_of: int = 0
    """Rows that a sample was taken from; 0 when nothing was sampled."""
    sample: int = 0
    """Rows of the sample."""
    step: float = 0.0
    """Width of the steps that numbers were put into; a place is the lower end of its step."""
    cut: bool = False
    """There were more groups than are fetched."""


@dataclass(frozen=True)
class ChartWords:
    """The words on the chart, in the reader's language; the title says what is measured by what."""

    title: str
    x: str
    series: str = ""
    empty: str = "—"
    other: str = "…"
    language: str = "en"


def check_chart(chart: ChartQuery, columns: Mapping[str, Column]) -> None:
    """Raise BadQuery when the chart cannot be drawn of these columns."""
    for name in filter(None, (chart.x, chart.y, chart.series)):
        if name not in columns or columns[name].type == ColumnType.GEOMETRY:
            raise BadQuery("the table has no column “%(column)s” to draw", column=name)
        usable(tuple(columns.values()), name)
    if not chart.x:
        raise BadQuery("choose a column for the horizontal axis")
    if chart.kind is Kind.PIE and chart.aggregate not in ADDITIVE:
        raise BadQuery("a pie shows parts of a whole: choose the number of rows or a sum")
    numeric = chart.y in columns and columns[chart.y].type in NUMERIC
    if chart.kind is not Kind.SCATTER:
        _check_aggregate(chart, numeric=numeric)
    elif not numeric or columns[chart.x].type not in NUMERIC | TEMPORAL:
        raise BadQuery("a scatter plot needs two columns of numbers")


def _check_aggregate(chart: ChartQuery, *, numeric: bool) -> None:
    if chart.aggregate not in (Aggregate.COUNT, Aggregate.DISTINCT) and not numeric:
        raise BadQuery("choose a column of numbers for this calculation")
    if chart.aggregate is Aggregate.DISTINCT and not chart.y:
        raise BadQuery("choose the column whose different values are counted")


def fits(chart: ChartQuery, columns: Mapping[str, Column]) -> bool:
    """Whether the chart can be drawn of these columns."""
    try:
        check_chart(chart, columns)
    except BadQuery:
        return False
    return True


def chart_from(kept: Mapping[str, object]) -> ChartQuery | None:
    """The chart that `DataTable.chart` describes, or None when it is empty or unknown."""
    try:
        return ChartQuery(
            kind=Kind(str(kept.get("kind", "line"))),
            x=str(kept["x"]),
            aggregate=Aggregate(str(kept.get("agg") or ("avg" if kept.get("y") else "count"))),
            y=str(kept.get("y") or ""),
            series=str(kept.get("series") or ""),
        )
    except (KeyError, ValueError):
        return None


def guess_chart(
    columns: Sequence[Column],
    distinct: Mapping[str, int],
    rows: int = 0,
    serial: Collection[str] = (),
) -> ChartQuery | None:
    """A sensible first chart: a line over time, else bars of the best category, else a histogram.

    `rows` is the number of rows, `serial` names the numbers that only count or name the rows. A column
    that has another value in almost every row says nothing, and a table of such columns has no chart.
    """
    measures = [
        c.name
        for c in columns
        if c.type in NUMERIC
        and c.name not in serial
        and not _is_position(c.name)
        and distinct.get(c.name, 2) > 1
    ]
    years = [c.name for c in columns if c.type is ColumnType.INTEGER and c.name.lower() in YEARS]
    years = [name for name in years if distinct.get(name, 2) > 1]
    for name in [*(c.name for c in columns if c.type in TEMPORAL), *years]:
        if measures:
            return ChartQuery(Kind.LINE, name, Aggregate.AVG, measures[-1])
        if _repeats(distinct.get(name, 2), rows):
            return ChartQuery(Kind.LINE, name)
    texts = [c.name for c in columns if c.type in (ColumnType.STRING, ColumnType.BOOLEAN)]
    for most in (MOST_CATEGORIES, 3 * MOST_CATEGORIES):
        for name in texts:
            if 2 <= distinct.get(name, 2) <= most and _repeats(distinct.get(name, 2), rows):
                return ChartQuery(Kind.BAR, name)
    return ChartQuery(Kind.BAR, measures[0]) if measures else None


def _repeats(distinct: int, rows: int) -> bool:
    """Whether a value stands in two rows, on average."""
    return not rows or 2 * distinct <= rows


def _is_position(name: str) -> bool:
    return name.lower() in POSITIONS | YEARS


def grouping(
    chart: ChartQuery, columns: Mapping[str, Column], where: Condition | None
) -> TableQuery:
    """The group-by that answers the chart: its measure is the value."""
    value = free_name("value", columns)
    by = tuple(dict.fromkeys(filter(None, (chart.x, chart.series))))
    counted = chart.y or "*"
    of = "*" if chart.aggregate is Aggregate.COUNT else counted
    aggregate = Measure(chart.aggregate, counted if chart.y else of, value)
    largest_first = columns[chart.x].type in (ColumnType.STRING, ColumnType.BOOLEAN)
    order = Order(value, descending=True) if largest_first else Order(chart.x)
    return TableQuery(
        where=where,
        group_by=by,
        measures=(aggregate,),
        order_by=(order, *(Order(name) for name in by if name != order.column)),
        limit=MOST_GROUPS,
    )


def free_name(name: str, columns: Mapping[str, Column]) -> str:
    """The name, with as many underscores before it as it takes to be no column's."""
    while name in columns:
        name = f"_{name}"
    return name


def settle(
    chart: ChartQuery,
    type_: ColumnType,
    found: Iterable[Point],
    *,
    step: float = 0.0,
    unit: str = "",
) -> ChartData:
    """The points worth drawing: no holes, few enough, in the order of the axis."""
    points = list(found)
    cut = len(points) >= MOST_GROUPS
    points, series_left_out = _largest_series(points)
    if is_categorical(chart, type_):
        points, left_out = _largest_categories(chart, points)
        return ChartData(tuple(points), unit, left_out, 0, series_left_out, cut=cut)
    points = [p for p in points if p.x is not None]
    if chart.kind is Kind.SCATTER:
        return ChartData(tuple(points), series_left_out=series_left_out)
    places = sorted({p.x for p in points}, key=_sorting)
    if len(places) > MOST_MOMENTS:
        cut = True
        kept = set(places[:MOST_MOMENTS])
        points = [p for p in points if p.x in kept]
    points.sort(key=lambda p: _sorting(p.x))
    return ChartData(tuple(points), unit, 0, 0, series_left_out, step=step, cut=cut)


def is_categorical(chart: ChartQuery, type_: ColumnType) -> bool:
    """Whether the places have no distance from each other."""
    return type_ not in NUMERIC | TEMPORAL or chart.kind is Kind.PIE


def with_others(data: ChartData, points: Iterable[Point]) -> ChartData:
    """The categories that were left out come back as one, after all others."""
    added = tuple(point._replace(x=OTHER) for point in points)
    return replace(
        data,
        points=(*data.points, *added),
        categories_left_out=0,
        others=data.categories_left_out,
    )


def _sorting(x: str | float | None) -> tuple[int, float, str]:
    return (0, x, "") if isinstance(x, int | float) else (1, 0.0, x or "")


def _largest_series(points: list[Point]) -> tuple[list[Point], int]:
    sizes: dict[str, float] = defaultdict(float)
    for point in points:
        sizes[point.series] += abs(point.value)
    ranked = sorted(sizes, key=lambda name: (-sizes[name], name))
    kept = set(ranked[:MOST_SERIES])
    return [p for p in points if p.series in kept], max(0, len(ranked) - MOST_SERIES)


def _largest_categories(chart: ChartQuery, points: list[Point]) -> tuple[list[Point], int]:
    sizes: dict[str | float | None, float] = defaultdict(float)
    for point in points:
        sizes[point.x] += abs(point.value)
    ranked = sorted(sizes, key=lambda x: (-sizes[x], str(x)))
    most = chart.most + 1 if len(ranked) == chart.most + 1 and chart.with_other else chart.most
    places = {x: at for at, x in enumerate(ranked[:most])}
    kept = [p for p in points if p.x in places]
    by_size = chart.kind in (Kind.BAR, Kind.PIE)
    match chart.sorting:
        case Sorting.NAME:
            kept.sort(key=lambda p: (_sorting(p.x), p.series))
        case Sorting.SMALLEST:
            kept.sort(key=lambda p: (-places[p.x], p.series))
        case Sorting.USUAL if not by_size:
            kept.sort(key=lambda p: (str(p.x), p.series))
        case _:
            kept.sort(key=lambda p: (places[p.x], p.series))
    return kept, max(0, len(ranked) - most)
