"""While Redis is away, what people and programs do is answered and kept; the worker finds later what is to be done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.db import db
from catalog.errors import Unavailable
from catalog.models.dataset import Dataset
from catalog.permissions import SCHEDULER
from catalog.services import search
from catalog.settings import Settings
from tests.make_ckan import Ckan, make_key
from tests.make_dataset import make_organization


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Jobs and counts are in a Redis that is not there."""
    away = "redis://127.0.0.1:1/0"
    return replace(settings, queue_url=away, limits_url=away)


def test_calls_are_answered_and_what_they_write_is_kept(app: Flask, client: FlaskClient) -> None:
    make_organization()
    ckan = Ckan(client, make_key())
    made = ckan.call("package_create", name="air", title="Air", owner_org="ecology")
    assert ckan.call("package_search", q="air")["count"] == 1
    dataset = db.session.get(Dataset, made["id"])
    assert dataset is not None
    assert dataset.index_due is not None  # the worker will index it for all


def test_operators_are_told(app: Flask, client: FlaskClient) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "degraded")
    assert "the queue of jobs does not answer" in ready.json["troubles"]["queue"]
    assert "weft_jobs_waiting NaN" in client.get("/metrics").text
    with pytest.raises(Unavailable):
        search.reindex(SCHEDULER)
