"""Error pages: right status, both languages, a sentence that says what to do, no error in the error."""

from __future__ import annotations

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from jinja2 import TemplateError

from catalog import errors
from tests.make_page import HOSTILE, LANGUAGES, checked, one, page, words

RAISED = {
    400: errors.BadQuery("the word %(word)s is unknown", word="x"),
    403: errors.Denied("your account may not do this"),
    404: errors.NotFound("there is no such thing"),
    409: errors.Conflict("it is taken"),
    410: errors.Gone("it is withdrawn"),
    413: errors.TooLarge("it is too large"),
    422: errors.Invalid("it cannot be used", {"title": ["Missing."]}),
    429: errors.TooMany("only %(count)s calls are answered", count=3, retry_after=17),
    500: errors.CatalogError("an inner secret"),
    503: errors.Unavailable("the search is down"),
}


@pytest.fixture
def raising(app: Flask) -> FlaskClient:
    """A client of a portal with addresses that go wrong."""
    app.config["TESTING"] = False  # or an error would reach the test instead of its page
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def catalogued(status: int) -> str:
        raise RAISED[status]

    def http(status: int) -> str:
        abort(status)

    def broken() -> str:
        raise ZeroDivisionError(HOSTILE)

    prefix = "/<any(zh, en):lang>/raise"
    app.add_url_rule(f"{prefix}/catalog/<int:status>", "raise_catalog", catalogued)
    app.add_url_rule(f"{prefix}/http/<int:status>", "raise_http", http)
    app.add_url_rule(f"{prefix}/broken", "raise_broken", broken)
    return app.test_client()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("status", RAISED)
def test_every_error_of_the_catalogue_has_a_page(
    raising: FlaskClient, lang: str, status: int
) -> None:
    soup = page(raising, f"/{lang}/raise/catalog/{status}", status)
    assert one(soup, "html")["lang"].startswith(lang)
    assert len(words(soup, ".weft-error__words")) == (1 if status == 500 else 2)
    assert "secret" not in soup.get_text()


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 418, 429, 500, 502, 503])
def test_every_http_error_has_a_page(raising: FlaskClient, status: int) -> None:
    page(raising, f"/en/raise/http/{status}", status)


def test_the_sentence_and_the_problems_by_field_are_shown(raising: FlaskClient) -> None:
    assert "The word x is unknown." in words(page(raising, "/en/raise/catalog/400", 400), "p")
    assert words(page(raising, "/en/raise/catalog/422", 422), ".weft-content li") == [
        "title : Missing."
    ]


def test_a_limit_says_how_long_to_wait(raising: FlaskClient) -> None:
    response = raising.get("/en/raise/catalog/429")
    assert response.headers["Retry-After"] == "17"
    assert "Only 3 calls are answered." in response.text


def test_a_defect_shows_a_page_and_no_secret(raising: FlaskClient) -> None:
    soup = page(raising, "/zh/raise/broken", 500)
    assert "ZeroDivisionError" not in soup.get_text()


def test_an_error_stays_in_no_cache(raising: FlaskClient) -> None:
    assert raising.get("/en/nothing").headers["Cache-Control"] == "no-store"


def test_a_method_that_is_not_allowed_is_named(client: FlaskClient) -> None:
    response = client.options("/en/about")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    token = one(page(client, "/en/account/sign-in"), "input[name=csrf_token]")["value"]
    refused = client.post("/en/about", data={"csrf_token": token})
    assert refused.status_code == 405
    assert "GET" in refused.headers["Allow"]
    checked(refused)


@pytest.mark.parametrize(
    ("path", "lang"),
    [("/nothing", "zh-Hans"), ("/zh/nothing", "zh-Hans"), ("/en/nothing", "en"), ("/en/x/y", "en")],
)
def test_an_unknown_address_is_answered_in_the_language_of_the_address(
    client: FlaskClient, path: str, lang: str
) -> None:
    assert one(page(client, path, 404), "html")["lang"] == lang


def test_an_address_of_html_is_shown_as_text(client: FlaskClient) -> None:
    page(client, "/en/datasets/%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404)


def test_the_page_of_an_error_survives_templates_that_fail(
    raising: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **values: object) -> str:
        raise TemplateError("broken")

    monkeypatch.setattr("portal.errors.render_template", fail)
    response = raising.get("/en/raise/broken")
    assert response.status_code == 500
    assert "Sorry, something went wrong here" in response.text


def test_who_must_sign_in_is_led_there_and_back(client: FlaskClient) -> None:
    response = client.get("/en/account/?a=1")
    assert response.headers["Location"] == "/en/account/sign-in?next=/en/account/?a%3D1"
    checked(client.get("/en/account/sign-in"))


def test_a_missing_slash_is_no_error(client: FlaskClient) -> None:
    assert client.get("/en").headers["Location"].endswith("/en/")


@pytest.mark.parametrize(
    ("lang", "title", "advice"),
    [("en", "This form has expired", "send the form once more"), ("zh", "表单已过期", "重新提交")],
)
@pytest.mark.parametrize("fields", [{}, {"csrf_token": "of yesterday"}])
def test_a_form_that_expired_says_so(
    client: FlaskClient, lang: str, title: str, advice: str, fields: dict[str, str]
) -> None:
    response = client.post(f"/{lang}/account/sign-in", data=fields)
    assert response.status_code == 400
    soup = checked(response)
    assert one(soup, "h1").get_text() == title
    assert advice in soup.get_text()
