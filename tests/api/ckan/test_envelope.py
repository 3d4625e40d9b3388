"""CKAN's envelope around everything on its addresses: results, errors, limits, keys, odd requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from api.ckan.registry import ACTIONS
from catalog.db import db, transaction
from catalog.models.account import ApiKey
from catalog.models.base import now
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_organization

STATUS = "/api/3/action/status_show"


@pytest.mark.parametrize("base", ["/api/3/action", "/api/action"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_action_answers_in_the_envelope(client: FlaskClient, base: str, method: str) -> None:
    response = getattr(client, method)(f"{base}/site_read")
    assert response.status_code == 200
    assert response.content_type == "application/json;charset=utf-8"
    assert response.json == {
        "help": "http://localhost/api/3/action/help_show?name=site_read",
        "success": True,
        "result": True,
    }
    assert response.headers["RateLimit-Limit"] == "10000"


def test_the_api_tells_its_version_and_what_it_is(client: FlaskClient) -> None:
    assert client.get("/api/3").json == {"version": 3}
    assert client.get("/api/3/").json == {"version": 3}
    status = client.get(STATUS).json["result"]
    assert status["ckan_version"] == "2.12.0"
    assert status["site_url"] == "http://localhost"
    assert "datastore" in status["extensions"]


def test_each_action_has_help(client: FlaskClient) -> None:
    for name in ACTIONS:
        response = client.get("/api/3/action/help_show", query_string={"name": name})
        assert response.json["result"], name
    missing = client.get("/api/3/action/help_show?name=nope")
    assert missing.status_code == 404
    assert missing.json["error"] == {
        "__type": "Not Found Error",
        "message": "Not found: Action function not found",
    }
    assert client.get("/api/3/action/help_show").status_code == 409


def test_an_unknown_action_gets_a_bare_sentence(client: FlaskClient) -> None:
    response = client.post("/api/3/action/nope")
    assert response.status_code == 400
    assert response.json == "Bad request: Action name not known: nope"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1]",
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b"\xff{",
        b'"text"',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_object_is_refused(client: FlaskClient, body: bytes) -> None:
    response = client.post(STATUS, data=body, content_type="application/json")
    assert response.status_code == 400
    assert response.json.startswith("Bad request: JSON Error: ")


def test_what_changes_something_must_be_posted(client: FlaskClient) -> None:
    response = client.get("/api/3/action/package_create?name=x")
    assert response.status_code == 400
    assert response.json == (
        "Bad request: JSON Error: Invalid request. Please use POST method for your request"
    )


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"name": "site_read"}},
        {"data": {"name": "site_read"}},
        {"data": {"name": "site_read"}, "content_type": "multipart/form-data"},
        {"data": b'{"name": "site_read"}', "content_type": "application/x-www-form-urlencoded"},
        {"data": {'{"name": "site_read"}': "1"}},
        {"query_string": {"name": "site_read"}},
    ],
)
def test_parameters_come_as_json_as_a_form_or_in_the_address(
    client: FlaskClient, sent: dict[str, Any]
) -> None:
    response = client.post("/api/3/action/help_show", **sent)
    assert "Return True" in response.json["result"], response.text


def test_a_script_of_another_site_gets_a_call_of_its_function(client: FlaskClient) -> None:
    response = client.get("/api/3/action/site_read?callback=show.it")
    assert response.content_type == "application/javascript;charset=utf-8"
    assert response.text.startswith('show.it({"help":')
    assert response.text.endswith("});")
    harmless = client.get("/api/3/action/site_read?callback=alert(1)//")
    assert harmless.json["success"] is True


@pytest.fixture
def key(app: Flask) -> str:
    make_organization()
    return make_key()


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Authorization", "{}"),
        ("Authorization", "Bearer {}"),
        ("X-CKAN-API-Key", "{}"),
        ("X-API-Key", "{}"),
    ],
)
def test_a_key_comes_bare_as_a_bearer_or_in_ckans_header(
    client: FlaskClient, key: str, name: str, form: str
) -> None:
    response = client.post(
        "/api/3/action/package_create", json={}, headers={name: form.format(key)}
    )
    assert response.status_code == 409
    assert response.json["error"] == {
        "__type": "Validation Error",
        "name": ["Missing value"],
        "owner_org": ["An organization must be provided"],
    }
    assert response.headers["Vary"].count("Authorization") == 1


def test_a_key_that_is_unknown_or_revoked_is_nobody(client: FlaskClient, key: str) -> None:
    with transaction():
        db.session.execute(update(ApiKey).values(revoked_at=now()))
    for sent in (key, "nonsense", ""):
        response = client.post(
            "/api/3/action/package_create", json={}, headers={"Authorization": sent}
        )
        assert response.status_code == 403
        assert response.json["error"] == {
            "__type": "Authorization Error",
            "message": "Access denied: User  not authorized to create packages",
        }
        assert client.get(STATUS, headers={"Authorization": sent}).status_code == 200


def test_a_key_in_the_address_or_for_a_script_counts_for_nothing(
    client: FlaskClient, key: str
) -> None:
    assert client.get(f"{STATUS}?x={key}").status_code == 409
    response = client.post(
        "/api/3/action/package_create?callback=f", json={}, headers={"Authorization": key}
    )
    assert response.status_code == 403


def test_too_many_calls_are_refused_in_the_envelope(tmp_path: Path) -> None:
    with make_app(tmp_path, limit_anonymous="2/minute") as app:
        client = app.test_client()
        for left in (1, 0):
            assert client.get(STATUS).headers["RateLimit-Remaining"] == str(left)
        response = client.get(STATUS)
    assert response.status_code == 429
    assert response.json["error"]["__type"] == "Too Many Requests Error"
    assert response.json["success"] is False
    assert int(response.headers["Retry-After"]) > 0


def test_other_methods_and_too_large_bodies_are_refused_in_the_envelope(
    app: Flask, client: FlaskClient
) -> None:
    response = client.put(STATUS)
    assert response.status_code == 405
    assert response.json["error"]["__type"] == "Method Not Allowed Error"
    assert "POST" in response.headers["Allow"]
    app.config["MAX_CONTENT_LENGTH"] = 10
    response = client.post(STATUS, json={"a": "x" * 100})
    assert response.status_code == 413
    assert response.json["success"] is False


def test_a_page_of_another_site_may_post(client: FlaskClient) -> None:
    headers = client.options(STATUS).headers
    assert "POST" in headers["Access-Control-Allow-Methods"]
    assert "X-CKAN-API-Key" in headers["Access-Control-Allow-Headers"]
    assert "Content-Type" in headers["Access-Control-Allow-Headers"]


def test_a_failure_of_ours_is_told_in_the_envelope(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("api.ckan.site.site", broken)
    response = client.get(STATUS)
    assert response.status_code == 500
    assert response.json["error"]["__type"] == "Internal Server Error"


def test_a_client_that_may_do_nothing_is_told_so(client: FlaskClient, key: str) -> None:
    ckan = Ckan(client, make_key("nowhere", name="guest"))
    error = ckan.refused("package_create", 403, name="x", owner_org="ecology")
    assert error["__type"] == "Authorization Error"
    assert error["message"].startswith("Access denied: ")
