"""`as_of`, which CKAN has not: searches and dumps of an earlier release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.permissions import SCHEDULER
from catalog.services import table_columns
from tests.make_portal import Served
from tests.make_versions import make_versions


@pytest.fixture
def made(app: Flask, tmp_path: Path) -> Served:
    versions = make_versions(tmp_path)
    change = table_columns.DropColumn("note")
    table_columns.change_columns(SCHEDULER, versions.table, [change], reason="empty")
    return versions


def search(client: FlaskClient, made: Served, **asked: object) -> Any:
    body = {"resource_id": made.resource, **asked}
    return client.post("/api/3/action/datastore_search", json=body)


@pytest.mark.parametrize("as_of", [1, "1"])
def test_a_search_reads_the_release_with_its_columns(
    client: FlaskClient, made: Served, as_of: object
) -> None:
    found = search(client, made, as_of=as_of).json["result"]
    assert [field["id"] for field in found["fields"]] == ["_id", "code", "n", "note"]
    assert [row["n"] for row in found["records"]] == [1, 2, 3]
    assert found["total"] == 3
    assert "as_of=1" in found["_links"]["next"]
    newest = search(client, made).json["result"]
    assert [field["id"] for field in newest["fields"]] == ["_id", "code", "n"]
    assert [row["_id"] for row in newest["records"]] == [2, 3, 4]


def test_words_and_distinct_rows_are_of_the_release(client: FlaskClient, made: Served) -> None:
    words = search(client, made, as_of=1, q="b", fields=["code", "n", "rank"]).json["result"]
    assert [(row["code"], row["n"]) for row in words["records"]] == [("b", 2)]
    distinct = search(client, made, as_of=3, distinct=True, fields=["note"]).json["result"]
    assert (distinct["records"], distinct["total"]) == ([{"note": "s"}], 1)


def test_a_dump_is_of_the_release(client: FlaskClient, made: Served) -> None:
    path = f"/datastore/dump/{made.resource}"
    assert client.get(f"{path}?as_of=1").text.splitlines() == [
        "_id,code,n,note",
        "1,a,1,s",
        "2,b,2,s",
        "3,c,3,s",
    ]
    assert client.get(f"{path}?as_of=1&distinct=true&fields=note").text.splitlines() == [
        "note",
        "s",
    ]
    assert client.get(f"{path}?as_of=soon").status_code == 400


@pytest.mark.parametrize("as_of", [True, "soon", {"a": 1}, 1.5])
def test_what_names_no_release_is_an_invalid_parameter(
    client: FlaskClient, made: Served, as_of: object
) -> None:
    answer = search(client, made, as_of=as_of)
    assert answer.status_code == 409
    assert answer.json["error"]["as_of"]


def test_a_release_that_is_not_there_is_not_found(client: FlaskClient, made: Served) -> None:
    assert search(client, made, as_of=77).status_code == 404
