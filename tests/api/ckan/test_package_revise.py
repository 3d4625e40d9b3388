"""`package_revise`, as CKAN documents it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from api.ckan.nested import WrongPath, filtered, merge, merge_at, unmatched, unmatched_at
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_organization


@pytest.fixture(scope="module")
def ckan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ckan]:
    with make_app(tmp_path_factory.mktemp("ckan")) as app:
        make_organization()
        yield Ckan(app.test_client(), make_key())


@pytest.fixture
def package(ckan: Ckan) -> dict[str, Any]:
    made: dict[str, Any] = ckan.call(
        "package_create",
        name=f"set-{uuid4().hex[:8]}",
        owner_org="ecology",
        notes="old notes",
        tags=[{"name": "kept"}],
        resources=[
            {"name": "one", "url": "http://a.example/1"},
            {"name": "two", "url": "http://a.example/2"},
        ],
    )
    return made


def revise(ckan: Ckan, package: dict[str, Any], **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = ckan.call("package_revise", match={"id": package["id"]}, **asked)
    package_: dict[str, Any] = found["package"]
    return package_


def test_a_description_is_revised_where_it_matches(ckan: Ckan, package: dict[str, Any]) -> None:
    match = {"notes": "old notes", "name": package["name"]}
    answer = ckan.call("package_revise", match=match, update={"notes": "new notes"})
    assert answer["package"]["notes"] == "new notes"
    assert answer["package"]["tags"] == package["tags"]
    error = ckan.refused("package_revise", 409, match=match, update={"notes": "newest"})
    assert error == {"match": ["notes"], "__type": "Validation Error"}


def test_keys_may_be_flattened(ckan: Ckan, package: dict[str, Any]) -> None:
    form = {"match__name": package["name"], "match__notes": "old notes", "update__notes": "flat"}
    answer = ckan.client.post("/api/3/action/package_revise", data=form, headers=ckan.headers)
    assert answer.json["result"]["package"]["notes"] == "flat"


def test_fields_of_the_dataset_are_replaced_and_resources_stay(
    ckan: Ckan, package: dict[str, Any]
) -> None:
    revised = revise(ckan, package, filter=["+resources", "-*"],
                     update={"name": f"{package['name']}-fresh", "title": "Fresh"})  # fmt: skip
    assert (revised["title"], revised["notes"], revised["tags"]) == ("Fresh", None, [])
    assert revised["resources"] == package["resources"]
    assert revised["id"] == package["id"]


def test_resources_are_added_and_changed_by_index_or_id(
    ckan: Ckan, package: dict[str, Any]
) -> None:
    more = {"update__resources__extend": [{"name": "new", "url": "http://a.example/3"}]}
    assert [one["name"] for one in revise(ckan, package, **more)["resources"]] == [
        "one",
        "two",
        "new",
    ]
    revised = revise(
        ckan,
        package,
        update__resources__0={"name": "first"},
        **{"update__resources__-1__description": "last"},
    )
    assert revised["resources"][0]["name"] == "first"
    assert revised["resources"][2]["description"] == "last"
    id_ = package["resources"][1]["id"]
    revised = revise(
        ckan, package, **{f"update__resources__{id_[:6]}": {"description": "right one"}}
    )
    assert revised["resources"][1]["description"] == "right one"
    revised = revise(ckan, package, filter=[f"+resources__{id_[:5]}__id", f"-resources__{id_[:5]}__*"],
                     **{f"update__resources__{id_[:5]}": {"name": "edits", "url": "http://a.example/e"}})  # fmt: skip
    assert (revised["resources"][1]["id"], revised["resources"][1]["description"]) == (id_, None)
    assert len(revise(ckan, package, filter="-resources__1")["resources"]) == 2


def test_a_file_goes_to_a_resource_that_is_new(ckan: Ckan, package: dict[str, Any]) -> None:
    form = {
        "match__id": package["id"],
        "update__resources__extend": '[{"name": "with a file"}]',
        "update__resources__-1__upload": (io.BytesIO(b"a,b\n1,2\n"), "rows.csv"),
    }
    answer = ckan.client.post("/api/3/action/package_revise", data=form, headers=ckan.headers)
    resource = answer.json["result"]["package"]["resources"][-1]
    assert (resource["name"], resource["url_type"], resource["size"]) == (
        "with a file",
        "upload",
        8,
    )
    assert resource["url"].endswith("/download/rows.csv")


def test_the_answer_holds_what_is_asked_for(ckan: Ckan, package: dict[str, Any]) -> None:
    assert ckan.call("package_revise", match__id=package["id"], include="-*") == {}
    some = ckan.call(
        "package_revise", match__id=package["id"], include="+package__name, -package__*"
    )
    assert some == {"package": {"name": package["name"]}}


def test_what_cannot_be_revised_is_refused(ckan: Ckan, package: dict[str, Any]) -> None:
    assert ckan.refused("package_revise", 409, update={})["match__id"] == "Missing value"
    assert ckan.refused("package_revise", 409, match="x")["match"] == ["Must be a dict"]
    assert ckan.refused("package_revise", 409, match__id="a", filter=3)["filter"] == ["Not a list"]
    ckan.refused("package_revise", 404, match__id="nope")
    id_ = package["id"]
    for wrong, field in (
        ({"update__resources__7": {"name": "x"}}, "resources__7"),
        ({"update__resources__zzzzz__name": "x"}, "resources__zzzzz__name"),
        ({"update__resources": "x"}, "resources"),
        ({"update": {"tags": "x"}}, "update"),
        ({"update__tags__extend": "x"}, "tags__extend"),
        ({"update__notes__deep": "x"}, "notes__deep"),
    ):
        assert field in ckan.refused("package_revise", 409, match__id=id_, **wrong)
    error = ckan.refused("package_revise", 400, match__id=id_, match__resources__9="x")
    assert error["message"] == "Unmatched key resources__9"
    nobody = Ckan(ckan.client)
    nobody.refused("package_revise", 403, match__id=id_, update={"notes": "x"})


def test_nested_values_are_compared_and_put_in() -> None:
    whole = {"a": [1, {"id": "abcdef", "n": [1]}], "b": {"c": 1}}
    assert unmatched(whole, {"b": {"c": 1}, "a": [1]}) == []
    assert unmatched(whole, {"b": [1], "x": 1, "a": [2, {"n": [1, 2]}, 3]}) == [
        ("a", 0), ("a", 1, "n", 1), ("a", 2), ("b",), ("x",),
    ]  # fmt: skip
    assert unmatched_at(whole, "a__abcde__n__0", 2) == [("a", 1, "n", 0)]
    assert unmatched({"a": 1}, {"a": {"b": 1}}) == [("a",)]
    merge(whole, {"a": [5, {"n": [7, 8]}, 9], "b": {"d": 2}, "e": 1})
    assert whole == {"a": [5, {"id": "abcdef", "n": [7, 8]}, 9], "b": {"c": 1, "d": 2}, "e": 1}
    merge_at(whole, "a__-1", 10)
    merge_at(whole, "a__1__n", [1])
    assert whole["a"] == [
        10 if at == 2 else one for at, one in enumerate([5, {"id": "abcdef", "n": [1, 8]}, 9])
    ]
    with pytest.raises(WrongPath):
        merge_at(whole, "e__f__g", 1)
    with pytest.raises(WrongPath):
        merge_at(whole, "a__x", 1)


def test_patterns_name_what_goes() -> None:
    whole = {"a": [{"x": 1, "y": 2}, {"x": 3}, 4], "b": 1, "c": 2}
    filtered(whole, ["-b", "-a__0__y", "-a__-1", "-nothing", "-c__d"])
    assert whole == {"a": [{"x": 1}, {"x": 3}], "c": 2}
    filtered(whole, ["+a__0", "-a__*"])
    assert whole == {"a": [{"x": 1}], "c": 2}
    filtered(whole, ["+c", "-*"])
    assert whole == {"c": 2}
