"""Serving copies of machines that share a journal: each keeps its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select

from catalog.db import db, transaction
from catalog.errors import Unavailable
from catalog.models.dataset import Resource
from catalog.models.table import DataTable, JournalFile
from catalog.permissions import ANYONE
from catalog.services import table_copies, tables
from catalog.services.table_copies import CopyKeeper, keep_copies
from catalog.settings import Settings
from catalog.tabular.query import TableQuery
from catalog.tabular.store import table_store
from tests.make_portal import Served, load_rows, make_served
from tests.make_s3 import S3Server
from tests.make_table import STATION_ROWS, STATIONS
from wsgi import create_app


@pytest.fixture
def settings(settings: Settings, s3: S3Server) -> Settings:
    """The tables lie in a bucket."""
    shared = s3.settings()
    return replace(
        settings,
        tables_url=f"s3://{s3.make_bucket()}/weft",
        s3_endpoint=shared.s3_endpoint,
        s3_key=shared.s3_key,
        s3_secret=shared.s3_secret,
    )


@pytest.fixture
def served(app: Flask, tmp_path: Path) -> Served:
    """A table that this machine has loaded."""
    return make_served(tmp_path)


@pytest.fixture
def other(app: Flask, settings: Settings, tmp_path: Path) -> Flask:
    """Another machine: the same database and bucket, a folder of its own."""
    return create_app(replace(settings, data_dir=str(tmp_path / "other")))


@contextmanager
def on(machine: Flask) -> Iterator[None]:
    """Work on this machine with a session of its own."""
    with machine.app_context():
        yield
        db.session.remove()
        db.engine.dispose()


def change_one_row(served: Served, folder: Path) -> None:
    rows = ({**STATION_ROWS[0], "No": 99}, *STATION_ROWS[1:])
    load_rows(served.resource, folder, rows=rows)


def position_of(served: Served) -> int:
    return db.session.scalars(select(DataTable.head).where(DataTable.id == served.table)).one()


def test_a_new_machine_makes_copies_of_all_tables(served: Served, other: Flask):
    with on(other):
        with pytest.raises(Unavailable):
            table_store().rows(served.table, 1, STATIONS, TableQuery())
        before = tables.rows(ANYONE, served.table, TableQuery()).data.to_pylist()
        assert before == list(STATION_ROWS)  # from the journal
        keeper = CopyKeeper()
        assert keeper.step() == 1
        assert keeper.step() == 0
        copied = table_store().rows(served.table, 1, STATIONS, TableQuery())
        assert copied.to_pylist() == list(STATION_ROWS)


def test_copies_follow_what_other_machines_load(
    served: Served, other: Flask, tmp_path: Path, app: Flask
):
    keeper = CopyKeeper()
    with on(other):
        assert keeper.step() == 1
    change_one_row(served, tmp_path)
    head = position_of(served)
    with on(other):
        assert keeper.step() == 1
        assert table_store().served(served.table) == head
        rows = table_store().rows(served.table, head, STATIONS, TableQuery()).to_pylist()
    assert [row["No"] for row in rows] == [99, *(row["No"] for row in STATION_ROWS[1:])]


def test_a_copy_that_was_lost_is_made_again_when_it_is_looked_at(
    served: Served, other: Flask, monkeypatch: pytest.MonkeyPatch
):
    keeper = CopyKeeper()
    with on(other):
        keeper.step()
        table_store().drop(served.table)
        assert keeper.step() == 0
        monkeypatch.setattr(table_copies, "LOOK_SECONDS", -1)
        keeper = CopyKeeper()
        assert keeper.step() == 1
        table_store().drop(served.table)
        assert keeper.step() == 1


def test_a_damaged_file_leaves_the_copy_behind_until_it_is_whole_again(
    served: Served, other: Flask, s3: S3Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(table_copies, "AGAIN_SECONDS", -1)
    path = db.session.scalars(select(JournalFile.path)).one()
    truth = next(s3.folder.glob(f"*/weft/journal/{path}"))
    whole = truth.read_bytes()
    truth.write_bytes(whole[:-1])
    keeper = CopyKeeper()
    with on(other):
        assert keeper.step() == 0
        truth.write_bytes(whole)
        assert keeper.step() == 1


def test_copies_of_tables_that_are_gone_are_removed(served: Served, other: Flask):
    keeper = CopyKeeper()
    with on(other):
        keeper.step()
        assert table_store().tables() == {served.table}
        with transaction():
            db.session.execute(delete(Resource))
        assert keeper.step() == 0
        assert table_store().tables() == frozenset()


def test_jobs_leave_copies_to_each_machine(served: Served, other: Flask):
    with on(other):
        tables.repair_tables()
        assert table_store().tables() == frozenset()


def test_the_keeper_goes_on_until_it_is_told_to_stop(
    served: Served, other: Flask, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(table_copies, "STEP_SECONDS", 0.01)
    stop = threading.Event()
    keeping = threading.Thread(target=keep_copies, args=(other, stop))
    keeping.start()
    try:
        with other.app_context():
            store = table_store()
        for _ in range(500):
            if store.served(served.table) or stop.wait(0.02):
                break
        assert store.served(served.table) == 1
    finally:
        stop.set()
        keeping.join(20)
    assert not keeping.is_alive()
