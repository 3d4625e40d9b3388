"""Loading tables and asking for their rows, counts, groups and downloads."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from catalog.db import db, transaction
from catalog.errors import (
    BadQuery,
    Denied,
    Gone,
    NotFound,
    Unauthenticated,
    Unavailable,
    Unreadable,
)
from catalog.models.base import now
from catalog.models.dataset import Dataset, Resource
from catalog.models.organization import Organization
from catalog.models.table import DataTable, JournalFile, Release, TableColumn
from catalog.models.vocabulary import Access, ColumnType, MemberRole, State
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.services import table_cache, table_loads, tables
from catalog.tabular.column import Column
from catalog.tabular.query import Aggregate, Compare, Measure, Op, Order, TableQuery
from catalog.tabular.reading import ReadTable
from catalog.tabular.state import State as RowState
from catalog.tabular.store import table_journal, table_store
from tests.make_table import STATION_ROWS, STATIONS, Row, make_columns, make_parquet

NUMBERS = make_columns(n=ColumnType.INTEGER)


def make_resource(**fields: Any) -> Resource:
    """A resource of a published dataset of an organization `bureau`."""
    with transaction():
        organization = db.session.scalar(select(Organization)) or Organization(
            id="bureau", slug="bureau", title={"en": "Bureau"}
        )
        dataset = Dataset(
            slug=f"air-{os.urandom(3).hex()}", title={"en": "Air"}, organization=organization
        )
        resource = Resource(dataset=dataset, key="air", **fields)
        db.session.add_all([organization, dataset, resource])
    return resource


def make_read(
    folder: Path,
    columns: Sequence[Column] = STATIONS,
    rows: Sequence[Row] = STATION_ROWS,
    key: str = "data",
) -> ReadTable:
    """A table as reading gives it."""
    file = make_parquet(folder / f"{os.urandom(4).hex()}.parquet", columns, rows)
    content = hashlib.sha256(repr((columns, rows)).encode()).hexdigest()
    return ReadTable(key, {"en": key}, tuple(columns), file, len(rows), content)


def make_numbers(folder: Path, count: int, key: str = "data") -> ReadTable:
    """A table with the numbers below `count`."""
    return make_read(folder, NUMBERS, [{"n": at} for at in range(count)], key)


def load(resource: Resource, *read: ReadTable) -> tables.LoadReport:
    return tables.load(SCHEDULER, resource.id, read, reason="test")


def only_table() -> DataTable:
    return db.session.scalars(select(DataTable).execution_options(populate_existing=True)).one()


@pytest.fixture
def table(app: Flask, tmp_path: Path) -> DataTable:
    """The stations, loaded and served."""
    load(make_resource(), make_read(tmp_path))
    return only_table()


def text_of(export: tables.Export) -> str:
    return b"".join(export.chunks).decode()


# Loading


def test_a_table_is_called_as_its_source_declares(app: Flask, tmp_path: Path) -> None:
    resource = make_resource(load={"tables": {"Energy": {"zh": "能源", "en": "Energy"}}})
    load(resource, make_numbers(tmp_path, 2, "Energy"), make_numbers(tmp_path, 3, "Water"))
    titles = {table.key: table.title for table in db.session.scalars(select(DataTable))}
    assert titles == {"Energy": {"zh": "能源", "en": "Energy"}, "Water": {"en": "Water"}}


def test_what_was_loaded_is_shown_and_served(app: Flask, tmp_path: Path) -> None:
    resource = make_resource(
        load={
            "columns": {"PM2.5": {"label": {"zh": "细颗粒物"}, "unit": "µg/m³"}},
            "chart": {"kind": "line"},
        }
    )
    report = load(resource, make_read(tmp_path))
    assert report == tables.LoadReport(tables=1, rows=7, changed=True)
    table = tables.show(ANYONE, only_table().id)
    assert (table.rows, table.release, table.head, table.served) == (7, 1, 1, 1)
    assert table.chart == {"kind": "line"}
    assert table.title == {"en": "data"}
    assert tables.columns_of(table) == STATIONS
    assert (table.columns[2].label, table.columns[2].unit) == ({"zh": "细颗粒物"}, "µg/m³")
    assert table.columns[2].profile["missing"] == 1
    assert table.resource.dataset.organization.slug == "bureau"
    assert table_store().served(table.id) == 1
    assert tables.rows(ANYONE, table.id, TableQuery()).data.to_pylist() == list(STATION_ROWS)


def test_equal_content_makes_no_release_but_news_about_the_table_are_kept(
    table: DataTable, tmp_path: Path
) -> None:
    resource = db.session.get_one(Resource, table.resource_id)
    with transaction():
        resource.load = {"columns": {"No": {"label": {"en": "Number"}}}}
        resource.problem = {"code": "unavailable"}
    assert load(resource, make_read(tmp_path)).changed is False
    shown = tables.show(ANYONE, table.id)
    assert (shown.release, shown.columns[1].label, resource.problem) == (1, {"en": "Number"}, {})


def test_changed_content_makes_the_next_release_also_with_other_columns(
    table: DataTable, tmp_path: Path
) -> None:
    resource = db.session.get_one(Resource, table.resource_id)
    assert load(resource, make_numbers(tmp_path, 3)).changed is True
    shown = tables.show(ANYONE, table.id)
    assert (shown.release, shown.rows, tables.columns_of(shown)) == (2, 3, NUMBERS)
    load(resource, make_read(tmp_path))
    page = tables.rows(ANYONE, table.id, TableQuery(), total=True)
    assert (page.total, page.columns, page.data.to_pylist()) == (7, STATIONS, list(STATION_ROWS))
    releases = db.session.scalars(select(Release).order_by(Release.number)).all()
    assert [(r.number, r.position, r.rows, r.made_by, r.reason) for r in releases] == [
        (1, 1, 7, "scheduler", "test"),
        (2, 2, 3, "scheduler", "test"),
        (3, 3, 7, "scheduler", "test"),
    ]


def test_tables_that_were_not_read_again_are_removed(app: Flask, tmp_path: Path) -> None:
    resource = make_resource()
    load(resource, make_numbers(tmp_path, 1, "a"), make_numbers(tmp_path, 2, "b"))
    load(resource, make_numbers(tmp_path, 2, "b"))
    table = only_table()
    assert (table.key, table.position) == ("b", 0)
    assert table_store().tables() == {table.id}


def test_a_load_that_breaks_off_keeps_every_table_whole(table: DataTable, tmp_path: Path) -> None:
    def broken() -> Iterable[ReadTable]:
        yield make_numbers(tmp_path, 5, "new")
        raise Unreadable("row %(row)s is no row", row=6)

    with pytest.raises(Unreadable):
        tables.load(SCHEDULER, table.resource_id, broken(), reason="test")
    found = {t.key: t.rows for t in db.session.scalars(select(DataTable))}
    assert found == {"data": 7, "new": 5}


def test_reading_nothing_keeps_what_was_there(table: DataTable) -> None:
    with pytest.raises(Unreadable, match="no table"):
        tables.load(SCHEDULER, table.resource_id, [], reason="test")
    assert tables.count(ANYONE, table.id) == 7


def test_a_failure_is_recorded_and_the_rows_stay(table: DataTable, tmp_path: Path) -> None:
    tables.fail(
        SCHEDULER,
        table.resource_id,
        Unreadable("the file %(name)s is broken", name=Path("x"), row=3),
    )
    resource = db.session.get_one(Resource, table.resource_id)
    assert resource.problem == {
        "message": "the file %(name)s is broken",
        "context": {"name": "x", "row": 3},
        "code": "unreadable",
    }
    assert tables.count(ANYONE, table.id) == 7


def test_two_loads_at_once_make_one_release(
    table: DataTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_if_first(*args: object, **named: object) -> None:
        raise IntegrityError("insert", {}, Exception("unique"))

    monkeypatch.setattr(table_loads, "commit", as_if_first)
    resource = db.session.get_one(Resource, table.resource_id)
    with pytest.raises(Unavailable, match="another load"):
        load(resource, make_numbers(tmp_path, 3))
    monkeypatch.undo()
    assert tables.count(ANYONE, only_table().id) == 7


@pytest.mark.parametrize(
    "who", [ANYONE, Identity(account_id="a", organizations={"other": MemberRole.EDITOR})]
)
def test_strangers_load_nothing(table: DataTable, who: Identity) -> None:
    with pytest.raises((Denied, Unauthenticated)):
        tables.load(who, table.resource_id, [], reason="test")


def test_loading_an_unknown_resource_is_refused(app: Flask) -> None:
    with pytest.raises(NotFound):
        tables.load(SCHEDULER, "nothing", [], reason="test")


# The journal is the truth


def journal_path(table: DataTable) -> Path:
    file = db.session.scalars(
        select(JournalFile)
        .where(JournalFile.table_id == table.id)
        .order_by(JournalFile.position.desc())
    ).first()
    assert file is not None
    return table_journal().path(file.path)


def test_a_damaged_file_is_named_and_written_again_by_the_next_load(
    table: DataTable, tmp_path: Path
) -> None:
    place = journal_path(table)
    place.write_bytes(b"X" + place.read_bytes()[1:])
    with pytest.raises(Unreadable, match=place.name):
        tables.serve_table(table.id)
    assert only_table().problem["code"] == "unreadable"
    resource = db.session.get_one(Resource, table.resource_id)
    assert load(resource, make_read(tmp_path)).changed is True
    assert only_table().problem == {}
    tables.serve_table(table.id)


def test_rows_are_answered_from_the_journal_while_there_is_no_copy(table: DataTable) -> None:
    table_store().drop(table.id)
    query = TableQuery(
        where=Compare("No", Op.GT, 1), order_by=(Order("No", descending=True),), limit=2
    )
    page = tables.rows(ANYONE, table.id, query, total=True)
    assert (page.total, page.data["No"].to_pylist()) == (4, [2**63 - 1, 2**62 + 1])
    assert tables.count(ANYONE, table.id, Compare("PM2.5", Op.EQ, 9.5)) == 2


def test_a_lost_copy_is_repaired_and_strays_are_removed(table: DataTable, tmp_path: Path) -> None:
    table_store().drop(table.id)
    base = make_parquet(tmp_path / "stray.parquet")
    table_store().serve("stray", RowState.of_file(base, STATIONS, 1), {})
    stray = table_journal().add("stray", 1, base)
    young = table_journal().add("young", 1, base)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    os.utime(table_journal().path(stray.path), (long_ago, long_ago))
    tables.repair_tables()
    assert table_store().served(table.id) == 1
    assert table_store().tables() == {table.id}
    assert not table_journal().path(stray.path).exists()
    assert table_journal().path(young.path).exists()
    assert journal_path(table).exists()


def test_a_table_without_a_release_has_no_rows_yet(app: Flask) -> None:
    resource = make_resource()
    with transaction():
        waiting = DataTable(resource_id=resource.id, key="data")
        db.session.add(waiting)
    tables.serve_table(waiting.id)
    with pytest.raises(Unavailable, match="not been loaded"):
        tables.rows(ANYONE, waiting.id, TableQuery())


def test_a_journal_row_that_is_missing_makes_the_table_unavailable(table: DataTable) -> None:
    table_store().drop(table.id)
    with transaction():
        db.session.delete(db.session.scalars(select(JournalFile)).one())
    with pytest.raises(Unavailable):
        tables.rows(ANYONE, table.id, TableQuery())


# Pages


def test_cursors_walk_through_the_rows_of_one_release(app: Flask, tmp_path: Path) -> None:
    resource = make_resource()
    load(resource, make_numbers(tmp_path, 25))
    table_id = only_table().id
    query = TableQuery(limit=10)
    first = tables.rows(ANYONE, table_id, query)
    load(resource, make_numbers(tmp_path, 3))
    load(resource, make_numbers(tmp_path, 4))
    second = tables.rows(ANYONE, table_id, query, cursor=first.next_cursor, total=True)
    third = tables.rows(ANYONE, table_id, query, cursor=second.next_cursor)
    walked = [n for page in (first, second, third) for n in page.data["n"].to_pylist()]
    assert walked == list(range(25))
    assert (second.offset, second.total, third.next_cursor) == (10, 25, None)
    assert tables.rows(ANYONE, table_id, query, total=True).total == 4


def test_a_cursor_of_another_query_or_table_is_refused(table: DataTable) -> None:
    cursor = tables.rows(ANYONE, table.id, TableQuery(limit=2)).next_cursor
    assert cursor is not None
    with pytest.raises(BadQuery, match="another query"):
        tables.rows(ANYONE, table.id, TableQuery(limit=2, order_by=(Order("No"),)), cursor=cursor)
    for changed in (
        "",
        "x",
        "中",
        cursor[:-2],
        cursor[:-1] + ("A" if cursor[-1] != "A" else "B"),
        "A" + cursor,
    ):
        with pytest.raises(BadQuery, match="cursor"):
            tables.rows(ANYONE, table.id, TableQuery(limit=2), cursor=changed)


def test_a_cursor_of_a_forgotten_release_is_refused(app: Flask, tmp_path: Path) -> None:
    resource = make_resource()
    load(resource, make_numbers(tmp_path, 25))
    table_id = only_table().id
    cursor = tables.rows(ANYONE, table_id, TableQuery(limit=10)).next_cursor
    load(resource, make_numbers(tmp_path, 3))
    with transaction():
        db.session.scalars(select(Release).where(Release.number == 1)).one().expired_at = now()
    with pytest.raises(BadQuery, match="no longer kept"):
        tables.rows(ANYONE, table_id, TableQuery(limit=10), cursor=cursor)


def test_a_page_of_nothing_leads_nowhere(table: DataTable) -> None:
    page = tables.rows(ANYONE, table.id, TableQuery(limit=0))
    assert (page.data.num_rows, page.next_cursor) == (0, None)


def test_a_table_is_read_again_only_when_its_rows_changed(table: DataTable) -> None:
    shown = tables.show(ANYONE, table.id)
    assert tables.show(ANYONE, table.id) is shown
    with transaction():
        db.session.execute(update(DataTable).values(title={"en": "New"}))
    again = tables.show(ANYONE, table.id)
    assert (shown.title, again.title) == ({"en": "data"}, {"en": "New"})
    with transaction():
        db.session.execute(update(Organization).values(title={"en": "Office"}))
    assert tables.show(ANYONE, table.id).resource.dataset.organization.title == {"en": "Office"}


def test_what_is_said_of_columns_is_seen_after_a_while(
    table: DataTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_cache, "LONGEST_SECONDS", 0.0)
    tables.show(ANYONE, table.id)
    with transaction():
        db.session.execute(update(TableColumn).values(unit="m"))
    assert tables.show(ANYONE, table.id).columns[0].unit == "m"


def test_the_tables_used_last_are_kept(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_cache, "MOST_TABLES", 1)
    load(make_resource(), make_numbers(tmp_path, 1, "a"), make_numbers(tmp_path, 2, "b"))
    first, second = db.session.scalars(select(DataTable.id)).all()
    kept = tables.show(ANYONE, second)
    assert tables.show(ANYONE, second) is kept
    tables.show(ANYONE, first)
    assert tables.show(ANYONE, second) is not kept


# Groups


def test_groups_have_exact_figures(table: DataTable) -> None:
    query = TableQuery(
        where=Compare("No", Op.LT, 100),
        group_by=('open`"now',),
        measures=(
            Measure(Aggregate.COUNT, "*", "rows"),
            Measure(Aggregate.COUNT, "PM2.5", "measured"),
            Measure(Aggregate.AVG, "PM2.5", "mean"),
            Measure(Aggregate.MAX, "day", "last"),
            Measure(Aggregate.DISTINCT, "站点", "stations"),
        ),
        order_by=(Order("rows", descending=True),),
        limit=2,
    )
    page = tables.group(ANYONE, table.id, query)
    assert page.data.to_pylist() == [
        {
            'open`"now': False,
            "rows": 2,
            "measured": 1,
            "mean": 0.1,
            "last": date(9999, 12, 31),
            "stations": 2,
        },
        {
            'open`"now': True,
            "rows": 1,
            "measured": 1,
            "mean": 9.5,
            "last": date(2013, 3, 1),
            "stations": 1,
        },
    ]
    assert [column.type for column in page.columns] == [
        "boolean",
        "integer",
        "integer",
        "number",
        "date",
        "integer",
    ]
    rest = tables.group(ANYONE, table.id, query, cursor=page.next_cursor)
    assert rest.data["rows"].to_pylist() == [1]
    assert rest.next_cursor is None


def test_a_sum_that_no_integer_holds_is_refused(table: DataTable) -> None:
    query = TableQuery(
        where=Compare("No", Op.GT, 5), measures=(Measure(Aggregate.SUM, "No", "sum"),)
    )
    with pytest.raises(BadQuery, match="too large"):
        tables.group(ANYONE, table.id, query)


# Who may


def test_withdrawn_closed_and_unknown_tables(table: DataTable) -> None:
    editor = Identity(account_id="e", organizations={"bureau": MemberRole.EDITOR})
    stranger = Identity(account_id="s")
    with pytest.raises(NotFound):
        tables.rows(ANYONE, "nothing", TableQuery())
    with transaction():
        db.session.execute(update(Dataset).values(access=Access.CLOSED))
    for ask in (tables.show, tables.count):
        with pytest.raises(Unauthenticated):
            ask(ANYONE, table.id)
        with pytest.raises(Denied):
            ask(stranger, table.id)
    with pytest.raises(Denied):
        tables.rows(stranger, table.id, TableQuery())
    with pytest.raises(Denied):
        tables.export(stranger, table.id, "csv")
    assert tables.count(editor, table.id) == 7
    with transaction():
        db.session.execute(update(Dataset).values(state=State.WITHDRAWN, published_at=now()))
    with pytest.raises(Gone):
        tables.rows(ANYONE, table.id, TableQuery())
    assert tables.count(editor, table.id) == 7


# Downloads


def test_every_format_holds_every_row(table: DataTable) -> None:
    exports = {
        name: tables.export(ANYONE, table.id, name)
        for name, kind in tables.FORMATS.items()
        if not kind.spatial
    }
    rows = list(csv.reader(io.StringIO(text_of(exports["csv"]))))
    assert [row[0] for row in rows] == ["站点", *(str(row["站点"] or "") for row in STATION_ROWS)]
    assert [row[1] for row in rows[1:]] == [
        "" if row["No"] is None else str(row["No"]) for row in STATION_ROWS
    ]
    assert text_of(exports["csv-bom"]).startswith("\ufeff站点,")
    objects = orjson.loads(text_of(exports["json"]))
    assert objects[0]["seen at"] == "2013-03-01T00:00:00"
    assert [orjson.loads(line) for line in text_of(exports["jsonl"]).splitlines()] == objects
    read = pq.read_table(io.BytesIO(b"".join(exports["parquet"].chunks)))
    assert read.to_pylist() == list(STATION_ROWS)
    assert b"".join(exports["xlsx"].chunks).startswith(b"PK")


def test_a_download_can_be_narrowed(table: DataTable) -> None:
    query = TableQuery(
        select=("day", "No"),
        where=Compare("站点", Op.STARTS, "东四"),
        order_by=(Order("No"),),
        limit=1,
    )
    export = tables.export(ANYONE, table.id, "csv", query)
    assert text_of(export) == "day,No\r\n9999-12-31,-9223372036854775808\r\n2013-03-01,1\r\n"
    parquet = tables.export(ANYONE, table.id, "parquet", query)
    assert pq.read_table(io.BytesIO(b"".join(parquet.chunks))).column_names == ["day", "No"]


def test_a_download_is_named_after_dataset_and_table(app: Flask, tmp_path: Path) -> None:
    resource = make_resource()
    load(resource, make_numbers(tmp_path, 1, "2020/表 1.csv"))
    table = tables.show(ANYONE, only_table().id)
    export = tables.export(ANYONE, table.id, "csv-bom")
    assert export.filename == f"{table.resource.dataset.slug}-2020-表-1.csv.csv"
    assert tables.export(ANYONE, table.id, "jsonl").media_type == "application/x-ndjson"


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("csv", TableQuery(select=("nothing",))),
        ("csv", TableQuery(where=Compare("day", Op.EQ, "x"))),
        ("xlsx", TableQuery(group_by=("day",))),
    ],
)
def test_a_download_that_cannot_be_made_is_refused_before_it_begins(
    table: DataTable, name: str, query: TableQuery
) -> None:
    with pytest.raises(BadQuery):
        tables.export(ANYONE, table.id, name, query)


def test_an_unknown_format_is_refused(table: DataTable) -> None:
    with pytest.raises(NotFound, match="dbf"):
        tables.export(ANYONE, table.id, "dbf")
