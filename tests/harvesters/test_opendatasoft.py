"""The format `opendatasoft`: paging, whole exports, exports of rows and attachments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from catalog.errors import Unreadable
from catalog.schemas.drafts import DatasetDraft
from harvesters.formats import opendatasoft
from harvesters.formats.opendatasoft import Opendatasoft
from harvesters.harvester import Files
from harvesters.http import Http
from tests.make_server import Asked, Served, plain
from tests.make_source import drafts, opened

FORMAT = Opendatasoft()
ROOT = "/api/explore/v2.1/catalog"


def dataset(number: int = 1, **default: Any) -> dict[str, Any]:
    return {
        "dataset_id": f"trees_{number}",
        "dataset_uid": f"da_{number}",
        "has_records": True,
        "features": ["geo", "analyze"],
        "attachments": [{"id": "notes_pdf", "title": "Notes", "mimetype": "application/pdf"}],
        "fields": [
            {"name": "code", "label": "Code", "type": "text", "description": "Of the tree"},
            {"name": "high", "label": "Height", "type": "double", "description": None},
        ],
        "metas": {
            "default": {
                "title": "Les arbres",
                "description": "<p>Tous</p>",
                "theme": ["Environment"],
                "keyword": ["arbre"],
                "license": "CC BY 4.0",
                "language": "fr",
                "modified": "2024-05-31T10:00:00+00:00",
                "data_processed": "2024-06-01T10:00:00+00:00",
                "publisher": "Ville",
                "references": "https://a.example/x, text",
                "bbox": {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3, 2], [3, 4], [1, 2]]]}},
                **default,
            },
            "dcat": {
                "created": "2020-01-01",
                "accrualperiodicity": "http://purl.org/cld/freq/daily",
                "contact_name": "Desk",
                "contact_email": "desk@a.example",
                "creator": "Parks",
                "temporal": "2020-01-01/2024-01-01",
                "spatial": "Paris",
            },
            "custom": {"quality": "good", "empty": None},
            "processing": {"secret": "no"},
        },
    }  # fmt: skip


def serve(server: Served, datasets: list[dict[str, Any]], total: int | None = None) -> None:
    def behave(asked: Asked) -> None:
        said = {name: some[0] for name, some in parse_qs(urlsplit(asked.path).query).items()}
        start, limit = int(said["offset"]), int(said["limit"])
        count = len(datasets) if total is None else total
        page = {"total_count": count, "results": datasets[start : start + limit]}
        asked.answer(json.dumps(page).encode())

    server.behaviours[f"{ROOT}/datasets"] = behave


def described(server: Served, http: Http, **default: Any) -> DatasetDraft:
    serve(server, [dataset(**default)])
    (draft,) = drafts(FORMAT, server.url, http, load_files=True).values()
    return draft


def test_a_dataset(server: Served, http: Http) -> None:
    draft = described(server, http)
    assert (draft.slug, draft.title) == ("trees-1", {"fr": "Les arbres"})
    assert (draft.license, draft.frequency) == ("CC-BY-4.0", "daily")
    assert (draft.tags, draft.themes, draft.spatial) == (("arbre",), ("environment",), "Paris")
    assert draft.contact == "Desk <desk@a.example>"
    assert (draft.temporal_start, draft.temporal_end) == ("2020-01-01", "2024-01-01")
    assert draft.spatial_box == (1, 2, 3, 4)
    assert draft.landing_page == f"{server.url}/explore/dataset/trees_1/"
    assert draft.details["documentation"] == ["https://a.example/x"]
    assert draft.extras == {
        "publisher": "Ville",
        "categories": ["Environment"],
        "custom": {"quality": "good"},
    }
    place = f"{server.url}{ROOT}/datasets/trees_1"
    assert [(one.format, one.url) for one in draft.resources] == [
        ("CSV", f"{place}/exports/csv?delimiter=%2C"),
        ("JSON", f"{place}/exports/json"),
        ("GEOJSON", f"{place}/exports/geojson"),
        ("PDF", f"{place}/attachments/notes_pdf"),
    ]
    load = draft.resources[0].load
    assert load["version"] == "2024-06-01T10:00:00+00:00"
    assert load["columns"]["code"]["description"] == {"fr": "Of the tree"}
    assert load["columns"]["high"] == {"label": {"fr": "Height"}}
    assert load["read"] == {"types": {"code": "string"}}
    assert [bool(one.load) for one in draft.resources] == [True, False, False, False]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"license": None}, ("notspecified", "")),
        ({"license": "Own", "license_url": "https://a.example/l"}, ("other", "Own")),
        ({"license_url": "https://creativecommons.org/publicdomain/zero/1.0/"}, ("CC0-1.0", "")),
    ],
)
def test_licences(
    server: Served, http: Http, said: dict[str, Any], expected: tuple[str, str]
) -> None:
    draft = described(server, http, **said)
    assert (draft.license, draft.license_text) == expected


def test_all_pages_are_walked_and_each_dataset_comes_once(
    server: Served, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opendatasoft, "PAGE", 2)
    serve(server, [dataset(1), dataset(2), dataset(2), dataset(3)])
    source = opened(FORMAT, server.url, filter="x = 1", key="k")
    found = FORMAT.records(source, http)
    assert [next(found).key for _ in range(3)] == ["da_1", "da_2", "da_3"]
    with pytest.raises(Unreadable, match="4 records, but gave 3"):
        next(found)
    path, headers = server.asked[0][1:]
    assert "where=x+%3D+1" in path
    assert headers["Authorization"] == "Apikey k"


def test_a_large_catalogue_is_exported_whole(
    server: Served, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opendatasoft, "FURTHEST", 2)
    datasets = [dataset(number) for number in range(3)]
    serve(server, datasets)
    server.behaviours[f"{ROOT}/exports/json"] = plain(json.dumps(datasets).encode())
    assert list(drafts(FORMAT, server.url, http, filter="x")) == ["da_0", "da_1", "da_2"]
    assert server.asked[-1][1] == f"{ROOT}/exports/json?where=x"


def test_fewer_datasets_than_the_portal_says_are_an_error(server: Served, http: Http) -> None:
    serve(server, [dataset()], total=3)
    with pytest.raises(Unreadable, match="3 records, but gave 1"):
        drafts(FORMAT, server.url, http)


def test_a_portal_whose_number_grows_with_each_page_is_not_walked_without_end(
    server: Served, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opendatasoft, "FURTHEST", 5)

    def behave(asked: Asked) -> None:
        number = len(server.asked)
        page = {"results": [dataset(number)], "total_count": number + 1}
        asked.answer(json.dumps(page).encode())

    server.behaviours[f"{ROOT}/datasets"] = behave
    assert len(drafts(FORMAT, server.url, http)) == 5


@pytest.mark.parametrize("answer", [b'{"error_code": "x"}', b'{"results": [], "total_count": "x"}'])
def test_what_is_no_explore_api(server: Served, http: Http, answer: bytes) -> None:
    server.behaviours[f"{ROOT}/datasets"] = plain(answer)
    with pytest.raises(Unreadable, match="no Explore API"):
        drafts(FORMAT, server.url, http)


def test_the_key_is_sent_to_the_portal_only(server: Served, http: Http, tmp_path: Path) -> None:
    server.behaviours["/a.csv"] = plain(b"x\n1\n")
    for url, sent in ((server.url, True), ("https://other.example/", False)):
        source = opened(FORMAT, url, key="secret")
        load = {"part": {"url": f"{server.url}/a.csv"}}
        content = FORMAT.content(source, http, load, tmp_path)
        assert isinstance(content, Files)
        assert ("Authorization" in server.asked[-1][2]) == sent
