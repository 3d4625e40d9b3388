"""Profiles of columns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.tabular.duck import Duck
from catalog.tabular.profile import profile
from catalog.tabular.sql import parquet
from tests.make_table import STATION_ROWS, STATIONS, Row, make_columns, make_parquet


@pytest.fixture
def duck(tmp_path: Path) -> Iterator[Duck]:
    opened = Duck(tmp_path)
    yield opened
    opened.close()


def profile_of(duck: Duck, type_: ColumnType, values: Sequence[object]) -> dict[str, Any]:
    columns = make_columns(v=type_)
    rows: list[Row] = [{"v": value} for value in values]
    found = profile(
        duck, parquet(make_parquet(duck.folder / "base.parquet", columns, rows)), columns
    )["v"]
    orjson.dumps(found)
    return found


def test_every_column_gets_its_profile(duck: Duck) -> None:
    found = profile(duck, parquet(make_parquet(duck.folder / "base.parquet")), STATIONS)
    assert list(found) == [column.name for column in STATIONS]
    assert found["站点"] == {
        "missing": 1,
        "distinct": 6,
        "least": "",
        "greatest": "顺义",
        "top": [["", 1], ["007", 1], ["it's 100%_", 1], ["东四", 1], ["东四十条", 1], ["顺义", 1]],
    }
    assert found["PM2.5"]["top"][0] == [9.5, 2]
    assert (found["No"]["least"], found["No"]["greatest"]) == (str(-(2**63)), str(2**63 - 1))
    assert found['open`"now']["top"] == [[True, 3], [False, 2]]
    assert (found["day"]["least"], found["day"]["greatest"]) == ("1899-12-31", "9999-12-31")
    assert found["seen at"]["least"] == "1969-12-31T23:59:59.000005"
    assert len(STATION_ROWS) == 7


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.none() | st.integers(-50, 50) | st.integers(-(2**63), 2**63 - 1), max_size=30))
def test_figures_of_integers_are_those_of_plain_python(
    duck: Duck, values: list[int | None]
) -> None:
    found = profile_of(duck, ColumnType.INTEGER, values)
    there = [value for value in values if value is not None]
    assert found["missing"] == len(values) - len(there)
    assert found["distinct"] == len(set(there))
    if there:
        assert int(found["least"]) == min(there)
        assert int(found["greatest"]) == max(there)
        assert math.isclose(found["mean"], sum(there) / len(there), rel_tol=1e-9, abs_tol=1e-6)
        top = sorted(Counter(there).items(), key=lambda pair: (-pair[1], pair[0]))[:10]
        assert [(int(value), count) for value, count in found["top"]] == top
    if len(set(there)) > 1:
        assert sum(count for _, _, count in found["histogram"]) == len(there)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.floats(), min_size=1, max_size=20))
def test_any_number_has_a_profile_that_json_can_hold(duck: Duck, values: list[float]) -> None:
    found = profile_of(duck, ColumnType.NUMBER, values)
    finite = [value for value in values if math.isfinite(value)]
    assert found["missing"] == len(values) - len(finite)
    if len(set(finite)) > 1 and found["histogram"]:
        assert sum(count for _, _, count in found["histogram"]) == len(finite)


def test_a_histogram_has_twenty_equal_bins(duck: Duck) -> None:
    bins = profile_of(duck, ColumnType.INTEGER, list(range(101)))["histogram"]
    assert len(bins) == 20
    assert bins[0] == [0.0, 5.0, 5]
    assert bins[-1] == [95.0, 100.0, 6]


def test_a_histogram_of_days_and_moments_names_days_and_moments(duck: Duck) -> None:
    days = [date(2020, 1, day) for day in range(1, 22)]
    assert profile_of(duck, ColumnType.DATE, days)["histogram"][0] == [
        "2020-01-01",
        "2020-01-02",
        1,
    ]
    moments = [datetime(2020, 1, day) for day in range(1, 22)]  # local times, as stored
    bins = profile_of(duck, ColumnType.DATETIME, moments)["histogram"]
    assert bins[-1] == ["2020-01-20T00:00:00", "2020-01-21T00:00:00", 2]


def test_one_value_needs_no_histogram(duck: Duck) -> None:
    found = profile_of(duck, ColumnType.INTEGER, [5, 5, None])
    assert found == {
        "missing": 1,
        "distinct": 1,
        "least": 5,
        "greatest": 5,
        "mean": 5.0,
        "top": [[5, 2]],
    }


def test_a_column_of_nothing_says_so(duck: Duck) -> None:
    assert profile_of(duck, ColumnType.NUMBER, [None, math.nan]) == {"missing": 2, "distinct": 0}
    assert profile_of(duck, ColumnType.STRING, []) == {"missing": 0, "distinct": 0}


def test_outlines_are_only_counted(duck: Duck) -> None:
    assert profile_of(duck, ColumnType.GEOMETRY, ["{}", None]) == {"missing": 1}


def test_long_texts_are_shortened(duck: Duck) -> None:
    found = profile_of(duck, ColumnType.STRING, ["x" * 500])
    assert found["top"] == [["x" * 199 + "…", 1]]


def test_a_budget_that_is_used_up_leaves_columns_out(duck: Duck) -> None:
    base = make_parquet(duck.folder / "base.parquet")
    assert profile(duck, parquet(base), STATIONS, budget_seconds=0) == {}


def test_a_column_that_takes_too_long_is_left_out(
    duck: Duck, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(*args: object, **options: object) -> None:
        raise BadQuery("the query takes longer than %(seconds)s seconds; narrow it", seconds=1)

    base = make_parquet(duck.folder / "base.parquet")
    monkeypatch.setattr(duck, "table", too_long)
    assert profile(duck, parquet(base), STATIONS) == {}
