"""Hidden and masked columns stay withheld, whatever CKAN's clients ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from catalog.models.vocabulary import ColumnAccess
from catalog.permissions import SCHEDULER
from catalog.services import table_columns
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_organization, put

RECORDS = [
    {"name": "Wang", "phone": 13912345678, "secret": "s1", "n": 1},
    {"name": "Li", "phone": 13887654321, "secret": "s2", "n": 2},
]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Ckan, str]]:
    """A table with a masked and a hidden column, the client of its editor, its resource."""
    folder = tmp_path_factory.mktemp("ckan")
    with make_app(folder) as app:
        make_organization()
        put("People", slug="people")
        editor = Ckan(app.test_client(), make_key())
        made = editor.call(
            "datastore_create",
            resource={"package_id": "people"},
            records=RECORDS,
            aliases="people1",
        )
        info = editor.call("resource_show", id=made["resource_id"])
        (table_id,) = info["datastore_tables"]
        masked, hidden = ColumnAccess.MASKED, ColumnAccess.HIDDEN
        table_columns.set_access(SCHEDULER, table_id, "phone", masked, {"first": 3, "last": 2})
        table_columns.set_access(SCHEDULER, table_id, "secret", hidden)
        yield app, editor, made["resource_id"]


@pytest.fixture
def anyone(people: tuple[Flask, Ckan, str]) -> Ckan:
    return Ckan(people[1].client)


@pytest.fixture
def resource(people: tuple[Flask, Ckan, str]) -> str:
    return people[2]


def test_a_search_shows_masks_and_no_hidden_field(anyone: Ckan, resource: str) -> None:
    result = anyone.call("datastore_search", resource_id=resource)
    assert result["records"] == [
        {"_id": 1, "name": "Wang", "phone": "139***78", "n": 1},
        {"_id": 2, "name": "Li", "phone": "138***21", "n": 2},
    ]
    assert [field["id"] for field in result["fields"]] == ["_id", "name", "phone", "n"]
    assert result["fields"][2]["type"] == "text"
    assert "secret" not in str(anyone.call("datastore_info", id=resource))
    text = anyone.client.get(f"/datastore/dump/{resource}").text
    assert text == "_id,name,phone,n\r\n1,Wang,139***78,1\n2,Li,138***21,2\n"


@pytest.mark.parametrize(
    "asked",
    [
        {"filters": {"phone": "13912345678"}},
        {"filters": {"phone": ["13912345678"]}},
        {"sort": "phone"},
        {"q": {"phone": "13912345678"}},
        {"fields": "phone", "distinct": True},
        {"filters": {"secret": "s1"}},
        {"sort": "secret desc"},
        {"q": {"secret": "s1"}},
        {"fields": ["secret"]},
    ],
)
def test_nothing_is_asked_of_what_is_withheld(
    anyone: Ckan, resource: str, asked: dict[str, Any]
) -> None:
    error = anyone.refused("datastore_search", 409, resource_id=resource, **asked)
    assert "s1" not in str(error).replace(str(asked), "")


def test_words_are_not_looked_for_in_what_is_withheld(anyone: Ckan, resource: str) -> None:
    for word in ("13912345678", "139", "s1"):
        assert anyone.call("datastore_search", resource_id=resource, q=word)["total"] == 0
        assert anyone.client.get(f"/datastore/dump/{resource}?q={word}").text.count("\n") == 1
    found = anyone.records(resource, q="Wang")
    assert found[0]["phone"] == "139***78"


def test_statements_see_masks_and_no_hidden_field(anyone: Ckan, resource: str) -> None:
    def ask(sql: str) -> Any:
        return anyone.call("datastore_search_sql", sql=sql)["records"]

    assert ask(f'SELECT * FROM "{resource}" ORDER BY _id') == [
        {"_id": 1, "name": "Wang", "phone": "139***78", "n": 1},
        {"_id": 2, "name": "Li", "phone": "138***21", "n": 2},
    ]
    assert ask("SELECT name FROM people1 WHERE phone = '13912345678'") == []
    anyone.refused("datastore_search_sql", 409, sql=f'SELECT secret FROM "{resource}"')


def test_an_editor_sees_and_keeps_everything(people: tuple[Flask, Ckan, str]) -> None:
    _, editor, resource = people
    assert editor.records(resource)[0] == {"_id": 1, **RECORDS[0]}
    assert editor.records(resource, filters={"secret": "s2"}, fields="n") == [{"n": 2}]
    editor.call("datastore_upsert", resource_id=resource, records=[{"_id": 1, "n": 5}])
    assert editor.records(resource)[0] == {"_id": 1, **RECORDS[0], "n": 5}
