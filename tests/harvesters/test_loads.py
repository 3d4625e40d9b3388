"""Loading contents: once, again when changed, and what is said when it fails."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from catalog.db import db, transaction
from catalog.errors import Conflict
from catalog.models.base import now
from catalog.models.dataset import Dataset, Resource
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnType
from catalog.permissions import SCHEDULER
from catalog.services import table_columns, tables
from catalog.settings import Settings
from catalog.tabular.query import TableQuery
from catalog.tabular.reading import read_files
from harvesters import jobs, loads, runs, services
from harvesters.models import HarvestLoad, HarvestRun, HarvestSource, LoadState, RunState
from tests.make_reading import make_xlsx, make_zip
from tests.make_server import Asked, Served, plain
from tests.make_source import make_source
from wsgi import create_app

ENDPOINT = {
    "slug": "rows",
    "title": {"en": "Rows"},
    "path": "rows",
    "paging": {"kind": "page", "size": 1},
}


@pytest.fixture
def app(settings: Settings, server: Served, folder: Path) -> Iterator[Flask]:
    """A portal that may reach the test's server and folder."""
    made = create_app(
        replace(
            settings,
            fetch_private_hosts=server.host,
            fetch_folders=str(folder),
            fetch_timeout_seconds=0.5,
            max_fetch_bytes=1_000_000,
        )
    )
    with made.app_context():
        db.create_all()
        yield made
        db.session.remove()
        db.engine.dispose()


def harvest(source: HarvestSource) -> HarvestRun:
    run = services.run_now(SCHEDULER, source.id)
    return services.runs(SCHEDULER, run.source_id, 0, 1)[0]


def table() -> DataTable:
    return db.session.scalars(select(DataTable).execution_options(populate_existing=True)).one()


def resource() -> Resource:
    return db.session.scalars(select(Resource).execution_options(populate_existing=True)).one()


def rows() -> list[dict[str, Any]]:
    found = tables.rows(SCHEDULER, table().id, TableQuery()).data.to_pylist()
    return [dict(row) for row in found]


def sentences(run: HarvestRun) -> list[str]:
    found = services.records(SCHEDULER, run.id)
    return [
        record.error["message"] % record.error["context"]
        for record in found
        if record.step == "load"
    ]


def test_content_is_loaded_once_and_again_when_it_changed(app: Flask, folder: Path) -> None:
    (folder / "codes.csv").write_text("code,name\n007,王\n")
    source = make_source("files", str(folder))
    run = harvest(source)
    assert (run.created, run.to_load, run.loaded, run.load_failed) == (1, 1, 1, 0)
    assert rows() == [{"code": "007", "name": "王"}]
    run = harvest(source)
    assert (run.same, run.to_load, run.loaded) == (1, 0, 0)
    (folder / "codes.csv").write_text("code,name\n007,王\n008,李\n")
    run = harvest(source)
    assert (run.changed, run.to_load, run.loaded) == (1, 1, 1)
    assert table().release == 2
    progress = services.progress(SCHEDULER, [run.id])
    assert (progress.ended, progress.failed, progress.loaded, progress.to_load) == (1, 0, 1, 1)


def test_a_load_that_fails_says_why_and_keeps_the_table(app: Flask, folder: Path) -> None:
    file = folder / "codes.csv.gz"
    file.write_bytes(
        gzip.compress(b"code\n" + b"".join(b"%06d\n" % number for number in range(5000)))
    )
    source = make_source("files", str(folder))
    harvest(source)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    run = harvest(source)
    assert (run.state, run.loaded, run.load_failed) == (RunState.DONE, 0, 1)
    assert len(sentences(run)) == 1
    (record,) = services.records(SCHEDULER, run.id)
    assert record.key == "codes.csv.gz / codes.csv.gz"
    assert record.dataset_id == db.session.scalar(select(Dataset.id))
    assert resource().problem["message"] == record.error["message"]
    assert table().rows == 5000
    assert harvest(source).load_failed == 1
    file.write_bytes(whole)
    assert harvest(source).loaded == 1
    assert resource().problem == {}


def drip(asked: Asked) -> None:
    asked.send_response(200)
    asked.send_header("Content-Length", "10")
    asked.end_headers()
    asked.wfile.write(b"[")
    asked.wfile.flush()
    asked.rfile.read(1)


def test_an_interface_that_misbehaves_later_keeps_its_table(app: Flask, server: Served) -> None:
    server.behaviours["/rows"] = plain(b"[]", headers={"ETag": '"0"'})
    source = make_source("rest", server.url, datasets=[{**ENDPOINT, "paging": {"kind": "none"}}])
    server.behaviours["/rows"] = plain(b'[{"code": "007"}]', headers={"ETag": '"1"'})
    assert harvest(source).loaded == 1
    for behaviour, state, words in (
        (drip, RunState.FAILED, "did not answer within"),
        (plain(b"<html>", headers={"ETag": '"2"'}), RunState.FAILED, "a web page instead of JSON"),
        (plain(b"", status=401), RunState.FAILED, "check the key"),
        (plain(b"x" * 60_000_000), RunState.FAILED, "larger than"),
    ):
        server.behaviours["/rows"] = behaviour
        run = harvest(source)
        assert run.state == state
        assert words in run.problem["message"] % run.problem["context"]
        assert rows() == [{"code": "007"}]


def test_a_source_that_goes_down_keeps_everything(app: Flask, server: Served) -> None:
    record = b'@prefix dcat: <http://www.w3.org/ns/dcat#> . <http://x/d> a dcat:Dataset ; <http://purl.org/dc/terms/title> "T" .'
    server.behaviours["/c.ttl"] = plain(record, media_type="text/turtle")
    source = make_source("dcat", f"{server.url}/c.ttl")
    assert harvest(source).created == 1
    server.close()
    run = harvest(source)
    assert run.state == RunState.FAILED
    assert (
        "cannot be reached: Connection refused" in run.problem["message"] % run.problem["context"]
    )
    assert services.dataset_count(SCHEDULER, source.id) == 1


def test_paging_that_never_ends_fails_the_load(app: Flask, server: Served) -> None:
    server.behaviours["/rows"] = plain(b'[{"a": 1}]')
    run = harvest(make_source("rest", server.url, datasets=[ENDPOINT]))
    assert (run.state, run.load_failed) == (RunState.DONE, 1)
    assert "does not end" in sentences(run)[0]
    assert db.session.scalar(select(DataTable.id)) is None


def test_a_web_file_that_is_too_large_fails_the_load(app: Flask, server: Served) -> None:
    server.behaviours["/big.csv"] = plain(b"x\n" * 600_000)
    run = harvest(make_source("files", server.url, files=["big.csv"]))
    assert run.load_failed == 1
    assert "larger than 1000000 bytes" in sentences(run)[0]


def test_a_database_loads_streamed_rows(app: Flask, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "d.sqlite")) as connection:
        connection.execute("create table t (code text primary key, n integer)")
        connection.executemany(
            "insert into t values (?, ?)", ((f"{n:05}", n) for n in range(12_000))
        )
        connection.commit()
    run = harvest(make_source("sql", f"sqlite:///{folder}/d.sqlite"))
    assert run.loaded == 1
    assert table().rows == 12_000
    assert rows()[0] == {"code": "00000", "n": 0}


def test_reading_options_that_cannot_be_used_are_named(app: Flask, folder: Path) -> None:
    (folder / "a.csv").write_text("x\n1\n")
    run = harvest(
        make_source("files", str(folder), datasets=[{"pattern": "*", "read": {"nonsense": 1}}])
    )
    assert "nonsense" in sentences(run)[0]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "could not be stored: No space left"),
        (KeyError("x"), "its log says more"),
    ],
)
def test_other_failures_are_said_too(
    app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: Any) -> None:
        raise error

    (folder / "a.csv").write_text("x\n1\n")
    monkeypatch.setattr(loads, "read_files", fail)
    run = harvest(make_source("files", str(folder)))
    assert words in sentences(run)[0]


def test_what_changes_while_it_is_loaded_is_loaded_again(
    app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.csv").write_text("x\n1\n")
    read, changes = read_files, [True]

    def changing(*given: Any) -> Any:
        if changes.pop():
            changes.append(False)
            with transaction():
                found = resource()
                found.load = {**found.load, "version": "newer"}
        return read(*given)

    monkeypatch.setattr(loads, "read_files", changing)
    run = harvest(make_source("files", str(folder)))
    found = services.runs(SCHEDULER, run.source_id)[0]
    assert (found.to_load, found.loaded) == (2, 2)


def hold(**values: Any) -> None:
    with transaction():
        db.session.execute(update(HarvestLoad).values(**values))


def test_loads_that_were_lost_are_asked_for_again(app: Flask, folder: Path) -> None:
    (folder / "a.csv").write_text("x\n1\n")
    source = make_source("files", str(folder))
    harvest(source)
    state = select(HarvestLoad.state)
    hold(state=LoadState.WAITING)
    assert harvest(source).to_load == 0
    hold(state=LoadState.RUNNING, worker=runs.this_worker())
    assert harvest(source).to_load == 0
    jobs.keep_harvesting()
    jobs.load_resource(source.id, resource().id)
    assert db.session.scalar(state) == LoadState.RUNNING
    hold(updated_at=now() - timedelta(minutes=11))
    jobs.keep_harvesting()
    assert db.session.scalar(state) == LoadState.DONE
    hold(state=LoadState.WAITING, updated_at=now() - timedelta(minutes=11))
    jobs.keep_harvesting()
    assert db.session.scalar(state) == LoadState.DONE
    jobs.load_resource(source.id, resource().id)
    assert table().release == 1


def test_a_resource_that_was_removed_is_not_loaded(app: Flask, folder: Path) -> None:
    (folder / "a.csv").write_text("x\n1\n")
    source = make_source("files", str(folder))
    harvest(source)
    jobs.load_resource(source.id, "gone")
    jobs.load_resource("gone", resource().id)
    with transaction():
        db.session.delete(db.session.scalars(select(HarvestLoad)).one())
    jobs.load_resource(source.id, resource().id)
    assert table().release == 1


def test_a_load_says_now_and_then_that_it_is_alive(
    app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.csv").write_text("x\n1\n")
    harvest(make_source("files", str(folder)))
    hold(updated_at=now() - timedelta(hours=1))
    beat = loads._Beat(resource().id)
    beat()
    monkeypatch.setattr(loads, "BEAT_SECONDS", 0)
    with transaction():
        beat()
    at = db.session.scalars(select(HarvestLoad.updated_at))
    assert now() - at.one() > timedelta(minutes=30)
    beat()
    assert now() - db.session.scalars(select(HarvestLoad.updated_at)).one() < timedelta(minutes=1)


OUTLINES = '{"type": "FeatureCollection", "features": [{"type": "Feature", "id": "310101", "properties": {"name": "x"}, "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}]}'


@pytest.mark.parametrize("order", [("values", "outlines"), ("outlines", "values")])
def test_a_map_finds_its_outlines_in_whatever_order(
    app: Flask, folder: Path, order: tuple[str, str]
) -> None:
    drawn = {"geometry": "outlines", "join": [["code", "id"]], "day": "day", "value": "n"}
    sources = {}
    for name, file, text, more in (
        ("values", "values.csv", "code,day,n\n310101,2020-01-01,1\n", {"map": drawn}),
        ("outlines", "outlines.geojson", OUTLINES, {}),
    ):
        (folder / name).mkdir()
        (folder / name / file).write_text(text)
        declared = {"pattern": file, "slug": name, "title": {"en": name}, **more}
        sources[name] = make_source("files", str(folder / name), slug=name, datasets=[declared])
    for name in order:
        assert harvest(sources[name]).loaded == 1
    found = {
        slug: (table_id, drawn_map)
        for table_id, drawn_map, slug in db.session.execute(
            select(DataTable.id, DataTable.map, Dataset.slug)
            .join(Resource, DataTable.resource_id == Resource.id)
            .join(Dataset, Resource.dataset_id == Dataset.id)
        )
    }
    assert found["values"][1] == {**drawn, "geometry": found["outlines"][0]}
    assert found["outlines"][1] == {}


LIST = {"slug": "rows", "title": {"en": "Rows"}, "path": "rows", "fields": {"a": "a"}}


def served_rows(count: int) -> Any:
    return plain(json.dumps([{"a": at} for at in range(count)]).encode())


def test_an_empty_answer_keeps_the_rows_of_before(app: Flask, server: Served) -> None:
    server.behaviours["/rows"] = served_rows(5)
    source = make_source("rest", server.url, datasets=[LIST])
    assert harvest(source).loaded == 1
    server.behaviours["/rows"] = served_rows(0)
    run = harvest(source)
    assert (run.loaded, run.load_failed) == (0, 1)
    assert sentences(run) == ["The source gave no rows; the 5 rows of before are kept."]
    assert resource().problem["context"] == {"rows": 5}
    assert (table().release, table().rows, len(rows())) == (1, 5, 5)
    server.behaviours["/rows"] = served_rows(4)
    run = harvest(source)
    assert (run.loaded, run.notes, resource().problem) == (1, [], {})


def test_a_large_drop_is_loaded_and_said(app: Flask, server: Served) -> None:
    server.behaviours["/rows"] = served_rows(5)
    source = make_source("rest", server.url, datasets=[LIST])
    harvest(source)
    server.behaviours["/rows"] = served_rows(2)
    (said,) = harvest(source).notes
    problem = said["context"]["problem"]
    assert problem["message"] % problem["context"] == (
        "The table has 2 rows now; before, it had 5."
    )
    assert problem in table().notes
    assert harvest(source).notes == []
    assert problem in table().notes
    assert table().rows == 2


@pytest.mark.parametrize("left", [0, 1])
def test_a_source_that_may_shrink_does(app: Flask, server: Served, left: int) -> None:
    server.behaviours["/rows"] = served_rows(5)
    listed = {**LIST, "read": {"may_shrink": True}}
    source = make_source("rest", server.url, datasets=[listed])
    harvest(source)
    server.behaviours["/rows"] = served_rows(left)
    run = harvest(source)
    assert (run.loaded, run.load_failed, run.notes) == (1, 0, [])
    assert table().rows == left


def test_a_first_load_may_be_empty(app: Flask, server: Served) -> None:
    server.behaviours["/rows"] = served_rows(0)
    assert harvest(make_source("rest", server.url, datasets=[LIST])).loaded == 1
    assert table().rows == 0


def test_one_empty_sheet_keeps_its_rows_and_the_others_are_loaded(app: Flask, folder: Path) -> None:
    file = folder / "book.xlsx"
    make_xlsx(file, {"a": [["x", "y"], [1, 2]], "b": [["x", "y"], [1, 2]]})
    source = make_source("files", str(folder))
    harvest(source)
    make_xlsx(file, {"a": [["x", "y"]], "b": [["x", "y"], [3, 4]]})
    run = harvest(source)
    assert (run.load_failed, run.loaded) == (1, 0)
    found = {
        table.key: (table.release, table.rows) for table in db.session.scalars(select(DataTable))
    }
    assert found == {"a": (1, 1), "b": (2, 1)}


def test_a_table_that_vanished_is_removed_and_said(app: Flask, folder: Path) -> None:
    file = folder / "book.xlsx"
    make_xlsx(file, {"a": [["x", "y"], [1, 2]], "b": [["x", "y"], [1, 2]]})
    source = make_source("files", str(folder))
    harvest(source)
    make_xlsx(file, {"b": [["x", "y"], [1, 2]]})
    (said,) = harvest(source).notes
    assert said["context"]["problem"]["context"] == {"table": "a", "rows": 1}
    assert table().key == "b"


def test_a_damaged_member_of_an_archive_keeps_its_rows(app: Flask, folder: Path) -> None:
    file = folder / "all.zip"
    make_zip(file, {"a.csv": "x,y\n1,2\n", "b.csv": "x,y\n1,2\n"})
    source = make_source("files", str(folder))
    harvest(source)
    make_zip(file, {"a.csv": "<html>", "b.csv": "x,y\n3,4\n"})
    run = harvest(source)
    assert (run.load_failed, run.loaded) == (1, 0)
    assert {(table.key, table.rows) for table in db.session.scalars(select(DataTable))} == {
        ("a.csv", 1), ("b.csv", 1),
    }  # fmt: skip


def test_a_table_that_its_source_does_not_have_is_not_made_where_the_next_run_would_remove_it(
    app: Flask, folder: Path
) -> None:
    (folder / "codes.csv").write_text("code,name\n007,王\n")
    harvest(make_source("files", str(folder)))
    columns = [("n", ColumnType.INTEGER)]
    with pytest.raises(Conflict, match="the next run would remove"):
        table_columns.create(SCHEDULER, resource().id, columns, key="mine")
    assert table().key != "mine"
