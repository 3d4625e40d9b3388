"""The format `rest`: paging, keys, fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from catalog.errors import Denied, Invalid, Unavailable, Unreadable
from harvesters.formats.rest import Rest, at_path
from harvesters.harvester import Rows
from harvesters.http import Http
from tests.make_server import Asked, Served, plain
from tests.make_source import draft_of, opened

REST = Rest()
ROWS = [{"id": number, "inner": {"name": f"行 {number}"}} for number in range(1, 8)]


def paged(*, total: int | None = None) -> Callable[[Asked], None]:
    """Pages by number, offset or cursor, as they are asked for; a key is needed."""

    def behave(asked: Asked) -> None:
        if asked.headers.get("Authorization") != "Bearer k":
            asked.answer(b"{}", status=401)
            return
        given = {
            name: int(values[0]) for name, values in parse_qs(urlsplit(asked.path).query).items()
        }
        size = given.get("size", 3)
        start = given.get("offset", given.get("cursor", (given.get("page", 1) - 1) * size))
        more = start + size < len(ROWS)
        page = {
            "data": {"items": ROWS[start : start + size]},
            "total": len(ROWS) if total is None else total,
            "cursor": start + size if more else None,
            "next": f"/api/rows?offset={start + size}&size={size}" if more else "",
            "updated": "2024-05-31",
        }
        asked.answer(json.dumps(page).encode(), headers={"ETag": '"e1"'})

    return behave


def declared(**paging: Any) -> dict[str, Any]:
    return {
        "slug": "rows",
        "title": {"en": "Rows"},
        "path": "/rows",
        "records": "data.items",
        "fields": {"id": "id", "name": "inner.name", "none": "inner.no.thing"},
        "columns": {"id": {"type": "string"}},
        "paging": paging,
    }


def read(server: Served, http: Http, dataset: dict[str, Any]) -> list[Any]:
    source = opened(
        REST,
        f"{server.url}/api",
        key="k",
        key_header="Authorization",
        key_prefix="Bearer ",
        datasets=[dataset],
    )
    content = REST.content(source, http, {"part": {"dataset": dataset["slug"]}}, Path("unused"))
    assert isinstance(content, Rows)
    return list(content.rows)


@pytest.mark.parametrize(
    "paging",
    [
        {"kind": "page", "size_param": "size", "size": 3, "total": "total"},
        {"kind": "page", "size_param": "size", "size": 7},
        {"kind": "offset", "size_param": "size", "size": 2},
        {"kind": "offset", "size": 3, "start": 0},
        {"kind": "cursor", "following": "cursor"},
        {"kind": "next", "following": "next"},
    ],
)
def test_every_way_of_paging_gives_all_rows(
    server: Served, http: Http, paging: dict[str, Any]
) -> None:
    server.behaviours["/api/rows"] = paged()
    rows = read(server, http, declared(**paging))
    assert [row["id"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert rows[0] == {"id": 1, "name": "行 1", "none": None}


def test_without_paging_and_fields_records_come_as_they_are(server: Served, http: Http) -> None:
    server.behaviours["/api/rows"] = plain(b'[{"a": 1}, {"b": 2}]')
    dataset = {"slug": "rows", "title": {"en": "Rows"}, "path": "rows"}
    assert read(server, http, dataset) == [{"a": 1}, {"b": 2}]


def test_a_dataset_is_described_by_its_declaration(server: Served, http: Http) -> None:
    server.behaviours["/api/rows"] = paged()
    options = {"key": "k", "key_header": "Authorization", "key_prefix": "Bearer "}
    source = opened(
        REST, f"{server.url}/api", **options, datasets=[declared(kind="page", size_param="size")]
    )
    (record,) = REST.records(source, http)
    draft = draft_of(REST, record)
    assert draft.title == {"en": "Rows"}
    (resource,) = draft.resources
    assert (resource.format, resource.url) == ("JSON", "")
    assert resource.load["version"] == 'etag:"e1"'
    assert resource.load["read"] == {"types": {"id": "string"}}
    assert "k" not in json.dumps(record.body["declared"]).split('"')


def test_a_stated_value_may_be_the_version(server: Served, http: Http) -> None:
    server.behaviours["/api/rows"] = plain(b'{"data": {"items": []}, "updated": "2024-05-31"}')
    source = opened(REST, f"{server.url}/api", datasets=[{**declared(), "version": "updated"}])
    assert next(REST.records(source, http)).body["version"] == "value:2024-05-31"


def test_a_wrong_key_refuses_the_record_not_the_run(server: Served, http: Http) -> None:
    server.behaviours["/api/rows"] = paged()
    server.behaviours["/api/open"] = plain(b"[]")
    other = {"slug": "open", "title": {"en": "Open"}, "path": "open"}
    source = opened(REST, f"{server.url}/api", key="wrong", datasets=[declared(), other])
    first, second = REST.records(source, http)
    assert isinstance(first.error, Denied)
    assert second.error is None


def endless(asked: Asked) -> None:
    number = int(parse_qs(urlsplit(asked.path).query).get("page", ["1"])[0])
    asked.answer(json.dumps({"data": {"items": [{"id": number}]}}).encode())


@pytest.mark.parametrize(
    ("behaviour", "paging", "words"),
    [
        (endless, {"kind": "page", "size": 1, "most_pages": 5}, "more than 5 pages"),
        (
            plain(b'{"data": {"items": [{"id": 1}]}}'),
            {"kind": "page", "size": 1},
            "a page came twice",
        ),
        (
            plain(b'{"data": {"items": [{"id": 1}]}, "next": "http://else.example/x"}'),
            {"kind": "next", "following": "next"},
            "another server",
        ),
        (plain(b'{"data": {"items": {"id": 1}}}'), {}, "no list of records at “data.items”"),
        (plain(b'{"data": {"items": [1]}}'), {}, "no list of records"),
        (plain(b"[]"), {}, "no list of records"),
        (plain(b"<html>Sign in</html>"), {}, "a web page instead of JSON"),
        (plain('{"data": {"items": [{"id": "上'.encode("gb18030")), {}, "no whole JSON"),
        (
            plain(b'{"data": {"items": [{}]}, "total": 3}'),
            {"total": "total"},
            "3 records, but gave 1",
        ),
    ],
)
def test_bad_answers_end_with_a_sentence(
    server: Served, http: Http, behaviour: Any, paging: dict[str, Any], words: str
) -> None:
    server.behaviours["/api/rows"] = behaviour
    with pytest.raises(Unreadable, match=words):
        read(server, http, declared(**paging))


def test_an_interface_that_goes_down_in_the_middle(server: Served, http: Http) -> None:
    server.behaviours["/api/rows"] = paged()

    def half(asked: Asked) -> None:
        if "page=2" in asked.path:
            asked.answer(b"", status=500)
        else:
            paged()(asked)

    server.behaviours["/api/rows"] = half
    with pytest.raises(Unavailable, match="answers with the error 500"):
        read(server, http, declared(kind="page", size_param="size", size=3))


def test_a_dataset_that_is_no_longer_declared(server: Served, http: Http) -> None:
    source = opened(REST, server.url, datasets=[declared()])
    with pytest.raises(Invalid, match="no longer declared"):
        REST.content(source, http, {"part": {"dataset": "gone"}}, Path("unused"))


def test_paths_inside_answers() -> None:
    value = {"a": [{"b": 1}], "c": None}
    assert at_path(value, "") is value
    assert at_path(value, "a.0.b") == 1
    assert at_path(value, "a.1.b") is None
    assert at_path(value, "c.d") is None
    assert at_path(value, "a.x") is None


@pytest.mark.parametrize("base", ["/api?key=k", "/api/?key=k#x"])
def test_queries_of_the_base_and_of_the_path_are_both_sent(
    server: Served, http: Http, base: str
) -> None:
    server.behaviours["/api/rows"] = plain(b"[]")
    declaration = {
        "slug": "rows", "title": {"en": "Rows"}, "path": "rows?a=1", "params": {"b": "2"},
    }  # fmt: skip
    source = opened(REST, server.url + base, datasets=[declaration])
    assert [record.error for record in REST.records(source, http)] == [None]
    assert parse_qs(urlsplit(server.asked[0][1]).query) == {"key": ["k"], "a": ["1"], "b": ["2"]}
