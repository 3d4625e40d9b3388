"""Streams that fail half way end as broken connections, so that nobody takes half of an answer for the whole.

An answer whose length is not told ends with an empty chunk. Granian sends it after a stream that raised, too, and
gives an application no hold of the connection. So the connection is found among those of the process: it is the one that
has written, since the answer began, exactly what was handed over. Where there is none (TLS and HTTP/2 add bytes of
their own), or where too little was written to tell it from others, nothing more is sent and the answer stays unfinished
until its reader gives up, or for half a minute.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import stat
import struct
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

OPEN_FILES = "/proc/self/fd"
TCP_INFO_BYTES, ACKNOWLEDGED = 256, 120
"""Size of what the kernel tells of a connection, and where in it the number of acknowledged bytes stands."""
UNSENT = 0x5411
"""SIOCOUTQ: asks for the bytes that were written and are not acknowledged yet."""
LONGEST_HEAD = 8_192
"""Status and headers, which may have left before or after the answer was first looked at."""
LEAST_WRITTEN = 65_536
"""Bytes of an answer from which on no other connection of the process has written just as many by chance."""
PATIENCE_SECONDS = 30.0
"""How long a thread is kept for a reader that cannot be told otherwise."""
STEP_SECONDS = 0.05
"""A reader may be slow to take what is on its way; then the connection is looked for again."""

Written = dict[int, int]
"""Number of a socket → bytes that were written to it."""


class BrokenAnswers:
    """Middleware around the whole application, for the one server that needs it."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The application's answer; one whose length is not told is watched."""
        told: list[bool] = []

        def start(status: str, headers: list[tuple[str, str]], /, *more: object) -> object:
            told.append(any(name.lower() == "content-length" for name, _ in headers))
            return start_response(status, headers, *more)  # type: ignore[arg-type] # passed on as it came

        pieces = self.app(environ, start)  # type: ignore[arg-type] # the protocol names the third argument
        if environ.get("SERVER_SOFTWARE") != "Granian" or all(told):
            return pieces
        return Watched(pieces)


class Watched:
    """The pieces of a stream; when one cannot be had, the connection is broken."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._whole = pieces
        self._pieces: Iterator[bytes] = iter(pieces)
        self._before: Written | None = None
        self._chunks = 0
        self._error: Exception | None = None
        self._until = 0.0

    def __iter__(self) -> Watched:
        return self

    def __next__(self) -> bytes:
        if self._before is None:
            self._before = written()
        if self._error is not None:
            return self._unfinished(self._error)
        try:
            piece = next(self._pieces)
        except StopIteration:
            raise
        except Exception as error:
            log.exception("an answer broke off")
            self._error, self._until = error, time.monotonic() + PATIENCE_SECONDS
            return b""
        if piece:
            self._chunks += len(piece) + len(f"{len(piece):x}\r\n\r\n")
        return piece

    def close(self) -> None:
        """Close the application's answer."""
        close = getattr(self._whole, "close", None)
        if close is not None:
            close()

    def _unfinished(self, error: Exception) -> bytes:
        """Nothing, as long as the connection is not found; the error once it is broken."""
        enough = self._chunks >= LEAST_WRITTEN
        if time.monotonic() > self._until or (
            enough and break_off(self._before or {}, self._chunks)
        ):
            raise error
        time.sleep(STEP_SECONDS)
        return b""


def written() -> Written:
    """How much was written to each connection of this process."""
    found: Written = {}
    for connection in _connections():
        with connection:
            found[os.fstat(connection.fileno()).st_ino] = _written_to(connection)
    return found


def break_off(before: Written, chunks: int) -> bool:
    """Break each connection to which just so many bytes were written since; says whether there was one.

    Two that fit are two readers of one file at the same place, and both lack the rest.
    """
    found = False
    for connection in _connections():
        with connection:
            begun = before.get(os.fstat(connection.fileno()).st_ino)
            if begun is None:
                continue
            if 0 <= _written_to(connection) - begun - chunks <= LONGEST_HEAD:
                connection.shutdown(socket.SHUT_RDWR)
                found = True
    return found


def _connections() -> Iterator[socket.socket]:
    """The TCP connections of this process, each under a number of its own."""
    for name in os.listdir(OPEN_FILES) if os.path.isdir(OPEN_FILES) else ():  # noqa: PTH208, PTH112 # names are enough
        try:
            number = os.dup(int(name))
        except OSError:
            continue  # it was closed in the meantime
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            os.close(number)
            continue
        connection = socket.socket(fileno=number)
        try:
            connection.getpeername()
            connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
        except OSError:
            connection.close()  # it listens, or is no connection of the network
        else:
            yield connection


def _written_to(connection: socket.socket) -> int:
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
    (acknowledged,) = struct.unpack_from("Q", told, ACKNOWLEDGED)
    (waiting,) = struct.unpack("i", fcntl.ioctl(connection.fileno(), UNSENT, bytes(4)))
    return int(acknowledged + waiting)
