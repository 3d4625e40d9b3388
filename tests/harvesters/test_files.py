"""The format `files`: folders on disk and on the web."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from marshmallow import ValidationError

from catalog.errors import CatalogError, Denied, NotFound, Unreadable
from harvesters.formats.files import FilesFolder, FilesOptions
from harvesters.harvester import Files
from harvesters.http import Http
from tests.harvesters.conftest import DEMO
from tests.make_server import Served, plain
from tests.make_source import drafts, opened

FILES = FilesFolder()
HOLIDAYS = {
    "pattern": "20??.json",
    "slug": "holidays",
    "one_table": True,
    "title": {"zh": "节假日", "en": "Holidays"},
    "license": "MIT",
    "frequency": "annual",
    "modified": "2026-08-07",
    "read": {"records": "days"},
    "columns": {
        "name": {"type": "string", "label": {"zh": "名称"}, "unit": "-"},
        "date": {"type": "date"},
    },
    "chart": {"kind": "bar", "x": "name"},
}


def test_a_declaration_makes_one_table_of_many_files(http: Http) -> None:
    url = str(DEMO / "general-office-holidays")
    found = drafts(FILES, url, http, datasets=[HOLIDAYS], undeclared=False)
    assert list(found) == ["holidays"]
    draft = found["holidays"]
    assert (draft.title["zh"], draft.license, draft.frequency) == ("节假日", "MIT", "annual")
    (resource,) = draft.resources
    assert resource.format == "JSON"
    assert resource.size == sum(file.stat().st_size for file in Path(url).glob("*.json"))
    assert len(resource.load["part"]["files"]) == 21
    assert resource.load["read"] == {
        "records": "days",
        "one_table": True,
        "types": {"name": "string", "date": "date"},
    }
    assert resource.load["columns"] == {"name": {"label": {"zh": "名称"}, "unit": "-"}}
    assert resource.load["chart"] == {"kind": "bar", "x": "name"}
    assert resource.load["version"].startswith("sha256:")
    assert drafts(FILES, url, http, datasets=[HOLIDAYS], undeclared=False) == found


def test_the_content_of_a_declared_table_is_all_its_files(http: Http, tmp_path: Path) -> None:
    source = opened(FILES, str(DEMO / "general-office-holidays"), datasets=[HOLIDAYS])
    record = next(FILES.records(source, http))
    load = FILES.describe(record)["resources"][0]["load"]
    content = FILES.content(source, http, load, tmp_path)
    assert isinstance(content, Files)
    assert [path.name for path in content.paths][:2] == ["2007.json", "2008.json"]


def test_files_that_nobody_declared_are_datasets(folder: Path, http: Http) -> None:
    (folder / "air_quality 2024.csv.gz").write_bytes(b"")
    (folder / "deep").mkdir()
    (folder / "deep" / "人口.xlsx").write_bytes(b"")
    (folder / "README.md").write_text("no table")
    (folder / "old.csv").write_text("")
    found = drafts(FILES, str(folder), http, exclude=["old*"], language="zh")
    assert {key: draft.title for key, draft in found.items()} == {
        "air_quality 2024.csv.gz": {"zh": "air quality 2024"},
        "deep/人口.xlsx": {"zh": "人口"},
    }
    assert found["deep/人口.xlsx"].resources[0].format == "XLSX"
    assert found["deep/人口.xlsx"].modified is not None


def test_each_file_of_a_pattern_may_be_a_resource(http: Http) -> None:
    declared = {
        "pattern": "Table*.xlsx",
        "slug": "tables",
        "title": {"en": "Tables"},
        "files": {
            "Table_D3_Costs_V1.1.0.xlsx": {
                "title": {"en": "Costs"},
                "description": {"en": "In euro"},
            }
        },
    }
    draft = drafts(FILES, str(DEMO / "intl-gfdrr-excel"), http, datasets=[declared])["tables"]
    assert [resource.title["en"] for resource in draft.resources] == [
        "Table D1 Summary CI Vulnerability Data V1.1.0",
        "Costs",
    ]
    assert draft.resources[1].description == {"en": "In euro"}


def test_a_declaration_without_files_is_no_record(folder: Path, http: Http) -> None:
    assert drafts(FILES, str(folder), http, datasets=[HOLIDAYS]) == {}


def test_a_file_without_a_table_may_still_be_declared(folder: Path, http: Http) -> None:
    (folder / "map.pdf").write_bytes(b"%PDF")
    draft = drafts(FILES, str(folder), http, datasets=[{"pattern": "*.pdf"}])["*.pdf"]
    assert (draft.title, draft.resources[0].format, draft.resources[0].load) == (
        {"en": "map.pdf"},
        "FILE",
        {},
    )


def test_a_changed_file_has_another_version(folder: Path, http: Http) -> None:
    (folder / "a.csv").write_text("x\n1\n")
    before = drafts(FILES, str(folder), http)["a.csv"].resources[0].load["version"]
    (folder / "a.csv").write_text("x\n2\n")
    assert drafts(FILES, str(folder), http)["a.csv"].resources[0].load["version"] != before


@pytest.mark.parametrize("place", ["{folder}/none", "{folder}/a.csv", "/etc"])
def test_what_is_no_folder_is_refused(folder: Path, http: Http, place: str) -> None:
    (folder / "a.csv").write_text("")
    with pytest.raises((NotFound, Denied)):
        drafts(FILES, place.format(folder=folder), http)


def test_a_web_folder_is_listed_by_its_links(server: Served, http: Http, tmp_path: Path) -> None:
    page = b"""<a href="?C=N">Name</a> <a href="/">up</a> <a href="../">up</a> <a href="deep/">deep</a>
        <a href="b%20c.csv">b</a> <a href="/open/a.csv?x=1">a</a> <a href="https://else.example/x.csv">x</a><a>n</a>"""
    server.behaviours["/open/"] = plain(page, media_type="text/html")
    server.behaviours["/open/a.csv"] = plain(b"x\n1\n", headers={"ETag": '"1"'})
    server.behaviours["/open/b%20c.csv"] = plain(b"x\n2\n")
    found = drafts(FILES, f"{server.url}/open", http)
    assert list(found) == ["a.csv", "b c.csv"]
    resource = found["a.csv"].resources[0]
    assert resource.url == f"{server.url}/open/a.csv"
    assert resource.load["version"] == 'etag:"1"'
    source = opened(FILES, f"{server.url}/open")
    content = FILES.content(source, http, found["b c.csv"].resources[0].load, tmp_path)
    assert isinstance(content, Files)
    assert content.paths[0].read_text() == "x\n2\n"


def test_a_web_folder_without_a_listing(server: Served, http: Http) -> None:
    found = drafts(FILES, f"{server.url}/open/", http, files=["a.csv"], public=False)
    assert found["a.csv"].resources[0].url == ""
    server.behaviours["/open/"] = plain(b"<p>Welcome</p>", media_type="text/html")
    with pytest.raises(Unreadable, match="lists no files"):
        drafts(FILES, f"{server.url}/open/", http)


def test_a_name_that_leads_out_of_a_web_folder_is_refused(
    server: Served, http: Http, tmp_path: Path
) -> None:
    source = opened(FILES, f"{server.url}/open")
    for name in ("../secret.csv", "/secret.csv"):
        with pytest.raises(CatalogError):
            FILES.content(source, http, {"part": {"files": [name]}}, tmp_path)


def test_wrong_options_are_named() -> None:
    for options in (
        {"datasets": [{"pattern": "*", "slug": "a-b"}, {"pattern": "*", "slug": "a-b"}]},
        {"datasets": [{"slug": "x"}]},
        {"unknown": 1},
        {"language": "Deutsch!"},
    ):
        with pytest.raises(ValidationError):
            FilesOptions().load(options)


def test_the_only_file_of_a_dataset_is_called_as_the_dataset(folder: Path, http: Http) -> None:
    (folder / "a.csv").write_text("a\n1\n", "utf-8")
    declared: dict[str, Any] = {
        "pattern": "a.csv",
        "title": {"en": "Areas"},
        "tables": {"Sheet": {"en": "Sheet of areas", "zh": "区域"}},
    }
    (draft,) = drafts(FILES, str(folder), http, datasets=[declared]).values()
    assert draft.resources[0].title == {}
    assert draft.resources[0].load["tables"] == declared["tables"]
    declared["files"] = {"a.csv": {"title": {"en": "The file"}}}
    (draft,) = drafts(FILES, str(folder), http, datasets=[declared]).values()
    assert draft.resources[0].title == {"en": "The file"}
