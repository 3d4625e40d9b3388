"""Makes a small catalogue in which every element that feeds can say is filled somewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from flask.testing import FlaskClient
from rdflib import Graph, Namespace

from tests.make_dataset import put
from tests.make_portal import Served, make_served

SHACL = Namespace("http://www.w3.org/ns/shacl#")
STANDARDS = Path(__file__).parent / "data" / "standards"
SYNTAXES = {"ttl": "turtle", "jsonld": "json-ld", "rdf": "xml", "xml": "xml"}
DETAILS: dict[str, Any] = {
    "version": "1.2",
    "version_notes": {"en": "Stations were added."},
    "languages": ["zh", "en"],
    "conforms_to": ["https://example.org/standard"],
    "documentation": ["https://example.org/about"],
    "provenance": {"en": "Measured by the stations.", "zh": "由监测站测量。"},
    "rights": {"en": "As the law says."},
    "contact_point": {"name": "Desk", "email": "desk@example.org", "phone": "+86 21 1234"},
    "creator": {"name": "Institute", "url": "https://institute.example.org"},
    "related": ["https://example.org/related"],
    "sources": ["https://example.org/raw"],
    "has_version": ["https://example.org/v2"],
    "is_version_of": ["https://example.org/v"],
    "is_referenced_by": ["https://example.org/paper"],
    "sample": ["https://example.org/sample"],
    "type": "http://publications.europa.eu/resource/authority/dataset-type/STATISTICAL",
    "applicable_legislation": ["http://data.europa.eu/eli/reg_impl/2023/138/oj"],
    "hvd_category": ["http://data.europa.eu/bna/c_dd313021"],
    "spatial_resolution": 30.0,
    "temporal_resolution": "P1D",
    "created": "2019-05",
    "was_generated_by": {"en": "A survey."},
    "share_type": "conditional",
    "share_condition": {"zh": "仅限政务部门"},
    "resource_class": "环境",
}
FULL: dict[str, Any] = {
    "title": {"en": 'Air "quality" & <stations>', "zh": "空气质量", "fr-t-en": "Qualité de l’air"},
    "description": {"en": "Hourly values.\nWith a \\ and “quotes”.", "zh": "每小时的数值。"},
    "notice": {"en": "Not calibrated."},
    "tags": ["air", "空气"],
    "identifier": "EP-0001/2024",
    "spatial": "Shanghai",
    "spatial_code": "310000",
    "spatial_box": [120.8, 30.7, 122.2, 31.9],
    "spatial_geometry": {"type": "Point", "coordinates": [121.5, 31.2]},
    "temporal_start": "2013",
    "temporal_end": "2017-02",
    "license": "CC-BY-4.0",
    "frequency": "daily",
    "contact": "Office <office@example.org>",
    "landing_page": "https://example.org/air?a=1&b=2",
    "issued": "2020-01-01T00:00:00+00:00",
    "modified": "2024-05-31T08:00:00+00:00",
    "extras": {"kept": 1},
    "machine": {"title": ["fr-t-en"]},
    "details": DETAILS,
}


def make_catalogue(folder: Path) -> Served:
    """A dataset with everything and a table, a closed one, one with files only."""
    served = make_served(folder, slug="air", **FULL)
    files = [
        {
            "key": "a",
            "title": {"en": "File"},
            "url": "https://example.org/a.csv",
            "format": "csv",
            "size": 12,
        },
        {
            "key": "b",
            "title": {"en": "Map"},
            "url": "https://example.org/wms",
            "format": "odd format",
        },
    ]
    put("Closed", access="closed", access_reason={"en": "The law", "zh": "法律"}, resources=files)
    put(
        "Files",
        license="other",
        license_text="Own terms",
        resources=files,
        temporal_start="2020-01-02",
    )
    return served


def graph(client: FlaskClient, path: str) -> Graph:
    """What is at an address, parsed by its ending."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    syntax = SYNTAXES[path.partition("?")[0].rpartition(".")[2]]
    return Graph().parse(data=answer.data, format=syntax, publicID="http://localhost/")


def shapes() -> Graph:
    """The shapes of DCAT-AP 3.0.1 without the two that are no shapes, as they have no path."""
    found = Graph().parse(STANDARDS / "dcat-ap" / "dcat-ap-SHACL.ttl")
    for _, _, shape in list(found.triples((None, SHACL.property, None))):
        if (shape, SHACL.path, None) not in found:
            found.remove((None, None, shape))
            found.remove((shape, None, None))
    return found


def schema(name: str) -> dict[str, Any]:
    """A JSON schema of DCAT-US 1.1."""
    found: dict[str, Any] = orjson.loads((STANDARDS / "dcat-us" / name).read_bytes())
    return found
