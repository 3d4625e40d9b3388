"""A portal that grew on embedded engines moves to PostgreSQL, Elasticsearch and Redis with everything that it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import JSON, Column, Connection, func, insert, select, text

from catalog.db import closing, db, held_still, transaction
from catalog.models.base import Base, Moment
from catalog.models.organization import Organization
from catalog.models.service import ServiceCheck
from catalog.models.table import JournalFile
from catalog.permissions import ANYONE
from catalog.search import SearchQuery
from catalog.services import log, search
from catalog.settings import Settings
from tests.conftest import Visitor
from tests.make_dataset import make_organization
from tests.make_middle import Middle
from tests.make_portal import Served, make_served
from tests.make_table import STATION_ROWS
from wsgi import create_app, upgrade_database, weft

MOMENT = datetime(2026, 2, 28, 16, 5, 7, 123456, tzinfo=UTC)


@contextmanager
def running(settings: Settings) -> Iterator[Flask]:
    """A portal with these settings; nothing of it is left open."""
    app = create_app(settings)
    app.test_client_class = Visitor
    with app.app_context(), closing():
        yield app


def a_value(column: Column[Any]) -> Any:
    """A value that a column of this type can hold and that is easily spoilt."""
    for key in column.foreign_keys:
        return db.session.scalar(select(key.column).limit(1))
    kind = column.type
    if isinstance(kind, Moment):
        return MOMENT
    if isinstance(kind, JSON):
        return {"zh": "桥 😀", "b": [1.5, None, 1e300], "a": "é\\"}
    if kind.python_type is str:
        return "ключ 键"[: getattr(kind, "length", None)]
    return MOMENT.date() if kind.python_type is date else kind.python_type(3)


@pytest.fixture
def old(settings: Settings, tmp_path: Path) -> Served:
    """A portal with a served table, departments whose order is not that of their ids, and a row in every table."""
    own = replace(settings, secret_key="").resolved()
    upgrade_database(own)
    with running(own):
        made = make_served(tmp_path)
        for number in range(5):
            make_organization(f"office-{number}")
        with transaction():
            first, *rest = db.session.scalars(select(Organization).order_by(Organization.id.desc()))
            for office in rest:
                office.parent_id, first = first.id, office
        with transaction():
            for table in Base.metadata.sorted_tables:
                if not db.session.scalar(select(func.count()).select_from(table)):
                    row = {column.name: a_value(column) for column in table.columns}
                    db.session.execute(insert(table), row)
    return made


@pytest.fixture
def new(settings: Settings, middle: Middle, tmp_path: Path) -> Iterator[Settings]:
    """Settings of the middle size with an empty database and a folder of its own."""
    engines = middle.settings(template="template0")
    yield Settings(data_dir=str(tmp_path / "new"), log_level="WARNING", **engines)
    middle.forget(engines)


def move(old: Path | str, new: Settings) -> Result:
    """What the command says."""
    given = {
        f"WEFT_{name.upper()}": str(value)
        for name, value in vars(new).items()
        if value != getattr(Settings(), name)
    }
    return CliRunner().invoke(weft, ["move-from", str(old)], env=given, catch_exceptions=False)


def counts(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }


def test_everything_is_there_after_the_move(settings: Settings, old: Served, new: Settings) -> None:
    moved = move(settings.data_dir, new)
    assert moved.exit_code == 0, moved.output
    assert "1 items in the search index" in moved.output
    with held_still(Path(settings.data_dir) / "catalog.sqlite") as rows:
        there = counts(rows)
        chain = rows.execute(text("SELECT max(number), hash FROM log_entry")).one()
        parents = dict(rows.execute(select(Organization.id, Organization.parent_id)).all())
    assert min(there.values()) > 0
    with running(replace(new, queue_url="immediate:")) as app:
        assert counts(db.session.connection()) == there
        assert log.verify() == (chain[0], None)
        assert log.newest()[:2] == tuple(chain)
        assert (
            dict(db.session.execute(select(Organization.id, Organization.parent_id)).all())
            == parents
        )
        with transaction():
            service = db.session.scalars(select(ServiceCheck.service_id)).first()
            db.session.add(ServiceCheck(service_id=service, ok=True))
        assert search.find(ANYONE, SearchQuery("air quality")).total == 1
        rows_of = app.test_client().get(f"/api/v1/tables/{old.table}/rows").json["rows"]
        assert [row["No"] for row in rows_of] == [row["No"] for row in STATION_ROWS]
    key = Path(settings.data_dir, "secret_key")
    assert Path(new.data_dir, "secret_key").read_text() == key.read_text()


def test_a_move_that_breaks_off_is_started_again(
    settings: Settings, old: Served, new: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_still(Path(settings.data_dir) / "catalog.sqlite") as rows:
        (path,) = rows.scalars(select(JournalFile.path))
    file = Path(settings.data_dir, "tables/journal", path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert "is damaged. Nothing was moved" in move(settings.data_dir, new).output
    file.write_bytes(whole)
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr("catalog.services.moving._restart_numbers", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            move(settings.data_dir, new)
    assert move(settings.data_dir, new).exit_code == 0
    again = move(settings.data_dir, new)
    assert again.exit_code == 1
    assert "the new database is not empty: there are rows in account" in again.output
