"""The catalogue: words, facets, order, pages, and what is said when nothing is found."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.make_dataset import make_organization, make_theme, put
from tests.make_page import HOSTILE, LANGUAGES, href, one, page, words


@pytest.fixture
def catalogue() -> None:
    """Three datasets of two organizations."""
    make_organization("ecology", title={"zh": "生态局", "en": "Ecology"})
    make_organization("health", title={"zh": "卫健委", "en": "Health"})
    make_theme("environment")
    put(
        "Air quality",
        themes=["environment"],
        resources=[{"key": "a", "format": "CSV"}],
        description={"en": "Air *everywhere*."},
    )
    put("Water quality", themes=["environment"], resources=[{"key": "a", "format": "XLSX"}])
    put("Clinics", organization="health", access="on_application", license="CC-BY-4.0")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_all_datasets_are_listed_with_their_facets(
    client: FlaskClient, catalogue: None, lang: str
) -> None:
    soup = page(client, f"/{lang}/datasets")
    assert len(soup.select(".weft-hit")) == 3
    boxes = {(box["name"], box["value"]) for box in soup.select("input[type=checkbox]")}
    assert {
        ("organization", "ecology"),
        ("theme", "environment"),
        ("format", "CSV"),
        ("access", "open"),
    } <= boxes


def test_words_are_found_and_marked(client: FlaskClient, catalogue: None) -> None:
    soup = page(client, "/en/datasets?q=air")
    assert words(soup, ".weft-hit__title") == ["Air quality"]
    assert words(soup, ".weft-hit mark") == ["Air", "Air"]
    assert one(soup, "#q")["value"] == "air"
    assert "“air”" in one(soup, "title").get_text()
    assert words(soup, ".weft-hit__words") == ["Air everywhere."]


def test_facets_narrow_the_results_and_can_be_removed(client: FlaskClient, catalogue: None) -> None:
    soup = page(client, "/en/datasets?organization=ecology&format=CSV&q=quality")
    assert words(soup, ".weft-hit__title") == ["Air quality"]
    assert words(soup, ".weft-chip--remove") == [
        "Remove Organization: Ecology",
        "Remove Format: CSV",
    ]
    assert [chip["href"] for chip in soup.select(".weft-chip")] == [
        "/en/datasets?format=CSV&q=quality",
        "/en/datasets?organization=ecology&q=quality",
        "/en/datasets?q=quality",
    ]
    assert one(soup, "#organization-ecology").has_attr("checked")


def test_labels_of_facets_are_in_the_language_of_the_reader(
    client: FlaskClient, catalogue: None
) -> None:
    labels = words(page(client, "/zh/datasets"), ".weft-facet__label")
    assert {"生态局", "卫健委", "环境", "知识共享 署名 4.0"} <= set(labels)


def test_a_dataset_that_is_not_open_says_so(client: FlaskClient, catalogue: None) -> None:
    soup = page(client, "/en/datasets?q=clinics")
    assert words(soup, ".weft-hit .weft-badge") == ["On application"]


def test_an_order_can_be_chosen(client: FlaskClient, catalogue: None) -> None:
    soup = page(client, "/en/datasets?sort=title")
    assert words(soup, ".weft-hit__title") == ["Air quality", "Clinics", "Water quality"]
    assert words(soup, "option[selected]") == ["Title"]


def test_without_words_the_newest_come_first_and_relevance_is_no_choice(
    client: FlaskClient, catalogue: None
) -> None:
    soup = page(client, "/en/datasets?sort=relevance")
    assert words(soup, "option") == ["Last updated", "Most used", "Title"]
    assert words(soup, "option[selected]") == ["Last updated"]
    assert words(page(client, "/en/datasets?q=air"), "option[selected]") == ["Relevance"]


def test_long_results_are_paged(client: FlaskClient) -> None:
    make_organization()
    for number in range(45):
        put(f"Set {number:02}")
    soup = page(client, "/en/datasets?sort=title&page=2")
    assert words(soup, ".weft-hit__title")[0] == "Set 20"
    assert href(soup, "a[rel=prev]") == "/en/datasets?sort=title"
    assert href(soup, "a[rel=next]") == "/en/datasets?sort=title&page=3"
    assert "(page 2 of 3)" in one(soup, "title").get_text()
    assert len(page(client, "/en/datasets?page=3").select(".weft-hit")) == 5


@pytest.mark.parametrize("number", ["0", "-3", "abc", "1.5", ""])
def test_a_page_number_that_is_none_is_no_error(
    client: FlaskClient, catalogue: None, number: str
) -> None:
    page(client, f"/en/datasets?page={number}")


def test_nothing_found_says_what_to_do(client: FlaskClient, catalogue: None) -> None:
    soup = page(client, "/en/datasets?q=xyzzy&format=CSV")
    assert "Nothing was found" in words(soup, "h2")
    links = [link["href"] for link in soup.select(".weft-empty a")]
    assert links == ["/en/datasets?q=xyzzy", "/en/datasets", "/en/datasets?theme=environment"]


@pytest.mark.parametrize("query", ["sort=bogus", "access=bogus", "q=" + "x" * 400, "updated=never"])
def test_what_cannot_be_understood_is_explained(client: FlaskClient, query: str) -> None:
    soup = page(client, f"/en/datasets?{query}", 400)
    assert "could not be understood" in one(soup, "h1").get_text()


def test_parameters_of_others_are_left_alone(client: FlaskClient, catalogue: None) -> None:
    assert (
        len(page(client, "/en/datasets?utm_source=news&limit=1&offset=2").select(".weft-hit")) == 3
    )


def test_hostile_words_and_titles_are_shown_as_text(client: FlaskClient) -> None:
    make_organization(title={"en": HOSTILE})
    put(HOSTILE, description={"en": HOSTILE})
    soup = page(client, "/en/datasets?q=%3Cscript%3E&format=%22%3E%3Cscript%3E")
    assert one(soup, "#q")["value"] == "<script>"
    found = one(page(client, "/en/datasets?q=script"), ".weft-hit__title")
    assert found.get_text() == HOSTILE
    assert [mark.get_text() for mark in found.select("mark")] == ["script", "script"]


def test_the_script_of_the_page_gets_a_tidy_address(client: FlaskClient, catalogue: None) -> None:
    response = client.get(
        "/en/datasets?q=&format=CSV&sort=modified", headers={"HX-Request": "true"}
    )
    assert response.headers["HX-Push-Url"] == "/en/datasets?format=CSV"
    kept = client.get("/en/datasets?q=air&sort=uses&page=1", headers={"HX-Request": "true"})
    assert kept.headers["HX-Push-Url"] == "/en/datasets?q=air&sort=uses"


def test_many_values_of_a_facet_fold_but_chosen_ones_stay_in_sight(client: FlaskClient) -> None:
    for number in range(12):
        make_organization(f"bureau-{number:02}")
        put(f"Set {number}", organization=f"bureau-{number:02}")
    soup = page(client, "/en/datasets?organization=bureau-11")
    assert words(soup, "#more-organization > summary") == ["6 more (Organization)"]
    open_ = [box["value"] for box in soup.select("fieldset > label > input[name=organization]")]
    assert open_[0] == "bureau-11"
    assert len(open_) == 6


def test_only_the_most_frequent_tags_are_listed_and_it_is_said(client: FlaskClient) -> None:
    make_organization()
    put("Set", tags=["rare", *(f"tag-{number}" for number in range(50))])
    put("Other", tags=[f"tag-{number}" for number in range(50)])
    soup = page(client, "/en/datasets?tag=rare")
    boxes = [box["value"] for box in soup.select("input[name=tag]")]
    assert (boxes[0], len(boxes)) == ("rare", 40)
    assert "Only the most frequent are listed." in one(soup, "#more-tag").get_text()


def test_a_theme_leads_to_its_datasets(client: FlaskClient, catalogue: None) -> None:
    response = client.get("/zh/themes/environment")
    assert (response.status_code, response.headers["Location"]) == (
        301,
        "/zh/datasets?theme=environment",
    )
    page(client, "/zh/themes/nothing", 404)


def test_some_of_the_words_are_better_than_nothing(client: FlaskClient, catalogue: None) -> None:
    said = "No dataset holds all of these words. These hold some of them."
    soup = page(client, "/en/datasets?q=air+elephants+giraffes")
    assert words(soup, ".weft-hit__title") == ["Air quality"]
    assert said in soup.get_text()
    assert said not in page(client, "/en/datasets?q=air").get_text()
    assert client.get("/api/v1/datasets?q=air+elephants+giraffes").json["partial"] is True  # type: ignore[index] # it is an object


def test_a_facet_stays_while_it_has_a_value(client: FlaskClient, catalogue: None) -> None:
    def facets(address: str) -> set[str]:
        return {str(box["name"]) for box in page(client, address).select("input[type=checkbox]")}

    everything = facets("/en/datasets")
    assert {"license", "frequency", "updated"} <= everything
    assert facets("/en/datasets?q=air&organization=ecology") == everything


def test_cards_say_when_no_date_is_stated(client: FlaskClient, catalogue: None) -> None:
    soup = page(client, "/en/datasets?updated=unknown")
    assert len(soup.select(".weft-hit")) == 3
    assert all("update date not stated" in meta for meta in words(soup, ".weft-hit .weft-meta"))


@pytest.mark.parametrize("address", ["datasets", "organizations", "sources"])
@pytest.mark.parametrize("number", ["2", "999", "99999999999999999999"])
def test_a_page_beyond_the_last_leads_to_the_last(
    client: FlaskClient, catalogue: None, address: str, number: str
) -> None:
    response = client.get(f"/en/{address}?page={number}&q=quality")
    assert response.status_code == 302
    assert response.headers["Location"] == f"/en/{address}?q=quality"


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("/zh/datasets/", "/zh/datasets"),
        ("/en/datasets//?q=a%20b", "/en/datasets?q=a%20b"),
        ("/en/organizations/ecology/", "/en/organizations/ecology"),
    ],
)
def test_a_slash_too_many_is_taken_away(client: FlaskClient, asked: str, target: str) -> None:
    response = client.get(asked)
    assert (response.status_code, response.headers["Location"]) == (301, target)


@pytest.mark.parametrize("asked", ["//evil.example/", "/nothing/", "/xx/datasets/"])
def test_other_addresses_with_a_slash_are_not_found(client: FlaskClient, asked: str) -> None:
    assert client.get("/", environ_overrides={"PATH_INFO": asked}).status_code in {308, 404}
