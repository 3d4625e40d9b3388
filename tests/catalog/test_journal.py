"""The journal: whole files, listed or collected."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.errors import NotFound, Unreadable
from catalog.tabular.journal import Journal

HOUR = timedelta(hours=1)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    file = tmp_path / "read.parquet"
    file.write_bytes(b"PAR1" + os.urandom(3_000_000) + b"PAR1")
    return file


def make_old(journal: Journal, path: str) -> None:
    """As if the file had been added a day ago."""
    moment = (datetime.now(UTC) - timedelta(days=1)).timestamp()
    os.utime(journal.path(path), (moment, moment))


def test_an_added_file_is_a_whole_copy(journal: Journal, parquet: Path) -> None:
    added = journal.add("t1", 7, parquet)
    assert journal.path(added.path).read_bytes() == parquet.read_bytes()
    assert added.bytes == parquet.stat().st_size
    assert added.sha256 == hashlib.sha256(parquet.read_bytes()).hexdigest()
    assert added.path.startswith("t1/000007-")
    journal.verify(added.path, added.sha256)


def test_the_same_content_gets_a_new_name_each_time(journal: Journal, parquet: Path) -> None:
    assert journal.add("t1", 1, parquet).path != journal.add("t1", 1, parquet).path


@pytest.mark.parametrize("damage", ["one byte", "cut", "gone"])
def test_a_damaged_file_is_found_and_named(journal: Journal, parquet: Path, damage: str) -> None:
    added = journal.add("t1", 1, parquet)
    place = journal.path(added.path)
    content = place.read_bytes()
    if damage == "one byte":
        place.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    elif damage == "cut":
        place.write_bytes(content[:-1])
    else:
        place.unlink()
    with pytest.raises(Unreadable, match=added.path):
        journal.verify(added.path, added.sha256)


def test_only_old_files_that_nothing_lists_are_collected(journal: Journal, parquet: Path) -> None:
    listed, stray, young = (journal.add(table, 1, parquet).path for table in ("t1", "t1", "t2"))
    lonely = journal.add("t3", 1, parquet).path
    for path in (listed, stray, lonely):
        make_old(journal, path)
    assert journal.collect({listed}, HOUR) == sorted([stray, lonely])
    assert journal.path(listed).exists()
    assert journal.path(young).exists()
    assert not journal.path("t3").exists()


def test_a_copy_of_an_old_file_is_young(journal: Journal, parquet: Path) -> None:
    os.utime(parquet, (0, 0))
    journal.add("t1", 1, parquet)
    assert journal.collect((), HOUR) == []


def test_a_source_that_cannot_be_read_leaves_nothing(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        journal.add("t1", 1, tmp_path / "nothing")
    assert list(journal.folder.rglob("*.*")) == []


def test_a_path_outside_the_journal_is_refused(journal: Journal) -> None:
    with pytest.raises(NotFound):
        journal.path("../catalog.sqlite")


ADDING = """
import sys
from pathlib import Path
from catalog.tabular.journal import Journal
journal = Journal(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    added = journal.add("t1", 1, Path(sys.argv[2]))
    print(added.path, added.sha256, flush=True)
"""


@pytest.mark.parametrize("wait", [0.02, 0.05, 0.11])
def test_a_kill_leaves_whole_files_and_strays_only(
    journal: Journal, parquet: Path, wait: float
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ADDING, str(journal.folder), str(parquet)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent.parent,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    said = [line.split() for line in process.stdout.read().splitlines() if line.count(" ") == 1]
    process.stdout.close()
    process.wait()
    whole = [(path, digest) for path, digest in said if len(digest) == 64]
    for path, digest in whole:
        journal.verify(path, digest)
    for file in journal.folder.glob("*/*"):
        os.utime(file, (0, 0))
    journal.collect({path for path, _ in whole}, HOUR)
    assert {file.relative_to(journal.folder).as_posix() for file in journal.folder.glob("*/*")} == {
        path for path, _ in whole
    }
