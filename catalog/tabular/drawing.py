"""Has charts drawn by a child process, so that the web process stays small.

The child (`draw.py`) takes 110 MB; it is started when a chart is wanted, kept while charts are
wanted, and ends by itself when it is idle. Killed or stuck, it is replaced.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from catalog.errors import BadQuery, Unavailable

PROGRAM = (sys.executable, "-I", str(Path(__file__).with_name("draw.py")))
PATIENCE = 15.0
"""Seconds for one chart, start of the child included."""
MOST_AT_ONCE = 3
"""One is drawn and two wait; the web process has four threads, and pages must always find one."""
LARGEST = 30_000_000
"""Bytes of a picture that are believed."""


class _Died(Exception):
    """The child ended before it answered."""


class Pen:
    """Draws one chart at a time; those who come while too many wait are sent away."""

    def __init__(self, program: Sequence[str] = PROGRAM, *, patience: float = PATIENCE) -> None:
        self.program = tuple(program)
        self.patience = patience
        self._turn = threading.Lock()
        self._waiting = threading.Semaphore(MOST_AT_ONCE)
        self._child: subprocess.Popen[bytes] | None = None

    def draw(self, spec: Mapping[str, Any], format_: str) -> bytes:
        """The picture of a Vega-Lite spec as `svg` or `png`."""
        order = json.dumps({"spec": spec, "format": format_}, allow_nan=False).encode() + b"\n"
        if not self._waiting.acquire(blocking=False):
            raise Unavailable("too many charts are being drawn; try again in a moment")
        try:
            with self._turn:
                return self._draw(order)
        finally:
            self._waiting.release()

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                _close(pipe)

    def _draw(self, order: bytes) -> bytes:
        """A child that ended while idle is no failure, so the first death is forgiven."""
        deadline = time.monotonic() + self.patience
        for last in (False, True):
            try:
                return _exchange(self._living(), order, deadline)
            except _Died as error:
                self.close()
                if last:
                    raise Unavailable("the chart could not be drawn; try again later") from error
            except TimeoutError as error:
                self.close()
                raise Unavailable("drawing the chart took too long") from error
        raise AssertionError  # pragma: no cover # the loop returns or raises

    def _living(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            self.close()
        if self._child is None:
            self._child = subprocess.Popen(  # noqa: S603 # our own program, without a shell
                self.program,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"TZ": "UTC", "LANG": "C.UTF-8"},
                bufsize=0,
            )
            for pipe in (self._child.stdin, self._child.stdout):
                os.set_blocking(_handle(pipe), False)
        return self._child


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()


def _handle(pipe: IO[bytes] | None) -> int:
    return pipe.fileno() if pipe is not None else -1


def _exchange(child: subprocess.Popen[bytes], order: bytes, deadline: float) -> bytes:
    """Write the order and read the answer, whatever the pipes can hold."""
    _write(_handle(child.stdin), order, deadline)
    source = _handle(child.stdout)
    head = bytearray()
    while b"\n" not in head:
        head += _read(source, deadline)
    line, _, rest = bytes(head).partition(b"\n")
    answer = json.loads(line)
    if "error" in answer:
        raise BadQuery("the chart cannot be drawn: %(reason)s", reason=answer["error"])
    size = int(answer["bytes"])
    if size > LARGEST:
        raise _Died
    picture = bytearray(rest)
    while len(picture) < size:
        picture += _read(source, deadline)
    return bytes(picture)


def _write(handle: int, content: bytes, deadline: float) -> None:
    view = memoryview(content)
    while view:
        _wait(handle, selectors.EVENT_WRITE, deadline)
        try:
            view = view[os.write(handle, view) :]
        except BrokenPipeError as error:
            raise _Died from error
        except BlockingIOError:
            continue


def _read(handle: int, deadline: float) -> bytes:
    _wait(handle, selectors.EVENT_READ, deadline)
    part = os.read(handle, 1 << 18)
    if not part:
        raise _Died
    return part


def _wait(handle: int, event: int, deadline: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(handle, event)
        if not selector.select(max(0.0, deadline - time.monotonic())):
            raise TimeoutError


PEN = Pen()
"""The pen of this process."""
atexit.register(PEN.close)
