"""data.json, schema.org, data packages, Croissant: each judged by its own schema or reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import frictionless
import orjson
import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker

from tests.make_dataset import make_organization, put
from tests.make_feeds import make_catalogue, schema
from tests.make_table import STATION_ROWS


def body(client: FlaskClient, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return orjson.loads(answer.data)


def test_data_json_is_valid_under_the_schema_of_dcat_us(
    client: FlaskClient, tmp_path: Path
) -> None:
    make_catalogue(tmp_path)
    found = body(client, "/data.json")
    assert found["conformsTo"] == "https://project-open-data.cio.gov/v1.1/schema"
    check = Draft202012Validator(schema("non-federal_dataset.json"), format_checker=FormatChecker())
    for dataset in found["dataset"]:
        assert [error.message for error in check.iter_errors(dataset)] == []
        broken = {**dataset, "accessLevel": "perhaps"}
        assert not check.is_valid(broken)
    levels = {one["title"]: one["accessLevel"] for one in found["dataset"]}
    assert levels["Closed"] == "non-public"
    air = next(one for one in found["dataset"] if one["title"].startswith("Air"))
    assert air["spatial"] == "120.8,30.7,122.2,31.9"
    assert any(file["mediaType"] == "text/csv" for file in air["distribution"])


def test_an_empty_catalogue_is_valid_too(client: FlaskClient) -> None:
    assert body(client, "/data.json")["dataset"] == []


def test_the_page_of_a_dataset_has_what_search_engines_read(
    client: FlaskClient, tmp_path: Path
) -> None:
    make_catalogue(tmp_path)
    page = BeautifulSoup(client.get("/en/datasets/air").text, "html.parser")
    script = page.select_one('script[type="application/ld+json"]')
    assert script is not None
    inside = orjson.loads(script.text)
    assert inside == body(client, "/datasets/air.schema.jsonld?lang=en")
    assert (inside["@type"], inside["name"]) == ("Dataset", 'Air "quality" & <stations>')
    assert inside["spatialCoverage"]["geo"]["box"] == "30.7 120.8 31.9 122.2"
    assert inside["includedInDataCatalog"]["@type"] == "DataCatalog"
    assert len(inside["description"]) >= 50
    chinese = body(client, "/datasets/air.schema.jsonld?lang=zh")
    assert chinese["name"] == "空气质量"


def test_a_title_cannot_end_the_script_that_holds_it(client: FlaskClient) -> None:
    make_organization()
    put("</script><script>alert(1)</script>", slug="bad")
    page = BeautifulSoup(client.get("/en/datasets/bad").text, "html.parser")
    scripts = page.select("script:not([src])")
    assert [script["type"] for script in scripts] == ["application/ld+json"]
    assert orjson.loads(scripts[0].text)["name"] == "</script><script>alert(1)</script>"


def test_the_home_page_describes_the_catalogue(client: FlaskClient) -> None:
    page = BeautifulSoup(client.get("/zh/").text, "html.parser")
    script = page.select_one('script[type="application/ld+json"]')
    assert script is not None
    assert orjson.loads(script.text)["@type"] == "DataCatalog"


def test_frictionless_finds_a_data_package_valid_and_loads_its_rows(
    client: FlaskClient, tmp_path: Path
) -> None:
    make_catalogue(tmp_path)
    client.get("/datasets/air/datapackage.json").close()
    described = body(client, "/datasets/air/datapackage.json")
    for one in described["resources"]:  # what is fetched over the network is put beside it
        there = one["path"].removeprefix("http://localhost")
        (tmp_path / f"{one['name']}.csv").write_bytes(client.get(there).data)
        one["path"] = f"{one['name']}.csv"
    assert described["resources"][0]["hash"].startswith("sha256:")
    package = frictionless.Package(described, basepath=str(tmp_path))
    report = package.validate()
    assert report.valid, report.to_summary()
    rows = package.resources[0].read_rows()
    assert [row["No"] for row in rows] == [row["No"] for row in STATION_ROWS]


@pytest.mark.parametrize("path", ["/datasets/{}/datapackage.json", "/datasets/{}.croissant.json"])
def test_a_dataset_without_rows_for_everybody_is_no_package(
    client: FlaskClient, tmp_path: Path, path: str
) -> None:
    make_catalogue(tmp_path)
    for slug in ("closed", "files", "nothing"):
        assert client.get(path.format(slug)).status_code == 404


def test_croissant_names_every_column_and_the_hash_of_the_file(
    client: FlaskClient, tmp_path: Path
) -> None:
    make_catalogue(tmp_path)
    found = body(client, "/datasets/air.croissant.json")
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    [file] = found["distribution"]
    [records] = found["recordSet"]
    assert [field["name"] for field in records["field"]] == list(STATION_ROWS[0])
    content = client.get(file["contentUrl"].removeprefix("http://localhost")).data
    assert file["contentSize"] == f"{len(content)} B"
    kept = {"If-None-Match": client.get("/datasets/air.croissant.json").headers["ETag"]}
    assert client.get("/datasets/air.croissant.json", headers=kept).status_code == 304
