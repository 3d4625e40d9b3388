"""The table of metadata in the docs says what the schemas have and what the feeds write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import rdflib
from flask.testing import FlaskClient

from catalog.permissions import SCHEDULER
from catalog.schemas.dataset import DatasetSchema
from catalog.schemas.details import DetailsSchema
from catalog.schemas.series import series_draft
from catalog.services import series
from tests.make_dataset import make_organization
from tests.make_portal import make_served

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metadata.md"
PREFIXES = {
    "dct": "http://purl.org/dc/terms/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "adms": "http://www.w3.org/ns/adms#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "prov": "http://www.w3.org/ns/prov#",
    "dcatap": "http://data.europa.eu/r5r/",
}
SITE = "https://example.org/"
TEXT = {"en": "Said", "zh": "说明"}
LINKS = (
    "conforms_to", "documentation", "related", "sources", "has_version", "is_version_of", "is_referenced_by", "sample",
    "applicable_legislation", "hvd_category",
)  # fmt: skip
DETAILS = {
    **{name: [f"{SITE}{name}"] for name in LINKS},
    **dict.fromkeys(("version_notes", "provenance", "rights", "was_generated_by"), TEXT),
    "version": "1",
    "languages": ["zh"],
    "contact_point": {"name": "Li", "email": "li@example.org"},
    "creator": {"name": "Li"},
    "publisher": {"name": "Li"},
    "type": f"{SITE}type",
    "spatial_resolution": 30.0,
    "temporal_resolution": "P1D",
    "created": "2020-01-01",
}


def rows() -> Iterator[list[str]]:
    """The cells of the table, without its head."""
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| Ours"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def named(at: int) -> set[str]:
    """What a column of the table names: the first name of each cell that does not begin with a dash."""
    found = (re.match(r"`([^`]+)`", row[at]) for row in rows())
    return {match[1] for match in found if match}


@pytest.fixture
def full(client: FlaskClient, tmp_path: Path) -> FlaskClient:
    """A client of a portal with one dataset of which everything is said."""
    make_organization()
    said = {"slug": "years", "organization": "ecology", "title": TEXT}
    series.put(SCHEDULER, series_draft(said))
    make_served(
        tmp_path,
        description=TEXT,
        identifier="510107-1",
        license="CC-BY-4.0",
        frequency="monthly",
        access_reason=TEXT,
        tags=["air"],
        landing_page=SITE,
        spatial="Chengdu",
        spatial_code="510107",
        spatial_box=[103.9, 30.5, 104.1, 30.7],
        temporal_start="2020",
        temporal_end="2021",
        issued="2020-01-01",
        modified="2021-01-01",
        series="years",
        details=DETAILS,
    )
    return client


def test_every_element_has_a_row() -> None:
    ours = named(0)
    details = {f"details.{name}" for name in DetailsSchema().fields}
    assert ours == set(DatasetSchema().fields) - {"details"} | details


def test_every_row_has_five_cells_and_a_name_that_stands_once() -> None:
    assert {len(row) for row in rows()} == {5}
    names = [row[0] for row in rows()]
    assert len(names) == len(set(names))


def test_every_property_of_dcat_is_written(full: FlaskClient) -> None:
    graph = rdflib.Graph().parse(data=full.get("/datasets/air-quality.ttl").data, format="turtle")
    written = {str(property_) for property_ in graph.predicates()}
    missing = {
        name
        for name in named(1)
        if PREFIXES[name.partition(":")[0]] + name.partition(":")[2] not in written
    }
    assert not missing


def test_every_key_of_data_json_and_schema_org_is_written(full: FlaskClient) -> None:
    (dataset,) = full.get("/data.json").json["dataset"]
    assert not named(2) - set(dataset)
    described = full.get("/datasets/air-quality.schema.jsonld").get_json(force=True)
    assert not named(3) - set(described)
