"""OAI-PMH, asked by sickle over real HTTP and by hand."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from rdflib import DCAT, RDF, Graph
from sickle import Sickle
from sickle.oaiexceptions import NoRecordsMatch
from werkzeug.serving import make_server

from api.feeds import oai
from catalog.permissions import SCHEDULER
from catalog.services import publishing
from tests.make_dataset import make_organization, put
from tests.make_feeds import make_catalogue

SPACE = {"o": "http://www.openarchives.org/OAI/2.0/"}


@pytest.fixture
def endpoint(app: Flask) -> Iterator[str]:
    """The address of the portal on a real server."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/oai"
    server.shutdown()
    thread.join()
    server.server_close()


def test_sickle_walks_through_all_records_in_parts(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oai, "PART", 2)
    make_organization()
    made = [put(f"Dataset {number}").dataset_id for number in range(5)]
    ids = set(made)
    publishing.withdraw(SCHEDULER, made[3], {"en": "wrong"})
    harvester = Sickle(endpoint)
    assert harvester.Identify().deletedRecord == "transient"
    assert {one.metadataPrefix for one in harvester.ListMetadataFormats()} == {"oai_dc", "dcat"}
    assert [one.setSpec for one in harvester.ListSets()] == ["organization:ecology"]
    records = list(harvester.ListRecords(metadataPrefix="oai_dc", set="organization:ecology"))
    assert {one.header.identifier.rpartition(":")[2] for one in records} == ids
    assert [one.header.deleted for one in records].count(True) == 1
    named = {one.metadata["title"][0] for one in records if not one.header.deleted}
    assert named == {f"Dataset {number}" for number in (0, 1, 2, 4)}
    headers = list(harvester.ListIdentifiers(metadataPrefix="dcat"))
    assert len(headers) == 5
    with pytest.raises(NoRecordsMatch):
        harvester.ListRecords(metadataPrefix="oai_dc", **{"from": "2999-01-01"})


def test_a_record_in_dcat_is_the_dataset_in_rdf(endpoint: str, tmp_path: Path) -> None:
    served = make_catalogue(tmp_path)
    identifier = f"oai:127.0.0.1:{served.dataset}"
    record = Sickle(endpoint).GetRecord(identifier=identifier, metadataPrefix="dcat")
    [rdf] = record.xml.xpath("//*[local-name()='RDF']")
    found = Graph().parse(data=etree.tostring(rdf), format="xml")
    assert len(set(found.subjects(RDF.type, DCAT.Dataset))) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "badVerb"),
        ("verb=Nothing", "badVerb"),
        ("verb=Identify&verb=Identify", "badArgument"),
        ("verb=Identify&x=1", "badArgument"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListRecords&metadataPrefix=marc", "cannotDisseminateFormat"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=yesterday", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2024-01-01&until=2023-01-01", "badArgument"),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&from=2024-01-01&until=2025-01-01T00:00:00Z",
            "badArgument",
        ),
        ("verb=ListRecords&metadataPrefix=oai_dc&until=1999-01-01", "noRecordsMatch"),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&from=9999-12-31&until=9999-12-31",
            "noRecordsMatch",
        ),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=organization:none", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=other", "noRecordsMatch"),
        ("verb=ListRecords&resumptionToken=rubbish", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=WzEsMiwzXQ", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=a&metadataPrefix=oai_dc", "badArgument"),
        ("verb=ListSets&resumptionToken=a", "badResumptionToken"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:localhost:none", "idDoesNotExist"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=none", "idDoesNotExist"),
        ("verb=ListMetadataFormats&identifier=none", "idDoesNotExist"),
    ],
)
def test_what_cannot_be_answered_is_said_in_the_words_of_the_protocol(
    client: FlaskClient, query: str, code: str
) -> None:
    make_organization()
    put("One")
    for answer in (
        client.get(f"/oai?{query}"),
        client.post("/oai", data=query, content_type="application/x-www-form-urlencoded"),
    ):
        assert (answer.status_code, answer.mimetype) == (200, "text/xml")
        found = etree.fromstring(answer.data)
        assert found.xpath("o:error/@code", namespaces=SPACE) == [code]


def test_a_harvester_gets_what_changed_since_its_last_visit(client: FlaskClient) -> None:
    make_organization()
    put("One")
    asked = "/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&from="
    first = etree.fromstring(client.get(f"{asked}1970-01-01").data)
    [stamp] = first.xpath("//o:datestamp/text()", namespaces=SPACE)
    again = etree.fromstring(client.get(f"{asked}{stamp}&until={stamp}").data)
    assert len(again.xpath("//o:header", namespaces=SPACE)) == 1


def test_a_record_is_in_the_sets_of_all_organizations_above_its_own(client: FlaskClient) -> None:
    city = make_organization("city")
    make_organization("ecology", parent="city")
    put("Air")
    asked = "/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&set=organization:city"
    sets = re.findall("<setSpec>(.*?)</setSpec>", client.get(asked).text)
    assert sets == ["organization:ecology", f"organization:{city.slug}"]
