"""The format `dcat`: languages, dates, licences, and documents that bite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import CatalogError, Denied, Unreadable
from catalog.schemas.drafts import DatasetDraft
from harvesters.formats.dcat import DCAT
from harvesters.harvester import Files
from harvesters.http import Http
from tests.harvesters.conftest import DEMO
from tests.make_server import Asked, Served, plain
from tests.make_source import drafts, opened

FORMAT = DCAT()
PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@base <http://x.example/> .
"""


def turtle(server: Served, http: Http, text: str, **options: Any) -> dict[str, DatasetDraft]:
    server.behaviours["/c"] = plain((PREFIXES + text).encode(), media_type="text/turtle")
    return drafts(FORMAT, f"{server.url}/c", http, **options)


def test_the_belgian_catalogue(server: Served, http: Http) -> None:
    content = (DEMO / "intl-belgium-dcat" / "catalog.rdf").read_bytes()
    server.behaviours["/catalog.rdf"] = plain(content, media_type="application/rdf+xml")
    found = drafts(FORMAT, f"{server.url}/catalog.rdf", http)
    assert len(found) == 40
    key = "http://data.gov.be/dataset/indicators/0290993c57eaf3aa51e4df11ef4702bf78ef7a30"
    health = found[key]
    assert health.title == {
        "en": "Self-perceived health (i14)",
        "nl": "Ervaren gezondheid (i14)",
        "fr": "Santé perçue (i14)",
    }
    assert health.license == "CC0-1.0"
    assert health.themes == ("health", "population")
    assert health.landing_page == "https://indicators.be/en/i/G03_SPH/en"
    assert health.contact == "Federal Planning Bureau <indicators@plan.be>"
    assert health.extras["publisher"]["nl"] == "Federaal Planbureau"
    assert len(health.resources) == 3
    assert health.resources[0].format == "XLSX"
    assert all("de" not in draft.title for draft in found.values())
    assert any("de-t-en" in {**draft.description, **draft.title} for draft in found.values())
    assert drafts(FORMAT, f"{server.url}/catalog.rdf", http) == found


def test_every_field(server: Served, http: Http) -> None:
    text = """
    <d> a dcat:Dataset ; dct:title "Untagged" , "Title"@en-GB , "Vertaald"@nl-t-en ;
        dct:description "B"@en , "A"@en ; dcat:keyword "one"@en , "eins"@de-t-en ;
        dcat:theme <http://publications.europa.eu/resource/authority/data-theme/HEAL> , <http://o/X> ;
        dct:accrualPeriodicity <http://publications.europa.eu/resource/authority/frequency/MONTHLY> ;
        dct:accessRights <http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC> ;
        dct:issued "2020"^^xsd:gYear , "2021-02-03"^^xsd:date ; dct:modified "2024-05-31T10:00:00"^^xsd:dateTime , "old" ;
        dct:publisher [] ; dct:spatial [ rdfs:label "Shanghai" ] , [] ;
        dct:temporal [ dcat:startDate "2020-01-01" ; dcat:endDate "2019-01-01" ] ;
        dcat:contactPoint [ vcard:hasEmail <mailto:office%40x.example> ] ;
        dcat:distribution [ dct:title "F"@fr ; dcat:accessURL <http://x.example/a b.csv> ; dcat:byteSize "12.0"^^xsd:decimal ;
            dcat:mediaType <https://www.iana.org/assignments/media-types/text/csv> ; dct:license <http://creativecommons.org/licenses/by/4.0/> ] ,
            <f2> .
    <f2> dcat:downloadURL <http://x.example/b.xlsx> ; dct:format "XLSX" ; dct:license <http://o/own> ;
        dct:language <http://publications.europa.eu/resource/authority/language/NLD> ; dcat:byteSize "big" .
    """.replace("a b.csv", "a%20b.csv")
    found = turtle(server, http, text, language="zh", themes={"X": "culture"}, load_files=True)
    draft = found["http://x.example/d"]
    assert draft.title == {"zh": "Untagged", "en": "Title", "nl-t-en": "Vertaald"}
    assert draft.description == {"en": "A"}
    assert draft.tags == ("one",)
    assert draft.themes == ("culture", "health")
    assert (draft.frequency, draft.access) == ("monthly", "closed")
    assert str(draft.issued)[:10] == "2020-01-01"
    assert str(draft.modified)[:10] == "2024-05-31"
    assert (draft.spatial, draft.temporal_start, draft.temporal_end) == (
        "Shanghai",
        "2020-01-01",
        "",
    )
    assert draft.contact == "office@x.example"
    assert draft.license == "other"
    assert "http://o/own" in draft.license_text
    by_format = {resource.format: resource for resource in draft.resources}
    assert by_format["CSV"].size == 12
    assert by_format["CSV"].title == {"fr": "F"}
    assert by_format["CSV"].load["part"] == {"url": "http://x.example/a%20b.csv"}
    assert by_format["XLSX"].title == {"nl": "XLSX"}
    assert by_format["XLSX"].size is None


def test_further_elements_of_any_portal_and_what_cannot_be_held(server: Served, http: Http) -> None:
    text = """
    @prefix adms: <http://www.w3.org/ns/adms#> . @prefix locn: <http://www.w3.org/ns/locn#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
    @prefix gsp: <http://www.opengis.net/ont/geosparql#> . @prefix dcatap: <http://data.europa.eu/r5r/> .
    <d> a dcat:Dataset ; dct:title "T"@en ; dct:identifier "id-1" ; owl:versionInfo "2" ; adms:versionNotes "Neu"@de , "New"@en ;
        dct:language <http://publications.europa.eu/resource/authority/language/DEU> , "fr" , "klingon" ;
        dct:provenance [ rdfs:label "By hand"@en ] ; dct:rights "All" ; dct:conformsTo <http://s.example/x> , [ rdfs:label "y" ] ;
        dcat:spatialResolutionInMeters "10" , "near" ; dcat:temporalResolution "often" , "PT1H" ; dct:created "2019" ;
        dct:publisher [ foaf:name "Office"@en , "Amt"@de ; foaf:homepage <http://office.example/> ; foaf:mbox <mailto:a@office.example> ] ;
        dct:creator <http://nobody.example/> ; dct:accessRights [ rdfs:label "RESTRICTED" ] ;
        dcat:contactPoint [ vcard:fn "Desk" ; vcard:hasTelephone [ vcard:hasValue <tel:+4912345> ] ; vcard:hasURL <http://desk.example/> ;
            vcard:hasAddress [ vcard:street-address "Way 1" ; vcard:locality "Bonn" ] ] ;
        dcatap:hvdCategory <http://data.europa.eu/bna/c_1> ; dct:type <urn:x> ;
        dct:spatial [ dct:identifier "DE1" ; dcat:bbox "<http://www.opengis.net/def/crs/EPSG/0/4326> POLYGON((50 7,51 7,51 8,50 8,50 7))"^^gsp:wktLiteral ] ,
            [ locn:geometry "<gml:Point/>"^^gsp:gmlLiteral ] , [ dcat:bbox "POLYGON((500 7,51 7,51 8,500 7))" ] .
    <e> a dcat:Dataset ; dct:title "E" ; dct:spatial [ locn:geometry [ gsp:asWKT "POINT(7 50)"^^gsp:wktLiteral ] ] .
    """
    found = turtle(server, http, text)
    draft = found["http://x.example/d"]
    assert draft.details == {
        "version": "2",
        "version_notes": {"de": "Neu", "en": "New"},
        "languages": ["fr", "de"],
        "provenance": {"en": "By hand"},
        "rights": {"en": "All"},
        "conforms_to": ["http://s.example/x"],
        "spatial_resolution": 10.0,
        "temporal_resolution": "PT1H",
        "created": "2019",
        "publisher": {
            "name": "Office",
            "url": "http://office.example/",
            "email": "a@office.example",
        },
        "contact_point": {
            "name": "Desk",
            "phone": "+4912345",
            "url": "http://desk.example/",
            "address": "Way 1, Bonn",
        },
        "hvd_category": ["http://data.europa.eu/bna/c_1"],
    }
    assert (draft.identifier, draft.access) == ("id-1", "on_application")
    assert (draft.spatial_box, draft.spatial_geometry) == ((7.0, 50.0, 8.0, 51.0), {})
    point = found["http://x.example/e"]
    assert point.spatial_geometry == {"type": "Point", "coordinates": [7.0, 50.0]}
    assert point.spatial_box == (7.0, 50.0, 7.0, 50.0)


def test_series_of_any_portal_and_the_places_of_their_datasets(server: Served, http: Http) -> None:
    text = """
    <s> a dcat:DatasetSeries , dcat:Dataset ; dct:title "Years"@en ; dcat:first <y1> ;
        dct:accrualPeriodicity <http://publications.europa.eu/resource/authority/frequency/ANNUAL> .
    <t> a dcat:DatasetSeries ; dct:title "Other"@en ; dcat:seriesMember <y1> ; dcat:first <gone> .
    <u> a dcat:DatasetSeries , dcat:Dataset ; dct:title "With a file"@en ; dcat:distribution [ dcat:accessURL <http://x.example/f> ] .
    <y1> a dcat:Dataset ; dct:title "2001"@en ; dcat:inSeries <s> ; dcat:next <y2> .
    <y2> a dcat:Dataset ; dct:title "2002"@en ; dcat:inSeries <s> .
    <y3> a dcat:Dataset ; dct:title "2003"@en ; dcat:inSeries <s> ; dcat:prev <y2> .
    <y4> a dcat:Dataset ; dct:title "2004"@en ; dcat:inSeries <s> ; dcat:prev <y0> .
    <s> <urn:weft:terms:elements> "no JSON" .
    """
    found = turtle(server, http, text)
    x = "http://x.example/"
    assert {key.removeprefix(x): one.series_position for key, one in found.items()} == {
        "y1": 1,
        "y2": 2,
        "y3": 3,
        "y4": 0,
        "u": 0,
    }
    records = list(FORMAT.records(opened(FORMAT, f"{server.url}/c"), http))
    series = {one.key.removeprefix(x): FORMAT.describe(one) for one in records if one.is_series}
    assert series == {
        "s": {"title": {"en": "Years"}, "frequency": "annual"},
        "t": {"title": {"en": "Other"}, "frequency": "unknown"},
    }
    assert [one.series for one in records if one.key == f"{x}y1"] == [(f"{x}s", f"{x}t")]


def test_datasets_without_an_address_keep_their_key(server: Served, http: Http) -> None:
    text = '[] a dcat:Dataset ; dct:identifier "i-1" ; dct:title "A" . [] a dcat:Dataset ; dct:title "B" .'
    first = turtle(server, http, text)
    assert "i-1" in first
    assert list(turtle(server, http, text)) == list(first)


def test_a_distribution_may_be_fetched(server: Served, http: Http, tmp_path: Path) -> None:
    server.behaviours["/a.csv"] = plain(b"x\n1\n")
    content = FORMAT.content(
        opened(FORMAT, "http://x"), http, {"part": {"url": f"{server.url}/a.csv"}}, tmp_path
    )
    assert isinstance(content, Files)


CONTEXT = {
    "@context": {
        "title": "http://purl.org/dc/terms/title",
        "Dataset": "http://www.w3.org/ns/dcat#Dataset",
    }
}


def ld(context: Any) -> bytes:
    return json.dumps(
        {"@context": context, "@id": "http://x/d", "@type": "Dataset", "title": "T"}
    ).encode()


def test_json_ld_with_contexts_of_its_own_and_remote_ones(server: Served, http: Http) -> None:
    server.behaviours["/c.jsonld"] = plain(
        ld([f"{server.url}/context", {}]), media_type="application/ld+json"
    )
    server.behaviours["/context"] = plain(json.dumps(CONTEXT).encode())
    assert drafts(FORMAT, f"{server.url}/c.jsonld", http)["http://x/d"].title == {"en": "T"}
    server.behaviours["/context"] = plain(
        json.dumps({"@context": f"{server.url}/context"}).encode()
    )
    with pytest.raises(Unreadable, match="holds no dcat:Dataset"):
        drafts(FORMAT, f"{server.url}/c.jsonld", http)


@pytest.mark.parametrize(
    ("context", "error"),
    [
        ("http://169.254.169.254/context", Denied),
        ("file:///etc/passwd", CatalogError),
        ({"@import": "http://169.254.169.254/"}, Unreadable),
        ({"a": {"@id": "http://x/a", "@context": "http://169.254.169.254/"}}, Unreadable),
        ([f"http://127.0.0.1:1/{number}" for number in range(7)], CatalogError),
    ],
)
def test_json_ld_contexts_do_not_lead_inside(
    server: Served, http: Http, context: Any, error: type[CatalogError]
) -> None:
    server.behaviours["/c"] = plain(ld(context), media_type="application/ld+json")
    with pytest.raises(error):
        drafts(FORMAT, f"{server.url}/c", http)


def test_named_graphs_of_json_ld_are_read_too(server: Served, http: Http) -> None:
    inner = {
        "@id": "http://x/d",
        "@type": "http://www.w3.org/ns/dcat#Dataset",
        "http://purl.org/dc/terms/title": "T",
    }
    document = [{"@id": "http://x/graph", "@graph": [inner]}]
    server.behaviours["/c"] = plain(json.dumps(document).encode(), media_type="")
    assert list(drafts(FORMAT, f"{server.url}/c", http)) == ["http://x/d"]


def test_too_many_contexts(server: Served, http: Http) -> None:
    for number in range(6):
        server.behaviours[f"/{number}"] = plain(b"{}")
    server.behaviours["/c"] = plain(
        ld([f"{server.url}/{n}" for n in range(6)]), media_type="application/ld+json"
    )
    with pytest.raises(Unreadable, match="more than 5 contexts"):
        drafts(FORMAT, f"{server.url}/c", http)


RDF = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dct="http://purl.org/dc/terms/" xmlns:dcat="http://www.w3.org/ns/dcat#">'
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    + RDF
    + b"</rdf:RDF>"
)
LONG = b'<!DOCTYPE r [<!ENTITY a "' + b"x" * 400 + b'">]>' + RDF + b"</rdf:RDF>"
OUTSIDE = (
    b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    + RDF
    + b"<dcat:Dataset><dct:title>&a;</dct:title></dcat:Dataset></rdf:RDF>"
)
PARAMETER = b'<!DOCTYPE r [<!ENTITY % a "x"> %a;]>' + RDF + b"</rdf:RDF>"


@pytest.mark.parametrize("content", [BOMB, LONG, OUTSIDE, PARAMETER])
def test_entities_that_grow_or_reach_outside_are_refused(
    server: Served, http: Http, content: bytes
) -> None:
    server.behaviours["/c.rdf"] = plain(content, media_type="application/rdf+xml")
    with pytest.raises(Unreadable, match=r"defines the entity|no whole XML"):
        drafts(FORMAT, f"{server.url}/c.rdf", http)


def test_short_entities_for_namespaces_are_usual(server: Served, http: Http) -> None:
    content = b'<!DOCTYPE r [<!ENTITY x "http://x/">]>' + RDF
    content += b'<dcat:Dataset rdf:about="&x;d"><dct:title>T</dct:title></dcat:Dataset></rdf:RDF>'
    server.behaviours["/c"] = plain(content, media_type="text/plain")
    assert list(drafts(FORMAT, f"{server.url}/c", http, format="xml")) == ["http://x/d"]


@pytest.mark.parametrize(
    ("content", "media_type", "words"),
    [
        (b"<!DOCTYPE html><p>", "text/html", "a web page instead of RDF"),
        (RDF, "application/rdf+xml", "no whole XML"),
        (b"@prefix broken", "text/turtle", "no whole RDF"),
        (b"<a> <b> ", "application/octet-stream", "no whole RDF"),
        (b'{"@id": ', "application/ld+json", "no whole JSON"),
        (b"[" * 400 + b"]" * 400, "application/ld+json", "nested too deeply|no whole"),
        (b"[]", "", "holds no dcat:Dataset"),
        (b"", "text/turtle", "holds no dcat:Dataset"),
    ],
)
def test_what_is_no_catalogue_is_named(
    server: Served, http: Http, content: bytes, media_type: str, words: str
) -> None:
    server.behaviours["/c"] = plain(content, media_type=media_type)
    with pytest.raises(Unreadable, match=words):
        drafts(FORMAT, f"{server.url}/c", http)


def test_the_parser_never_opens_the_network(server: Served, http: Http) -> None:
    """An import or a DTD that the document names is not fetched."""
    content = (
        b'<?xml version="1.0"?><!DOCTYPE r SYSTEM "'
        + server.url.encode()
        + b'/dtd">'
        + RDF
        + b"</rdf:RDF>"
    )
    server.behaviours["/c.rdf"] = plain(content, media_type="application/rdf+xml")
    asked: list[str] = []

    def seen(request: Asked) -> None:
        asked.append(request.path)
        request.answer(b"")

    server.behaviours["/dtd"] = seen
    with pytest.raises(Unreadable):
        drafts(FORMAT, f"{server.url}/c.rdf", http)
    assert asked == []


def test_a_catalogue_on_disk(http: Http, folder: Path) -> None:
    assert len(drafts(FORMAT, str(DEMO / "intl-belgium-dcat" / "catalog.rdf"), http)) == 40
    with pytest.raises(Unreadable, match="is no file"):
        drafts(FORMAT, str(folder), http)
