"""The port of folders: what is in them, and how a file is fetched."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit

from catalog.errors import Denied, Invalid, TooLarge, Unavailable
from harvesters.folders import MOST_FILES, plain_name
from harvesters.http import Http

DEEPEST = 20
"""Folders inside folders; deeper ones are not looked into."""
MOST_LISTED = 10 * MOST_FILES
"""Names in a folder and those inside, also of what is not wanted."""
CHUNK = 1 << 18


@dataclass(frozen=True)
class Entry:
    """A file as its folder lists it."""

    name: str
    """Below the folder, with `/` between its steps."""
    size: int | None = None
    modified: str = ""
    """ISO 8601, if the folder says it."""
    version: str = ""
    """Changes when the content does; nothing where the folder does not say."""
    url: str = ""
    """Address that people may be sent to."""


class Place(Protocol):
    """A folder."""

    def entries(self) -> Iterable[Entry]:
        """Its files and those of its folders, sorted by name; raises TooLarge when there are too many."""
        ...

    def known(self, entry: Entry) -> Entry:
        """The same file with what its listing left out, such as the hash of its content."""
        ...

    def fetch(self, name: str, into: Path) -> Path:
        """The file of this name, in the folder `into` or where it lies."""
        ...


class Listed:
    """A folder whose listing says all."""

    def known(self, entry: Entry) -> Entry:
        """The file as it was listed."""
        return entry


def entry(name: str, size: int | None, modified: str, tag: str = "") -> Entry:
    """A file that is known by its ETag, or else by size and moment of change."""
    listed = f"listed:{'' if size is None else size}:{modified}" if modified else ""
    return Entry(name, size, modified, f"etag:{tag}" if tag else listed)


def size_of(text: str) -> int | None:
    """The size that a listing states; nothing where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def is_plain(step: str) -> bool:
    """Whether a name of a listing is that of a file or folder which is wanted: not hidden, and no way out."""
    return bool(step) and not step.startswith(".") and not re.search(r"[/\\\x00-\x1f\x7f]", step)


def checked(name: str) -> str:
    """The name of a file below the folder; raises Denied when it leads out."""
    if not all(is_plain(step) for step in name.split("/")):
        raise Denied("%(name)s lies outside the folder of the source", name=name)
    return name


def in_order(found: Iterable[Entry]) -> list[Entry]:
    """The files by name; raises TooLarge when there are too many."""
    entries: list[Entry] = []
    for one in found:
        if len(entries) >= MOST_FILES:
            raise too_many(MOST_FILES)
        entries.append(one)
    return sorted(entries, key=lambda one: one.name)


def too_many(limit: int) -> TooLarge:
    """The error of a folder that holds more than is looked at."""
    return TooLarge("the folder has more than %(limit)s files", limit=limit)


def walked(
    http: Http, listed: Callable[[str], Iterable[tuple[str, Entry | None]]]
) -> Iterator[Entry]:
    """The files of a folder and of those inside; raises TooLarge when it is without end.

    `listed` gives what one folder holds (empty for the first, else with `/` at its end): names below the first
    folder, each with its file, or None for a folder.
    """
    folders, count = [""], 0
    for folder in folders:  # it grows while it is walked
        http.beat()
        for name, file in listed(folder):
            http.beat()
            count += 1
            if count > MOST_LISTED:
                raise too_many(MOST_LISTED)
            if not name.startswith(folder) or not all(map(is_plain, name.split("/"))):
                continue
            if file is not None:
                yield file
            elif name.count("/") < DEEPEST:
                folders.append(f"{name}/")


def server_of(url: str, usual: int) -> tuple[str, int]:
    """Host and port of an address; raises Invalid where it names none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or usual
    except ValueError:
        host, port = None, usual
    if not host:
        raise Invalid("the address of the folder names no host")
    return host, port


def connect(http: Http, host: str, port: int) -> socket.socket:
    """A connection to a checked address of the host; a read that takes too long ends it."""
    failure: OSError = OSError("the name has no address")
    for address in http.guard.permitted(host, port):
        try:
            return socket.create_connection((address, port), http.limits.read_seconds)
        except OSError as error:
            failure = error
    raise Unavailable(
        "%(url)s cannot be reached: %(reason)s",
        url=f"{host}:{port}",
        reason=failure.strerror or str(failure),
    ) from failure


class Meter:
    """Watches a file that arrives: its size, its rate, and how long it takes."""

    def __init__(self, http: Http, name: str) -> None:
        self._http, self._name = http, name
        self._began, self._size = time.monotonic(), 0

    def got(self, size: int) -> None:
        """So many bytes came; raises TooLarge or Unavailable."""
        limits, self._size = self._http.limits, self._size + size
        if self._size > limits.file_bytes:
            raise TooLarge(
                "%(url)s is larger than %(limit)s bytes", url=self._name, limit=limits.file_bytes
            )
        took = time.monotonic() - self._began
        if took > limits.total_seconds:
            raise Unavailable(
                "%(url)s took longer than %(seconds)s seconds in all",
                url=self._name,
                seconds=f"{limits.total_seconds:g}",
            )
        if took > limits.patience_seconds and self._size < limits.least_rate * took:
            raise Unavailable(
                "%(url)s is too slow: it gives less than %(rate)s bytes a second",
                url=self._name,
                rate=limits.least_rate,
            )
        self._http.beat()


@contextmanager
def written(http: Http, name: str, into: Path) -> Iterator[tuple[IO[bytes], Meter, Path]]:
    """A file of that name to write into, measured; what broke off is removed."""
    into.mkdir(parents=True, exist_ok=True)
    path = into / plain_name(name.rpartition("/")[2])
    whole = False
    try:
        with path.open("wb") as file:
            yield file, Meter(http, name), path
        whole = True
    finally:
        if not whole:
            path.unlink(missing_ok=True)
