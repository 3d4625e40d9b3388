"""Datasets and resources as CKAN's clients see and make them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.models.vocabulary import State
from catalog.services import search
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_organization, make_table, put
from tests.make_portal import Served, make_served


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str, Served]]:
    folder = tmp_path_factory.mktemp("ckan")
    with make_app(folder) as app:
        served = make_served(folder, tags=["pm25"], license="CC-BY-4.0", contact="a@example.org")
        make_organization("transport")
        yield app, make_key(), served


@pytest.fixture
def ckan(portal: tuple[Flask, str, Served]) -> Ckan:
    return Ckan(portal[0].test_client(), portal[1])


@pytest.fixture
def served(portal: tuple[Flask, str, Served]) -> Served:
    return portal[2]


def test_a_dataset_is_shown_with_its_resources(ckan: Ckan, served: Served) -> None:
    package = ckan.call("package_show", id="air-quality")
    assert ckan.call("package_show", id=package["id"]) == package
    assert (package["name"], package["title"]) == ("air-quality", "Air quality")
    assert package["license_id"] == "CC-BY-4.0"
    assert package["isopen"] is True
    assert package["maintainer"] == "a@example.org"
    assert package["organization"]["name"] == "ecology"
    assert package["owner_org"] == package["organization"]["id"]
    assert [group["name"] for group in package["groups"]] == ["environment"]
    assert [tag["name"] for tag in package["tags"]] == ["pm25"]
    assert (package["num_resources"], package["num_tags"], package["private"]) == (1, 1, False)
    (resource,) = package["resources"]
    assert resource["id"] == served.resource
    assert (resource["format"], resource["name"]) == ("CSV", "空气")
    assert resource["datastore_active"] is True
    assert resource["datastore_tables"] == [served.table]
    assert ckan.call("resource_show", id=served.resource) == resource


def test_a_resource_of_several_tables_names_them(ckan: Ckan) -> None:
    made = put("Workbook", resources=[{"key": "book.xlsx", "format": "xlsx"}])
    resource_id = ckan.call("package_show", id=made.dataset_id)["resources"][0]["id"]
    tables = [make_table(resource_id, key=key) for key in ("one", "two")]
    resource = ckan.call("resource_show", id=resource_id)
    assert resource["datastore_active"] is False  # nothing was loaded into them
    assert resource["datastore_tables"] == []
    ckan.refused("datastore_search", 404, resource_id=resource_id)
    error = ckan.refused("datastore_create", 409, resource_id=resource_id, records=[{"a": 1}])
    assert all(table in error["resource_id"][0] for table in tables)


def test_names_of_datasets_come_in_pages(ckan: Ckan) -> None:
    put("Aardvarks", slug="aardvarks")
    names = ckan.call("package_list")
    assert names == sorted(names)
    assert ckan.call("package_list", limit=1, offset=1) == names[1:2]
    assert ckan.refused("package_list", 409, limit="x")["limit"] == ["Invalid integer"]


def test_datasets_are_found_by_words_and_fields(ckan: Ckan) -> None:
    search.index_due_datasets()

    def names(**asked: Any) -> list[str]:
        return [one["name"] for one in ckan.call("package_search", **asked)["results"]]

    assert "air-quality" in names()
    assert names(q="air quality")[0] == "air-quality"
    assert "air-quality" in names(q="*:*", fq='organization:ecology +res_format:"CSV"')
    assert names(fq="organization:transport") == []
    assert "air-quality" in names(fq="groups:(environment OR nothing)")
    assert len(names(rows=1, sort="metadata_modified desc")) == 1
    assert ckan.call("package_search", rows=0)["count"] >= 1
    assert ckan.refused("package_search", 409, fq="author:me")["fq"] == ["Unknown field: author"]
    assert ckan.refused("package_search", 409, start=10**9)["message"]


def test_a_dataset_is_made_with_resources(ckan: Ckan) -> None:
    with transaction():
        organization = db.session.query(Organization).filter_by(slug="ecology").one().id
    package = ckan.call(
        "package_create",
        name="novels",
        title="小说",
        notes="**all** of them",
        owner_org=organization,
        license_id="odc-odbl",
        url="https://example.org/novels",
        author="Wang",
        version="1.1",
        tags=[{"name": "小说"}, "books"],
        extras=[{"key": "shelf", "value": "7"}],
        resources=[
            {"name": "file", "url": "https://example.org/a.csv", "format": "csv", "hash": "abc"}
        ],
    )
    assert (package["title"], package["notes"]) == ("小说", "**all** of them")
    assert (package["license_id"], package["license_title"]) == ("other", "odc-odbl")
    assert (package["author"], package["version"]) == ("Wang", "1.1")
    assert package["extras"] == [{"key": "shelf", "value": "7"}]
    assert [tag["name"] for tag in package["tags"]] == ["小说", "books"]
    (resource,) = package["resources"]
    assert (resource["url"], resource["hash"]) == ("https://example.org/a.csv", "abc")
    assert resource["datastore_active"] is False
    added = ckan.call(
        "resource_create",
        package_id="novels",
        name="file",
        url="https://example.org/b.csv",
        size="12",
    )
    assert added["position"] == 1
    assert added["size"] == 12
    assert ckan.call("package_show", id="novels")["num_resources"] == 2


def test_what_is_private_is_closed(ckan: Ckan) -> None:
    package = ckan.call("package_create", name="secret", owner_org="ecology", private=True)
    assert package["private"] is True
    made = ckan.call(
        "datastore_create", resource={"package_id": "secret"}, records=[{"spam": "ham"}]
    )
    assert ckan.records(made["resource_id"]) == [{"_id": 1, "spam": "ham"}]
    Ckan(ckan.client).refused("datastore_search", 403, resource_id=made["resource_id"])
    listed = Ckan(ckan.client).records("_table_metadata", limit=1000)
    assert made["resource_id"] not in [row["name"] for row in listed]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, {"name": ["Missing value"]}),
        ({"name": "a"}, {"owner_org": ["An organization must be provided"]}),
        ({"name": "a", "owner_org": "nope"}, {"owner_org": ["Organization does not exist"]}),
        ({"name": "air-quality", "owner_org": "ecology"}, {"name": ["That URL is already in use."]}),
        ({"name": "Not a name", "owner_org": "ecology"}, {"slug": ["Use lower-case letters a to z, digits, - and _."]}),
        ({"name": "b", "owner_org": "ecology", "resources": ["x"]}, {"resources": ["Not a dict"]}),
    ],
)  # fmt: skip
def test_a_dataset_that_cannot_be_is_refused(
    ckan: Ckan, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    said = ckan.refused("package_create", 409, **asked)
    assert said == {**error, "__type": "Validation Error"}
    if asked.get("name") != "air-quality":
        assert asked.get("name") not in ckan.call("package_list")


def test_only_editors_of_a_department_write_there(ckan: Ckan) -> None:
    error = ckan.refused("package_create", 403, name="buses", owner_org="transport")
    assert error["__type"] == "Authorization Error"


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, {"package_id": ["Missing value"]}),
        ({"package_id": "air-quality", "upload": "x"}, {"upload": ["Files cannot be uploaded by this action"]}),
        ({"package_id": "air-quality", "url": "javascript:x"}, {"url": ["Must be a web address that starts with https:// or http://."]}),
        ({"package_id": "air-quality", "more": "x" * 60_000}, {"__extras": ["larger than 50000 bytes"]}),
    ],
)  # fmt: skip
def test_a_resource_that_cannot_be_is_refused(
    ckan: Ckan, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    assert ckan.refused("resource_create", 409, **asked) == {**error, "__type": "Validation Error"}


def test_a_harvested_dataset_changes_at_its_source_only(ckan: Ckan) -> None:
    put("Harvested", key="k1", slug="harvested", resources=[{"key": "a"}])
    error = ckan.refused("resource_create", 409, package_id="harvested", name="x")
    assert "harvested" in error["package_id"][0]
    resource = ckan.call("package_show", id="harvested")["resources"][0]
    assert "harvested" in ckan.refused("resource_delete", 409, id=resource["id"])["message"]


def test_what_is_not_there_or_withdrawn_is_not_found(ckan: Ckan) -> None:
    for action, said in (
        ("package_show", "Not found: "),
        ("resource_show", "Not found: Resource was not found."),
        ("resource_delete", "Not found: Resource was not found."),
    ):
        error = ckan.refused(action, 404, id="nope")
        assert error["message"].startswith(said)
        assert ckan.refused(action, 409)["id"] == ["Missing value"]
    made = put("Gone", slug="gone", resources=[{"key": "a"}])
    resource = ckan.call("package_show", id="gone")["resources"][0]["id"]
    with transaction():
        db.session.get_one(Dataset, made.dataset_id).state = State.WITHDRAWN
    nobody = Ckan(ckan.client)
    nobody.refused("package_show", 404, id="gone")
    nobody.refused("resource_show", 404, id=resource)
    assert "gone" not in nobody.call("package_list")


def test_a_dataset_holds_so_many_resources(ckan: Ckan, monkeypatch: pytest.MonkeyPatch) -> None:
    put("Small", slug="small")
    monkeypatch.setattr("catalog.services.resources.MOST", 1)
    ckan.call("resource_create", package_id="small", name="a")
    error = ckan.refused("resource_create", 409, package_id="small", name="b")
    assert error["package_id"] == ["a dataset has at most 1 resources"]
