"""Errors: problem+json for every error of the API, pages for people elsewhere."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import ValidationError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import ImATeapot, RequestEntityTooLarge
from werkzeug.routing import RequestRedirect

from api.errors import problem
from catalog import errors
from wsgi import show_unfit

SOME = [
    errors.Invalid("wrong", {"title": ["too long"]}),
    errors.BadQuery("there is no column “%(column)s”", column="100 %"),
    errors.Unauthenticated("sign in"),
    errors.Denied("no"),
    errors.NotFound("nothing"),
    errors.Gone("gone"),
    errors.Conflict("taken"),
    errors.TooLarge("large"),
    errors.TooMany("wait", retry_after=7),
    errors.Unreadable("what?"),
    errors.Unavailable("later"),
    errors.SettingsError("never"),
]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/datasets", 400), ("/api/3/action/package_show", 409), ("/en/datasets", 400)],
)
def test_what_the_database_cannot_hold_is_a_bad_request(app: Flask, path: str, status: int) -> None:
    with app.test_request_context(path):
        app.preprocess_request()
        answer = show_unfit(DataError("SELECT", {}, ValueError("NUL")))
        assert app.make_response(answer).status_code == status


@pytest.mark.parametrize("error", SOME, ids=lambda error: error.code)
def test_an_error_of_the_catalogue_is_a_problem(app: Flask, error: errors.CatalogError) -> None:
    with app.test_request_context("/api/v1/datasets"):
        response = problem(error)
    body = response.json
    assert response.status_code == body["status"] == error.status
    assert response.content_type == "application/problem+json"
    assert body["code"] == error.code
    assert body["type"] == f"http://localhost/api/v1/#{error.code}"
    assert body["detail"] == str(error)
    assert body["title"]
    assert body["instance"] == "/api/v1/datasets"
    assert response.headers["Cache-Control"] == "no-store"


def test_the_problems_of_fields_are_named(app: Flask) -> None:
    with app.test_request_context("/api/v1/datasets"):
        assert problem(SOME[0]).json["problems"] == {"title": ["too long"]}
        found = problem(ValidationError({"a": {"0": ["x", None]}})).json
    assert found["problems"] == {"a": {"0": ["x", ""]}}
    assert found["status"] == 422


def test_how_long_to_wait_stands_in_the_header_too(app: Flask) -> None:
    with app.test_request_context("/api/v1/datasets"):
        response = problem(errors.TooMany("wait", retry_after=7))
    assert response.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(RequestEntityTooLarge(), 413, "too_large"), (ImATeapot(), 418, "http_418")],
)
def test_an_error_of_http_is_a_problem(
    app: Flask, error: Exception, status: int, code: str
) -> None:
    with app.test_request_context("/api/v1/datasets"):
        body = problem(error).json
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"]


def test_a_redirect_is_no_problem(app: Flask) -> None:
    with app.test_request_context("/api/v1/datasets"):
        response = problem(RequestRedirect("http://localhost/api/v1/"))
    assert response.status_code == 308
    assert response.headers["Location"] == "http://localhost/api/v1/"


def test_an_unknown_address_of_the_api_is_a_problem_and_one_of_the_pages_is_a_page(
    client: FlaskClient,
) -> None:
    assert client.get("/api/v1/nothing").content_type == "application/problem+json"
    assert client.get("/en/nothing").content_type.startswith("text/html")


def test_a_method_that_is_not_known_names_those_that_are(client: FlaskClient) -> None:
    response = client.delete("/api/v1/datasets")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_parameters_that_cannot_be_used_are_named(client: FlaskClient) -> None:
    response = client.get("/api/v1/datasets?limit=x&colour=CSV&offset=-1&sort=best")
    assert response.status_code == 422
    assert set(response.json["problems"]) == {"limit", "colour", "offset", "sort"}


def test_an_error_nobody_thought_of_is_a_problem_without_details(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("catalog.services.organizations.all", lambda _: 1 / 0)
    response = client.get("/api/v1/organizations")
    assert response.status_code == 500
    assert response.json["code"] == "error"
    assert "division" not in response.get_data(as_text=True)
    assert response.headers["RateLimit-Remaining"]


def test_sentences_come_in_the_language_of_the_caller(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flask_babel import get_locale

    monkeypatch.setattr("api.errors.gettext", lambda text, **_: f"{get_locale()}: {text}")
    with app.test_request_context("/api/v1/datasets?lang=zh"):
        body = problem(errors.NotFound("nothing")).json
    assert (body["detail"], body["title"]) == ("zh: nothing", "zh: Not found")
