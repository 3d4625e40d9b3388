"""Datasets and organizations in the API."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.permissions import SCHEDULER
from catalog.search.facets import FACETS
from tests.make_dataset import make_organization, make_theme, put, retire_unseen
from tests.make_portal import Served, make_served


@pytest.fixture
def catalogue(app: Flask) -> None:
    make_organization()
    make_organization("health", title={"zh": "卫生健康委员会", "en": "Health Commission"})
    make_theme()
    put("Air quality", title={"en": "Air quality", "zh": "空气质量"}, themes=["environment"])
    put("Water levels", description={"en": "Rivers and lakes", "nl": "Rivieren"})
    put("Clinics", organization="health", resources=[{"key": "a", "format": "csv"}])


def test_datasets_are_found_with_facets(client: FlaskClient, catalogue: None) -> None:
    body = client.get("/api/v1/datasets?q=air&lang=en").json
    assert [found["slug"] for found in body["results"]] == ["air-quality"]
    found = body["results"][0]
    assert found["title"] == "Air quality"
    assert found["texts"]["title"] == {"en": "Air quality", "zh": "空气质量"}
    assert found["organization"]["title"] == "Bureau of ecology"
    assert found["url"] == "http://localhost/api/v1/datasets/air-quality"
    assert body["total"] == 1
    assert set(body["facets"]) == {facet.name for facet in FACETS}
    assert {"value": "ecology", "label": "Bureau of ecology", "count": 1} in body["facets"][
        "organization"
    ]
    assert {"value": "open", "label": "Open", "count": 1} in body["facets"]["access"]


def test_titles_come_in_the_language_of_the_caller(client: FlaskClient, catalogue: None) -> None:
    response = client.get("/api/v1/datasets?q=空气", headers={"Accept-Language": "zh-CN"})
    assert response.json["results"][0]["title"] == "空气质量"
    body = client.get("/api/v1/datasets/air-quality?lang=zh").json
    assert (body["title"], body["texts"]["title"]["en"]) == ("空气质量", "Air quality")


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ("organization=health", {"clinics"}),
        ("organization=health&organization=ecology", {"clinics", "air-quality", "water-levels"}),
        ("theme=environment", {"air-quality"}),
        ("format=CSV", {"clinics"}),
        ("q=rivers", {"water-levels"}),
        ("organization=health&theme=environment", set()),
        ("organization=", None),
    ],
)
def test_facets_narrow_a_search(
    client: FlaskClient, catalogue: None, query: str, slugs: set[str] | None
) -> None:
    response = client.get(f"/api/v1/datasets?{query}")
    if slugs is None:
        assert response.status_code == 422
    else:
        assert {found["slug"] for found in response.json["results"]} == slugs


def test_next_leads_through_all_results(client: FlaskClient, catalogue: None) -> None:
    address, seen = (
        "/api/v1/datasets?limit=2&sort=title&lang=en&organization=ecology&organization=health",
        [],
    )
    while address:
        body = client.get(address).json
        seen += [found["slug"] for found in body["results"]]
        parts = urlsplit(body["next"] or "")
        address = f"{parts.path}?{parts.query}" if body["next"] else ""
    assert sorted(seen) == ["air-quality", "clinics", "water-levels"]
    assert client.get("/api/v1/datasets?limit=0").json["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        "limit=101",
        "offset=10001",
        "sort=best",
        "access=shut",
        "updated=today",
        "q=" + "a" * 301,
        "page=1",
    ],
)
def test_a_search_that_makes_no_sense_is_refused(
    client: FlaskClient, app: Flask, query: str
) -> None:
    response = client.get(f"/api/v1/datasets?{query}")
    assert response.status_code == 422
    assert set(response.json["problems"]) == {query.split("=")[0]}


def test_a_dataset_is_shown_with_its_tables(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    served: Served = make_served(tmp_path)
    body = client.get("/api/v1/datasets/air-quality").json
    assert body["resources"][0]["tables"][0]["id"] == served.table
    assert body["freshness"]["status"] in ("kept", "late", "unknown", "static")
    assert client.get(f"/api/v1/datasets/{served.dataset}").json["slug"] == "air-quality"


def test_an_unknown_dataset_is_not_found_and_a_withdrawn_one_gone(
    client: FlaskClient, app: Flask
) -> None:
    make_organization()
    put("Old", key="1")
    assert client.get("/api/v1/datasets/old").status_code == 200
    retire_unseen(SCHEDULER, "s1", [])
    assert client.get("/api/v1/datasets/old").status_code == 410
    response = client.get("/api/v1/datasets/nothing")
    assert response.status_code == 404
    assert "nothing" in response.json["detail"]


def test_organizations_are_listed_with_the_number_of_their_datasets(
    client: FlaskClient, catalogue: None
) -> None:
    body = client.get("/api/v1/organizations?lang=en").json
    assert body["total"] == 2
    assert [(found["slug"], found["datasets"]) for found in body["results"]] == [
        ("ecology", 2),
        ("health", 1),
    ]
    one = client.get("/api/v1/organizations/health?lang=zh").json
    assert one["title"] == "卫生健康委员会"
    assert client.get("/api/v1/organizations/nothing").status_code == 404


def test_the_root_leads_people_to_the_documentation(client: FlaskClient) -> None:
    page = client.get(
        "/api/v1/", headers={"Accept": "text/html,*/*;q=0.8", "Accept-Language": "zh"}
    )
    assert (page.status_code, page.headers["Location"]) == (302, "/zh/developers")
    assert client.get("/api/v1/").json["openapi"] == "http://localhost/api/v1/openapi.json"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_documentation_is_readable_with_and_without_tables(
    app: Flask, client: FlaskClient, tmp_path: Path, lang: str
) -> None:
    assert "TABLE_ID" in client.get(f"/{lang}/developers").get_data(as_text=True)
    served = make_served(tmp_path)
    page = client.get(f"/{lang}/developers").get_data(as_text=True)
    assert f"/api/v1/tables/{served.table}/rows" in page
    assert "RateLimit-Policy" in page
