"""Addresses without a language."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

ENGLISH = {"Accept-Language": "en"}


def test_robots_may_read_all_but_accounts_and_statements(client: FlaskClient) -> None:
    response = client.get("/robots.txt")
    assert response.mimetype == "text/plain"
    assert response.text.splitlines() == [
        "User-agent: *",
        "Disallow: /zh/account/",
        "Disallow: /zh/sql?",
        "Disallow: /zh/sql/",
        "Disallow: /en/account/",
        "Disallow: /en/sql?",
        "Disallow: /en/sql/",
        "",
        "Sitemap: http://localhost/sitemap.xml",
    ]


def test_the_icon_that_browsers_ask_for_leads_to_ours(client: FlaskClient) -> None:
    response = client.get("/favicon.ico")
    assert response.status_code == 302
    assert "/static/build/mark" in response.headers["Location"]
    assert "max-age" in response.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/datasets", "/en/datasets"),
        ("/datasets?q=air&format=CSV", "/en/datasets?q=air&format=CSV"),
        ("/dataset", "/en/datasets"),
        ("/dataset/air-quality", "/en/datasets/air-quality"),
        ("/datasets/air-quality", "/en/datasets/air-quality"),
        ("/organization", "/en/organizations"),
        ("/organization/ecology", "/en/organizations/ecology"),
        ("/organizations", "/en/organizations"),
    ],
)
def test_addresses_of_other_portals_lead_to_the_page(
    client: FlaskClient, path: str, leads_to: str
) -> None:
    response = client.get(path, headers=ENGLISH)
    assert (response.status_code, response.headers["Location"]) == (302, leads_to)
    assert {"Accept-Language", "Cookie"} <= set(response.vary)
    chinese = client.get(path, headers={"Accept-Language": "zh-CN"}).headers["Location"]
    assert chinese == leads_to.replace("/en/", "/zh/")
