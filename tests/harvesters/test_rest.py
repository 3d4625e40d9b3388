"""The format `rest`: paging, keys, fields."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from marshmallow import ValidationError

from catalog.errors import Denied, Invalid, Unavailable, Unreadable
from harvesters.formats.rest import Rest
from harvesters.formats.rest_calls import at_path
from harvesters.formats.rest_catalogue import a_little_before
from harvesters.harvester import Memory, Record, Rows, Source
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
        link = f'<{page["next"]}>; rel="next", </api/rows>; rel=first' if more else ""
        asked.answer(json.dumps(page).encode(), headers={"ETag": '"e1"', "Link": link})

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
        {"kind": "link"},
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
        (
            plain(b'{"data": {"items": [{"id": 1}]}}', headers={"Link": '<rows>; rel="next"'}),
            {"kind": "link"},
            "a page came twice",
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


def test_a_key_is_sent_as_a_parameter(server: Served, http: Http) -> None:
    server.behaviours["/api/rows"] = plain(b"[]")
    dataset = {"slug": "rows", "title": {"en": "Rows"}, "path": "rows"}
    source = opened(
        REST, f"{server.url}/api", key="k", key_in="query", key_param="appkey", datasets=[dataset]
    )
    assert [record.error for record in REST.records(source, http)] == [None]
    assert server.asked[0][1] == "/api/rows?appkey=k"
    assert "X-Api-Key" not in server.asked[0][2]


@pytest.mark.parametrize("sent_in", ["header", "query"])
@pytest.mark.parametrize(
    ("algorithm", "encoding", "clock"),
    [("sha256", "hex", "seconds"), ("sm3", "base64", "milliseconds"), ("sha1", "upper", "iso")],
)
def test_calls_are_signed_over_declared_parts(
    server: Served, http: Http, sent_in: str, algorithm: str, encoding: str, clock: str
) -> None:
    """The server of the department checks the signature as its manual says."""
    answers: list[bool] = []

    def checked(asked: Asked) -> None:
        path, _, query = asked.path.partition("?")
        given = {name: values[0] for name, values in parse_qs(query).items()}
        sent = dict(asked.headers) if sent_in == "header" else dict(given)
        signature = sent["X-Sign"]
        given.pop("X-Sign", None)
        ordered = "&".join(f"{name}={quote(value)}" for name, value in sorted(given.items()))
        text = "|".join(["GET", path, ordered, sent["X-Time"], sent["X-Once"], "weft"])
        digest = hmac.new(b"k", text.encode(), algorithm).digest()
        found = base64.b64decode(signature) if encoding == "base64" else bytes.fromhex(signature)
        answers.append(found == digest)
        asked.answer(b"[]")

    server.behaviours["/api/rows"] = checked
    dataset = {
        "slug": "rows", "title": {"en": "Rows"}, "path": "rows", "params": {"b": "上 海", "a": "1"},
    }  # fmt: skip
    sign = {
        "parts": ["method", "path", "query", "timestamp", "nonce", "app"],
        "separator": "|",
        "algorithm": algorithm,
        "encoding": encoding,
        "clock": clock,
        "app": "weft",
        "sent": {"signature": "X-Sign", "timestamp": "X-Time", "nonce": "X-Once"},
        "sent_in": sent_in,
    }
    source = opened(
        REST, f"{server.url}/api", key="k", key_in="signed", sign=sign, datasets=[dataset]
    )
    assert [record.error for record in REST.records(source, http)] == [None]
    assert answers == [True]


CATALOGUE = {
    "path": "list",
    "records": "data",
    "key": "code",
    "fields": {
        "title": "name",
        "description": "about",
        "license": "terms",
        "frequency": "cycle",
        "tags": "words",
        "issued": "day",
        "modified": "at",
        "landing_page": "page",
        "temporal_start": "from",
        "identifier": "code",
    },
    "defaults": {"frequency": "annual", "contact": "12345"},
    "resources": {"records": "files", "fields": {"title": "n", "url": "u", "format": "f"}},
    "since": {"param": "since", "field": "at"},
    "gone": {"field": "state"},
}
LIST = [
    {
        "code": "A/1",
        "name": "公园名录",
        "about": {"zh": "公园", "en": "Parks"},
        "terms": "CC BY 4.0",
        "cycle": "每月",
        "words": "公园、绿地",
        "day": "2024-05-01",
        "at": "2026-01-02 10:00:00",
        "page": "https://parks.example.org/1",
        "files": [{"n": "表", "u": "https://parks.example.org/1.csv", "f": "csv"}] * 2,
    },
    {"code": "A/2", "name": "Trees", "words": ["tree"], "at": "2026-01-03 09:00:00", "files": []},
    {"code": "A/3", "name": "Gone", "at": "2025-12-01 00:00:00", "state": True, "files": {"u": ""}},
]


def listed(server: Served, http: Http, before: dict[str, Any]) -> tuple[Source, list[Record]]:
    server.behaviours["/api/list"] = plain(json.dumps({"data": LIST}).encode())
    given = opened(REST, f"{server.url}/api", language="zh", catalogue=CATALOGUE)
    source = replace(given, memory=Memory(before))
    return source, list(REST.records(source, http))


def test_the_records_of_a_list_are_datasets_by_a_mapping(server: Served, http: Http) -> None:
    source, (park, tree, gone) = listed(server, http, {})
    assert (gone.key, gone.gone, park.gone, source.memory.partial) == ("A/3", True, False, False)
    draft = draft_of(REST, park)
    assert (draft.title, draft.description["en"]) == ({"zh": "公园名录"}, "Parks")
    assert (draft.license, draft.frequency, draft.tags) == (
        "CC-BY-4.0", "monthly", ("公园", "绿地"),
    )  # fmt: skip
    assert (draft.identifier, draft.contact, draft.landing_page[-2:]) == ("A/1", "12345", "/1")
    assert draft.modified is not None
    assert str(draft.modified.replace(tzinfo=None)) == "2026-01-02 10:00:00"
    (resource,) = draft.resources
    assert (resource.format, resource.title, resource.url[-5:]) == ("CSV", {"zh": "表"}, "1.csv")
    assert draft_of(REST, tree).frequency == "annual"
    assert draft_of(REST, tree).resources == ()
    assert source.memory.after["since"] == "2026-01-03 09:00:00"


def test_the_next_run_asks_for_what_changed_and_now_and_then_for_everything(
    server: Served, http: Http
) -> None:
    first, _ = listed(server, http, {})
    second, _ = listed(server, http, first.memory.after)
    assert (second.memory.partial, second.memory.after) == (True, first.memory.after)
    assert parse_qs(urlsplit(server.asked[-1][1]).query) == {"since": ["2026-01-03 08:59:00"]}
    third, _ = listed(server, http, {**first.memory.after, "full": "2020-01-01T00:00:00+00:00"})
    assert (third.memory.partial, third.memory.after["since"]) == (False, "2026-01-03 09:00:00")
    assert server.asked[-1][1] == "/api/list"


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("1767225600", "1767225540"),
        ("1767225600000", "1767225540000"),
        ("2026-01-03T09:00:00Z", "2026-01-03T08:59:00Z"),
        ("2026-01-03T09:00:00+08:00", "2026-01-03T08:59:00+08:00"),
        ("2026-01-03", "2026-01-03"),
        ("revision 1234", "revision 1234"),
    ],
)
def test_a_little_before_a_moment_is_written_as_the_source_does(text: str, before: str) -> None:
    assert a_little_before(text) == before


def test_a_source_declares_datasets_or_a_catalogue() -> None:
    with pytest.raises(ValidationError, match="Declare datasets"):
        opened(REST, "https://x.example")
