"""Releases as files: whole, in parts, made once, and the same bytes for ever."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import time
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from api import files as api_files
from catalog.db import db, transaction
from catalog.files import file_store
from catalog.models.dataset import Dataset
from catalog.models.table import DataTable, ReleaseFile, TableColumn
from catalog.models.usage import UsageDay
from catalog.models.vocabulary import Access, ColumnType
from catalog.permissions import ANYONE
from catalog.services import release_files, release_keeping, tables, usage
from tests.make_portal import Served, load_rows, make_served
from tests.make_table import STATION_ROWS, make_columns

PLAIN = ("csv", "csv.gz", "json", "jsonl", "parquet", "xlsx")


@pytest.fixture
def served(app: Flask, tmp_path: Path) -> Served:
    return make_served(tmp_path)


def ask(client: FlaskClient, served: Served, what: str, **headers: str) -> Any:
    path = f"/api/v1/tables/{served.table}{what}"
    sent = {name.replace("_", "-"): text for name, text in headers.items()}
    return client.get(path, headers=sent, buffered=True)


def listed(served: Served, name: str) -> ReleaseFile:
    found = select(ReleaseFile).where(
        ReleaseFile.table_id == served.table, ReleaseFile.format == name
    )
    db.session.rollback()  # what threads have listed meanwhile can be seen then
    return db.session.scalars(found).one()


@pytest.mark.parametrize("kind", PLAIN)
def test_the_first_and_every_later_download_have_the_bytes_that_are_listed(
    client: FlaskClient, served: Served, kind: str
) -> None:
    first = ask(client, served, f"/releases/1/download.{kind}")
    assert first.status_code == 200
    assert "Content-Length" not in first.headers
    row = listed(served, kind)
    assert (row.bytes, row.sha256) == (len(first.data), hashlib.sha256(first.data).hexdigest())
    later = ask(client, served, f"/releases/1/download.{kind}")
    assert later.data == first.data
    assert later.headers["Content-Length"] == str(len(first.data))
    assert later.headers["ETag"] == first.headers["ETag"]
    assert 'filename="air-quality-r1.' in later.headers["Content-Disposition"]


@pytest.mark.parametrize("kind", PLAIN)
def test_a_file_that_was_let_go_is_made_again_byte_for_byte(
    client: FlaskClient, served: Served, kind: str
) -> None:
    first = ask(client, served, f"/releases/1/download.{kind}")
    release_keeping.let_go_oldest(0)
    row = listed(served, kind)
    assert not row.kept
    assert file_store().path(row.path) is None
    time.sleep(2.1 if kind in ("xlsx", "csv.gz") else 0)  # these formats could hold a moment
    again = ask(client, served, f"/releases/1/download.{kind}")
    assert again.data == first.data
    assert again.headers["Content-Length"] == str(len(first.data))  # known from the first time
    assert again.headers["ETag"] == first.headers["ETag"]
    assert listed(served, kind).kept


def test_the_newest_release_has_the_address_of_the_table_too(
    client: FlaskClient, served: Served
) -> None:
    newest = ask(client, served, "/download.csv")
    numbered = ask(client, served, "/releases/1/download.csv")
    assert newest.data == numbered.data
    assert newest.headers["ETag"] == numbered.headers["ETag"]
    assert gzip.decompress(ask(client, served, "/download.csv.gz").data) == newest.data


def test_the_variant_for_excel_is_a_file_of_its_own(client: FlaskClient, served: Served) -> None:
    plain = ask(client, served, "/releases/1/download.csv")
    excel = ask(client, served, "/releases/1/download.csv?bom=1")
    assert excel.data.startswith(b"\xef\xbb\xbf")
    assert excel.headers["ETag"] != plain.headers["ETag"]
    assert listed(served, "csv-bom").bytes == len(excel.data)


@pytest.mark.parametrize(
    ("span", "start", "stop"),
    [("0-9", 0, 10), ("10-", 10, None), ("-7", -7, None), ("5-99999", 5, None), ("3-3", 3, 4)],
)
@pytest.mark.parametrize("kept", [True, False])
def test_a_part_is_what_the_whole_file_has_there(
    client: FlaskClient,
    served: Served,
    span: str,
    start: int,
    stop: int | None,
    kept: bool,
) -> None:
    if kept:
        ask(client, served, "/releases/1/download.csv")
    part = ask(client, served, "/releases/1/download.csv", Range=f"bytes={span}")
    whole = ask(client, served, "/releases/1/download.csv").data
    assert part.status_code == 206
    assert part.data == whole[start:stop]
    first = start % len(whole)
    last = first + len(part.data) - 1
    assert part.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
    assert part.headers["Content-Length"] == str(len(part.data))
    assert part.headers["Accept-Ranges"] == "bytes"


def test_a_part_behind_the_end_is_refused_with_the_size(
    client: FlaskClient, served: Served
) -> None:
    whole = ask(client, served, "/releases/1/download.csv").data
    beyond = ask(client, served, "/releases/1/download.csv", Range=f"bytes={len(whole)}-")
    assert (beyond.status_code, beyond.data) == (416, b"")
    assert beyond.headers["Content-Range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize(
    "span",
    [
        "rows=0-1",
        "bytes=",
        "bytes=a-b",
        "nonsense",
        "bytes=5-6,0-1",
        "bytes=0-9,5-20",
        "bytes=0-400,-400",
        "bytes=" + ",".join(f"{2 * at}-{2 * at}" for at in range(65)),
    ],
)
def test_what_names_no_parts_that_can_be_told_apart_is_answered_with_the_whole_file(
    client: FlaskClient, served: Served, span: str
) -> None:
    answer = ask(client, served, "/releases/1/download.csv", Range=span)
    assert answer.status_code == 200
    assert answer.data == ask(client, served, "/releases/1/download.csv").data


@pytest.mark.parametrize("kept", [True, False])
def test_several_parts_come_in_one_answer(
    client: FlaskClient, served: Served, *, kept: bool
) -> None:
    if kept:
        ask(client, served, "/releases/1/download.csv")
    answer = ask(client, served, "/releases/1/download.csv", Range="bytes=0-9,20-29,-5")
    whole = ask(client, served, "/releases/1/download.csv").data
    assert answer.status_code == 206
    assert "Content-Range" not in answer.headers
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.headers["Content-Type"].startswith("multipart/byteranges; boundary=")
    assert answer.headers["ETag"]
    size = len(whole)
    assert parts_of(answer) == [
        ("text/csv; charset=utf-8", f"bytes 0-9/{size}", whole[:10]),
        ("text/csv; charset=utf-8", f"bytes 20-29/{size}", whole[20:30]),
        ("text/csv; charset=utf-8", f"bytes {size - 5}-{size - 1}/{size}", whole[-5:]),
    ]


def parts_of(answer: Any) -> list[tuple[str, str, bytes]]:
    """Kind, range and bytes of each part, as a reader of MIME finds them."""
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    read = BytesParser(policy=HTTP).parsebytes(head + answer.data)
    return [
        (
            part["Content-Type"].replace('"', ""),
            part["Content-Range"],
            part.get_payload(decode=True),
        )
        for part in read.iter_parts()
    ]


def test_of_several_parts_those_that_the_file_has_are_answered(
    client: FlaskClient, served: Served
) -> None:
    whole = ask(client, served, "/releases/1/download.csv").data
    one = ask(client, served, "/releases/1/download.csv", Range="bytes=3-5,90000-90009")
    assert (one.status_code, one.data) == (206, whole[3:6])
    assert one.headers["Content-Range"] == f"bytes 3-5/{len(whole)}"
    none = ask(client, served, "/releases/1/download.csv", Range="bytes=90000-90001,90005-")
    assert (none.status_code, none.data) == (416, b"")
    assert none.headers["Content-Range"] == f"bytes */{len(whole)}"
    changed = {"Range": "bytes=0-1,5-6", "If_Range": '"other"'}
    assert ask(client, served, "/releases/1/download.csv", **changed).status_code == 200


def test_a_download_goes_on_only_in_the_file_that_it_began_in(
    client: FlaskClient, served: Served, tmp_path: Path
) -> None:
    first = ask(client, served, "/download.csv")
    tag, moment = first.headers["ETag"], first.headers["Last-Modified"]
    for condition in (tag, moment):
        on = ask(client, served, "/download.csv", Range="bytes=9-", If_Range=condition)
        assert (on.status_code, on.data) == (206, first.data[9:])
    for condition in ('"other"', f"W/{tag}x", "Fri, 01 Mar 2013 00:00:00 GMT"):
        anew = ask(client, served, "/download.csv", Range="bytes=9-", If_Range=condition)
        assert (anew.status_code, anew.data) == (200, first.data)
    load_rows(served.resource, tmp_path, rows=STATION_ROWS[:2])
    anew = ask(client, served, "/download.csv", Range="bytes=9-", If_Range=tag)
    assert anew.status_code == 200
    assert anew.data != first.data


def test_head_makes_nothing_and_tells_the_size_once_it_is_known(
    client: FlaskClient, served: Served
) -> None:
    path = f"/api/v1/tables/{served.table}/releases/1/download.parquet"
    before = client.head(path)
    assert (before.status_code, before.data) == (200, b"")
    assert "Content-Length" not in before.headers
    assert db.session.scalars(select(ReleaseFile)).all() == []
    whole = client.get(path, buffered=True)
    after = client.head(path, headers={"Range": "bytes=0-1"})
    assert after.headers["Content-Length"] == str(len(whole.data))
    assert after.headers["ETag"] == before.headers["ETag"] == whole.headers["ETag"]


def test_an_unchanged_file_is_not_sent_again(client: FlaskClient, served: Served) -> None:
    first = ask(client, served, "/releases/1/download.csv")
    same = ask(client, served, "/releases/1/download.csv", If_None_Match=first.headers["ETag"])
    assert (same.status_code, same.data) == (304, b"")


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("/releases/9/download.csv", 404),
        ("/releases/0/download.csv", 404),
        ("/releases/x/download.csv", 404),
        ("/releases/99999999999999999999/download.csv", 404),
        ("/releases/1/download.pdf", 404),
        ("/releases/1/download.geojson", 404),
        ("/releases/1/download.csv?where=1=1", 422),
    ],
)
def test_what_is_not_there_is_refused_with_a_sentence(
    client: FlaskClient, served: Served, what: str, status: int
) -> None:
    answer = ask(client, served, what)
    assert answer.status_code == status
    assert answer.json["detail"]


def test_a_file_is_as_closed_as_its_table_although_it_is_kept(
    client: FlaskClient, served: Served
) -> None:
    ask(client, served, "/releases/1/download.csv")
    dataset = db.session.get(Dataset, served.dataset)
    assert dataset is not None
    with transaction():
        dataset.access = Access.CLOSED
    assert ask(client, served, "/releases/1/download.csv").status_code == 401
    assert ask(client, served, "/releases/1/download.csv", Range="bytes=0-5").status_code == 401


def test_a_kept_file_that_the_store_has_lost_is_made_again(
    client: FlaskClient, served: Served
) -> None:
    first = ask(client, served, "/releases/1/download.csv")
    for headers in ({}, {"Range": "bytes=0-99999"}):
        file_store().delete(listed(served, "csv").path)
        assert ask(client, served, "/releases/1/download.csv", **headers).data == first.data


def test_a_download_counts_once_however_often_it_goes_on(
    client: FlaskClient, served: Served
) -> None:
    ask(client, served, "/releases/1/download.csv")
    for start in (1, 2, 3):
        ask(client, served, "/releases/1/download.csv", Range=f"bytes={start}-")
    ask(client, served, "/releases/1/download.csv", Range="bytes=0-5")
    client.head(f"/api/v1/tables/{served.table}/releases/1/download.csv")
    usage.flush()
    db.session.rollback()
    counted = db.session.scalars(select(UsageDay.count).where(UsageDay.kind == "download")).all()
    assert sum(counted) == 2


def test_places_make_map_files(
    client: FlaskClient, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = make_columns(
        name=ColumnType.STRING, lng=ColumnType.NUMBER, lat=ColumnType.NUMBER, n=ColumnType.INTEGER
    )
    rows = (
        {"name": "东四", "lng": 116.4, "lat": 39.9, "n": 1},
        {"name": None, "lng": None, "lat": 1.0, "n": 2},
    )
    made = make_served(tmp_path, columns=columns, rows=rows)
    with transaction():
        for name, semantic in (("lng", "longitude"), ("lat", "latitude")):
            column = db.session.scalars(select(TableColumn).filter_by(name=name)).one()
            column.semantic = semantic
        table = db.session.get(DataTable, made.table)
        assert table is not None
        table.updated_at = datetime.now(UTC)
    features = orjson.loads(ask(client, made, "/releases/1/download.geojson").data)["features"]
    assert features[0] == {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [116.4, 39.9]},
        "properties": {"name": "东四", "lng": 116.4, "lat": 39.9, "n": 1},
    }
    assert features[1]["geometry"] is None
    monkeypatch.setattr(api_files, "WAIT_SECONDS", 0.0)
    later = ask(client, made, "/releases/1/download.gpkg")
    assert (later.status_code, later.json["retry_after"]) == (503, 30)
    assert later.headers["Retry-After"] == "30"
    monkeypatch.undo()
    package = ask(client, made, "/releases/1/download.gpkg")
    assert package.headers["Content-Length"] == str(len(package.data))
    assert package.data.startswith(b"SQLite format 3\x00")
    release_keeping.let_go_oldest(0)
    assert ask(client, made, "/releases/1/download.gpkg").data == package.data
    with transaction():
        for name in ("lng", "lat"):
            column = db.session.scalars(select(TableColumn).filter_by(name=name)).one()
            column.info = {"crs": "gcj02"}
        table.updated_at = datetime.now(UTC)
    moved = orjson.loads(ask(client, made, "/releases/1/download.geojson").data)["features"]
    east, north = moved[0]["geometry"]["coordinates"]
    assert (east, north) == pytest.approx((116.3938, 39.8986), abs=0.0005)
    assert moved[0]["properties"]["lng"] == 116.4
    assert moved[1]["geometry"] is None


def test_small_new_releases_are_made_by_the_clock(app: Flask, served: Served) -> None:
    tables.keep_release_files()
    db.session.rollback()
    kept = db.session.scalars(select(ReleaseFile.format).order_by(ReleaseFile.format)).all()
    assert kept == ["csv", "parquet"]
    made = {row.id for row in db.session.scalars(select(ReleaseFile))}
    tables.keep_release_files()
    assert {row.id for row in db.session.scalars(select(ReleaseFile))} == made


def test_files_used_longest_ago_are_let_go_first(client: FlaskClient, served: Served) -> None:
    for at, kind in enumerate(("csv", "jsonl", "json")):
        ask(client, served, f"/releases/1/download.{kind}")
        with transaction():
            listed(served, kind).used_at = datetime(2020, 1, 1 + at, tzinfo=UTC)
    ask(client, served, "/releases/1/download.csv")  # used again, so it is the youngest now
    whole = sum(db.session.scalars(select(ReleaseFile.bytes)))
    release_keeping.let_go_oldest(whole - 1)
    kept = select(ReleaseFile.format).where(ReleaseFile.kept).order_by(ReleaseFile.format)
    assert db.session.scalars(kept).all() == ["csv", "json"]


def test_files_that_nothing_lists_are_removed_after_a_while(app: Flask, served: Served) -> None:
    release_files.made(release_files.find(ANYONE, served.table, 1, "csv"))
    for key in ("releases/gone/1-a.csv", "releases/gone/2-b.csv"):
        file_store().put(key, b"x")
    old = file_store().path("releases/gone/1-a.csv")
    assert old is not None
    os.utime(old, (0, 0))
    tables.keep_release_files()
    keys = list(file_store().keys("releases"))
    assert "releases/gone/1-a.csv" not in keys
    assert "releases/gone/2-b.csv" in keys
    assert listed(served, "csv").path in keys


def test_columns_of_parquet_can_be_read_in_place(client: FlaskClient, served: Served) -> None:
    whole = ask(client, served, "/releases/1/download.parquet").data
    assert pq.read_table(io.BytesIO(whole)).num_rows == len(STATION_ROWS)
