"""Pages of accounts: register, sign in and out, passwords, keys."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from catalog.db import db, transaction
from catalog.models.account import Account
from catalog.models.base import now
from catalog.models.follow import Collaborator
from catalog.permissions import ANYONE
from catalog.schemas.account import RegisterDraft
from catalog.services import accounts
from catalog.settings import Settings
from tests.make_dataset import make_organization, put
from tests.make_page import checked, href, one, page, words
from tests.make_source import make_source
from wsgi import create_app

PASSWORD = "correct horse battery"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
SECRET = re.compile(r"weft_[A-Za-z0-9_-]{43}")


@pytest.fixture(params=["en", "zh"])
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def registered(app: Flask) -> None:
    draft = RegisterDraft("wang@example.org", "王小明", PASSWORD)
    accounts.register(ANYONE, draft, address="192.0.2.7")


def submit(client: FlaskClient, path: str, *, form_at: str = "", **fields: str) -> TestResponse:
    """Open the page with the form, then send it with its token, as a browser does."""
    token = TOKEN.search(client.get(form_at or path).get_data(as_text=True))
    assert token is not None
    return client.post(path, data={"csrf_token": token[1], **fields})


def sign_in(
    client: FlaskClient, lang: str = "en", password: str = PASSWORD, **more: str
) -> TestResponse:
    fields = {"email": "wang@example.org", "password": password, **more}
    return submit(client, f"/{lang}/account/sign-in", **fields)


def make_key(client: FlaskClient, lang: str, **fields: str) -> TestResponse:
    """Send the form of a key and follow to the page that shows it."""
    made = submit(client, f"/{lang}/account/keys", form_at=f"/{lang}/account/", **fields)
    assert (made.status_code, made.headers["Location"]) == (303, f"/{lang}/account/keys/new")
    assert not SECRET.search(made.get_data(as_text=True))
    return client.get(made.headers["Location"])


@pytest.fixture
def signed_in(client: FlaskClient, registered: None) -> FlaskClient:
    assert sign_in(client).status_code == 302
    return client


def test_whoever_registers_is_signed_in(client: FlaskClient, lang: str) -> None:
    response = submit(
        client,
        f"/{lang}/account/register",
        email="Li@Example.org",
        name="李",
        password=PASSWORD,
    )
    assert response.headers["Location"] == f"/{lang}/account/"
    page = client.get(f"/{lang}/account/").get_data(as_text=True)
    assert "li@example.org" in page
    assert "govuk-notification-banner--success" in page


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"email": "no", "name": "李", "password": PASSWORD}, ["email"]),
        ({"email": "li@example.org", "name": " ", "password": "short"}, ["name"]),
        ({"email": "li@example.org", "name": "李", "password": "short"}, ["password"]),
        ({"email": "wang@example.org", "name": "李", "password": PASSWORD}, ["email"]),
        ({}, ["email", "name", "password"]),
    ],
)
def test_what_is_wrong_stands_beside_the_field_and_in_the_summary(
    client: FlaskClient, registered: None, fields: dict[str, str], wrong: list[str]
) -> None:
    response = submit(client, "/en/account/register", **fields)
    page = response.get_data(as_text=True)
    assert response.status_code in (409, 422)
    assert "<title>Error: " in page
    for name in wrong:
        assert f'<a href="#{name}">' in page
        assert f'id="{name}-error"' in page
    assert PASSWORD not in page


def test_what_was_typed_stays_but_the_password(client: FlaskClient) -> None:
    page = submit(client, "/en/account/register", email="no", name="<b>李", password=PASSWORD)
    text = page.get_data(as_text=True)
    assert 'value="&lt;b&gt;李"' in text
    assert PASSWORD not in text


def test_a_wrong_password_is_refused_without_saying_what_was_wrong(
    client: FlaskClient, registered: None
) -> None:
    response = sign_in(client, password="a wrong guess")
    assert response.status_code == 422
    assert "the e-mail address or the password is wrong" in response.get_data(as_text=True)
    assert client.get("/en/account/").status_code == 302


def test_too_many_guesses_have_to_wait(client: FlaskClient, registered: None) -> None:
    statuses = [sign_in(client, password="a wrong guess").status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]


def test_a_form_without_its_token_is_refused(client: FlaskClient, registered: None) -> None:
    fields = {"email": "wang@example.org", "password": PASSWORD}
    assert client.post("/en/account/sign-in", data=fields).status_code == 400
    assert client.post("/en/account/sign-out").status_code == 400
    assert client.get("/en/account/").status_code == 302


def test_the_account_page_asks_to_sign_in_and_then_goes_on(
    client: FlaskClient, registered: None, lang: str
) -> None:
    response = client.get(f"/{lang}/account/password")
    where = response.headers["Location"]
    assert where == f"/{lang}/account/sign-in?next=/{lang}/account/password"
    page = client.get(where).get_data(as_text=True)
    assert f'name="next" value="/{lang}/account/password"' in page
    gone = sign_in(client, lang, next=f"/{lang}/account/password")
    assert gone.headers["Location"] == f"/{lang}/account/password"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/ok\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "account",
    ],
)
def test_signing_in_leads_to_no_other_site(
    client: FlaskClient, registered: None, wanted: str
) -> None:
    assert sign_in(client, next=wanted).headers["Location"] == "/en/account/"


def test_signing_out_ends_the_session(signed_in: FlaskClient) -> None:
    response = submit(signed_in, "/en/account/sign-out", form_at="/en/account/")
    assert response.headers["Location"] == "/en/"
    assert signed_in.get("/en/account/").status_code == 302


@pytest.mark.parametrize("way", ["sign-out", "sign-out-everywhere"])
def test_signing_out_ends_the_copies_of_the_cookie_too(
    app: Flask, signed_in: FlaskClient, way: str
) -> None:
    cookie = signed_in.get_cookie("weft")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("weft", cookie.value)
    assert thief.get("/en/account/").status_code == 200
    submit(signed_in, f"/en/account/{way}", form_at="/en/account/")
    assert thief.get("/en/account/").status_code == 302


def test_signing_in_again_ends_the_session_before(app: Flask, signed_in: FlaskClient) -> None:
    cookie = signed_in.get_cookie("weft")
    assert cookie is not None
    sign_in(signed_in)
    thief = app.test_client()
    thief.set_cookie("weft", cookie.value)
    assert thief.get("/en/account/").status_code == 302


def test_signing_out_everywhere_ends_other_sessions(app: Flask, signed_in: FlaskClient) -> None:
    other = app.test_client()
    sign_in(other)
    assert other.get("/en/account/").status_code == 200
    submit(signed_in, "/en/account/sign-out-everywhere", form_at="/en/account/")
    assert other.get("/en/account/").status_code == 302


def test_another_password_ends_other_sessions_but_not_this_one(
    app: Flask, signed_in: FlaskClient
) -> None:
    other = app.test_client()
    sign_in(other)
    response = submit(
        signed_in,
        "/en/account/password",
        present=PASSWORD,
        password="another long one",
        again="another long one",
    )
    assert response.status_code == 302
    assert signed_in.get("/en/account/").status_code == 200
    assert other.get("/en/account/").status_code == 302


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"present": "no", "password": "another long one", "again": "another long one"}, "present"),
        ({"present": PASSWORD, "password": "another long one", "again": "another"}, "again"),
        (
            {"present": PASSWORD, "password": "wang@example.org", "again": "wang@example.org"},
            "password",
        ),
    ],
)
def test_a_password_that_cannot_be_changed_says_why(
    signed_in: FlaskClient, fields: dict[str, str], wrong: str
) -> None:
    response = submit(signed_in, "/en/account/password", **fields)
    assert response.status_code == 422
    assert f'id="{wrong}-error"' in response.get_data(as_text=True)


def test_a_one_time_password_is_changed_before_the_account_is_used_and_pages_stay_readable(
    client: FlaskClient, lang: str
) -> None:
    once = accounts.create_administrator("admin@example.org")
    path = f"/{lang}/account/sign-in"
    submit(client, path, email="admin@example.org", password=once)
    for path in (f"/{lang}/account/", f"/{lang}/account/keys/new"):
        assert client.get(path).headers["Location"] == f"/{lang}/account/password"
    make_source("files", "https://example.org/", slug="archive")
    run = submit(client, f"/{lang}/sources/archive/run", form_at=f"/{lang}/account/password")
    assert run.headers["Location"] == f"/{lang}/account/password"
    assert not page(client, f"/{lang}/sources/archive").select("form[method=post]")
    make_organization()
    dataset_id = put("Secret", slug="secret", private=True).dataset_id
    account = db.session.scalars(select(Account).filter_by(email="admin@example.org")).one()
    with transaction():
        shared = Collaborator(dataset_id=dataset_id, account_id=account.id, capacity="member")
        shared.modified = now()
        db.session.add(shared)
    assert client.get(f"/{lang}/datasets/secret").status_code == 404
    soup = page(client, f"/{lang}/")
    assert href(soup, ".weft-notice a") == f"/{lang}/account/password"
    assert client.get(f"/{lang}/developers").status_code == 200
    assert client.get("/api/v1/organizations").status_code == 200
    fields = {"present": once, "password": PASSWORD, "again": PASSWORD}
    assert submit(client, f"/{lang}/account/password", **fields).status_code == 302
    soup = page(client, f"/{lang}/account/")
    assert not soup.select(".weft-notice")
    assert href(soup, "#administration + ul a[href*=sources]") == f"/{lang}/sources"
    assert page(client, f"/{lang}/sources/archive").select("form[method=post]")
    assert client.get(f"/{lang}/datasets/secret").status_code == 200


def test_a_key_is_shown_once_works_and_is_revoked(signed_in: FlaskClient, lang: str) -> None:
    home = f"/{lang}/account/"
    made = make_key(signed_in, lang, name="地图 <1>")
    secret = SECRET.search(made.get_data(as_text=True))
    assert secret is not None
    assert made.headers["Cache-Control"] == "no-store"
    listed = signed_in.get(home).get_data(as_text=True)
    assert secret[0] not in listed
    assert secret[0][:12] in listed
    assert "地图 &lt;1&gt;" in listed
    headers = {"Authorization": f"Bearer {secret[0]}"}
    assert signed_in.get("/api/v1/organizations", headers=headers).status_code == 200
    revoke = re.search(rf"{home}keys/[0-9a-f-]+/revoke", listed)
    assert revoke is not None
    assert submit(signed_in, revoke[0]).headers["Location"] == home
    assert signed_in.get("/api/v1/organizations", headers=headers).status_code == 401
    assert "/revoke" not in signed_in.get(home).get_data(as_text=True)


def test_loading_the_page_of_a_key_again_makes_no_other_one(signed_in: FlaskClient) -> None:
    made = make_key(signed_in, "en", name="map")
    secret = str(one(checked(made), "#secret")["value"])
    assert secret not in made.request.path
    other = page(signed_in, href(checked(made), ".weft-language__link"))
    assert one(other, "html")["lang"] == "zh-Hans"
    assert one(other, "#secret")["value"] == secret
    listed = page(signed_in, "/en/account/")
    assert len(listed.select("tbody tr")) == 1
    gone = signed_in.get("/en/account/keys/new")
    assert gone.headers["Location"] == "/en/account/"
    assert "for five minutes only" in page(signed_in, "/en/account/").get_text()


def test_a_key_is_kept_sealed_and_for_five_minutes_only(
    app: Flask, signed_in: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = str(one(checked(make_key(signed_in, "en", name="map")), "#secret")["value"])
    with signed_in.session_transaction() as session:
        assert secret not in str(dict(session))
        assert session["once"]
    folder = Path(app.extensions["weft"]["settings"].data_dir)
    for file in folder.rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()
    later = time.time() + 301
    monkeypatch.setattr("time.time", lambda: later)
    assert signed_in.get("/en/account/keys/new").status_code == 302
    with signed_in.session_transaction() as session:
        assert "once" not in session


def test_a_key_is_shown_by_any_process_on_any_machine(
    app: Flask, settings: Settings, signed_in: FlaskClient, tmp_path: Path
) -> None:
    fields = {"name": "map"}
    sent = submit(signed_in, "/en/account/keys", form_at="/en/account/", **fields)
    assert sent.status_code == 303
    given = app.extensions["weft"]["settings"]
    shared = {"database_url": given.database_url, "secret_key": str(app.secret_key)}
    other = create_app(replace(settings, data_dir=str(tmp_path / "other machine"), **shared))
    elsewhere = other.test_client()
    cookie = signed_in.get_cookie("weft")
    assert cookie is not None
    elsewhere.set_cookie(cookie.key, cookie.value)
    with other.app_context():
        assert SECRET.search(elsewhere.get("/en/account/keys/new").get_data(as_text=True))
        db.session.remove()
        db.engine.dispose()


def test_what_is_kept_for_one_account_is_not_opened_for_another(
    app: Flask, signed_in: FlaskClient
) -> None:
    make_key(signed_in, "en", name="map")
    with signed_in.session_transaction() as session:
        sealed = session["once"]
    other = app.test_client()
    fields = {"email": "li@example.org", "name": "李", "password": PASSWORD}
    submit(other, "/en/account/register", **fields)
    with other.session_transaction() as session:
        session["once"] = sealed
    assert other.get("/en/account/keys/new").headers["Location"] == "/en/account/"


def test_the_language_of_a_form_of_a_key_that_was_refused_can_be_changed(
    signed_in: FlaskClient,
) -> None:
    refused = submit(signed_in, "/en/account/keys", form_at="/en/account/", name="")
    response = signed_in.get(href(checked(refused), ".weft-language__link"))
    assert response.headers["Location"] == "/zh/account/#keys"


def test_what_can_be_done_with_an_account_is_a_row_of_buttons(signed_in: FlaskClient) -> None:
    soup = page(signed_in, "/en/account/")
    assert words(soup, ".govuk-button-group .govuk-button") == [
        "Change the password",
        "Sign out",
        "Sign out on all devices",
    ]
    assert not soup.select("#administration")


def test_a_key_needs_a_name(signed_in: FlaskClient) -> None:
    response = submit(signed_in, "/en/account/keys", form_at="/en/account/", name="")
    assert response.status_code == 422
    assert 'id="name-error"' in response.get_data(as_text=True)


def test_only_administrators_are_offered_and_given_the_extended_plan(
    app: Flask, signed_in: FlaskClient
) -> None:
    assert 'name="plan"' not in signed_in.get("/en/account/").get_data(as_text=True)
    fields = {"name": "map", "plan": "extended"}
    refused = submit(signed_in, "/en/account/keys", form_at="/en/account/", **fields)
    assert refused.status_code == 403
    once = accounts.create_administrator("admin@example.org")
    administrator = app.test_client()
    submit(administrator, "/en/account/sign-in", email="admin@example.org", password=once)
    change = {"present": once, "password": PASSWORD, "again": PASSWORD}
    submit(administrator, "/en/account/password", **change)
    assert 'name="plan"' in administrator.get("/en/account/").get_data(as_text=True)
    made = make_key(administrator, "en", **fields)
    assert SECRET.search(made.get_data(as_text=True))
    assert "extended" in administrator.get("/en/account/").get_data(as_text=True)


def test_the_key_of_somebody_else_cannot_be_seen_or_revoked(
    app: Flask, signed_in: FlaskClient
) -> None:
    submit(signed_in, "/en/account/keys", form_at="/en/account/", name="mine")
    path = re.search(
        r"/en/account/keys/[0-9a-f-]+/revoke", signed_in.get("/en/account/").get_data(as_text=True)
    )
    assert path is not None
    other = app.test_client()
    fields = {"email": "li@example.org", "name": "李", "password": PASSWORD}
    submit(other, "/en/account/register", **fields)
    assert other.get(path[0]).status_code == 404
    assert submit(other, path[0], form_at="/en/account/").status_code == 403


def test_pages_of_accounts_stay_in_no_cache(client: FlaskClient, lang: str) -> None:
    for name in ("sign-in", "register"):
        response = client.get(f"/{lang}/account/{name}")
        assert response.headers["Cache-Control"] == "no-store"
        assert "new-password" in response.get_data(as_text=True) or name == "sign-in"
