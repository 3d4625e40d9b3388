"""Changing tables through the API, as a publisher's program does."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.account import Account
from catalog.permissions import Identity
from catalog.schemas.account import KeyDraft
from catalog.services import accounts, keys
from tests.catalog.test_tables import make_resource


@pytest.fixture
def key(app: Flask) -> dict[str, str]:
    """The header of an administrator's key."""
    email = "publisher@example.org"
    accounts.create_administrator(email)
    return {"Authorization": f"Bearer {make_key(email)}"}


def make_key(email: str) -> str:

    account = db.session.scalars(
        select(Account).where(Account.email == email).execution_options(populate_existing=True)
    ).one()
    with transaction():
        account.must_change_password = False
    return keys.create(Identity(account.id, administrator=True), KeyDraft("test")).secret


COLUMNS = [{"name": "代码"}, {"name": "n", "type": "integer"}]


@pytest.fixture
def table(app: Flask, client: FlaskClient, key: dict[str, str]) -> str:
    """The address of a new table."""
    body = {"resource": make_resource().id, "columns": COLUMNS, "primary_key": ["代码"]}
    answer = client.post("/api/v1/tables", json=body, headers=key)
    assert answer.status_code == 200, answer.json
    return f"/api/v1/tables/{answer.json['table']}"


def rows(client: FlaskClient, table: str, **asked: str) -> list[list[Any]]:
    query = {"format": "arrays", **asked}
    answer = client.get(f"{table}/rows", query_string=query)
    assert answer.status_code == 200, answer.json
    return list(answer.json["rows"])


def test_records_are_written_and_read_by_the_next_call(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    body = {"records": [{"代码": "007", "n": 7}, {"代码": "008", "n": 8}], "reason": "first"}
    answer = client.post(f"{table}/rows", json=body, headers=key)
    assert (answer.status_code, answer.json["inserted"], answer.json["release"]) == (200, 2, 2)
    assert rows(client, table) == [["007", 7], ["008", 8]]
    update = {"records": [{"代码": "008", "n": 80}], "method": "update"}
    assert client.post(f"{table}/rows", json=update, headers=key).json["updated"] == 1
    assert rows(client, table) == [["007", 7], ["008", 80]]
    gone = client.post(f"{table}/rows/delete", json={"keys": [{"代码": "007"}]}, headers=key)
    assert (gone.json["deleted"], gone.json["rows"]) == (1, 1)
    by_condition = client.post(f"{table}/rows/delete", json={"where": "n > 79"}, headers=key)
    assert by_condition.json["deleted"] == 1
    assert client.post(f"{table}/rows/delete", json={"all": True}, headers=key).json["deleted"] == 0


def test_a_file_takes_the_place_of_all_rows(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    first = client.put(
        f"{table}/rows?name=a.csv&reason=March", data="代码,n\n001,1\n002,2\n".encode(), headers=key
    )
    assert (first.status_code, first.json["rows"]) == (200, 2)
    assert rows(client, table) == [["001", 1], ["002", 2]]
    again = client.put(f"{table}/rows", data="代码,n\n001,1\n002,2\n".encode(), headers=key)
    assert again.json["release"] == first.json["release"]
    for wrong in (b"", b"\x00\x01\x02"):
        answer = client.put(f"{table}/rows", data=wrong, headers=key)
        assert answer.status_code in (400, 409, 422)
        assert answer.content_type == "application/problem+json"
    assert len(rows(client, table)) == 2
    other = client.put(f"{table}/rows", data=b"a,b\n1,2\n", headers=key)
    assert (other.status_code, "代码" in other.json["detail"]) == (409, True)
    meant = client.put(f"{table}/rows?other_columns=true", data=b"a,b\n1,2\n", headers=key)
    assert (meant.status_code, rows(client, table)) == (200, [[1, 2]])


def test_columns_key_access_retention_and_pins_change_in_one_call(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    client.post(f"{table}/rows", json={"records": [{"代码": "a", "n": 1}]}, headers=key)
    body = {
        "columns": [{"add": "note", "type": "string"}, {"rename": "n", "to": "数"}],
        "access": [{"column": "note", "access": "hidden"}],
        "retention": {"keep": 5},
        "pins": [{"release": 2}],
    }
    answer = client.patch(table, json=body, headers=key)
    assert (answer.status_code, answer.json["release"]) == (200, 3), answer.json
    shown = client.get(table).json
    assert [column["name"] for column in shown["columns"]] == ["代码", "数"]
    assert client.get(f"{table}/rows?select=note").status_code == 400
    seen = client.get(f"{table}/rows?select=note", headers=key)
    assert seen.status_code == 200
    more = {"columns": [{"drop": "note"}, {"retype": "数", "type": "string"}], "primary_key": []}
    assert client.patch(table, json=more, headers=key).json["release"] == 4
    assert rows(client, table) == [["a", "1"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rows", {}),
        ("/rows", {"records": "many"}),
        ("/rows", {"records": [1]}),
        ("/rows", {"records": [], "method": "replace"}),
        ("/rows", {"records": [{"?": 1}]}),
        ("/rows/delete", {}),
        ("/rows/delete", {"all": True, "where": "n = 1"}),
        ("/rows/delete", {"where": "no such thing"}),
        ("/rows/delete", {"keys": [{}]}),
    ],
)
def test_bad_bodies_are_refused_with_a_reason(
    client: FlaskClient, table: str, key: dict[str, str], path: str, body: dict[str, Any]
) -> None:
    answer = client.post(f"{table}{path}", json=body, headers=key)
    assert answer.status_code in (400, 422), answer.json
    assert answer.json["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"columns": [{"add": "x"}]},
        {"columns": [{"add": "x", "drop": "y", "type": "string"}]},
        {"columns": [{"add": "n", "type": "string"}]},
        {"access": [{"column": "?", "access": "hidden"}]},
        {"access": [{"column": "n", "access": "secret"}]},
        {"retention": {"keep": -1}},
        {"pins": [{"release": 99}]},
        {"primary_key": ["?"]},
    ],
)
def test_changes_that_make_no_sense_are_refused(
    client: FlaskClient, table: str, key: dict[str, str], body: dict[str, Any]
) -> None:
    assert client.patch(table, json=body, headers=key).status_code in (400, 404, 422)


def test_nobody_writes_without_a_key(client: FlaskClient, table: str, key: dict[str, str]) -> None:
    body = {"records": [{"代码": "x"}]}
    assert client.post(f"{table}/rows", json=body).status_code == 401
    assert client.put(f"{table}/rows", data=b"a\n1").status_code == 401
    assert client.patch(table, json={}).status_code == 401
    assert client.delete(table).status_code == 401
    assert (
        client.post("/api/v1/tables", json={"resource": "x", "columns": COLUMNS}).status_code == 404
    )
    assert client.delete(table, headers=key).json["deleted"] == 0
    assert client.get(table).status_code == 404


def test_what_is_withheld_outlives_the_absence_of_its_column(
    client: FlaskClient, key: dict[str, str]
) -> None:
    columns = [{"name": "k"}, {"name": "s"}, {"name": "o"}]
    body = {"resource": make_resource().id, "columns": columns}
    table = f"/api/v1/tables/{client.post('/api/v1/tables', json=body, headers=key).json['table']}"
    record = {"records": [{"k": "1", "s": "SECRET-A", "o": "MASKED-A"}], "method": "insert"}
    client.post(f"{table}/rows", json=record, headers=key)
    access = [{"column": "s", "access": "hidden"}, {"column": "o", "access": "masked"}]
    assert client.patch(table, json={"access": access}, headers=key).status_code == 200
    for content in (b"k\n1\n", b"k,s,o\n1,SECRET-B,MASKED-B\n"):
        client.put(f"{table}/rows?other_columns=true", data=content, headers=key)
    assert client.get(f"{table}/rows").json["rows"] == [{"k": "1", "o": "***"}]
    for address in (table, f"{table}/rows", *(f"{table}/changes?from={n}" for n in (1, 2, 3))):
        told = client.get(address).text
        assert "SECRET" not in told
        assert "MASKED" not in told
    opened = {"access": [{"column": "s", "access": "open"}]}
    client.patch(table, json=opened, headers=key)
    assert client.get(f"{table}/rows").json["rows"][0]["s"] == "SECRET-B"


def test_a_hidden_column_that_is_dropped_and_made_again_stays_hidden(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    client.post(f"{table}/rows", json={"records": [{"代码": "a", "n": 4711}]}, headers=key)
    client.patch(table, json={"access": [{"column": "n", "access": "hidden"}]}, headers=key)
    client.patch(table, json={"columns": [{"drop": "n"}]}, headers=key)
    client.patch(table, json={"columns": [{"add": "n", "type": "integer"}]}, headers=key)
    for address in (f"{table}/rows", f"{table}/changes?from=2", f"{table}/changes?from=2&to=3"):
        assert "4711" not in client.get(address).text


def test_a_file_whose_keys_do_not_tell_its_rows_apart_is_refused(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    for content, named in (("代码,n\na,1\na,2\n", "a"), ("代码,n\na,1\n,2\n", "–")):
        answer = client.put(f"{table}/rows", data=content.encode(), headers=key)
        assert (answer.status_code, named in answer.json["detail"]) == (409, True)
    assert rows(client, table) == []


def test_declared_types_outlive_a_file_with_other_columns(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    content = "代码,n,x\n100,5,1\n".encode()
    client.put(f"{table}/rows?other_columns=true", data=content, headers=key)
    assert rows(client, table) == [["100", 5, 1]]


def test_cells_that_do_not_fit_are_told_and_counted_until_they_are_mended(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    sent = client.put(f"{table}/rows", data="代码,n\na,many\nb,few\nc,3\n".encode(), headers=key)
    assert (sent.status_code, sent.json["kept_cells"]) == (200, 2)
    client.post(f"{table}/rows", json={"records": [{"代码": "a", "n": 1}]}, headers=key)
    assert client.get(table).json["kept_cells"] == 1
    client.post(f"{table}/rows/delete", json={"keys": [{"代码": "b"}]}, headers=key)
    assert client.get(table).json["kept_cells"] == 0


def test_a_change_of_several_things_is_done_whole_or_not_at_all(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    add = {"columns": [{"add": "half", "type": "string"}]}
    for wrong in (
        {"access": [{"column": "nope", "access": "masked"}]},
        {"primary_key": ["nope"]},
        {"pins": [{"release": 99}]},
    ):
        answer = client.patch(table, json={**add, **wrong}, headers=key)
        assert answer.status_code in (404, 422)
    assert [column["name"] for column in client.get(table).json["columns"]] == ["代码", "n"]


@pytest.mark.parametrize("path", ["/rows", "/rows/delete", "/query"])
def test_half_a_character_is_refused(
    client: FlaskClient, table: str, key: dict[str, str], path: str
) -> None:
    body = '{"records": [{"\\ud800": 1}], "where": "\\ud800"}'
    headers = {**key, "Content-Type": "application/json"}
    answer = client.post(f"{table}{path}", data=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (400, "bad_query")


def test_the_name_of_a_file_has_no_control_characters(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    for name in ("a%00b.csv", "%0a", "x" * 81):
        answer = client.put(f"{table}/rows?name={name}", data=b"a\n1\n", headers=key)
        assert answer.status_code == 422


def test_a_column_of_another_type_is_compared_by_its_values(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    client.post(f"{table}/rows", json={"records": [{"代码": "a", "n": 5}]}, headers=key)
    client.patch(table, json={"columns": [{"retype": "n", "type": "string"}]}, headers=key)
    assert client.get(f"{table}/changes?from=2").json["total"] == 0
    client.post(f"{table}/rows", json={"records": [{"代码": "a", "n": "6"}]}, headers=key)
    (changed,) = client.get(f"{table}/changes?from=2").json["changes"]
    assert (changed["old"]["n"], changed["new"]["n"]) == ("5", "6")


def test_what_is_wrong_with_keys_names_the_record_the_column_and_what_to_do(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    path = f"{table}/rows"
    known = {"代码": "1", "n": 1}
    nameless = client.post(path, json={"records": [known, {"n": 2}, {"代码": None}]}, headers=key)
    assert nameless.status_code == 422
    assert nameless.json["problems"] == {
        "1": {"代码": ["this column is part of the key"]},
        "2": {"代码": ["this column is part of the key"]},
    }
    other = {"keys": [{"代码": "1"}, {"代码": "1", "n": 1, "x": 2}]}
    wrong = client.post(f"{path}/delete", json=other, headers=key)
    assert wrong.status_code == 422
    assert "their key, which is 代码" in wrong.json["detail"]
    said = ["this column is not part of the key"]
    assert wrong.json["problems"] == {"1": {"n": said, "x": said}}
    half = client.post(f"{path}/delete", json={"keys": [{}]}, headers=key)
    assert half.json["problems"] == {"0": {"代码": ["this column is part of the key"]}}
    client.patch(table, json={"primary_key": []}, headers=key)
    keyless = client.post(path, json={"records": [known]}, headers=key)
    assert f"PATCH {table}" in keyless.json["detail"]


def test_of_many_records_without_keys_the_first_are_named(
    client: FlaskClient, table: str, key: dict[str, str]
) -> None:
    path = f"{table}/rows"
    answer = client.post(path, json={"records": [{"n": at} for at in range(80)]}, headers=key)
    assert len(answer.json["problems"]) == 50
    wrong = client.post(
        f"{path}/delete", json={"keys": [{"n": at} for at in range(80)]}, headers=key
    )
    assert len(wrong.json["problems"]) == 50
