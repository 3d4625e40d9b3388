"""Pages of series, data services, the standard of data elements, and the hierarchy of organizations."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from catalog.db import db, transaction
from catalog.models.base import now
from catalog.models.service import ServiceCheck
from catalog.permissions import SCHEDULER
from catalog.schemas.data_service import data_service_draft
from catalog.schemas.series import series_draft
from catalog.services import conformance, data_services, series, standard_files
from tests.make_dataset import make_organization, put
from tests.make_page import HOSTILE, LANGUAGES, href, one, page, words
from tests.make_portal import make_served

STARTER = Path(__file__).parents[2] / "demo" / "standards" / "elements.json"


def make_series() -> None:
    make_organization()
    said = {"slug": "budgets", "organization": "ecology", "title": {"en": "Budgets", "zh": "预算"}}
    series.put(SCHEDULER, series_draft({**said, "description": {"en": HOSTILE}}))
    for year in ("2021", "2022", "2023"):
        put(f"Budget {year}", series="budgets", series_position=int(year), temporal_start=year)


def make_service(**fields: object) -> str:
    make_organization()
    said = {
        "slug": "air",
        "organization": "ecology",
        "title": {"en": "Air interface", "zh": "空气接口"},
        "endpoint_url": "https://air.example.org/api",
        "parameters": [{"name": "station", "required": True, "description": {"en": HOSTILE}}],
        "limits": {"en": "60 calls a minute"},
        **fields,
    }
    return data_services.put(SCHEDULER, data_service_draft(said)).id


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_series_and_its_datasets_lead_to_each_other(client: FlaskClient, lang: str) -> None:
    make_series()
    assert len(page(client, f"/{lang}/series").select(".weft-hit")) == 1
    soup = page(client, f"/{lang}/series/budgets")
    assert words(soup, ".weft-hit__title") == ["Budget 2021", "Budget 2022", "Budget 2023"]
    soup = page(client, f"/{lang}/datasets/budget-2022")
    assert href(soup, ".weft-series a[rel=prev]") == f"/{lang}/datasets/budget-2021"
    assert href(soup, ".weft-series a[rel=next]") == f"/{lang}/datasets/budget-2023"
    series.rename(SCHEDULER, "budgets", "city-budgets")
    assert client.get(f"/{lang}/series/budgets").status_code == 301
    series.withdraw(SCHEDULER, "city-budgets")
    page(client, f"/{lang}/series/budgets", 410)


def test_empty_lists_say_so(client: FlaskClient) -> None:
    for path in ("series", "services", "standards"):
        assert "There are none yet." in page(client, f"/en/{path}").get_text()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_service_says_how_it_is_asked_and_whether_it_answers(
    client: FlaskClient, lang: str
) -> None:
    make_organization()
    put("Readings")
    id_ = make_service(datasets=["readings"])
    assert not page(client, f"/{lang}/services/air").select("svg.weft-uptime")
    with transaction():
        for days, ok in ((0, True), (1, True), (1, False)):
            at = now() - timedelta(days=days, minutes=1)
            db.session.add(ServiceCheck(service_id=id_, at=at, ok=ok, milliseconds=20, status=200))
    soup = page(client, f"/{lang}/services/air")
    assert words(soup, ".weft-figure__value")[0] == "100 %"
    assert "66.6 %" in words(soup, ".weft-figure__value")
    assert len(soup.select("svg.weft-uptime rect")) == 90
    assert href(soup, "[aria-labelledby=served] a") == f"/{lang}/datasets/readings"
    soup = page(client, f"/{lang}/datasets/readings")
    assert soup.select(f"a[href='/{lang}/services/air']")
    assert len(page(client, f"/{lang}/services").select(".weft-hit")) == 1
    data_services.rename(SCHEDULER, "air", "air-quality")
    assert client.get(f"/{lang}/services/air").status_code == 301
    data_services.withdraw(SCHEDULER, "air", {"en": "Replaced", "zh": "已替换"})
    text = page(client, f"/{lang}/services/air", 410).get_text()
    assert {"en": "Replaced", "zh": "已替换"}[lang] in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_standard_and_what_is_bound_to_it(
    client: FlaskClient, tmp_path: Path, lang: str
) -> None:
    standard_files.load(SCHEDULER, STARTER.read_bytes(), "json")
    served = make_served(tmp_path)
    conformance.bind(SCHEDULER, served.table, "站点", "DE00001")
    assert len(page(client, f"/{lang}/standards").select("tbody tr")) == 22
    assert len(page(client, f"/{lang}/standards?q=3304").select("tbody tr")) == 1
    soup = page(client, f"/{lang}/standards/DE00001")
    assert words(soup, "[aria-labelledby=uses] .weft-hit__title") == ["站点"]
    assert "0 %" in soup.get_text()
    soup = page(client, f"/{lang}/tables/{served.table}?view=columns")
    assert href(soup, ".weft-standard a") == f"/{lang}/standards/DE00001"
    assert len(page(client, f"/{lang}/standards/DE00007").select(".weft-codes div")) == 56
    for name in ("standard.json", "elements.csv", "codes.xlsx"):
        assert client.get(f"/{lang}/standards/files/{name}").status_code == 200
    page(client, f"/{lang}/standards/DE9", 404)
    page(client, f"/{lang}/standards/files/colours.csv", 404)


def test_organizations_stand_in_their_hierarchy(client: FlaskClient) -> None:
    make_organization("city", kind="city", title={"en": "City"})
    make_organization("ecology", parent="city", title={"en": "Ecology"}, contact={"phone": "12345"})
    make_organization("laboratory", parent="ecology", kind="office", title={"en": "Laboratory"})
    put("Air", organization="laboratory")
    soup = page(client, "/en/organizations")
    assert words(soup, ".weft-department__title") == ["City", "Ecology"]
    assert words(soup, ".weft-offices a") == ["Laboratory"]
    assert "(0 of them its own)" in words(soup, ".weft-department__count")[1]
    soup = page(client, "/en/organizations/laboratory")
    assert words(soup, ".govuk-breadcrumbs__list-item") == [
        "Home",
        "Departments",
        "City",
        "Ecology",
    ]
    soup = page(client, "/en/organizations/ecology")
    assert words(soup, ".weft-hit__title") == ["Air"]
    assert "12345" in one(soup, ".weft-band").get_text()


def test_a_dataset_shows_all_that_is_said_of_it(client: FlaskClient) -> None:
    choice = [{"value": "A", "label": {"en": "Class A"}}]
    fields = [
        {"name": "level", "label": {"en": "Level"}, "type": "choice", "choices": choice},
        {"name": "cost", "label": {"en": "Cost"}, "type": "number"},
        {"name": "begun", "label": {"en": "Begun"}, "type": "date"},
        {"name": "checked", "label": {"en": "Checked"}, "type": "boolean"},
        {"name": "note", "label": {"en": "Note"}},
    ]
    make_organization("ecology", fields=fields)
    put(
        "Air",
        title={"en": "Air", "zh": "空气"},
        machine={"title": ["en"]},
        identifier="510107-0001",
        spatial_code="510107",
        spatial_box=[103.9, 30.5, 104.1, 30.7],
        custom={"level": "A", "cost": 1.5, "begun": "2024-02-29", "checked": True},
        details={
            "share_type": "conditional",
            "languages": ["zh", "en"],
            "contact_point": {"name": "Li", "phone": "12345"},
            "provenance": {"en": "Measured *hourly*."},
            "conforms_to": ["https://example.org/standard"],
            "spatial_resolution": 30.0,
        },
    )
    soup = page(client, "/en/datasets/air")
    text = " ".join(one(soup, "aside").get_text(" ").split())
    for said in (
        "510107-0001",
        "武侯区",
        "Class A",
        "1.5",
        "Shared on conditions",
        "Li",
        "Measured hourly .",
        "yes",
        "30.5 to 30.7 north",
    ):
        assert said in text, said
    assert words(soup, ".weft-origin") == ["Machine translation"]
    assert one(soup, ".weft-extent svg")["aria-label"].startswith("Map of the area covered: 30.5")
    assert len(soup.select(".weft-extent__box")) == 1
    others = href(soup, ".weft-extent figcaption a")
    assert words(page(client, others), ".weft-hit__title") == ["Air"]


def test_the_api_tells_of_all_of_them(client: FlaskClient, tmp_path: Path) -> None:
    make_series()
    make_service()
    standard_files.load(SCHEDULER, STARTER.read_bytes(), "json")
    shown = client.get("/api/v1/series/budgets").json
    assert [one["slug"] for one in shown["datasets"]] == [
        "budget-2021",
        "budget-2022",
        "budget-2023",
    ]
    assert client.get("/api/v1/series?limit=1").json["total"] == 1
    assert client.get("/api/v1/services/air").json["uptime"]["median_ms"] is None
    assert client.get("/api/v1/services").json["results"][0]["slug"] == "air"
    listed = client.get("/api/v1/standards/elements?limit=5").json
    assert (listed["total"], len(listed["results"])) == (22, 5)
    assert "offset=5" in listed["next"]
    assert len(client.get("/api/v1/standards/elements/DE00007").json["codes"]["entries"]) == 56
