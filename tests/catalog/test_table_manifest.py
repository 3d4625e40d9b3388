"""Which files tables are made of, as programs are told that read them without the portal."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import Access, ColumnAccess
from catalog.permissions import ANYONE, SCHEDULER
from catalog.services import table_columns, table_manifest
from catalog.settings import Settings
from catalog.tabular.store import table_journal
from tests.make_portal import Served, load_rows, make_served
from tests.make_table import STATION_ROWS, STATIONS


@pytest.fixture
def served(app: Flask, tmp_path: Path) -> Served:
    return make_served(tmp_path)


def test_a_table_is_described_with_its_files(served: Served):
    (said,) = table_manifest.files(ANYONE)
    assert (said["id"], said["organization"], said["release"], said["rows"]) == (
        served.table,
        "ecology",
        1,
        len(STATION_ROWS),
    )
    assert [(c["name"], c["stored"], c["type"]) for c in said["columns"]] == [
        (column.name, column.stored, column.type.value) for column in STATIONS
    ]
    assert said["deltas"] == []
    file = table_journal().path(said["base"]["path"])
    assert said["base"]["bytes"] == file.stat().st_size
    assert said["base"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_what_changed_since_the_base_is_listed_in_order(served: Served, tmp_path: Path):
    rows = list(STATION_ROWS)
    for number in (98, 99):
        rows[0] = {**rows[0], "No": number}
        load_rows(served.resource, tmp_path, rows=tuple(rows))
    (said,) = table_manifest.files(ANYONE)
    positions = [said["base"]["position"], *(delta["position"] for delta in said["deltas"])]
    assert positions == list(range(positions[0], said["release"] + 1))
    assert said["release"] == 3


def test_what_the_public_may_not_read_is_left_out(served: Served):
    table_columns.set_access(SCHEDULER, served.table, "No", ColumnAccess.HIDDEN)
    table_columns.set_access(SCHEDULER, served.table, "day", ColumnAccess.MASKED)
    (public,), (everything,) = table_manifest.files(ANYONE), table_manifest.files(SCHEDULER)
    names = [column["name"] for column in public["columns"]]
    assert names == ["站点", "PM2.5", 'open`"now', "seen at"]
    assert len(everything["columns"]) == len(STATIONS)
    with transaction():
        db.session.scalars(select(Dataset)).one().access = Access.CLOSED
    assert list(table_manifest.files(ANYONE)) == []
    assert len(list(table_manifest.files(SCHEDULER))) == 1


@pytest.mark.parametrize(
    ("given", "journal"),
    [
        ("s3://city/weft/", "s3://city/weft/journal"),
        ("s3://city", "s3://city/journal"),
        ("lance:/srv/weft/tables", "file:///srv/weft/tables/journal"),
    ],
)
def test_the_settings_say_where_the_files_lie(given: str, journal: str):
    assert Settings(tables_url=given).journal_url == journal
