"""Organizations and groups as CKAN's clients see, make, change and remove them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.log import LogEntry
from catalog.models.vocabulary import MemberRole, State
from catalog.services import log
from tests.make_ckan import Ckan, make_app
from tests.make_dataset import make_organization, make_theme, put
from tests.make_people import make_account, make_key_of


@dataclass(frozen=True)
class People:
    """The portal as different callers reach it."""

    app: Flask
    admin: Ckan
    publisher: Ckan
    editor: Ckan
    stranger: Ckan
    nobody: Ckan


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with make_app(tmp_path_factory.mktemp("organizations")) as app:
        make_organization()
        make_organization("transport")
        make_theme()
        put("Air", slug="air", themes=["environment"])
        put("Hidden", slug="hidden", private=True)
        client = app.test_client()
        accounts = {
            "admin": make_account("root", administrator=True),
            "publisher": make_account("pub", organization="ecology", role=MemberRole.PUBLISHER),
            "editor": make_account("edi", organization="ecology"),
            "stranger": make_account("stranger"),
        }
        callers = {name: Ckan(client, make_key_of(one)) for name, one in accounts.items()}
        yield People(app, nobody=Ckan(client), **callers)


def test_organizations_are_listed_by_title_name_or_number_of_datasets(people: People) -> None:
    assert people.nobody.call("organization_list") == ["ecology", "transport"]
    assert people.nobody.call("organization_list", sort="name desc") == ["transport", "ecology"]
    assert people.nobody.call("organization_list", sort="packages")[0] == "ecology"
    assert people.nobody.call("organization_list", limit=1, offset="1") == ["transport"]
    assert people.nobody.call("organization_list", organizations=["transport"]) == ["transport"]
    assert people.nobody.call("organization_list", q="ECO") == ["ecology"]
    assert people.nobody.call("organization_list", type="other") == []
    (first, second) = people.nobody.call("organization_list", all_fields=True)
    assert (first["name"], first["package_count"], second["package_count"]) == ("ecology", 1, 0)
    assert "extras" not in first
    assert "users" not in first
    whole = people.editor.call(
        "organization_list", all_fields="true", include_users=1, include_extras=True,
        include_groups=True, include_dataset_count=False, include_member_count=True,
    )  # fmt: skip
    assert "package_count" not in whole[0]
    assert [user["name"] for user in whole[0]["users"]] == ["edi", "pub"]
    assert whole[0]["member_count"] == 2


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"sort": "id"}, {"message": "Cannot sort by field `id`"}),
        ({"sort": "name up"}, {"message": "Invalid sort direction `up`"}),
        ({"sort": "name, title"}, {"message": "Too many sort criteria provided only 1 allowed"}),
        ({"limit": "x"}, {"limit": ["Invalid integer"]}),
        ({"offset": -1}, {"offset": ["Must be a natural number"]}),
        ({"all_fields": "perhaps"}, {"message": "Parameter is not an bool"}),
    ],
)
def test_a_list_that_cannot_be_made_is_refused(
    people: People, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    for name in ("organization_list", "group_list"):
        said = people.nobody.refused(name, 409, **asked)
        assert said == {**error, "__type": "Validation Error"}


def test_an_organization_is_shown_with_what_is_asked_for(people: People) -> None:
    shown = people.nobody.call("organization_show", id="ecology")
    assert shown["display_name"] == shown["title"] == "Bureau of ecology"
    assert (shown["state"], shown["type"], shown["is_organization"]) == (
        "active", "organization", True,
    )  # fmt: skip
    assert (shown["package_count"], shown["num_followers"], shown["groups"]) == (1, 0, [])
    assert "users" not in shown
    assert people.nobody.call("organization_show", id=shown["id"]) == shown
    with_datasets = people.nobody.call("organization_show", id="ecology", include_datasets=True)
    assert [package["name"] for package in with_datasets["packages"]] == ["air"]
    mine = people.editor.call("organization_show", id="ecology", include_datasets=True)
    assert mine["package_count"] == 2
    assert {user["name"]: user["capacity"] for user in mine["users"]} == {
        "edi": "editor", "pub": "admin",
    }  # fmt: skip
    assert all("email" not in user and "apikey" not in user for user in mine["users"])
    assert people.nobody.refused("organization_show", 403, id="ecology", include_users=True)
    assert people.nobody.refused("organization_show", 409)["id"] == ["Missing value"]
    assert people.nobody.refused("organization_show", 404, id="environment")
    assert people.nobody.refused("group_show", 404, id="ecology")


def test_an_organization_is_made_changed_closed_and_purged(people: People) -> None:
    own_id = str(uuid4())
    made = people.admin.call(
        "organization_create",
        id=own_id,
        name="water",
        title="Water office",
        description="Rivers",
        image_url="https://example.org/water.png",
        extras=[{"key": "code", "value": "42"}, {"key": "old", "value": "x", "deleted": True}],
        groups=[{"name": "ecology"}],
        users=[{"name": "stranger", "capacity": "editor"}, {"name": "nobody-at-all"}],
    )
    assert (made["id"], made["name"], made["title"]) == (own_id, "water", "Water office")
    assert made["extras"] == [{"key": "code", "value": "42"}]
    assert [(group["name"], group["capacity"]) for group in made["groups"]] == [
        ("ecology", "public")
    ]
    assert {user["name"]: user["capacity"] for user in made["users"]} == {
        "root": "admin", "stranger": "editor",
    }  # fmt: skip
    assert made["image_display_url"] == "https://example.org/water.png"

    patched = people.admin.call("organization_patch", id="water", title="Waters")
    assert (patched["title"], patched["description"], patched["extras"], patched["packages"]) == (
        "Waters", "Rivers", made["extras"], [],
    )  # fmt: skip
    updated = people.admin.call("organization_update", id="water", name="waters", title="Waters")
    assert (updated["name"], updated["extras"]) == ("waters", [])
    assert [group["name"] for group in updated["groups"]] == ["ecology"]
    assert people.nobody.call("organization_show", id="water")["name"] == "waters"
    loop = people.admin.refused(
        "organization_patch", 409, id="ecology", groups=[{"name": "waters"}]
    )
    assert loop["groups"] == ["This parent would create a loop in the hierarchy"]

    assert people.admin.call("organization_delete", id="waters") is None
    assert "waters" not in people.nobody.call("organization_list")
    closed = people.nobody.refused("organization_show", 403, id="waters")
    assert closed["message"] == "Access denied: User  not authorized to read group waters"
    assert people.admin.call("organization_show", id="waters")["state"] == "deleted"
    taken = people.admin.refused("organization_create", 409, name="waters")
    assert taken["name"] == ["Group name already exists in database"]
    assert people.admin.call("organization_patch", id="waters", state="active")["state"] == "active"
    assert (
        people.admin.call("organization_patch", id="waters", state="deleted")["state"] == "deleted"
    )
    assert people.admin.call("organization_purge", id="waters") is None
    assert people.admin.refused("organization_show", 404, id="waters")
    lines = db.session.scalars(select(LogEntry.action).where(LogEntry.object_id == own_id))
    assert set(lines) == {
        "organization.created", "organization.changed", "organization.deleted", "organization.purged",
    }  # fmt: skip
    assert log.verify()[1] is None


def test_an_organization_with_datasets_stays(people: People) -> None:
    said = people.publisher.refused("organization_delete", 409, id="ecology")
    assert said["message"] == "Organization cannot be deleted while it still has datasets"
    said = people.admin.refused("organization_purge", 409, id="ecology")
    assert said["message"] == "Organization cannot be purged while it still has datasets"


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, {"name": ["Missing value"]}),
        ({"name": "x"}, {"name": ["Must be at least 2 characters long"]}),
        ({"name": "x" * 101}, {"name": ["Name must be a maximum of 100 characters long"]}),
        ({"name": "new"}, {"name": ["That name cannot be used"]}),
        ({"name": 7}, {"name": ["Names must be strings"]}),
        ({"name": "A b"}, {"name": ["Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"]}),
        ({"name": "ecology"}, {"name": ["Group name already exists in database"]}),
        ({"name": "ok", "id": "x"}, {"id": ["Invalid id provided"]}),
        ({"name": "ok", "extras": [{"value": "x"}]}, {"extras": [{"key": ["Missing value"]}]}),
        ({"name": "ok", "extras": [{"key": "a"}]}, {"extras": [{"value": ["Missing value"]}]}),
        ({"name": "ok", "extras": [{"key": "title", "value": "a"}]}, {"extras": [{"key": ["There is a schema field with the same name"]}]}),
        ({"name": "ok", "extras": ["a"]}, {"extras": [{"__extras": ["Must be a dict"]}]}),
        ({"name": "ok", "extras": "a"}, {"extras": [{"__extras": ["Must be a list of at most 500 dicts"]}]}),
        ({"name": "ok", "title": ["a"]}, {"title": ["Must be a string"]}),
        ({"name": "ok", "title": "x" * 1001}, {"title": ["Must be a maximum of 1000 characters long"]}),
        ({"name": "ok", "image_url": "javascript:1"}, {"image_url": ["Please provide a valid URL"]}),
        ({"name": "ok", "groups": [{"name": "nope"}]}, {"groups": [{"name": ["Group not found: nope"]}]}),
        ({"name": "ok", "groups": [{}]}, {"groups": [{"name": ["Missing value"]}]}),
        ({"name": "ok", "groups": [{"name": "ecology"}, {"name": "transport"}]}, {"groups": ["an organization belongs to one other at most"]}),
        ({"name": "ok", "users": [{}]}, {"users": [{"name": ["Missing value"]}]}),
        ({"name": "ok", "users": "x"}, {"users": ["Must be a list"]}),
        ({"name": "ok", "users": ["x"]}, {"users": ["Must be a list of dicts"]}),
    ],
)  # fmt: skip
def test_an_organization_that_cannot_be_is_refused(
    people: People, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    said = people.admin.refused("organization_create", 409, **asked)
    assert said == {**error, "__type": "Validation Error"}
    assert "ok" not in people.nobody.call("organization_list")


def test_only_who_may_changes_organizations(people: People) -> None:
    for caller in (people.nobody, people.stranger, people.publisher):
        assert caller.refused("organization_create", 403, name="mine")["__type"] == (
            "Authorization Error"
        )
    for caller in (people.nobody, people.stranger, people.editor):
        caller.refused("organization_patch", 403, id="ecology", title="Mine")
        caller.refused("organization_update", 403, id="ecology", name="mine")
        caller.refused("organization_delete", 403, id="ecology")
    said = people.stranger.refused("group_create", 403, name="x", users=[{"name": "pub"}])
    assert said["message"] == "Access denied: User Stranger not authorized to create groups"
    people.publisher.refused("organization_purge", 403, id="ecology")
    assert people.publisher.call("organization_patch", id="ecology", description="Clean")
    assert people.admin.refused("organization_update", 409, id="ecology", type="group")["type"] == [
        "Type cannot be updated"
    ]
    missing = people.admin.refused("organization_update", 404, id="nope")
    assert missing["message"] == "Not found: Group was not found."
    missing = people.admin.refused("organization_purge", 404, id="nope")
    assert missing["message"] == "Not found: Organization was not found"
    own = people.admin.refused("organization_create", 409, name="ok", id=_id(people, "ecology"))
    assert own["id"] == ["Id already exists"]
    same = _id(people, "ecology").upper()
    own = people.admin.refused("organization_create", 409, name="ok", id=same)
    assert own["id"] == ["Id already exists"]


def test_organizations_of_a_user(people: People) -> None:
    def names(caller: Ckan, **asked: Any) -> list[str]:
        return [one["name"] for one in caller.call("organization_list_for_user", **asked)]

    assert names(people.nobody) == []
    assert names(people.editor) == ["ecology"]
    assert names(people.editor, permission="create_dataset") == ["ecology"]
    assert names(people.editor, permission="membership") == []
    assert names(people.admin, id="edi", permission="read") == ["ecology"]
    (mine,) = people.publisher.call("organization_list_for_user", include_dataset_count=True)
    assert (mine["capacity"], mine["package_count"]) == ("admin", 2)
    assert {"ecology", "transport"} <= set(names(people.admin))
    people.editor.refused("organization_list_for_user", 403, id="pub")
    people.admin.refused("organization_list_for_user", 404, id="nope")


def test_names_are_completed(people: People) -> None:
    (one,) = people.nobody.call("organization_autocomplete", q="trans")
    assert (one["name"], set(one)) == ("transport", {"id", "name", "title"})
    assert people.nobody.call("group_autocomplete", q="环境")[0]["name"] == "environment"
    assert people.nobody.refused("group_autocomplete", 409)["q"] == ["Missing value"]


def test_groups_hold_datasets(people: People) -> None:
    made = people.admin.call(
        "group_create",
        name="maps",
        title="地图",
        packages=[{"name": "air"}],
        users=[{"name": "edi"}],
    )
    assert (made["type"], made["is_organization"], made["package_count"]) == ("group", False, 1)
    assert {user["name"]: user["capacity"] for user in made["users"]} == {
        "edi": "member", "root": "admin",
    }  # fmt: skip
    assert [one["name"] for one in people.nobody.call("group_package_show", id="maps")] == ["air"]
    said = people.nobody.refused("group_package_show", 409, id="maps", limit="-1")
    assert said["message"] == "Limit must be a positive integer"
    assert people.nobody.call("group_list") == ["maps", "environment"]  # by pinyin: di tu
    assert people.nobody.call("group_list", all_fields=True)[0]["package_count"] == 1
    assert [one["name"] for one in people.editor.call("group_list_authz")] == ["maps"]
    assert {one["name"] for one in people.admin.call("group_list_authz")} >= {"environment", "maps"}
    assert people.nobody.call("group_list_authz") == []

    people.editor.call(
        "member_create", id="maps", object="hidden", object_type="package", capacity="public"
    )
    assert people.nobody.call("group_show", id="maps")["package_count"] == 1
    assert people.editor.call("group_show", id="maps")["package_count"] == 2
    people.editor.call("member_delete", id="maps", object="hidden", object_type="package")
    people.stranger.refused(
        "member_create", 403, id="maps", object="air", object_type="package", capacity="public"
    )
    people.editor.refused("group_patch", 403, id="maps", title="Mine")
    assert people.admin.call("group_update", id="maps", packages=[])["package_count"] == 0
    said = people.admin.refused(
        "group_update", 409, id="maps", packages=[{"id": "no"}, {"id": "air"}]
    )
    assert said["packages"] == [{"id": ["Dataset not found"]}, {}]
    assert people.admin.call("group_patch", id="maps", packages=[{"name": "air"}])["packages"]
    assert people.admin.call("group_delete", id="maps") is None
    assert people.nobody.call("group_list") == ["environment"]
    assert [group["name"] for group in people.nobody.call("package_show", id="air")["groups"]] == [
        "environment"
    ]
    assert people.admin.call("group_purge", id="maps") is None
    people.admin.refused("group_show", 404, id="maps")


def test_members_come_and_go(people: People) -> None:
    assert people.nobody.call("member_roles_list", group_type="group") == [
        {"text": "Admin", "value": "admin"}, {"text": "Member", "value": "member"},
    ]  # fmt: skip
    assert len(people.nobody.call("member_roles_list")) == 3
    joined = people.publisher.call(
        "organization_member_create", id="ecology", username="stranger", role="editor"
    )
    assert (joined["table_name"], joined["capacity"], joined["state"]) == (
        "user",
        "editor",
        "active",
    )
    listed = people.publisher.call(
        "member_list", id="ecology", object_type="user", capacity="editor"
    )
    assert [joined["table_id"], "user", "Editor"] in listed
    packages = people.nobody.call("member_list", id="ecology")
    assert [row[1:] for row in packages] == [["package", "organization"]]
    assert len(people.editor.call("member_list", id="ecology", object_type="package")) == 2
    people.nobody.refused("member_list", 403, id="ecology", object_type="user")
    people.stranger.call("organization_show", id="ecology")
    assert (
        people.publisher.call("organization_member_delete", id="ecology", username="stranger")
        is None
    )
    assert (
        people.publisher.call("member_delete", id="ecology", object="stranger", object_type="user")
        is None
    )
    assert people.admin.call("group_member_create", id="environment", username="edi", role="admin")
    assert people.editor.call("group_patch", id="environment", description="Air and water")
    assert people.editor.call("group_member_delete", id="environment", username="root") is None
    assert people.admin.call("group_member_delete", id="environment", user_id="edi") is None
    people.editor.refused("group_patch", 403, id="environment", description="Mine")


def test_memberships_that_cannot_be_are_refused(people: People) -> None:
    said = people.publisher.refused(
        "organization_member_create", 409, id="ecology", username="nope", role="boss"
    )
    assert said == {
        "username": ["User not found"], "role": ["role does not exist."], "__type": "Validation Error",
    }  # fmt: skip
    said = people.admin.refused("organization_member_create", 409, username="edi", role="editor")
    assert said["id"] == ["Missing value"]
    said = people.admin.refused(
        "organization_member_create", 409, id="nope", username="edi", role="editor"
    )
    assert said["id"] == ["That group name or ID does not exist."]
    people.stranger.refused(
        "organization_member_create", 403, id="nope", username="edi", role="editor"
    )
    people.editor.refused(
        "organization_member_create", 403, id="ecology", username="stranger", role="member"
    )
    people.editor.refused("organization_member_delete", 403, id="ecology", username="pub")
    said = people.publisher.refused(
        "organization_member_create", 403, id="ecology", username="pub", role="editor"
    )
    assert "cannot revoke their own admin status" in said["message"]
    people.admin.refused("organization_member_delete", 409, id="ecology")
    people.admin.refused("organization_member_delete", 404, id="ecology", username="nope")
    asked = {"id": "ecology", "object": "air", "object_type": "package", "capacity": "x"}
    assert people.admin.refused("member_create", 409, **asked)["object_type"]
    assert people.admin.refused("member_delete", 409, **asked)["object_type"]
    said = people.admin.refused("member_create", 409, **{**asked, "object_type": "tree"})
    assert said["message"] == "Tree isn't a valid model"
    asked |= {"object_type": "user"}
    assert people.admin.refused("member_create", 409, **asked)["capacity"] == [
        "role does not exist."
    ]
    asked |= {"capacity": "admin", "object": "nope"}
    people.admin.refused("member_create", 404, **asked)
    people.admin.refused("member_delete", 404, **asked)
    people.admin.refused("member_create", 404, **{**asked, "id": "nope"})
    said = people.admin.refused("member_create", 409)
    assert set(said) == {"id", "object", "object_type", "capacity", "__type"}


def test_an_office_belongs_to_a_department_by_membership_too(people: People) -> None:
    asked = {"id": "transport", "object": "ecology", "object_type": "group"}
    assert people.admin.call("member_create", **asked, capacity="public")["table_name"] == "group"
    assert [
        g["name"] for g in people.nobody.call("organization_show", id="transport")["groups"]
    ] == ["ecology"]
    people.admin.call("member_delete", **asked)
    assert people.nobody.call("organization_show", id="transport")["groups"] == []


def test_withdrawn_datasets_do_not_keep_an_organization(people: People) -> None:
    people.admin.call("organization_create", name="brief")
    made = put("Brief", slug="brief-data", organization="brief")
    people.admin.refused("organization_delete", 409, id="brief")
    with transaction():
        db.session.get_one(Dataset, made.dataset_id).state = State.WITHDRAWN
    people.admin.call("organization_delete", id="brief")
    people.admin.refused("organization_purge", 409, id="brief")


def _id(people: People, name: str) -> str:
    return str(people.nobody.call("organization_show", id=name)["id"])


def test_a_dataset_shows_its_groups_and_tags_as_they_are(people: People) -> None:
    closed = people.admin.call("vocabulary_create", name="genre", tags=[{"name": "fiction"}])
    tags = [{"name": "free"}, {"name": "fiction", "vocabulary_id": closed["id"]}]
    people.admin.call("package_create", name="novels", owner_org="ecology", tags=tags)

    def shown() -> tuple[list[str], list[str]]:
        package = people.nobody.call("package_show", id="novels")
        return [tag["name"] for tag in package["tags"]], [g["title"] for g in package["groups"]]

    assert shown() == (["fiction", "free"], [])
    asked = {"id": "environment", "object": "novels", "object_type": "package"}
    people.admin.call("member_create", **asked, capacity="public")
    assert shown()[1] == ["Environment"]
    people.admin.call("member_delete", **asked)
    assert shown()[1] == []
    people.admin.call("tag_delete", id="free")
    assert shown()[0] == ["fiction"]
    people.admin.call("vocabulary_delete", id="genre")
    assert shown()[0] == []
    people.admin.call("group_create", name="brief", packages=[{"name": "novels"}])
    assert shown()[1] == ["brief"]
    people.admin.call("group_purge", id="brief")
    assert shown()[1] == []
