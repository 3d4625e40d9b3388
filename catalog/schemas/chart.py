"""The chart that an address asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catalog.errors import BadQuery
from catalog.tabular.chart import TOPS, UNITS, ChartQuery, Kind, Sorting
from catalog.tabular.query import Aggregate

LONGEST_TITLE = 160


def read_chart(args: Mapping[str, str], opening: ChartQuery | None) -> ChartQuery | None:
    """The chart of the parameters; without a column for the axis, the opening one, changed where asked."""
    try:
        kind = Kind(args["kind"]) if args.get("kind") else None
        aggregate = Aggregate(args["agg"]) if args.get("agg") else None
    except ValueError as error:
        raise BadQuery("there is no such kind of chart") from error
    if args.get("x"):
        y = args.get("y", "")
        chart = ChartQuery(
            kind=kind or Kind.BAR,
            x=args["x"],
            aggregate=aggregate or (Aggregate.AVG if y else Aggregate.COUNT),
            y=y,
            series=args.get("series", ""),
        )
    elif opening is None:
        return None
    else:
        chart = replace(opening, kind=kind or opening.kind)
    if chart.kind is Kind.PIE:
        chart = replace(chart, series="")
    return replace(chart, **_shape(args))


def _shape(args: Mapping[str, str]) -> dict[str, Any]:
    """What is said of units of time and of categories; what makes no sense is passed over."""
    unit, top, sorting = args.get("unit", ""), args.get("top", ""), args.get("order", "")
    return {
        "unit": unit if unit in UNITS else "",
        "top": int(top) if top in {str(number) for number in TOPS} else 0,
        "other": args.get("other") == "1",
        "sorting": Sorting(sorting) if sorting in {one.value for one in Sorting} else Sorting.USUAL,
    }


def read_title(args: Mapping[str, str]) -> str:
    """The reader's own title of the chart, on one line."""
    return " ".join(args.get("title", "").split())[:LONGEST_TITLE]


def chart_pairs(chart: ChartQuery) -> list[tuple[str, str]]:
    """The parameters that ask for this chart."""
    pairs = [
        ("kind", chart.kind.value),
        ("x", chart.x),
        ("agg", chart.aggregate.value),
        ("y", chart.y),
        ("series", chart.series),
        ("unit", chart.unit),
        ("top", str(chart.top or "")),
        ("other", "1" if chart.other else ""),
        ("order", chart.sorting.value),
    ]
    return [(name, value) for name, value in pairs if value]
