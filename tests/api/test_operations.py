import json
import logging
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog import log as weft_log
from catalog.db import db
from catalog.errors import Unavailable
from catalog.services import health, sql


def test_a_living_process_answers(client: FlaskClient):
    assert client.get("/healthz").json == {"status": "ok"}


def test_every_answer_has_a_request_id_and_a_sensible_one_is_kept(client: FlaskClient):
    assert len(client.get("/healthz").headers["X-Request-Id"]) == 32
    assert (
        client.get("/healthz", headers={"X-Request-Id": "abc-12345"}).headers["X-Request-Id"]
        == "abc-12345"
    )
    odd = client.get("/healthz", headers={"X-Request-Id": "a b<script>"}).headers["X-Request-Id"]
    assert len(odd) == 32


def test_ready_needs_a_migrated_database(client: FlaskClient):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "alembic_version" in answer.json["troubles"]["database"]
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
    assert client.get("/readyz").json == {"status": "ok"}


def test_ready_names_the_engine_that_is_down(client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
    def down() -> None:
        raise Unavailable("the index is being moved")

    monkeypatch.setitem(health._QUESTIONS, "search", down)
    assert "the index is being moved" in client.get("/readyz").json["troubles"]["search"]


def test_without_search_the_portal_is_ready_all_the_same(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
):
    def down() -> None:
        raise Unavailable("the index is being moved")

    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
    assert "weft_search_up 1.0" in client.get("/metrics").text
    monkeypatch.setitem(health._QUESTIONS, "search", down)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    monkeypatch.setattr(health, "_search", down)
    assert "weft_search_up 0.0" in client.get("/metrics").text


def test_what_shuts_statements_in_is_told_and_may_be_required(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
):
    sandbox = sql.sandbox()
    monkeypatch.setattr(sandbox, "rights", ())  # other tests of this process may have used it
    assert health.statements_shut_in() == {}
    sandbox.check()
    assert 'weft_sql_shut_in{means="limits"} 1.0' in client.get("/metrics").text
    sandbox.close()
    settings = app.extensions["weft"]["settings"]
    monkeypatch.setitem(
        app.extensions["weft"], "settings", replace(settings, sql_needs="moon, limits")
    )
    assert "lacks moon" in client.get("/readyz").json["troubles"]["sql"]
    sql.sandbox().close()


def test_metrics_count_requests_and_waiting_jobs(client: FlaskClient):
    client.get("/healthz")
    text = client.get("/metrics").text
    assert 'weft_requests_total{endpoint="operations.healthz",method="GET",status="200"}' in text
    assert "weft_jobs_waiting 0.0" in text
    client.open("/healthz", method="FOO1")
    assert "FOO1" not in client.get("/metrics").text
    assert "process_resident_memory_bytes" in text


def test_logs_are_one_json_object_a_line(capsys: pytest.CaptureFixture[str]):
    before = logging.getLogger().handlers
    try:
        weft_log.configure("INFO")
        logging.getLogger("some.library").warning("careful: %s", "水")
        line = json.loads(capsys.readouterr().err)
        assert (line["event"], line["level"]) == ("careful: 水", "warning")
    finally:
        logging.getLogger().handlers = before
