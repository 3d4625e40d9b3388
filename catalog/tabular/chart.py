"""Charts of tables: what is asked, the query that answers it, the points drawn, the Vega-Lite spec.

Everything here is pure; `services/charts.py` asks the tables and has the picture drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.query import Aggregate, Condition, Measure, Order, TableQuery

MOST_GROUPS = 20_000
"""Groups that are fetched: two years of hours fit."""
MOST_MOMENTS = 1_500
"""Points of a line over time; more are folded into days, months or years."""
MOST_CATEGORIES = 30
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
UNITS = {"hour": 13, "day": 10, "month": 7, "year": 4}
"""Unit → letters of ISO 8601 that name it."""


class Kind(StrEnum):
    """Kinds of charts."""

    LINE = "line"
    AREA = "area"
    BAR = "bar"
    SCATTER = "scatter"


@dataclass(frozen=True)
class ChartQuery:
    """A chart: `aggregate` of `y` (a column, or empty for rows) by `x`, in colours by `series`."""

    kind: Kind
    x: str
    aggregate: Aggregate = Aggregate.COUNT
    y: str = ""
    series: str = ""


class Point(NamedTuple):
    """What is drawn at one place; `rows` is the weight of the value when points are folded."""

    x: str | float | None
    value: float
    series: str = ""
    rows: int = 1


@dataclass(frozen=True)
class ChartData:
    """The points in the order they are drawn, and what had to be left out."""

    points: tuple[Point, ...]
    unit: str = ""
    """`hour`, `day`, `month` or `year` when moments were folded."""
    categories_left_out: int = 0
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
    language: str = "en"


def check_chart(chart: ChartQuery, columns: Mapping[str, Column]) -> None:
    """Raise BadQuery when the chart cannot be drawn of these columns."""
    for name in filter(None, (chart.x, chart.y, chart.series)):
        if name not in columns or columns[name].type == ColumnType.GEOMETRY:
            raise BadQuery("the table has no column “%(column)s” to draw", column=name)
    if not chart.x:
        raise BadQuery("choose a column for the horizontal axis")
    numeric = chart.y in columns and columns[chart.y].type in NUMERIC
    if chart.kind is Kind.SCATTER:
        if not numeric or columns[chart.x].type not in NUMERIC | TEMPORAL:
            raise BadQuery("a scatter plot needs two columns of numbers")
    elif chart.aggregate not in (Aggregate.COUNT, Aggregate.DISTINCT) and not numeric:
        raise BadQuery("choose a column of numbers for this calculation")
    elif chart.aggregate is Aggregate.DISTINCT and not chart.y:
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
    """The group-by that answers the chart: its last two measures are the value and its weight."""
    value, weight = (free_name(name, columns) for name in ("value", "rows"))
    by = tuple(dict.fromkeys(filter(None, (chart.x, chart.series))))
    counted = chart.y or "*"
    of = "*" if chart.aggregate is Aggregate.COUNT else counted
    aggregate = Measure(chart.aggregate, counted if chart.y else of, value)
    largest_first = columns[chart.x].type in (ColumnType.STRING, ColumnType.BOOLEAN)
    order = Order(value, descending=True) if largest_first else Order(chart.x)
    return TableQuery(
        where=where,
        group_by=by,
        measures=(aggregate, Measure(Aggregate.COUNT, counted, weight)),
        order_by=(order, *(Order(name) for name in by if name != order.column)),
        limit=MOST_GROUPS,
    )


def free_name(name: str, columns: Mapping[str, Column]) -> str:
    """The name, with as many underscores before it as it takes to be no column's."""
    while name in columns:
        name = f"_{name}"
    return name


def settle(
    chart: ChartQuery, type_: ColumnType, found: Iterable[Point], *, step: float = 0.0
) -> ChartData:
    """The points worth drawing: no holes, few enough, in the order of the axis."""
    points = list(found)
    cut = len(points) >= MOST_GROUPS
    points, series_left_out = _largest_series(points)
    if type_ not in NUMERIC | TEMPORAL:
        points, left_out = _largest_categories(points, by_size=chart.kind is Kind.BAR)
        return ChartData(tuple(points), "", left_out, series_left_out, cut=cut)
    points = [p for p in points if p.x is not None]
    if chart.kind is Kind.SCATTER:
        return ChartData(tuple(points), "", 0, series_left_out)
    unit = ""
    if type_ in TEMPORAL:
        points, unit = fold_moments(chart.aggregate, points)
    places = sorted({p.x for p in points}, key=_sorting)
    if len(places) > MOST_MOMENTS:
        cut = True
        kept = set(places[:MOST_MOMENTS])
        points = [p for p in points if p.x in kept]
    points.sort(key=lambda p: _sorting(p.x))
    return ChartData(tuple(points), unit, 0, series_left_out, step=step, cut=cut)


def _sorting(x: str | float | None) -> tuple[int, float, str]:
    return (0, x, "") if isinstance(x, int | float) else (1, 0.0, x or "")


def _largest_series(points: list[Point]) -> tuple[list[Point], int]:
    sizes: dict[str, float] = defaultdict(float)
    for point in points:
        sizes[point.series] += abs(point.value)
    ranked = sorted(sizes, key=lambda name: (-sizes[name], name))
    kept = set(ranked[:MOST_SERIES])
    return [p for p in points if p.series in kept], max(0, len(ranked) - MOST_SERIES)


def _largest_categories(points: list[Point], *, by_size: bool) -> tuple[list[Point], int]:
    sizes: dict[str | float | None, float] = defaultdict(float)
    for point in points:
        sizes[point.x] += abs(point.value)
    ranked = sorted(sizes, key=lambda x: (-sizes[x], str(x)))
    places = {x: at for at, x in enumerate(ranked[:MOST_CATEGORIES])}
    kept = [p for p in points if p.x in places]
    if by_size:
        kept.sort(key=lambda p: (places[p.x], p.series))
    else:
        kept.sort(key=lambda p: (str(p.x), p.series))
    return kept, max(0, len(ranked) - MOST_CATEGORIES)


def fold_moments(aggregate: Aggregate, points: Sequence[Point]) -> tuple[list[Point], str]:
    """Too many moments become the finest of hours, days, months or years that are few enough.

    Averages are weighted by their rows; counts of different values cannot be added up and stay.
    """
    moments = {p.x for p in points}
    if len(moments) <= MOST_MOMENTS or aggregate is Aggregate.DISTINCT:
        return list(points), ""
    unit, letters = next(
        (
            (unit, letters)
            for unit, letters in UNITS.items()
            if len({str(x)[:letters] for x in moments}) <= MOST_MOMENTS
        ),
        ("year", UNITS["year"]),
    )
    groups: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for point in points:
        groups[str(point.x)[:letters], point.series].append(point)
    folded = [
        Point(x, _fold(aggregate, group), series, sum(p.rows for p in group))
        for (x, series), group in groups.items()
    ]
    return folded, unit


def _fold(aggregate: Aggregate, group: Sequence[Point]) -> float:
    match aggregate:
        case Aggregate.MIN:
            return min(p.value for p in group)
        case Aggregate.MAX:
            return max(p.value for p in group)
        case Aggregate.AVG:
            rows = sum(p.rows for p in group)
            return sum(p.value * p.rows for p in group) / rows if rows else 0.0
    return sum(p.value for p in group)
