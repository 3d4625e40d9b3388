"""The home page: search, themes, departments, newest and most used."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

import portal
from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.services import search
from tests.make_dataset import make_organization, make_theme, put
from tests.make_page import HOSTILE, LANGUAGES, href, one, page, words
from tests.make_table_page import make_loaded_table


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_empty_portal_has_a_home_page(client: FlaskClient, lang: str) -> None:
    soup = page(client, f"/{lang}/")
    assert one(soup, "form[role=search]")["action"] == f"/{lang}/datasets"
    assert words(soup, ".weft-figure__value") == ["0", "0", "0", "0"]


@pytest.mark.parametrize(("lang", "title"), [("zh", "空气质量"), ("en", "Air quality")])
def test_the_home_page_leads_to_datasets_themes_and_departments(
    client: FlaskClient, lang: str, title: str
) -> None:
    make_theme("environment", icon="environment")
    make_theme("empty", title={"en": "Nothing in here"})
    make_loaded_table(
        [{"station": "A", "value": 1}, {"station": "B", "value": 2}], themes=["environment"]
    )
    soup = page(client, f"/{lang}/")
    assert words(soup, ".weft-figure__value") == ["1", "1", "2", "1"]
    assert words(soup, ".weft-brief__title") == [title]
    assert len(words(soup, ".weft-pair .weft-quiet")) == 1  # instead of the most used
    assert href(soup, ".weft-theme__title") == f"/{lang}/themes/environment"
    assert href(soup, ".weft-department__title") == f"/{lang}/organizations/ecology"
    assert one(soup, ".weft-theme use")["href"].endswith("#environment")
    assert one(soup, "html")["lang"] == {"zh": "zh-Hans", "en": "en"}[lang]


def test_the_most_used_come_first(client: FlaskClient) -> None:
    make_organization()
    for name, uses in (("Few", 1), ("Many", 900), ("None", 0)):
        dataset_id = put(name).dataset_id
        with transaction():
            dataset = db.session.get_one(Dataset, dataset_id)
            dataset.uses = uses
            dataset.index_due = dataset.updated_at
        search.index_dataset(dataset_id)
    lists = page(client, "/en/").select(".weft-brief")
    assert words(lists[1], "a") == ["Many", "Few"]
    assert "used 900 times" in lists[1].get_text()
    assert "used once" in lists[1].get_text()
    assert "used 0" not in lists[1].get_text()


def test_the_newest_are_those_that_the_link_beside_them_shows_first(client: FlaskClient) -> None:
    make_organization("bank", kind="external")
    make_organization()
    put("Old", modified="2020-05-01T00:00:00Z")
    put("World figures", organization="bank", modified="2024-05-01T00:00:00Z")
    put("Undated")
    soup = page(client, "/en/")
    newest = words(soup.select(".weft-brief")[0], "a")
    assert newest == ["World figures", "Old", "Undated"]
    assert "update date not stated" in soup.select(".weft-brief__item")[2].get_text()
    assert (
        href(soup, ".weft-pair > div:first-child .weft-section__more")
        == "/en/datasets?sort=modified"
    )
    assert words(page(client, "/en/datasets?sort=modified"), ".weft-hit__title") == newest


def test_hostile_texts_are_shown_as_text(client: FlaskClient) -> None:
    make_organization(title={"en": HOSTILE}, description={"en": HOSTILE})
    make_theme(title={"en": HOSTILE})
    put(HOSTILE, themes=["environment"])
    soup = page(client, "/en/")
    assert words(soup, ".weft-theme__title, .weft-department__title") == [HOSTILE, HOSTILE]


def test_an_unknown_icon_gets_a_plain_drawing(client: FlaskClient) -> None:
    make_organization()
    make_theme(icon="no-such-icon")
    put(themes=["environment"])
    assert one(page(client, "/en/"), ".weft-theme use")["href"].endswith("#layers")


@pytest.mark.parametrize(
    ("accepted", "home"),
    [
        ("en-GB,en;q=0.9", "/en/"),
        ("zh-CN", "/zh/"),
        ("fr", "/zh/"),
        ("", "/zh/"),
        ("de,en;q=0.5", "/en/"),
    ],
)
def test_the_bare_address_leads_to_a_language_that_the_reader_knows(
    client: FlaskClient, accepted: str, home: str
) -> None:
    response = client.get("/", headers={"Accept-Language": accepted})
    assert (response.status_code, response.headers["Location"]) == (302, home)
    assert response.headers["Vary"] == "Accept-Language, Cookie"


def test_a_language_that_was_chosen_is_remembered(client: FlaskClient) -> None:
    response = client.get("/zh/", headers={"Accept-Language": "en"})
    assert "weft_language=zh" in response.headers["Set-Cookie"]
    assert client.get("/", headers={"Accept-Language": "en"}).headers["Location"] == "/zh/"


def test_a_language_that_the_browser_asks_for_needs_no_cookie(client: FlaskClient) -> None:
    assert "Set-Cookie" not in client.get("/en/", headers={"Accept-Language": "en"}).headers


def test_every_page_names_its_other_languages(client: FlaskClient) -> None:
    soup = page(client, "/en/datasets?q=a%26b")
    assert href(soup, "link[rel=canonical]") == "http://localhost/en/datasets"
    others = soup.select("link[rel=alternate][hreflang]")
    assert [(link["hreflang"], link["href"]) for link in others] == [
        ("zh-Hans", "http://localhost/zh/datasets"),
        ("en", "http://localhost/en/datasets"),
    ]
    assert href(soup, ".weft-language__link") == "/zh/datasets?q=a%26b"


def test_templates_of_most_pages_are_compiled_before_the_first_reader(app: Flask) -> None:
    portal.warm_up(app)
    assert {"home.html", "search.html", "datasets/show.html", "macros/header.html"} <= {
        name for _, name in app.jinja_env.cache
    }
