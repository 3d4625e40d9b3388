"""The format `ckan`: all packages, those that changed, old portals, our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from catalog.db import db
from catalog.errors import NotFound, Unreadable
from catalog.models.dataset import Dataset
from catalog.permissions import SCHEDULER
from catalog.schemas.drafts import DatasetDraft
from catalog.settings import Settings
from harvesters import services
from harvesters.formats.ckan import CKAN
from harvesters.harvester import Files, Record, Source
from harvesters.http import Http
from harvesters.models import HarvestRun
from tests.make_packages import serve_packages
from tests.make_server import Served, plain
from tests.make_source import draft_of, drafts, make_source, opened

FORMAT = CKAN()


@pytest.fixture
def settings(settings: Settings, server: Served) -> Settings:
    """A portal that may fetch from the server."""
    return Settings(**{**vars(settings), "fetch_private_hosts": server.host})


PACKAGE: dict[str, Any] = {
    "id": "p-1",
    "name": "air_quality",
    "title": "Air  quality",
    "notes": "Hourly\n\n<b>values</b>",
    "type": "dataset",
    "state": "active",
    "private": False,
    "license_id": "cc-by",
    "license_title": "Creative Commons Attribution",
    "maintainer": "Desk",
    "maintainer_email": "desk@a.example",
    "author": "Bureau",
    "version": "2",
    "url": "not a page",
    "metadata_created": "2022-09-03T04:00:51.684730",
    "metadata_modified": "2022-11-17T22:20:09.015380",
    "organization": {"name": "survey", "title": "Survey"},
    "groups": [{"name": "environment-and-air", "title": "Environment"}],
    "tags": [{"name": "air", "state": "active"}, {"name": "air"}],
    "extras": [
        {"key": "Periodicidade de atualização", "value": "Mensal"},
        {"key": "harvest_object_id", "value": "changes each time"},
        {"key": "spatial", "value": '{"type":"Polygon","coordinates":[[[1,2],[3,2],[3,4],[1,2]]]}'},
        {"key": "temporal_start", "value": "2020-01-01"},
        {"key": "Method", "value": "By hand"},
    ],
    "resources": [
        {"id": "r-1", "name": "Values", "format": ".csv", "url": "/d/v.csv", "state": "active", "size": 12, "last_modified": "2022-01-01"},
        {"id": "r-2", "name": None, "format": "PDF", "url": "https://a.example/x.pdf", "datastore_active": True},
        {"id": "r-3", "name": "Gone", "format": "CSV", "url": "https://a.example/y.csv", "state": "deleted"},
    ],
}  # fmt: skip


def package(number: int, day: int, **more: Any) -> dict[str, Any]:
    moment = f"2024-01-{day:02}T00:00:00.000000"
    more = {"metadata_created": moment, "metadata_modified": moment, **more}
    return {**PACKAGE, "id": f"p-{number}", "name": f"name-{number}", **more}


def described(server: Served, http: Http, said: dict[str, Any], **options: Any) -> DatasetDraft:
    serve_packages(server, [said])
    (draft,) = drafts(FORMAT, server.url, http, **options).values()
    return draft


def test_a_package(server: Served, http: Http) -> None:
    draft = described(server, http, PACKAGE, load_files=True)
    assert (draft.slug, draft.title) == ("air-quality", {"en": "Air quality"})
    assert draft.description == {"en": "Hourly\n\n**values**"}
    assert (draft.license, draft.frequency) == ("CC-BY-4.0", "monthly")
    assert (draft.tags, draft.themes) == (("air",), ("environment",))
    assert draft.landing_page == f"{server.url}/dataset/air_quality"
    assert draft.contact == "Desk <desk@a.example>"
    assert str(draft.modified) == "2022-11-17 22:20:09.015380+00:00"
    assert (draft.temporal_start, draft.spatial_box) == ("2020-01-01", (1, 2, 3, 4))
    assert draft.details["creator"] == {"name": "Bureau"}
    assert draft.extras == {
        "Periodicidade de atualização": "Mensal",
        "temporal_start": "2020-01-01",
        "Method": "By hand",
        "uri": draft.landing_page,
        "publisher": "Survey",
        "categories": ["Environment"],
    }
    first, second = draft.resources
    assert (first.key, first.format, first.size) == ("r-1", "CSV", 12)
    assert (first.url, first.load["version"]) == (f"{server.url}/d/v.csv", "2022-01-01")
    assert second.load["part"] == {"url": f"{server.url}/datastore/dump/r-2"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"title": ""}, {"title": {"en": "air_quality"}}),
        ({"title_translated": {"pt_BR": "Ar", "en": ""}}, {"title": {"en": "Air quality", "pt": "Ar"}}),
        ({"license_id": "other-open", "license_title": "Open"}, {"license": "other", "license_text": "Open"}),
        ({"license_id": "x", "license_url": "https://creativecommons.org/publicdomain/zero/1.0/"}, {"license": "CC0-1.0"}),
        ({"notes": {"title": "One"}}, {"description": {"en": "One"}}),
        ({"notes": ["One", 2, None]}, {"description": {"en": "One\n\n2"}}),
        ({"license_id": "notspecified"}, {"license": "notspecified"}),
        ({"license_id": None, "license_title": None}, {"license": "notspecified"}),
        ({"maintainer": "", "maintainer_email": "none"}, {"contact": "Bureau"}),
        ({"maintainer": None, "maintainer_email": None, "author": None}, {"contact": ""}),
        ({"url": "https://a.example/page"}, {"landing_page": "https://a.example/page"}),
        ({"extras": {"spatial": "Here", "theme": '["Health", "x"]'}}, {"spatial": "Here", "themes": ("environment", "health")}),
        ({"extras": None, "theme": "[no json", "groups": ["health"]}, {"themes": ("health",)}),
        ({"tags": ["a", "b"], "resources": None}, {"tags": ("a", "b"), "resources": ()}),
        ({"metadata_created": "2020-01-01T08:00:00+08:00"}, {"issued": datetime(2020, 1, 1, tzinfo=UTC)}),
    ],
)  # fmt: skip
def test_what_portals_write(
    server: Served, http: Http, said: dict[str, Any], expected: dict[str, Any]
) -> None:
    draft = described(server, http, {**PACKAGE, **said})
    assert {name: getattr(draft, name) for name in expected} == expected


def test_what_is_not_for_everybody_and_what_is_no_data_is_left_out(
    server: Served, http: Http
) -> None:
    others = ({"private": True}, {"state": "deleted"}, {"type": "harvest"}, {"state": "draft"})
    made = [package(number, 1, **said) for number, said in enumerate([*others, {}])]
    serve_packages(server, [*made, package(9, 2)])
    assert sorted(drafts(FORMAT, server.url, http)) == ["p-4", "p-9"]


class Portal:
    """A CKAN whose packages change, and a source that remembers."""

    def __init__(self, server: Served, http: Http) -> None:
        self.server, self.http = server, http
        self.packages = [package(number, number) for number in range(1, 6)]
        serve_packages(server, self.packages)
        self.memory: dict[str, Any] = {}
        self.partial = False

    def run(self) -> list[str]:
        source = opened(FORMAT, f"{self.server.url}/api/3/action/package_search", page_size=2)
        source.memory.before = self.memory
        keys = [record.key for record in FORMAT.records(source, self.http)]
        self.memory, self.partial = source.memory.after, source.memory.partial
        return keys


def test_only_what_changed_is_asked_for(server: Served, http: Http) -> None:
    portal = Portal(server, http)
    assert (len(portal.run()), portal.partial) == (5, False)
    portal.packages[1]["metadata_modified"] = "2024-02-01T00:00:00"
    portal.packages.append(package(6, 20))
    # The newest of before is within the minute that is asked for again.
    assert sorted(portal.run()) == ["p-2", "p-5", "p-6"]
    assert portal.partial
    assert json.loads(json.dumps(portal.memory))["count"] == 6
    assert (portal.run(), portal.partial) == (["p-2"], True)


def test_rows_of_the_data_store_are_read_where_the_file_has_no_web_address(
    server: Served, http: Http
) -> None:
    stored = {"id": "r-4", "format": "PDF", "url": "ftp://a.example/x", "datastore_active": True}
    draft = described(server, http, {**PACKAGE, "resources": [stored]}, load_files=True)
    (made,) = draft.resources
    rows = f"{server.url}/datastore/dump/r-4"
    assert (made.url, made.load["part"]) == (rows, {"url": rows})


def test_what_is_no_package_among_what_changed_is_refused(server: Served, http: Http) -> None:
    portal = Portal(server, http)
    del portal.packages[1:]
    portal.run()
    pages(server, ["x"], count=1)  # type: ignore[list-item] # a portal may answer so
    source = opened(FORMAT, server.url)
    source.memory.before = portal.memory
    (found,) = FORMAT.records(source, http)
    assert isinstance(found.error, Unreadable)
    assert source.memory.partial


def test_a_moment_at_the_edge_of_time_is_none(server: Served, http: Http) -> None:
    portal = Portal(server, http)
    for one in portal.packages:
        one["metadata_modified"] = "0001-01-01T00:00:00+14:00"
    for _ in range(2):
        assert (len(portal.run()), portal.partial) == (5, False)


def test_after_a_removal_everything_is_read(server: Served, http: Http) -> None:
    portal = Portal(server, http)
    portal.run()
    del portal.packages[0]
    portal.packages.append(package(7, 21))
    found = portal.run()
    assert sorted(found) == ["p-2", "p-3", "p-4", "p-5", "p-7"]
    assert not portal.partial


def test_now_and_then_everything_is_read(server: Served, http: Http) -> None:
    portal = Portal(server, http)
    portal.run()
    portal.memory["partial"] = 20
    assert (len(portal.run()), portal.partial) == (5, False)
    assert "partial" not in portal.memory


def test_a_portal_that_tells_no_moments_is_read_whole_each_time(server: Served, http: Http) -> None:
    portal = Portal(server, http)
    for one in portal.packages:
        one["metadata_modified"] = ""
    for _ in range(2):
        assert (len(portal.run()), portal.partial) == (5, False)


def pages(server: Served, *some: list[dict[str, Any]], count: int) -> None:
    """Answers page after page, whatever is asked for; the first question is for the newest."""
    left: Iterator[list[dict[str, Any]]] = iter([some[0][:1], *some])

    def behave(asked: Any) -> None:
        result = {"count": count, "results": next(left, [])}
        asked.answer(json.dumps({"success": True, "result": result}).encode())

    server.behaviours["/api/3/action/package_search"] = behave


def test_a_package_that_slipped_over_a_page_is_found_by_a_second_walk(
    server: Served, http: Http
) -> None:
    a, b, c = (package(number, number) for number in range(3))
    pages(server, [a, b], [b], [a, b], [c], count=3)
    assert list(drafts(FORMAT, server.url, http)) == ["p-0", "p-1", "p-2"]


def test_a_portal_that_gives_the_same_page_again_and_again_has_an_end(
    server: Served, http: Http
) -> None:
    same = [package(1, 1)]
    pages(server, *[same] * 50, count=1_000_000)
    with pytest.raises(Unreadable, match="1000000 records, but gave 1"):
        drafts(FORMAT, server.url, http)
    assert len(server.asked) < 10


def test_fewer_packages_than_the_portal_says_are_an_error(server: Served, http: Http) -> None:
    pages(server, [package(1, 1)], count=3)
    with pytest.raises(Unreadable, match="3 records, but gave 1"):
        drafts(FORMAT, server.url, http)


def result(value: Any) -> Any:
    return plain(json.dumps({"success": True, "result": value}).encode())


def test_a_portal_without_search_lists_its_packages(server: Served, http: Http) -> None:
    listed = "/api/3/action/current_package_list_with_resources"
    server.behaviours[listed] = result([package(1, 1), package(2, 1)])
    assert list(drafts(FORMAT, server.url, http)) == ["p-1", "p-2"]


def test_a_portal_with_names_only_is_read_one_by_one(server: Served, http: Http) -> None:
    server.behaviours["/api/3/action/package_search"] = plain(b'{"success": false}')
    server.behaviours["/api/3/action/package_list"] = result(["a", "b"])

    def show(asked: Any) -> None:
        if asked.path.endswith("=b"):
            asked.answer(b"", status=403)
        else:
            asked.answer(json.dumps({"success": True, "result": package(1, 1)}).encode())

    server.behaviours["/api/3/action/package_show"] = show
    first, second = FORMAT.records(opened(FORMAT, server.url), http)
    assert (first.key, second.key, str(second.error)[:10]) == ("p-1", "b", "http://127")


def test_a_portal_from_before_there_were_actions(server: Served, http: Http) -> None:
    old = {
        "id": "o-1",
        "name": "old",
        "title": "Old",
        "tags": ["x"],
        "groups": ["g"],
        "extras": {"k": "v"},
        "license": "Open",
        "state": "active",
        "license_id": "",
        "resources": [{"id": "r", "url": "https://a.example/1", "description": "D"}],
    }
    server.behaviours["/api/2/rest/dataset"] = plain(b'["old name"]')
    server.behaviours["/api/2/rest/dataset/old%20name"] = plain(json.dumps(old).encode())
    (draft,) = drafts(FORMAT, f"{server.url}/api/2", http).values()
    assert (draft.tags, draft.extras["k"], draft.license_text) == (("x",), "v", "Open")


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b'{"success": true, "result": 1}',
        b'{"success": true, "result": {"results": [], "count": null}}',
    ],
)
def test_what_is_no_ckan(server: Served, http: Http, answer: bytes) -> None:
    for action in ("package_search", "current_package_list_with_resources", "package_list"):
        server.behaviours[f"/api/3/action/{action}"] = plain(answer)
    with pytest.raises((NotFound, Unreadable)):
        drafts(FORMAT, server.url, http)
    server.behaviours["/api/2/rest/dataset"] = plain(b"{}")
    with pytest.raises(Unreadable, match="there is no CKAN"):
        drafts(FORMAT, server.url, http)


def test_a_package_that_is_none_is_refused(server: Served, http: Http) -> None:
    pages(server, ["x"], count=1)  # type: ignore[list-item] # a portal may answer so
    (found,) = FORMAT.records(opened(FORMAT, server.url), http)
    assert isinstance(found.error, Unreadable)


def test_the_filter_and_the_token_are_sent(server: Served, http: Http) -> None:
    serve_packages(server, [package(1, 1)])
    drafts(FORMAT, server.url, http, filter="organization:survey", key="secret")
    path, headers = server.asked[-1][1:]
    assert "fq=organization%3Asurvey" in path
    assert headers["Authorization"] == "secret"


def test_resources_are_fetched(server: Served, http: Http, tmp_path: Path) -> None:
    server.behaviours["/a.csv"] = plain(b"x\n1\n")
    load = {"part": {"url": f"{server.url}/a.csv"}}
    content = FORMAT.content(Source("https://unused.example/"), http, load, tmp_path)
    assert isinstance(content, Files)
    assert content.paths[0].read_text() == "x\n1\n"


def test_themes_that_are_not_here_are_left_out_unless_the_operator_has_named_them(
    app: Flask, server: Served
) -> None:
    groups = [{"name": "health-care"}, {"name": "environment"}, {"name": "odd"}]
    serve_packages(server, [{**PACKAGE, "groups": groups}])
    taken = make_source("ckan", server.url)  # makes the theme `health`
    wrong = make_source("ckan", server.url, "other", themes={"odd": "nowhere"})
    run_id = services.run_now(SCHEDULER, taken.id).id
    run = db.session.get(HarvestRun, run_id, populate_existing=True)
    assert run is not None
    assert (run.created, run.refused) == (1, 0)
    (found,) = db.session.scalars(select(Dataset).options(selectinload(Dataset.themes)))
    assert [theme.slug for theme in found.themes] == ["health"]
    run_id = services.run_now(SCHEDULER, wrong.id).id
    run = db.session.get(HarvestRun, run_id, populate_existing=True)
    assert run is not None
    assert (run.created, run.refused) == (0, 1)


def test_a_record_without_a_package_is_not_understood() -> None:
    with pytest.raises((KeyError, TypeError, AttributeError)):
        draft_of(FORMAT, Record("x", {"package": "text", "language": "en"}))
