"""Releases from a real server process: broken off and gone on with, proven by a script, read in place."""

from __future__ import annotations

import http.client
import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pyarrow.parquet as pq
import pytest
from flask import Flask

from catalog.models.vocabulary import ColumnType
from catalog.settings import Settings
from tests.make_portal import make_served
from tests.make_table import make_columns
from tests.make_web import make_web

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "verify_release.py"
ROWS = 150_000


@pytest.fixture
def release(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[str]:
    """The address of a release of many rows on a running server."""
    columns = make_columns(no=ColumnType.INTEGER, 名称=ColumnType.STRING, 备注=ColumnType.STRING)
    rows = tuple(
        {"no": at, "名称": f"企业{at * 7919 % ROWS}", "备注": f"第 {at} 行,注"}
        for at in range(ROWS)
    )
    served = make_served(tmp_path, columns=columns, rows=rows)
    with make_web(settings) as address:
        yield f"{address}/api/v1/tables/{served.table}/releases/1"


def get(
    address: str, **headers: str
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    sent = {name.replace("_", "-"): text for name, text in headers.items()}
    connection.request("GET", f"{parts.path}?{parts.query}", headers=sent)
    return connection, connection.getresponse()


def whole(address: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection, response = get(address, **headers)
    content = response.read()
    connection.close()
    return response, content


def test_a_download_that_breaks_off_in_the_middle_is_gone_on_with_and_proven_whole(
    release: str, tmp_path: Path
) -> None:
    target = tmp_path / "release.csv"
    connection, response = get(f"{release}/download.csv")
    assert response.status == 200
    half = response.read(2_000_000)
    connection.close()  # the reader is gone while the file is being made
    target.write_bytes(half)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), release, str(target)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == ""
    assert "release 1, whole and unchanged" in done.stdout
    assert target.read_bytes()[: len(half)] == half
    assert target.read_bytes().count(b"\n") == ROWS + 1
    manifest = orjson.loads(whole(f"{release}/manifest")[1])
    told = {file["format"]: file for file in manifest["files"]}
    assert told["csv"]["bytes"] == target.stat().st_size
    assert told["json"]["bytes"] is None


def test_the_script_finds_a_single_wrong_byte(release: str, tmp_path: Path) -> None:
    target = tmp_path / "release.csv"
    content = bytearray(whole(f"{release}/download.csv")[1])
    content[1000] ^= 1
    target.write_bytes(content)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), release, str(target)], capture_output=True, check=False
    )
    assert b"damaged" in done.stderr


def test_readers_at_once_get_the_same_bytes_of_one_file(release: str, settings: Settings) -> None:
    found: list[bytes] = []

    def read() -> None:
        found.append(whole(f"{release}/download.jsonl")[1])

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(set(found)) == 1
    assert found[0].count(b"\n") == ROWS
    kept = list((Path(settings.data_dir) / "files" / "releases").rglob("*.jsonl"))
    assert [file.read_bytes() for file in kept] == [found[0]]
    assert list((Path(settings.data_dir) / "making").iterdir()) == []


class InPlace(io.RawIOBase):
    """A file on a server, read by ranges only."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address, self.at, self.fetched = address, 0, 0
        response, _ = whole(address, Range="bytes=0-0")
        self.size = int(response.headers["Content-Range"].rpartition("/")[2])

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self.at = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence] + offset
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override] # any buffer will do
        last = min(self.at + len(buffer), self.size) - 1
        if last < self.at:
            return 0
        response, content = whole(self.address, Range=f"bytes={self.at}-{last}")
        assert response.status == 206
        buffer[: len(content)] = content
        self.at += len(content)
        self.fetched += len(content)
        return len(content)


def test_one_column_of_parquet_is_read_in_place_without_the_others(release: str) -> None:
    with InPlace(f"{release}/download.parquet") as file:
        read = pq.ParquetFile(file).read(columns=["no"])
        assert read["no"].to_pylist() == list(range(ROWS))
        assert file.fetched < file.size / 2
