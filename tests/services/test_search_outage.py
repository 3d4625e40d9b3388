"""A portal whose Elasticsearch goes away and comes back: pages go on, machines are told, nothing written is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.db import db, transaction
from catalog.errors import Unavailable
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.permissions import ANYONE
from catalog.search import SearchQuery, search_engine
from catalog.search import elastic_client as client_module
from catalog.search import elastic_indexes as indexes_module
from catalog.services import indexing, search
from catalog.settings import Settings
from tests.make_dataset import make_organization, make_theme, put
from tests.make_elastic import ElasticServer, Gate


@pytest.fixture
def gate(elastic: ElasticServer) -> Iterator[Gate]:
    """The way to the server."""
    way = Gate(elastic.port)
    yield way
    way.shut()


@pytest.fixture
def settings(settings: Settings, elastic: ElasticServer, gate: Gate) -> Settings:
    return replace(settings, search_url=elastic.make_url().replace(elastic.address, gate.address))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is spared the server, so that a test sees at once that it is back."""
    monkeypatch.setattr(client_module, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def catalogue(app: Flask) -> None:
    make_organization("city", title={"zh": "市", "en": "City"})
    make_organization("office", title={"zh": "处", "en": "Office"})
    with transaction():
        office = db.session.query(Organization).filter_by(slug="office").one()
        office.parent_id = db.session.query(Organization).filter_by(slug="city").one().id
    make_theme("traffic")
    put("Bridges", organization="office", themes=["traffic"], modified="2024-01-01")
    put("Air quality", organization="city", modified="2025-01-01", frequency="daily")
    put("Tunnels", organization="city", resources=[{"key": "r", "format": "CSV"}])


def titles(client: FlaskClient, address: str) -> list[str]:
    text = client.get(f"/en{address}").text
    found = {name: text.find(f">{name}<") for name in ("Bridges", "Air quality", "Tunnels")}
    return [name for name, at in sorted(found.items(), key=lambda one: one[1]) if at >= 0]


def test_what_was_written_is_found_by_the_next_search(app: Flask, catalogue: None) -> None:
    assert [hit.card["title"]["en"] for hit in search.find(ANYONE, SearchQuery("bridge")).hits]
    assert search_engine().shared
    assert not search.find_or_browse(ANYONE, SearchQuery("bridge")).browsed


def test_an_outage_is_told_and_browsing_goes_on(
    catalogue: None, client: FlaskClient, gate: Gate
) -> None:
    gate.shut()
    page = client.get("/en/datasets?q=bridges")
    assert page.status_code == 200
    assert "Search is not available at the moment" in page.text
    assert titles(client, "/datasets") == ["Air quality", "Bridges", "Tunnels"]
    assert titles(client, "/datasets?sort=title") == ["Air quality", "Bridges", "Tunnels"]
    assert len(titles(client, "/datasets?sort=uses")) == 3
    assert titles(client, "/datasets?organization=office") == ["Bridges"]
    assert len(titles(client, "/datasets?organization=city")) == 3
    assert titles(client, "/datasets?theme=traffic") == ["Bridges"]
    assert titles(client, "/datasets?format=CSV") == ["Tunnels"]
    assert titles(client, "/datasets?frequency=daily&access=open") == ["Air quality"]
    assert titles(client, "/datasets?license=none-of-them") == []
    for address in ("/", "/organizations", "/organizations/city", "/datasets/bridges"):
        assert client.get(f"/en{address}").status_code == 200
    assert search.similar(ANYONE, "any") == ()
    assert search.suggest(ANYONE, "bri", "en") == []


def test_machines_are_told_to_come_again(catalogue: None, client: FlaskClient, gate: Gate) -> None:
    gate.shut()
    answer = client.get("/api/v1/datasets?q=bridges")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "0")
    assert answer.json["code"] == "unavailable"
    ckan = client.get("/api/3/action/package_search?q=bridges")
    assert (ckan.status_code, ckan.json["success"]) == (503, False)
    assert client.get("/api/3/action/package_show?id=bridges").status_code == 200
    assert client.get("/readyz").json["troubles"]["search"].startswith("Unavailable")
    assert "weft_search_up 0.0" in client.get("/metrics").text


def test_what_is_written_during_an_outage_is_found_after_it(
    app: Flask, catalogue: None, gate: Gate
) -> None:
    gate.shut()
    with app.test_request_context(), pytest.raises(Unavailable):
        put("Harbour", organization="city")  # its job runs at once here, and later in a worker
    assert db.session.query(Dataset).filter_by(slug="harbour").one().index_due is not None
    assert search.find_or_browse(ANYONE, SearchQuery()).total == 4
    gate.open()
    indexing.catch_up_index()
    assert search.find(ANYONE, SearchQuery("harbour")).total == 1
    page = search.find_or_browse(ANYONE, SearchQuery())
    assert (page.total, page.browsed) == (4, False)


def test_drift_is_found_and_repaired(app: Flask, catalogue: None) -> None:
    engine = search_engine()
    ids = sorted(engine.ids())
    document = next(iter(indexing._documents([ids[0]])))
    engine.delete([ids[0]])
    engine.put([replace(document, id="gone")])
    old = next(iter(indexing._documents([ids[1]])))
    engine.put([replace(old, stamp="old", titles={"en": "Old title"})])
    indexing.repair_index()
    assert sorted(engine.ids()) == ids
    assert search.find(ANYONE, SearchQuery('"old title"')).total == 0


def test_a_lost_index_is_made_anew_in_one_step(
    catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = search_engine()
    ids = engine.ids()
    engine.delete(ids)
    monkeypatch.setattr(indexing, "BATCH", 2)
    indexing.repair_index()
    assert engine.ids() == ids
    assert search.find(ANYONE, SearchQuery("bridges")).total == 1


def test_an_index_of_an_older_version_is_rebuilt_by_the_repair(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(indexes_module, "VERSION", "0")
        make_organization()
        put("Bridges")
    assert search.find(ANYONE, SearchQuery("bridges")).total == 1
    with pytest.raises(Unavailable, match="another version"):
        search_engine().ids()
    indexing.repair_index()
    assert len(search_engine().ids()) == 1
    assert search.find(ANYONE, SearchQuery("bridges")).total == 1
