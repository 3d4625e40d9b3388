"""`package_search` with Solr's parameters, as CKAN's clients send them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from api.ckan.search_fields import moment_of
from api.ckan.solr_query import All, Between, No, Value, WrongQuery, parse
from api.ckan.solr_query import Any as Either
from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.tag import Tag, Vocabulary
from catalog.models.vocabulary import Role
from catalog.search import SearchQuery
from catalog.services import search
from catalog.services.browsing import browse
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_organization, make_theme, put


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Ckan, Ckan]]:
    with make_app(tmp_path_factory.mktemp("ckan")) as app:
        for slug in ("ecology", "transport"):
            make_organization(slug)
        make_theme("environment")
        make_theme("roads", title={"en": "Roads", "zh": "道路"})
        with transaction():
            vocabulary = Vocabulary(name="scale")
            vocabulary.tags = [Tag(name="local")]
            db.session.add(vocabulary)
        client = app.test_client()
        ckan = Ckan(client, make_key())
        root = Ckan(client, make_key(name="root", role=Role.ADMINISTRATOR))
        fill(ckan, root)
        yield app, ckan, root


def fill(ckan: Ckan, root: Ckan) -> None:
    """Five datasets that differ in everything that is asked for."""
    put("Air quality by the hour", slug="air", license="CC-BY-4.0", tags=["air", "pm2.5"], themes=["environment"],
        description={"en": "Measured by stations"}, extras={"spatial": "city", "level": "3"},
        vocabulary_tags={"scale": ["local"]}, resources=[{"key": "a", "format": "CSV"}, {"key": "b", "format": "XLSX"}])  # fmt: skip
    put("Water quality of rivers", slug="water", license="CC0-1.0", tags=["water"], themes=["environment"],
        resources=[{"key": "a", "format": "CSV"}])  # fmt: skip
    put("Bus stops", slug="bus-stops", organization="transport", tags=["bus", "economy"], themes=["roads"],
        resources=[{"key": "a", "format": "GeoJSON"}])  # fmt: skip
    put("Bicycles", slug="bicycles", organization="transport", tags=["economy"])
    days = {"air": 1, "water": 2, "bus-stops": 3, "bicycles": 4}
    with transaction():
        for dataset in db.session.scalars(select(Dataset)):
            moment = datetime(2026, 1, days[dataset.slug], tzinfo=UTC)
            dataset.created_at = dataset.updated_at = dataset.index_due = moment
    search.index_due_datasets()
    ckan.call(
        "package_create", name="secret", title="Secret wells", owner_org="ecology", private=True
    )
    root.call(
        "package_create", name="unfinished", title="Unfinished", owner_org="ecology", state="draft"
    )


@pytest.fixture
def ckan(portal: tuple[Flask, Ckan, Ckan]) -> Ckan:
    return portal[1]


def names(ckan: Ckan, **asked: Any) -> list[str]:
    return sorted(one["name"] for one in ckan.call("package_search", **asked)["results"])


ALL = ["air", "bicycles", "bus-stops", "water"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ALL),
        ({"q": "*:*"}, ALL),
        ({"q": '""'}, ALL),
        ({"q": "quality"}, ["air", "water"]),
        ({"q": '"water quality"'}, ["water"]),
        ({"q": "quality -water"}, ["air"]),
        ({"q": "title:quality"}, ["air", "water"]),
        ({"q": "title:bus OR title:rivers"}, ["bus-stops", "water"]),
        ({"q": "name:air"}, ["air"]),
        ({"q": "name:b*"}, ["bicycles", "bus-stops"]),
        ({"q": "notes:stations"}, ["air"]),
        ({"q": "quality organization:ecology"}, ["air", "water"]),
        ({"q": "quality AND tags:water"}, ["water"]),
        ({"fq": "tags:economy"}, ["bicycles", "bus-stops"]),
        ({"fq": "tags:(air OR water)"}, ["air", "water"]),
        ({"fq": "tags:pm2.5"}, ["air"]),
        ({"fq": "-tags:economy"}, ["air", "water"]),
        ({"fq": "organization:transport +tags:bus"}, ["bus-stops"]),
        ({"fq": "organization:transport -tags:bus"}, ["bicycles"]),
        ({"fq": "groups:environment"}, ["air", "water"]),
        ({"fq": "res_format:CSV"}, ["air", "water"]),
        ({"fq": 'res_format:"GeoJSON"'}, ["bus-stops"]),
        ({"fq": "license_id:cc0-1.0"}, ["water"]),
        ({"fq": "license_id:(CC-BY-4.0 OR CC0-1.0)"}, ["air", "water"]),
        ({"fq": "isopen:true"}, ["air", "water"]),
        ({"fq": "extras_spatial:city"}, ["air"]),
        ({"fq": "spatial:city"}, ["air"]),
        ({"fq": "extras_level:[2 TO 4]"}, ["air"]),
        ({"fq": "extras_spatial:*"}, ["air"]),
        ({"fq": "vocab_scale:local"}, ["air"]),
        ({"fq": "num_resources:[1 TO *]"}, ["air", "bus-stops", "water"]),
        ({"fq": "num_resources:2"}, ["air"]),
        ({"fq": "metadata_modified:[NOW-50YEARS TO *]"}, ALL),
        ({"fq": "metadata_modified:[* TO 2026-01-02T23:00:00Z]"}, ["air", "water"]),
        ({"fq": "metadata_created:[2020-01-01T00:00:00Z TO NOW+1DAY]"}, ALL),
        ({"fq": "metadata_modified:{2020-01-01T00:00:00Z TO 2021-01-01T00:00:00Z}"}, []),
        ({"fq": "type:dataset site_id:default entity_type:package"}, ALL),
        ({"fq": "state:active capacity:public"}, ALL),
        ({"fq": "nobody_has_this:x"}, []),
        ({"fq_list": ["tags:economy", "name:bus-stops"]}, ["bus-stops"]),
        ({"q": "quality^2 title:air~1"}, ["air"]),
    ],
)  # fmt: skip
def test_solrs_language_is_understood(ckan: Ckan, asked: dict[str, Any], found: list[str]) -> None:
    assert names(ckan, **asked) == found


def test_rows_start_and_order(ckan: Ckan) -> None:
    def listed(**asked: Any) -> list[str]:
        return [one["name"] for one in ckan.call("package_search", **asked)["results"]]

    assert listed(sort="name asc") == ALL
    assert listed(sort="name desc") == ALL[::-1]
    assert listed(sort="title_string asc, name asc")[0] == "air"
    assert listed(sort="metadata_modified desc") == ["bicycles", "bus-stops", "water", "air"]
    assert listed(sort="metadata_modified asc") == ["air", "water", "bus-stops", "bicycles"]
    assert listed(sort="metadata_created desc, name asc")[0] == "bicycles"
    ids = [one["id"] for one in ckan.call("package_search", sort="id asc")["results"]]
    assert ids == sorted(ids)
    assert listed(sort="name asc", rows=2, start=1) == ALL[1:3]
    assert listed(sort="views_recent desc, colour asc, name desc") == ALL[::-1]
    assert listed(sort="views_recent desc, name asc", rows=2, start=1) == ALL[1:3]
    page = ckan.call("package_search", rows="0")
    assert (page["count"], page["results"], page["sort"]) == (
        4,
        [],
        "score desc, metadata_modified desc",
    )
    assert len(listed(rows=5000)) == 4


def test_all_datasets_are_paged_through_to_the_end(
    ckan: Ckan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.ckan.package_search.MOST_OFFSET", 1)
    for sort in ("id asc", "id desc", "name asc", "metadata_modified desc", "metadata_created asc"):
        whole = ckan.call("package_search", sort=sort)
        pages = [ckan.call("package_search", sort=sort, rows=1, start=at) for at in range(5)]
        assert [one["name"] for page in pages for one in page["results"]] == [
            one["name"] for one in whole["results"]
        ]
        assert {page["count"] for page in pages} == {4}


def test_results_are_whole_datasets_or_some_fields(ckan: Ckan) -> None:
    found = ckan.call("package_search", fq="name:air")["results"]
    assert found == [ckan.call("package_show", id="air")]
    fields = ["tags", "groups", "organization", "res_format", "capacity", "metadata_modified"]
    (document,) = ckan.call("package_search", fq="name:air", fl=fields)["results"]
    package = ckan.call("package_show", id="air")
    assert document == {
        "tags": [tag["name"] for tag in package["tags"] if not tag["vocabulary_id"]],
        "groups": [group["name"] for group in package["groups"]],
        "organization": package["organization"]["name"],
        "res_format": [one["format"] for one in package["resources"]],
        "capacity": "public",
        "metadata_modified": f"{package['metadata_modified'][:23]}Z",
    }
    some = ckan.call("package_search", fq="name:air", fl=["name", "extras_level", "nothing"])
    assert some["results"] == [{"name": "air", "extras_level": "3"}]
    assert (
        ckan.call("package_search", fq="name:air", fl="id,name")["results"][0]["id"]
        == found[0]["id"]
    )


def test_facets_count_values_with_their_names(ckan: Ckan) -> None:
    fields = (
        '["organization", "groups", "tags", "res_format", "license_id", "extras_level", "state"]'
    )
    page = ckan.call("package_search", rows=0, **{"facet.field": fields})
    assert page["facets"]["organization"] == {"ecology": 2, "transport": 2}
    assert page["facets"]["res_format"] == {"CSV": 2, "GeoJSON": 1, "XLSX": 1}
    assert page["facets"]["tags"]["economy"] == 2
    assert page["facets"]["extras_level"] == {"3": 1}
    assert page["facets"]["state"] == {"active": 4}
    groups = page["search_facets"]["groups"]
    assert groups == {
        "title": "groups",
        "items": [
            {"name": "roads", "display_name": "Roads", "count": 1},
            {"name": "environment", "display_name": "Environment", "count": 2},
        ],
    }
    licenses = page["search_facets"]["license_id"]["items"]
    assert {
        "name": "CC-BY-4.0",
        "display_name": "Creative Commons Attribution 4.0",
        "count": 1,
    } in licenses
    some = ckan.call("package_search", **{"facet.field": ["tags"], "facet.limit": 1})
    assert some["facets"] == {"tags": {"economy": 2}}
    assert (
        len(
            ckan.call("package_search", **{"facet.field": ["tags"], "facet.limit": -1})["facets"][
                "tags"
            ]
        )
        == 5
    )
    least = ckan.call("package_search", **{"facet.field": ["tags"], "facet.mincount": 2})
    assert least["facets"] == {"tags": {"economy": 2}}
    assert ckan.call("package_search", facet="false", **{"facet.field": ["tags"]})["facets"] == {}


def test_a_licence_is_counted_and_found_as_it_is_shown(ckan: Ckan) -> None:
    made = ckan.call("package_create", name="free", title="Freely given", owner_org="ecology")
    for id_ in ("cc-by", "uk-ogl", "other-nc", "MIT", "of-our-own"):
        package = ckan.call("package_patch", id="free", license_id=id_)
        assert package["license_id"] == id_
        page = ckan.call("package_search", rows=0, **{"facet.field": ["license_id"]})
        assert page["facets"]["license_id"][id_] == 1
        assert "other" not in page["facets"]["license_id"]
        assert names(ckan, fq=f"license_id:{id_}") == ["free"]
        db.session.rollback()  # what was read before the request is old
        assert browse(SearchQuery(filters={"license": (id_,)})).total == 1
        for is_open in (True, False):
            found = "free" in names(ckan, fq=f"isopen:{str(is_open).lower()}")
            assert found == (package["isopen"] is is_open)
    ckan.call("package_patch", id="free", license_id="cc-by")
    facets = ckan.client.get("/en/datasets?license=cc-by").text
    assert "Freely given" in facets
    assert "Creative Commons Attribution</" in facets.replace("\n", "")
    ckan.call("package_delete", id=made["id"])


def test_parameters_come_by_the_address_too(ckan: Ckan) -> None:
    answer = ckan.client.get(
        "/api/3/action/package_search?fq=tags:economy&rows=1&facet.field=%5B%22tags%22%5D"
    )
    result = answer.json["result"]
    assert (result["count"], len(result["results"])) == (2, 1)
    assert result["facets"]["tags"]["economy"] == 2
    many = ckan.client.get("/api/action/package_search?facet.field=tags&facet.field=groups&rows=0")
    assert set(many.json["result"]["facets"]) == {"tags", "groups"}


def test_private_datasets_and_drafts_are_found_by_whom_they_belong_to(
    portal: tuple[Flask, Ckan, Ckan],
) -> None:
    app, editor, root = portal
    nobody = Ckan(app.test_client())
    for who in (nobody, editor, root):
        assert names(who) == ALL
        assert names(who, fq="name:secret") == []
    assert names(nobody, include_private=True) == ALL
    assert names(editor, include_private=True) == sorted([*ALL, "secret"])
    assert names(root, include_private="true") == sorted([*ALL, "secret"])
    assert names(nobody, include_drafts=True) == ALL
    assert names(editor, include_drafts=True) == ALL
    assert names(root, include_drafts=True) == sorted([*ALL, "unfinished"])
    assert names(root, fq="+state:draft") == ["unfinished"]
    assert names(nobody, fq="state:draft") == []
    assert names(root, include_deleted=True) == ALL


def test_what_was_written_is_found_by_the_very_next_search(ckan: Ckan) -> None:
    made = ckan.call("package_create", name="just-written", title="Zeppelins", owner_org="ecology")
    assert names(ckan, q="zeppelins") == ["just-written"]
    ckan.call("package_patch", id=made["id"], title="Balloons", tags=[{"name": "round"}])
    assert names(ckan, q="zeppelins") == []
    assert names(ckan, q="balloons", fq="tags:round") == ["just-written"]
    ckan.call("resource_create", package_id=made["id"], url="http://a.example", format="pdf")
    assert names(ckan, fq="res_format:PDF") == ["just-written"]
    ckan.call("package_delete", id=made["id"])
    assert names(ckan, q="balloons") == []


@pytest.mark.parametrize(
    ("asked", "status", "kind", "said"),
    [
        ({"foo": "x"}, 400, "Search Query Error", "Invalid search parameters: ['foo']"),
        ({"sort": "name sideways"}, 400, "Search Query Error", 'Invalid "sort" parameter'),
        (
            {"q": "{!child of=x}y"},
            409,
            "Search Error",
            "Local parameters are not supported in param 'q'.",
        ),
        (
            {"fq": "a _query_:x"},
            409,
            "Search Error",
            "Magic fields are not supported in param 'fq'.",
        ),
        ({"q": "(open"}, 409, "Search Error", "Cannot parse"),
    ],
)
def test_what_solr_refuses_is_refused(
    ckan: Ckan, asked: dict[str, Any], status: int, kind: str, said: str
) -> None:
    error = ckan.refused("package_search", status, **asked)
    assert error["__type"] == kind
    assert said in error["message"].replace('\\"', '"').replace("\\'", "'")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"rows": -1}, {"rows": ["Must be a natural number"]}),
        ({"start": "x"}, {"start": ["Invalid integer"]}),
        ({"facet.limit": "x"}, {"facet.limit": ["Invalid integer"]}),
        ({"facet.field": "{}"}, {"facet.field": ["Not a list"]}),
        ({"facet.field": "tags"}, {"facet.field": ["Could not parse as valid JSON"]}),
        ({"facet.field": [1]}, {"facet.field": ["Not a string: 1"]}),
    ],
)
def test_parameters_are_checked_as_by_ckan(
    ckan: Ckan, asked: dict[str, Any], said: dict[str, Any]
) -> None:
    assert ckan.refused("package_search", 409, **asked) == {**said, "__type": "Validation Error"}


def test_names_are_completed(ckan: Ckan) -> None:
    found = ckan.call("package_autocomplete", q="bus-st")
    assert found == [
        {
            "name": "bus-stops",
            "title": "Bus stops",
            "match_field": "name",
            "match_displayed": "bus-stops",
        }
    ]
    (water,) = ckan.call("package_autocomplete", q="rivers")
    assert (water["match_field"], water["match_displayed"]) == (
        "title",
        "Water quality of rivers (water)",
    )
    assert len(ckan.call("package_autocomplete", q="b", limit=1)) == 1
    assert "secret" in [one["name"] for one in ckan.call("package_autocomplete", q="secret")]
    assert Ckan(ckan.client).call("package_autocomplete", q="secret") == []


def test_the_latest_come_with_their_resources(portal: tuple[Flask, Ckan, Ckan]) -> None:
    _, editor, root = portal
    listed = editor.call("current_package_list_with_resources", limit=2)
    assert [one["name"] for one in listed] == ["bicycles", "bus-stops"]
    assert listed[1]["resources"][0]["format"] == "GeoJSON"
    paged = editor.call("current_package_list_with_resources", limit=2, page=2)
    assert paged == editor.call("current_package_list_with_resources", limit=2, offset=2)
    assert "secret" in [
        one["name"] for one in root.call("current_package_list_with_resources", limit=100)
    ]
    error = editor.refused("current_package_list_with_resources", 409, limit="x")
    assert error["limit"] == ["Invalid integer"]


def test_a_query_becomes_a_tree() -> None:
    assert parse("") == All(())
    assert parse("a b") == All((Value("", "a"), Value("", "b")))
    assert parse("a OR b AND c") == Either((Value("", "a"), All((Value("", "b"), Value("", "c")))))
    assert parse('t:"x y"') == Value("t", "x y", quoted=True)
    assert parse("t:(a OR NOT b)") == Either((Value("t", "a"), No(Value("t", "b"))))
    assert parse("n:{1 TO *]") == Between("n", "1", "*", False, True)
    assert parse(r"a\:b") == Value("", r"a\:b")
    said = [parse(text) for text in (r"a\:b", r'"c:\\d"')]
    assert [one.plain for one in said if isinstance(one, Value)] == ["a:b", r"c:\d"]
    for wrong in ("(", "a)", '"a', "x:(", "[a TO", "(" * 50 + ")" * 50, "a" * 20_001):
        with pytest.raises(WrongQuery):
            parse(wrong)


@pytest.mark.parametrize(
    "text",
    ["NOW", "NOW/DAY", "NOW-7DAYS/DAY", "2024-05-01T00:00:00Z-1MONTH", "2024-05", "2024-05-31"],
)
def test_dates_are_computed(text: str) -> None:
    assert moment_of(text) is not None


def test_what_is_no_date_is_none() -> None:
    assert moment_of("yesterday") is None
    assert moment_of("2024-13-01") is None
    assert moment_of("NOW-999999999YEARS") is None
    year = moment_of("2024-05-31T10:20:30Z/YEAR")
    assert year is not None
    assert year.isoformat() == "2024-01-01T00:00:00+00:00"
