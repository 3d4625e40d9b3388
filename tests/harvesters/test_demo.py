"""The demo's sources: every one is harvested, and a second time nothing is new."""

from __future__ import annotations

import csv
import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from catalog.db import db
from catalog.models.dataset import Dataset, Resource
from catalog.models.series import DatasetSeries
from catalog.models.table import DataTable, TableColumn
from catalog.permissions import SCHEDULER
from catalog.services import data_services, tables
from catalog.settings import Settings
from demo.server import HEALTH_KEY, serve
from harvesters import demo, services
from harvesters.http import Http
from harvesters.models import RunState
from tests.harvesters.conftest import DEMO
from wsgi import create_app

ROWS = {
    "divisions-provinces": 31,
    "divisions-cities": 342,
    "divisions-areas": 2978,
    "divisions-streets": 41352,
    "divisions-areas-export": 2978,
    "air-quality-hourly": 140_256,
    "covid-shanghai-districts": 5920,
    "covid-provinces": 11_023,
    "shanghai-districts": 16,
    "public-holidays": 678,
    "world-population": 17_195,
}


@pytest.fixture
def departments() -> Iterator[str]:
    """Host and port of the departments' server."""
    with serve(0) as server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def app(settings: Settings, departments: str) -> Iterator[Flask]:
    """A portal that may reach the demo's folder and server."""
    made = create_app(replace(settings, fetch_private_hosts=departments, fetch_folders=str(DEMO)))
    with made.app_context():
        db.create_all()
        yield made
        db.session.remove()
        db.engine.dispose()


def harvest_all() -> dict[str, Any]:
    for source in services.sources(SCHEDULER):
        services.run_now(SCHEDULER, source.id)
    return {source.slug: source.last_run for source in services.sources(SCHEDULER)}


def test_the_demo_is_harvested_once(app: Flask, departments: str) -> None:
    demo.register_demo(DEMO, departments)
    first = harvest_all()
    assert len(first) == 10
    for run in first.values():
        assert run.state == RunState.DONE
        assert (run.refused, run.load_failed, run.created) == (0, 0, run.seen)
    loaded = db.session.execute(
        select(Dataset.slug, DataTable.rows)
        .join(Resource, Resource.dataset_id == Dataset.id)
        .join(DataTable, DataTable.resource_id == Resource.id)
        .where(Dataset.slug != "infrastructure-vulnerability")
    )
    counted = {slug: rows for slug, rows in loaded}  # noqa: C416 # rows are no pairs to the type checker
    assert counted == ROWS
    labelled()
    demo.register_services(DEMO, departments)
    together()
    demo.register_demo(DEMO, departments)
    for run in harvest_all().values():
        assert (run.state, run.same, run.to_load) == (RunState.DONE, run.seen, 0)


def labelled() -> None:
    """Every column of a Chinese department has a label in both languages, and is really there."""
    found = db.session.execute(
        select(Dataset.slug, DataTable.id)
        .join(Resource, Resource.dataset_id == Dataset.id)
        .join(DataTable, DataTable.resource_id == Resource.id)
        .where(Dataset.slug.in_(ROWS))
    ).all()
    for slug, table_id in found:
        table = tables.show(SCHEDULER, table_id)
        for column in table.columns:
            assert {"zh", "en"} <= set(column.label), (slug, column.name)
        names = {column.name for column in table.columns}
        assert {table.chart[axis] for axis in ("x", "y") if axis in table.chart} <= names
        assert (slug == "covid-shanghai-districts") == bool(table.map)


def together() -> None:
    """Datasets are in their series, an interface names what it serves, columns keep to the standard or not."""
    service = data_services.show(SCHEDULER, "health-statistics")
    assert {one.slug for one in service.datasets} == {"covid-provinces", "covid-shanghai-districts"}
    members = (
        select(Dataset.slug)
        .join(DatasetSeries)
        .order_by(DatasetSeries.slug, Dataset.series_position)
    )
    assert list(db.session.scalars(members)) == [
        "covid-provinces",
        "covid-shanghai-districts",
        *(f"divisions-{level}" for level in ("provinces", "cities", "areas", "streets")),
    ]
    bound = (
        select(Dataset.slug, TableColumn.name, TableColumn.conformance)
        .join(DataTable, DataTable.id == TableColumn.table_id)
        .join(DataTable.resource)
        .join(Resource.dataset)
        .where(TableColumn.element_id.is_not(None))
    )
    kept = {(slug, name): told for slug, name, told in db.session.execute(bound)}
    assert all(told["checked"] for told in kept.values())
    whole = {place for place, told in kept.items() if told["checked"] == told["conforming"]}
    assert ("divisions-areas", "code") in whole
    assert kept.keys() - whole == {("covid-shanghai-districts", "cityCode")}, (
        "groups have codes of their own"
    )


def test_texts_are_in_both_languages() -> None:
    import yaml

    plan = yaml.safe_load((DEMO / "sources.yaml").read_text("utf-8"))

    def check(value: Any, path: str) -> None:
        if isinstance(value, dict):
            if set(value) & {"zh", "en"}:
                assert {"zh", "en"} <= set(value), path
            for key, inner in value.items():
                check(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for at, inner in enumerate(value):
                check(inner, f"{path}.{at}")

    check(plan, "sources")
    slugs = {theme["slug"] for theme in plan["themes"]}
    assert {"planning", "health"} <= slugs


def test_the_interface_needs_its_key_and_pages(departments: str) -> None:
    with Http(Settings(fetch_private_hosts=departments)) as http:
        url = f"http://{departments}/health/api/districts"

        def page(number: int, size: int) -> Any:
            asked = {"page": str(number), "size": str(size)}
            return http.get(url, params=asked, headers={"X-API-Key": HEALTH_KEY}).json()["data"]

        first = page(1, 1000)
        assert (first["total"], len(first["items"]), len(page(6, 1000)["items"])) == (
            5920,
            1000,
            920,
        )
        packed = (
            DEMO / "health-commission-covid" / "shanghai-districts-daily.json.gz"
        ).read_bytes()
        assert first["items"][0] == json.loads(gzip.decompress(packed))[0]
        for wrong in ({"size": "0"}, {"size": "1001"}, {"page": "0"}, {"page": "x"}):
            with pytest.raises(Exception, match="error 400"):
                http.get(url, params=wrong, headers={"X-API-Key": HEALTH_KEY})
        with pytest.raises(Exception, match="check the key"):
            http.get(url)
        with pytest.raises(Exception, match="nothing at"):
            http.get(f"http://{departments}/etc/passwd")
        table = http.get(f"http://{departments}/world-population/data/population.csv").text()
        assert len(list(csv.reader(table.splitlines()))) == 17_196
        assert http.version(f"http://{departments}/belgium/catalog.rdf").startswith("etag:")
