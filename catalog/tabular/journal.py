"""The truth of every table: immutable Parquet files, listed by rows of the database; a port, and the one on disk.

On disk a file is written beside, synced, renamed and synced again; only then may a transaction list it. A
kill at any moment therefore leaves at most a file that nothing lists, which `collect` removes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from catalog.errors import NotFound, Unreadable

CHUNK = 1 << 20
BESIDE = ".writing-"


@dataclass(frozen=True)
class Added:
    """A file that may now be listed: its path below the journal's folder, and what proves it whole."""

    path: str
    bytes: int
    sha256: str


class Journal(Protocol):
    """Keeps Parquet files that never change, below one folder a table."""

    @property
    def shared(self) -> bool:
        """Whether other machines read and write it too."""
        ...

    def add(self, table_id: str, position: int, parquet: Path) -> Added:
        """Keep a durable copy of `parquet`; the caller's transaction lists the path it gets."""
        ...

    def keep(self, path: str, parquet: Path) -> None:
        """Keep a durable copy of a file of another journal under the path that it has there, unless it is here."""
        ...

    def writing(self, table_id: str) -> AbstractContextManager[None]:
        """Be the only writer of a table on this machine.

        It only spares the second writer the work: what keeps two of them apart, on however many machines, is the
        position in the journal, which the database gives once.
        """
        ...

    def path(self, relative: str) -> Path:
        """Where this machine can read a listed file; raises NotFound for a path outside the journal."""
        ...

    def verify(self, path: str, sha256: str) -> None:
        """Raise Unreadable, naming the file, unless its bytes are those that were added."""
        ...

    def collect(self, listed: Collection[str], grace: timedelta) -> list[str]:
        """Remove files that no row lists and that are older than `grace`; gives their paths."""
        ...

    def check(self) -> None:
        """Raise Unavailable unless the files can be asked for."""
        ...


class LocalJournal:
    """A folder of Parquet files, one subfolder a table."""

    shared = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, table_id: str, position: int, parquet: Path) -> Added:
        """Keep a durable copy of `parquet`; the caller's transaction lists the path it gets.

        Each call makes a new name, so that the collector can never meet a file that is being listed again.
        """
        place = self.folder / table_id / f"{position:06d}-{uuid.uuid4().hex[:12]}.parquet"
        size, digest = self._write(place, parquet)
        return Added(place.relative_to(self.folder).as_posix(), size, digest)

    def keep(self, path: str, parquet: Path) -> None:
        """Keep a durable copy of a file of another journal under the path that it has there, unless it is here."""
        place = self.path(path)
        if not place.exists():  # it has its name only once it is whole
            self._write(place, parquet)

    def writing(self, table_id: str) -> AbstractContextManager[None]:
        """Be the only writer of a table on this machine; the kernel lets go when the process dies."""
        return locked(self.folder / ".locks" / table_id)

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

    def check(self) -> None:
        """A folder always answers; it is made when it is needed."""

    def _write(self, place: Path, parquet: Path) -> tuple[int, str]:
        home = place.parent
        self._make(home)
        beside = home / f"{BESIDE}{uuid.uuid4().hex}"
        try:
            written = write_parts(beside, parts_of(parquet))
            beside.rename(place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _sync_folder(home)
        return written

    def _make(self, home: Path) -> None:
        if home.is_dir():
            return
        home.mkdir(parents=True, exist_ok=True)
        _sync_folder(self.folder)
        _sync_folder(self.folder.parent)


def parts_of(file: Path) -> Iterator[bytes]:
    """The content of a file, part by part."""
    with file.open("rb") as read:
        while part := read.read(CHUNK):
            yield part


def write_parts(place: Path, parts: Iterable[bytes]) -> tuple[int, str]:
    """Write a new file, hash and sync it in one go; gives its bytes and SHA-256."""
    digest, size = hashlib.sha256(), 0
    with place.open("xb") as file:
        for part in parts:
            digest.update(part)
            file.write(part)
            size += len(part)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


@contextmanager
def locked(place: Path) -> Iterator[None]:
    """Hold a lock of this machine; the kernel lets it go when the process dies."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


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
