"""The chart that an address asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from catalog.errors import BadQuery
from catalog.tabular.chart import ChartQuery, Kind
from catalog.tabular.query import Aggregate

NAMES = ("kind", "x", "agg", "y", "series")


def read_chart(args: Mapping[str, str], opening: ChartQuery | None) -> ChartQuery | None:
    """The chart of the parameters; without a column for the axis, the opening one, changed where asked."""
    try:
        kind = Kind(args["kind"]) if args.get("kind") else None
        aggregate = Aggregate(args["agg"]) if args.get("agg") else None
    except ValueError as error:
        raise BadQuery("there is no such kind of chart") from error
    if args.get("x"):
        y = args.get("y", "")
        return ChartQuery(
            kind=kind or Kind.BAR,
            x=args["x"],
            aggregate=aggregate or (Aggregate.AVG if y else Aggregate.COUNT),
            y=y,
            series=args.get("series", ""),
        )
    return replace(opening, kind=kind) if opening and kind else opening


def chart_pairs(chart: ChartQuery) -> list[tuple[str, str]]:
    """The parameters that ask for this chart."""
    values = (chart.kind.value, chart.x, chart.aggregate.value, chart.y, chart.series)
    return [(name, value) for name, value in zip(NAMES, values, strict=True) if value]
