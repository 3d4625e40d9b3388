"""Streams that fail half way, from a real server process: what their readers see."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest
from flask import Flask

from api.broken_answers import BrokenAnswers, Watched, break_off, written
from catalog.files.store import file_store
from catalog.models.vocabulary import ColumnType
from catalog.settings import Settings
from tests.make_portal import load_rows, make_served
from tests.make_table import make_columns
from tests.make_web import make_web

COLUMNS = make_columns(no=ColumnType.INTEGER, name=ColumnType.STRING, note=ColumnType.STRING)
ROWS = 130_000


@pytest.fixture
def table(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[str]:
    """A table on a running server whose last rows cannot be read: its path in both APIs is in the address."""
    rows = [
        {"no": at, "name": f"企业{at * 7919 % ROWS}", "note": f"第 {at * 31 % ROWS} 行"}
        for at in range(ROWS)
    ]
    served = make_served(tmp_path, columns=COLUMNS, rows=tuple(rows))
    rows[0] = {**rows[0], "note": "changed"}
    load_rows(served.resource, tmp_path, columns=COLUMNS, rows=tuple(rows))
    damage_the_end(settings)
    with make_web(settings) as address:
        yield f"{address}/api/v1/tables/{served.table}"


def damage_the_end(settings: Settings) -> None:
    """The last values of the last column of the base can no longer be read."""
    base = max(
        (Path(settings.data_dir) / "tables" / "journal").rglob("*.parquet"),
        key=lambda file: file.stat().st_size,
    )
    about = pq.read_metadata(base)
    last = about.row_group(about.num_row_groups - 1).column(2)
    with base.open("r+b") as opened:
        opened.seek(
            (last.dictionary_page_offset or last.data_page_offset) + last.total_compressed_size - 50
        )
        opened.write(b"\xff" * 50)


def broken(address: str) -> bytes:
    """What comes of an answer before it breaks off."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.request("GET", f"{parts.path}?{parts.query}")
    response = connection.getresponse()
    try:
        assert response.status == 200
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()
    finally:
        connection.close()
    return caught.value.partial


def test_what_cannot_be_read_to_its_end_never_looks_whole(table: str) -> None:
    for kind in ("csv", "csv.gz", "json", "jsonl", "parquet", "xlsx"):
        assert broken(f"{table}/releases/2/download.{kind}"), kind
    rows = broken(f"{table}/download.csv?select=no,note").decode()
    assert rows.startswith("no,note\r\n0,changed\r\n")
    assert 0 < rows.count("\n") < ROWS
    assert list(file_store().keys("releases")) == []


def test_curl_fails_too_and_other_answers_of_the_same_connection_come_whole(table: str) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    sound, bad = f"{table}/rows?limit=3", f"{table}/releases/2/download.csv"
    done = subprocess.run(  # the curl of this machine, with our addresses
        [curl, "-sS", "-w", "\n=%{http_code} %{exitcode}\n", sound, bad, sound],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    codes = [line for line in done.stdout.splitlines() if line.startswith("=")]
    assert codes == ["=200 0", "=200 18", "=200 0"]


def pair() -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection of this process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    return ours, theirs


def test_only_the_connection_that_wrote_just_as_much_is_broken() -> None:
    ours, theirs = pair()
    others, also = pair()
    with ours, theirs, others, also:
        theirs.sendall(b"an earlier answer")
        before = written()
        theirs.sendall(b"x" * 60_000)
        also.sendall(b"x" * 90_000)
        assert not break_off(before, 30_000)
        assert not break_off({}, 60_000)
        assert break_off(before, 59_000)
        left = b""
        while piece := ours.recv(100_000):
            left += piece
        assert len(left) == 60_017
        also.sendall(b"goes on")


def test_other_servers_end_their_answers_themselves() -> None:
    pieces = [b"x"]

    def application(environ, start_response):  # type: ignore[no-untyped-def] # as servers call it
        start_response("200 OK", environ["told"])
        return pieces

    watched = BrokenAnswers(application)

    def answer(server: str, *told: tuple[str, str]) -> object:
        environ = {"SERVER_SOFTWARE": server, "told": list(told)}
        return watched(environ, lambda *_: lambda _: None)  # type: ignore[arg-type, return-value] # nothing is written

    assert answer("Werkzeug") is pieces
    assert answer("Granian", ("Content-Length", "1")) is pieces
    assert list(answer("Granian")) == pieces  # type: ignore[call-overload] # an iterable


def test_an_answer_too_short_to_be_told_from_others_ends_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * 1000
        raise OSError("gone")

    monkeypatch.setattr("api.broken_answers.STEP_SECONDS", 0.0)
    monkeypatch.setattr("api.broken_answers.PATIENCE_SECONDS", 0.01)
    watched = Watched(pieces())
    assert next(watched) == b"x" * 1000
    with pytest.raises(OSError, match="gone"):
        list(watched)
