"""Charts: what is asked, which points are drawn, the spec, the child that draws, what is kept."""

from __future__ import annotations

import io
import json
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadQuery, CatalogError, NotFound, Unavailable
from catalog.files.cache import kept
from catalog.models.vocabulary import ColumnType
from catalog.permissions import ANYONE
from catalog.schemas.chart import chart_pairs, read_chart
from catalog.services import charts, tables
from catalog.tabular import chart as charting
from catalog.tabular.chart import (
    MOST_CATEGORIES,
    MOST_MOMENTS,
    MOST_SERIES,
    OTHER,
    ChartData,
    ChartQuery,
    ChartWords,
    Kind,
    Point,
    Sorting,
    chart_from,
    check_chart,
    fits,
    grouping,
    guess_chart,
    settle,
)
from catalog.tabular.chart_spec import GREY, SIZES, lines_of, starts_at_zero, vega_lite
from catalog.tabular.chart_sql import BINS, TINIEST, steps_between
from catalog.tabular.column import Column
from catalog.tabular.draw import answer, serve, size_kb
from catalog.tabular.drawing import PROGRAM, Pen
from catalog.tabular.query import Aggregate, Compare, Op
from tests.make_table_page import make_loaded_table

COLUMNS = {
    name: Column(name, f"c{at}", type_)
    for at, (name, type_) in enumerate(
        {
            "day": ColumnType.DATE,
            "when": ColumnType.DATETIME,
            "district": ColumnType.STRING,
            "open": ColumnType.BOOLEAN,
            "year": ColumnType.INTEGER,
            "value": ColumnType.NUMBER,
            "other": ColumnType.NUMBER,
            "outline": ColumnType.GEOMETRY,
        }.items()
    )
}
WORDS = ChartWords("Average of value by day", "day")
NAMES = st.sampled_from([*COLUMNS, "", "nowhere"])
QUERIES = st.builds(
    ChartQuery, st.sampled_from(Kind), NAMES, st.sampled_from(Aggregate), NAMES, NAMES
)
POINTS = st.builds(
    Point,
    st.one_of(st.none(), st.text(max_size=8), st.floats(-1e9, 1e9)),
    st.floats(-1e15, 1e15),
    st.text(max_size=4),
)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (ChartQuery(Kind.BAR, "nowhere"), "the table has no column “nowhere” to draw"),
        (ChartQuery(Kind.BAR, "outline"), "the table has no column “outline” to draw"),
        (ChartQuery(Kind.BAR, ""), "choose a column for the horizontal axis"),
        (
            ChartQuery(Kind.SCATTER, "day", y="district"),
            "a scatter plot needs two columns of numbers",
        ),
        (
            ChartQuery(Kind.SCATTER, "open", y="value"),
            "a scatter plot needs two columns of numbers",
        ),
        (
            ChartQuery(Kind.LINE, "day", Aggregate.SUM),
            "choose a column of numbers for this calculation",
        ),
        (
            ChartQuery(Kind.LINE, "day", Aggregate.AVG, "district"),
            "choose a column of numbers for this calculation",
        ),
        (
            ChartQuery(Kind.LINE, "day", Aggregate.DISTINCT),
            "choose the column whose different values are counted",
        ),
    ],
)
def test_a_chart_that_the_columns_cannot_give_is_refused(query: ChartQuery, sentence: str) -> None:
    with pytest.raises(BadQuery) as refused:
        check_chart(query, COLUMNS)
    assert str(refused.value) == sentence
    assert not fits(query, COLUMNS)


def test_the_chart_that_came_with_a_table_is_read() -> None:
    came = {"kind": "line", "x": "day", "y": "value", "agg": "max", "series": "district"}
    assert chart_from(came) == ChartQuery(Kind.LINE, "day", Aggregate.MAX, "value", "district")
    assert chart_from({"x": "day", "y": "value"}) == ChartQuery(
        Kind.LINE, "day", Aggregate.AVG, "value"
    )
    assert chart_from({"x": "day"}) == ChartQuery(Kind.LINE, "day", Aggregate.COUNT)
    assert chart_from({}) is None
    assert chart_from({"x": "day", "kind": "globe"}) is None


@pytest.mark.parametrize(
    ("names", "distinct", "guess"),
    [
        (["day", "year", "value"], {}, ChartQuery(Kind.LINE, "day", Aggregate.AVG, "value")),
        (["when"], {}, ChartQuery(Kind.LINE, "when", Aggregate.COUNT)),
        (["district", "year", "value"], {}, ChartQuery(Kind.LINE, "year", Aggregate.AVG, "value")),
        (["district", "open"], {"district": 4000, "open": 2}, ChartQuery(Kind.BAR, "open")),
        (["district", "value"], {"district": 4000}, ChartQuery(Kind.BAR, "value")),
        (["district"], {"district": 4000}, None),
        (["value", "other"], {}, ChartQuery(Kind.BAR, "value")),
        (["year"], {}, ChartQuery(Kind.LINE, "year")),
        (["outline"], {}, None),
        ([], {}, None),
    ],
)
def test_a_first_chart_is_guessed_from_the_types(
    names: list[str], distinct: dict[str, int], guess: ChartQuery | None
) -> None:
    found = guess_chart([COLUMNS[name] for name in names], distinct)
    assert found == guess
    assert found is None or fits(found, COLUMNS)


@pytest.mark.parametrize(
    ("names", "distinct", "guess"),
    [
        (["district"], {"district": 31}, None),  # a key: another one in every row
        (["district", "open"], {"district": 31, "open": 2}, ChartQuery(Kind.BAR, "open")),
        (["district"], {"district": 15}, ChartQuery(Kind.BAR, "district")),
        (["day", "open"], {"day": 31, "open": 2}, ChartQuery(Kind.BAR, "open")),
        (["district", "value"], {"district": 31, "value": 31}, ChartQuery(Kind.BAR, "value")),
        (["district", "other"], {"district": 31, "other": 31}, None),  # numbers of the rows
    ],
)
def test_a_column_with_another_value_in_every_row_makes_no_first_chart(
    names: list[str], distinct: dict[str, int], guess: ChartQuery | None
) -> None:
    assert guess_chart([COLUMNS[name] for name in names], distinct, 31, {"other"}) == guess


def test_a_table_of_codes_and_names_opens_without_a_chart(app: Flask) -> None:
    rows = [{"number": at + 1, "name": f"n{at}", "code": f"{at:03}"} for at in range(31)]
    keys = make_loaded_table(rows, slug="keys")
    assert charts.opening(tables.show(ANYONE, keys)) is None
    people = make_loaded_table([{**row, "people": at**3} for at, row in enumerate(rows)], slug="p")
    assert charts.opening(tables.show(ANYONE, people)) == ChartQuery(Kind.BAR, "people")


def test_many_numbers_are_put_into_steps_of_equal_width(app: Flask) -> None:
    rows = [{"n": at / 4 - 10, "i": at % 200, "part": "ab"[at % 2]} for at in range(400)]
    rows.append({"n": None, "i": None, "part": "a"})
    table = make_loaded_table(rows, slug="steps", types={"n": "number", "i": "integer"})
    data = charts.show(ANYONE, table, ChartQuery(Kind.BAR, "n")).data
    assert data.step == 5
    assert [p.x for p in data.points] == [float(x) for x in range(-10, 90, 5)]
    assert {p.value for p in data.points} == {20}
    only = Compare("part", Op.EQ, "a")
    mean = ChartQuery(Kind.BAR, "i", Aggregate.AVG, "i", "part")
    data = charts.show(ANYONE, table, mean, where=only).data
    assert data.step == 10
    assert (data.points[0].x, data.points[0].value) == (0.0, 4.0)  # 0, 2, 4, 6, 8
    assert {p.series for p in data.points} == {"a"}
    spec = vega_lite(mean, ColumnType.INTEGER, data, WORDS)
    assert spec["encoding"]["x"]["bin"] == "binned"
    assert spec["data"]["values"][0]["e"] == 10
    assert charts.show(ANYONE, table, ChartQuery(Kind.LINE, "n")).data.step == 0


@given(st.floats(-1e12, 1e12), st.floats(0, 1e12), st.booleans())
def test_steps_are_few_round_and_hold_both_ends(
    low: float, span: float, whole: bool
) -> None:  # drawn
    steps = steps_between(low, low + span, whole=whole)
    if span <= TINIEST * max(abs(low), abs(low + span)):
        return
    if steps is None:
        assert low + span - low < 1e-290 or span < 2 * TINIEST * max(abs(low), abs(low + span))
        return
    assert steps.width >= 1 or not whole
    assert 1 <= steps.count <= BINS + 2
    assert math.floor(low / steps.width) == round(steps.low / steps.width)


@pytest.mark.parametrize("high", [float("inf"), float("nan"), 5e-324])
def test_numbers_beyond_measure_have_no_steps(high: float) -> None:
    assert steps_between(0.0, high, whole=False) is None


def test_a_sample_comes_from_all_over_the_table_and_is_the_same_each_time(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "SAMPLE", 200)
    rows = [{"a": at, "b": at if at % 2 else None} for at in range(10_000)]
    table = make_loaded_table(rows, slug="sample")
    data = charts.show(ANYONE, table, ChartQuery(Kind.SCATTER, "a", y="b")).data
    assert (data.sample, data.rows_of, len(data.points)) == (200, 5_000, 200)
    xs = sorted(float(p.x) for p in data.points if p.x is not None)
    gaps = [after - before for before, after in pairwise(xs)]
    assert sum(gap <= 2 for gap in gaps) < 40  # consecutive rows are rare
    assert {int(x) // 1000 for x in xs} == set(range(10))
    monkeypatch.setattr(charts, "POINTS_EDITION", "anew")
    assert charts.show(ANYONE, table, ChartQuery(Kind.SCATTER, "a", y="b")).data == data


def test_an_axis_of_counts_has_whole_numbers() -> None:
    data = ChartData((Point("a", 1.0), Point("b", 2.0)))
    count = vega_lite(ChartQuery(Kind.BAR, "district"), ColumnType.STRING, data, WORDS)
    mean = ChartQuery(Kind.BAR, "district", Aggregate.AVG, "value")
    assert count["encoding"]["x"]["axis"]["tickMinStep"] == 1
    assert (
        "tickMinStep"
        not in vega_lite(mean, ColumnType.STRING, data, WORDS)["encoding"]["x"]["axis"]
    )


@pytest.mark.parametrize(("size", "longest"), [("narrow", 19), ("wide", 54)])
def test_a_title_over_bars_has_lines_that_fit_beside_their_labels(size: str, longest: int) -> None:
    words = replace(WORDS, title="Average of fine particles in the air of every station by month")
    data = ChartData((Point("a", 1.0), Point("b", 2.0)))
    chart = ChartQuery(Kind.BAR, "district")
    lying = vega_lite(chart, ColumnType.STRING, data, words, size=size)["title"]["text"]
    assert " ".join(lying) == words.title
    assert max(map(len, lying)) <= longest < len(words.title)


def test_a_title_that_is_cut_shows_it() -> None:
    assert lines_of("字" * 60, 20) == [*["字" * 10] * 3, "字" * 10 + "…"]
    assert lines_of("one two", 4) == ["one", "two"]


def test_the_group_by_has_names_of_its_own_and_a_sensible_order() -> None:
    asked = grouping(
        ChartQuery(Kind.BAR, "district", Aggregate.AVG, "value", "open"), COLUMNS, None
    )
    assert asked.group_by == ("district", "open")
    assert [m.name for m in asked.measures] == ["_value"]
    assert asked.order_by[0].column == "_value"
    assert asked.order_by[0].descending
    asked = grouping(ChartQuery(Kind.LINE, "day"), COLUMNS, Compare("value", Op.GT, 1))
    assert (asked.measures[0].aggregate, asked.measures[0].column) == (Aggregate.COUNT, "*")
    assert [order.column for order in asked.order_by] == ["day"]
    assert asked.where == Compare("value", Op.GT, 1)


def test_only_the_largest_categories_and_series_are_drawn_and_the_others_counted() -> None:
    points = [Point(f"d{at}", float(at), f"s{at % 12}") for at in range(1, 97)]
    data = settle(ChartQuery(Kind.BAR, "district", series="open"), ColumnType.STRING, points)
    assert len({p.x for p in data.points}) == MOST_CATEGORIES
    assert data.series_left_out == 12 - MOST_SERIES
    assert data.categories_left_out == 96 - 4 * 8 - MOST_CATEGORIES
    assert [p.value for p in data.points] == sorted((p.value for p in data.points), reverse=True)


def test_a_line_of_texts_goes_by_name_and_empty_moments_are_not_drawn() -> None:
    data = settle(
        ChartQuery(Kind.LINE, "district"), ColumnType.STRING, [Point("b", 9), Point("a", 1)]
    )
    assert [p.x for p in data.points] == ["a", "b"]
    data = settle(
        ChartQuery(Kind.LINE, "day"), ColumnType.DATE, [Point(None, 9), Point("2020-01-01", 1)]
    )
    assert [p.x for p in data.points] == ["2020-01-01"]


def test_too_many_places_on_a_line_are_cut_and_it_is_said() -> None:
    points = [Point(at, 1.0) for at in range(MOST_MOMENTS + 7)]
    data = settle(ChartQuery(Kind.LINE, "year"), ColumnType.INTEGER, points)
    assert len(data.points) == MOST_MOMENTS
    assert data.cut


def test_too_many_moments_are_put_together_by_the_finest_unit_that_is_coarse_enough(
    app: Flask,
) -> None:
    rows = [
        {"when": f"2020-{m:02}-{d:02} {h:02}:00:00", "n": h}
        for m in range(1, 13)
        for d in range(1, 29)
        for h in range(24)
    ]
    table = make_loaded_table(rows, slug="hours")

    def values(aggregate: Aggregate, unit: str = "") -> tuple[str, set[float], int]:
        query = ChartQuery(Kind.LINE, "when", aggregate, "n", unit=unit)
        data = charts.show(ANYONE, table, query).data
        return data.unit, {point.value for point in data.points}, len(data.points)

    assert values(Aggregate.SUM) == ("day", {276.0}, 12 * 28)
    assert values(Aggregate.MEDIAN) == ("day", {11.5}, 12 * 28)
    assert values(Aggregate.DISTINCT) == ("day", {24}, 12 * 28)
    assert values(Aggregate.AVG, "quarter") == ("quarter", {11.5}, 4)
    assert values(Aggregate.MAX, "year") == ("year", {23}, 1)
    assert values(Aggregate.COUNT, "week")[0] == "week"


@pytest.mark.parametrize(
    ("unit", "places"),
    [
        ("year", ["2019", "2020"]),
        ("quarter", ["2019-10", "2020-01"]),
        ("month", ["2019-12", "2020-01"]),
        ("week", ["2019-12-30"]),
        ("day", ["2019-12-31", "2020-01-01"]),
        ("hour", ["2019-12-31T23:00", "2020-01-01T00:00"]),
    ],
)
def test_moments_are_put_together_by_the_unit_that_is_asked_for(
    app: Flask, unit: str, places: list[str]
) -> None:
    rows = [{"when": "2019-12-31 23:30:00"}, {"when": "2020-01-01 00:10:00"}, {"when": None}]
    table = make_loaded_table(rows, slug="turn")
    data = charts.show(ANYONE, table, ChartQuery(Kind.BAR, "when", unit=unit)).data
    assert [point.x for point in data.points] == places
    assert sum(point.value for point in data.points) == 2


def test_other_categories_are_calculated_over_all_of_their_rows(app: Flask) -> None:
    rows = [
        {"name": f"n{at:02}" if at else None, "n": at, "part": "ab"[at % 2]}
        for at in range(40)
        for _ in range(41 - at)
    ]
    table = make_loaded_table(rows, slug="others")

    def last(aggregate: Aggregate, **more: Any) -> Point:
        query = ChartQuery(Kind.BAR, "name", aggregate, "n", top=5, other=True, **more)
        data = charts.show(ANYONE, table, query).data
        assert (data.others, data.categories_left_out) == (35, 0)
        return data.points[-1]

    left = [row["n"] for row in rows if row["n"] not in (15, 16, 17, 18, 19, 20, 21)]
    assert left
    total = charts.show(ANYONE, table, ChartQuery(Kind.BAR, "name", Aggregate.SUM, "n")).data
    shown = charts.show(ANYONE, table, ChartQuery(Kind.BAR, "name", Aggregate.SUM, "n", top=5)).data
    everything = sum(int(str(row["n"])) for row in rows)
    assert shown.categories_left_out == 35
    assert last(Aggregate.SUM) == Point(OTHER, everything - sum(p.value for p in shown.points))
    assert len(total.points) == MOST_CATEGORIES
    assert last(Aggregate.MEDIAN).value < 40
    assert last(Aggregate.COUNT, series="part").series in "ab"


def test_the_empty_category_is_no_other_when_it_is_shown(app: Flask) -> None:
    rows = [{"name": None}] * 9 + [{"name": f"n{at}"} for at in range(9)]
    table = make_loaded_table(rows, slug="empties")
    shown = charts.show(ANYONE, table, ChartQuery(Kind.PIE, "name")).data
    assert shown.points[0] == Point(None, 9)
    assert shown.points[-1] == Point(OTHER, 3)
    assert sum(point.value for point in shown.points) == len(rows)


@pytest.mark.parametrize(
    ("sorting", "order"),
    [("", "cab"), ("largest", "cab"), ("smallest", "bac"), ("name", "abc")],
)
def test_categories_come_in_the_order_that_is_asked_for(sorting: str, order: str) -> None:
    points = [Point("a", 2), Point("b", 1), Point("c", 3)]
    query = ChartQuery(Kind.BAR, "district", sorting=Sorting(sorting))
    data = settle(query, ColumnType.STRING, points)
    assert "".join(str(point.x) for point in data.points) == order


def test_one_category_alone_is_not_called_other() -> None:
    points = [Point(f"n{at}", 9 - at) for at in range(6)]
    data = settle(ChartQuery(Kind.BAR, "district", top=5, other=True), ColumnType.STRING, points)
    assert len(data.points) == 6
    assert data.categories_left_out == 0


def test_a_pie_shows_parts_of_a_whole_only(app: Flask) -> None:
    table = make_loaded_table([{"a": "x", "n": -1}, {"a": "y", "n": 4}], slug="pie")
    with pytest.raises(BadQuery, match="below zero"):
        charts.show(ANYONE, table, ChartQuery(Kind.PIE, "a", Aggregate.SUM, "n"))
    with pytest.raises(BadQuery, match="parts of a whole"):
        charts.show(ANYONE, table, ChartQuery(Kind.PIE, "a", Aggregate.AVG, "n"))
    spec = vega_lite(
        ChartQuery(Kind.PIE, "a"),
        ColumnType.STRING,
        ChartData((Point("x", 999_999), Point("y", 1), Point(OTHER, 0))),
        WORDS,
    )
    labels = [value["x"] for value in spec["data"]["values"]]
    assert labels == ["x  100.0 %", "y  < 0.1 %", "…  0.0 %"]
    assert spec["encoding"]["color"]["scale"]["range"][-1] == GREY


def test_only_lines_far_from_zero_do_not_start_there() -> None:
    far = ChartData((Point("a", 90), Point("b", 100)))
    assert not starts_at_zero(ChartQuery(Kind.LINE, "day"), far)
    assert starts_at_zero(ChartQuery(Kind.BAR, "day"), far)
    assert starts_at_zero(ChartQuery(Kind.LINE, "day"), ChartData((Point("a", 1), Point("b", 9))))


@given(
    QUERIES,
    st.lists(POINTS, max_size=60),
    st.sampled_from(["zh", "en"]),
    st.sampled_from([*SIZES, "huge"]),
)
def test_every_chart_that_fits_gives_a_spec_of_plain_json(
    query: ChartQuery, points: list[Point], language: str, size: str
) -> None:
    if not fits(query, COLUMNS):
        return
    type_ = COLUMNS[query.x].type
    data = settle(query, type_, points)
    words = ChartWords("题" * 90, query.x, query.series, language=language)
    spec = vega_lite(query, type_, data, words, size=size)
    text = json.dumps(spec, allow_nan=False)
    assert len(spec["data"]["values"]) == len(data.points) <= len(points)
    assert '"url"' not in text  # nothing is ever fetched
    has_colours = query.series != "" or query.kind is Kind.PIE
    assert has_colours == ("color" in spec["encoding"])


def test_averages_are_never_stacked_and_sums_are() -> None:
    data = ChartData((Point("a", 1.0, "x"), Point("a", 2.0, "y")))
    stacked = vega_lite(
        ChartQuery(Kind.BAR, "district", Aggregate.SUM, "value", "open"),
        ColumnType.STRING,
        data,
        WORDS,
    )
    beside = vega_lite(
        ChartQuery(Kind.BAR, "district", Aggregate.AVG, "value", "open"),
        ColumnType.STRING,
        data,
        WORDS,
    )
    assert stacked["encoding"]["x"]["stack"] == "zero"
    assert beside["encoding"]["x"]["stack"] is None
    assert beside["encoding"]["yOffset"]["field"] == "s"
    area = vega_lite(
        ChartQuery(Kind.AREA, "year", Aggregate.AVG, "value", "open"),
        ColumnType.INTEGER,
        data,
        WORDS,
    )
    assert area["mark"]["line"]


@pytest.mark.parametrize(
    ("moments", "format_"),
    [
        (("2013-03-01", "2020-02-28"), "%Y"),
        (("2013", "2020"), "%Y"),
        (("2020-01", "2020-09"), "%Y-%m"),
        (("2020-01-01", "2020-01-20"), "%m-%d"),
        (("2020-01-01T00:00:00", "2020-01-01T20:00:00"), "%H:%M"),
        (("no date", "none"), "%H:%M"),
    ],
)
def test_the_axis_of_time_is_written_as_finely_as_needed(
    moments: tuple[str, str], format_: str
) -> None:
    data = ChartData(tuple(Point(moment, 1.0) for moment in moments))
    spec = vega_lite(ChartQuery(Kind.LINE, "day"), ColumnType.DATE, data, WORDS)
    assert spec["encoding"]["x"]["axis"]["format"] == format_


def test_large_numbers_are_shortened_in_the_readers_way() -> None:
    data = ChartData((Point(1, 2e9),))
    for language, word in (("zh", "亿"), ("en", "bn"), ("nl", "bn")):
        words = ChartWords("t", "x", language=language)
        spec = vega_lite(ChartQuery(Kind.LINE, "year"), ColumnType.INTEGER, data, words)
        assert word in spec["encoding"]["y"]["axis"]["labelExpr"]


@given(st.text(max_size=120), st.integers(4, 60))
def test_titles_are_broken_into_few_short_lines(text: str, longest: int) -> None:
    lines = lines_of(text, longest)
    assert 1 <= len(lines) <= 4
    assert all(line == line.strip() for line in lines)


def test_a_title_keeps_its_words() -> None:
    assert lines_of("Average of fine particles by hour", 20) == [
        "Average of fine",
        "particles by hour",
    ]
    assert lines_of("细颗粒物的平均值按小时", 12) == ["细颗粒物的平", "均值按小时"]


def test_the_address_says_the_chart_and_is_read_back() -> None:
    query = ChartQuery(Kind.BAR, "district", Aggregate.MAX, "value", "open")
    assert read_chart(dict(chart_pairs(query)), None) == query
    query = ChartQuery(
        Kind.BAR, "day", unit="quarter", top=10, other=True, sorting=Sorting.SMALLEST
    )
    assert read_chart(dict(chart_pairs(query)), None) == query
    odd = {"x": "day", "unit": "decade", "top": "7", "order": "odd", "other": "yes"}
    assert read_chart(odd, None) == ChartQuery(Kind.BAR, "day")
    assert read_chart({"kind": "pie", "x": "a", "series": "b"}, None) == ChartQuery(Kind.PIE, "a")
    opening = ChartQuery(Kind.LINE, "day")
    assert read_chart({}, opening) == opening
    assert read_chart({"kind": "bar"}, opening) == ChartQuery(Kind.BAR, "day")
    assert read_chart({"kind": "bar"}, None) is None
    assert read_chart({"x": "day", "y": "value"}, opening) == ChartQuery(
        Kind.BAR, "day", Aggregate.AVG, "value"
    )
    assert read_chart({"x": "day"}, opening) == ChartQuery(Kind.BAR, "day")
    with pytest.raises(BadQuery):
        read_chart({"kind": "globe"}, opening)
    with pytest.raises(BadQuery):
        read_chart({"agg": "mode"}, opening)


# Drawing

SPEC: dict[str, Any] = vega_lite(
    ChartQuery(Kind.BAR, "district"),
    ColumnType.STRING,
    ChartData((Point("浦东新区", 3.0), Point(None, 1.0))),
    ChartWords("行数，按区", "区", language="zh"),
)


@pytest.fixture
def pen() -> Iterator[Pen]:
    made = Pen()
    yield made
    made.close()


def test_a_chart_is_drawn_and_its_chinese_stays_text(pen: Pen) -> None:
    svg = pen.draw(SPEC, "svg").decode()
    assert svg.startswith("<svg")
    assert "浦东新区" in svg
    assert pen.draw(SPEC, "png").startswith(b"\x89PNG")


def test_a_child_that_was_killed_is_replaced(pen: Pen) -> None:
    first = pen.draw(SPEC, "svg")
    assert pen._child is not None
    os.kill(pen._child.pid, signal.SIGKILL)
    assert pen.draw(SPEC, "svg") == first


def test_a_spec_that_cannot_be_drawn_says_so_and_the_child_lives_on(pen: Pen) -> None:
    with pytest.raises(BadQuery, match="the chart cannot be drawn"):
        pen.draw({"mark": "nonsense", "data": {"values": []}}, "svg")
    child = pen._child
    pen.draw(SPEC, "svg")
    assert pen._child is child


def test_a_child_leaves_when_it_is_idle_and_comes_back(pen: Pen) -> None:
    pen.program = (*PROGRAM, "0.2")
    pen.draw(SPEC, "svg")
    assert pen._child is not None
    assert pen._child.wait(20) == 0
    assert pen.draw(SPEC, "svg").startswith(b"<svg")


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("import time; time.sleep(60)", "drawing the chart took too long"),
        (
            "import sys; sys.stdin.readline(); time = __import__('time'); print('{', flush=True, end=''); time.sleep(60)",
            "drawing the chart took too long",
        ),
        ("raise SystemExit(3)", "the chart could not be drawn; try again later"),
        (
            "import sys; sys.stdin.readline(); print('{\"bytes\": 99999999999}')",
            "the chart could not be drawn; try again later",
        ),
        (
            "import sys; sys.stdin.readline(); print('{\"bytes\": 10}\\nabc', end='')",
            "the chart could not be drawn; try again later",
        ),
    ],
)
def test_a_stuck_or_dying_child_is_ended_and_told(program: str, sentence: str) -> None:
    pen = Pen((sys.executable, "-c", program), patience=1.5)
    with pytest.raises(Unavailable) as refused:
        pen.draw(SPEC, "svg")
    assert str(refused.value) == sentence
    assert pen._child is None


def test_a_child_that_does_not_read_cannot_hold_a_request_up() -> None:
    pen = Pen((sys.executable, "-c", "import time; time.sleep(60)"), patience=0.5)
    large = {"data": {"values": ["x" * 1_000_000]}}
    with pytest.raises(Unavailable, match="took too long"):
        pen.draw(large, "svg")


def test_those_who_come_while_too_many_wait_are_sent_away() -> None:
    pen = Pen()
    while pen._waiting.acquire(blocking=False):
        pass
    with pytest.raises(Unavailable, match="too many charts"):
        pen.draw(SPEC, "svg")


def test_the_childs_program_answers_orders_until_its_input_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("catalog.tabular.draw.TOO_LARGE_KB", 10**9)
    orders = tmp_path / "orders"
    orders.write_bytes(json.dumps({"spec": SPEC, "format": "svg"}).encode() + b"\n" + b"no json\n")
    out = io.BytesIO()
    with orders.open("rb") as file:
        serve(file, out, idle=5)
    head, rest = out.getvalue().split(b"\n", 1)
    size = json.loads(head)["bytes"]
    assert rest[:4] == b"<svg"
    assert "error" in json.loads(rest[size:])


def test_the_childs_program_draws_png_and_ends_when_idle_or_large(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = io.BytesIO()
    answer(json.dumps({"spec": SPEC, "format": "png"}).encode(), out)
    assert b"\x89PNG" in out.getvalue()
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as orders, os.fdopen(writing, "wb") as writer:
        began = time.monotonic()
        serve(orders, io.BytesIO(), idle=0.05)
        assert time.monotonic() - began < 5
        monkeypatch.setattr("catalog.tabular.draw.TOO_LARGE_KB", 1)
        writer.write(b"{}\n")
        writer.flush()
        serve(orders, out, idle=5)


def test_where_the_size_is_not_told_the_child_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    assert size_kb() > 10_000
    monkeypatch.setattr("catalog.tabular.draw.Path.read_text", _refused)
    assert size_kb() == 0


def _refused(path: Path) -> str:
    raise FileNotFoundError(path)


# The service

ROWS = [
    {"day": f"2020-01-{d:02}", "district": name, "cases": d * n, "rate": d / 2}
    for d in range(1, 29)
    for n, name in enumerate(("黄浦区", "浦东新区"), start=1)
]


@pytest.fixture
def table_id(app: Flask) -> str:
    return make_loaded_table(ROWS)


def test_the_points_are_the_groups_of_the_table(table_id: str) -> None:
    query = ChartQuery(Kind.LINE, "day", Aggregate.SUM, "cases", "district")
    chart = charts.show(ANYONE, table_id, query)
    assert chart.type is ColumnType.DATE
    assert chart.data.points[:2] == (
        Point("2020-01-01", 2, "浦东新区"),
        Point("2020-01-01", 1, "黄浦区"),
    )
    assert len(chart.data.points) == len(ROWS)


def test_a_filter_narrows_the_chart(table_id: str) -> None:
    where = Compare("district", Op.EQ, "黄浦区")
    chart = charts.show(ANYONE, table_id, ChartQuery(Kind.BAR, "district"), where=where)
    assert chart.data.points == (Point("黄浦区", 28),)


def test_a_table_opens_with_its_own_chart_if_it_fits(app: Flask) -> None:
    own = make_loaded_table(ROWS, slug="own", load={"chart": {"kind": "bar", "x": "district"}})
    assert charts.opening(tables.show(ANYONE, own)) == ChartQuery(Kind.BAR, "district")
    odd = make_loaded_table(ROWS, slug="odd", load={"chart": {"kind": "bar", "x": "gone"}})
    assert charts.opening(tables.show(ANYONE, odd)) == ChartQuery(
        Kind.LINE, "day", Aggregate.AVG, "rate"
    )


def test_a_picture_is_drawn_once_and_kept(table_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def draw(self: Pen, spec: object, format_: str) -> bytes:
        drawn.append(format_)
        return b"<svg/>"

    monkeypatch.setattr(Pen, "draw", draw)
    query = ChartQuery(Kind.BAR, "district")
    for _ in range(2):
        assert charts.picture(ANYONE, table_id, query, WORDS, "svg") == b"<svg/>"
    assert drawn == ["svg"]
    charts.picture(ANYONE, table_id, query, WORDS, "svg", size="narrow")
    charts.picture(ANYONE, table_id, query, WORDS, "svg", where=Compare("cases", Op.GT, 3))
    assert len(drawn) == 3
    with pytest.raises(NotFound):
        charts.picture(ANYONE, table_id, query, WORDS, "pdf")


def test_a_scatter_plot_of_a_large_table_is_a_sample_from_all_over(
    table_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = ChartQuery(Kind.SCATTER, "cases", y="rate", series="district")
    assert charts.show(ANYONE, table_id, query).data.rows_of == 0
    monkeypatch.setattr(charts, "SAMPLE", 20)
    where = Compare("rate", Op.GT, 0)
    data = charts.show(ANYONE, table_id, query, where=where).data
    assert data.rows_of == len(ROWS)
    assert len(data.points) == 20
    assert max(p.value for p in data.points) > 13


def test_a_closed_table_gives_no_chart(app: Flask) -> None:
    closed = make_loaded_table(ROWS, access="closed")
    query = ChartQuery(Kind.BAR, "district")
    with pytest.raises(CatalogError):
        charts.show(ANYONE, closed, query)
    with pytest.raises(CatalogError):
        charts.picture(ANYONE, closed, query, WORDS, "svg")


def test_values_that_are_no_numbers_are_not_drawn(app: Flask) -> None:
    assert charts._number("x") is None
    assert charts._number(float("nan")) is None
    assert charts._number(float("inf")) is None
    assert charts._place(True) == "true"
    assert charts._place(False) == "false"
    assert charts._place(b"x") == "b'x'"


def test_what_is_kept_cannot_grow(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.files.cache.PLACES", 1)
    assert kept("folder", "a", lambda: b"1\n2") == b"1\n2"
    assert kept("folder", "a", lambda: b"other") == b"1\n2"
    assert kept("folder", "b", lambda: b"3") == b"3"
    assert kept("folder", "a", lambda: b"4") == b"4"
    folder = Path(app.extensions["weft"]["settings"].data_dir) / "files" / "folder"
    assert len(list(folder.iterdir())) == 1


def test_only_so_many_groups_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charting, "MOST_GROUPS", 2)
    data = settle(
        ChartQuery(Kind.BAR, "district"), ColumnType.STRING, [Point("a", 1), Point("b", 1)]
    )
    assert data.cut
