"""Whatever is killed when: every acknowledged row is there after the restart, once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from catalog.db import db
from catalog.errors import Unreadable
from catalog.models.table import DataTable, JournalFile, Release
from catalog.models.vocabulary import ColumnType
from catalog.permissions import ANYONE, SCHEDULER
from catalog.services import table_columns, table_upkeep, table_writes, tables
from catalog.settings import Settings
from catalog.tabular.query import TableQuery
from catalog.tabular.store import table_store
from tests.catalog import crash_writer
from tests.catalog.test_tables import make_resource

ROOT = Path(__file__).parents[2]
COLUMNS = [("代码", ColumnType.STRING), ("n", ColumnType.INTEGER)]


@pytest.fixture
def table(app: Flask) -> DataTable:
    return table_columns.create(SCHEDULER, make_resource().id, COLUMNS, primary_key=["代码"])


def killed_while_writing(
    settings: Settings, table: DataTable, seconds: float, log: str = ""
) -> list[str]:
    """Let a program write for some time after its first row, kill it; what it had acknowledged."""
    command = [sys.executable, "-m", "tests.catalog.crash_writer", settings.data_dir, table.id]
    with subprocess.Popen(
        [*command, *([log] if log else [])], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first, "the program ended before it wrote a row"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
    return [line for line in (first + rest).split("\n")[:-1] if line]


def codes(table: DataTable) -> list[str]:
    page = tables.rows(ANYONE, table.id, TableQuery(select=("代码",), limit=50_000))
    found: list[str] = page.data["代码"].to_pylist()
    return found


def check(table: DataTable, acknowledged: set[str]) -> None:
    """Served and from the journal: nothing acknowledged is missing, nothing is there twice."""
    for _ in range(2):
        found = codes(table)
        assert len(found) == len(set(found))
        assert acknowledged <= set(found)
        table_store().drop(table.id)


def test_kills_at_any_moment_lose_and_double_nothing(
    app: Flask, settings: Settings, table: DataTable
) -> None:
    acknowledged: set[str] = set()
    chance = random.Random(4)  # noqa: S311 # moments, no secrets
    for _ in range(4):
        acknowledged |= set(killed_while_writing(settings, table, chance.random()))
        db.session.rollback()
        tables.repair_tables()
        assert acknowledged <= set(codes(table))
        assert table_writes.upsert(SCHEDULER, table.id, [{"代码": "shared", "n": -1}]).updated == 1
    check(table, acknowledged)
    releases = db.session.scalars(select(Release.number).order_by(Release.number)).all()
    assert releases == list(range(1, len(releases) + 1))


def test_a_power_cut_takes_only_what_was_not_acknowledged(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "synced"
    monkeypatch.setattr(os, "fsync", os.fsync)  # what `noting` changes is changed back
    crash_writer.noting(log)
    table = table_columns.create(SCHEDULER, make_resource().id, COLUMNS, primary_key=["代码"])
    acknowledged = set(killed_while_writing(settings, table, 1.0, str(log)))
    noted = (line.split("\t") for line in log.read_text().splitlines())
    synced = {int(inode): int(size) for inode, size in noted}
    cut = 0
    for file in Path(settings.data_dir, "tables").rglob("*"):
        if file.is_file() and file.stat().st_size > synced.get(file.stat().st_ino, 0):
            os.truncate(file, synced.get(file.stat().st_ino, 0))
            cut += 1
    assert len(synced) > cut
    db.session.rollback()
    tables.repair_tables()
    check(table, acknowledged)


def test_a_damaged_file_of_the_journal_is_found_by_its_hash_and_named(
    app: Flask, settings: Settings, table: DataTable
) -> None:
    table_writes.upsert(SCHEDULER, table.id, [{"代码": "a", "n": 1}])
    table_writes.upsert(SCHEDULER, table.id, [{"代码": "b", "n": 1}])
    assert table_upkeep.damaged_files(SCHEDULER) == []
    path = db.session.scalars(select(JournalFile.path).where(JournalFile.position == 2)).one()
    place = Path(settings.data_dir) / "tables" / "journal" / path
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(content)
    assert table_upkeep.damaged_files(SCHEDULER) == [path]
    table_upkeep.check_journals()
    assert (
        path
        in db.session.get_one(DataTable, table.id, populate_existing=True).problem["context"][
            "path"
        ]
    )
    table_store().drop(table.id)
    with pytest.raises(Unreadable, match=place.name):
        tables.serve_table(table.id)


def test_profiles_follow_what_was_written(app: Flask, table: DataTable) -> None:
    table_writes.upsert(SCHEDULER, table.id, [{"代码": "a", "n": 1}, {"代码": "b", "n": 5}])
    table_upkeep.profile_tables()
    found = db.session.get_one(DataTable, table.id, populate_existing=True)
    assert found.profiled == found.head == 2
    columns = {column.name: column for column in tables.show(SCHEDULER, table.id).columns}
    assert columns["n"].profile["greatest"] == 5
