"""Who calls: keys in headers, never in addresses, never cookies."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.permissions import ANYONE, Identity
from catalog.schemas.account import KeyDraft, RegisterDraft
from catalog.services import accounts, keys

PATH = "/api/v1/organizations"


@pytest.fixture
def secret(app: Flask) -> str:
    draft = RegisterDraft("wang@example.org", "王", "correct horse battery")
    account = accounts.register(ANYONE, draft, address="192.0.2.7")
    return keys.create(Identity.of(account), KeyDraft("map")).secret


@pytest.mark.parametrize(
    ("name", "form"),
    [("Authorization", "Bearer {}"), ("authorization", "bearer  {} "), ("X-API-Key", "{}")],
)
def test_a_key_comes_in_a_header(client: FlaskClient, secret: str, name: str, form: str) -> None:
    response = client.get(PATH, headers={name: form.format(secret)})
    assert response.status_code == 200
    assert response.headers["RateLimit-Policy"] == "10000;w=60"
    assert response.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer weft_" + "x" * 43},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic dTpw"},
        {"Authorization": ""},
        {"X-API-Key": "weft"},
        {"X-API-Key": ""},
    ],
)
def test_a_bad_key_gets_401_and_how_to_send_one(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    response = client.get(PATH, headers=headers)
    assert response.status_code == 401
    assert response.json["code"] == "unauthenticated"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert "RateLimit-Limit" in response.headers


@pytest.mark.parametrize("query", ["?key={}", "?api_key=x", "?apikey=", "?q=a&anything={}"])
def test_a_key_in_the_address_is_refused_with_a_sentence(
    client: FlaskClient, secret: str, query: str
) -> None:
    response = client.get("/api/v1/datasets" + query.format(secret))
    assert response.status_code == 400
    assert "header" in response.json["detail"]
    assert secret not in response.get_data(as_text=True)


@pytest.mark.parametrize(
    "query", ["?k={}", "?k={percent}", "?where=a%20%3D%20'{percent}'", "?{}", "/{}", "?k=%77{end}"]
)
def test_a_key_is_found_however_the_address_is_written(
    client: FlaskClient, secret: str, query: str
) -> None:
    percent = secret.replace("_", "%5F").replace("-", "%2d")
    path = query.format(secret, percent=percent, end=secret[1:])
    response = client.get("/api/v1/datasets" + path)
    assert (response.status_code, response.json["code"]) == (400, "bad_query")
    assert "Revoke" in response.json["detail"]


@pytest.mark.parametrize("text", ["weft_abc", "weft_", "weft%5Fabc", "weft_" + "x" * 44])
def test_a_text_that_only_begins_like_a_key_is_no_key(client: FlaskClient, text: str) -> None:
    assert client.get(f"/api/v1/datasets?q={text}").status_code == 200
    answer = client.get(f"/api/v1/tables/none/rows?where=station='{text}'")
    assert answer.status_code == 404


def test_a_revoked_key_is_refused_at_the_next_call(client: FlaskClient, secret: str) -> None:
    headers = {"X-API-Key": secret}
    assert client.get(PATH, headers=headers).status_code == 200
    who = keys.identify(secret)
    keys.revoke(who, who.key_id or "")
    assert client.get(PATH, headers=headers).status_code == 401


def test_a_session_of_the_pages_is_nobody_in_the_api(app: Flask, client: FlaskClient) -> None:
    accounts.register(
        ANYONE, RegisterDraft("li@example.org", "李", "correct horse battery"), address="192.0.2.7"
    )
    app.config["WTF_CSRF_ENABLED"] = False
    fields = {"email": "li@example.org", "password": "correct horse battery"}
    assert client.post("/en/account/sign-in", data=fields).status_code == 302
    assert client.get("/en/account/").status_code == 200
    seen = []
    app.after_request_funcs.setdefault(None, []).append(
        lambda response: (seen.append(__import__("flask").g.identity), response)[1]
    )
    client.get(PATH)
    assert seen == [ANYONE]


@pytest.mark.parametrize(
    ("query", "accept", "language"),
    [
        ("?lang=zh", "en", "zh"),
        ("?lang=en", "zh-CN", "en"),
        ("", "zh-CN,zh;q=0.9", "zh"),
        ("", "en-GB", "en"),
        ("", "nl", "en"),
        ("?lang=xx", "zh", "zh"),
    ],
)
def test_the_language_is_that_of_the_parameter_or_the_browser(
    app: Flask, query: str, accept: str, language: str
) -> None:
    from api.identity import language as found

    with app.test_request_context(PATH + query, headers={"Accept-Language": accept}):
        assert found() == language


def test_answers_do_not_vary_by_cookies(client: FlaskClient) -> None:
    client.get("/en/account/sign-in")  # leaves a session's cookie
    assert client.get_cookie("weft") is not None
    for path in (PATH, "/api/v1/datasets", "/api/v1/nothing", "/api/v1/openapi.json"):
        response = client.get(path)
        assert "cookie" not in response.headers.get("Vary", "").lower(), path
        assert "Set-Cookie" not in response.headers
