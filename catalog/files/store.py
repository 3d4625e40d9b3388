"""The port of file stores, and the one on local disk."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol, cast

from flask import current_app

from catalog.errors import NotFound

BESIDE = ".writing-"
COPY_BYTES = 1 << 20


class FileStore(Protocol):
    """Keeps whole files under keys such as `charts/ab12.svg`."""

    def writing(self, key: str) -> AbstractContextManager[IO[bytes]]:
        """A context that gives a writable file; the key shows it only after the context ends well."""
        ...

    def put(self, key: str, content: bytes) -> None:
        """Keep `content` under `key`, durably."""
        ...

    def get(self, key: str) -> bytes:
        """The content under `key`; raises NotFound."""
        ...

    def path(self, key: str) -> Path | None:
        """Local path of the file, or None where it has none or does not exist."""
        ...

    def adopt(self, key: str, file: Path) -> None:
        """Take over a finished local file under `key`, durably; it is gone from where it was."""
        ...

    def open(self, key: str) -> IO[bytes]:
        """The file under `key` for reading from any place of it; raises NotFound."""
        ...

    def keys(self, folder: str, *, unchanged_for: float = 0) -> Iterator[str]:
        """All keys that begin with `folder` and a slash, of files that are so many seconds old."""
        ...

    def delete(self, key: str) -> None:
        """Forget the key; unknown keys are no error."""
        ...

    def check(self) -> None:
        """Raise Unavailable unless the store answers."""
        ...


class LocalFiles:
    """Files in a folder: written beside, synced, then renamed, so that a kill leaves no half file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _place(self, key: str) -> Path:
        place = (self.folder / key).resolve()
        if not place.is_relative_to(self.folder.resolve()):
            raise NotFound("there is no such file")
        return place

    @contextmanager
    def writing(self, key: str) -> Iterator[IO[bytes]]:
        """A context that gives a writable file; the key shows it only after the context ends well."""
        place = self._place(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=BESIDE)
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            beside.replace(place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        sync_folder(place.parent)

    def put(self, key: str, content: bytes) -> None:
        """Keep `content` under `key`, durably."""
        with self.writing(key) as file:
            file.write(content)

    def get(self, key: str) -> bytes:
        """The content under `key`; raises NotFound."""
        with _not_found():
            return self._place(key).read_bytes()

    def path(self, key: str) -> Path | None:
        """Local path of the file, or None if it does not exist."""
        place = self._place(key)
        return place if place.is_file() else None

    def adopt(self, key: str, file: Path) -> None:
        """Take over a finished local file under `key`, durably; it is gone from where it was."""
        place = self._place(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        if file.stat().st_dev != place.parent.stat().st_dev:  # another disk: it cannot be renamed
            with file.open("rb") as read, self.writing(key) as write:
                shutil.copyfileobj(read, write, COPY_BYTES)
            file.unlink()
            return
        with file.open("rb") as written:
            os.fsync(written.fileno())
        file.replace(place)
        sync_folder(place.parent)

    def open(self, key: str) -> IO[bytes]:
        """The file under `key` for reading from any place of it; raises NotFound."""
        with _not_found():
            return self._place(key).open("rb")

    def keys(self, folder: str, *, unchanged_for: float = 0) -> Iterator[str]:
        """All keys that begin with `folder` and a slash, of files that are so many seconds old."""
        until = time.time() - unchanged_for
        for file in sorted(self._place(folder).rglob("*")):
            if not file.name.startswith(BESIDE) and _is_old(file, until):
                yield file.relative_to(self.folder.resolve()).as_posix()

    def delete(self, key: str) -> None:
        """Forget the key; unknown keys are no error."""
        self._place(key).unlink(missing_ok=True)

    def check(self) -> None:
        """A folder always answers; it is made when it is needed."""


@contextmanager
def _not_found() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound("there is no such file") from error


def _is_old(file: Path, until: float) -> bool:
    try:
        return file.is_file() and file.stat().st_mtime <= until
    except FileNotFoundError:
        return False  # it was deleted meanwhile


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_store() -> FileStore:
    """The store that the settings name."""
    return cast("FileStore", current_app.extensions["weft"]["files"])
