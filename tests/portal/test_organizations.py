"""Departments: the list, and each with its datasets."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from catalog.permissions import SCHEDULER
from catalog.schemas.series import series_draft
from catalog.services import series
from tests.make_dataset import make_organization, put
from tests.make_page import HOSTILE, LANGUAGES, href, one, page, words


@pytest.mark.parametrize("lang", LANGUAGES)
def test_departments_come_before_others(client: FlaskClient, lang: str) -> None:
    make_organization("bank", kind="external", title={"en": "Bank"})
    make_organization("ecology", title={"en": "Ecology"}, description={"en": "**Air** and water"})
    put()
    soup = page(client, f"/{lang}/organizations")
    assert words(soup, ".weft-department__title") == ["Ecology", "Bank"]
    assert words(soup, ".weft-department__words") == ["Air and water", ""]
    assert [link["href"] for link in soup.select(".weft-department__title")] == [
        f"/{lang}/organizations/ecology",
        f"/{lang}/organizations/bank",
    ]


def test_an_empty_portal_has_a_list(client: FlaskClient) -> None:
    assert "There are none yet." in page(client, "/en/organizations").get_text()


def test_a_long_list_is_paged(client: FlaskClient) -> None:
    for number in range(61):
        make_organization(f"bureau-{number:02}")
    assert len(page(client, "/en/organizations").select(".weft-department")) == 60
    soup = page(client, "/en/organizations?page=2")
    assert len(soup.select(".weft-department")) == 1
    assert href(soup, "a[rel=prev]") == "/en/organizations"


def test_a_department_shows_its_datasets_only(client: FlaskClient) -> None:
    make_organization(
        homepage="https://ecology.example.org/", description={"en": "Measures *air*."}
    )
    make_organization("health")
    put("Air")
    put("Clinics", organization="health")
    soup = page(client, "/en/organizations/ecology")
    assert words(soup, ".weft-hit__title") == ["Air"]
    assert words(soup, ".weft-results__total") == ["1 dataset"]
    assert href(soup, ".weft-band .weft-meta a") == "https://ecology.example.org/"
    assert href(soup, ".weft-results__bar a") == "/en/datasets?organization=ecology"


def test_what_is_no_dataset_is_not_called_one(client: FlaskClient) -> None:
    make_organization()
    put("Air")
    said = {"slug": "budgets", "organization": "ecology", "title": {"en": "Budgets"}}
    series.put(SCHEDULER, series_draft(said))
    soup = page(client, "/en/organizations/ecology")
    assert len(soup.select(".weft-hit")) == 2
    assert words(soup, ".weft-results__total") == ["2 entries"]


def test_the_datasets_of_a_department_are_paged(client: FlaskClient) -> None:
    make_organization()
    for number in range(21):
        put(f"Set {number}")
    assert len(page(client, "/en/organizations/ecology?page=2").select(".weft-hit")) == 1


def test_a_department_without_datasets_says_so(client: FlaskClient) -> None:
    make_organization()
    assert "There are none yet." in page(client, "/en/organizations/ecology").get_text()


def test_hostile_texts_are_shown_as_text(client: FlaskClient) -> None:
    make_organization(title={"en": HOSTILE}, description={"en": HOSTILE})
    page(client, "/en/organizations")
    assert one(page(client, "/en/organizations/ecology"), "h1").get_text() == HOSTILE


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_unknown_department_is_not_found(client: FlaskClient, lang: str) -> None:
    page(client, f"/{lang}/organizations/nothing", 404)
