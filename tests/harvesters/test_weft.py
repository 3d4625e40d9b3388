"""The format `weft`: the copy of a catalogue, whole, narrowed, unchanged, broken."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from catalog.errors import Unreadable
from harvesters.formats import weft
from harvesters.formats.weft import Weft
from harvesters.harvester import Files
from harvesters.http import Http
from tests.make_server import Served, plain
from tests.make_source import drafts, opened

FORMAT = Weft()
PATH = "/catalog.jsonl.gz"
NOTHING = dict.fromkeys(
    (
        "spatial", "issued", "modified", "identifier", "spatial_code", "spatial_box", "spatial_geometry", "contact",
        "landing_page",
    )
)  # fmt: skip


def dataset(number: int, organization: str = "ecology", **said: Any) -> dict[str, Any]:
    return {
        **NOTHING,
        "id": f"d-{number}",
        "slug": f"air-{number}",
        "organization": {"slug": organization},
        "texts": {"title": {"en": "Air", "zh": "空气"}, "description": {}, "notice": {}, "access_reason": {}},
        "origins": {"title": {"en": {"origin": "machine"}, "zh": {"origin": "human"}}},
        "access": "open",
        "frequency": "daily",
        "license": {"id": "CC0-1.0", "text": None},
        "tags": ["air"],
        "vocabulary_tags": {"colours": ["green"]},
        "themes": [],
        "temporal": {"start": "2020", "end": None},
        "extras": {},
        "details": {},
        "custom": {},
        "resources": [
            {
                "key": "values", "texts": {"title": {"en": "Values"}, "description": {}}, "format": "CSV",
                "media_type": None, "url": "https://a.example/v.csv", "size": 12,
                "tables": [{"id": "t-1", "release": 3}],
            }
        ],
        **said,
    }  # fmt: skip


def serve(server: Served, *datasets: Any, **how: Any) -> None:
    content = gzip.compress(b"".join(orjson.dumps(one) + b"\n" for one in datasets))
    server.behaviours[PATH] = plain(content, **how)


def test_a_dataset_with_its_table(server: Served, http: Http) -> None:
    serve(server, dataset(1))
    (draft,) = drafts(FORMAT, f"{server.url}/en/", http, load_files=True).values()
    assert (draft.slug, draft.title) == ("air-1", {"en": "Air", "zh": "空气"})
    assert (draft.tags, draft.machine) == (("air", "green"), {"title": ("en",)})
    assert (draft.license, draft.temporal_start) == ("CC0-1.0", "2020")
    (file,) = draft.resources
    assert (file.url, file.size) == ("https://a.example/v.csv", 12)
    assert file.load["part"] == {"url": f"{server.url}/api/v1/tables/t-1/download.csv"}
    assert file.load["version"] == "3"


def test_what_is_not_open_leads_to_its_page(server: Served, http: Http) -> None:
    serve(server, dataset(1, access="on_application"))
    (draft,) = drafts(FORMAT, server.url, http).values()
    assert draft.resources[0].url == f"{server.url}/datasets/air-1"
    assert draft.resources[0].load == {}


def test_themes_may_be_called_otherwise_here(server: Served, http: Http) -> None:
    serve(server, dataset(1, themes=[{"slug": "air"}, {"slug": "water"}]))
    (draft,) = drafts(FORMAT, server.url, http, themes={"air": "environment"}).values()
    assert draft.themes == ("environment", "water")


def test_the_datasets_of_some_departments(server: Served, http: Http) -> None:
    serve(server, dataset(1), dataset(2, "water"), dataset(3, "roads"))
    found = drafts(FORMAT, server.url, http, organizations=["water", "roads"])
    assert list(found) == ["d-2", "d-3"]


def test_a_copy_that_did_not_change_is_not_read_again(server: Served, http: Http) -> None:
    serve(server, dataset(1), headers={"ETag": '"1"'})
    source = opened(FORMAT, server.url)
    assert len(list(FORMAT.records(source, http))) == 1
    again = opened(FORMAT, server.url)
    again.memory.before = source.memory.after
    assert list(FORMAT.records(again, http)) == []
    assert again.memory.partial


@pytest.mark.parametrize(
    "line",
    [
        [1],
        {"id": 1},
        "text",
        {"id": [1], "texts": {}, "organization": {}},
        {"id": "d-1", "texts": {}, "organization": []},
    ],
)
def test_lines_that_are_no_datasets(server: Served, http: Http, line: Any) -> None:
    serve(server, line)
    with pytest.raises(Unreadable, match="not one of Weft"):
        drafts(FORMAT, server.url, http)


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"no json\n"), gzip.compress(b"[]\n")[:-6]],
    ids=["no gzip", "no JSON", "cut off"],
)
def test_files_that_are_no_copy(server: Served, http: Http, content: bytes) -> None:
    server.behaviours[PATH] = plain(content)
    with pytest.raises(Unreadable, match="not one of Weft"):
        drafts(FORMAT, server.url, http)


def test_a_line_without_end_is_not_read_into_memory(
    server: Served, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weft, "LONGEST_LINE", 100)
    server.behaviours[PATH] = plain(gzip.compress(b"[" + b"1," * 1_000_000))
    with pytest.raises(Unreadable, match="not one of Weft"):
        drafts(FORMAT, server.url, http)


def test_tables_are_fetched(server: Served, http: Http, tmp_path: Path) -> None:
    server.behaviours["/download.csv"] = plain(b"x\n1\n")
    load = {"part": {"url": f"{server.url}/download.csv"}}
    content = FORMAT.content(opened(FORMAT, server.url), http, load, tmp_path)
    assert isinstance(content, Files)
    assert content.paths[0].read_text() == "x\n1\n"
