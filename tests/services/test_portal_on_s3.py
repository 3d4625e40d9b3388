"""A whole portal whose tables, releases and files lie in a bucket of a real S3 server."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.db import db
from catalog.settings import Settings
from tests.conftest import Visitor
from tests.make_portal import Served, load_rows, make_served
from tests.make_s3 import S3Server
from tests.make_table import STATION_ROWS
from wsgi import create_app

CHANGED = ({**STATION_ROWS[0], "No": 98}, *STATION_ROWS[1:])
FORMATS = ("csv", "csv.gz", "jsonl", "parquet", "xlsx")


@pytest.fixture
def settings(settings: Settings, s3: S3Server) -> Settings:
    """Tables and files lie in a bucket."""
    there, bucket = s3.settings(), s3.make_bucket()
    return replace(
        settings,
        tables_url=f"s3://{bucket}/weft",
        files_url=f"s3://{bucket}/weft/files",
        s3_endpoint=there.s3_endpoint,
        s3_key=there.s3_key,
        s3_secret=there.s3_secret,
    )


@pytest.fixture
def served(app: Flask, tmp_path: Path) -> Served:
    """A table of two releases."""
    made = make_served(tmp_path)
    load_rows(made.resource, tmp_path, rows=CHANGED)
    return made


@pytest.fixture
def elsewhere(app: Flask, settings: Settings, tmp_path: Path) -> FlaskClient:
    """A client of another machine with the same database and bucket."""
    other = create_app(replace(settings, data_dir=str(tmp_path / "elsewhere")))
    other.test_client_class = Visitor
    return other.test_client()


def numbers(answer: Any) -> list[object]:
    assert answer.status_code == 200, answer.text
    return [row["No"] for row in answer.json["rows"]]


def answers(client: FlaskClient, table: str) -> dict[str, object]:
    """What the portal says of the table, in all the ways that read its files."""
    here = f"/api/v1/tables/{table}"
    return {
        "rows": numbers(client.get(f"{here}/rows")),
        "before": numbers(client.get(f"{here}/rows?as_of=1")),
        "sorted": numbers(client.get(f"{here}/rows?order_by=-No&limit=3&offset=1")),
        "count": client.get(f"{here}/count?where=No%3E2").json["count"],
        "group": client.get(f"{here}/group?group_by=day").json["rows"],
        "changes": client.get(f"{here}/changes?from=1&to=2").json,
        "sql": client.post(
            "/api/v1/sql", json={"sql": 'SELECT max(No) AS most FROM "air-quality"'}
        ).json["rows"],
    }


def test_every_machine_gives_the_same_answers(
    client: FlaskClient, elsewhere: FlaskClient, served: Served
):
    said = answers(client, served.table)
    assert said["rows"] == [row["No"] for row in CHANGED]
    assert said["before"] == [row["No"] for row in STATION_ROWS]
    assert len(said["changes"]["changes"]) == 1
    assert answers(elsewhere, served.table) == said


@pytest.mark.parametrize("kind", FORMATS)
def test_a_release_is_made_once_kept_in_the_bucket_and_read_from_every_machine(
    client: FlaskClient,
    elsewhere: FlaskClient,
    served: Served,
    kind: str,
    settings: Settings,
    s3: S3Server,
):
    address = f"/api/v1/tables/{served.table}/releases/2/download.{kind}"
    first = client.get(address, buffered=True)
    assert first.status_code == 200
    later = elsewhere.get(address, buffered=True)
    assert later.data == first.data
    assert later.headers["Content-Length"] == str(len(first.data))
    part = elsewhere.get(address, headers={"Range": "bytes=5-24"}, buffered=True)
    assert (part.status_code, part.data) == (206, first.data[5:25])
    kept = [one for one in s3.open(settings.files_url).listed() if one.bytes == len(first.data)]
    assert len(kept) == 1


def test_nothing_but_what_can_be_made_again_is_on_the_machine(
    client: FlaskClient, served: Served, settings: Settings
):
    said = answers(client, served.table)
    client.get(f"/api/v1/tables/{served.table}/releases/2/download.csv", buffered=True)
    home = Path(settings.data_dir)
    for folder in ("tables", "files", "work", "scratch", "making"):
        shutil.rmtree(home / folder, ignore_errors=True)
    db.session.remove()
    again = create_app(settings)
    again.test_client_class = Visitor
    assert answers(again.test_client(), served.table) == said
