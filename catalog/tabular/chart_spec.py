"""The Vega-Lite spec of a chart: pure, from the kind, the points and the words on it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from catalog.models.vocabulary import ColumnType
from catalog.tabular.chart import (
    ADDITIVE,
    NUMERIC,
    OTHER,
    TEMPORAL,
    ChartData,
    ChartQuery,
    ChartWords,
    Kind,
)
from catalog.tabular.query import Aggregate

EDITION = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
"""Pictures that were kept are drawn again when what draws them has changed."""
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
COLOURS = (
    "#12436d", "#28a197", "#801650", "#f46a25", "#3d3d3d", "#a285d1", "#4f94d4", "#8a6d00",
)  # fmt: skip
GREY = "#8a969c"
"""All other categories, put together, have no colour of their own."""
PIECES = re.compile(r"[\u2e80-\uffff]|[^\s\u2e80-\uffff]+\s*|\s+")
WIDE = 0x2E80
"""Characters from here on are as wide as high."""
MOST_LINES = 4
COUNTS = frozenset({Aggregate.COUNT, Aggregate.DISTINCT})
"""There is no half of a row: the axis has whole numbers."""
FONT = "system-ui, 'Noto Sans CJK SC', 'Noto Sans', sans-serif"
TIME_UNITS = {
    "year": "utcyear",
    "quarter": "utcyearquarter",
    "month": "utcyearmonth",
    "week": "utcyearweek",
    "day": "utcyearmonthdate",
    "hour": "utcyearmonthdatehours",
}
LARGE = {
    "zh": (("1e8", " 亿"), ("1e4", " 万")),
    "en": (("1e9", " bn"), ("1e6", " m")),
}
"""Language → how large numbers on an axis are shortened."""


@dataclass(frozen=True)
class Size:
    """A drawing for a wide or a narrow screen; letters keep their size."""

    width: int
    height: int
    bar: int
    letters: int
    across: int
    """Entries of the legend in a line."""


HALF_WIDTHS = 1.4
"""Bold Latin letters that surely fit into the height of one: some are much wider than half of it."""
SIZES = {"wide": Size(820, 380, 22, 14, 4), "narrow": Size(290, 300, 22, 14, 1)}


def vega_lite(
    chart: ChartQuery,
    type_: ColumnType,
    data: ChartData,
    words: ChartWords,
    *,
    size: str = "wide",
) -> dict[str, Any]:
    """The whole spec; all data is inside it, nothing is fetched."""
    sizes = SIZES.get(size, SIZES["wide"])
    if chart.kind is Kind.PIE:
        return _pie(data, words, sizes)
    lying = chart.kind is Kind.BAR and type_ not in NUMERIC | TEMPORAL
    across = _axis_of_x(type_, chart, data, words, sizes)
    up = _axis_of_values(chart, data, words)
    encoding = {"y": across, "x": up} if lying else {"x": across, "y": up}
    if data.step:
        encoding["x2"] = {"field": "e"}
    if chart.series:
        encoding["color"] = _colour(words, sizes, lines=chart.kind is Kind.LINE)
        if chart.kind is Kind.BAR and chart.aggregate not in ADDITIVE and not data.step:
            encoding["yOffset" if lying else "xOffset"] = {
                "field": "s",
                "type": "nominal",
                "sort": None,
            }
    elif data.others and chart.kind is Kind.BAR:
        test = {"test": f"datum.x === {json.dumps(_place(OTHER, words))}", "value": GREY}
        encoding["color"] = {"condition": test, "value": COLOURS[0]}
    return {
        **_sheet(words, sizes, frame="group" if lying else "bounds"),
        "data": {"values": _values(data, words)},
        "height": {"step": sizes.bar} if lying else sizes.height,
        "mark": _mark(chart, type_, data, lying=lying),
        "encoding": encoding,
    }


def _sheet(words: ChartWords, sizes: Size, *, frame: str) -> dict[str, Any]:
    """What all charts have: width, margins, title, letters.

    A title over a group begins where the bars do, after labels of up to a third of the width.
    """
    room = sizes.width * 2 // 3 if frame == "group" else sizes.width
    return {
        "$schema": SCHEMA,
        "width": sizes.width,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": "#ffffff",
        "padding": {"left": 12, "right": 16, "top": 8, "bottom": 8},
        "title": {
            "text": lines_of(words.title, int(room / sizes.letters * HALF_WIDTHS)),
            "anchor": "start",
            "frame": frame,
            "fontSize": sizes.letters + 1,
            "lineHeight": sizes.letters + 6,
            "offset": 14,
        },
        "config": _config(sizes),
    }


def _pie(data: ChartData, words: ChartWords, sizes: Size) -> dict[str, Any]:
    """A ring whose legend tells the share of each slice, so that nobody has to measure angles."""
    total = sum(point.value for point in data.points)
    values = [
        {"x": f"{_place(p.x, words)}  {share(p.value, total)}", "y": p.value} for p in data.points
    ]
    colours = [
        GREY if p.x == OTHER else COLOURS[at % len(COLOURS)] for at, p in enumerate(data.points)
    ]
    narrow = sizes.across == 1
    legend = {
        "orient": "bottom" if narrow else "right",
        "title": words.x,
        "labelLimit": sizes.width if narrow else sizes.width // 2,
        "columns": 1,
        "symbolType": "square",
        "rowPadding": 6,
    }
    return {
        **_sheet(words, sizes, frame="bounds"),
        "data": {"values": values},
        "height": sizes.height - 60,
        "mark": {"type": "arc", "innerRadius": 56, "stroke": "#ffffff", "strokeWidth": 2},
        "encoding": {
            "theta": {"field": "y", "type": "quantitative", "stack": True},
            "order": {"field": "place", "type": "quantitative"},
            "color": {
                "field": "x",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": [value["x"] for value in values], "range": colours},
                "legend": legend,
            },
        },
        "transform": [{"window": [{"op": "row_number", "as": "place"}]}],
    }


def share(value: float, total: float) -> str:
    """A part of the whole in percent; what is there is never told as 0 %."""
    percent = 100 * value / total if total else 0.0
    return "< 0.1 %" if 0 < percent < 0.1 else f"{percent:.1f} %"


def starts_at_zero(chart: ChartQuery, data: ChartData) -> bool:
    """Whether lengths and heights can be compared: bars, areas and slices always start at zero."""
    return chart.kind in (Kind.BAR, Kind.AREA, Kind.PIE) or _near_zero(data)


def _place(x: str | float | None, words: ChartWords) -> str | float:
    """A place as the chart writes it."""
    if x is None:
        return words.empty
    return words.other if x == OTHER else x


def lines_of(text: str, longest: int) -> list[str]:
    """The text in lines of at most `longest` half-width characters; Chinese may break anywhere.

    What is more than MOST_LINES is cut off, and shown to be.
    """
    lines, line, width = [], "", 0
    for piece in PIECES.findall(text):
        wide = sum(2 if ord(sign) > WIDE else 1 for sign in piece)
        if line and width + wide > longest:
            lines.append(line.strip())
            line, width = "", 0
        line, width = line + piece, width + wide
    lines.append(line.strip())
    cut = len(lines) > MOST_LINES
    return [*lines[: MOST_LINES - 1], f"{lines[MOST_LINES - 1]}…"] if cut else lines


def _axis_of_values(chart: ChartQuery, data: ChartData, words: ChartWords) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "field": "y",
        "type": "quantitative",
        "title": None,  # the title of the chart says it, where it is read first
        "axis": {"labelExpr": _short_numbers(words.language), "tickCount": 5},
    }
    if chart.aggregate in COUNTS and chart.kind is not Kind.SCATTER:
        axis["axis"]["tickMinStep"] = 1
    if chart.kind in (Kind.BAR, Kind.AREA):
        axis["stack"] = "zero" if chart.aggregate in ADDITIVE else None
    else:
        axis["scale"] = {"zero": _near_zero(data), "nice": True}
    return axis


def _values(data: ChartData, words: ChartWords) -> list[dict[str, Any]]:
    values = [
        {"x": _place(p.x, words), "y": p.value, "s": p.series or words.empty} for p in data.points
    ]
    if data.step:
        for value in values:
            value["e"] = float(value["x"]) + data.step
    return values


def _mark(chart: ChartQuery, type_: ColumnType, data: ChartData, *, lying: bool) -> dict[str, Any]:
    match chart.kind:
        case Kind.BAR if type_ in TEMPORAL:
            over = bool(chart.series) and chart.aggregate not in ADDITIVE
            return {"type": "bar", "color": COLOURS[0], "opacity": 0.6 if over else 1.0}
        case Kind.BAR if data.step:
            over = bool(chart.series) and chart.aggregate not in ADDITIVE
            return {"type": "bar", "color": COLOURS[0], "opacity": 0.5 if over else 1.0}
        case Kind.BAR:
            one = lying and not chart.series
            return {"type": "bar", "color": COLOURS[0]} | (
                {"height": {"band": 0.78}} if one else {}
            )
        case Kind.SCATTER:
            return {
                "type": "point",
                "filled": True,
                "size": 28,
                "opacity": 0.45,
                "color": COLOURS[0],
            }
        case Kind.AREA:
            over = bool(chart.series) and chart.aggregate not in ADDITIVE
            return {
                "type": "area",
                "opacity": 0.35 if over else 0.8,
                "line": over,
                "color": COLOURS[0],
            }
    return {"type": "line", "strokeWidth": 2, "point": len(data.points) <= 40, "color": COLOURS[0]}


def _axis_of_x(
    type_: ColumnType, chart: ChartQuery, data: ChartData, words: ChartWords, sizes: Size
) -> dict[str, Any]:
    kind = chart.kind
    if type_ in TEMPORAL:
        time = {"field": "x", "type": "temporal", "title": words.x, "axis": _time_axis(data, sizes)}
        unit = data.unit or ("day" if type_ is ColumnType.DATE else "")
        if kind is Kind.BAR and unit:  # a bar is as wide as its unit of time
            time["timeUnit"] = TIME_UNITS[unit]
        return time
    if data.step:
        axis: dict[str, Any] = {"format": _plain_format(type_), "tickCount": sizes.width // 80}
        scale = {"zero": False, "nice": False}
        return {
            "field": "x",
            "type": "quantitative",
            "bin": "binned",
            "title": words.x,
            "scale": scale,
            "axis": axis,
        }
    if type_ in NUMERIC and kind is not Kind.BAR:
        scale = {"zero": False, "nice": kind is Kind.SCATTER}
        axis = {
            "format": _plain_format(type_),
            "tickCount": sizes.width // 80,
        }
        return {
            "field": "x",
            "type": "quantitative",
            "title": words.x,
            "scale": scale,
            "axis": axis,
        }
    axis = {"labelLimit": sizes.width // 3, "labelOverlap": type_ in NUMERIC}
    if kind is not Kind.BAR:
        axis["labelAngle"] = -40
    lying = kind is Kind.BAR and type_ not in NUMERIC
    return {
        "field": "x",
        "type": "ordinal" if type_ in NUMERIC else "nominal",
        "sort": None,
        "title": None if lying else words.x,
        "axis": axis,
    }


def _plain_format(type_: ColumnType) -> str:
    """Numbers as people write them; whole ones without commas, since they may be years."""
    return "~r" if type_ is ColumnType.INTEGER else ",~r"


def _time_axis(data: ChartData, sizes: Size) -> dict[str, Any]:
    moments = [str(p.x)[:10] for p in data.points]
    days = _days_between(min(moments), max(moments)) if moments else 0
    ticks = max(2, sizes.width // 90)
    if data.unit == "quarter" and days <= 365 * ticks // 4:
        return _ticks("%Y Q%q", "month", 3)
    if days > 3 * 365:
        years = -(-days // 365)
        return _ticks("%Y", "year", -(-years // ticks))
    if days > 92:
        return _ticks("%Y-%m", "month", -(-(days // 30) // ticks))
    if days > 2:
        return _ticks("%m-%d", "day", -(-days // ticks))
    return {"format": "%H:%M", "tickCount": ticks}


def _ticks(format_: str, interval: str, step: int) -> dict[str, Any]:
    return {
        "format": format_,
        "tickCount": {"interval": interval, "step": step},
        "labelOverlap": True,
    }


def _days_between(first: str, last: str) -> int:
    """Days between two moments of which a month or a year may be all that is known."""
    try:
        ends = [date.fromisoformat((text + "-01-01")[:10]) for text in (first, last)]
    except ValueError:
        return 0
    return (ends[1] - ends[0]).days


def _near_zero(data: ChartData) -> bool:
    """Whether the axis starts at zero: yes, unless all values lie far from it."""
    values = [p.value for p in data.points] or [0.0]
    least, greatest = min(values), max(values)
    return least <= 0 <= greatest or least < 0.6 * greatest or least == greatest


def _short_numbers(language: str) -> str:
    """A Vega expression that writes 230,000,000 as “230 m” or “2.3 亿”."""
    expression = "format(datum.value, ',~r')"
    for size, word in reversed(LARGE.get(language, LARGE["en"])):
        short = f"format(datum.value/{size}, ',~r') + '{word}'"
        expression = f"(abs(datum.value) >= {size} ? {short} : {expression})"
    return expression


def _colour(words: ChartWords, sizes: Size, *, lines: bool) -> dict[str, Any]:
    legend = {
        "orient": "bottom",
        "columns": sizes.across,
        "title": words.series,
        "labelLimit": sizes.width // sizes.across,
        "symbolType": "stroke" if lines else "square",
        "symbolStrokeWidth": 3,
    }
    return {
        "field": "s",
        "type": "nominal",
        "scale": {"range": list(COLOURS)},
        "sort": None,
        "legend": legend,
    }


def _config(sizes: Size) -> dict[str, Any]:
    ink, faint = "#0b0c0c", "#d8dbde"
    letters = {
        "labelFontSize": sizes.letters,
        "titleFontSize": sizes.letters,
        "titleFontWeight": "normal",
    }
    colours = {
        "labelColor": ink,
        "titleColor": ink,
        "gridColor": faint,
        "tickColor": faint,
        "domainColor": "#505a5f",
    }
    return {
        "font": FONT,
        "axis": letters | colours,
        "axisX": {"grid": False},
        "legend": letters | {"labelColor": ink, "titleColor": ink},
        "view": {"stroke": None},
    }
