"""The service behind SQL: names of tables, releases, what may be read and how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from catalog.db import db, transaction
from catalog.errors import BadQuery, CatalogError, Denied, Gone, NotFound, TooMany, Unauthenticated
from catalog.models.dataset import Dataset, Resource
from catalog.models.table import DataTable, TableAlias
from catalog.models.vocabulary import Access, ColumnType, State
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.services import sql
from catalog.services.sql_tables import sql_names
from catalog.settings import Settings
from catalog.tabular.column import Column
from tests.make_dataset import make_organization, put
from tests.make_portal import Served, load_rows, make_served
from tests.make_table import STATION_ROWS, STATIONS
from wsgi import create_app

SOMEBODY = Identity(account_id="somebody", plan="basic")


@pytest.fixture
def served(app: Flask, tmp_path: Path) -> Served:
    return make_served(tmp_path)


def count(name: str, who: Identity = ANYONE, **more: str) -> int:
    """The rows of a table that a statement names so."""
    return int(sql.run(who, f"SELECT count(*) FROM {name}", **more).data[0][0].as_py())


def test_a_table_has_other_names(served: Served) -> None:
    with transaction():
        db.session.add(TableAlias(alias="Air", table_id=served.table))
    assert count('"Air"') == count(f'"{served.table}"') == count('"AIR-quality"') == 7


def test_a_dataset_with_several_tables_wants_to_know_which(served: Served, tmp_path: Path) -> None:
    resources = [{"key": "a.csv", "load": {"part": "a"}}, {"key": "b.csv", "load": {"part": "b"}}]
    made = put("Two", resources=resources)
    for at, resource in enumerate(
        db.session.scalars(select(Resource).filter_by(dataset_id=made.dataset_id)).all()
    ):
        load_rows(resource.id, tmp_path, rows=STATION_ROWS[: at + 1])
    with pytest.raises(BadQuery, match="several tables") as caught:
        count("two")
    assert (caught.value.context["line"], caught.value.context["column"]) == (1, 22)
    with pytest.raises(BadQuery, match="several tables"):
        count("two.data")
    assert {count('two."a.csv"'), count('two."b.csv"')} == {1, 2}
    with transaction():
        db.session.execute(update(Dataset).values(access=Access.CLOSED))
    with pytest.raises(Unauthenticated):
        count("two")


@pytest.mark.parametrize("name", ["nothing", "two.nothing", "a.b.c", "''", '"air-quality".other'])
def test_an_unknown_table_is_said_with_its_place(served: Served, name: str) -> None:
    with pytest.raises(BadQuery) as caught:
        count(name)
    assert caught.value.context["line"] == 1


@pytest.mark.parametrize(
    ("change", "who", "error"),
    [
        ({"access": Access.CLOSED}, ANYONE, Unauthenticated),
        ({"access": Access.CLOSED}, SOMEBODY, Denied),
        ({"state": State.WITHDRAWN}, SOMEBODY, Gone),
    ],
)
def test_tables_that_may_not_be_read_are_refused(
    served: Served, change: dict[str, str], who: Identity, error: type[CatalogError]
) -> None:
    with transaction():
        db.session.execute(update(Dataset).values(**change))
    with pytest.raises(error):
        count('"air-quality"', who)
    assert count('"air-quality"', SCHEDULER) == 7


def test_older_releases_are_read_by_number_and_by_day(served: Served, tmp_path: Path) -> None:
    load_rows(served.resource, tmp_path, rows=(*STATION_ROWS[:2], *STATION_ROWS[3:]))
    name = '"air-quality"'
    assert (count(name), count(f"{name} AT (VERSION => 1)"), count(name, as_of="1")) == (6, 7, 7)
    assert count(name, as_of="2999-12-31") == 6
    both = sql.run(ANYONE, f"SELECT 1 FROM {name} EXCEPT SELECT 1 FROM {name} AT (VERSION => 1)")
    assert [(table.release, table.id) for table in both.tables] == [
        (2, served.table),
        (1, served.table),
    ]
    for wrong, error in (("9", NotFound), ("2001-01-01", NotFound), ("soon", BadQuery)):
        with pytest.raises(error):
            count(name, as_of=wrong)


def test_changed_rows_are_read_once_and_as_they_are(served: Served, tmp_path: Path) -> None:
    changed = tuple({**row, "No": 5} if row["站点"] == "东四" else row for row in STATION_ROWS)
    for rows in (changed, changed[1:], changed):
        load_rows(served.resource, tmp_path, rows=rows)
    answer = sql.run(ANYONE, 'SELECT 站点, No FROM "air-quality" ORDER BY ALL NULLS FIRST')
    wanted = sorted(((row["站点"] or "", row["No"] or 0) for row in changed), key=repr)
    found = zip(answer.data["站点"].to_pylist(), answer.data["No"].to_pylist(), strict=True)
    assert sorted(((name or "", no or 0) for name, no in found), key=repr) == wanted


def test_names_of_columns_differ_and_are_never_empty() -> None:
    assert sql_names(["a", "A", "", "a", "中"]) == ("a", "A_2", "column_3", "a_3", "中")


def test_odd_names_of_columns_can_be_written(app: Flask, tmp_path: Path) -> None:
    columns = tuple(
        Column(name, f"c{at}", ColumnType.INTEGER)
        for at, name in enumerate(['a"b', "a.b", "A.B", "select", "a b", "'", "名"])
    )
    make_served(tmp_path, columns=columns, rows=({c.name: at for at, c in enumerate(columns)},))
    answer = sql.run(
        ANYONE,
        """SELECT "a""b", "a.b", "A.B_2", "select", "a b", "'", 名 FROM "air-quality" t WHERE t."a.b" = 1""",
    )
    assert [column[0].as_py() for column in answer.data.columns] == list(range(7))


@pytest.fixture
def limited(settings: Settings) -> Callable[..., Flask]:
    def make(**limits: object) -> Flask:
        app = create_app(replace(settings, **limits))  # type: ignore[arg-type] # the tests give what fits
        with app.app_context():
            db.create_all()
        return app

    return make


def test_a_statement_may_read_so_many_rows(limited: Callable[..., Flask], tmp_path: Path) -> None:
    app = limited(sql_scan_anonymous=13, sql_scan_basic=14)
    with app.app_context():
        make_served(tmp_path)
        twice = '"air-quality" a, "air-quality" b'
        assert count('"air-quality"') == 7
        with pytest.raises(BadQuery, match=r"reads 14 rows, at most 13"):
            count(twice)
        assert count(twice, SOMEBODY) == 49
        db.engine.dispose()


def test_rows_are_counted_by_the_hour(limited: Callable[..., Flask], tmp_path: Path) -> None:
    app = limited(limit_sql_anonymous="250000/hour")
    with app.app_context():
        make_served(tmp_path)
        for _ in range(2):
            count('"air-quality"', caller="192.0.2.1")
        with pytest.raises(TooMany) as caught:
            count('"air-quality"', caller="192.0.2.1")
        assert int(str(caught.value.context["retry_after"])) > 3000
        assert count('"air-quality"', caller="192.0.2.2") == 7
        db.engine.dispose()


def test_a_table_that_was_not_loaded_cannot_be_read(app: Flask) -> None:
    make_organization()
    made = put("Empty", resources=[{"key": "a"}])
    resource = db.session.scalar(select(Resource.id).filter_by(dataset_id=made.dataset_id))
    with transaction():
        db.session.add(DataTable(resource_id=resource, key="data"))
    with pytest.raises(CatalogError) as caught:
        count("empty")
    assert caught.value.status == 503


def test_the_columns_keep_their_types(served: Served) -> None:
    answer = sql.run(ANYONE, 'SELECT * FROM "air-quality"')
    assert [column.type for column in answer.columns] == [column.type for column in STATIONS]
    assert [column.name for column in answer.columns] == [column.name for column in STATIONS]
