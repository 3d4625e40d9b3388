"""Users, tokens, follows, collaborators and activities as CKAN's clients see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from catalog.db import db
from catalog.errors import NotFound
from catalog.models.account import AccountToken
from catalog.models.mail import Mail
from catalog.models.vocabulary import MemberRole
from catalog.schemas.account import SignInDraft
from catalog.services import account_mails, accounts, mail
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
    mails = {
        "smtp_url": "smtp://127.0.0.1:9",
        "mail_from": "portal@example.org",
        "site_url": "http://localhost",
    }
    with make_app(tmp_path_factory.mktemp("people"), **mails) as app:
        make_organization()
        make_theme()
        put("Air", slug="air", themes=["environment"])
        put("Hidden", slug="hidden", private=True, resources=[{"key": "a", "format": "png"}])
        client = app.test_client()
        made = {
            "admin": make_account("root", administrator=True),
            "publisher": make_account("pub", organization="ecology", role=MemberRole.PUBLISHER),
            "editor": make_account("edi", organization="ecology"),
            "stranger": make_account("stranger"),
        }
        callers = {name: Ckan(client, make_key_of(one)) for name, one in made.items()}
        yield People(app, nobody=Ckan(client), **callers)


def test_users_are_told_to_who_has_a_key_and_addresses_to_nobody_else(people: People) -> None:
    people.nobody.refused("user_list", 403)
    people.nobody.refused("user_show", 403, id="edi")
    people.nobody.refused("user_autocomplete", 403, q="e")
    shown = people.stranger.call("user_show", id="edi", include_num_followers=True)
    assert (shown["name"], shown["fullname"], shown["display_name"], shown["state"]) == (
        "edi", "Edi", "Edi", "active",
    )  # fmt: skip
    assert (shown["sysadmin"], shown["num_followers"], shown["number_created_packages"]) == (
        False, 0, 0,
    )  # fmt: skip
    assert "email" not in shown
    assert "apikey" not in shown
    assert people.editor.call("user_show")["email"] == "edi@example.org"
    own = people.admin.call("user_show", id=shown["id"])
    assert own["email"] == "edi@example.org"
    assert own["email_hash"] != shown["email_hash"]
    assert "apikey" not in own
    people.stranger.refused("user_show", 404, id="nope")


def test_users_are_listed_in_order(people: People) -> None:
    assert people.stranger.call("user_list", all_fields=False, q="e") == ["edi", "stranger"]
    names = people.stranger.call("user_list", all_fields=False, order_by="name")
    assert names == sorted(names)
    found = people.admin.call("user_list", email="EDI@example.org")
    assert [one["name"] for one in found] == ["edi"]
    people.stranger.refused("user_list", 403, email="edi@example.org")
    people.stranger.refused("user_list", 409, order_by="edits")
    (found,) = people.editor.call("user_autocomplete", q="stra")
    assert set(found) == {"id", "name", "fullname"}
    assert people.editor.call("user_autocomplete", q="edi", ignore_self=True) == []
    assert people.editor.refused("user_autocomplete", 409)["q"] == ["Missing value"]


def test_an_administrator_makes_changes_and_closes_a_user(people: People) -> None:
    own_id = str(uuid4())
    made = people.admin.call(
        "user_create", id=own_id, name="li-lei", email="Li@Example.org ", password="correct-horse-9",
        fullname="李雷", about="Water", with_apitoken=True, image_url="https://example.org/li.png",
    )  # fmt: skip
    assert (made["id"], made["name"], made["email"]) == (own_id, "li-lei", "li@example.org")
    her = Ckan(people.nobody.client, made["token"])
    assert her.call("user_show")["name"] == "li-lei"
    signed = accounts.sign_in(SignInDraft("li@example.org", "correct-horse-9"), address="127.0.0.1")
    assert signed.id == own_id

    assert her.call("user_patch", id="li-lei", about="Rivers")["about"] == "Rivers"
    assert her.call("user_patch", id="li-lei", sysadmin=True)["sysadmin"] is False
    assert her.refused("user_patch", 409, id="li-lei", name="han")["name"] == [
        "That login name can not be modified."
    ]
    changed = her.call("user_update", id="li-lei", email="lilei@example.org", fullname="Li Lei")
    assert (changed["fullname"], changed["email"]) == ("Li Lei", "lilei@example.org")
    her.refused("user_patch", 403, id="edi", about="x")
    her.refused("user_patch", 404, id="nope", about="x")
    renamed = people.admin.call("user_patch", id="li-lei", name="han", sysadmin="true")
    assert (renamed["name"], renamed["sysadmin"]) == ("han", True)
    assert her.call("user_list", email="edi@example.org")  # at once, with the key of before

    people.admin.call("user_patch", id="han", sysadmin=False)
    said = people.admin.refused("user_patch", 409, id="root", sysadmin=False)
    assert said["sysadmin"] == ["Cannot modify your own sysadmin privileges"]
    people.admin.call("organization_member_create", id="ecology", username="han", role="member")
    people.editor.refused("user_delete", 403, id="han")
    assert people.admin.call("user_delete", id="han") is None
    her.refused("user_show", 403)
    people.editor.refused("user_show", 404, id="han")
    assert people.admin.call("user_show", id="han")["state"] == "deleted"
    assert "han" not in people.admin.call("user_list", all_fields=False)
    people.admin.refused("user_delete", 404, id="nope")
    assert people.admin.call("user_patch", id="han", state="active")["state"] == "active"
    her.refused("user_show", 403)  # the keys ended with the account


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, {"name": ["Missing value"], "email": ["Missing value"], "password": ["Missing value"]}),
        ({"name": "edi"}, {"name": ["The username is already associated with another account. Please use a different username."]}),
        ({"name": "A"}, {"name": ["Must be at least 2 characters long"]}),
        ({"email": "x"}, {"email": ["Email x is not a valid format"]}),
        ({"email": "edi@example.org"}, {"email": ["The email address 'edi@example.org' belongs to a registered user."]}),
        ({"password": "short"}, {"password": ["Your password must be 10 characters or longer"]}),
        ({"password": 1234567890}, {"password": ["Passwords must be strings"]}),
        ({"password": "aaaaaaaaaaaa"}, {"password": ["This password is one of the first that others would try"]}),
        ({"about": "see http://spam"}, {"about": ["Edit not allowed as it looks like spam. Please avoid links in your description."]}),
        ({"fullname": "x" * 101}, {"fullname": ["Must be a maximum of 100 characters long"]}),
        ({"image_url": "x"}, {"image_url": ["Please provide a valid URL"]}),
        ({"id": "x"}, {"id": ["Invalid id provided"]}),
    ],
)  # fmt: skip
def test_a_user_that_cannot_be_is_refused(
    people: People, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    good = {"name": "mei", "email": "mei@example.org", "password": "correct-horse-9"}
    said = people.admin.refused("user_create", 409, **({**good, **asked} if asked else {}))
    assert said == {**error, "__type": "Validation Error"}


def test_users_are_made_by_administrators_only(people: People) -> None:
    asked = {"name": "mei", "email": "mei@example.org", "password": "correct-horse-9"}
    people.nobody.refused("user_create", 403, **asked)
    people.publisher.refused("user_create", 403, **asked)
    taken = people.admin.call("user_create", id=_id(people, "edi"), **asked)
    assert taken["id"] != _id(people, "edi")


def test_somebody_is_invited(people: People) -> None:
    asked = {"email": "new.one@example.org", "group_id": "ecology", "role": "member"}
    people.editor.refused("user_invite", 403, **asked)
    invited = people.publisher.call("user_invite", **asked)
    assert (invited["name"], invited["state"]) == ("new-one", "pending")
    db.session.rollback()  # ends what this session has read before
    sent = db.session.scalars(select(Mail).filter_by(to="new.one@example.org")).one()
    token = sent.text.partition("/account/reset/")[2].split()[0]
    kept = db.session.scalars(select(AccountToken).filter_by(email="new.one@example.org")).one()
    assert token not in (kept.hash, "")
    assert round((kept.expires_at - kept.created_at) / timedelta(days=1)) == 7
    account_mails.reset(token, "several words of mine", address="127.0.0.1")
    signed = accounts.sign_in(
        SignInDraft("new.one@example.org", "several words of mine"), address="127.0.0.1"
    )
    assert signed.slug == "new-one"
    with pytest.raises(NotFound):
        account_mails.reset(token, "other words of mine", address="127.0.0.1")
    members = people.publisher.call("organization_show", id="ecology")["users"]
    assert {"new-one": "member"}.items() <= {
        one["name"]: one["capacity"] for one in members
    }.items()
    assert people.publisher.refused("user_invite", 409, **asked)["email"]
    people.stranger.refused("user_invite", 403, **asked)  # an address that is known is not told
    said = people.publisher.refused("user_invite", 409)
    assert set(said) == {"email", "group_id", "role", "__type"}
    said = people.publisher.refused(
        "user_invite", 409, **{**asked, "email": "b@example.org", "role": "x"}
    )
    assert said["role"] == ["role does not exist."]
    people.publisher.refused(
        "user_invite", 404, **{**asked, "email": "b@example.org", "group_id": "x"}
    )
    people.publisher.refused(
        "user_invite", 403, **{**asked, "email": "b@example.org", "group_id": "environment"}
    )


def test_nobody_is_invited_where_no_mail_is_sent(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "possible", lambda: False)
    asked = {"email": "c@example.org", "group_id": "ecology", "role": "member"}
    assert "no mail" in people.publisher.refused("user_invite", 409, **asked)["message"]


def test_tokens_are_told_once_listed_and_revoked(people: People) -> None:
    made = people.editor.call("api_token_create", user="edi", name="job")
    with_it = Ckan(people.nobody.client, made["token"])
    assert with_it.call("user_show")["name"] == "edi"
    listed = people.editor.call("api_token_list", user_id="edi")
    assert [one["name"] for one in listed] == ["client", "job"]
    assert set(listed[1]) == {"id", "name", "user_id", "created_at", "last_access"}
    assert made["token"] not in str(listed)
    assert people.admin.call("api_token_list", user="edi") == listed
    people.stranger.refused("api_token_list", 403, user_id="edi")
    people.stranger.refused("api_token_create", 403, user="edi", name="mine")
    people.stranger.refused("api_token_create", 404, user="nope", name="mine")
    people.stranger.refused("api_token_revoke", 403, jti=made["id"])
    people.stranger.refused("api_token_revoke", 403, token="nope")
    assert people.admin.call("api_token_revoke", token="nope") is None
    assert people.editor.call("api_token_revoke", token=made["token"]) is None
    with_it.refused("user_show", 403)
    assert [one["name"] for one in people.editor.call("api_token_list", user_id="edi")] == [
        "client"
    ]
    other = people.admin.call("api_token_create", user="edi", name="given")
    assert people.editor.call("api_token_revoke", jti=other["id"]) is None
    assert people.editor.refused("api_token_create", 409, user="edi")["name"] == ["Missing value"]
    assert people.editor.refused("api_token_create", 409, user="edi", name="x" * 101)["name"]
    assert people.editor.refused("api_token_list", 409)["user_id"] == ["Missing value"]
    assert people.editor.refused("api_token_revoke", 409)["token"] == ["Missing value"]


@pytest.mark.parametrize(
    ("kind", "name", "listed_as"),
    [
        ("user", "edi", "user"),
        ("dataset", "air", "dataset"),
        ("group", "environment", "group"),
        ("group", "ecology", "organization"),
    ],
)
def test_things_are_followed_and_no_longer(
    people: People, kind: str, name: str, listed_as: str
) -> None:
    her = people.stranger
    people.nobody.refused(f"follow_{kind}", 403, id=name)
    assert her.call(f"am_following_{kind}", id=name) is False
    followed = her.call(f"follow_{kind}", id=name)
    assert followed["follower_id"] == _id(people, "stranger")
    assert her.call(f"follow_{kind}", id=followed["object_id"]) == followed
    assert her.call(f"am_following_{kind}", id=name) is True
    people.nobody.refused(f"am_following_{kind}", 403, id=name)
    assert people.nobody.call(f"{listed_as}_follower_count", id=name) == 1
    her.refused(f"{listed_as}_follower_list", 403, id=name)
    followers = people.admin.call(f"{listed_as}_follower_list", id=name)
    assert [one["name"] for one in followers] == ["stranger"]
    (followee,) = her.call(f"{listed_as}_followee_list", id="stranger")
    assert followee["name"] == name
    assert people.nobody.call(f"{listed_as}_followee_count", id="stranger") == 1
    (one,) = her.call("followee_list", id="stranger")
    assert (one["type"], one["dict"]["name"]) == (listed_as, name)
    assert her.call("followee_list", id="stranger", q="zzz") == []
    assert people.nobody.call("followee_count", id="stranger") == 1
    people.editor.refused("followee_list", 403, id="stranger")
    assert her.call(f"unfollow_{kind}", id=name) is None
    assert her.call(f"unfollow_{kind}", id=name) is None
    assert people.nobody.call(f"{listed_as}_follower_count", id=name) == 0
    said = f"Error validating the schema of the {kind} to follow."
    assert her.refused(f"follow_{kind}", 409)["message"] == said
    assert her.refused(f"follow_{kind}", 409, id="nope")["message"] == said
    assert her.refused(f"am_following_{kind}", 409, id="nope")["id"] == [
        f"Not found: {kind.title()}"
    ]


def test_nobody_follows_themselves_or_what_is_not_there(people: People) -> None:
    said = people.stranger.refused("follow_user", 409, id="stranger")
    assert said["message"] == "You cannot follow yourself"
    assert people.nobody.refused("followee_count", 409)["id"] == ["Missing value"]
    assert people.nobody.refused("followee_count", 409, id="x")["id"] == ["Not found: User"]
    people.stranger.refused("follow_dataset", 403, id="hidden")
    said = people.nobody.refused("organization_follower_count", 409, id="environment")
    assert said["id"] == ["Not found: Group"]


def test_a_collaborator_reads_and_edits_one_dataset(people: People) -> None:
    her = people.stranger
    her.refused("package_show", 403, id="hidden")
    people.editor.refused(
        "package_collaborator_create", 403, id="hidden", user_id="stranger", capacity="member"
    )
    made = people.publisher.call(
        "package_collaborator_create", id="hidden", user_id="stranger", capacity="member"
    )
    assert (made["user_id"], made["capacity"]) == (_id(people, "stranger"), "member")
    resource = her.call("package_show", id="hidden")["resources"][0]["id"]
    view = {"resource_id": resource, "view_type": "text_view", "title": "Text"}
    her.refused("resource_view_create", 403, **view)
    her.refused("package_collaborator_list", 403, id="hidden")
    her.refused("package_patch", 403, id="hidden", notes="Hers")
    people.publisher.call(
        "package_collaborator_create", id="hidden", user_id="stranger", capacity="admin"
    )
    assert her.call("resource_view_create", **view)["title"] == "Text"
    assert her.call("package_patch", id="hidden", notes="Hers")["notes"] == "Hers"
    her.refused("package_create", 403, name="another", owner_org="ecology")
    assert [one["capacity"] for one in her.call("package_collaborator_list", id="hidden")] == [
        "admin"
    ]
    assert her.call("package_collaborator_list", id="hidden", capacity="member") == []
    (mine,) = her.call("package_collaborator_list_for_user", id="stranger")
    assert (mine["package_id"], mine["capacity"]) == (made["package_id"], "admin")
    people.editor.refused("package_collaborator_list_for_user", 403, id="stranger")
    people.editor.refused("package_collaborator_list_for_user", 403, id="nope")
    said = people.publisher.refused("package_collaborator_list", 409, id="hidden", capacity="x")
    assert said["message"] == 'Capacity must be one of "admin, editor, member"'
    said = people.publisher.refused(
        "package_collaborator_create", 409, id="hidden", user_id="edi", capacity="x"
    )
    assert said["message"] == 'Role must be one of "admin, editor, member"'
    people.publisher.refused(
        "package_collaborator_create", 404, id="hidden", user_id="nope", capacity="editor"
    )
    people.publisher.refused(
        "package_collaborator_create", 404, id="nope", user_id="edi", capacity="editor"
    )
    people.publisher.refused("package_collaborator_delete", 404, id="hidden", user_id="edi")
    assert her.call("package_collaborator_delete", id="hidden", user_id="stranger") is None
    her.refused("package_show", 403, id="hidden")


def test_what_happened_is_told_to_who_may_see_the_thing(people: People) -> None:
    listed = people.nobody.call("package_activity_list", id="air")
    assert [one["activity_type"] for one in listed] == ["new package"]
    (first,) = listed
    UUID(first["id"])
    assert first["data"]["package"]["name"] == "air"
    put("Cleaner air", slug="air", themes=["environment"], description={"en": "Now cleaner"})
    changed, _ = people.nobody.call("package_activity_list", id="air")
    assert changed["activity_type"] == "changed package"
    shown = people.nobody.call("activity_show", id=changed["id"])
    assert shown["data"]["package"]["notes"] == "Now cleaner"
    assert people.nobody.call("activity_data_show", id=changed["id"]) == shown["data"]
    package = people.nobody.call("activity_data_show", id=first["id"], object_type="package")
    assert package["title"] == "Air"
    people.nobody.refused("activity_data_show", 404, id=first["id"], object_type="group")
    difference = people.nobody.call("activity_diff", id=changed["id"], object_type="package")
    assert '+  "title": "Cleaner air"' in difference["diff"]
    for kind in ("context", "html"):
        asked = {"id": changed["id"], "object_type": "package", "diff_type": kind}
        assert "Cleaner" in people.nobody.call("activity_diff", **asked)["diff"].replace(
            "&nbsp;", " "
        )
    people.nobody.refused(
        "activity_diff", 409, id=changed["id"], object_type="package", diff_type="x"
    )
    people.nobody.refused("activity_diff", 404, id=first["id"], object_type="package")
    people.nobody.refused("activity_diff", 404, id=changed["id"], object_type="group")

    only = people.nobody.call("package_activity_list", id="air", activity_types=["new package"])
    assert only == listed
    rest = people.nobody.call(
        "package_activity_list", id="air", exclude_activity_types="new package"
    )
    assert rest == [changed]
    assert people.nobody.call("package_activity_list", id="air", limit=1, offset=1) == listed
    assert people.nobody.call("package_activity_list", id="air", after=4e9) == []
    assert people.nobody.call("package_activity_list", id="air", before=0) == []
    asked = {"id": "air", "activity_types": ["x"], "exclude_activity_types": ["y"]}
    people.nobody.refused("package_activity_list", 409, **asked)
    people.nobody.refused("package_activity_list", 409, id="air", after="x")


def test_what_happened_to_private_datasets_is_told_to_their_department_only(people: People) -> None:
    (private,) = people.editor.call(
        "package_activity_list", id="hidden", activity_types="new package"
    )
    assert people.editor.call("activity_show", id=private["id"])
    people.nobody.refused("activity_show", 404, id=private["id"])
    people.nobody.refused("activity_show", 404, id="x")
    people.nobody.refused("activity_show", 404, id=str(uuid4()))
    for name, asked in (
        ("recently_changed_packages_activity_list", {}),
        ("organization_activity_list", {"id": "ecology"}),
        ("group_activity_list", {"id": "environment"}),
    ):
        told = people.nobody.call(name, **asked)
        assert any(one["data"].get("package", {}).get("name") == "air" for one in told), name
        assert private["id"] not in [one["id"] for one in told]
    assert private["id"] in [
        one["id"] for one in people.editor.call("organization_activity_list", id="ecology")
    ]


def test_the_dashboard_tells_what_is_new_in_what_one_follows(people: People) -> None:
    people.nobody.refused("dashboard_activity_list", 403)
    for kind, name in (
        ("dataset", "air"),
        ("group", "ecology"),
        ("group", "environment"),
        ("user", "pub"),
    ):
        people.editor.call(f"follow_{kind}", id=name)
    people.publisher.call("organization_patch", id="ecology", description="New")
    newest, *_ = people.editor.call("dashboard_activity_list")
    assert (newest["activity_type"], newest["is_new"]) == ("changed organization", True)
    assert people.editor.call("dashboard_new_activities_count") > 0
    assert people.editor.call("dashboard_mark_activities_old") is None
    assert people.editor.call("dashboard_new_activities_count") == 0
    mine = people.editor.call("user_activity_list", id="pub")
    assert mine[0]["id"] == newest["id"]
    assert people.stranger.call("dashboard_activity_list") == people.stranger.call(
        "dashboard_activity_list", limit=5
    )


def _id(people: People, name: str) -> str:
    return str(people.admin.call("user_show", id=name)["id"])


def test_views_that_come_change_and_go_are_activities_of_their_dataset(people: People) -> None:
    resource = people.editor.call("resource_create", package_id="air", url="https://x.example/a")
    view = people.editor.call(
        "resource_view_create", resource_id=resource["id"], view_type="text_view", title="Text"
    )
    people.editor.call("resource_view_update", id=view["id"], title="Other", view_type="text_view")
    people.editor.call("resource_view_delete", id=view["id"])
    listed = people.nobody.call("package_activity_list", id="air")[:3]
    assert [one["activity_type"] for one in listed] == [
        f"{what} resource view" for what in ("deleted", "changed", "new")
    ]
    package = people.nobody.call("package_show", id="air")["id"]
    for one in listed:
        assert one["object_id"] == one["data"]["package_id"] == package
        assert (one["data"]["id"], one["data"]["resource_id"]) == (view["id"], resource["id"])
