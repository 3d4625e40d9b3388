"""Series of datasets."""

from __future__ import annotations

import pytest

from catalog.errors import Conflict, Denied, Gone, Invalid, NotFound
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.schemas.series import series_draft
from catalog.search import SearchQuery
from catalog.services import datasets, log, search, series
from tests.make_dataset import make_organization, put

pytestmark = pytest.mark.usefixtures("app")


def make_series(slug: str = "budgets", **fields: object) -> None:
    make_organization()
    said = {"slug": slug, "organization": "ecology", "title": {"en": "Budgets"}, **fields}
    series.put(SCHEDULER, series_draft(said))


def test_the_datasets_of_a_series_stand_in_order() -> None:
    make_series()
    for year, place in (("2022", 2), ("2021", 1), ("2023", 3)):
        put(f"Budget {year}", series="budgets", series_position=place)
    put("Secret", series="budgets", series_position=0, private=True)
    found = series.show(ANYONE, "budgets")
    members, total = series.members(ANYONE, found)
    assert (total, [one.slug for one in members]) == (
        3,
        ["budget-2021", "budget-2022", "budget-2023"],
    )
    near = series.around(ANYONE, datasets.show(ANYONE, "budget-2022"))
    assert near is not None
    assert near.before is not None
    assert near.after is not None
    assert (near.before.slug, near.after.slug) == ("budget-2021", "budget-2023")
    first = series.around(ANYONE, datasets.show(ANYONE, "budget-2021"))
    assert first is not None
    assert first.before is None
    secret = series.around(ANYONE, datasets.show(SCHEDULER, "secret"))
    assert secret == series.Neighbours(found, None, datasets.show(ANYONE, "budget-2021"))
    put("Alone")
    assert series.around(ANYONE, datasets.show(ANYONE, "alone")) is None
    assert series.listed(ANYONE) == ([(found, 3)], 1)


def test_an_address_never_changes_its_meaning() -> None:
    make_series()
    make_series("plans")
    series.rename(SCHEDULER, "budgets", "city-budgets")
    series.rename(SCHEDULER, "city-budgets", "city-budgets")
    assert series.show(ANYONE, "budgets").slug == "city-budgets"
    with pytest.raises(Conflict):
        make_series("budgets")
    with pytest.raises(Conflict):
        series.rename(SCHEDULER, "plans", "city-budgets")
    series.rename(SCHEDULER, "city-budgets", "budgets")
    assert series.show(ANYONE, "city-budgets").slug == "budgets"


def test_a_withdrawn_series_is_gone_and_its_datasets_stay() -> None:
    make_series()
    put("Budget", series="budgets")
    series.withdraw(SCHEDULER, "budgets")
    with pytest.raises(Gone):
        series.show(ANYONE, "budgets")
    assert datasets.show(ANYONE, "budget").series_id is None
    assert series.listed(ANYONE) == ([], 0)
    with pytest.raises(NotFound):
        series.show(ANYONE, "plans")


def test_changes_leave_lines_and_make_translations_stale() -> None:
    make_series(title={"en": "Budgets", "zh": "预算"}, machine={"title": ["zh"]})
    make_series(title={"en": "Budgets", "zh": "预算"}, machine={"title": ["zh"]})
    make_series(title={"en": "City budgets", "zh": "预算"})
    found = series.show(ANYONE, "budgets")
    assert found.text_origins["title"]["zh"] == {"origin": "machine", "stale": True}
    lines = log.of(log.Subject("series", found.id), limit=9)
    assert [line.action for line in lines] == ["series.changed", "series.created"]
    assert search.find(ANYONE, SearchQuery("city budgets")).total == 1


def test_what_a_series_cannot_be() -> None:
    make_organization()
    with pytest.raises(Invalid):
        make_series(title={})
    with pytest.raises(Denied):
        series.put(
            Identity("a1"),
            series_draft({"slug": "a", "organization": "ecology", "title": {"en": "A"}}),
        )
