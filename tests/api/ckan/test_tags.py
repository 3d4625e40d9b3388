"""Tags, vocabularies, licences and views as CKAN's clients see and make them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from catalog.db import db
from catalog.models.dataset import Dataset
from tests.make_ckan import Ckan, make_app
from tests.make_dataset import put
from tests.make_people import make_account, make_key_of
from tests.make_portal import Served, make_served


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ckan, Ckan, Served]]:
    folder = tmp_path_factory.mktemp("tags")
    with make_app(folder) as app:
        served = make_served(folder, tags=["pm25", "pm10", "空气"])
        client = app.test_client()
        admin = Ckan(client, make_key_of(make_account("root", administrator=True)))
        editor = Ckan(client, make_key_of(make_account("edi", organization="ecology")))
        yield admin, editor, served


@pytest.fixture
def admin(portal: tuple[Ckan, Ckan, Served]) -> Ckan:
    return portal[0]


@pytest.fixture
def editor(portal: tuple[Ckan, Ckan, Served]) -> Ckan:
    return portal[1]


@pytest.fixture
def nobody(portal: tuple[Ckan, Ckan, Served]) -> Ckan:
    return Ckan(portal[0].client)


@pytest.fixture
def resource(portal: tuple[Ckan, Ckan, Served]) -> str:
    return portal[2].resource


def test_free_tags_are_listed_searched_and_shown(nobody: Ckan) -> None:
    assert nobody.call("tag_list") == ["pm10", "pm25", "空气"]
    (first, *_) = nobody.call("tag_list", all_fields=True, query="PM")
    assert set(first) == {"id", "name", "display_name", "vocabulary_id"}
    assert nobody.call("tag_search", query="pm", limit=1, offset=1)["count"] == 2
    assert [one["name"] for one in nobody.call("tag_search", query=["pm", "25"])["results"]] == [
        "pm25"
    ]
    assert nobody.call("tag_search") == {"count": 0, "results": []}
    assert nobody.call("tag_search", query="pm", vocabulary_id="nope")["count"] == 0
    assert nobody.call("tag_autocomplete", query="空") == ["空气"]
    assert nobody.call("tag_autocomplete", fields={"tags": "25"}) == ["pm25"]
    shown = nobody.call("tag_show", id="pm25", include_datasets=True)
    assert [package["name"] for package in shown["packages"]] == ["air-quality"]
    assert nobody.call("tag_show", id=shown["id"])["name"] == "pm25"
    nobody.refused("tag_show", 404, id="nope")
    nobody.refused("tag_list", 404, vocabulary_id="nope")


def test_a_vocabulary_is_made_used_changed_and_deleted(admin: Ckan, nobody: Ckan) -> None:
    made = admin.call(
        "vocabulary_create", name="topics", tags=[{"name": "water"}, {"name": "soil"}]
    )
    assert [tag["name"] for tag in made["tags"]] == ["soil", "water"]
    assert nobody.call("vocabulary_show", id="topics") == made
    assert nobody.call("vocabulary_list") == [made]
    assert nobody.call("tag_list", vocabulary_id="topics") == ["soil", "water"]
    tag = admin.call("tag_create", name="air", vocabulary_id=made["id"])
    assert tag["vocabulary_id"] == made["id"]
    dataset = _with_tags(nobody, made["id"], ["air", "water"])
    shown = nobody.call("tag_show", id="air", vocabulary_id="topics", include_datasets=True)
    assert len(shown["packages"]) == 1
    renamed = admin.call("vocabulary_update", id=made["id"], name="themes")
    assert renamed["name"] == "themes"
    assert _vocabulary_tags(dataset) == {"themes": ["air", "water"]}
    less = admin.call("vocabulary_update", id=made["id"], tags=["air", "soil"], name="themes")
    assert [tag["name"] for tag in less["tags"]] == ["air", "soil"]
    assert _vocabulary_tags(dataset) == {"themes": ["air"]}
    assert admin.call("tag_delete", id="air", vocabulary_id="themes") is None
    assert _vocabulary_tags(dataset) == {}
    _with_tags(nobody, made["id"], ["soil"])
    assert admin.call("vocabulary_delete", id="themes") is None
    assert _vocabulary_tags(dataset) == {}
    nobody.refused("vocabulary_show", 404, id="themes")


def _with_tags(nobody: Ckan, vocabulary: str, names: list[str]) -> str:
    """Give the dataset tags of a vocabulary; its id."""
    name = nobody.call("vocabulary_show", id=vocabulary)["name"]
    return put("Topics", slug="topical", vocabulary_tags={name: names}).dataset_id


def _vocabulary_tags(dataset_id: str) -> dict[str, Any]:
    db.session.rollback()  # ends what this session has read before
    return db.session.get_one(Dataset, dataset_id, populate_existing=True).vocabulary_tags


def test_a_free_tag_is_taken_from_its_datasets(admin: Ckan, nobody: Ckan) -> None:
    assert admin.call("tag_delete", id="pm10") is None
    assert "pm10" not in nobody.call("tag_list")
    names = [tag["name"] for tag in nobody.call("package_show", id="air-quality")["tags"]]
    assert "pm10" not in names
    admin.refused("tag_delete", 404, id="pm10")
    admin.refused("tag_delete", 404, id="pm25", vocabulary_id="nope")
    assert admin.refused("tag_delete", 409)["id"] == "id not in data"


@pytest.mark.parametrize(
    ("action", "asked", "error"),
    [
        ("vocabulary_create", {}, {"name": ["Missing value"]}),
        ("vocabulary_create", {"name": "x"}, {"name": ["Name must be at least 2 characters long"]}),
        ("vocabulary_create", {"name": "x" * 101}, {"name": ["Name must be a maximum of 100 characters long"]}),
        ("vocabulary_create", {"name": "held"}, {"name": ["That vocabulary name is already in use."]}),
        ("vocabulary_create", {"name": "ok", "id": "x"}, {"id": ["The input field id was not expected."]}),
        ("vocabulary_create", {"name": "ok", "tags": [{"name": "a"}, {"name": "ab"}]}, {"tags": [{"name": ['Tag "a" length is less than minimum 2']}, {}]}),
        ("vocabulary_create", {"name": "ok", "tags": "x"}, {"tags": ["Must be a list of at most 10000 dicts"]}),
        ("vocabulary_create", {"name": "ok", "tags": [{}]}, {"tags": [{"name": ["Missing value"]}]}),
        ("vocabulary_update", {"id": "other", "name": "held", "tags": [{"name": "x" * 101}]}, {"name": ["That vocabulary name is already in use."], "tags": [{"name": [f'Tag "{"x" * 101}" length is more than maximum 100']}]}),
        ("vocabulary_update", {}, {"id": "id not in data"}),
        ("vocabulary_show", {}, {"id": "id not in data"}),
        ("tag_create", {"name": "ok"}, {"vocabulary_id": ["Missing value"]}),
        ("tag_create", {"vocabulary_id": "nope"}, {"name": ["Missing value"], "vocabulary_id": ["Tag vocabulary was not found."]}),
        ("tag_create", {"name": "a/b", "vocabulary_id": "held"}, {"name": ['Tag "a/b" can only contain alphanumeric characters, spaces (" "), hyphens ("-"), underscores ("_") or dots (".")']}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    admin: Ckan, nobody: Ckan, action: str, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    for name in ("held", "other"):
        if nobody.ask("vocabulary_show", id=name).status_code == 404:
            admin.call("vocabulary_create", name=name, tags=["inside"])
    assert admin.refused(action, 409, **asked) == {**error, "__type": "Validation Error"}
    held = nobody.call("vocabulary_show", id="held")["id"]
    said = admin.refused("tag_create", 409, name="inside", vocabulary_id=held)
    assert said["vocabulary_id"] == [f"Tag inside already belongs to vocabulary {held}"]


def test_only_administrators_change_vocabularies(editor: Ckan, nobody: Ckan) -> None:
    for caller in (editor, nobody):
        caller.refused("vocabulary_create", 403, name="mine")
        caller.refused("tag_create", 403, name="mine", vocabulary_id="held")
        caller.refused("tag_delete", 403, id="pm25")


def test_licences_are_listed(nobody: Ckan) -> None:
    licences = {one["id"]: one for one in nobody.call("license_list")}
    assert licences["CC-BY-4.0"]["od_conformance"] == "approved"
    assert licences["CC-BY-4.0"]["domain_data"] is True
    assert licences["CC-BY-4.0"]["url"].startswith("https://creativecommons.org/")


def test_views_are_made_shown_ordered_changed_and_deleted(
    editor: Ckan, nobody: Ckan, resource: str
) -> None:
    asked = {"resource_id": resource, "view_type": "datatables_view", "title": "Table"}
    nobody.refused("resource_view_create", 403, **asked)
    first = editor.call("resource_view_create", **asked, show_fields=["a"], filters={"a": ["b"]})
    assert (first["show_fields"], first["filters"]) == (["a"], {"a": ["b"]})
    assert first["package_id"]
    second = editor.call(
        "resource_view_create", resource_id=resource, view_type="text_view", title="Text",
        filter_fields=["a", "a"], filter_values=["1", "2"],
    )  # fmt: skip
    assert second["filters"] == {"a": ["1", "2"]}
    assert nobody.call("resource_view_list", id=resource) == [first, second]
    assert nobody.call("resource_view_show", id=first["id"]) == first
    order = editor.call("resource_view_reorder", id=resource, order=[second["id"]])["order"]
    assert order == [second["id"], first["id"]]
    assert [one["id"] for one in nobody.call("resource_view_list", id=resource)] == order
    changed = editor.call("resource_view_update", id=first["id"], title="Rows", description="All")
    assert (changed["title"], changed["view_type"]) == ("Rows", "datatables_view")
    assert "show_fields" not in changed
    again = editor.call("resource_view_update", id=first["id"], show_fields=["b"])
    assert again == {**changed, "show_fields": ["b"]}
    assert editor.call("resource_view_delete", id=first["id"]) == {"resource_id": resource}
    nobody.refused("resource_view_show", 404, id=first["id"])
    editor.refused("resource_view_clear", 403)


def test_views_that_cannot_be_are_refused(editor: Ckan, admin: Ckan, resource: str) -> None:
    good = {"resource_id": resource, "view_type": "text_view", "title": "x"}

    def said(**asked: Any) -> dict[str, Any]:
        return editor.refused("resource_view_create", 409, **{**good, **asked})

    assert said(view_type="nope")["view_type"] == "No plugin found for view_type nope"
    assert said(resource_id="nope")["resource_id"] == ["Resource not found: nope"]
    assert said(title="")["title"] == ["Missing value"]
    assert said(title="x" * 501)["title"]
    assert said(more="x" * 60_000)["__extras"]
    assert set(said(filter_fields="a")) == {"filter_fields", "filter_values", "__type"}
    assert editor.refused("resource_view_reorder", 409, id=resource, order="x")["order"]
    assert editor.refused("resource_view_reorder", 409, id=resource, order=["x", "x"])["order"]
    assert editor.refused("resource_view_reorder", 409, id=resource, order=["x"])["order"] == (
        "View x does not exist"
    )
    assert set(editor.refused("resource_view_reorder", 409)) == {"id", "order", "__type"}
    own_id = str(uuid4())
    assert admin.call("resource_view_create", **good, id=own_id)["id"] == own_id
    assert admin.refused("resource_view_create", 409, **good, id=own_id)["id"]
    assert admin.refused("resource_view_create", 409, **good, id="x")["id"]
    assert editor.refused("resource_view_create", 409, **good, id=own_id)["id"]


def test_views_are_made_by_default(editor: Ckan, admin: Ckan, resource: str) -> None:
    admin.call("resource_view_clear", view_types=["text_view"])
    admin.call("resource_view_clear")
    package = editor.call("package_show", id="air-quality")
    asked = {"package": package, "create_datastore_views": True}
    (made,) = editor.call("package_create_default_resource_views", **asked)
    assert (made["view_type"], made["title"]) == ("datatables_view", "Table")
    assert editor.call("package_create_default_resource_views", **asked) == []
    picture = editor.call(
        "resource_create",
        package_id="air-quality",
        name="p",
        format="png",
        url="https://example.org/p.png",
    )
    (made,) = editor.call("resource_create_default_resource_views", resource=picture)
    assert made["view_type"] == "image_view"
    assert editor.refused("resource_create_default_resource_views", 409)["resource"]
    assert editor.refused("package_create_default_resource_views", 409)["package"]
