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
from catalog.permissions import ANYONE
from catalog.services import datasets, search
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_organization, make_table, make_theme, put
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


def test_themes_of_one_position_have_the_same_order_everywhere(ckan: Ckan) -> None:
    for slug in ("zinc", "arsenic"):
        make_theme(slug)
    made = put("Metals", themes=["zinc", "arsenic"])
    groups = ckan.call("package_show", id=made.dataset_id)["groups"]
    themes = datasets.show(ANYONE, made.dataset_id).themes
    assert [group["name"] for group in groups] == ["arsenic", "zinc"]
    assert [theme.slug for theme in themes] == ["arsenic", "zinc"]


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
    assert names(fq="author:me") == []
    assert ckan.refused("package_search", 409, start=10**9, q="x")["__type"] == "Search Error"


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
        tags=[{"name": "小说"}, {"name": "books"}],
        extras=[{"key": "shelf", "value": "7"}],
        resources=[
            {"name": "file", "url": "https://example.org/a.csv", "format": "csv", "hash": "abc"}
        ],
    )
    assert (package["title"], package["notes"]) == ("小说", "**all** of them")
    assert (package["license_id"], package["license_title"]) == (
        "odc-odbl",
        "Open Data Commons Open Database License (ODbL)",
    )
    assert (package["author"], package["version"]) == ("Wang", "1.1")
    assert package["extras"] == [{"key": "shelf", "value": "7"}]
    assert [tag["name"] for tag in package["tags"]] == ["books", "小说"]
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


OWNED = {"owner_org": "ecology"}


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, {"name": ["Missing value"], "owner_org": ["An organization must be provided"]}),
        ({"name": "ab"}, {"owner_org": ["An organization must be provided"]}),
        ({"name": "air-quality", **OWNED}, {"name": ["That URL is already in use."]}),
        ({"name": "a", **OWNED}, {"name": ["Must be at least 2 characters long"]}),
        ({"name": "a" * 101, **OWNED}, {"name": ["Name must be a maximum of 100 characters long"]}),
        ({"name": "edit", **OWNED}, {"name": ["That name cannot be used"]}),
        ({"name": 12, **OWNED}, {"name": ["Names must be strings"]}),
        ({"name": "Not a name", **OWNED}, {"name": [
            "Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"]}),
        ({"name": "b1", "id": "x", **OWNED}, {"id": ["The input field id was not expected."]}),
        ({"name": "b1", "version": "1" * 101, **OWNED}, {"version": [
            "Version must be a maximum of 100 characters long"]}),
        ({"name": "b1", "author_email": "nobody", **OWNED}, {"author_email": [
            "Email nobody is not a valid format"]}),
        ({"name": "b1", "tags": [{"name": "x"}, {"name": "ok"}, {"name": "a/b"}, {}], **OWNED}, {"tags": [
            'Tag "x" length is less than minimum 2',
            'Tag "a/b" can only contain alphanumeric characters, spaces (" "), hyphens ("-"), underscores ("_") or dots (".")',
            "Missing value"]}),
        ({"name": "b1", "tag_string": "good,x", **OWNED}, {"tag_string": ['Tag "x" length is less than minimum 2']}),
        ({"name": "b1", "tags": [{"name": "good", "vocabulary_id": "x"}], **OWNED}, {"tags": ["Tag vocabulary was not found."]}),
        ({"name": "b1", "extras": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], **OWNED},
         {"extras_validation": ['Duplicate key "a"']}),
        ({"name": "b1", "extras": [{"key": "a", "value": 1}, {"value": 1}, {"key": "title", "value": 1}, {"key": "x"}], **OWNED},
         {"extras": [{}, {"key": ["Missing value"]}, {"key": ["There is a schema field with the same name"]},
                     {"value": ["Missing value"]}]}),
        ({"name": "b1", "resources": [{"url": "http://a"}, {"size": "much"}, {"id": "../x"}, {"last_modified": "late"}], **OWNED},
         {"resources": [{}, {"size": ["Invalid integer"]}, {"id": ["Invalid id provided"]},
                        {"last_modified": ["Date format incorrect"]}]}),
        ({"name": "b1", "more": [{"a": 1}], **OWNED}, {"__junk": ["The input field ['more'] was not expected."]}),
    ],
)  # fmt: skip
def test_a_dataset_that_cannot_be_is_refused_as_by_ckan(
    ckan: Ckan, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    said = ckan.refused("package_create", 409, **asked)
    assert said == {**error, "__type": "Validation Error"}
    if asked.get("name") != "air-quality":
        assert asked.get("name") not in ckan.call("package_list")


@pytest.mark.parametrize("name", ["resources", "tags", "extras", "groups"])
def test_lists_hold_dictionaries(ckan: Ckan, name: str) -> None:
    error = ckan.refused("package_create", 400, name="b1", owner_org="ecology", **{name: ["x"]})
    assert error["__type"] == "Integrity Error"
    assert f"('{name}',)" in error["message"]


def test_only_editors_of_a_department_write_there(ckan: Ckan) -> None:
    for owner in ("transport", "nope"):
        error = ckan.refused("package_create", 403, name="buses", owner_org=owner)
        assert error == {
            "__type": "Authorization Error",
            "message": "Access denied: User editor not authorized to add dataset to this organization",
        }


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, {"package_id": ["Missing value"]}),
        ({"package_id": "small", "url": "javascript:x"}, {"url": ["Must be a web address that starts with https:// or http://."]}),
        ({"package_id": "small", "more": "x" * 60_000}, {"__extras": ["larger than 50000 bytes"]}),
        ({"package_id": "small", "size": "x"}, {"size": ["Invalid integer"]}),
    ],
)  # fmt: skip
def test_a_resource_that_cannot_be_is_refused(
    ckan: Ckan, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    put("Small", slug="small")
    assert ckan.refused("resource_create", 409, **asked) == {**error, "__type": "Validation Error"}


def test_a_harvested_dataset_changes_at_its_source_only(ckan: Ckan) -> None:
    put("Harvested", key="k1", slug="harvested", resources=[{"key": "a"}])
    error = ckan.refused("resource_create", 409, package_id="harvested", name="x")
    assert "harvested" in error["message"][0]
    resource = ckan.call("package_show", id="harvested")["resources"][0]
    assert "harvested" in ckan.refused("resource_delete", 409, id=resource["id"])["message"]


def test_what_is_not_there_or_withdrawn_is_not_found(ckan: Ckan) -> None:
    for action, said in (
        ("package_show", "Not found"),
        ("package_update", "Not found: Package was not found."),
        ("package_delete", "Not found"),
        ("resource_show", "Not found"),
        ("resource_update", "Not found: Resource was not found."),
        ("resource_delete", "Not found"),
    ):
        error = ckan.refused(action, 404, id="nope")
        assert error["message"] == said
        field = "name_or_id" if action == "package_show" else "id"
        assert ckan.refused(action, 409)[field] in (["Missing value"], "Missing value")
    made = put("Gone", slug="gone", resources=[{"key": "a"}])
    resource = ckan.call("package_show", id="gone")["resources"][0]["id"]
    with transaction():
        db.session.get_one(Dataset, made.dataset_id).state = State.WITHDRAWN
    nobody = Ckan(ckan.client)
    refused = nobody.refused("package_show", 403, id="gone")
    said = f"Access denied: User  not authorized to read package {made.dataset_id}"
    assert refused == {"__type": "Authorization Error", "message": said}
    nobody.refused("resource_show", 403, id=resource)
    assert ckan.call("package_show", id="gone")["state"] == "deleted"
    assert "gone" not in nobody.call("package_list")


def test_a_dataset_holds_so_many_resources(ckan: Ckan) -> None:
    put("Small", slug="small")
    many = [{"name": str(at)} for at in range(2001)]
    error = ckan.refused("package_patch", 409, id="small", resources=many)
    assert error["resources"] == ["Longer than maximum length 2000."]
