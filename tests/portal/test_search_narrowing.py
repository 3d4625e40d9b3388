"""The catalogue's page: place and time, departments below departments, what was meant, suggestions."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.organization import Organization
from catalog.services import search
from tests.make_dataset import make_organization, make_theme, put
from tests.make_page import one, page, words


@pytest.fixture
def catalogue() -> None:
    """Datasets of a department and of an office of its office."""
    make_organization("ecology", title={"zh": "生态局", "en": "Ecology"})
    make_organization("centre", title={"zh": "监测中心", "en": "Centre"})
    make_organization("office", title={"zh": "大气处", "en": "Air office"})
    make_theme("environment", title={"zh": "环境", "en": "Environment"})
    with transaction():
        found = {row.slug: row for row in db.session.scalars(select(Organization))}
        found["centre"].parent_id = found["ecology"].id
        found["office"].parent_id = found["centre"].id
    put(
        "空气质量日报",
        slug="air",
        organization="office",
        spatial_code="310115",
        spatial_box=[121.0, 31.0, 122.0, 32.0],
        modified="2024-05-01",
        temporal_start="2020",
        temporal_end="2021-06",
        tags=["air quality", "监测"],
    )
    put("空气质量月报", slug="month", spatial="the harbour", modified="2025-01-01", tags=["监测"])
    search.forget_labels()


def test_departments_stand_below_those_that_they_belong_to(
    client: FlaskClient, catalogue: None
) -> None:
    soup = page(client, "/en/datasets")
    first = soup.select_one(".weft-facet")
    assert first is not None
    assert words(first, ".weft-facet__label") == ["Ecology", "Centre", "Air office"]
    assert words(first, ".weft-facet__count") == ["2", "1", "1"]
    assert len(first.select(".weft-facet__item--below")) == 2
    assert len(first.select(".weft-facet__item--deep")) == 1


def test_places_are_a_closed_fold_until_one_is_chosen(client: FlaskClient, catalogue: None) -> None:
    soup = page(client, "/zh/datasets")
    assert words(one(soup, "#facet-region"), ".weft-facet__label") == ["上海市", "浦东新区"]
    chosen = page(client, "/zh/datasets?region=310000")
    assert chosen.select_one("#facet-region") is None
    assert words(chosen, ".weft-hit__title") == ["空气质量日报"]
    assert "上海市" in one(chosen, ".weft-chips").get_text()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("place=上海", ["air"]),
        ("place=浦东新区", ["air"]),
        ("place=310000", ["air"]),
        ("place=310115001", ["air"]),
        ("place=harbour", ["month"]),
        ("place=999999", []),
        ("place=nowhere", []),
        ("box=120,30,121.5,31.5", ["air"]),
        ("box=0,0,1,1", []),
        ("updated_from=2024-05-01&updated_to=2024-05-01", ["air"]),
        ("updated_from=2024-06-01", ["month"]),
        ("updated_from=2024-06-01&updated_to=9999-12-31", ["month"]),
        ("q=310115", ["air"]),
        ("covers_from=2021-06-28", ["air"]),
        ("covers_from=2022-01-01", []),
        ("covers_to=2019-12-31", []),
        ("covers_to=2020-01-01&place=", ["air"]),
    ],
)
def test_place_and_time_narrow(
    client: FlaskClient, catalogue: None, asked: str, expected: list[str]
) -> None:
    soup = page(client, f"/en/datasets?{asked}")
    found = [link["href"].rsplit("/", 1)[1] for link in soup.select(".weft-hit__title a")]
    assert found == expected
    answer = client.get(f"/api/v1/datasets?{asked.removesuffix('&place=')}").get_json()
    assert [card["slug"] for card in answer["results"]] == expected


def test_a_place_is_a_chip_that_can_be_removed(client: FlaskClient, catalogue: None) -> None:
    soup = page(client, "/en/datasets?place=上海&q=空气")
    assert words(soup, ".weft-chip--remove") == ["Remove Place: 上海"]
    assert soup.select(".weft-chip--remove")[0]["href"].startswith("/en/datasets?q=")
    assert one(soup, "input[name=place]")["value"] == "上海"
    assert one(soup, "#facet-place").has_attr("open")


@pytest.mark.parametrize(
    "asked", ["updated_from=yesterday", "covers_to=2024-13-01", "box=1,2,3", "box=5,0,1,1", "box=x"]
)
def test_what_is_no_day_or_box_is_refused(client: FlaskClient, catalogue: None, asked: str) -> None:
    assert client.get(f"/en/datasets?{asked}").status_code == 400
    assert client.get(f"/api/v1/datasets?{asked}").status_code in (400, 422)


def test_what_was_meant_is_a_link(client: FlaskClient, catalogue: None) -> None:
    soup = page(client, "/en/datasets?q=空汽质量&format=")
    assert one(soup, ".weft-meant").get_text(strip=True) == "Did you mean:空气质量"
    link = one(soup, ".weft-meant a")["href"]
    assert len(page(client, str(link)).select(".weft-hit mark")) == 2
    assert client.get("/api/v1/datasets?q=空汽质量").get_json()["meant"] == "空气质量"


def test_suggestions_lead_to_datasets_departments_and_tags(
    client: FlaskClient, catalogue: None
) -> None:
    def lines(text: str) -> set[tuple[str, str, str]]:
        answer = client.get("/en/suggestions", query_string={"q": text}).get_json()
        return {(line["text"], line["kind"], line["address"]) for line in answer}

    assert ("空气质量日报", "", "/en/datasets/air") in lines("kqzl")
    assert ("Air office", "Organization", "/en/datasets?organization=office") in lines("air")
    assert ("air quality", "Tag", "/en/datasets?tag=air+quality") in lines("air")
    assert ("Environment", "Theme", "/en/datasets?theme=environment") in lines("envi")
    assert lines("") == set()
    answer = client.get("/api/v1/suggestions?q=dqc&lang=zh").get_json()["results"]
    assert answer[0] | {"count": 0} == {
        "kind": "organization",
        "text": "大气处",
        "value": "office",
        "type": "dataset",
        "count": 0,
    }


def test_similar_datasets_are_on_the_page_and_in_the_interface(
    client: FlaskClient, catalogue: None
) -> None:
    soup = page(client, "/zh/datasets/air")
    assert words(soup, ".weft-brief__title") == ["空气质量月报"]
    answer = client.get("/api/v1/datasets/air/similar?limit=1").get_json()
    assert [card["slug"] for card in answer["results"]] == ["month"]
