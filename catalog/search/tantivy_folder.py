"""The folder of a Tantivy index: which index is current, one writer at a time, readers that notice.

    <folder>/current        {"index": name, "version": of the schema}; replaced atomically
    <folder>/writer.lock    held while a process writes the current index
    <folder>/<name>/        a Tantivy index

A rebuild fills a new `<name>` and then replaces `current`. Readers look at `current` and at the
index's `meta.json` (two `stat` calls) before each search, so that they see what another process has
committed; one that still reads removed files keeps them open.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import tantivy

from catalog.errors import Unavailable
from catalog.search.tantivy_documents import VERSION, make_schema
from catalog.search.tantivy_spool import Spool

HEAP, SMALL_HEAP = 50_000_000, 15_000_000
"""Bytes a writer collects before it writes a segment: of few documents the least, as it clears them first."""
FEW = 200
PATIENCE_SECONDS = 60.0
"""How long a writer waits for another one."""
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Snapshot:
    """A state of the index that does not change any more; `state` differs from that of any other."""

    searcher: tantivy.Searcher
    state: tuple[str, Stamp]


class IndexFolder:
    """Opens what is current for reading and for writing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.schema = make_schema()
        self.spool = Spool(folder)
        self._lock = threading.Lock()
        self._open: tuple[str, tantivy.Index] | None = None
        self._pointer: tuple[Stamp, str] | None = None
        self._snapshot: Snapshot | None = None
        self._process = os.getpid()

    def snapshot(self) -> Snapshot | None:
        """The newest committed state, or None when nothing was ever written."""
        for attempt in range(5):
            try:
                return self._newest()
            except (OSError, ValueError) as error:
                # A rebuild may have removed the index between two looks: then `current` names another.
                if attempt == 4:
                    raise Unavailable(
                        "the search index cannot be read, it is being repaired"
                    ) from error
                time.sleep(0.02 * attempt)
        raise AssertionError  # pragma: no cover # the loop returns or raises

    @contextlib.contextmanager
    def writing(self, documents: int = 0) -> Iterator[tantivy.IndexWriter]:
        """A writer of so many documents on the current index.

        What it wrote is committed, merged and visible when the block ends well.
        """
        heap = SMALL_HEAP if documents <= FEW else HEAP
        with self._exclusive():
            name = self._current_name()
            if name is None:
                name = self._new_name()
                with self._writer(name, heap) as writer:
                    yield writer
                self._switch(name)
            else:
                with self._writer(name, heap) as writer:
                    yield writer

    @contextlib.contextmanager
    def rebuilding(self) -> Iterator[tuple[tantivy.IndexWriter, contextlib.ExitStack]]:
        """A writer on a new index, which becomes the current one when the block ends well.

        Others write the current one meanwhile; once the caller has `entered` the exclusive part through the
        stack, they wait, and what they wrote is in `spool`.
        """
        with self.spool.rebuilding(), contextlib.ExitStack() as stack:
            name = self._new_name()
            try:
                with self._writer(name, HEAP) as writer:
                    yield writer, stack
                self._switch(name)
            finally:
                self._tidy()

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nobody else writes inside."""
        with self._exclusive():
            yield

    def _newest(self) -> Snapshot | None:
        try:
            pointer = _stamp(self.folder / "current")
        except FileNotFoundError:
            return None
        known, snapshot = self._pointer, self._snapshot
        if known and snapshot and known[0] == pointer and self._process == os.getpid():
            name = known[1]
            if snapshot.state == (name, _stamp(self.folder / name / "meta.json")):
                return snapshot
        with self._lock:
            return self._reopen(pointer)

    def _reopen(self, pointer: Stamp) -> Snapshot | None:
        name = self._current_name()
        if name is None:
            return None
        stamp = _stamp(self.folder / name / "meta.json")
        if self._open is None or self._open[0] != name or self._process != os.getpid():
            index = tantivy.Index.open(str(self.folder / name))
            index.config_reader(reload_policy="manual")
            self._open, self._process = (name, index), os.getpid()
        index = self._open[1]
        index.reload()
        self._snapshot = Snapshot(index.searcher(), (name, stamp))
        self._pointer = (pointer, name)
        return self._snapshot

    def _current_name(self) -> str | None:
        try:
            current = orjson.loads((self.folder / "current").read_bytes())
            name, version = str(current["index"]), current["version"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable("the search index cannot be read, it is being repaired") from error
        if version != VERSION:
            raise Unavailable("the search index is of another version, it is being rebuilt")
        return name

    def _new_name(self) -> str:
        return f"index-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(4)}"

    @contextlib.contextmanager
    def _writer(self, name: str, heap: int) -> Iterator[tantivy.IndexWriter]:
        place = self.folder / name
        try:
            place.mkdir(parents=True, exist_ok=True)
            writer = tantivy.Index(self.schema, str(place)).writer(heap, 1)
        except (OSError, ValueError) as error:
            raise Unavailable("the search index cannot be written, it is being repaired") from error
        try:
            yield writer
            writer.commit()
        except BaseException:
            writer.rollback()
            raise
        finally:
            writer.wait_merging_threads()

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Hold the lock among processes and threads; the system frees it if the process dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "writer.lock").open("ab") as file:
            end = time.monotonic() + PATIENCE_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > end:
                        raise Unavailable("another process is writing the search index") from error
                    time.sleep(0.02)
            yield

    def _switch(self, name: str) -> None:
        beside = self.folder / f".current-{secrets.token_hex(4)}"
        with beside.open("wb") as file:
            file.write(orjson.dumps({"index": name, "version": VERSION}))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.folder / "current")

    def _tidy(self) -> None:
        """Remove indexes that are not current: older ones, and those of rebuilds that did not end."""
        try:
            current = self._current_name()
        except Unavailable:
            return
        for place in self.folder.glob("index-*"):
            if place.name != current:
                shutil.rmtree(place, ignore_errors=True)


def _stamp(file: Path) -> Stamp:
    status = file.stat()
    return status.st_mtime_ns, status.st_ino, status.st_size
