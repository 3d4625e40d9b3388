"""Headers, cookies, built files and links of every page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.settings import Settings
from portal.paging import Pages
from tests.make_page import LANGUAGES, one, page, words
from wsgi import create_app

PAGES = (
    "",
    "datasets",
    "organizations",
    "sources",
    "about",
    "developers",
    "sql",
    "accessibility",
    "account/sign-in",
)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_complete_and_sends_the_headers(
    client: FlaskClient, lang: str, path: str
) -> None:
    page(client, f"/{lang}/{path}")
    headers = client.get(f"/{lang}/{path}").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_over_https_cookies_and_pages_stay_there(settings: Settings) -> None:
    app = create_app(replace(settings, secure_cookies=True))
    response = app.test_client().get("/zh/about", headers={"Accept-Language": "en"})
    assert response.headers["Strict-Transport-Security"].startswith("max-age=")
    assert "Secure" in response.headers["Set-Cookie"]


def test_a_reader_gets_no_cookie(client: FlaskClient) -> None:
    for path in PAGES[:-1]:
        assert (
            "Set-Cookie" not in client.get(f"/en/{path}", headers={"Accept-Language": "en"}).headers
        )


def test_a_public_address_is_used_in_links(settings: Settings) -> None:
    app = create_app(replace(settings, site_url="https://data.example.org"))
    soup = page(app.test_client(), "/en/accessibility")
    assert one(soup, "link[rel=canonical]")["href"] == "https://data.example.org/en/accessibility"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_that_is_shown_is_marked_in_the_navigation(client: FlaskClient, lang: str) -> None:
    soup = page(client, f"/{lang}/developers")
    assert one(soup, ".weft-nav [aria-current]")["href"] == f"/{lang}/developers"


def test_developers_see_the_limits_that_hold(client: FlaskClient) -> None:
    assert "10,000 per minute" in words(page(client, "/en/developers"), "td")


def test_built_files_have_the_hash_of_their_content_and_may_be_kept(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    build = tmp_path / "static" / "build"
    build.mkdir(parents=True)
    (build / "app-1.css").write_text("p{}")
    (build / "manifest.json").write_text(json.dumps({"app.css": "build/app-1.css"}))
    app.static_folder = str(tmp_path / "static")
    soup = page(client, "/en/about")
    assert one(soup, "link[rel=stylesheet]")["href"] == "/static/build/app-1.css"
    with client.get("/static/build/app-1.css") as response:
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get("/static/build/app-2.css").status_code == 404


def test_before_the_build_pages_work(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    app.static_folder = str(tmp_path / "static")
    soup = page(client, "/en/about")
    assert one(soup, "link[rel=stylesheet]")["href"] == "/static/build/app.css"


@pytest.mark.parametrize(
    ("number", "last", "shown"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (5, 9, [1, None, 4, 5, 6, None, 9]),
        (3, 5, [1, 2, 3, 4, 5]),
        (4, 20, [1, 2, 3, 4, 5, None, 20]),
        (20, 20, [1, None, 19, 20]),
        (9, 3, [1, 2, 3]),
    ],
)
def test_pages_that_are_offered(number: int, last: int, shown: list[int | None]) -> None:
    assert list(Pages(number, last).shown) == shown


def test_the_portal_may_live_below_a_path(client: FlaskClient) -> None:
    response = client.get("/en/about", environ_overrides={"SCRIPT_NAME": "/data"})
    assert 'href="/data/en/datasets"' in response.text
    assert 'href="/data/static/build/' in response.text
    assert 'href="/data/zh/about"' in response.text
