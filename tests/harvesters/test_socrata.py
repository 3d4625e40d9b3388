"""The format `socrata`: paging of the Discovery API, assets with and without rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from catalog.errors import Unreadable
from catalog.schemas.drafts import DatasetDraft
from harvesters.formats import socrata
from harvesters.formats.socrata import Socrata
from harvesters.harvester import Files, Source
from harvesters.http import Http
from tests.make_server import Asked, Served, plain
from tests.make_source import drafts

FORMAT = Socrata()
PATH = "/api/catalog/v1"


def asset(number: int = 1, **said: Any) -> dict[str, Any]:
    about = {
        "name": "Land  sizes",
        "id": f"aaaa-{number:04}",
        "description": "All <b>parcels</b>",
        "attribution": "Land Office",
        "attribution_link": "https://office.example/",
        "contact_email": "desk@a.example",
        "type": "dataset",
        "updatedAt": "2022-01-10T19:20:34.000Z",
        "createdAt": "2016-10-05T11:34:26.000Z",
        "data_updated_at": "2022-01-11T19:20:34.000Z",
        "columns_name": ["Code", "Acres"],
        "columns_datatype": ["Text", "Number"],
        "columns_description": ["", "Size of it"],
        "lens_view_type": "tabular",
        **said,
    }
    return {
        "resource": about,
        "classification": {
            "categories": [],
            "tags": [],
            "domain_category": "Environment",
            "domain_tags": ["land"],
            "domain_metadata": [
                {"key": "License_License-Name", "value": "Open Licence"},
                {"key": "Update_Frequency", "value": "Monthly"},
            ],
        },
        "metadata": {"domain": "data.a.example"},
        "permalink": f"https://data.a.example/d/aaaa-{number:04}",
    }


def serve(server: Served, assets: list[Any], total: int | None = None) -> None:
    """Let the server answer as the Discovery API."""

    def behave(asked: Asked) -> None:
        said = {name: some[0] for name, some in parse_qs(urlsplit(asked.path).query).items()}
        start = int(said.get("offset", 0))
        if "scroll_id" in said:
            start = [one["resource"]["id"] for one in assets].index(said["scroll_id"]) + 1
        page = assets[start : start + int(said["limit"])]
        answer = {"results": page, "resultSetSize": len(assets) if total is None else total}
        asked.answer(json.dumps(answer).encode())

    server.behaviours[PATH] = behave


def described(server: Served, http: Http, **said: Any) -> DatasetDraft:
    serve(server, [asset(**said)])
    (draft,) = drafts(FORMAT, f"{server.url}{PATH}", http, load_files=True).values()
    return draft


def test_an_asset_with_rows(server: Served, http: Http) -> None:
    draft = described(server, http)
    assert (draft.title, draft.description) == ({"en": "Land sizes"}, {"en": "All **parcels**"})
    assert (draft.license, draft.license_text) == ("other", "Open Licence")
    assert (draft.frequency, draft.tags, draft.themes) == ("monthly", ("land",), ("environment",))
    assert (str(draft.issued)[:10], str(draft.modified)[:10]) == ("2016-10-05", "2022-01-11")
    assert draft.landing_page == "https://data.a.example/d/aaaa-0001"
    assert draft.details == {
        "publisher": {"name": "Land Office", "url": "https://office.example/"},
        "contact_point": {"email": "desk@a.example"},
    }
    assert draft.extras["portal"] == "data.a.example"
    rows, api = draft.resources
    assert rows.url == "https://data.a.example/api/views/aaaa-0001/rows.csv?accessType=DOWNLOAD"
    assert rows.load["version"] == "2022-01-11T19:20:34.000Z"
    assert rows.load["columns"] == {"Acres": {"description": {"en": "Size of it"}}}
    assert rows.load["read"] == {"types": {"Code": "string"}}
    assert (api.format, api.load) == ("JSON", {})


def test_an_asset_without_rows_is_a_file_or_a_page(server: Served, http: Http) -> None:
    file = described(server, http, lens_view_type="blobby", blob_mime_type="application/pdf")
    assert [(one.format, one.url) for one in file.resources] == [("PDF", file.landing_page)]
    page = described(server, http, lens_view_type="href", attribution=None, contact_email=None)
    assert [one.format for one in page.resources] == ["HTML"]
    assert page.details == {}


def test_pages_are_walked_by_offset_and_behind_its_end_from_the_last_one(
    server: Served, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socrata, "FURTHEST", 5)
    serve(server, [asset(number) for number in range(9)])
    found = drafts(FORMAT, f"{server.url}{PATH}", http, page_size=2)
    assert sorted(found) == [f"data.a.example/aaaa-{number:04}" for number in range(9)]
    asked = [parse_qs(urlsplit(path).query) for _, path, _ in server.asked]
    assert [one.get("scroll_id", one.get("offset")) for one in asked] == [
        ["0"],
        ["2"],
        ["aaaa-0003"],
        ["aaaa-0005"],
        ["aaaa-0007"],
    ]


def test_the_portal_of_the_address_is_asked_for_its_own_and_others_when_they_are_named(
    server: Served, http: Http
) -> None:
    serve(server, [asset()])
    drafts(FORMAT, server.url, http, key="token")
    drafts(FORMAT, server.url, http, domains=["a.example", "b.example"], assets=["map", "file"])
    first, second = (parse_qs(urlsplit(path).query) for _, path, _ in server.asked)
    assert (first["domains"], first["search_context"]) == ([server.host], [server.host])
    assert (second["domains"], second["only"]) == (["a.example,b.example"], ["map,file"])
    assert "search_context" not in second
    assert server.asked[0][2]["X-App-Token"] == "token"


def test_an_asset_that_several_portals_show_comes_once(server: Served, http: Http) -> None:
    serve(server, [asset(1), asset(1), asset(2)])
    assert len(drafts(FORMAT, f"{server.url}{PATH}", http, page_size=1)) == 2


def test_fewer_assets_than_the_api_says_are_an_error(server: Served, http: Http) -> None:
    serve(server, [asset(1), asset(1)], total=5)
    with pytest.raises(Unreadable, match="5 records, but gave 2"):
        drafts(FORMAT, f"{server.url}{PATH}", http)


@pytest.mark.parametrize("answer", [b'{"error": "no"}', b'{"results": [1]}'])
def test_what_is_no_discovery_api(server: Served, http: Http, answer: bytes) -> None:
    server.behaviours[PATH] = plain(answer)
    with pytest.raises(Unreadable, match="no Discovery API"):
        drafts(FORMAT, server.url, http)


def test_rows_are_fetched(server: Served, http: Http, tmp_path: Path) -> None:
    server.behaviours["/rows.csv"] = plain(b"x\n1\n")
    load = {"part": {"url": f"{server.url}/rows.csv"}}
    content = FORMAT.content(Source("https://unused.example/"), http, load, tmp_path)
    assert isinstance(content, Files)
    assert content.paths[0].read_text() == "x\n1\n"
