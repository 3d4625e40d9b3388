"""Datasets and resources changed by CKAN's clients: what they send, what they get back, what stays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.account import Account
from catalog.models.dataset import Dataset, Resource
from catalog.models.log import LogEntry
from catalog.models.organization import Organization
from catalog.models.revision import DatasetRevision
from catalog.models.tag import Tag, Vocabulary
from catalog.models.vocabulary import MemberRole, Role, State
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_organization, make_theme, put
from tests.make_portal import make_served


@dataclass(frozen=True)
class Portal:
    app: Flask
    editor: Ckan
    stranger: Ckan
    administrator: Ckan
    nobody: Ckan


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    folder = tmp_path_factory.mktemp("ckan")
    with make_app(folder) as app:
        make_served(folder)
        make_organization("transport")
        make_organization("reviewed")
        make_theme("health", title={"en": "Health", "zh": "健康"})
        with transaction():
            db.session.scalars(select(Organization).filter_by(slug="reviewed")).one().review = True
            vocabulary = Vocabulary(name="genre")
            vocabulary.tags = [Tag(name="fiction"), Tag(name="science")]
            db.session.add(vocabulary)
        client = app.test_client()
        yield Portal(
            app,
            Ckan(client, make_key()),
            Ckan(client, make_key("transport", name="stranger")),
            Ckan(client, make_key(name="root", role=Role.ADMINISTRATOR)),
            Ckan(client),
        )


@pytest.fixture
def ckan(portal: Portal) -> Ckan:
    return portal.editor


def make(ckan: Ckan, **fields: Any) -> dict[str, Any]:
    """A new dataset."""
    fields = {"name": f"set-{uuid4().hex[:8]}", "owner_org": "ecology", **fields}
    made: dict[str, Any] = ckan.call("package_create", **fields)
    return made


FULL = {
    "title": "War and peace 战争与和平",
    "notes": "A *long* novel",
    "author": "Leo",
    "author_email": "leo@example.org",
    "maintainer": "Sofia",
    "maintainer_email": "sofia@example.org",
    "version": "1.0",
    "url": "https://example.org/war",
    "license_id": "cc-by",
    "private": False,
    "type": "novel",
    "tags": [{"name": "russian"}, {"name": "tolstoy"}],
    "extras": [{"key": "a b", "value": '"book"'}, {"key": "pages", "value": 1225}],
    "groups": [{"name": "health"}],
    "resources": [
        {
            "url": "http://example.org/download/",
            "format": "plain text",
            "description": "Full text.",
            "hash": "abc123",
            "alt_url": "alt123",
            "extras": {"other": "x"},
        },
        {"name": "index", "url": "http://example.org/index.json", "size": "12"},
    ],
}


KEYS = (
    "author author_email creator_user_id id isopen license_id license_title license_url maintainer maintainer_email"
    " metadata_created metadata_modified name notes num_resources num_tags organization owner_org private state"
    " title type url version extras groups resources tags relationships_as_subject relationships_as_object"
)


def test_all_that_is_sent_comes_back_in_ckans_form(ckan: Ckan) -> None:
    package = make(ckan, **FULL)
    assert package == ckan.call("package_show", id=package["id"])
    same = (
        "title",
        "notes",
        "author",
        "author_email",
        "maintainer",
        "maintainer_email",
        "version",
        "url",
    )
    assert {name: package[name] for name in same} == {name: FULL[name] for name in same}
    assert (package["license_id"], package["license_title"]) == (
        "cc-by",
        "Creative Commons Attribution",
    )
    assert (package["isopen"], package["type"], package["state"]) == (True, "novel", "active")
    assert package["extras"] == [
        {"key": "a b", "value": '"book"'},
        {"key": "pages", "value": "1225"},
    ]
    assert [one["name"] for one in package["tags"]] == ["russian", "tolstoy"]
    assert set(package["tags"][0]) == {"display_name", "id", "name", "state", "vocabulary_id"}
    assert package["groups"][0] | {"id": ""} == {
        "description": "", "display_name": "Health", "id": "", "image_display_url": "", "name": "health", "title": "Health",
    }  # fmt: skip
    assert (package["num_resources"], package["num_tags"]) == (2, 2)
    text, index = package["resources"]
    assert (text["name"], text["format"], text["alt_url"], text["hash"]) == (
        None,
        "plain text",
        "alt123",
        "abc123",
    )
    assert "extras" not in text
    assert (index["name"], index["format"], index["mimetype"]) == (
        "index",
        "JSON",
        "application/json",
    )
    assert (index["size"], index["position"], index["package_id"]) == (12, 1, package["id"])
    assert set(package) == set(KEYS.split())


def test_what_was_not_said_is_null(ckan: Ckan) -> None:
    package = make(ckan, name="bare-one")
    assert package["title"] == "bare-one"
    for name in ("notes", "url", "author", "maintainer", "version", "license_id", "license_title"):
        assert package[name] is None, name
    assert (package["private"], package["type"], package["resources"]) == (False, "dataset", [])


def test_an_update_with_what_was_shown_changes_nothing(ckan: Ckan) -> None:
    package = make(ckan, **FULL)
    answer = ckan.ask("package_update", **package).json
    assert (answer["result"], "changed_entities" in answer) == (package, False)
    db.session.rollback()
    revisions = select(DatasetRevision).filter_by(dataset_id=package["id"])
    assert len(db.session.scalars(revisions).all()) == 1


def test_an_update_empties_what_it_does_not_say_but_for_groups_and_resources(ckan: Ckan) -> None:
    package = make(ckan, **FULL)
    answer = ckan.ask("package_update", id=package["id"], title="New").json
    assert answer["changed_entities"] == {"packages": [package["id"]]}
    updated = answer["result"]
    assert updated["title"] == "New"
    assert (updated["notes"], updated["tags"], updated["extras"], updated["author"]) == (
        None,
        [],
        [],
        None,
    )
    assert updated["groups"] == package["groups"]
    assert updated["resources"] == package["resources"]
    assert updated["metadata_modified"] > package["metadata_modified"]
    emptied = ckan.call("package_update", id=package["name"], groups=[], resources=[])
    assert (emptied["groups"], emptied["resources"], emptied["title"]) == ([], [], package["name"])


def test_a_patch_changes_only_what_it_says(ckan: Ckan) -> None:
    package = make(ckan, **FULL)
    patched = ckan.call("package_patch", id=package["id"], notes="other")
    assert patched == package | {
        "notes": "other", "metadata_modified": patched["metadata_modified"],
    }  # fmt: skip


def test_what_ckan_does_not_know_outlives_its_updates(ckan: Ckan) -> None:
    made = put("Monthly", slug="monthly", frequency="monthly", identifier="307001", title={"en": "Monthly", "zh": "每月"},
               resources=[{"key": "a.csv", "title": {"en": "A", "zh": "甲"}, "load": {"part": "a"}}])  # fmt: skip
    ckan.call("package_patch", id="monthly", notes="new", title="Every month")
    db.session.rollback()  # what the portal has written since
    dataset = db.session.get_one(Dataset, made.dataset_id, populate_existing=True)
    assert (dataset.frequency, dataset.identifier) == ("monthly", "307001")
    assert dataset.title == {"en": "Every month", "zh": "每月"}
    (resource,) = ckan.call("package_show", id="monthly")["resources"]
    assert ckan.call("resource_patch", id=resource["id"], hash="x")["hash"] == "x"
    content = db.session.scalars(
        select(DatasetRevision).filter_by(dataset_id=made.dataset_id, state="published")
    ).one().content  # fmt: skip
    assert content["resources"][0]["title"] == {"en": "A", "zh": "甲"}
    assert content["resources"][0]["load"] == {"part": "a"}


def test_ids_are_given_by_administrators_only(portal: Portal) -> None:
    id_ = str(uuid4())
    make(portal.administrator, id=id_, name="of-this-id")
    assert portal.nobody.call("package_show", id=id_)["name"] == "of-this-id"
    for asked, said in ((id_, "Dataset id already exists"), ("x", "Invalid id provided")):
        error = portal.administrator.refused(
            "package_create", 409, id=asked, name="n2", owner_org="ecology"
        )
        assert error["id"] == [said]
    error = portal.editor.refused("package_update", 409, id=id_, name="edit")
    assert error["name"] == ["That name cannot be used"]


def test_resources_have_the_ids_that_clients_give_them(ckan: Ckan) -> None:
    id_ = str(uuid4())
    package = make(ckan, resources=[{"id": id_, "url": "http://a.example"}])
    assert package["resources"][0]["id"] == id_
    error = ckan.refused(
        "package_create", 409, name="taken-id", owner_org="ecology", resources=[{"id": id_}]
    )
    assert error["resources"] == [{"id": ["Resource id already exists."]}]


def test_a_new_name_leads_there_and_so_does_the_old_one(ckan: Ckan) -> None:
    package = make(ckan)
    renamed = ckan.call("package_patch", id=package["id"], name="another-name")
    assert renamed["name"] == "another-name"
    assert ckan.call("package_show", id=package["name"])["id"] == package["id"]
    error = ckan.refused("package_create", 409, name=package["name"], owner_org="ecology")
    assert error["name"] == ["That URL is already in use."]


def test_what_is_deleted_is_withdrawn_and_comes_back(portal: Portal) -> None:
    package = make(portal.editor)
    assert portal.editor.call("package_delete", id=package["name"]) is None
    assert portal.editor.call("package_show", id=package["id"])["state"] == "deleted"
    portal.nobody.refused("package_show", 403, id=package["id"])
    assert package["name"] not in portal.editor.call("package_list")
    db.session.rollback()
    assert (
        db.session.get_one(Dataset, package["id"], populate_existing=True).state == State.WITHDRAWN
    )
    back = portal.editor.call("package_patch", id=package["id"], state="active")
    assert (back["state"], back["name"]) == ("active", package["name"])
    portal.editor.call("package_patch", id=package["id"], state="deleted")
    again = portal.editor.call(
        "package_create", name=package["name"], owner_org="ecology", title="Again"
    )
    assert (again["title"], again["state"]) == ("Again", "active")
    error = portal.stranger.refused(
        "package_create", 409, name=package["name"], owner_org="transport"
    )
    assert error["name"] == ["That URL is already in use."]


def test_only_administrators_purge(portal: Portal) -> None:
    package = make(portal.editor, resources=[{"url": "http://a.example"}])
    error = portal.editor.refused("dataset_purge", 403, id=package["id"])
    assert error["message"] == "Access denied"
    assert portal.administrator.call("dataset_purge", id=package["id"]) is None
    portal.administrator.refused("package_show", 404, id=package["id"])
    missing = portal.administrator.refused("dataset_purge", 404, id=package["id"])
    assert missing["message"] == "Not found: Dataset was not found"
    db.session.rollback()
    line = db.session.scalars(
        select(LogEntry).filter_by(object_id=package["id"]).order_by(LogEntry.number)
    ).all()[-1]
    assert (line.action, line.data["slug"]) == ("dataset.purged", package["name"])
    assert make(portal.editor, name=package["name"])["id"] != package["id"]


def test_who_may_not_edit_is_told_as_by_ckan(portal: Portal) -> None:
    package = make(portal.editor, resources=[{"url": "http://a.example"}])
    (resource,) = package["resources"]
    for who, name in ((portal.stranger, "stranger"), (portal.nobody, "")):
        for action in ("package_update", "package_patch", "package_delete"):
            error = who.refused(action, 403, id=package["id"])
            said = f"Access denied: User {name} not authorized to edit package {package['id']}"
            assert error == {"__type": "Authorization Error", "message": said}
    for action, doing in (("resource_update", "edit"), ("resource_delete", "delete")):
        error = portal.stranger.refused(action, 403, id=resource["id"])
        assert error["message"].endswith(f"not authorized to {doing} resource {resource['id']}")
    error = portal.stranger.refused("resource_create", 403, package_id=package["id"])
    assert "not authorized to create resources on dataset" in error["message"]


def test_private_datasets_are_for_members(portal: Portal) -> None:
    package = make(portal.editor, private="true")
    assert package["private"] is True
    assert portal.editor.call("package_show", id=package["id"])["private"] is True
    portal.stranger.refused("package_show", 403, id=package["name"])
    ids = [package["id"]]
    with pytest.raises(AssertionError):
        portal.stranger.call("bulk_update_public", datasets=ids, org_id=package["owner_org"])
    portal.administrator.call("bulk_update_public", datasets=ids, org_id=package["owner_org"])
    assert portal.nobody.call("package_show", id=package["id"])["private"] is False
    portal.administrator.call("bulk_update_private", datasets=ids, org_id=package["owner_org"])
    portal.nobody.refused("package_show", 403, id=package["id"])
    portal.administrator.call("bulk_update_delete", datasets=ids, org_id=package["owner_org"])
    assert portal.editor.call("package_show", id=package["id"])["state"] == "deleted"


def test_datasets_move_to_another_organization(portal: Portal) -> None:
    package = make(portal.editor)
    portal.editor.refused(
        "package_owner_org_update", 403, id=package["id"], organization_id="transport"
    )
    error = portal.editor.refused("package_patch", 409, id=package["id"], owner_org="transport")
    assert error["owner_org"] == ["You cannot add a dataset to this organization"]
    portal.administrator.call(
        "package_owner_org_update", id=package["id"], organization_id="transport"
    )
    assert (
        portal.nobody.call("package_show", id=package["id"])["organization"]["name"] == "transport"
    )
    error = portal.administrator.refused(
        "package_owner_org_update", 404, id=package["id"], organization_id="x"
    )
    assert error["message"] == "Not found: Organization was not found."


def test_groups_must_exist(ckan: Ckan) -> None:
    error = ckan.refused(
        "package_create", 404, name="no-group", owner_org="ecology", groups=[{"name": "nope"}]
    )
    assert error["message"] == "Not found: Group was not found."


def test_tags_of_a_vocabulary_name_it(ckan: Ckan) -> None:
    vocabulary = db.session.scalars(select(Vocabulary)).one().id
    tags = [{"name": "fiction", "vocabulary_id": vocabulary}, {"name": "free one"}]
    package = make(ckan, tags=tags, tag_string="more, and more")
    assert [(tag["name"], tag["vocabulary_id"]) for tag in package["tags"]] == [
        ("and more", None), ("fiction", vocabulary), ("free one", None), ("more", None),
    ]  # fmt: skip
    assert ckan.call("package_update", **package)["tags"] == package["tags"]
    error = ckan.refused(
        "package_patch",
        409,
        id=package["id"],
        tags=[{"name": "poems", "vocabulary_id": vocabulary}],
    )
    assert error["tags"]


def test_drafts_are_begun_by_administrators_and_published(portal: Portal) -> None:
    package = make(portal.administrator, state="draft", title="Not yet")
    assert package["state"] == "draft"
    portal.nobody.refused("package_show", 403, id=package["id"])
    assert portal.editor.call("package_patch", id=package["id"], notes="More")["notes"] == "More"
    published = portal.editor.call("package_patch", id=package["id"], state="active")
    assert (published["state"], published["notes"]) == ("active", "More")
    assert portal.nobody.call("package_show", id=package["id"]) == published
    assert make(portal.editor, state="draft")["state"] == "active"
    given_up = make(portal.administrator, state="draft")
    portal.administrator.call("package_delete", id=given_up["id"])
    assert portal.administrator.call("package_show", id=given_up["id"])["state"] == "deleted"


def test_where_changes_are_approved_one_waits(portal: Portal) -> None:
    key = make_key("reviewed", name="careful")
    ckan = Ckan(portal.app.test_client(), key)
    error = ckan.refused("package_create", 409, name="waits", owner_org="reviewed")
    assert set(error) >= {"description", "license"} or "notes" in error
    package = ckan.call(
        "package_create", name="waits", owner_org="reviewed", notes="All", license_id="CC0-1.0"
    )
    assert package["state"] == "draft"
    portal.nobody.refused("package_show", 403, id="waits")
    error = ckan.refused("package_delete", 403, id="waits")
    assert error["__type"] == "Authorization Error"
    files = [{"url": "http://example.org/a.csv", "name": "kept"}]
    whole = {"id": "waits", "state": "active", "resources": files}
    public = portal.administrator.call("package_patch", **whole)
    assert ckan.call("resource_delete", id=public["resources"][0]["id"]) is None
    assert portal.nobody.call("package_show", id="waits")["num_resources"] == 1, "it waits too"


def test_resources_are_added_changed_ordered_and_removed(ckan: Ckan) -> None:
    package = make(ckan)
    first = ckan.call(
        "resource_create",
        package_id=package["name"],
        url="example.org/a.csv",
        name="first",
        shelf="7",
    )
    assert (first["url"], first["format"], first["shelf"]) == (
        "http://example.org/a.csv",
        "CSV",
        "7",
    )
    second = ckan.call(
        "resource_create", package_id=package["id"], url="s3://bucket/b", format="geojson"
    )
    assert (second["url"], second["format"], second["position"]) == ("s3://bucket/b", "GeoJSON", 1)
    updated = ckan.call(
        "resource_update", id=first["id"], url="http://example.org/c.csv", drawer="2"
    )
    assert (updated["url"], updated["name"], updated["drawer"]) == (
        "http://example.org/c.csv",
        "first",
        "2",
    )
    assert "shelf" not in updated
    patched = ckan.call("resource_patch", id=first["id"], description="About it")
    assert patched == updated | {
        "description": "About it",
        "metadata_modified": patched["metadata_modified"],
    }
    assert ckan.call("resource_show", id=second["id"]) == second
    ordered = ckan.call("package_resource_reorder", id=package["id"], order=[second["id"]])
    assert ordered == {"id": package["id"], "order": [second["id"], first["id"]]}
    assert [
        one["id"] for one in ckan.call("package_show", id=package["id"])["resources"]
    ] == ordered["order"]
    assert ckan.call("resource_delete", id=second["id"]) is None
    assert ckan.call("package_show", id=package["id"])["num_resources"] == 1
    ckan.refused("resource_show", 404, id=second["id"])
    assert ckan.refused("resource_patch", 409, id=first["id"], size="x")["size"] == [
        "Invalid integer"
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, ["Missing value"]),
        ({"order": "a"}, "Must be a list of resource"),
        ({"order": ["a", "a"]}, "Must supply unique resource_ids"),
        ({"order": ["a"]}, "resource_id a can not be found"),
    ],
)
def test_an_order_names_resources_of_the_dataset(
    ckan: Ckan, asked: dict[str, Any], said: Any
) -> None:
    package = make(ckan)
    assert ckan.refused("package_resource_reorder", 409, id=package["id"], **asked)["order"] == said


def test_resources_are_found_by_their_fields(ckan: Ckan) -> None:
    package = make(ckan, resources=[
        {"name": "小说 100%", "url": "http://found.example/x", "hash": "deadbeef", "format": "ods", "size": 77},
        {"name": "other", "url": "http://found.example/y"},
    ])  # fmt: skip
    first, second = (one["id"] for one in package["resources"])

    def found(*query: str, **more: Any) -> list[str]:
        answer = ckan.call("resource_search", query=list(query), **more)
        return [one["id"] for one in answer["results"]]

    assert found("url:FOUND.example", order_by="url") == [first, second]
    assert found("url:found.example", "name:小说") == [first]
    assert found("name:100%") == [first]
    assert found("name:1_0") == []
    assert found("hash:dead") == [first]
    assert found("hash:beef") == []
    assert found("size:77") == [first]
    assert found(f"size:{10**30}") == []
    by_name = found("url:found.example", order_by="name")
    assert sorted(by_name) == sorted([first, second])
    assert found(f"package_id:{package['id']}", limit=1, offset=1, order_by="id") == [
        max(first, second)
    ]
    assert ckan.call("resource_search", query="url:found.example", limit=0)["count"] == 2
    assert ckan.refused("resource_search", 409)["query"] == "Missing value"
    assert (
        ckan.refused("resource_search", 409, query="x")["query"]
        == "Must be <field>:<value> pair(s)"
    )
    said = 'Field "x" not recognised in resource_search.'
    assert ckan.refused("resource_search", 409, query="x:y")["query"] == said
    assert "ods" in ckan.call("format_autocomplete", q="OD")
    assert ckan.refused("format_autocomplete", 409)["q"] == ["Missing value"]


def test_who_made_it_is_told(ckan: Ckan) -> None:
    account = db.session.scalars(select(Account).filter_by(email="editor@example.org")).one()
    assert make(ckan)["creator_user_id"] == account.id


@pytest.mark.parametrize(
    "fields",
    [
        {"resources": 5},
        {"resources": True},
        {"tags": [{"name": {"x": 1}, "vocabulary_id": [1]}]},
        {"tags": [{"name": "pm25", "vocabulary_id": {"x": 1}}]},
        {"id": "urn:uuid:9f2c1c7e-60b5-4a51-9d3c-0a2f8f2f4f10"},
    ],
)
def test_values_of_another_kind_are_refused(portal: Portal, fields: dict[str, Any]) -> None:
    given = {"name": f"set-{uuid4().hex[:8]}", "owner_org": "ecology", **fields}
    assert portal.administrator.ask("package_create", **given).status_code in (400, 409)


@pytest.mark.parametrize(
    ("action", "fields", "status"),
    [
        ("package_create", {"resources": [{"url": "http://a.example", "rows": 10**30}]}, 409),
        ("package_create", {"plugin_data": {"rows": 10**30}}, 409),
        ("package_create", {"version": 10**30}, 200),
        ("package_search", {"q": 10**30}, 200),
        ("package_list", {"limit": 10**30}, 409),
    ],
)
def test_numbers_of_more_than_64_bits_break_nothing(
    portal: Portal, action: str, fields: dict[str, Any], status: int
) -> None:
    new = {"name": f"set-{uuid4().hex[:8]}", "owner_org": "ecology"} if "create" in action else {}
    answer = portal.administrator.client.post(
        f"/api/3/action/{action}", json={**new, **fields}, headers=portal.administrator.headers
    )
    assert answer.status_code == status, answer.text


def test_an_order_of_resources_names_resources(ckan: Ckan) -> None:
    for wrong in ({"a": 1}, None):
        error = ckan.refused("package_resource_reorder", 409, id=make(ckan)["id"], order=[wrong])
        assert error["order"] == f"resource_id {wrong} can not be found"


def test_a_file_of_another_portal_stays_a_link(ckan: Ckan) -> None:
    url = "https://example.org/dataset/a/resource/b/download/c.csv"
    package = make(ckan, resources=[{"url": url, "url_type": "upload", "format": "CSV"}])
    (resource,) = package["resources"]
    assert (resource["url"], resource["url_type"]) == (url, None)


def test_data_on_application_is_not_hidden_by_a_change_of_its_dataset(portal: Portal) -> None:
    slug = f"set-{uuid4().hex[:8]}"
    put(slug, slug=slug, access="on_application", access_reason={"en": "Names people"})
    assert portal.nobody.call("package_show", id=slug)["private"] is False
    portal.administrator.call("package_patch", id=slug, notes="More")
    assert portal.nobody.call("package_show", id=slug)["notes"] == "More"


def test_all_datasets_come_with_their_resources_page_by_page(portal: Portal) -> None:
    name = "current_package_list_with_resources"
    every = portal.nobody.call(name, limit=1000)
    assert [one["name"] for one in portal.nobody.call(name, limit=2, page=2)] == [
        one["name"] for one in every[2:4]
    ]
    error = portal.nobody.refused(name, 409, page=0)
    assert error["page"] == ["Must be a positive integer"]
    assert portal.nobody.refused("package_show", 409)["name_or_id"] == ["Missing value"]


def test_plugin_data_is_for_administrators(portal: Portal) -> None:
    package = make(portal.administrator, plugin_data={"a": {"b": 1}})
    assert "plugin_data" not in package
    shown = portal.administrator.call("package_show", id=package["id"], include_plugin_data=True)
    assert shown["plugin_data"] == {"a": {"b": 1}}
    assert "plugin_data" not in portal.editor.call(
        "package_show", id=package["id"], include_plugin_data=True
    )
    assert make(portal.editor, plugin_data={"a": 1})["extras"] == []
    client = portal.app.test_client()
    for address in (f"/api/v1/datasets/{package['name']}", f"/datasets/{package['name']}.jsonld"):
        assert "plugin_data" not in client.get(address).text
    error = portal.administrator.refused("package_patch", 409, id=package["id"], plugin_data=[1])
    assert error["plugin_data"] == ["The value should be a valid JSON object"]


def test_members_read_but_do_not_write(portal: Portal) -> None:
    reader = Ckan(portal.app.test_client(), make_key(name="reader", member=MemberRole.MEMBER))
    error = reader.refused("package_create", 403, name="by-a-member", owner_org="ecology")
    assert error["message"] == "Access denied: User reader not authorized to create packages"


def test_chinese_of_a_client_that_names_no_language_is_chinese(portal: Portal, ckan: Ckan) -> None:
    made = ckan.call(
        "package_create", name="metro", owner_org="ecology", title="地铁客流", notes="Daily",
        resources=[{"url": "https://example.org/m.csv", "name": "客流"}],
    )  # fmt: skip
    with portal.app.app_context():
        row = db.session.get_one(Dataset, made["id"])
        assert (row.title, row.description) == ({"zh": "地铁客流"}, {"en": "Daily"})
        title = db.session.scalar(select(Resource.title).filter_by(dataset_id=row.id))
        assert title == {"zh": "客流"}
    assert ckan.call("package_patch", id="metro", title="Metro")["title"] == "Metro"
    assert ckan.call("package_patch", id="metro", title="地铁")["title"] == "地铁"
    rail = portal.administrator.call("organization_create", name="rail", title="铁路局")
    assert rail["title"] == "铁路局"
    with portal.app.app_context():
        title = db.session.scalar(select(Organization.title).filter_by(slug="rail"))
        assert title == {"zh": "铁路局"}


def test_addresses_that_a_browser_would_run_are_refused(ckan: Ckan) -> None:
    error = ckan.refused(
        "package_create", 409, name="run", owner_org="ecology", url=" JavaScript:alert(1)"
    )
    assert error["url"] == ["Please provide a valid URL"]


def test_what_was_read_of_a_harvested_dataset_can_be_sent(portal: Portal, ckan: Ckan) -> None:
    with portal.app.app_context():
        put("Census", slug="census", extras={"name": "pop", "collection": "people"})
    extras = ckan.call("package_show", id="census")["extras"]
    assert [one["key"] for one in extras] == ["collection", "source_name"]
    assert ckan.call("package_create", name="again", owner_org="ecology", extras=extras)["extras"]


def test_resources_that_are_added_at_once_are_all_there(portal: Portal, ckan: Ckan) -> None:
    made = ckan.call("package_create", name="at-once", owner_org="ecology")

    def add(number: int) -> str:
        answer = portal.app.test_client().post(
            "/api/3/action/resource_create",
            data={
                "package_id": made["id"],
                "name": str(number),
                "upload": (io.BytesIO(f"n\n{number}\n".encode()), f"{number}.csv"),
            },
            headers=ckan.headers,
        )
        return str(answer.json["result"]["id"])

    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(add, range(8)))
    there = ckan.call("package_show", id="at-once")["resources"]
    assert {one["id"] for one in there} == set(ids)
    assert {(one["name"], one["url"].rsplit("/", 1)[1]) for one in there} == {
        (str(n), f"{n}.csv") for n in range(8)
    }
