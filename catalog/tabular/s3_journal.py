"""The journal on S3-compatible storage, read through a folder of this machine.

    s3://<bucket>/<prefix>/journal/<table>/000003-4f1c….parquet    the truth, shared by all machines
    <cache>/<table>/000003-4f1c….parquet                           what this machine has fetched or added
    <cache>/.locks/fetch-<number>, <table>                         held while a file is fetched, a table written

An object appears whole or not at all, so what a kill leaves is invisible, or a file that nothing lists. The name of
a file holds the SHA-256 of its bytes: what arrives damaged is not kept. Files never change, so one that is here is
right; the files that were not used for longest make room for others.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
import uuid
import zlib
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catalog.bucket import Bucket
from catalog.errors import NotFound, Unavailable, Unreadable
from catalog.tabular.journal import BESIDE, Added, locked, parts_of, write_parts

log = logging.getLogger(__name__)

IN_USE_SECONDS = 900
"""Longer than any query between asking for a path and opening it: such files are not removed to make room."""
LOCKS = 64


class S3Journal:
    """A Journal in a bucket; any number of machines, and of processes on each that share the cache."""

    shared = True

    def __init__(self, bucket: Bucket, cache: Path, *, most_bytes: int) -> None:
        self.bucket = bucket
        self.cache = cache
        self.most_bytes = most_bytes

    def add(self, table_id: str, position: int, parquet: Path) -> Added:
        """Keep `parquet` in the bucket, and here, where it is read next; the caller's transaction lists the path.

        Each call makes a new name, so that the collector can never meet a file that is being listed again.
        """
        with self._beside(table_id) as beside:
            size, digest = write_parts(beside, parts_of(parquet))
            path = f"{table_id}/{position:06d}-{uuid.uuid4().hex[:12]}-{digest}.parquet"
            self.bucket.send(path, beside)
            if self.bucket.size(path) != size:
                raise Unavailable("the storage of files does not answer")
            beside.rename(self._place(path))
        self._make_room()
        return Added(path, size, digest)

    def keep(self, path: str, parquet: Path) -> None:
        """Keep a copy of a file of another journal under the path that it has there, unless it is in the bucket."""
        with suppress(NotFound):
            if self.bucket.size(path) == parquet.stat().st_size:
                return
        self.bucket.send(path, parquet)

    def writing(self, table_id: str) -> AbstractContextManager[None]:
        """Be the only writer of a table on this machine; the database keeps machines apart."""
        return locked(self.cache / ".locks" / table_id)

    def path(self, relative: str) -> Path:
        """Where the file is on this machine, fetched if need be; raises NotFound for a path outside the journal."""
        place = self._place(relative)
        try:
            os.utime(place)  # it was used now
        except FileNotFoundError:
            self._fetch(relative, _digest_in(relative))
        return place

    def verify(self, path: str, sha256: str) -> None:
        """Raise Unreadable, naming the file, unless its bytes are those that were added."""
        place = self._place(path)
        try:
            size = self.bucket.size(path)
        except NotFound as error:
            raise Unreadable("the file %(path)s of the journal is missing", path=path) from error
        with suppress(FileNotFoundError):
            if _size_and_digest(place) == (size, sha256):
                return
            log.warning("the copy of %s on this machine is damaged, fetching it again", path)
            place.unlink(missing_ok=True)
        self._fetch(path, sha256)

    def collect(self, listed: Collection[str], grace: timedelta) -> list[str]:
        """Remove files that no row lists and that are older than `grace`; gives their paths.

        The grace covers the time between adding a file and the commit that lists it.
        """
        keep = frozenset(listed)
        until = datetime.now(UTC) - grace
        removed = sorted(
            one.key for one in self.bucket.listed() if one.key not in keep and one.modified < until
        )
        self.bucket.delete(removed)
        for path in removed:
            self._place(path).unlink(missing_ok=True)
        return removed

    def check(self) -> None:
        """Raise Unavailable unless the bucket answers."""
        self.bucket.check()

    def _place(self, relative: str) -> Path:
        place = (self.cache / relative).resolve()
        if not place.is_relative_to(self.cache.resolve()):
            raise NotFound("there is no such file")
        return place

    def _fetch(self, path: str, sha256: str) -> None:
        """Bring the file here, once however many ask for it."""
        place = self._place(path)
        number = zlib.crc32(path.encode()) % LOCKS
        with locked(self.cache / ".locks" / f"fetch-{number}"):
            if place.is_file():
                return  # another thread or process was first
            with self._beside(place.parent.name) as beside:
                try:
                    _, found = write_parts(beside, self.bucket.parts(path))
                except NotFound as error:
                    raise Unreadable(
                        "the file %(path)s of the journal is missing", path=path
                    ) from error
                if sha256 and found != sha256:
                    raise Unreadable("the file %(path)s of the journal is damaged", path=path)
                beside.rename(place)
        self._make_room()

    @contextmanager
    def _beside(self, table_id: str) -> Iterator[Path]:
        """A name for a file that is being written; nothing is left under it."""
        home = self._place(table_id)
        home.mkdir(parents=True, exist_ok=True)
        beside = home / f"{BESIDE}{uuid.uuid4().hex}"
        try:
            yield beside
        finally:
            beside.unlink(missing_ok=True)

    def _make_room(self) -> None:
        """Remove what was not used for longest while the cache is over its size; a reader's open file stays."""
        until = time.time() - IN_USE_SECONDS
        files = sorted(self._files())
        excess = sum(size for _, size, _ in files) - self.most_bytes
        for used, size, file in files:
            if used > until:
                return
            if excess > 0 or file.name.startswith(BESIDE):
                file.unlink(missing_ok=True)
                excess -= size

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """When each file was used last, its bytes and its place."""
        for file in self.cache.glob("[!.]*/*"):
            with suppress(FileNotFoundError):
                about = file.stat()
                yield about.st_mtime, about.st_size, file


def _size_and_digest(place: Path) -> tuple[int, str]:
    with place.open("rb") as file:
        return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _digest_in(path: str) -> str:
    """The SHA-256 that a name holds; empty for a file that came from a journal on disk."""
    last = path.removesuffix(".parquet").rpartition("-")[2]
    return last if len(last) == 64 else ""
