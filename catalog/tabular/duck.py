"""DuckDB in this process: one database, a cursor a call, limits of time and memory, files of the portal only."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import duckdb
import pyarrow as pa
from duckdb.func import ARROW, SPECIAL
from flask import current_app

from catalog.errors import BadQuery, Unavailable
from catalog.settings import Settings
from catalog.tabular.shapes import FUNCTIONS

log = logging.getLogger(__name__)

BATCH_ROWS = 10_000
THREADS = 2
MOST_SPILL = "8GB"
HEAVY_SECONDS = 1_800.0
STREAM_SECONDS = 1_800.0
"""A download may be slow for its reader, but not hold on for ever."""


class Broken(Unavailable):
    """An assertion inside DuckDB failed; the database was let go."""


class Duck:
    """Runs compiled SQL over Parquet files below `folder`; opened at first use, so after any fork."""

    def __init__(
        self,
        folder: Path,
        *,
        memory_mb: int = 512,
        timeout_seconds: float = 10.0,
        also: Sequence[Path] = (),
    ) -> None:
        self.folder = folder
        self.also = tuple(also)
        self.memory_mb = memory_mb
        self.timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None
        self._careful = False

    def table(
        self, sql: str, parameters: Sequence[object] = (), *, timeout_seconds: float | None = None
    ) -> pa.Table:
        """The whole result; raises BadQuery when it takes too long or too much memory."""
        seconds = timeout_seconds or self.timeout_seconds
        try:
            return self._table(sql, parameters, seconds)
        except Broken:  # rare: a database that was opened anew, and plans more carefully, answers
            return self._table(sql, parameters, seconds)

    def _table(self, sql: str, parameters: Sequence[object], seconds: float) -> pa.Table:
        with self.cursor() as cursor, self.limited(cursor, seconds):
            return cursor.sql(sql, params=list(parameters)).to_arrow_table()

    def batches(
        self,
        sql: str,
        parameters: Sequence[object] = (),
        *,
        rows: int = BATCH_ROWS,
        timeout_seconds: float = STREAM_SECONDS,
    ) -> Iterator[pa.RecordBatch]:
        """The result in batches of so many rows, in constant memory; the cursor ends with the iterator."""
        with self.cursor() as cursor, self.limited(cursor, timeout_seconds):
            yield from cursor.sql(sql, params=list(parameters)).to_arrow_reader(rows)

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own for one call; temporary tables end with it."""
        cursor = self._open().cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def close(self) -> None:
        """Give back memory and files; the next call opens it again."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    @contextmanager
    def limited(self, cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
        """Interrupt what runs too long, and say what went wrong in our words."""
        timer = threading.Timer(seconds, _interrupt, [cursor])
        timer.daemon = True
        timer.start()
        try:
            yield
        except duckdb.InterruptException as error:
            raise BadQuery(
                "the query takes longer than %(seconds)s seconds; narrow it", seconds=seconds
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise BadQuery("the query needs too much memory; narrow it") from error
        except (duckdb.OutOfRangeException, duckdb.ConversionException) as error:
            raise BadQuery("a result of the query is too large for its type") from error
        except duckdb.Error as error:
            log.exception("DuckDB failed")
            if isinstance(error, duckdb.FatalException | duckdb.InternalException):
                self._forget()
                raise Broken("the table cannot be queried right now") from error
            raise Unavailable("the table cannot be queried right now") from error
        finally:
            timer.cancel()

    def _forget(self) -> None:
        """After an internal error DuckDB refuses everything: let the next call open another one."""
        with self._lock:
            self._database = None  # cursors that are still in use keep it until they end
            self._careful = True

    def _open(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._database is None:
                self._database = self._connect()
            return self._database

    def _connect(self) -> duckdb.DuckDBPyConnection:
        spill = self.folder / ".spill"
        spill.mkdir(parents=True, exist_ok=True)
        database = duckdb.connect(":memory:", config={"threads": str(THREADS)})
        weakref.finalize(self, database.close)  # else functions of ours outlive the interpreter
        for name, (function, takes, gives) in FUNCTIONS.items():
            database.create_function(
                name, function, [*takes], gives, type=ARROW, null_handling=SPECIAL
            )
        if self._careful:
            # DuckDB 2.0.0 now and then fails on `Failed to bind column reference "file_index"` with it.
            database.execute("SET disabled_optimizers = 'late_materialization'")
        for name, value in {
            "memory_limit": f"{self.memory_mb}MB",
            "temp_directory": str(spill),
            "max_temp_directory_size": MOST_SPILL,
            "allowed_directories": [str(folder) for folder in (self.folder, *self.also)],
            "enable_external_access": False,
            "autoinstall_known_extensions": False,
            "TimeZone": "UTC",
            "late_materialization_max_rows": 10_000,  # filter + sort of a page falls to a quarter
            "preserve_insertion_order": True,  # a page without a sort is a page in the order of the file
            "lock_configuration": True,
        }.items():
            database.execute(f"SET {name} = {_setting(value)}")
        return database


@contextmanager
def heavy_duck(*also: Path) -> Iterator[Duck]:
    """A DuckDB of its own for work over whole tables, with the memory that the settings allow for that.

    It may also read files in the folders `also`.
    """
    memory: int = current_app.extensions["weft"]["settings"].compare_memory_mb
    own = Duck(duck().folder, memory_mb=memory, timeout_seconds=HEAVY_SECONDS, also=also)
    try:
        yield own
    finally:
        own.close()


def duck() -> Duck:
    """This process's DuckDB, limited as the settings say."""
    weft = current_app.extensions["weft"]
    if "duck" not in weft:
        settings: Settings = weft["settings"]
        weft.setdefault(
            "duck",
            Duck(
                settings.tables_folder,
                memory_mb=settings.query_memory_mb,
                timeout_seconds=settings.query_timeout_seconds,
            ),
        )
    return cast("Duck", weft["duck"])


def _interrupt(cursor: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.Error):  # it may have ended at this very moment
        cursor.interrupt()


def _setting(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_setting, value))}]"
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"
