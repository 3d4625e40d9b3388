"""What every file store does: on local disk and on a real S3 server."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.errors import NotFound
from catalog.files import FileStore, LocalFiles
from catalog.files.s3_store import S3Files
from tests.make_s3 import S3Server


def make_local(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    return LocalFiles(tmp_path / "files")


def make_s3_store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    server: S3Server = request.getfixturevalue("s3")
    bucket = server.open(f"s3://{server.make_bucket()}/portal/files")
    return S3Files(bucket, tmp_path / "scratch")


STORES: dict[str, Callable[[pytest.FixtureRequest, Path], FileStore]] = {
    "local": make_local,
    "s3": make_s3_store,
}


@pytest.fixture(params=STORES)
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    return STORES[request.param](request, tmp_path)


@pytest.mark.parametrize("key", ["a", "charts/a.svg", "报告/第 1 期+%.csv"])
def test_what_was_put_comes_back(files: FileStore, key: str):
    files.put(key, b"<svg/>")
    assert files.get(key) == b"<svg/>"
    path = files.path(key)
    assert path is None or path.read_bytes() == b"<svg/>"


def test_an_empty_file_is_a_file(files: FileStore):
    files.put("empty", b"")
    assert files.get("empty") == b""
    with files.open("empty") as file:
        assert file.read() == b""


def test_a_new_content_takes_the_place_of_the_old(files: FileStore):
    files.put("a", b"a long content")
    files.put("a", b"short")
    assert files.get("a") == b"short"


@pytest.mark.parametrize(
    ("start", "length", "gives"),
    [
        (0, 4, b"0123"),
        (3, 4, b"3456"),
        (8, 100, b"89"),
        (0, 0, b""),
        (10, 1, b""),
        (1000, 5, b""),
    ],
)
def test_a_file_is_read_from_any_place(files: FileStore, start: int, length: int, gives: bytes):
    files.put("digits", b"0123456789")
    with files.open("digits") as file:
        assert file.seek(start) == start
        assert file.read(length) == gives
        assert file.seek(-3, os.SEEK_END) == 7
        assert file.read() == b"789"


def test_a_finished_file_is_taken_over(files: FileStore, tmp_path: Path):
    finished = tmp_path / "part"
    finished.write_bytes(b"0123456789")
    files.adopt("releases/t/1.csv", finished)
    assert not finished.exists()
    assert files.get("releases/t/1.csv") == b"0123456789"


def test_keys_are_those_of_whole_files_below_a_folder(files: FileStore):
    for key in ("releases/t/1.csv", "releases/u/2.csv", "releasesx", "charts/a.svg"):
        files.put(key, b"1")
    with files.writing("releases/t/3.csv"):
        assert sorted(files.keys("releases")) == ["releases/t/1.csv", "releases/u/2.csv"]
    assert list(files.keys("releases", unchanged_for=3600)) == []
    assert list(files.keys("nothing")) == []


def test_a_file_that_is_being_written_shows_its_old_content_until_it_is_whole(files: FileStore):
    files.put("a", b"old")
    with files.writing("a") as file:
        file.write(b"new and ")
        file.flush()
        assert files.get("a") == b"old"
        file.write(b"whole")
    assert files.get("a") == b"new and whole"


def test_a_new_file_cannot_be_seen_before_it_is_whole(files: FileStore):
    with files.writing("a") as file:
        file.write(b"half")
        file.flush()
        with pytest.raises(NotFound):
            files.get("a")
    assert files.get("a") == b"half"


def test_a_broken_write_leaves_the_old_content(files: FileStore):
    files.put("a", b"old")

    def broken() -> None:
        with files.writing("a") as file:
            file.write(b"ne")
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        broken()
    assert files.get("a") == b"old"


def test_a_file_of_many_parts_comes_back_whole(files: FileStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("catalog.bucket.PART_BYTES", 5 << 20)
    content = os.urandom(12_000_000)
    with files.writing("large") as file:
        for start in range(0, len(content), 1 << 20):
            file.write(content[start : start + (1 << 20)])
    assert files.get("large") == content
    with files.open("large") as file:
        file.seek(5 << 20)
        assert file.read(7_000_000) == content[5 << 20 : (5 << 20) + 7_000_000]


def test_a_deleted_file_is_not_found(files: FileStore):
    files.put("a", b"1")
    files.delete("a")
    files.delete("a")
    assert files.path("a") is None
    for ask in (files.get, files.open):
        with pytest.raises(NotFound):
            ask("a")


@pytest.mark.parametrize("key", ["../outside", "a/../../outside", "/etc/passwd"])
def test_a_key_cannot_leave_the_store(files: FileStore, key: str):
    for ask in (files.get, files.open, files.delete, lambda key: files.put(key, b"x")):
        with pytest.raises(NotFound):
            ask(key)
