"""The format `iso`: records of several standards, languages and servers, and folders of them."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from lxml import etree

from catalog.errors import CatalogError, Unreadable
from catalog.permissions import SCHEDULER
from catalog.schemas.drafts import DatasetDraft
from catalog.services import groups
from catalog.settings import Settings
from harvesters import services
from harvesters.formats.iso import ISO
from harvesters.harvester import Files, Memory, Source
from harvesters.http import Http
from tests.catalog.test_reading_shared import SHARED, needs_shared
from tests.make_server import Served, plain
from tests.make_source import draft_of, drafts, make_source, opened

FORMAT = ISO()
DATA = Path(__file__).parents[1] / "data" / "iso"
HEAD = (
    '<g:MD_Metadata xmlns:g="http://www.isotc211.org/2005/gmd" xmlns:c="http://www.isotc211.org/2005/gco"'
    ' xmlns:m="http://www.opengis.net/gml" xmlns:x="http://www.w3.org/1999/xlink">'
    "<g:fileIdentifier><c:CharacterString>one</c:CharacterString></g:fileIdentifier>"
)


def read(folder: Path, http: Http, about: str, more: str = "", **options: Any) -> DatasetDraft:
    """The dataset of a small record: what identifies it, and the rest of it."""
    title = "<g:citation><g:CI_Citation><g:title><c:CharacterString>T</c:CharacterString></g:title></g:CI_Citation></g:citation>"
    (folder / "a.xml").write_text(
        f"{HEAD}<g:identificationInfo><g:MD_DataIdentification>{title}{about}</g:MD_DataIdentification>"
        f"</g:identificationInfo>{more}</g:MD_Metadata>"
    )
    return drafts(FORMAT, str(folder), http, **options)["one"]


def said(name: str, text: str) -> str:
    return f"<g:{name}><c:CharacterString>{text}</c:CharacterString></g:{name}>"


def code(name: str, value: str) -> str:
    return f'<g:{name}><g:Code codeListValue="{value}"/></g:{name}>'


def test_a_swiss_record_in_four_languages(folder: Path, http: Http) -> None:
    shutil.copy(DATA / "che.xml", folder)
    (draft,) = drafts(FORMAT, str(folder), http, record_page="https://geocat.ch/{id}").values()
    assert draft.title == {"de": "Gewässerschutzkarte"}
    assert draft.tags[:4] == (
        "Grundwasser",
        "groundwater",
        "acqua sotterranea",
        "eaux souterraines",
    )
    assert draft.themes == ("environment", "economy", "planning")
    assert draft.landing_page == "https://geocat.ch/3d2981af-d5db-4122-8db6-1ea41ed44b3f"
    assert draft.contact == "Amt für Umweltschutz <info.afu@zg.ch>"
    assert draft.spatial_box == (8.396, 47.082, 8.701, 47.248)
    assert draft.spatial_geometry["coordinates"][0][0] == [8.522, 47.09]
    assert (str(draft.modified)[:10], draft.details["created"]) == ("2017-01-24", "2005-06-14")
    assert draft.details["publisher"]["url"] == "http://www.zg.ch/afu/"


def test_a_record_of_iso_19115_3(folder: Path, http: Http) -> None:
    shutil.copy(DATA / "catchments.xml", folder)
    (draft,) = drafts(FORMAT, str(folder / "catchments.xml"), http).values()
    assert draft.title == {"fr": "Protection des captages - Série"}
    assert draft.license == "other"
    assert draft.license_text.startswith("Les conditions générales d'accès")
    assert draft.details["publisher"]["name"] == "Service public de Wallonie (SPW)"
    assert draft.landing_page.endswith("/records/74f81503-8d39-4ec8-a49a-c76e0cd74946")
    formats = [resource.format for resource in draft.resources]
    assert formats == ["HTML", "HTML", "ESRI-REST", "WMS", "HTML"]
    assert str(draft.issued)[:10] == "2022-11-08"


def test_translations_and_every_element(folder: Path, http: Http) -> None:
    about = (
        "<g:abstract><c:CharacterString>一\n 二</c:CharacterString><g:PT_FreeText><g:textGroup>"
        '<g:LocalisedCharacterString locale="#e">One</g:LocalisedCharacterString></g:textGroup></g:PT_FreeText></g:abstract>'
        "<g:pointOfContact><g:CI_ResponsibleParty>"
        + said("individualName", "Li")
        + code("role", "author")
        + "</g:CI_ResponsibleParty></g:pointOfContact>"
        + "<g:resourceMaintenance><g:MD_MaintenanceInformation>"
        + code("maintenanceAndUpdateFrequency", "biannually")
        + "</g:MD_MaintenanceInformation></g:resourceMaintenance>"
        + "<g:descriptiveKeywords><g:MD_Keywords>"
        + said("keyword", "Odd")
        + "</g:MD_Keywords></g:descriptiveKeywords>"
        + "<g:topicCategory><g:MD_TopicCategoryCode> oceans </g:MD_TopicCategoryCode></g:topicCategory>"
        + "<g:spatialResolution><g:MD_Resolution><g:distance><c:Distance uom='km'>2</c:Distance></g:distance></g:MD_Resolution></g:spatialResolution>"
        + "<g:spatialResolution><g:MD_Resolution><g:distance><c:Distance uom='m'>near</c:Distance></g:distance></g:MD_Resolution></g:spatialResolution>"
    )
    locales = (
        code("language", "chi")
        + '<g:locale><g:PT_Locale id="e">'
        + code("languageCode", "eng")
        + "</g:PT_Locale></g:locale>"
    )
    draft = read(folder, http, about, locales, themes={"Odd": "culture"})
    assert draft.description == {"zh": "一\n二", "en": "One"}
    assert draft.frequency == "annual"
    assert draft.themes == ("environment", "culture")
    assert draft.contact == "Li"
    assert draft.details["creator"] == {"name": "Li"}
    assert draft.details["spatial_resolution"] == 2000.0


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        (said("useLimitation", "no conditions apply"), ("notspecified", "", "open")),
        (said("useLimitation", "CC-BY 4.0") + said("otherConstraints", "no limitations"), ("CC-BY-4.0", "", "open")),
        (said("useLimitation", "Ask first") + code("accessConstraints", "restricted"), ("other", "Ask first", "on_application")),
        (code("classification", "secret"), ("notspecified", "", "closed")),
        (
            '<g:otherConstraints><c:Anchor x:href="https://creativecommons.org/publicdomain/zero/1.0/">Free</c:Anchor></g:otherConstraints>',
            ("CC0-1.0", "", "open"),
        ),
        (
            '<g:otherConstraints><c:Anchor x:href="http://inspire.ec.europa.eu/metadata-codelist/LimitationsOnPublicAccess/INSPIRE_Directive_Article13_1b">Closed</c:Anchor></g:otherConstraints>',
            ("other", "Closed", "closed"),
        ),
    ],
)  # fmt: skip
def test_constraints_are_licence_and_access(
    folder: Path, http: Http, constraints: str, expected: tuple[str, ...]
) -> None:
    about = f"<g:resourceConstraints><g:MD_LegalConstraints>{constraints}</g:MD_LegalConstraints></g:resourceConstraints>"
    draft = read(folder, http, about)
    assert (draft.license, draft.license_text, draft.access) == expected


def extent(inner: str) -> str:
    return f"<g:extent><g:EX_Extent>{inner}</g:EX_Extent></g:extent>"


def box(*edges: str) -> str:
    names = ("westBoundLongitude", "eastBoundLongitude", "southBoundLatitude", "northBoundLatitude")
    inner = "".join(
        f"<g:{n}><c:Decimal>{e}</c:Decimal></g:{n}>" for n, e in zip(names, edges, strict=True)
    )
    return f"<g:geographicElement><g:EX_GeographicBoundingBox>{inner}</g:EX_GeographicBoundingBox></g:geographicElement>"


def outline(inner: str, system: str = "") -> str:
    return (
        f'<g:geographicElement><g:EX_BoundingPolygon><g:polygon><m:Polygon srsName="{system}"><m:exterior><m:LinearRing>{inner}'
        "</m:LinearRing></m:exterior></m:Polygon></g:polygon></g:EX_BoundingPolygon></g:geographicElement>"
    )


def points(text: str) -> str:
    return f"<m:posList>{text}</m:posList>"


RING = "50 3 51 3 51 4 50 3"
TURNED = [[3.0, 50.0], [3.0, 51.0], [4.0, 51.0], [3.0, 50.0]]


@pytest.mark.parametrize(
    ("inner", "expected_box", "ring"),
    [
        (box("3", "4", "50", "51"), (3, 50, 4, 51), None),
        (box("3", "4", "51", "50"), (3, 50, 4, 51), None),
        (box("170", "-170", "0", "1"), (170, 0, -170, 1), None),
        (box("3", "4", "50", "95"), (), None),
        (box("3", "4", "", "51"), (), None),
        (box("3", "4", "nan", "51"), (), None),
        (box("3", "4", "50", "51") + box("1", "2", "50", "51"), (1, 50, 4, 51), None),
        (outline(points(RING), "urn:ogc:def:crs:EPSG::4326"), (3, 50, 4, 51), TURNED),
        (outline(points(RING), "EPSG:4326"), (50, 3, 51, 4), [pair[::-1] for pair in TURNED]),
        (outline(points(RING)) + box("3", "4", "50", "51"), (3, 50, 4, 51), TURNED),
        (outline("<m:coordinates>3,50 3,51 4,51 3,50</m:coordinates>"), (3, 50, 4, 51), TURNED),
        (outline(points("500000 9 500001 9 500002 8 500000 9")), (), None),
        (outline(points("1 2 x")), (), None),
        (outline(points("1 2 3 4")), (), None),
        (outline('<m:posList srsDimension="3">3 50 0 3 51 0 4 51 0 3 50 0</m:posList>'), (3, 50, 4, 51), TURNED),
    ],
)  # fmt: skip
def test_boxes_and_outlines(
    folder: Path, http: Http, inner: str, expected_box: tuple[float, ...], ring: Any
) -> None:
    draft = read(folder, http, extent(inner))
    assert draft.spatial_box == expected_box
    assert draft.spatial_geometry.get("coordinates", [None])[0] == ring


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("<m:TimePeriod><m:beginPosition>1998</m:beginPosition><m:endPosition>2010-05</m:endPosition></m:TimePeriod>", ("1998", "2010-05")),
        ("<m:TimePeriod><m:begin><m:TimeInstant><m:timePosition>1998-02-03T00:00:00</m:timePosition></m:TimeInstant></m:begin></m:TimePeriod>", ("1998-02-03", "")),
        ("<m:TimePeriod><m:beginPosition>2001</m:beginPosition><m:endPosition>1999</m:endPosition></m:TimePeriod>", ("2001", "")),
        ("<m:TimePeriod><m:beginPosition>2001</m:beginPosition><m:endPosition indeterminatePosition='now'/></m:TimePeriod>", ("2001", "")),
        ("<m:TimeInstant><m:timePosition>2001</m:timePosition></m:TimeInstant>", ("2001", "2001")),
    ],
)  # fmt: skip
def test_periods(folder: Path, http: Http, time: str, expected: tuple[str, str]) -> None:
    inner = f"<g:temporalElement><g:EX_TemporalExtent><g:extent>{time}</g:extent></g:EX_TemporalExtent></g:temporalElement>"
    draft = read(folder, http, extent(inner))
    assert (draft.temporal_start, draft.temporal_end) == expected


def online(url: str, protocol: str = "", name: str = "") -> str:
    return (
        f"<g:transferOptions><g:MD_DigitalTransferOptions><g:onLine><g:CI_OnlineResource><g:linkage><g:URL>{url}</g:URL></g:linkage>"
        f"{said('protocol', protocol)}{said('name', name)}</g:CI_OnlineResource></g:onLine></g:MD_DigitalTransferOptions></g:transferOptions>"
    )


def test_resources_with_their_formats(folder: Path, http: Http) -> None:
    named = f"<g:distributionFormat><g:MD_Format>{said('name', 'Oracle')}</g:MD_Format></g:distributionFormat>"
    places = [
        online("http://a.example/t.csv.gz", "WWW:DOWNLOAD-1.0-http--download", "Table"),
        online("http://a.example/ows", "OGC:WMS-1.3.0-http-get-map"),
        online("http://a.example/ows", "OGC:WFS"),
        online("http://a.example/x?SERVICE=wcs"),
        online("http://a.example/rest/FeatureServer/0"),
        online("http://a.example/g", "application/geo+json"),
        online("http://a.example/shapes.zip"),
        online("http://a.example/page.htm", "WWW:LINK"),
        online("http://a.example/db"),
        online("javascript:alert(1)"),
        online("http://a.example/" + "x" * 3000),
    ]
    more = f"<g:distributionInfo><g:MD_Distribution>{named}{''.join(places)}</g:MD_Distribution></g:distributionInfo>"
    draft = read(folder, http, "", more, load_files=True)
    assert [resource.format for resource in draft.resources] == [
        "CSV", "WMS", "WFS", "WCS", "ESRI-REST", "GEOJSON", "ZIP", "HTML", "ORACLE",
    ]  # fmt: skip
    assert draft.resources[2].key == "http://a.example/ows#2"
    assert draft.resources[0].title == {"en": "Table"}
    assert draft.resources[0].load["part"] == {"url": "http://a.example/t.csv.gz"}
    assert not draft.resources[1].load


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html></html>", "web page instead of XML"),
        (b"<a>", "no whole XML"),
        (b"", "no whole XML"),
        (b'<?xml version="1.0" encoding="odd"?><a/>', "no whole XML"),
        (b"<a/>", "no record of ISO 19115"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "defines the entity b"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "defines the entity b"),
        (b"<a>" * 300 + b"</a>" * 300, "nested too deeply"),
    ],
)  # fmt: skip
def test_files_that_are_not_taken(folder: Path, http: Http, content: bytes, words: str) -> None:
    (folder / "a.xml").write_bytes(content)
    (record,) = FORMAT.records(opened(FORMAT, str(folder)), http)
    assert words in str(record.error)


def test_a_folder_without_xml_is_an_error(folder: Path, http: Http) -> None:
    with pytest.raises(Unreadable, match="no XML file"):
        list(FORMAT.records(opened(FORMAT, str(folder)), http))


def test_a_record_without_name_or_title(folder: Path, http: Http) -> None:
    (folder / "a.xml").write_text("<MD_Metadata/>")
    (record,) = FORMAT.records(opened(FORMAT, str(folder)), http)
    assert record.key == "a.xml"
    with pytest.raises(CatalogError, match="cannot be used"):
        draft_of(FORMAT, record)


def web_folder(server: Served, pages: dict[str, str]) -> str:
    aerial = (DATA / "aerial.xml").read_bytes()
    for path, content in pages.items():
        server.behaviours[path] = plain(content.encode(), media_type="text/html")
    server.behaviours["/waf/a.xml"] = plain(aerial, media_type="application/xml")
    server.behaviours["/waf/sub/c%20d.XML"] = plain((DATA / "che.xml").read_bytes())
    return f"{server.url}/waf/"


def test_a_web_folder_is_walked_below_its_first_page_only(server: Served, http: Http) -> None:
    pages = {
        "/waf/": '<a href="a.xml">a</a><a href="./a.xml#x">a</a><a href="../">up</a><a href="sub/">s</a><a href="?C=M;O=A">sort</a>'
        '<a href="/other.xml">o</a><a href="http://elsewhere.example/b.xml">e</a><a href="http://[">bad</a><a>none</a>',
        "/waf/sub/": '<base href="/waf/sub/"><a href="c%20d.XML">c</a><a href="deep/">d</a>',
        "/waf/sub/deep/": "",
    }
    found = drafts(FORMAT, web_folder(server, pages), http, levels=["dataset"])
    assert sorted(found) == [
        "366f6257-19eb-4f20-ba78-0698ac4aae77",
        "3d2981af-d5db-4122-8db6-1ea41ed44b3f",
    ]
    assert drafts(FORMAT, f"{server.url}/waf/", http, depth=0).keys() < found.keys()
    assert len(drafts(FORMAT, f"{server.url}/waf/a.xml", http)) == 1
    assert not drafts(FORMAT, f"{server.url}/waf/", http, levels=["service"])


def test_a_file_that_fails_keeps_the_name_of_its_record(server: Served, http: Http) -> None:
    url = web_folder(server, {"/waf/": '<a href="a.xml">a</a><a href="b.xml">b</a>'})
    options = opened(FORMAT, url).options
    first = Memory()
    keys = [record.key for record in FORMAT.records(Source(url, options, first), http)]
    assert keys == ["366f6257-19eb-4f20-ba78-0698ac4aae77", "b.xml"]
    del server.behaviours["/waf/a.xml"]
    second = Memory(before=first.after)
    records = list(FORMAT.records(Source(url, options, second), http))
    assert [record.key for record in records] == keys
    assert all(record.error for record in records)
    assert second.after == first.after


def test_the_content_is_the_file(server: Served, http: Http, tmp_path: Path) -> None:
    server.behaviours["/t.csv"] = plain(b"a\n1\n")
    load = {"part": {"url": f"{server.url}/t.csv"}}
    content = FORMAT.content(opened(FORMAT, server.url), http, load, tmp_path)
    assert isinstance(content, Files)
    assert content.paths[0].read_bytes() == b"a\n1\n"


KINDS = ("{*}MD_Metadata", "{*}MI_Metadata", "{*}CHE_MD_Metadata")


def named(path: str) -> str:
    """A path of local names, whatever their namespaces."""
    return "/".join(
        step if step == "*" else f"*[local-name()='{step}']" for step in path.split("/")
    )


def plainly(record: Any, path: str) -> list[str]:
    """What lxml finds at a path of local names: nothing that the format's own code does."""
    return [" ".join("".join(one.itertext()).split()) for one in record.xpath(f"./{named(path)}")]


def dates_in(record: Any) -> set[str]:
    """The days on which the data was revised, else those of the record."""
    dates = record.xpath(f"./{named('identificationInfo/*/citation/*/date/*')}")
    revised = [d for d in dates if d.xpath(".//@codeListValue") == ["revision"]]
    found = [plainly(date, "date/*")[0] for date in revised if plainly(date, "date/*")]
    stamps = plainly(record, "dateStamp/*") or plainly(record, "dateInfo/*/date/*")
    return {text[:10] for text in found or stamps}


@needs_shared
@pytest.mark.parametrize(
    ("archive", "expected"),
    [("pycsw-suites", (133, 5)), ("owslib-resources", (14, 0)), ("ckanext-spatial-tests", (27, 1))],
)
def test_real_records_say_what_another_reader_finds_in_them(
    folder: Path, http: Http, archive: str, expected: tuple[int, int]
) -> None:
    with tarfile.open(SHARED / "iso-csw-oai" / f"{archive}.tar.gz") as packed:
        packed.extractall(folder, filter="data")
    records = list(FORMAT.records(opened(FORMAT, str(folder)), http))
    compared = 0
    for record in (one for one in records if not one.error):
        root = etree.parse(folder / record.body["file"]).getroot()
        if "title" not in (described := FORMAT.describe(record)):
            continue
        draft = draft_of(FORMAT, record)
        titles = {" ".join(text.split()) for text in described["title"].values()}
        at = "identificationInfo/*/citation/*/title/*"
        found = [one for one in root.iter(*KINDS) if titles <= set(plainly(one, at))]
        compared += 1
        words = plainly(found[0], "identificationInfo/*/abstract/*")
        assert {" ".join(text.split()) for text in draft.description.values()} <= set(words)
        links = plainly(found[0], "distributionInfo/*/transferOptions/*/onLine/*/linkage/URL")
        urls = {resource.url for resource in draft.resources}
        assert {url.replace(" ", "%20") for url in links if url.startswith("http")} <= urls
        assert str(draft.modified)[:10] in {*dates_in(found[0]), "None"}
    errors = [str(one.error) for one in records if one.error]
    no_whole = [error for error in errors if "holds no record" not in error]
    assert (compared, len(no_whole)) == expected


@pytest.fixture
def settings(settings: Settings, folder: Path) -> Settings:
    return replace(settings, fetch_folders=str(folder))


def test_the_whole_folder_becomes_datasets_and_a_second_run_changes_nothing(
    app: Flask, folder: Path
) -> None:
    shutil.copytree(DATA, folder / "records")
    for theme in ("environment", "economy", "planning"):
        groups.put(SCHEDULER, theme, title={"en": theme})
    source = make_source("iso", str(folder))
    counts = []
    for _ in range(2):
        run = services.run_now(SCHEDULER, source.id)
        done = services.runs(SCHEDULER, run.source_id, 0, 1)[0]
        counts.append((done.state, done.seen, done.created, done.same, done.refused))
    assert counts == [("done", 3, 3, 0, 0), ("done", 3, 0, 3, 0)]
