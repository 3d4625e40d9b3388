"""Data that are not open: wherever a dataset is described, no address leads to them but for who may have them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from flask import Flask

from catalog.permissions import ANYONE, SCHEDULER
from catalog.services import catalogue, catalogue_copies
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_organization, put

SECRET = "hidden-91c2"
WITHHELD = ("closed", "on-application")
PLACES = (
    "/en/datasets/{slug}",
    "/zh/datasets/{slug}",
    "/api/v1/datasets/{slug}",
    "/api/v1/datasets?q={slug}",
    "/datasets/{slug}.ttl",
    "/datasets/{slug}.jsonld",
    "/datasets/{slug}.rdf",
    "/catalog.ttl",
    "/data.json",
    "/datasets/{slug}.schema.jsonld",
    "/datasets/{slug}.croissant.json",
    "/datasets/{slug}/datapackage.json",
    "/feeds/datasets.atom",
    "/oai?verb=ListRecords&metadataPrefix=oai_dc",
    "/oai?verb=ListRecords&metadataPrefix=dcat",
    "/api/v1/datasets/{slug}/history",
    "/en/datasets/{slug}/history?from=1&to=2",
    "/api/v1/datasets/{slug}/differences?older=1&newer=2",
)
WITHOUT_TABLES = ("/datasets/{slug}.croissant.json", "/datasets/{slug}/datapackage.json")
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("package_show", {"id": "{slug}"}),
    ("package_search", {"q": "*:*"}),
    (
        "package_search",
        {"q": "*:*", "fl": "id,name,res_url,resources,data_dict,validated_data_dict"},
    ),
    ("current_package_list_with_resources", {}),
    ("organization_show", {"id": "ecology", "include_datasets": True}),
    ("resource_show", {"id": "{resource}"}),
    ("resource_search", {"query": "name:File"}),
    ("resource_view_list", {"id": "{resource}"}),
    ("recently_changed_packages_activity_list", {}),
)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, dict[str, str]]]:
    """Two datasets whose data not everybody may have, each with two contents of before; slug → its resource."""
    with make_app(tmp_path_factory.mktemp("withheld")) as app:
        make_organization()
        for slug in WITHHELD:
            for end in ("a", "b"):
                put(
                    slug.capitalize(),
                    slug=slug,
                    access=slug.replace("-", "_"),
                    access_reason={"en": "The law"},
                    resources=[_link(f"https://example.org/{SECRET}/{end}.csv")],
                )
        found = {one.slug: one.resources[0].id for one in catalogue.page(SCHEDULER)}
        ours = Ckan(app.test_client(), make_key(name="maker"))
        for resource in found.values():
            ours.call(
                "resource_view_create",
                resource_id=resource,
                title="As a page",
                view_type="webpage_view",
                page_url=f"https://example.org/{SECRET}",
            )
        yield app, found


def _link(url: str) -> dict[str, Any]:
    further = {"cache_url": f"{url}.gz"}
    return {"key": "file", "title": {"en": "File"}, "format": "odd", "url": url, "extras": further}


@pytest.mark.parametrize("slug", WITHHELD)
def test_no_description_leads_to_data_that_are_not_open(
    portal: tuple[Flask, dict[str, str]], slug: str
) -> None:
    app, resources = portal
    client, key = app.test_client(), make_key(name=f"editor-{slug}")
    own = Ckan(client, key).call("package_show", id=slug)  # kept for who may have the data only
    assert SECRET in own["resources"][0]["url"]
    for place in PLACES:
        answer = client.get(place.format(slug=slug))
        assert answer.status_code == (404 if place in WITHOUT_TABLES else 200), place
        assert SECRET not in answer.text, place
    anyone = Ckan(client)
    for name, asked in CALLS:
        filled = {
            key: value.format(slug=slug, resource=resources[slug])
            if isinstance(value, str)
            else value
            for key, value in asked.items()
        }
        assert SECRET not in orjson.dumps(anyone.call(name, **filled)).decode(), name
    assert anyone.call("resource_search", query=f"url:{SECRET}")["count"] == 0
    link = client.get(f"/dataset/{slug}/resource/{resources[slug]}/download")
    assert (link.status_code, link.headers.get("Location")) == (404, None)


def test_no_activity_tells_where_data_that_are_not_open_are(
    portal: tuple[Flask, dict[str, str]],
) -> None:
    anyone = Ckan(portal[0].test_client())
    lines = anyone.call("package_activity_list", id="closed")
    assert lines
    for line in lines:
        shown = anyone.call("activity_show", id=line["id"])
        assert SECRET not in orjson.dumps(shown).decode()


def test_who_may_have_the_data_is_told_where_they_are(
    portal: tuple[Flask, dict[str, str]],
) -> None:
    app, resources = portal
    client, key = app.test_client(), make_key(name="reader")
    ours = Ckan(client, key)
    for name, asked in (
        ("package_show", {"id": "closed"}),
        ("package_search", {"q": "closed"}),
        ("resource_show", {"id": resources["closed"]}),
        ("resource_view_list", {"id": resources["closed"]}),
    ):
        assert SECRET in orjson.dumps(ours.call(name, **asked)).decode(), name
    assert ours.call("resource_search", query=f"url:{SECRET}")["count"] == len(WITHHELD)
    described = client.get("/api/v1/datasets/closed", headers={"Authorization": f"Bearer {key}"})
    assert SECRET in described.json["resources"][0]["url"]


@pytest.mark.parametrize("kind", catalogue_copies.KINDS)
def test_copies_of_the_catalogue_lead_to_no_data_that_are_not_open(
    portal: tuple[Flask, dict[str, str]], kind: str
) -> None:
    with portal[0].app_context():
        written = b"".join(catalogue_copies.KINDS[kind].write(catalogue.page(ANYONE)))
    text = gzip.decompress(written) if kind.endswith("gz") else written
    assert SECRET.encode() not in text
