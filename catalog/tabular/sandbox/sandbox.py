"""The portal's side: starts the mother of all children, takes turns, hands over open files, reads answers."""

from __future__ import annotations

import atexit
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from catalog.errors import BadQuery, CatalogError, TooMany, Unavailable
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.sandbox import wire

log = logging.getLogger(__name__)
PROGRAM = Path(__file__).with_name("mother.py")
IDLE = 300.0
START = 20.0
"""Seconds for the mother to load what children need."""
GRACE = 1.5
"""Seconds after the time limit in which a child may say that it ran out of time."""
MEANS = ("limits", "no_new_privileges", "landlock", "seccomp", "network", "nobody")
"""What a child may say that it has given up, or by what."""
WANTED = frozenset({"landlock", "seccomp"})
"""Without these a child could still open files or call all of the kernel: worth a line in the log."""
ENVIRONMENT = {
    "TZ": "UTC",
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "2",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
"""All that children see of any environment."""


@dataclass(frozen=True)
class Limits:
    """What one statement may take, and how many run at the same time."""

    seconds: float = 10.0
    memory_mb: int = 512
    rows: int = 50_000
    bytes: int = 32_000_000
    processes: int = 2
    wait_seconds: float = 3.0
    threads: int = 2
    needs: tuple[str, ...] = ()
    """What a child must have given up, of MEANS; where the system cannot do that, no statement is run."""


@dataclass(frozen=True)
class Asked:
    """A table as the statement names it."""

    parts: tuple[str, ...]
    as_of: str | None
    line: int
    column: int
    scans: int
    """How often the statement reads all its rows."""


@dataclass(frozen=True)
class GivenColumn:
    """A column that may be seen: its name in the statement and in the relation."""

    name: str
    stored: str
    left: tuple[int, int] | None = None
    """Of a masked column, how many characters at the beginning and the end of each value are shown."""


@dataclass(frozen=True)
class Given:
    """What a child gets for a table: SQL over files of the journal, and the columns that may be seen."""

    relation: str
    files: tuple[Path, ...]
    columns: tuple[GivenColumn, ...]
    covered: bool = False
    """Whether the files hold more than may be seen."""


@dataclass(frozen=True)
class Answer:
    """Rows under the names that the statement gives; names may repeat."""

    data: pa.Table
    columns: tuple[Column, ...]
    truncated: bool
    """Whether there were more rows than were allowed."""


class Call:
    """A statement that a child has read, and waits for its tables."""

    def __init__(self, child: socket.socket, limits: Limits, most: int) -> None:
        self._child = child
        self._limits = limits
        self._rows = most
        self._until = time.monotonic() + limits.seconds + GRACE

    def tables(self, statement: str, values: Sequence[object]) -> tuple[Asked, ...]:
        """The tables that the statement names; raises BadQuery for one that may not be run."""
        limits = self._limits
        order = {
            "sql": statement,
            "values": list(values),
            "seconds": limits.seconds,
            "memory_mb": limits.memory_mb,
            "threads": limits.threads,
            "rows": self._rows,
            "bytes": limits.bytes,
        }
        self._send(order)
        with self._spoken():
            found, _ = wire.receive(self._child)
        _raise_said(found)
        return tuple(
            Asked(
                tuple(table["parts"]),
                table["as_of"],
                table["line"],
                table["column"],
                table["scans"],
            )
            for table in found["tables"]
        )

    def run(self, tables: Sequence[Given]) -> Answer:
        """The answer over these tables, one for each that was asked for."""
        with ExitStack() as opened:
            handles: list[int] = []
            given = [_message(table, handles, opened) for table in tables]
            self._send({"tables": given}, handles)
        with self._spoken():
            found, content = wire.receive_content(self._child, self._limits.bytes * 2 + 1_000_000)
        _raise_said(found)
        return _answer(found, content)

    def _send(self, message: wire.Message, handles: Sequence[int] = ()) -> None:
        with self._spoken():
            wire.send(self._child, message, files=handles)

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """Wait no longer than the statement may take, and say why nothing came."""
        seconds = self._limits.seconds
        try:
            self._child.settimeout(max(0.01, self._until - time.monotonic()))
            yield
        except TimeoutError as error:
            raise _too_long(seconds) from error
        except wire.Ended as error:
            if time.monotonic() > self._until - GRACE:
                raise _too_long(seconds) from error
            raise Unavailable(
                "the statement ended before it had an answer; it may need too much memory"
            ) from error


class Sandbox:
    """Runs statements, a few at a time and one for each caller; opened at first use, so after any fork."""

    def __init__(self, limits: Limits, *, idle: float = IDLE) -> None:
        self.limits = limits
        self.idle = idle
        self._turns = threading.BoundedSemaphore(limits.processes)
        self._places = threading.BoundedSemaphore(limits.processes + max(1, limits.processes // 2))
        self._lock = threading.Lock()
        self._running: dict[str, int] = {}
        self._mother: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self.rights: tuple[str, ...] = ()
        """What the last child had given up."""
        atexit.register(self.close)

    @contextmanager
    def call(self, caller: str = "", *, most: int | None = None) -> Iterator[Call]:
        """A child that waits for a statement; raises TooMany or Unavailable when there are too many."""
        rows = min(most if most is not None else self.limits.rows, self.limits.rows)
        with self._turn(caller), self._child() as child:
            yield Call(child, self.limits, rows)

    def check(self) -> None:
        """Raise Unavailable if no child can be had, or if one keeps a right that it must give up."""
        with self._child():
            pass

    def close(self) -> None:
        """End the mother and with her all children."""
        with self._lock:
            self._end()

    @contextmanager
    def _turn(self, caller: str) -> Iterator[None]:
        """A turn of this caller: nobody takes all places, and few wait."""
        with ExitStack() as stack:
            stack.enter_context(self._one_of(caller))
            if not self._places.acquire(blocking=False):
                raise Unavailable(
                    "too many statements are being run; try again in a moment", retry_after=2
                )
            stack.callback(self._places.release)
            if not self._turns.acquire(timeout=self.limits.wait_seconds):
                raise Unavailable(
                    "too many statements are being run; try again in a moment", retry_after=2
                )
            stack.callback(self._turns.release)
            yield

    @contextmanager
    def _one_of(self, caller: str) -> Iterator[None]:
        most = max(1, self.limits.processes - 1)
        with self._lock:
            if self._running.get(caller, 0) >= most:
                raise TooMany(
                    "your statement before this one is still running; wait for its answer",
                    retry_after=1,
                )
            self._running[caller] = self._running.get(caller, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._running[caller] -= 1
                if not self._running[caller]:
                    del self._running[caller]

    @contextmanager
    def _child(self) -> Iterator[socket.socket]:
        """A child that has said what it gave up; the mother may have left meanwhile, so twice."""
        for last in (False, True):
            ours = self._order()
            try:
                hello, _ = wire.receive(ours)
            except (wire.Ended, TimeoutError) as error:
                ours.close()
                self.close()
                if last:
                    raise Unavailable("statements cannot be run right now") from error
                continue
            self._look_at(tuple(hello["rights"]))
            break
        with ours:
            missing = [means for means in self.limits.needs if means not in self.rights]
            if missing:
                raise Unavailable(
                    "statements are not run here: this system lacks %(means)s",
                    means=", ".join(missing),
                )
            yield ours

    def _look_at(self, rights: tuple[str, ...]) -> None:
        """Keep what the child has given up, and say once what it could not."""
        if not self.rights and not set(rights) >= WANTED:
            log.warning("statements run without %s", ", ".join(sorted(WANTED - set(rights))))
        self.rights = rights

    def _order(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.settimeout(START)
        order = json.dumps({"seconds": self.limits.seconds + 1}).encode()
        with theirs, self._lock:
            for _ in range(2):
                with suppress(OSError):
                    socket.send_fds(self._living(), [order], [theirs.fileno()])
                    break
                self._end()
        return ours

    def _living(self) -> socket.socket:
        if self._mother is not None and self._mother.poll() is not None:
            self._end()
        if self._orders is None:
            self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._mother = subprocess.Popen(  # noqa: S603 # our own program, without a shell
                    (
                        sys.executable,
                        "-I",
                        "-S",
                        str(PROGRAM),
                        json.dumps(_paths()),
                        str(theirs.fileno()),
                        str(self.idle),
                    ),
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=ENVIRONMENT,
                )
            self._orders.settimeout(START)
            if not self._orders.recv(16):
                raise OSError("the mother ended while she was starting")
        return self._orders

    def _end(self) -> None:
        mother, self._mother = self._mother, None
        orders, self._orders = self._orders, None
        if orders is not None:
            orders.close()  # she ends her children and herself
        if mother is not None:
            try:
                mother.wait(2)
            except subprocess.TimeoutExpired:
                mother.kill()
                mother.wait()


@lru_cache(maxsize=8)
def sandbox_of(limits: Limits) -> Sandbox:
    """The sandbox of this process with these limits."""
    return Sandbox(limits)


def _paths() -> list[str]:
    """Where this process finds its modules, as absolute paths: the child may be anywhere."""
    return [str(Path(path).absolute()) for path in sys.path if path] + [
        str(Path(__file__).parents[3])
    ]


def _message(table: Given, handles: list[int], opened: ExitStack) -> dict[str, object]:
    """The table as the child is told of it; its files are opened and join `handles`."""
    files: dict[str, str] = {}
    for file in table.files:
        try:
            handle = os.open(file, os.O_RDONLY)
        except OSError as error:
            raise Unavailable("the table cannot be queried right now") from error
        opened.callback(os.close, handle)
        files[str(len(handles))] = "'" + str(file).replace("'", "''") + "'"  # as SQL has it
        handles.append(handle)
    return {
        "relation": table.relation,
        "files": files,
        "columns": [[column.name, column.stored, column.left] for column in table.columns],
        "covered": table.covered,
    }


def _raise_said(message: wire.Message) -> None:
    if "error" not in message:
        return
    kind: type[CatalogError] = BadQuery if message.get("code") == BadQuery.code else Unavailable
    context: Mapping[str, object] = message.get("context") or {}
    raise kind(str(message["error"]), **context)


def _answer(found: wire.Message, content: bytearray) -> Answer:
    try:
        data = pa.ipc.open_stream(pa.py_buffer(content)).read_all()
        data.validate(full=True)  # it comes from where strangers' statements run
        types = [ColumnType(kind) for kind in found["types"]]
        names = [str(name) for name in found["names"]]
        truncated = bool(found["truncated"])
    except (pa.ArrowInvalid, KeyError, TypeError, ValueError) as error:
        raise Unavailable("statements cannot be run right now") from error
    columns, cells = [], []
    for at, (name, type_) in enumerate(zip(names, types, strict=True)):
        fitted, kept = _fitted(data.column(at), type_)
        columns.append(Column(name, f"c{at}", kept))
        cells.append(fitted)
    return Answer(pa.table(cells, names=names), tuple(columns), truncated)


def _fitted(cells: pa.ChunkedArray, type_: ColumnType) -> tuple[pa.ChunkedArray, ColumnType]:
    """Whole numbers in 64 bits, as everywhere in the portal; as text where one of them is larger."""
    if type_ is not ColumnType.INTEGER or cells.type == pa.int64():
        return cells, type_
    try:
        return cells.cast(pa.int64()), type_
    except pa.ArrowInvalid:
        return cells.cast(pa.string()), ColumnType.STRING


def _too_long(seconds: float) -> BadQuery:
    return BadQuery("the query takes longer than %(seconds)s seconds; narrow it", seconds=seconds)
