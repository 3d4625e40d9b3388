"""Writing rows: what is acknowledged is there, whoever writes at the same time and whatever is killed when."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import Conflict, Denied, Invalid, NotFound, TooLarge, Unauthenticated
from catalog.models.table import DataTable, JournalFile, Release
from catalog.models.vocabulary import ColumnType
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.services import table_columns, table_writes, tables
from catalog.services.table_columns import AddColumn, DropColumn, RenameColumn, RetypeColumn
from catalog.tabular.query import Compare, Op, Order, TableQuery
from catalog.tabular.store import table_store
from tests.catalog.test_tables import make_resource

COLUMNS = [
    ("代码", ColumnType.STRING),
    ("name", ColumnType.STRING),
    ("n", ColumnType.INTEGER),
    ("day", ColumnType.DATE),
]


@pytest.fixture
def table(app: Flask) -> DataTable:
    """An empty table with a key."""
    return table_columns.create(SCHEDULER, make_resource().id, COLUMNS, primary_key=["代码"])


def all_rows(table: DataTable, as_of: str | None = None) -> list[dict[str, object]]:
    page = tables.rows(ANYONE, table.id, TableQuery(limit=1000), as_of=as_of)
    rows: list[dict[str, object]] = page.data.to_pylist()
    return rows


def record(code: str, n: int | None = None) -> dict[str, object]:
    return {"代码": code, "name": f"name of {code}", "n": n, "day": "2026-01-31"}


def served(table: DataTable) -> int:
    return table_store().served(table.id)


def head(table: DataTable) -> int:
    return db.session.scalars(select(DataTable.head).where(DataTable.id == table.id)).one()


def test_rows_are_read_as_soon_as_they_are_written(table: DataTable) -> None:
    report = table_writes.insert(SCHEDULER, table.id, [record("007", 1), record("008", 2)])
    assert (report.release, report.rows, report.inserted) == (2, 2, 2)
    assert served(table) == head(table) == 2
    assert all_rows(table) == [
        {"代码": "007", "name": "name of 007", "n": 1, "day": date(2026, 1, 31)},
        {"代码": "008", "name": "name of 008", "n": 2, "day": date(2026, 1, 31)},
    ]


def test_an_upsert_changes_what_is_there_and_adds_the_rest_in_its_order(table: DataTable) -> None:
    table_writes.insert(SCHEDULER, table.id, [record("a", 1), record("b", 2), record("c", 3)])
    report = table_writes.upsert(SCHEDULER, table.id, [{"代码": "b", "n": 20}, record("d", 4)])
    assert (report.inserted, report.updated, report.deleted, report.rows) == (1, 1, 0, 4)
    assert [(row["代码"], row["n"]) for row in all_rows(table)] == [
        ("a", 1),
        ("b", 20),
        ("c", 3),
        ("d", 4),
    ]
    assert all_rows(table)[1]["name"] == "name of b"
    assert [(row["代码"], row["n"]) for row in all_rows(table, as_of="2")] == [
        ("a", 1),
        ("b", 2),
        ("c", 3),
    ]


def test_filter_sort_and_count_see_changed_rows(table: DataTable) -> None:
    table_writes.insert(SCHEDULER, table.id, [record(f"{n:03d}", n) for n in range(50)])
    table_writes.upsert(SCHEDULER, table.id, [record("010", 1000), record("060", 60)])
    query = TableQuery(order_by=(Order("n", descending=True),), limit=2)
    page = tables.rows(ANYONE, table.id, query, total=True)
    assert (page.total, page.data["代码"].to_pylist()) == (51, ["010", "060"])
    assert tables.count(ANYONE, table.id, Compare("n", Op.GE, 49)) == 3
    assert tables.count(ANYONE, table.id, Compare("n", Op.EQ, 10)) == 0
    few = TableQuery(where=Compare("n", Op.GE, 48), limit=10)
    assert tables.rows(ANYONE, table.id, few).data["代码"].to_pylist() == [
        "010",
        "048",
        "049",
        "060",
    ]


def test_writing_the_same_again_makes_no_release(table: DataTable) -> None:
    table_writes.insert(SCHEDULER, table.id, [record("a", 1)])
    report = table_writes.upsert(SCHEDULER, table.id, [record("a", 1)])
    assert (report.release, report.updated) == (2, 0)


def test_rows_are_deleted_by_key_and_by_condition(table: DataTable) -> None:
    table_writes.insert(SCHEDULER, table.id, [record(f"{n:03d}", n) for n in range(10)])
    assert table_writes.delete(SCHEDULER, table.id, keys=[{"代码": "003"}]).deleted == 1
    assert table_writes.delete(SCHEDULER, table.id, where=Compare("n", Op.GE, 7)).deleted == 3
    assert [row["n"] for row in all_rows(table)] == [0, 1, 2, 4, 5, 6]
    assert table_writes.insert(SCHEDULER, table.id, [record("003", 3)]).inserted == 1
    assert [row["n"] for row in all_rows(table)] == [0, 1, 2, 4, 5, 6, 3]
    assert table_writes.delete(SCHEDULER, table.id).rows == 0


@pytest.mark.parametrize(
    ("call", "records", "error"),
    [
        (table_writes.insert, [{"nothing": 1}], Invalid),
        (table_writes.insert, [{"代码": "x", "n": "many"}], Invalid),
        (table_writes.insert, [{"代码": "x", "n": 2**63}], Invalid),
        (table_writes.insert, [{"代码": "x", "n": True}], Invalid),
        (table_writes.insert, [{"代码": "x", "day": "2026-02-30"}], Invalid),
        (table_writes.insert, [{"代码": "x", "n": {"a": 1}}], Invalid),
        (table_writes.insert, [{"name": "no key"}], Invalid),
        (table_writes.insert, [{"代码": "a"}], Conflict),
        (table_writes.insert, [{"代码": "x"}, {"代码": "x"}], Conflict),
        (table_writes.update, [{"代码": "z"}], Invalid),
    ],
)
def test_what_cannot_be_written_changes_nothing(
    table: DataTable, call: object, records: list[dict[str, object]], error: type[Exception]
) -> None:
    table_writes.insert(SCHEDULER, table.id, [record("a", 1)])
    with pytest.raises(error):
        call(SCHEDULER, table.id, records)  # type: ignore[operator] # a function of the module
    assert [row["代码"] for row in all_rows(table)] == ["a"]


def test_a_wrong_record_is_named_with_its_column_and_reason(table: DataTable) -> None:
    with pytest.raises(Invalid) as caught:
        table_writes.insert(SCHEDULER, table.id, [record("a"), {"代码": "b", "n": "x", "q": 1}])
    assert set(caught.value.problems) == {"1"}
    assert set(caught.value.problems["1"]) == {"n", "q"}  # type: ignore[call-overload] # names of columns


def test_objects_are_kept_as_json_in_columns_of_text(table: DataTable) -> None:
    table_writes.insert(SCHEDULER, table.id, [{"代码": "a", "name": {"中": [1, None]}}])
    assert all_rows(table)[0]["name"] == '{"中":[1,null]}'


def test_strangers_write_nothing(table: DataTable) -> None:
    with pytest.raises(Unauthenticated):
        table_writes.insert(ANYONE, table.id, [])
    with pytest.raises(Denied):
        table_writes.delete(Identity("someone"), table.id)
    with pytest.raises(NotFound):
        table_writes.insert(SCHEDULER, "nothing", [])


def test_too_many_records_are_refused(table: DataTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_writes, "MOST_RECORDS", 1)
    with pytest.raises(TooLarge):
        table_writes.insert(SCHEDULER, table.id, [record("a"), record("b")])
    monkeypatch.setattr(table_writes, "MOST_DELETED", 0)
    table_writes.insert(SCHEDULER, table.id, [record("a")])
    with pytest.raises(TooLarge):
        table_writes.delete(SCHEDULER, table.id)


def test_a_table_without_a_key_takes_rows_and_no_upserts(app: Flask) -> None:
    table = table_columns.create(SCHEDULER, make_resource().id, COLUMNS)
    table_writes.insert(SCHEDULER, table.id, [record("a"), record("a")])
    assert len(all_rows(table)) == 2
    with pytest.raises(Invalid, match="no key"):
        table_writes.upsert(SCHEDULER, table.id, [record("a")])
    with pytest.raises(Conflict):
        table_columns.set_key(SCHEDULER, table.id, ["代码"])
    table_writes.delete(SCHEDULER, table.id, where=Compare("代码", Op.EQ, "a"))
    table_columns.set_key(SCHEDULER, table.id, ["代码"])
    assert table_writes.upsert(SCHEDULER, table.id, [record("a")]).inserted == 1


def test_many_small_writes_are_folded_and_lose_nothing(table: DataTable) -> None:
    for n in range(40):
        table_writes.upsert(SCHEDULER, table.id, [record(f"{n % 25:03d}", n)])
    kinds = db.session.scalars(
        select(JournalFile.kind).where(JournalFile.table_id == table.id)
    ).all()
    assert kinds.count("base") > 1
    expected = {f"{n % 25:03d}": n for n in range(40)}
    assert {row["代码"]: row["n"] for row in all_rows(table)} == expected
    table_store().drop(table.id)
    assert {row["代码"]: row["n"] for row in all_rows(table)} == expected
    for release in (2, 17, 18, 30):
        seen = {f"{n % 25:03d}": n for n in range(release - 1)}
        assert {row["代码"]: row["n"] for row in all_rows(table, str(release))} == seen


def test_releases_say_who_why_and_how_many(table: DataTable) -> None:
    who = Identity("p", name="民政局 王", administrator=True)
    table_writes.insert(who, table.id, [record("a"), record("b")], reason="first batch")
    table_writes.delete(who, table.id, keys=[{"代码": "a"}])
    found = db.session.scalars(select(Release).order_by(Release.number)).all()
    assert [(r.number, r.rows, r.inserted, r.updated, r.deleted) for r in found] == [
        (1, 0, 0, 0, 0),
        (2, 2, 2, 0, 0),
        (3, 1, 0, 0, 1),
    ]
    assert (found[1].made_by, found[1].reason) == ("民政局 王", "first batch")
    assert len({release.content for release in found}) == 3


def test_two_writers_at_once_lose_and_double_nothing(app: Flask, table: DataTable) -> None:
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        with app.app_context():
            try:
                for n in range(8):
                    records = [record(f"{writer}-{n}", n), record("shared", writer * 100 + n)]
                    table_writes.upsert(SCHEDULER, table.id, records)
            except BaseException as error:
                failures.append(error)
                raise

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    codes = [row["代码"] for row in all_rows(table)]
    assert len(codes) == len(set(codes)) == 3 * 8 + 1
    with transaction():
        numbers = db.session.scalars(select(Release.number).order_by(Release.number)).all()
    assert numbers == list(range(1, len(numbers) + 1))


def test_columns_change_without_reloading(table: DataTable) -> None:
    table_writes.insert(SCHEDULER, table.id, [record("a", 1), record("b", 2)])
    changes = [
        AddColumn("note", ColumnType.STRING),
        RenameColumn("name", "名称"),
        DropColumn("day"),
    ]
    table_columns.change_columns(SCHEDULER, table.id, changes)
    assert all_rows(table) == [
        {"代码": "a", "名称": "name of a", "n": 1, "note": None},
        {"代码": "b", "名称": "name of b", "n": 2, "note": None},
    ]
    table_writes.upsert(SCHEDULER, table.id, [{"代码": "b", "note": "改了"}])
    assert all_rows(table)[1] == {"代码": "b", "名称": "name of b", "n": 2, "note": "改了"}
    assert all_rows(table, "2")[0] == {
        "代码": "a", "name": "name of a", "n": 1, "day": date(2026, 1, 31),
    }  # fmt: skip
    before = all_rows(table)
    table_store().drop(table.id)
    assert all_rows(table) == before
    tables.serve_table(table.id)
    assert all_rows(table) == before
    bases = select(JournalFile).where(JournalFile.kind == "base")
    assert len(db.session.scalars(bases).all()) == 1


def test_a_dropped_column_does_not_come_back_under_another_name(table: DataTable) -> None:
    table_writes.insert(SCHEDULER, table.id, [record("a", 1)])
    table_columns.change_columns(SCHEDULER, table.id, [DropColumn("n")])
    table_columns.change_columns(SCHEDULER, table.id, [AddColumn("n", ColumnType.INTEGER)])
    assert all_rows(table)[0]["n"] is None


def test_a_type_changes_where_every_value_allows_it(table: DataTable) -> None:
    table_writes.insert(SCHEDULER, table.id, [record("1", 1), record("2", 2)])
    table_columns.change_columns(SCHEDULER, table.id, [RetypeColumn("n", ColumnType.STRING)])
    assert [row["n"] for row in all_rows(table)] == ["1", "2"]
    table_columns.change_columns(SCHEDULER, table.id, [RetypeColumn("n", ColumnType.INTEGER)])
    table_writes.upsert(SCHEDULER, table.id, [record("2", 22)])
    assert [row["n"] for row in all_rows(table)] == [1, 22]
    assert [row["n"] for row in all_rows(table, "3")] == ["1", "2"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (RetypeColumn("name", ColumnType.INTEGER), Invalid),
        (RetypeColumn("代码", ColumnType.INTEGER), Invalid),
        (AddColumn("n", ColumnType.STRING), Invalid),
        (AddColumn(" ", ColumnType.STRING), Invalid),
        (DropColumn("代码"), Conflict),
        (DropColumn("nothing"), Invalid),
    ],
)
def test_a_change_of_columns_that_would_lose_something_is_refused(
    table: DataTable, change: table_columns.ColumnChange, error: type[Exception]
) -> None:
    table_writes.insert(SCHEDULER, table.id, [record("007", 1)])
    with pytest.raises(error):
        table_columns.change_columns(SCHEDULER, table.id, [change])
    assert head(table) == 2


def test_a_table_is_made_once_and_dropped(table: DataTable, tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        table_columns.create(SCHEDULER, table.resource_id, COLUMNS)
    with pytest.raises(Invalid):
        table_columns.create(SCHEDULER, table.resource_id, [], key="other")
    with pytest.raises(Invalid):
        table_columns.create(SCHEDULER, table.resource_id, COLUMNS, key="other", primary_key=["?"])
    with pytest.raises(NotFound):
        table_columns.create(SCHEDULER, "nothing", COLUMNS)
    table_columns.drop(SCHEDULER, table.id)
    with pytest.raises(NotFound):
        all_rows(table)
    assert table.id not in table_store().tables()
