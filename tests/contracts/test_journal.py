"""What every journal does: in a folder and in a bucket of a real S3 server."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.errors import NotFound, Unreadable
from catalog.tabular.journal import Journal, LocalJournal
from catalog.tabular.s3_journal import S3Journal
from tests.make_s3 import S3Server

HOUR = timedelta(hours=1)


@dataclass
class Kept:
    """A journal, the folder that holds its files in truth, and the journal as another machine has it."""

    journal: Journal
    truth: Path
    elsewhere: Journal

    def make_old(self, path: str) -> None:
        """As if the file had been added a day ago."""
        moment = (datetime.now(UTC) - timedelta(days=1)).timestamp()
        os.utime(self.truth / path, (moment, moment))

    def files(self) -> list[str]:
        """All files that are there in truth."""
        return sorted(
            file.relative_to(self.truth).as_posix()
            for file in self.truth.rglob("*")
            if file.is_file()
        )


def make_local(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    folder = tmp_path / "journal"
    return Kept(LocalJournal(folder), folder, LocalJournal(folder))


def make_s3_journal(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    server: S3Server = request.getfixturevalue("s3")
    name = server.make_bucket()
    bucket = server.open(f"s3://{name}/tables/journal")
    one, other = (
        S3Journal(bucket, tmp_path / machine, most_bytes=10**9) for machine in ("one", "other")
    )
    return Kept(one, server.folder / name / "tables" / "journal", other)


JOURNALS: dict[str, Callable[[pytest.FixtureRequest, Path], Kept]] = {
    "local": make_local,
    "s3": make_s3_journal,
}


@pytest.fixture(params=JOURNALS)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    return JOURNALS[request.param](request, tmp_path)


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    file = tmp_path / "read.parquet"
    file.write_bytes(b"PAR1" + os.urandom(300_000) + b"PAR1")
    return file


def test_an_added_file_is_a_whole_copy_for_every_machine(kept: Kept, parquet: Path) -> None:
    added = kept.journal.add("t1", 7, parquet)
    assert kept.journal.path(added.path).read_bytes() == parquet.read_bytes()
    assert kept.elsewhere.path(added.path).read_bytes() == parquet.read_bytes()
    assert added.bytes == parquet.stat().st_size
    assert added.sha256 == hashlib.sha256(parquet.read_bytes()).hexdigest()
    assert added.path.startswith("t1/000007-")
    for journal in (kept.journal, kept.elsewhere):
        journal.verify(added.path, added.sha256)


def test_the_same_content_gets_a_new_name_each_time(kept: Kept, parquet: Path) -> None:
    assert kept.journal.add("t1", 1, parquet).path != kept.journal.add("t1", 1, parquet).path


@pytest.mark.parametrize("damage", ["one byte", "cut", "gone"])
def test_a_damaged_file_is_found_and_named(kept: Kept, parquet: Path, damage: str) -> None:
    added = kept.journal.add("t1", 1, parquet)
    place = kept.truth / added.path
    content = place.read_bytes()
    if damage == "one byte":
        place.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    elif damage == "cut":
        place.write_bytes(content[:-1])
    else:
        place.unlink()
    with pytest.raises(Unreadable, match=added.path):
        kept.elsewhere.verify(added.path, added.sha256)


def test_only_old_files_that_nothing_lists_are_collected(kept: Kept, parquet: Path) -> None:
    add = kept.journal.add
    listed, stray, young = (add(table, 1, parquet).path for table in ("t1", "t1", "t2"))
    lonely = add("t3", 1, parquet).path
    for path in (listed, stray, lonely):
        kept.make_old(path)
    assert kept.journal.collect({listed}, HOUR) == sorted([stray, lonely])
    assert kept.files() == sorted([listed, young])


def test_a_copy_of_an_old_file_is_young(kept: Kept, parquet: Path) -> None:
    os.utime(parquet, (0, 0))
    kept.journal.add("t1", 1, parquet)
    assert kept.journal.collect((), HOUR) == []


def test_nothing_is_collected_from_an_empty_journal(kept: Kept) -> None:
    assert kept.journal.collect((), HOUR) == []


def test_a_source_that_cannot_be_read_leaves_nothing(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        kept.journal.add("t1", 1, tmp_path / "nothing")
    assert kept.files() == []
    assert list(tmp_path.rglob("*.parquet")) == []
    assert list(tmp_path.rglob(".writing-*")) == []


def test_a_path_outside_the_journal_is_refused(kept: Kept) -> None:
    with pytest.raises(NotFound):
        kept.journal.path("../catalog.sqlite")


def test_a_file_of_another_journal_is_kept_under_its_path(kept: Kept, parquet: Path) -> None:
    path = "t1/000001-0123456789ab.parquet"
    for _ in range(2):  # the second time it is there
        kept.journal.keep(path, parquet)
        assert kept.elsewhere.path(path).read_bytes() == parquet.read_bytes()
    assert kept.files() == [path]
