"""What a facet is, and what may be asked."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from catalog.errors import BadQuery
from catalog.models.license import LICENSES
from catalog.models.vocabulary import Access, Frequency
from catalog.schemas.search import SearchSchema, search_query
from catalog.search import Bucket, SearchQuery
from catalog.search.facets import (
    FACET_BY_NAME,
    FACETS,
    SORTS,
    check_query,
    range_bounds,
    range_buckets,
)


def test_every_facet_has_a_label_and_its_own_parameter() -> None:
    names = [facet.name for facet in FACETS]
    assert len(set(names)) == len(names)
    assert all(facet.label for facet in FACETS)
    assert set(names) <= set(SearchSchema().fields)


def test_closed_lists_are_complete() -> None:
    assert set(FACET_BY_NAME["access"].values) == set(Access)
    assert set(FACET_BY_NAME["frequency"].values) == set(Frequency)
    assert LICENSES


def test_ranges_hold_the_shorter_ones() -> None:
    assert range_buckets({"week": 1, "month": 2, "year": 0, "older": 4}) == (
        Bucket("week", 1),
        Bucket("month", 3),
        Bucket("year", 3),
        Bucket("older", 4),
    )
    assert range_buckets({}) == ()


def test_ranges_begin_at_midnight() -> None:
    assert range_bounds("week", date(2026, 11, 22)) == (datetime(2026, 11, 15, tzinfo=UTC), None)
    assert range_bounds("older", date(2026, 11, 22)) == (None, datetime(2025, 11, 21, tzinfo=UTC))


def test_parameters_become_a_query() -> None:
    query = search_query(
        {
            "q": ["ignored", " 空气\x00  质量 "],
            "format": ["CSV", "", "CSV", "XLSX"],
            "theme": [""],
            "sort": [""],
            "page": ["3"],
            "limit": ["10"],
            "utm_source": ["letter"],
        },
        "en",
    )
    assert query == SearchQuery(
        "空气 质量", {"format": ("CSV", "XLSX")}, offset=20, limit=10, language="en"
    )
    assert search_query({"offset": ["7"], "sort": ["uses"]}, "zh").offset == 7
    assert search_query({}, "zh") == SearchQuery()


@pytest.mark.parametrize(
    "parameters",
    [
        {"page": ["0"]},
        {"page": ["x"]},
        {"page": ["9" * 30]},
        {"page": ["9000"]},
        {"limit": ["101"]},
        {"offset": ["-1"]},
        {"sort": ["size"]},
        {"q": ["x" * 301]},
        {"updated": ["tomorrow"]},
        {"access": ["secret"]},
        {"format": ["x"] * 10 + [str(n) for n in range(60)]},
        {"colour": ["red"]},
    ],
)
def test_what_cannot_be_asked_is_refused(parameters: dict[str, list[str]]) -> None:
    with pytest.raises(BadQuery) as refusal:
        search_query(parameters, "zh", strict=True)
    assert "%" not in str(refusal.value)


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_may_be_asked(sort: str) -> None:
    check_query(SearchQuery(sort=sort))
