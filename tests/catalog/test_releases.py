"""Releases: what changed between any two of them, which are kept, and what the public may know of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import BadQuery, Denied, Gone, NotFound, Unauthenticated
from catalog.models.base import now
from catalog.models.table import Citation, DataTable, JournalFile, Release
from catalog.models.vocabulary import ColumnAccess, ColumnType
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.services import releases, table_columns, table_writes, tables
from catalog.services.table_columns import AddColumn, DropColumn, RenameColumn, RetypeColumn
from catalog.tabular.changes import Kind
from catalog.tabular.query import TableQuery
from tests.catalog.test_table_writes import COLUMNS, all_rows, record
from tests.catalog.test_tables import (
    NUMBERS,
    load,
    make_numbers,
    make_read,
    make_resource,
    only_table,
)
from tests.make_table import Row


@pytest.fixture
def table(app: Flask) -> DataTable:
    """A table with four releases: empty, three rows, one changed and one added, one removed."""
    made = table_columns.create(SCHEDULER, make_resource().id, COLUMNS, primary_key=["代码"])
    table_writes.insert(SCHEDULER, made.id, [record("a", 1), record("b", 2), record("c", 3)])
    table_writes.upsert(SCHEDULER, made.id, [{"代码": "b", "n": 20}, record("d", 4)])
    table_writes.delete(SCHEDULER, made.id, keys=[{"代码": "a"}])
    return made


def test_rows_added_changed_and_removed_are_listed_with_old_and_new_values(
    table: DataTable,
) -> None:
    page = releases.changes(ANYONE, table.id, "2", "4")
    assert (page.tally.added, page.tally.changed, page.tally.removed, page.tally.total) == (
        1,
        1,
        1,
        3,
    )
    removed, changed, added = page.rows
    assert (removed.kind, removed.new, (removed.old or {})["代码"]) == (Kind.REMOVED, None, "a")
    assert (changed.kind, changed.columns) == (Kind.CHANGED, ("n",))
    assert ((changed.old or {})["n"], (changed.new or {})["n"]) == (2, 20)
    assert (added.kind, added.old, (added.new or {})["代码"]) == (Kind.ADDED, None, "d")
    assert (page.older.number, page.newer.number, page.schema) == (2, 4, ())


def test_changes_are_paged_and_narrowed_to_a_kind(table: DataTable) -> None:
    only = releases.changes(ANYONE, table.id, "2", kind=Kind.ADDED)
    assert [row.kind for row in only.rows] == [Kind.ADDED]
    second = releases.changes(ANYONE, table.id, "2", limit=1, offset=1)
    assert [row.kind for row in second.rows] == [Kind.CHANGED]
    assert releases.changes(ANYONE, table.id, "2", limit=0).rows == ()


def test_a_release_compared_with_itself_has_not_changed(table: DataTable) -> None:
    page = releases.changes(ANYONE, table.id, "4", "4")
    assert (page.tally.total, page.rows) == (0, ())
    _, batches = releases.change_batches(ANYONE, table.id, "4", "4")
    assert list(batches) == []


def test_what_came_and_went_in_between_is_no_change(table: DataTable) -> None:
    table_writes.upsert(SCHEDULER, table.id, [record("x", 9), {"代码": "c", "n": 33}])
    table_writes.upsert(SCHEDULER, table.id, [{"代码": "c", "n": 3}])
    table_writes.delete(SCHEDULER, table.id, keys=[{"代码": "x"}])
    assert releases.changes(ANYONE, table.id, "4").tally.total == 0
    assert releases.changes(ANYONE, table.id, "4", "5").tally.total == 2


def test_changes_come_as_a_file_too(table: DataTable) -> None:
    columns, batches = releases.change_batches(ANYONE, table.id, "2", kind=Kind.CHANGED)
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [column.name for column in columns] == ["代码", "name", "n", "day"]
    assert [(row["kind"], row["row"], row["n"], row["old: n"]) for row in rows] == [
        ("changed", 1, 20, 2)
    ]


@pytest.mark.parametrize(("older", "newer"), [("4", "2"), ("x", None), ("2026-13-01", None)])
def test_what_cannot_be_compared_is_refused(
    table: DataTable, older: str, newer: str | None
) -> None:
    with pytest.raises(BadQuery):
        releases.changes(ANYONE, table.id, older, newer)


def test_unknown_releases_are_not_found(table: DataTable) -> None:
    for call in (
        lambda: releases.changes(ANYONE, table.id, "9"),
        lambda: releases.show(ANYONE, table.id, 9),
        lambda: releases.changes(ANYONE, table.id, "1999-01-01"),
        lambda: releases.listed(ANYONE, "nothing"),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(BadQuery):
        releases.changes(ANYONE, table.id, "2", limit=100_000)


def test_a_moment_names_the_release_of_that_time(table: DataTable) -> None:
    with transaction():
        for release in db.session.scalars(select(Release)):
            release.created_at = now() - timedelta(days=10 * (5 - release.number))
    day = (now() - timedelta(days=25)).date().isoformat()
    assert [row["代码"] for row in all_rows(table, day)] == ["a", "b", "c"]
    assert [row["代码"] for row in all_rows(table, f"{day}T12:00:00+08:00")] == ["a", "b", "c"]
    assert len(all_rows(table, now().isoformat())) == 3
    for wrong in ("yesterday", "2026-02-30", "2026-01-01T99:00"):
        with pytest.raises(BadQuery):
            all_rows(table, wrong)


def test_releases_are_listed_newest_first(table: DataTable) -> None:
    page = releases.listed(ANYONE, table.id, limit=2, offset=1)
    assert (page.total, [release.number for release in page.releases]) == (4, [3, 2])
    assert releases.show(ANYONE, table.id, 3).updated == 1


def test_columns_that_changed_are_told(table: DataTable) -> None:
    changes = [
        AddColumn("note", ColumnType.STRING), RenameColumn("name", "名称"), DropColumn("day"),
        RetypeColumn("n", ColumnType.STRING),
    ]  # fmt: skip
    table_columns.change_columns(SCHEDULER, table.id, changes[:3])
    page = releases.changes(ANYONE, table.id, "3")
    assert [(one.kind, one.name) for one in page.schema] == [
        ("renamed", "名称"),
        ("added", "note"),
        ("dropped", "day"),
    ]
    assert (page.tally.removed, page.tally.total) == (1, 1)
    table_columns.change_columns(SCHEDULER, table.id, changes[3:])
    table_writes.upsert(SCHEDULER, table.id, [{"代码": "b", "note": "新"}])
    page = releases.changes(ANYONE, table.id, "4")
    assert ("retyped", "n", "integer", "string") in [
        (one.kind, one.name, one.before, one.after) for one in page.schema
    ]


# Loads


def numbers(folder: Path, values: list[int]) -> object:
    return make_read(folder, NUMBERS, [{"n": value} for value in values])


def test_a_load_that_changes_little_is_a_delta_and_keeps_the_order(
    app: Flask, tmp_path: Path
) -> None:
    resource = make_resource()
    load(resource, make_numbers(tmp_path, 100))
    changed = [*range(50), *range(51, 100), 200]
    load(resource, make_read(tmp_path, NUMBERS, [{"n": value} for value in changed]))
    table = only_table()
    kinds = db.session.scalars(select(JournalFile.kind).order_by(JournalFile.position)).all()
    assert kinds == ["base", "delta"]
    assert (table.rows, table.next_row) == (100, 101)
    assert tables.rows(ANYONE, table.id, TableQuery(limit=200)).data["n"].to_pylist() == changed
    page = releases.changes(ANYONE, table.id, "1")
    assert (page.tally.added, page.tally.changed, page.tally.removed) == (1, 0, 1)
    tables.serve_table(table.id)
    load(resource, make_read(tmp_path, NUMBERS, [{"n": value} for value in changed]))
    assert only_table().release == 2


def test_another_order_of_the_same_rows_is_no_release(app: Flask, tmp_path: Path) -> None:
    resource = make_resource()
    load(resource, make_numbers(tmp_path, 20))
    report = load(resource, make_read(tmp_path, NUMBERS, [{"n": n} for n in reversed(range(20))]))
    assert (report.changed, only_table().release) == (False, 1)


def test_a_load_that_changes_much_is_a_base_and_is_compared_when_asked(
    app: Flask, tmp_path: Path
) -> None:
    resource = make_resource()
    load(resource, make_numbers(tmp_path, 20))
    load(resource, make_read(tmp_path, NUMBERS, [{"n": n} for n in range(10, 40)]))
    table = only_table()
    kinds = db.session.scalars(select(JournalFile.kind).order_by(JournalFile.position)).all()
    assert kinds == ["base", "base"]
    release = releases.show(ANYONE, table.id, 2)
    assert (release.inserted, release.updated, release.deleted) == (20, 0, 10)
    for _ in range(2):  # made once, then kept
        page = releases.changes(ANYONE, table.id, "1")
        assert (page.tally.added, page.tally.removed) == (20, 10)
    assert {row.number for row in page.rows if row.kind == Kind.ADDED} == {None}


def test_a_declared_key_tells_changed_rows_from_new_ones(app: Flask, tmp_path: Path) -> None:
    resource = make_resource(load={"read": {"primary_key": ["k"]}})
    columns = tuple(column for column in make_columns_kv())
    rows: list[Row] = [{"k": f"k{n}", "v": n} for n in range(50)]
    load(resource, make_read(tmp_path, columns, rows))
    after: list[Row] = [{"k": "k7", "v": 700}, *rows[:7], *rows[8:]]
    load(resource, make_read(tmp_path, columns, after))
    table = only_table()
    page = releases.changes(ANYONE, table.id, "1")
    assert [(row.kind, row.number, row.columns) for row in page.rows] == [(Kind.CHANGED, 7, ("v",))]
    doubled: list[Row] = [*after, {"k": "k7", "v": 701}]
    load(resource, make_read(tmp_path, columns, doubled))
    assert only_table().rows == 51  # a key that is not unique loses no row


def make_columns_kv() -> tuple[object, ...]:
    from tests.make_table import make_columns

    return make_columns(k=ColumnType.STRING, v=ColumnType.INTEGER)


values = st.lists(st.integers(0, 12), min_size=1, max_size=25)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(steps=st.lists(values, min_size=2, max_size=4))
def test_any_loads_one_after_the_other_end_with_the_last_one(
    app: Flask, tmp_path: Path, steps: list[list[int]]
) -> None:
    resource = make_resource(load={"read": {"may_shrink": True}})
    for step in steps:
        load(resource, make_read(tmp_path, NUMBERS, [{"n": value} for value in step]))
    table = db.session.scalars(select(DataTable).where(DataTable.resource_id == resource.id)).one()
    page = tables.rows(ANYONE, table.id, TableQuery(limit=100))
    assert sorted(page.data["n"].to_pylist()) == sorted(steps[-1])
    found = releases.changes(ANYONE, table.id, "1", limit=1000)
    first = list(steps[0])
    for row in found.rows:
        if row.old is not None:
            first.remove(row.old["n"])  # type: ignore[arg-type] # a number
        if row.new is not None:
            first.append(row.new["n"])  # type: ignore[arg-type] # a number
    assert sorted(first) == sorted(steps[-1])


# Retention


def files_of(table: DataTable) -> list[tuple[int, str]]:
    found = select(JournalFile.position, JournalFile.kind).where(JournalFile.table_id == table.id)
    return sorted((position, kind) for position, kind in db.session.execute(found))


def test_the_policy_gives_up_rows_and_keeps_what_is_said(table: DataTable) -> None:
    table_columns.change_columns(SCHEDULER, table.id, [RetypeColumn("n", ColumnType.STRING)])
    table_writes.insert(SCHEDULER, table.id, [record("z")])
    releases.set_retention(SCHEDULER, table.id, keep=2)
    assert releases.retain(table.id) == [4, 3, 2, 1]
    assert files_of(table) == [(5, "base"), (6, "delta")]
    assert len(all_rows(table)) == 4
    with pytest.raises(Gone):
        all_rows(table, "3")
    assert releases.show(ANYONE, table.id, 3).expired_at is not None
    with pytest.raises(Gone):
        releases.pin(SCHEDULER, table.id, 3)
    tables.serve_table(table.id)
    assert len(all_rows(table)) == 4


def test_pinned_and_cited_releases_outlive_the_policy(table: DataTable) -> None:
    releases.pin(SCHEDULER, table.id, 2)
    with transaction():
        db.session.add(Citation(id="c", table_id=table.id, release=3, rows=4, sha256=""))
    releases.set_retention(SCHEDULER, table.id, keep=1)
    releases.retain_releases()
    found = {info.number: info for info in releases.listed(ANYONE, table.id).releases}
    assert {number for number, info in found.items() if info.expired_at is None} == {2, 3, 4}
    assert (found[2].pinned, found[3].cited) == (True, True)
    assert len(all_rows(table, "2")) == 3
    assert releases.changes(ANYONE, table.id, "2").tally.total == 3


def test_young_releases_are_kept(table: DataTable) -> None:
    releases.set_retention(SCHEDULER, table.id, days=1)
    assert releases.retain(table.id) == []
    releases.set_retention(SCHEDULER, table.id)
    assert releases.retain(table.id) == []
    assert releases.retain("nothing") == []
    with pytest.raises(BadQuery):
        releases.set_retention(SCHEDULER, table.id, keep=-1)


def test_strangers_pin_nothing(table: DataTable) -> None:
    with pytest.raises(Unauthenticated):
        releases.pin(ANYONE, table.id, 2)
    with pytest.raises(Denied):
        releases.set_retention(Identity("someone"), table.id, keep=1)


# Withheld columns


def test_hidden_columns_do_not_exist_for_the_public(table: DataTable) -> None:
    table_writes.upsert(SCHEDULER, table.id, [{"代码": "b", "n": 21}])
    table_columns.set_access(SCHEDULER, table.id, "n", ColumnAccess.HIDDEN)
    for as_of in (None, "2", "3"):
        assert all("n" not in row for row in all_rows(table, as_of))
    page = releases.changes(ANYONE, table.id, "4")
    assert (page.tally.total, page.rows) == (0, ())
    assert [column.name for column in page.columns] == ["代码", "name", "day"]
    assert releases.show(ANYONE, table.id, 3).updated is None
    seen = releases.show(SCHEDULER, table.id, 3)
    assert seen.updated == 1
    assert seen.content != releases.show(ANYONE, table.id, 3).content
    assert releases.changes(SCHEDULER, table.id, "4").rows[0].columns == ("n",)
    with pytest.raises(BadQuery):
        tables.rows(ANYONE, table.id, TableQuery(select=("n",)))


def test_masked_values_stay_masked_in_every_release(table: DataTable) -> None:
    table_columns.set_access(
        SCHEDULER, table.id, "name", ColumnAccess.MASKED, {"first": 1, "last": 1}
    )
    assert {row["name"] for row in all_rows(table, "2")} == {"n***a", "n***b", "n***c"}
    table_columns.set_access(SCHEDULER, table.id, "n", ColumnAccess.MASKED)
    assert {row["n"] for row in all_rows(table)} == {"***"}
    page = releases.changes(ANYONE, table.id, "2")
    assert (page.tally.added, page.tally.changed, page.tally.removed) == (1, 0, 1)
    assert (page.rows[0].old or {})["n"] == "***"
    table_columns.set_access(SCHEDULER, table.id, "n", ColumnAccess.OPEN)
    assert {row["n"] for row in all_rows(table)} == {20, 3, 4}
    with pytest.raises(NotFound):
        table_columns.set_access(SCHEDULER, table.id, "?", ColumnAccess.OPEN)


def test_a_hidden_column_stays_hidden_in_older_releases_when_it_is_renamed_or_dropped(
    table: DataTable,
) -> None:
    table_columns.set_access(SCHEDULER, table.id, "n", ColumnAccess.HIDDEN)
    table_columns.change_columns(SCHEDULER, table.id, [RenameColumn("n", "number")])
    assert "number" not in all_rows(table)[0]
    assert "n" not in all_rows(table, "2")[0]
    table_columns.change_columns(SCHEDULER, table.id, [DropColumn("number")])
    for as_of in ("2", "4", "5", None):
        assert set(all_rows(table, as_of)[0]) == {"代码", "name", "day"}
