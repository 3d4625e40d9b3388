"""The format `datapackage`: Frictionless packages on disk and on the web."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import CatalogError, NotFound, Unreadable
from harvesters.formats.datapackage import DataPackage
from harvesters.harvester import Files, Rows
from harvesters.http import Http
from tests.harvesters.conftest import DEMO
from tests.make_server import Served, plain
from tests.make_source import drafts, opened

FORMAT = DataPackage()


def package(folder: Path, **fields: Any) -> str:
    (folder / "datapackage.json").write_text(json.dumps({"name": "p", "resources": [], **fields}))
    return str(folder)


def test_the_demo_package(http: Http, tmp_path: Path) -> None:
    url = str(DEMO / "intl-world-population" / "datapackage.json")
    declared = {
        "slug": "world-population",
        "title": {"zh": "人口"},
        "columns": {"Value": {"label": {"zh": "人口"}, "unit": "x"}},
        "chart": {"kind": "line", "x": "Year"},
    }
    found = drafts(FORMAT, url, http, dataset=declared)
    draft = found["population"]
    assert (draft.slug, draft.title, draft.license) == (
        "world-population",
        {"zh": "人口"},
        "ODC-PDDL-1.0",
    )
    assert draft.description["en"].startswith("Population figures")
    assert draft.tags == ("Population", "World", "Time series")
    assert str(draft.modified)[:10] == "2023-05-04"
    assert draft.extras["sources"][0]["name"] == "World Bank"
    load = draft.resources[0].load
    assert {"name": "Year", "type": "year"} in load["read"]["schema"]["fields"]
    assert load["columns"] == {"Value": {"label": {"zh": "人口"}, "unit": "x"}}
    content = FORMAT.content(opened(FORMAT, url), http, load, tmp_path)
    assert isinstance(content, Files)
    assert content.paths[0].name == "population.csv"


def test_a_package_on_the_web(server: Served, http: Http, tmp_path: Path) -> None:
    about = {
        "name": "p",
        "title": "P",
        "homepage": "https://p.example",
        "resources": [
            {"name": "a", "path": "data/a b.csv", "bytes": 5, "title": "A", "description": "First"},
            {"name": "far", "path": [f"{server.url}/else/b.csv", "data/a b.csv"], "format": "csv"},
            {"name": "sized", "path": "map.pdf", "mediatype": "application/pdf"},
        ],
    }
    server.behaviours["/p/datapackage.json"] = plain(json.dumps(about).encode())
    server.behaviours["/p/data/a%20b.csv"] = plain(b"x\n1\n", headers={"ETag": '"a"'})
    server.behaviours["/else/b.csv"] = plain(b"x\n2\n", headers={"ETag": '"b"'})
    draft = drafts(FORMAT, f"{server.url}/p", http)["p"]
    first, far, sized = draft.resources
    assert (first.url, first.size, first.title) == (
        f"{server.url}/p/data/a%20b.csv",
        5,
        {"en": "A"},
    )
    assert (first.load["version"], far.load["version"]) == ('etag:"a"', 'etag:"b"|etag:"a"')
    assert far.load["read"] == {"one_table": True}
    assert (sized.format, sized.load) == ("FILE", {})
    assert draft.landing_page == "https://p.example"
    content = FORMAT.content(opened(FORMAT, f"{server.url}/p"), http, far.load, tmp_path)
    assert isinstance(content, Files)
    assert [path.read_text() for path in content.paths] == ["x\n2\n", "x\n1\n"]
    hidden = drafts(FORMAT, f"{server.url}/p", http, public=False)["p"]
    assert hidden.resources[0].url == ""


def test_schemas_and_dialects_are_kept(folder: Path, http: Http) -> None:
    (folder / "a.csv").write_text("")
    schema = {
        "missingValues": ["", "-"],
        "fields": [
            {"name": "day", "type": "date"},
            {
                "name": "odd",
                "type": "date",
                "format": "%d.%m.%Y",
                "title": "Odd",
                "description": "D",
            },
            {"name": "euro", "type": "number", "decimalChar": ","},
            {"name": "any", "type": "any", "constraints": {"pattern": "(?=x)", "required": True}},
            {"title": "nameless"},
        ],
        "primaryKey": "day",
    }
    resource = {
        "path": "a.csv",
        "dialect": {"delimiter": ";"},
        "encoding": "gb18030",
        "schema": schema,
        "hash": "h",
    }
    url = package(folder, resources=[resource], license="MIT", description="D")
    draft = drafts(FORMAT, url, http)["p"]
    load = draft.resources[0].load
    assert load["read"] == {
        "delimiter": ";",
        "encoding": "gb18030",
        "schema": {
            "fields": [
                {"name": "day", "type": "date"},
                {"name": "odd", "type": "date", "format": "%d.%m.%Y"},
                {"name": "euro", "type": "number", "decimalChar": ","},
                {"name": "any", "constraints": {"required": True}},
            ],
            "missingValues": ["", "-"],
            "primaryKey": ["day"],
        },
    }
    assert load["columns"] == {"odd": {"label": {"en": "Odd"}, "description": {"en": "D"}}}
    assert load["version"] == "hash:h"
    assert draft.license == "MIT"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([{"a": 1}], [{"a": 1}]),
        ([["a", "b"], [1, 2]], [{"a": 1, "b": 2}]),
        ("text", None),
        ([1], None),
    ],
)
def test_data_inside_the_package(folder: Path, http: Http, data: Any, expected: Any) -> None:
    url = package(folder, resources=[{"name": "in", "data": data}])
    load = drafts(FORMAT, url, http)["p"].resources[0].load
    if expected is None:
        with pytest.raises(Unreadable, match="no list of rows"):
            FORMAT.content(opened(FORMAT, url), http, load, folder)
        return
    content = FORMAT.content(opened(FORMAT, url), http, load, folder)
    assert isinstance(content, Rows)
    assert list(content.rows) == expected


@pytest.mark.parametrize(
    "path", ["../secret.csv", "/etc/passwd", "a/../../b.csv", "file:///etc/passwd"]
)
def test_paths_that_lead_out_are_refused(folder: Path, http: Http, path: str) -> None:
    url = package(folder, resources=[{"name": "a", "path": path, "format": "csv"}])
    (draft,) = drafts(FORMAT, url, http).values()
    with pytest.raises(CatalogError):
        FORMAT.content(opened(FORMAT, url), http, {"part": {"resource": "a"}}, folder)
    assert draft.resources[0].load.get("version", "") == ""


def test_several_licences_are_kept_as_text(folder: Path, http: Http) -> None:
    url = package(folder, licenses=[{"name": "MIT"}, {"name": "CC-BY-NC-4.0"}], title="T")
    draft = drafts(FORMAT, url, http)["p"]
    assert draft.license == "other"
    assert "MIT" in draft.license_text


@pytest.mark.parametrize("text", ["{", "[]", '{"resources": 1}', '{"resources": [1]}', "{}"])
def test_what_is_no_package(folder: Path, http: Http, text: str) -> None:
    (folder / "datapackage.json").write_text(text)
    with pytest.raises(Unreadable):
        drafts(FORMAT, str(folder), http)


def test_too_many_resources(folder: Path, http: Http) -> None:
    with pytest.raises(Unreadable, match="more than 1 resources"):
        drafts(
            FORMAT,
            package(folder, resources=[{"name": "a"}, {"name": "b"}]),
            http,
            most_resources=1,
        )


def test_a_resource_that_is_gone(folder: Path, http: Http) -> None:
    source = opened(FORMAT, package(folder))
    with pytest.raises(NotFound, match="no resource x any more"):
        FORMAT.content(source, http, {"part": {"resource": "x"}}, folder)
