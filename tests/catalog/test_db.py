"""transaction(): one commit at the outermost block, effects after it, writers that wait."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

import catalog.db
from catalog.db import change_mark, closing, db, held_still, packed, transaction, unpacked
from catalog.errors import Conflict, Unavailable
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.settings import Settings
from wsgi import create_app


def add(slug: str) -> None:
    db.session.add(Group(slug=slug, title={"en": slug}))


def slugs() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(select(Group.slug)))


@pytest.mark.usefixtures("app")
def test_inner_blocks_join_the_outer_one_and_effects_wait_for_its_commit() -> None:
    seen: list[object] = []
    with transaction() as outer:
        outer.after_commit(seen.append, "first")
        with transaction() as inner:
            assert inner is outer
            inner.after_commit(lambda: seen.append(slugs()))
            add("a")
        assert seen == []
    assert seen == ["first", ["a"]]


@pytest.mark.usefixtures("app")
def test_an_error_leaves_nothing_and_runs_no_effect() -> None:
    seen: list[str] = []

    def fail() -> None:
        with transaction() as tx:
            tx.after_commit(seen.append, "never")
            add("a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (slugs(), seen) == ([], [])
    with transaction():
        add("b")
    assert slugs() == ["b"]


@pytest.mark.usefixtures("app")
def test_a_commit_that_fails_runs_no_effect() -> None:
    seen: list[str] = []
    with transaction():
        add("a")

    def repeat() -> None:
        with transaction() as tx:
            tx.after_commit(seen.append, "never")
            add("a")

    with pytest.raises(IntegrityError):
        repeat()
    assert seen == []
    assert slugs() == ["a"]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def shared_app(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Flask]:
    """A portal on either database."""
    if request.param == "postgres":
        settings = replace(settings, database_url=request.getfixturevalue("postgres"))
    app = create_app(settings)
    with app.app_context(), closing():
        db.create_all()
        yield app


def test_writers_wait_for_each_other_and_none_reads_what_is_old(shared_app: Flask) -> None:
    with transaction():
        db.session.add(Group(slug="counter", title={}, position=0))
    anew = select(Group).filter_by(slug="counter").execution_options(populate_existing=True)

    def count(_: object) -> None:
        with shared_app.app_context():
            for number in range(20):
                with transaction():
                    row = db.session.scalars(anew).one()
                    row.position += 1
                    if db.session.scalar(select(Group.id).filter_by(slug=f"g{number}")) is None:
                        add(f"g{number}")  # who looks first may rely on what it saw

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(count, range(4)))
    db.session.rollback()
    assert db.session.scalar(select(Group.position).filter_by(slug="counter")) == 80
    assert len(slugs()) == 21


def test_writers_that_change_the_same_rows_in_opposite_orders_do_not_lock_each_other_out(
    shared_app: Flask,
) -> None:
    names = [f"g{number}" for number in range(6)]
    with transaction():
        db.session.add_all(Group(slug=name, title={}, position=0) for name in names)
    started = threading.Barrier(2)

    def write(order: list[str]) -> None:
        with shared_app.app_context():
            started.wait(10)
            for _ in range(10):
                with transaction():
                    for name in order:  # each of them is locked by its own statement
                        moved = update(Group).where(Group.slug == name)
                        db.session.execute(moved.values(position=Group.position + 1))

    with ThreadPoolExecutor(2) as writers:
        list(writers.map(write, (names, names[::-1])))
    db.session.rollback()
    assert list(db.session.scalars(select(Group.position))) == [20] * 6


def test_who_waits_for_others_too_long_may_try_again(app: Flask, settings: Settings) -> None:
    with held_still(Path(settings.data_dir) / "catalog.sqlite"):
        db.session.execute(text("PRAGMA busy_timeout=1"))
        with pytest.raises(Unavailable), transaction():
            add("never")
    with transaction():
        add("a")
    assert (app.name, slugs()) == ("portal", ["a"])


@pytest.mark.usefixtures("app")
def test_sqlite_is_durable_and_keeps_foreign_keys() -> None:
    values = {
        name: db.session.execute(text(f"PRAGMA {name}")).scalar()
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30000,
    }


def test_another_database_gets_no_pragmas(monkeypatch: pytest.MonkeyPatch) -> None:
    listened: list[object] = []

    class OtherEngine:
        """What SQLAlchemy shows of an engine of another database."""

        dialect = SimpleNamespace(name="postgresql")

    fake = SimpleNamespace(init_app=listened.append, engine=OtherEngine())
    monkeypatch.setattr(catalog.db, "db", fake)
    monkeypatch.setattr(catalog.db, "event", SimpleNamespace())  # listening would fail
    app = Flask("other")
    catalog.db.init_app(app)
    assert listened == [app]


def test_a_commit_of_anybody_moves_the_mark(app: Flask) -> None:
    before = change_mark()
    assert change_mark() == before
    with transaction():
        db.session.add(Organization(slug="marked", title={"en": "Marked"}))
    assert change_mark() != before


def test_a_database_in_memory_has_no_mark(settings: Settings) -> None:
    with create_app(replace(settings, database_url="sqlite:///:memory:")).app_context():
        assert change_mark() is None
        db.engine.dispose()


@pytest.mark.parametrize("value", [{"数": [1, 2.5, None]}, {"large": 2**80}, {1: "a"}, "\ud800"])
def test_values_of_json_come_back_whatever_they_hold(value: object) -> None:
    kept = packed(value)
    assert unpacked(kept) == ({"1": "a"} if value == {1: "a"} else value)


def test_what_other_writers_call_json_is_read() -> None:
    assert unpacked('{"a": Infinity}') == {"a": float("inf")}


def test_a_file_that_is_written_to_all_the_time_cannot_be_held_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "catalog.sqlite"
    prepare = catalog.db._prepare_sqlite

    def impatient(connection: sqlite3.Connection, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA busy_timeout=1")

    monkeypatch.setattr(catalog.db, "_prepare_sqlite", impatient)
    with (
        catalog.db.held_still(file),
        pytest.raises(Conflict, match="being written to"),
        catalog.db.held_still(file),
    ):
        pass
