"""DCAT-AP: the catalogue and its datasets as RDF."""

from __future__ import annotations

from pathlib import Path

import pyshacl
import pytest
from flask.testing import FlaskClient
from rdflib import DCAT, DCTERMS, RDF, Literal, Namespace, URIRef
from rdflib.compare import isomorphic

from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.models.series import DatasetSeries
from catalog.models.service import DataService
from catalog.permissions import SCHEDULER
from catalog.schemas.series import series_draft
from catalog.services import catalogue, series
from tests.make_dataset import make_organization, put
from tests.make_feeds import graph, make_catalogue, shapes

DCAT3 = Namespace(str(DCAT))
"""An open one: rdflib does not know the terms of version 3."""
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own


def test_the_catalogue_is_valid_under_the_shapes_of_dcat_ap(
    client: FlaskClient, tmp_path: Path
) -> None:
    served = make_catalogue(tmp_path)
    client.get(f"/api/v1/tables/{served.table}/download.csv").close()
    with_everything(served.dataset)
    conforms, _, report = pyshacl.validate(graph(client, "/catalog.ttl"), shacl_graph=shapes())
    assert conforms, report


def test_the_shapes_find_what_is_missing(client: FlaskClient, tmp_path: Path) -> None:
    make_catalogue(tmp_path)
    found = graph(client, "/catalog.ttl")
    found.remove((None, DCTERMS.title, None))
    assert not pyshacl.validate(found, shacl_graph=shapes())[0]


def with_everything(dataset_id: str) -> None:
    """A service, a series, and an office below a department."""
    with transaction():
        above = Organization(slug="city", title={"en": "City"})
        db.session.add(above)
        db.session.flush()
        owner = db.session.query(Organization).filter_by(slug="ecology").one()
        owner.parent_id = above.id
        owner.contact = {"name": "Bureau", "email": "bureau@example.org"}
        years = DatasetSeries(slug="years", title={"en": "Years"}, organization_id=owner.id)
        db.session.add(years)
        db.session.flush()
        dataset = db.session.get(Dataset, dataset_id)
        assert dataset is not None
        dataset.series_id = years.id
        service = DataService(
            slug="air-service",
            title={"en": "Air service"},
            organization_id=owner.id,
            endpoint_url="https://example.org/api",
            endpoint_description="https://example.org/api.json",
            documentation="https://example.org/manual",
            conforms_to=["https://example.org/standard"],
            license_id="CC-BY-4.0",
            contact={"name": "Desk", "phone": "1"},
            tags=["air"],
        )
        service.datasets = [dataset]
        db.session.add(service)


@pytest.mark.parametrize("path", ["catalog", "datasets/b"])
def test_series_say_where_their_datasets_stand(client: FlaskClient, path: str) -> None:
    make_organization()
    series.put(
        SCHEDULER,
        series_draft({"slug": "years", "organization": "ecology", "title": {"en": "Years"}}),
    )
    ids = [
        put(slug, slug=slug, series="years", series_position=place, private=place == 4).dataset_id
        for place, slug in ((1, "a"), (2, "b"), (3, "c"), (4, "d"))
    ]
    a, b, c, _ = [URIRef(f"http://localhost/datasets/{id_}") for id_ in ids]
    years = URIRef("http://localhost/series/years")
    found = graph(client, f"/{path}.ttl")
    told = {
        (subject, said, other)
        for said in ("first", "last", "prev", "next", "inSeries")
        for subject, other in found.subject_objects(DCAT3[said])
        if subject in (years, b)
    }
    assert told == {
        *((years, "first", a), (years, "last", c)),
        *((b, "inSeries", years), (b, "prev", a), (b, "next", c)),
    }
    assert found.value(years, DCTERMS.title) == Literal("Years", "en")
    kept = client.get("/datasets/b.ttl")
    put("e", slug="e", series="years", series_position=1)
    etag = {"If-None-Match": kept.headers["ETag"]}
    assert client.get("/datasets/b.ttl", headers=etag).status_code == 200


@pytest.mark.parametrize("ending", ["jsonld", "rdf", "xml"])
def test_all_syntaxes_say_the_same(client: FlaskClient, tmp_path: Path, ending: str) -> None:
    make_catalogue(tmp_path)
    assert isomorphic(graph(client, f"/datasets/air.{ending}"), graph(client, "/datasets/air.ttl"))
    assert client.get("/dataset/air.ttl").data == client.get("/datasets/air.ttl").data


def test_a_table_is_a_distribution_in_several_formats(client: FlaskClient, tmp_path: Path) -> None:
    served = make_catalogue(tmp_path)
    address = f"/api/v1/tables/{served.table}/download.csv"
    client.get(
        address, headers={"Range": "bytes=0-0"}
    ).close()  # a part is sent once the file is kept
    found = graph(client, "/datasets/air.ttl")
    csv = URIRef(f"http://localhost{address}")
    assert (csv, RDF.type, DCAT.Distribution) in found
    assert (csv, DCAT.downloadURL, csv) in found
    length = len(client.get(str(csv)).data)
    assert [int(size) for size in found.objects(csv, DCAT.byteSize)] == [length]


def test_data_that_is_not_open_is_described_without_a_way_to_it(
    client: FlaskClient, tmp_path: Path
) -> None:
    make_catalogue(tmp_path)
    found = graph(client, "/datasets/closed.ttl")
    assert "https://example.org/a.csv" not in {str(value) for value in found.objects()}
    rights = URIRef("http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC")
    assert (None, DCTERMS.accessRights, rights) in found


def test_drafts_private_and_withdrawn_datasets_are_not_there(client: FlaskClient) -> None:
    make_organization()
    put("Seen")
    for name, change in (
        ("Draft", {"state": "draft"}),
        ("Private", {"private": True}),
        ("Gone", {"state": "withdrawn"}),
    ):
        made = put(name)
        with transaction():
            dataset = db.session.get(Dataset, made.dataset_id)
            for field, value in change.items():
                setattr(dataset, field, value)
    found = graph(client, "/catalog.ttl")
    titles = {
        str(found.value(one, DCTERMS.title)) for one in found.subjects(RDF.type, DCAT.Dataset)
    }
    assert titles == {"Seen"}
    assert client.get("/datasets/draft.ttl").status_code == 404
    gone = client.get("/datasets/gone.ttl")
    assert (gone.status_code, gone.mimetype) == (410, "application/problem+json")


def test_pages_lead_through_every_dataset_once_also_while_others_are_written(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "PAGE", 2)
    monkeypatch.setattr(
        "catalog.services.catalogue.page.__kwdefaults__", {"after": "", "offset": 0, "limit": 2}
    )
    make_organization()
    before = {put(f"Dataset {number}").dataset_id for number in range(5)}
    address, seen = "/catalog.ttl", []
    while address:
        found = graph(client, address)
        seen += [str(one).rpartition("/")[2] for one in found.subjects(RDF.type, DCAT.Dataset)]
        put(f"Later {len(seen)}")
        following = next(iter(found.objects(None, HYDRA.next)), None)
        address = str(following).removeprefix("http://localhost") if following else ""
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


@pytest.mark.parametrize("page", ["0", "x", "99", "-1", "1e3", "９", "1&after=~%0Ax", "1&after=岸"])
def test_a_page_that_is_not_there_is_not_found(client: FlaskClient, page: str) -> None:
    assert client.get(f"/catalog.ttl?page={page}").status_code == 404


@pytest.mark.parametrize(
    ("accept", "leads_to"),
    [
        ("text/turtle", "/datasets/air.ttl"),
        ("application/ld+json", "/datasets/air.jsonld"),
        ("application/rdf+xml, text/html;q=0.5", "/datasets/air.rdf"),
    ],
)
def test_the_page_of_a_dataset_leads_who_wants_rdf_to_it(
    client: FlaskClient, tmp_path: Path, accept: str, leads_to: str
) -> None:
    make_catalogue(tmp_path)
    for page in ("/en/datasets/air", "/datasets/air", "/dataset/air"):
        answer = client.get(page, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Location"]) == (303, leads_to)
    for other in ("text/html, text/turtle;q=0.5", "*/*", "text/html"):
        assert client.get("/en/datasets/air", headers={"Accept": other}).mimetype == "text/html"


def test_the_catalogue_answers_as_accept_says(client: FlaskClient) -> None:
    answer = client.get("/catalog?page=1", headers={"Accept": "application/ld+json"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/catalog.jsonld?page=1")
    assert client.get("/catalog").headers["Location"] == "/catalog.ttl"
    assert "accept" in answer.vary


def test_a_copy_is_current_until_something_changes(client: FlaskClient) -> None:
    make_organization()
    put("One")
    first = client.get("/catalog.ttl")
    kept = {"If-None-Match": first.headers["ETag"]}
    assert client.get("/catalog.ttl", headers=kept).status_code == 304
    assert "Cookie" not in first.headers.get("Vary", "")
    put("Two")
    again = client.get("/catalog.ttl", headers=kept)
    assert again.status_code == 200
    assert Literal("Two", "en") in set(graph(client, "/catalog.ttl").objects())


@pytest.mark.parametrize("path", ["/datasets/one.ttl", "/feeds/datasets.atom", "/catalog.ttl"])
def test_a_copy_is_current_until_its_department_is_called_otherwise(
    client: FlaskClient, path: str
) -> None:
    make_organization("city")
    make_organization(parent="city")
    put("One", slug="one")
    kept = {"If-None-Match": client.get(path).headers["ETag"]}
    assert client.get(path, headers=kept).status_code == 304
    renamed = "ecology" if path.endswith(".atom") else "city"
    make_organization(renamed, title={"en": "Called otherwise"})
    again = client.get(path, headers=kept)
    assert (again.status_code, "Called otherwise" in again.text) == (200, True)
