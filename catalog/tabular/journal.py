"""The truth of every table: a folder of immutable Parquet files, listed by rows of the database.

A file is written beside, synced, renamed and synced again; only then may a transaction list it. A
kill at any moment therefore leaves at most a file that nothing lists, which `collect` removes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catalog.errors import NotFound, Unreadable

CHUNK = 1 << 20
BESIDE = ".writing-"


@dataclass(frozen=True)
class Added:
    """A file that may now be listed: its path below the journal's folder, and what proves it whole."""

    path: str
    bytes: int
    sha256: str


class Journal:
    """A folder of Parquet files, one subfolder a table."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, table_id: str, position: int, parquet: Path) -> Added:
        """Keep a durable copy of `parquet`; the caller's transaction lists the path it gets.

        Each call makes a new name, so that the collector can never meet a file that is being listed again.
        """
        home = self.folder / table_id
        self._make(home)
        beside = home / f"{BESIDE}{uuid.uuid4().hex}"
        try:
            size, digest = _copy(parquet, beside)
            place = home / f"{position:06d}-{uuid.uuid4().hex[:12]}.parquet"
            beside.rename(place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _sync_folder(home)
        return Added(place.relative_to(self.folder).as_posix(), size, digest)

    @contextmanager
    def writing(self, table_id: str) -> Iterator[None]:
        """Be the only writer of a table on this machine; the kernel lets go when the process dies.

        It only spares the second writer the work: what keeps two of them apart is the position in the journal,
        which the database gives once.
        """
        locks = self.folder / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / table_id).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def path(self, relative: str) -> Path:
        """Where a listed file is; raises NotFound for a path outside the journal."""
        place = (self.folder / relative).resolve()
        if not place.is_relative_to(self.folder.resolve()):
            raise NotFound("there is no such file")
        return place

    def verify(self, path: str, sha256: str) -> None:
        """Raise Unreadable, naming the file, unless its bytes are those that were added."""
        place = self.path(path)
        if not place.is_file():
            raise Unreadable("the file %(path)s of the journal is missing", path=path)
        with place.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise Unreadable("the file %(path)s of the journal is damaged", path=path)

    def collect(self, listed: Collection[str], grace: timedelta) -> list[str]:
        """Remove files that no row lists and that are older than `grace`; gives their paths.

        The grace covers the time between adding a file and the commit that lists it.
        """
        keep = frozenset(listed)
        until = (datetime.now(UTC) - grace).timestamp()
        removed: list[str] = []
        for file in sorted(self.folder.glob("[!.]*/*")):
            name = file.relative_to(self.folder).as_posix()
            if name not in keep and file.is_file() and file.stat().st_mtime < until:
                file.unlink(missing_ok=True)
                removed.append(name)
        for home in {self.folder / name.split("/")[0] for name in removed}:
            _remove_empty(home)
        return removed

    def _make(self, home: Path) -> None:
        if home.is_dir():
            return
        home.mkdir(parents=True, exist_ok=True)
        _sync_folder(self.folder)
        _sync_folder(self.folder.parent)


def _copy(source: Path, target: Path) -> tuple[int, str]:
    """Copy, hash and sync in one reading; the copy is new, so its age is the age in the journal."""
    digest = hashlib.sha256()
    size = 0
    with source.open("rb") as read, target.open("xb") as write:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            write.write(chunk)
            size += len(chunk)
        write.flush()
        os.fsync(write.fileno())
    return size, digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # another file arrived, or another process removed it
