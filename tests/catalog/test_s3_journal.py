"""The journal in a bucket: its cache, broken lines, kills; tests/contracts/test_journal.py has the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from catalog.errors import Unavailable, Unreadable
from catalog.tabular.s3_journal import S3Journal
from tests.make_s3 import S3Server

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(s3: S3Server) -> str:
    return f"s3://{s3.make_bucket()}/journal"


def make_journal(s3: S3Server, place: str, cache: Path, *, most_bytes: int = 10**9) -> S3Journal:
    return S3Journal(s3.open(place), cache, most_bytes=most_bytes)


def make_file(folder: Path, size: int = 100_000) -> Path:
    file = folder / "read.parquet"
    file.write_bytes(os.urandom(size))
    return file


def cached(cache: Path) -> set[str]:
    return {file.relative_to(cache).as_posix() for file in cache.glob("[!.]*/*")}


def use_long_ago(journal: S3Journal, path: str, seconds: int) -> None:
    moment = time.time() - seconds
    os.utime(journal.cache / path, (moment, moment))


def test_what_was_not_used_for_longest_makes_room(s3: S3Server, place: str, tmp_path: Path):
    journal = make_journal(s3, place, tmp_path / "cache", most_bytes=350_000)
    old, used, young = (journal.add("t1", at, make_file(tmp_path)).path for at in (1, 2, 3))
    for path, seconds in ((old, 7000), (used, 9000), (young, 5000)):
        use_long_ago(journal, path, seconds)
    journal.path(used)
    added = journal.add("t1", 4, make_file(tmp_path)).path
    assert cached(journal.cache) == {used, young, added}
    assert journal.path(old).stat().st_size == 100_000  # it is fetched again


def test_files_in_use_stay_although_there_is_no_room(s3: S3Server, place: str, tmp_path: Path):
    journal = make_journal(s3, place, tmp_path / "cache", most_bytes=1)
    paths = {journal.add("t1", at, make_file(tmp_path)).path for at in (1, 2, 3)}
    assert cached(journal.cache) == paths


def test_what_a_kill_left_half_fetched_is_removed(s3: S3Server, place: str, tmp_path: Path):
    journal = make_journal(s3, place, tmp_path / "cache")
    journal.add("t1", 1, make_file(tmp_path))
    stray = journal.cache / "t1" / ".writing-0123"
    stray.write_bytes(b"half")
    os.utime(stray, (0, 0))
    journal.add("t1", 2, make_file(tmp_path))
    assert not stray.exists()


def test_a_file_damaged_on_this_machine_is_fetched_again(s3: S3Server, place: str, tmp_path: Path):
    journal = make_journal(s3, place, tmp_path / "cache")
    added = journal.add("t1", 1, make_file(tmp_path))
    whole = journal.path(added.path).read_bytes()
    journal.path(added.path).write_bytes(whole[:-1])
    journal.verify(added.path, added.sha256)
    assert journal.path(added.path).read_bytes() == whole


def test_what_arrives_damaged_is_not_kept(s3: S3Server, place: str, tmp_path: Path):
    added = make_journal(s3, place, tmp_path / "one").add("t1", 1, make_file(tmp_path))
    truth = s3.folder / place.removeprefix("s3://") / added.path
    truth.write_bytes(b"x" + truth.read_bytes()[1:])
    other = make_journal(s3, place, tmp_path / "other")
    with pytest.raises(Unreadable, match="damaged"):
        other.path(added.path)
    assert cached(other.cache) == set()


def test_a_file_that_is_gone_is_named(s3: S3Server, place: str, tmp_path: Path):
    journal = make_journal(s3, place, tmp_path / "cache")
    with pytest.raises(Unreadable, match=r"t1/000001-old\.parquet of the journal is missing"):
        journal.path("t1/000001-old.parquet")


def test_a_file_of_a_journal_on_disk_is_read_under_its_old_name(
    s3: S3Server, place: str, tmp_path: Path
):
    journal = make_journal(s3, place, tmp_path / "cache")
    journal.bucket.send("t1/000001-4f1c0a9b8d7e.parquet", b"moved here")
    assert journal.path("t1/000001-4f1c0a9b8d7e.parquet").read_bytes() == b"moved here"


def test_many_readers_fetch_a_file_once(s3: S3Server, place: str, tmp_path: Path):
    added = make_journal(s3, place, tmp_path / "one").add("t1", 1, make_file(tmp_path, 3_000_000))
    journals = [make_journal(s3, place, tmp_path / "other") for _ in range(6)]
    fetched: list[str] = []
    for journal in journals:
        parts = journal.bucket.parts
        journal.bucket.parts = lambda key, parts=parts: fetched.append(key) or parts(key)
    sizes: list[int] = []
    threads = [
        threading.Thread(target=lambda j=j: sizes.append(j.path(added.path).stat().st_size))
        for j in journals
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [3_000_000] * 6
    assert fetched == [added.path]


def test_a_server_that_is_away_is_unavailable_and_what_is_here_is_read(
    s3: S3Server, place: str, tmp_path: Path
):
    journal = make_journal(s3, place, tmp_path / "cache")
    added = journal.add("t1", 1, make_file(tmp_path))
    away = S3Journal(
        S3Server(1, s3.folder, s3.process).open(place), tmp_path / "cache", most_bytes=10**9
    )
    assert away.path(added.path).stat().st_size == added.bytes
    with pytest.raises(Unavailable):
        away.path("t1/000002-x.parquet")
    with pytest.raises(Unavailable):
        away.add("t1", 2, make_file(tmp_path))
    assert cached(away.cache) == {added.path}


ADDING = """
import sys
from pathlib import Path
from catalog import bucket
from catalog.settings import Settings
from catalog.tabular.s3_journal import S3Journal
bucket.PART_BYTES = 5 << 20
place, cache, file = sys.argv[1:]
journal = S3Journal(bucket.Bucket.at("x", place, Settings.from_env()), Path(cache), most_bytes=10**9)
print("ready", flush=True)
while True:
    added = journal.add("t1", 1, Path(file))
    print(added.path, added.sha256, flush=True)
"""


@pytest.mark.parametrize("wait", [0.05, 0.2, 0.4, 0.9])
def test_a_kill_shows_whole_files_only(s3: S3Server, place: str, tmp_path: Path, wait: float):
    parquet = make_file(tmp_path, 12_000_000)
    process = subprocess.Popen(
        [sys.executable, "-c", ADDING, place, str(tmp_path / "killed"), str(parquet)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **s3.environment()},  # noqa: TID251 # hands the environment on
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    said = [line.split() for line in process.stdout.read().splitlines() if line.count(" ") == 1]
    process.stdout.close()
    process.wait()
    journal = make_journal(s3, place, tmp_path / "cache")
    for path, digest in said:
        if len(digest) == 64:
            journal.verify(path, digest)
    for one in journal.bucket.listed():
        if not one.key.endswith(".parquet"):
            continue  # s3proxy lists its own file of an upload that broke off, under a name of no journal
        assert one.bytes == 12_000_000
        assert journal.path(one.key).read_bytes() == parquet.read_bytes()
