"""Limits: by address or key, said in headers, refused with 429."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.db import db
from catalog.permissions import ANYONE, Identity
from catalog.schemas.account import KeyDraft, RegisterDraft
from catalog.services import accounts, keys
from catalog.settings import Settings
from tests.conftest import Visitor
from wsgi import create_app

PATH = "/api/v1/organizations"


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """A portal that allows little."""
    made = create_app(
        replace(
            settings,
            limit_anonymous="3/minute;5/day",
            limit_basic="4/minute",
            limit_extended="6/minute",
            trusted_proxies=1,
        )
    )
    made.config["TESTING"] = True
    made.test_client_class = Visitor
    with made.app_context():
        db.create_all()
        yield made
        db.session.remove()
        db.engine.dispose()


def secret_of(email: str) -> str:
    draft = RegisterDraft(email, "王", "correct horse battery")
    account = accounts.register(ANYONE, draft, address="192.0.2.7")
    return keys.create(Identity.of(account), KeyDraft("map")).secret


def from_address(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def test_headers_count_down(client: FlaskClient) -> None:
    left = []
    for _ in range(3):
        headers = client.get(PATH).headers
        left.append(headers["RateLimit-Remaining"])
        assert headers["RateLimit-Limit"] == "3"
        assert headers["RateLimit-Policy"] == "3;w=60, 5;w=86400"
        assert 0 < int(headers["RateLimit-Reset"]) <= 60
        assert headers["X-RateLimit-Remaining"] == headers["RateLimit-Remaining"]
        assert int(headers["X-RateLimit-Reset"]) > 1_700_000_000
        assert "Retry-After" not in headers
    assert left == ["2", "1", "0"]


def test_a_call_too_many_gets_429_and_how_long_to_wait(client: FlaskClient) -> None:
    for _ in range(3):
        assert client.get(PATH).status_code == 200
    response = client.get(PATH)
    assert response.status_code == 429
    assert response.content_type == "application/problem+json"
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert response.json["retry_after"] == int(response.headers["Retry-After"])
    assert response.json["code"] == "too_many_requests"
    assert response.headers["RateLimit-Remaining"] == "0"


def test_refused_calls_do_not_use_up_the_day(client: FlaskClient) -> None:
    for _ in range(10):
        client.get(PATH)
    day = client.application.extensions["weft_limits"]["anonymous"][1]
    from catalog.services.attempts import take

    assert take(day, "anonymous", "127.0.0.1", cost=0).left == 2


def test_the_day_counts_too(client: FlaskClient) -> None:
    from catalog.services import attempts

    for _ in range(3):
        client.get(PATH)
    minute = client.application.extensions["weft_limits"]["anonymous"][0]
    attempts.storage().clear(minute.key_for("anonymous", "127.0.0.1"))
    assert client.get(PATH).headers["RateLimit-Limit"] == "5"
    assert client.get(PATH).status_code == 200
    response = client.get(PATH)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 80_000


def test_addresses_are_counted_apart_and_ipv6_by_network(client: FlaskClient) -> None:
    for _ in range(3):
        client.get(PATH, headers=from_address("192.0.2.1"))
        client.get(PATH, headers=from_address("2001:db8::1"))
    assert client.get(PATH, headers=from_address("192.0.2.1")).status_code == 429
    assert client.get(PATH, headers=from_address("192.0.2.2")).status_code == 200
    assert client.get(PATH, headers=from_address("2001:db8::2")).status_code == 429


def test_keys_are_counted_apart_wherever_they_come_from(client: FlaskClient) -> None:
    first, second = secret_of("a@example.org"), secret_of("b@example.org")
    for at in range(4):
        response = client.get(PATH, headers={"X-API-Key": first, **from_address(f"192.0.2.{at}")})
        assert response.status_code == 200
        assert response.headers["RateLimit-Policy"] == "4;w=60"
    assert client.get(PATH, headers={"X-API-Key": first}).status_code == 429
    assert client.get(PATH, headers={"X-API-Key": second}).status_code == 200
    assert client.get(PATH).status_code == 200


def test_the_plan_of_the_key_decides(client: FlaskClient) -> None:
    secret = secret_of("a@example.org")
    administrator = Identity(account_id="x", administrator=True)
    keys.change_plan(administrator, keys.identify(secret).key_id or "", "extended")
    assert client.get(PATH, headers={"X-API-Key": secret}).headers["RateLimit-Limit"] == "6"


def test_guessing_keys_is_counted_by_address(client: FlaskClient) -> None:
    statuses = [
        client.get(PATH, headers={"X-API-Key": f"weft_{at}"}).status_code for at in range(4)
    ]
    assert statuses == [401, 401, 401, 429]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/nothing"),
        ("POST", "/api/v1/datasets"),
        ("GET", "/api/v1/datasets?limit=x"),
        ("HEAD", "/api/v1/datasets"),
        ("GET", "/api/"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/api/v1/datasets/nothing"),
    ],
)
def test_every_answer_of_the_api_says_how_the_caller_stands(
    client: FlaskClient, method: str, path: str
) -> None:
    response = client.open(path, method=method)
    assert response.headers["RateLimit-Remaining"] == "2"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "RateLimit-Remaining" in response.headers["Access-Control-Expose-Headers"]


def test_a_browser_may_ask_whether_it_may_call_for_nothing(client: FlaskClient) -> None:
    for _ in range(5):
        response = client.options(PATH, headers={"Origin": "https://example.org"})
        assert response.status_code == 200
        assert response.headers["RateLimit-Remaining"] == "3"
    assert response.headers["Access-Control-Allow-Methods"].startswith("GET, HEAD, OPTIONS")
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_pages_are_not_counted(client: FlaskClient) -> None:
    for _ in range(5):
        response = client.get("/en/developers")
        assert response.status_code == 200
        assert "RateLimit-Limit" not in response.headers
