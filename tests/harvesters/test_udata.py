"""The format `udata`: pages, what is not for everybody, places and periods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from catalog.errors import Unreadable
from catalog.schemas.drafts import DatasetDraft
from harvesters.formats.udata import Udata
from harvesters.harvester import Files, Source
from harvesters.http import Http
from tests.make_server import Asked, Served, plain
from tests.make_source import drafts

FORMAT = Udata()
PATH = "/api/1/datasets/"


def dataset(number: int = 1, **said: Any) -> dict[str, Any]:
    return {
        "id": f"u-{number}",
        "title": "Gares",
        "acronym": "G",
        "slug": f"gares_{number}",
        "description": "Toutes les **gares**",
        "created_at": "2020-01-01T08:00:00+00:00",
        "last_modified": "2024-01-01T08:00:00+00:00",
        "last_update": "2024-02-01T08:00:00+00:00",
        "frequency": "threeTimesADay",
        "license": "lov2",
        "organization": {"name": "Rail", "page": "https://u.example/o/rail"},
        "page": f"https://u.example/d/{number}",
        "uri": f"https://u.example/api/1/datasets/{number}",
        "tags": ["transportation", "gare"],
        "temporal_coverage": {"start": "2019-01-01", "end": "2020-12-31"},
        "spatial": {
            "geom": {"type": "MultiPolygon", "coordinates": [[[[1, 2], [3, 2], [3, 4], [1, 2]]]]},
            "zones": ["fr:commune:75056"],
            "granularity": "fr:commune",
        },
        "contact_points": [{"name": "Desk", "email": "desk@a.example"}],
        "extras": {"theme": "x", "check:status": 200},
        "harvest": {"remote_url": "https://origin.example/1", "created_at": "2018-01-01"},
        "badges": [{"kind": "spd"}],
        "resources": [
            {
                "id": "r-1", "title": "Liste", "format": "csv", "mime": "text/csv", "filesize": 12,
                "url": "https://a.example/g.csv", "checksum": {"type": "sha1", "value": "abc"},
            }
        ],
        **said,
    }  # fmt: skip


def serve(server: Served, datasets: list[dict[str, Any]], total: int | None = None) -> None:
    def behave(asked: Asked) -> None:
        said = {name: some[0] for name, some in parse_qs(urlsplit(asked.path).query).items()}
        size, number = int(said["page_size"]), int(said["page"])
        more = number * size < len(datasets)
        page = {
            "data": datasets[(number - 1) * size : number * size],
            "total": len(datasets) if total is None else total,
            "next_page": "https://u.example/next" if more else None,
        }
        asked.answer(json.dumps(page).encode())

    server.behaviours[PATH] = behave


def described(server: Served, http: Http, **said: Any) -> DatasetDraft:
    serve(server, [dataset(**said)])
    (draft,) = drafts(FORMAT, server.url, http, language="fr", load_files=True).values()
    return draft


def test_a_dataset(server: Served, http: Http) -> None:
    draft = described(server, http)
    assert (draft.slug, draft.title) == ("gares-1", {"fr": "Gares"})
    assert (draft.license, draft.license_text) == ("other", "Licence Ouverte / Open Licence 2.0")
    assert (draft.frequency, draft.themes) == ("daily", ("transport",))
    assert draft.contact == "Desk <desk@a.example>"
    assert (str(draft.issued)[:10], str(draft.modified)[:10]) == ("2018-01-01", "2024-02-01")
    assert (draft.temporal_start, draft.temporal_end) == ("2019-01-01", "2020-12-31")
    assert draft.spatial_box == (1, 2, 3, 4)
    assert draft.details["publisher"] == {"name": "Rail", "url": "https://u.example/o/rail"}
    assert draft.details["sources"] == ["https://origin.example/1"]
    assert draft.extras == {
        "theme": "x",
        "publisher": "Rail",
        "acronym": "G",
        "uri": "https://u.example/api/1/datasets/1",
        "badges": ["spd"],
        "zones": ["fr:commune:75056"],
        "granularity": "fr:commune",
    }
    (file,) = draft.resources
    assert (file.key, file.size, file.load["version"]) == ("r-1", 12, "abc")


def test_a_dataset_that_says_little(server: Served, http: Http) -> None:
    nothing = dict.fromkeys(
        ("organization", "spatial", "temporal_coverage", "harvest", "extras", "badges", "resources")
    )
    draft = described(server, http, **nothing, contact_points=None, license=None, acronym=None)
    assert (draft.license, draft.contact, draft.details) == ("notspecified", "", {})
    assert (draft.resources, draft.spatial_box) == ((), ())
    form = described(server, http, contact_points=[{"contact_form": "https://a.example/ask"}])
    assert form.contact == form.details["contact_point"]["url"] == "https://a.example/ask"


def test_all_pages_are_walked_and_what_is_not_for_everybody_is_left_out(
    server: Served, http: Http
) -> None:
    closed = [{"private": True}, {"deleted": "2024-01-01"}, {"archived": "2024-01-01"}]
    datasets = [dataset(number, **said) for number, said in enumerate([*closed, {}, {}])]
    serve(server, [*datasets, datasets[4]], total=5)
    found = drafts(FORMAT, server.url, http, page_size=2, organization="rail")
    assert list(found) == ["u-3", "u-4"]
    assert [parse_qs(urlsplit(path).query)["page"] for _, path, _ in server.asked] == [
        ["1"],
        ["2"],
        ["3"],
    ]
    assert "organization=rail" in server.asked[0][1]


def test_fewer_datasets_than_the_portal_says_are_an_error(server: Served, http: Http) -> None:
    serve(server, [dataset()], total=3)
    with pytest.raises(Unreadable, match="3 records, but gave 1"):
        drafts(FORMAT, server.url, http)


def test_a_portal_that_gives_the_same_page_again_and_again_has_an_end(
    server: Served, http: Http
) -> None:
    page = {"data": [dataset()], "total": 1_000_000, "next_page": "https://u.example/next"}
    server.behaviours[PATH] = plain(json.dumps(page).encode())
    with pytest.raises(Unreadable, match="1000000 records, but gave 1"):
        drafts(FORMAT, server.url, http)
    assert len(server.asked) == 2


@pytest.mark.parametrize("answer", [b"[]", b'{"data": [], "total": null}'])
def test_what_is_no_udata(server: Served, http: Http, answer: bytes) -> None:
    server.behaviours[PATH] = plain(answer)
    with pytest.raises(Unreadable, match="no API of udata"):
        drafts(FORMAT, server.url, http)


def test_files_are_fetched(server: Served, http: Http, tmp_path: Path) -> None:
    server.behaviours["/a.csv"] = plain(b"x\n1\n")
    load = {"part": {"url": f"{server.url}/a.csv"}}
    content = FORMAT.content(Source("https://unused.example/"), http, load, tmp_path)
    assert isinstance(content, Files)
    assert content.paths[0].read_text() == "x\n1\n"
