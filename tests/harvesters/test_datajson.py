"""The format `datajson`: DCAT-US 1.1 and 3.0, ArcGIS Hub's ways, large and broken files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import NotFound, TooLarge, Unreadable
from catalog.schemas.drafts import DatasetDraft
from catalog.schemas.series import series_draft
from harvesters import json_files
from harvesters.formats.datajson import DataJSON
from harvesters.harvester import Files, Source
from harvesters.http import Http
from harvesters.json_files import items
from tests.make_server import Served, plain
from tests.make_source import draft_of, drafts, opened

FORMAT = DataJSON()
ITEM = "0123456789abcdef0123456789abcdef"
HUB: dict[str, Any] = {
    "@type": "dcat:Dataset",
    "identifier": f"https://hub.example/datasets/{ITEM}_2",
    "license": f"https://hub.example/datasets/{ITEM}_2/license.json",
    "landingPage": f"https://hub.example/datasets/{ITEM}_2",
    "title": " Parcels  of land",
    "description": "<div>All <b>parcels</b></div>",
    "keyword": ["", "land", "land"],
    "issued": "2020-11-20T18:33:50.000Z",
    "modified": "2021-01-19T01:03:28.000Z",
    "publisher": {"source": "County of Example"},
    "contactPoint": {"@type": "vcard:Contact", "fn": "GIS", "hasEmail": "mailto: gis@a.example"},
    "accessLevel": "public",
    "distribution": [
        {"title": "ArcGIS Hub Dataset", "format": "Web Page", "mediaType": "text/html", "accessURL": "https://a.example/"},
        {"title": "Esri Rest API", "format": "Esri REST", "mediaType": "application/json", "accessURL": "https://a.example/0"},
        {"title": "CSV", "format": "CSV", "mediaType": "text/csv", "accessURL": "https://a.example/p.csv?a=%7B1 2"},
        {"title": "OGC", "format": "OGC WMS", "mediaType": "application/vnd.ogc.wms_xml", "accessURL": "no page"},
    ],
    "spatial": "-86.2,39.1,-85.9,39.3",
    "theme": ["geospatial", "Transportation"],
}  # fmt: skip
FULL: dict[str, Any] = {
    "@id": "https://a.example/d/1",
    "@type": "Dataset",
    "title": "Rivers",
    "titleMap": {"es": "Ríos"},
    "description": "First",
    "descriptionMap": {"es": "Primero"},
    "identifier": {"@type": "Identifier", "notation": "R-1"},
    "publisher": {"name": "Survey", "subOrganizationOf": [{"name": "Department"}]},
    "contactPoint": [
        {
            "fn": "Desk",
            "hasEmail": "mailto:desk@a.example",
            "tel": "+1-555",
            "address": [{"street-address": "1 Way", "locality": "Town"}],
        }
    ],
    "accessRights": "https://a.example/access/RESTRICTED",
    "rights": ["Ask first."],
    "keyword": "water, rivers",
    "theme": [{"prefLabel": "Environment"}],
    "inSeries": [{"@id": "https://a.example/s/1", "title": "Waters", "description": "A series"}],
    "landingPage": {"@id": "https://a.example/d/1.html", "title": "Page"},
    "license": "https://creativecommons.org/publicdomain/zero/1.0/",
    "accrualPeriodicity": "monthly",
    "temporal": [{"startDate": "2020", "endDate": "2026-03-01"}],
    "spatial": [{"prefLabel": "Here", "bbox": "POLYGON((1 2, 3 2, 3 4, 1 4, 1 2))"}],
    "spatialResolutionInMeters": "30",
    "temporalResolution": "P1M",
    "version": "1.2",
    "versionNotes": "New",
    "describedBy": {"downloadURL": "https://a.example/words.pdf"},
    "conformsTo": [{"@id": "https://a.example/standard", "title": "Standard"}],
    "wasGeneratedBy": [{"label": "Campaign"}],
    "language": ["en", "es"],
    "purpose": "To know",
    "distribution": {
        "accessURL": "https://a.example/r",
        "downloadURL": "https://a.example/r.csv",
        "byteSize": "10485760",
        "format": "CSV (Comma-Separated Values)",
        "modified": "2026-01-01",
    },
}


def catalogue(*datasets: Any, **more: Any) -> bytes:
    return json.dumps({"conformsTo": "x", **more, "dataset": list(datasets)}).encode()


def described(http: Http, folder: Path, *datasets: Any, **options: Any) -> list[DatasetDraft]:
    (folder / "data.json").write_bytes(catalogue(*datasets))
    return list(drafts(FORMAT, str(folder / "data.json"), http, **options).values())


def test_a_dataset_of_arcgis_hub(http: Http, folder: Path) -> None:
    (draft,) = described(http, folder, HUB, load_files=True)
    assert draft.title == {"en": "Parcels of land"}
    assert draft.description == {"en": "All **parcels**"}
    assert (draft.license, draft.license_text) == ("other", HUB["license"])
    assert (draft.tags, draft.themes) == (("land",), ("transport",))
    assert draft.spatial_box == (-86.2, 39.1, -85.9, 39.3)
    assert draft.contact == "GIS <gis@a.example>"
    assert draft.extras["publisher"] == draft.details["publisher"]["name"] == "County of Example"
    assert [one.format for one in draft.resources] == ["HTML", "ESRI-REST", "CSV", "WMS"]
    assert draft.resources[2].url == "https://a.example/p.csv?a=%7B1%202"
    assert draft.resources[2].load["part"] == {"url": draft.resources[2].url}
    assert draft.resources[3].url == ""
    assert str(draft.modified) == "2021-01-19 01:03:28+00:00"


def test_everything_that_dcat_us_3_says_has_its_place(http: Http, folder: Path) -> None:
    (draft,) = described(http, folder, FULL)
    assert draft.title == {"en": "Rivers", "es": "Ríos"}
    assert draft.description == {"en": "First", "es": "Primero"}
    assert (draft.identifier, draft.license, draft.frequency) == ("R-1", "CC0-1.0", "monthly")
    assert (draft.access, draft.access_reason) == ("on_application", {"en": "Ask first."})
    assert (draft.tags, draft.themes) == (("water", "rivers"), ("environment",))
    assert (draft.temporal_start, draft.temporal_end) == ("2020-01-01", "2026-03-01")
    assert (draft.spatial, draft.spatial_box) == ("Here", (1, 2, 3, 4))
    assert draft.landing_page == "https://a.example/d/1.html"
    assert draft.details == {
        "conforms_to": ["https://a.example/standard"],
        "documentation": ["https://a.example/words.pdf"],
        "version_notes": {"en": "New"},
        "rights": {"en": "Ask first."},
        "was_generated_by": {"en": "Campaign"},
        "languages": ["en", "es"],
        "version": "1.2",
        "spatial_resolution": 30.0,
        "temporal_resolution": "P1M",
        "contact_point": {
            "name": "Desk",
            "email": "desk@a.example",
            "phone": "+1-555",
            "address": "1 Way, Town",
        },
        "publisher": {"name": "Survey"},
    }
    assert draft.extras["parent_organization"] == "Department"
    assert draft.extras["purpose"] == ["To know"]
    (file,) = draft.resources
    assert (file.url, file.format, file.size) == ("https://a.example/r.csv", "CSV", 10485760)


def test_series_are_made_of_what_datasets_say_of_theirs(http: Http, folder: Path) -> None:
    (folder / "d.json").write_bytes(
        catalogue(
            FULL,
            {**FULL, "identifier": "R-2", "inSeries": ["https://a.example/s/2"]},
            datasetSeries=[{"@id": "https://a.example/s/2", "title": "B", "first": FULL}],
        )
    )
    found = list(FORMAT.records(opened(FORMAT, str(folder / "d.json")), http))
    assert [(one.key, one.is_series, one.series) for one in found] == [
        ("https://a.example/s/2", True, ()),
        ("https://a.example/s/1", True, ()),
        ("R-1", False, ("https://a.example/s/1",)),
        ("R-2", False, ("https://a.example/s/2",)),
    ]
    said = FORMAT.describe(found[1])
    assert series_draft({"slug": "a-b", "organization": "bureau", **said}).title == {"en": "Waters"}
    assert "first" not in found[0].body["dataset"]


@pytest.mark.parametrize(
    ("identifier", "key"),
    [
        (f"https://old.example/datasets/{ITEM}_2", f"{ITEM}_2"),
        (f"http://new.example/datasets/{ITEM}_2.html", f"{ITEM}_2"),
        (f"https://www.arcgis.com/home/item.html?id={ITEM}&sublayer=2", f"{ITEM}_2"),
        (f"https://www.arcgis.com/home/item.html?id={ITEM}", ITEM),
        ("https://a.example/datasets/streets", "https://a.example/datasets/streets"),
        (f"A-{ITEM}", f"A-{ITEM}"),
        (12, "12"),
    ],
)
def test_an_item_of_arcgis_keeps_its_key_when_the_hub_moves(
    http: Http, folder: Path, identifier: Any, key: str
) -> None:
    (folder / "d.json").write_bytes(catalogue({**HUB, "identifier": identifier}))
    assert list(drafts(FORMAT, str(folder / "d.json"), http)) == [key]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"title": 300.21}, {"title": {"en": "300.21"}}),
        ({"description": "{{description}}"}, {"description": {}}),
        ({"description": None}, {"description": {}}),
        ({"accessLevel": "non-public", "rights": "Secret"}, {"access": "closed", "access_reason": {"en": "Secret"}}),
        ({"license": None, "distribution": [{"license": "CC0"}, {"license": "CC0"}]}, {"license": "CC0-1.0"}),
        ({"license": None, "distribution": [{"license": "A"}, {"license": "B"}]}, {"license_text": "A; B"}),
        ({"temporal": "2000-01-15T00:45:00Z/2010"}, {"temporal_start": "2000-01-15", "temporal_end": "2010-01-01"}),
        ({"temporal": "2010-01-01/1999-01-01"}, {"temporal_start": "2010-01-01", "temporal_end": ""}),
        ({"spatial": "Springfield"}, {"spatial": "Springfield", "spatial_box": ()}),
        ({"spatial": "-200,0,1,1"}, {"spatial": "", "spatial_box": ()}),
        ({"spatial": "1.2.3,0,1,1"}, {"spatial": "", "spatial_box": ()}),
        ({"spatial": "1" * 30_000}, {"spatial": "", "spatial_box": ()}),
        ({"spatial": "1e3 2 -3,4"}, {"spatial": "1e3 2 -3,4", "spatial_box": ()}),
        ({"spatial": {"type": "Point", "coordinates": [1, 2]}}, {"spatial_geometry": {"type": "Point", "coordinates": [1, 2]}}),
        ({"spatial": '{"type":"Point","coordinates":[1,2]}'}, {"spatial": "", "spatial_box": (1, 2, 1, 2)}),
        ({"contactPoint": None}, {"contact": ""}),
        ({"contactPoint": {"hasEmail": "nobody"}}, {"contact": ""}),
        ({"publisher": "Office"}, {"extras": {"publisher": "Office", "categories": ["geospatial", "Transportation"]}}),
        ({"distribution": None}, {"resources": ()}),
        ({"identifier": None, "landingPage": "x y"}, {"identifier": "", "landing_page": ""}),
    ],
)  # fmt: skip
def test_what_portals_write(
    http: Http, folder: Path, said: dict[str, Any], expected: dict[str, Any]
) -> None:
    (draft,) = described(http, folder, {**HUB, **said})
    assert {name: getattr(draft, name) for name in expected} == expected


def test_files_of_one_title_have_keys_of_their_own(http: Http, folder: Path) -> None:
    files = [
        {"title": "Data", "accessURL": "https://a.example/1"},
        {"title": "Data", "accessURL": "https://a.example/2"},
        {"title": "Data", "accessURL": "https://a.example/2"},
        {"title": "Map", "format": "KML"},
        {"format": "csv"},
    ]
    (draft,) = described(http, folder, {**HUB, "distribution": files})
    assert [one.key for one in draft.resources] == [
        "Data https://a.example/1",
        "Data https://a.example/2",
        "Data https://a.example/2 (2)",
        "Map KML",
        "CSV",
    ]


def test_a_record_that_is_none_is_refused_and_the_others_are_taken(
    http: Http, folder: Path
) -> None:
    (folder / "d.json").write_bytes(catalogue("no thing", HUB))
    first, second = FORMAT.records(opened(FORMAT, str(folder / "d.json")), http)
    assert isinstance(first.error, Unreadable)
    assert draft_of(FORMAT, second).title == {"en": "Parcels of land"}


def test_a_file_that_did_not_change_is_not_read_again(http: Http, server: Served) -> None:
    content = catalogue(HUB)
    server.behaviours["/data.json"] = plain(content, headers={"ETag": '"1"'})
    source = opened(FORMAT, f"{server.url}/data.json")
    assert len(list(FORMAT.records(source, http))) == 1
    again = opened(FORMAT, source.url)
    again.memory.before = source.memory.after
    assert list(FORMAT.records(again, http)) == []
    assert (again.memory.partial, again.memory.after) == (True, source.memory.after)
    server.behaviours["/data.json"] = plain(content, headers={"ETag": '"2"'})
    assert len(list(FORMAT.records(again, http))) == 1


def test_what_json_can_say_but_we_cannot_keep_is_refused_or_cleaned(
    http: Http, folder: Path
) -> None:
    file = folder / "data.json"
    text = '{"title": "a \\ud800"}'
    file.write_text(f'{{"dataset": [{10**400}, "\\ud800", {text}]}}', "utf-8")
    number, word, cut = FORMAT.records(opened(FORMAT, str(file)), http)
    assert isinstance(number.error, Unreadable)
    assert isinstance(word.error, Unreadable)
    assert draft_of(FORMAT, cut).title == {"en": "a"}


def test_linked_files_may_be_fetched(server: Served, http: Http, tmp_path: Path) -> None:
    server.behaviours["/a.csv"] = plain(b"x\n1\n")
    load = {"part": {"url": f"{server.url}/a.csv"}}
    content = FORMAT.content(Source("https://unused.example/"), http, load, tmp_path)
    assert isinstance(content, Files)
    assert content.paths[0].read_text() == "x\n1\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no whole JSON"),
        (b"<!doctype html><p>Sign in</p>", "web page"),
        (b'{"data": [1]}', "has no list “dataset”"),
        (b'{"dataset": null}', "has no list “dataset”"),
        (b'{"dataset": [{"title": "a"}, {"title', "no whole JSON"),
        (b'{"dataset": [{"title": "a"}', "no whole JSON"),
        (b'{"dataset" [1]}', "no whole JSON"),
        (b"{[1]: 2}", "has no list “dataset”"),
        (b'{"dataset": [' + b"[" * 200_000, "no whole JSON"),
        (b'"text"', "no whole JSON"),
        (b'{"dataset": ["\x81\x20"]}', "encoding"),
    ],
)
def test_files_that_are_no_catalogue(http: Http, folder: Path, content: bytes, words: str) -> None:
    (folder / "d.json").write_bytes(content)
    with pytest.raises(Unreadable, match=words):
        list(FORMAT.records(opened(FORMAT, str(folder / "d.json")), http))


def test_a_catalogue_may_be_empty(http: Http, folder: Path) -> None:
    assert described(http, folder) == []


def test_a_missing_file(http: Http, folder: Path) -> None:
    for place, error in (("none.json", NotFound), ("", Unreadable)):
        with pytest.raises(error):
            list(FORMAT.records(opened(FORMAT, str(folder / place)), http))


@pytest.mark.parametrize("chunk", [1, 7, 1_000_000])
def test_items_are_read_one_at_a_time_wherever_the_text_is_cut(
    folder: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(json_files, "CHUNK", chunk)
    text = '{"a": {"b": [1]}, "n" : [ 12345 , "x\\"]", null, NaN, {"é": [[]]} ], "z": 98765}  '
    (folder / "a.json").write_bytes(b"\xef\xbb\xbf" + text.encode())
    found = [item for _, item in items(folder / "a.json", {"n"})]
    assert found[:3] == [12345, 'x"]', None]
    assert found[4] == {"é": [[]]}
    (folder / "a.json").write_bytes(' [ "Straße", 2 ]'.encode("cp1252"))
    assert list(items(folder / "a.json", {"n"})) == [("", "Straße"), ("", 2)]
    (folder / "a.json").write_bytes('["数据"]'.encode("gb18030"))
    assert list(items(folder / "a.json", {"n"}, language="zh")) == [("", "数据")]


def test_an_item_that_does_not_end_is_not_read_into_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "CHUNK", 10)
    monkeypatch.setattr(json_files, "LARGEST_ITEM", 100)
    (folder / "a.json").write_text('{"n": ["' + "x" * 1000 + '"]}')
    with pytest.raises(TooLarge):
        list(items(folder / "a.json", {"n"}))
