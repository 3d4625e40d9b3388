"""Files that are made once and read while they are made: a thread makes, any number of readers follow.

The bytes of such a file depend on its key alone, so a reader does not care who makes it: one that breaks off
disturbs nobody, and where a maker fails or dies, the next one writes the same bytes again. A lock on the unfinished
file, which the system gives back when its holder dies, keeps two processes from making it at once; a file
that a killed process left unfinished is known by its free lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import current_app

from catalog.errors import CatalogError, Unavailable
from catalog.files.store import FileStore, file_store

log = logging.getLogger(__name__)

PIECE = 1 << 20
"""Bytes handed on at once; larger pieces make no download faster."""
AT_ONCE = 4
"""Files that a process makes at the same time."""
STEP_SECONDS = 0.02
"""How often a process looks how far another one has come."""
TRIES = 2


@dataclass(frozen=True)
class Made:
    """What proves a finished file whole."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Recipe:
    """A file to be made: the key it is kept under, its bytes, and who knows whether it is finished."""

    key: str
    pieces: Callable[[], Iterator[bytes]]
    finished: Callable[[Made], None]
    """Told once the store has the file, before anybody else may make it."""
    known: Callable[[], Made | None]
    """What was told when it was finished, or None."""


class Making:
    """One file on its way; readers take what is there and wait for more."""

    def __init__(self, recipe: Recipe, place: Path, store: FileStore) -> None:
        self.recipe, self.place, self.store = recipe, place, store
        self._changed = threading.Condition()
        self._handle = -1
        self._users = 0
        self._written = 0
        self._kept = False
        self._made: Made | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Make the file, or follow the process that is making it."""
        try:
            made = self._made_somehow()
        except BaseException as error:
            if not isinstance(error, CatalogError):
                log.exception("the file %s could not be made", self.recipe.key)
            self._end(error=error)  # it is raised where somebody reads
        else:
            self._end(made=made)

    def wait(self, seconds: float) -> Made:
        """What proves the file whole, once it is; raises what kept it from being made."""
        with self._changed:
            self._changed.wait_for(lambda: self._made or self._error, seconds)
        if self._error is not None:
            raise self._error
        if self._made is None:
            raise Unavailable(
                "the file is still being made; try again in %(retry_after)s seconds", retry_after=30
            )
        return self._made

    def read(self, offset: int) -> bytes:
        """The next piece from `offset`, as soon as there is one; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._written > offset or self._made or self._error)
            if self._written > offset:
                return os.pread(self._handle, min(PIECE, self._written - offset), offset)
            if self._error is not None:
                raise self._error
        return self._from_store(offset) if self._kept else b""

    def enter(self) -> None:
        """Keep the file open for one more user."""
        with self._changed:
            self._users += 1

    def leave(self) -> None:
        """Close the file with the last of its users."""
        with self._changed:
            self._users -= 1
            if not self._users:
                self._let_go()

    def _made_somehow(self) -> Made:
        self.place.parent.mkdir(parents=True, exist_ok=True)
        while True:
            self._take(os.open(self.place, os.O_RDWR | os.O_CREAT, 0o600))
            while not _locked(self._handle):
                self._tell(os.fstat(self._handle).st_size)
                time.sleep(STEP_SECONDS)
            known = self.recipe.known()
            if known is not None:
                return self._finished_by_another(known)
            if _is_at(self._handle, self.place):
                return self._make()

    def _finished_by_another(self, known: Made) -> Made:
        """What we opened is the finished file, unless we came when it had been moved away already."""
        if _is_at(self._handle, self.place):
            self.place.unlink()
        elif os.fstat(self._handle).st_size == known.bytes:
            self._tell(known.bytes)
            return known
        self._kept = True
        return known

    def _make(self) -> Made:
        try:
            made = self._written_whole()
            self.store.adopt(self.recipe.key, self.place)
        except BaseException:
            self.place.unlink(missing_ok=True)
            raise
        self.recipe.finished(made)
        return made

    def _written_whole(self) -> Made:
        for _ in range(TRIES - 1):
            try:
                return self._write()
            except Unavailable:
                log.warning("the file %s is written again from its beginning", self.recipe.key)
        return self._write()

    def _write(self) -> Made:
        """All pieces; readers who are further on already wait until it comes to them."""
        with self._changed:
            self._written = 0
            os.ftruncate(self._handle, 0)
        digest, size = hashlib.sha256(), 0
        for piece in self.recipe.pieces():
            digest.update(piece)
            size += os.pwrite(self._handle, piece, size)
            self._tell(size)
        return Made(size, digest.hexdigest())

    def _from_store(self, offset: int) -> bytes:
        with self.store.open(self.recipe.key) as file:
            file.seek(offset)
            return file.read(PIECE)

    def _take(self, handle: int) -> None:
        with self._changed:
            self._let_go()
            self._handle = handle

    def _let_go(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)  # and its lock
            self._handle = -1

    def _tell(self, written: int) -> None:
        with self._changed:
            self._written = written
            self._changed.notify_all()

    def _end(self, made: Made | None = None, error: BaseException | None = None) -> None:
        with self._changed:
            self._made, self._error = made, error
            if self._handle >= 0:
                fcntl.flock(self._handle, fcntl.LOCK_UN)
            self._changed.notify_all()


class Reading:
    """The bytes of a file that is being made, from its beginning; close it when you break off."""

    def __init__(self, making: Making) -> None:
        making.enter()
        self._making: Making | None = making
        self._offset = 0

    def __iter__(self) -> Reading:
        return self

    def __next__(self) -> bytes:
        if self._making is None:
            raise StopIteration
        piece = self._making.read(self._offset)
        if not piece:
            self.close()
            raise StopIteration
        self._offset += len(piece)
        return piece

    def close(self) -> None:
        """Let the file go."""
        making, self._making = self._making, None
        if making is not None:
            making.leave()


class Makings:
    """What this process is making, by key; unfinished files are in `folder`, one process sees those of others."""

    def __init__(self, folder: Path, store: FileStore) -> None:
        self.folder, self.store = folder, store
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(AT_ONCE)
        self._under_way: dict[str, Making] = {}

    def reading(self, recipe: Recipe) -> Reading:
        """The file from its beginning while it is made."""
        with self._lock:
            return Reading(self._making(recipe))

    def finished(self, recipe: Recipe, seconds: float) -> Made:
        """Make the file and wait until it is kept; raises Unavailable when that takes longer."""
        with self._lock:
            making = self._making(recipe)
            making.enter()
        try:
            return making.wait(seconds)
        finally:
            making.leave()

    def sweep(self) -> list[str]:
        """Remove what killed processes left unfinished; gives the names."""
        left: list[str] = []
        for place in sorted(self.folder.glob("*")):
            handle = os.open(place, os.O_RDWR)
            try:
                if _locked(handle) and _is_at(handle, place):
                    place.unlink()
                    left.append(place.name)
            finally:
                os.close(handle)
        return left

    def _making(self, recipe: Recipe) -> Making:
        making = self._under_way.get(recipe.key)
        if making is None:
            place = self.folder / recipe.key.replace("/", "_")
            making = self._under_way[recipe.key] = Making(recipe, place, self.store)
            making.enter()
            threading.Thread(target=self._run, args=(making,), name="making", daemon=True).start()
        return making

    def _run(self, making: Making) -> None:
        with self._slots:
            making.run()
        with self._lock:
            del self._under_way[making.recipe.key]
        making.leave()


def makings() -> Makings:
    """What this process is making."""
    weft = current_app.extensions["weft"]
    if "makings" not in weft:
        folder = Path(weft["settings"].data_dir) / "making"
        weft.setdefault("makings", Makings(folder, file_store()))
    return cast("Makings", weft["makings"])


def _locked(handle: int) -> bool:
    """Take the lock of the file if it is free."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(handle: int, place: Path) -> bool:
    """Whether the open file is still the one at `place`."""
    try:
        return os.path.samestat(os.fstat(handle), place.stat())
    except FileNotFoundError:
        return False
