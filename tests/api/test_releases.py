"""Releases over the API: listed, compared, read as of, cited."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import Access, ColumnAccess
from catalog.permissions import SCHEDULER
from catalog.services import releases, table_columns, table_schema, table_writes
from tests.make_portal import Served
from tests.make_versions import make_row, make_versions


def row(code: str, n: int, note: str = "s") -> dict[str, object]:
    return make_row(code, n, note)


@pytest.fixture
def served(app: Flask, tmp_path: Path) -> Served:
    return make_versions(tmp_path)


def hide(served: Served, name: str, access: ColumnAccess = ColumnAccess.HIDDEN) -> None:
    table_columns.set_access(SCHEDULER, served.table, name, access)


def ask(client: FlaskClient, served: Served, what: str, **asked: object) -> Any:
    path = f"/api/v1/tables/{served.table}{what}"
    return client.get(path, query_string=asked, buffered=True)


def test_releases_are_listed_newest_first_with_what_changed(
    client: FlaskClient, served: Served
) -> None:
    body = ask(client, served, "/releases", limit=3).json
    assert body["total"] == 4
    assert [one["number"] for one in body["releases"]] == [4, 3, 2]
    newest = body["releases"][0]
    assert newest["reason"] == "closed down"
    assert newest["made_by"] == "scheduler"
    assert (newest["inserted"], newest["updated"], newest["deleted"], newest["rows"]) == (
        0,
        0,
        1,
        3,
    )
    parts = urlsplit(body["next"])
    following = client.get(f"{parts.path}?{parts.query}").json
    assert [one["number"] for one in following["releases"]] == [1]
    assert following["next"] is None


def test_links_of_a_release_lead_to_its_rows_and_files(client: FlaskClient, served: Served) -> None:
    one = ask(client, served, "/releases/2").json
    assert [field["name"] for field in one["schema"]["fields"]] == ["code", "n", "note"]
    for name in ("self", "manifest", "csv", "rows"):
        parts = urlsplit(one["links"][name])
        answer = client.get(f"{parts.path}?{parts.query}", buffered=True)
        assert answer.status_code == 200, name
    assert [row["code"] for row in answer.json["rows"]] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("as_of", "codes"), [(1, "abc"), (2, "abcd"), (4, "bcd"), ("", "bcd")])
def test_every_read_can_name_a_release(
    client: FlaskClient, served: Served, as_of: object, codes: str
) -> None:
    asked = {"as_of": as_of} if as_of else {}
    rows = ask(client, served, "/rows", **asked).json
    assert "".join(row["code"] for row in rows["rows"]) == codes
    assert rows["release"] == (as_of or 4)
    count = ask(client, served, "/count", **asked).json
    assert (count["count"], count["release"]) == (len(codes), as_of or 4)
    groups = ask(client, served, "/group", measures="count(*) as k", **asked).json
    assert groups["rows"] == [{"k": len(codes)}]
    assert ask(client, served, "/download.csv", select="code", **asked).data.split() == [
        b"code",
        *(code.encode() for code in codes),
    ]
    whole = ask(client, served, "/download.csv", **asked)
    assert whole.data == ask(client, served, f"/releases/{as_of or 4}/download.csv").data


@pytest.mark.parametrize(
    ("what", "asked", "status"),
    [
        ("/rows", {"as_of": "9"}, 404),
        ("/rows", {"as_of": "yesterday"}, 400),
        ("/count", {"as_of": "1999-01-01"}, 404),
        ("/download.csv", {"as_of": "9"}, 404),
        ("/releases", {"limit": 1000}, 422),
        ("/releases/9", {}, 404),
        ("/releases/9/manifest", {}, 404),
        ("/releases/1/manifest", {"make": "pdf"}, 422),
        ("/releases/1/manifest", {"make": "gpkg"}, 404),
        ("/changes", {"from": "9"}, 404),
        ("/changes", {"from": "3", "to": "2"}, 400),
        ("/changes", {"kind": "odd"}, 422),
        ("/changes", {"limit": 100_000}, 422),
        ("/changes.csv", {"from": "x"}, 400),
        ("/changes.xml", {}, 404),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_sentence(
    client: FlaskClient, served: Served, what: str, asked: dict[str, object], status: int
) -> None:
    answer = ask(client, served, what, **asked)
    assert answer.status_code == status
    assert answer.json["detail"]


def test_changes_have_old_and_new_values_and_the_columns_that_differ(
    client: FlaskClient, served: Served
) -> None:
    body = ask(client, served, "/changes", **{"from": 1}).json
    assert body["counts"] == {"added": 1, "changed": 1, "removed": 1}
    assert (body["from"]["number"], body["to"]["number"]) == (1, 4)
    assert body["changes"] == [
        {"row": 1, "kind": "removed", "columns": [], "old": row("a", 1), "new": None},
        {"row": 2, "kind": "changed", "columns": ["n"], "old": row("b", 2), "new": row("b", 20)},
        {"row": 4, "kind": "added", "columns": [], "old": None, "new": row("d", 4)},
    ]
    assert body["next"] is None


def test_changes_are_those_since_the_release_before_unless_told_otherwise(
    client: FlaskClient, served: Served
) -> None:
    assert ask(client, served, "/changes").json["counts"]["removed"] == 1
    since = ask(client, served, "/changes", to=3).json
    assert since["counts"] == {"added": 0, "changed": 1, "removed": 0}
    first = ask(client, served, "/changes", to=1).json
    assert (first["total"], first["changes"]) == (0, [])


def test_changes_are_paged_and_narrowed_by_kind(client: FlaskClient, served: Served) -> None:
    page = ask(client, served, "/changes", **{"from": 1, "limit": 2}).json
    parts = urlsplit(page["next"])
    rest = client.get(f"{parts.path}?{parts.query}").json
    assert [one["row"] for one in [*page["changes"], *rest["changes"]]] == [1, 2, 4]
    assert rest["next"] is None
    added = ask(client, served, "/changes", **{"from": 1, "kind": "added"}).json
    assert (added["total"], [one["row"] for one in added["changes"]]) == (1, [4])
    counts = ask(client, served, "/changes", **{"from": 1, "limit": 0}).json
    assert (counts["total"], counts["changes"], counts["next"]) == (3, [], None)


def test_changes_can_be_had_as_a_file(client: FlaskClient, served: Served) -> None:
    answer = ask(client, served, "/changes.csv", **{"from": 1})
    assert "air-quality-changes-r1-r4.csv" in answer.headers["Content-Disposition"]
    lines = list(csv.reader(io.StringIO(answer.get_data(as_text=True))))
    assert lines == [
        ["kind", "row", "code", "n", "note", "old: code", "old: n", "old: note"],
        ["removed", "1", "", "", "", "a", "1", "s"],
        ["changed", "2", "b", "20", "s", "b", "2", "s"],
        ["added", "4", "d", "4", "s", "", "", ""],
    ]
    text = ask(client, served, "/changes.jsonl", **{"from": 1, "kind": "changed"}).data
    (line,) = map(orjson.loads, text.splitlines())
    assert (line["n"], line["old: n"]) == (20, 2)


@pytest.mark.parametrize("access", [ColumnAccess.HIDDEN, ColumnAccess.MASKED])
def test_withheld_columns_stay_withheld_in_releases_changes_and_files(
    client: FlaskClient, served: Served, access: ColumnAccess
) -> None:
    before = ask(client, served, "/releases/4/download.csv")
    table_writes.upsert(SCHEDULER, served.table, [row("c", 3, "geheim")])
    hide(served, "note", access)
    changes = ask(client, served, "/changes").json
    assert changes["counts"]["changed"] == 0
    for what in ("/changes", "/changes.csv", "/releases", "/releases/5/manifest", "/releases/5"):
        answer = ask(client, served, what)
        assert answer.status_code == 200
        assert "geheim" not in answer.get_data(as_text=True)
    after = ask(client, served, "/releases/4/download.csv")
    assert after.headers["ETag"] != before.headers["ETag"]
    assert b",s\r\n" not in after.data
    assert b",s\r\n" in before.data
    resumed = client.get(
        f"/api/v1/tables/{served.table}/releases/4/download.csv",
        headers={"Range": "bytes=5-", "If-Range": before.headers["ETag"]},
        buffered=True,
    )
    assert (resumed.status_code, resumed.data) == (200, after.data)


def test_a_manifest_tells_size_and_hash_of_files_that_were_made(
    client: FlaskClient, served: Served
) -> None:
    told = ask(client, served, "/releases/2/manifest", make="csv").json
    content = ask(client, served, "/releases/2/download.csv").data
    files = {file["format"]: file for file in told["files"]}
    assert files["csv"]["bytes"] == len(content)
    assert files["csv"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert files["parquet"]["sha256"] is None
    assert "geojson" not in files
    assert told["release"]["rows"] == 4
    assert told["schema"]["fields"][1] == {"name": "n", "type": "integer"}
    assert files["csv-bom"]["url"].endswith("download.csv?bom=1")


def test_a_manifest_has_the_same_table_schema_as_the_table(
    client: FlaskClient, served: Served
) -> None:
    said = {"name": "n", "title": "Number", "unit": "km", "constraints": {"minimum": 0}}
    table_schema.describe(SCHEDULER, served.table, {"fields": [said]})
    newest = ask(client, served, "/releases").json["releases"][0]["number"]
    schema = ask(client, served, f"/releases/{newest}/manifest").json["schema"]
    whole = client.get(f"/api/v1/tables/{served.table}/schema").json
    assert schema == whole
    assert schema["fields"][1]["constraints"] == {"minimum": 0}
    shown = ask(client, served, f"/releases/{newest}").json["schema"]
    assert shown == schema


def test_rows_that_were_given_up_are_gone_and_what_is_said_of_them_stays(
    client: FlaskClient, served: Served
) -> None:
    ask(client, served, "/releases/2/download.csv")
    releases.set_retention(SCHEDULER, served.table, keep=1)
    releases.pin(SCHEDULER, served.table, 1)
    assert releases.retain(served.table) == [3, 2]
    listed = ask(client, served, "/releases").json
    assert listed["retention"] == {"keep": 1}
    assert [bool(one["expired_at"]) for one in listed["releases"]] == [False, True, True, False]
    assert "csv" not in listed["releases"][1]["links"]
    assert ask(client, served, "/releases/2").status_code == 200
    for what in ("/rows?as_of=2", "/releases/2/download.csv", "/releases/2/manifest"):
        answer = client.get(f"/api/v1/tables/{served.table}{what}")
        assert answer.status_code == 410
        assert answer.json["detail"] == "the rows of release 2 are no longer kept"
    assert ask(client, served, "/rows", as_of=1).json["rows"] != []


def cite(client: FlaskClient, served: Served, **body: object) -> Any:
    return client.post(f"/api/v1/tables/{served.table}/citations", json=body)


def test_a_query_on_a_release_gets_an_address_that_stays(
    client: FlaskClient, served: Served
) -> None:
    asked = {"select": "code,n", "where": "n > 2", "order_by": "-n", "as_of": "2"}
    made = cite(client, served, **asked)
    assert made.status_code == 200
    again = cite(client, served, **asked | {"where": "(n>2)"})
    assert again.json["id"] == made.json["id"]
    found = client.get(f"/api/v1/citations/{made.json['id']}?verify=true").json
    assert found["unchanged"] is True
    assert (found["release"], found["rows"]) == (2, 2)
    parts = urlsplit(found["links"]["csv"])
    content = client.get(f"{parts.path}?{parts.query}", buffered=True).data
    assert content == b"code,n\r\nd,4\r\nc,3\r\n"
    assert hashlib.sha256(content).hexdigest() == found["sha256"]
    assert f"/citations/{found['id']}" in found["texts"]["gbt7714"]


def test_a_cited_release_is_kept(client: FlaskClient, served: Served) -> None:
    cite(client, served, as_of="2")
    releases.set_retention(SCHEDULER, served.table, keep=1)
    assert releases.retain(served.table) == [3, 1]
    assert ask(client, served, "/releases/2").json["cited"] is True


def test_a_citation_of_what_is_withheld_now_says_so(client: FlaskClient, served: Served) -> None:
    made = cite(client, served, select="code,note").json
    hide(served, "note")
    found = client.get(f"/api/v1/citations/{made['id']}?verify=true")
    assert found.json["unchanged"] is False
    with transaction():
        dataset = db.session.get(Dataset, served.dataset)
        assert dataset is not None
        dataset.access = Access.CLOSED
    assert client.get(f"/api/v1/citations/{made['id']}").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"where": "nothing = 1"}, 400),
        ({"where": "n >"}, 400),
        ({"select": "nothing"}, 400),
        ({"as_of": "99"}, 404),
        ({"as_of": ""}, 422),
        ({"other": 1}, 422),
        ([], 422),
    ],
)
def test_what_cannot_be_cited_is_refused(
    client: FlaskClient, served: Served, body: object, status: int
) -> None:
    answer = client.post(f"/api/v1/tables/{served.table}/citations", json=body)
    assert answer.status_code == status
    assert client.get("/api/v1/citations/nothing").status_code == 404
