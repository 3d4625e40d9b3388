"""What a child does: reads one statement, is handed the tables that it may read, answers, and ends.

It has given up all rights before it sees the statement. Tables come as open files: those whose columns are all
open are read by DuckDB itself, those with masked or hidden columns through a second engine that runs our query
and hands on permitted columns only, so that no statement, however clever, finds the others.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any

import duckdb
import pyarrow as pa

from catalog.errors import BadQuery, CatalogError
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.masking import hide
from catalog.tabular.sandbox import rights, wire
from catalog.tabular.sandbox.files import HandedOver
from catalog.tabular.sandbox.tree import DEEPEST, SCHEMA, Asked, Statement

BATCH_ROWS = 10_000
ROOM_BYTES = 600_000_000
"""Address space beyond DuckDB's own limit: buffers of Arrow, stacks of threads, the answer."""
LONGEST_REASON = 500
EXACT_DIGITS = 15
"""Decimal digits that every floating number keeps."""

_INTEGERS = "tinyint smallint integer bigint utinyint usmallint uinteger ubigint hugeint"
_TYPES = {
    **dict.fromkeys(_INTEGERS.split(), "integer"),
    **dict.fromkeys(("float", "double", "decimal"), "number"),
    "varchar": "string",
    "boolean": "boolean",
    "date": "date",
}
_MOMENTS = frozenset(
    {"timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone"}
)
_NESTED = frozenset({"list", "struct", "map", "array", "union"})


def load() -> None:
    """Import what Python only imports when it is first used: later there are no files to import from."""
    engine = duckdb.connect(":memory:", config={"threads": 1})
    made = engine.sql("SELECT 1 AS a, DATE '2020-01-01' AS b, TIMESTAMP '2020-01-01' AS c")
    _written(made.to_arrow_reader(10), 10, 1_000)
    Statement(engine, "SELECT 1")
    engine.close()


def answer(caller: socket.socket, given_up: Sequence[str], memory: int) -> None:
    """Answer one statement over the socket; what is wrong with it is an answer too."""
    wire.send(caller, {"rights": list(given_up)})
    order, _ = wire.receive(caller)
    try:
        Call(order, memory).run(caller)
    except CatalogError as error:
        wire.send(caller, {"error": error.message, "code": error.code, "context": error.context})


class Call:
    """One statement on an engine of its own."""

    def __init__(self, order: wire.Message, memory: int) -> None:
        self.order = order
        self.memory = memory
        self.files = HandedOver()
        self.engine = self._open()
        self.behind: list[duckdb.DuckDBPyConnection] = []
        timer = threading.Timer(max(0.1, order["seconds"]), self._interrupt)
        timer.daemon = True
        timer.start()

    def run(self, caller: socket.socket) -> None:
        """Say which tables are wanted, take them, and answer."""
        statement = None
        try:
            statement = Statement(self.engine, self.order["sql"], self.order["values"])
            wire.send(caller, {"tables": [_told(table) for table in statement.asked]})
            given, handles = wire.receive(caller)
            names = self._take(given["tables"], handles, statement.mentioned())
            self._lock()
            found, content = self._answer(statement.text(names))
        except duckdb.Error as error:
            raise self._said(error, statement) from error
        except (MemoryError, pa.ArrowMemoryError) as error:
            raise BadQuery("the query needs too much memory; narrow it") from error
        wire.send(caller, found, content=content)

    def _open(self) -> duckdb.DuckDBPyConnection:
        engine = duckdb.connect(
            ":memory:",
            config={
                "threads": self.order["threads"],
                "memory_limit": f"{self.order['memory_mb']}MB",
                "temp_directory": "",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "python_enable_replacements": False,
                "python_scan_all_frames": False,
            },
        )
        engine.register_filesystem(self.files)
        for name, value in {
            "TimeZone": "'UTC'",
            "max_expression_depth": str(DEEPEST),
            "late_materialization_max_rows": "10000",
            "preserve_insertion_order": "true",
            "allowed_directories": f"['{self.files.root}']",
            "enable_external_access": "false",
        }.items():
            engine.execute(f"SET {name} = {value}")
        return engine

    def _take(
        self,
        tables: Sequence[dict[str, Any]],
        handles: Sequence[int],
        mentioned: Collection[str] | None,
    ) -> list[str]:
        """Put what was handed over where the statement finds it; gives the names, in order."""
        self.engine.execute(f"CREATE SCHEMA {SCHEMA}")
        addresses = [self.files.add(handle) for handle in handles]
        rights.limit_memory(self.order["memory_mb"] * 1_000_000 + ROOM_BYTES, self.memory)
        names = []
        for at, table in enumerate(tables):
            relation = table["relation"]
            for place, text in table["files"].items():
                relation = relation.replace(text, f"'{addresses[int(place)]}'")
            columns = [_column(*told) for told in table["columns"]]
            if table["covered"]:
                if mentioned is not None:  # every column of these costs, read or not
                    columns = [c for c in columns if c.name.lower() in mentioned] or columns[:1]
                source = Covered(self._engine_behind(), _select(columns, relation), columns)
                self.engine.register(f"covered{at}", source)
                query = f"SELECT * FROM covered{at}"
            else:
                query = _select(columns, relation)
            self.engine.execute(f"CREATE VIEW {SCHEMA}.t{at} AS {query}")
            names.append(f"t{at}")
        return names

    def _engine_behind(self) -> duckdb.DuckDBPyConnection:
        """The engine that reads tables with columns that the statement must not see."""
        if not self.behind:
            self.behind.append(self._open())
        return self.behind[0].cursor()

    def _lock(self) -> None:
        for engine in (self.engine, *self.behind):
            engine.execute("SET lock_configuration = true")

    def _answer(self, text: str) -> tuple[wire.Message, bytes]:
        """The rows as an Arrow stream, no more than was allowed, and what their columns are."""
        found = self.engine.sql(text)
        names, kinds = list(found.columns), [_kind(kind) for kind in found.types]
        columns = [f"c{at}" for at in range(len(names))]
        select = ", ".join(_plain(name, kind) for name, kind in zip(columns, kinds, strict=True))
        most = self.order["rows"]
        reader = self.engine.sql(
            f"SELECT {select} FROM ({text}) AS result({', '.join(columns)}) LIMIT {most + 1}"
        ).to_arrow_reader(BATCH_ROWS)
        content, rows, truncated = _written(reader, most, self.order["bytes"])
        types = [_type(kind) for kind in kinds]
        return {"names": names, "types": types, "rows": rows, "truncated": truncated}, content

    def _interrupt(self) -> None:
        for engine in (self.engine, *self.behind):
            with suppress(duckdb.Error):
                engine.interrupt()

    def _said(self, error: duckdb.Error, statement: Statement | None) -> CatalogError:
        """What went wrong, in the engine's words but without names that are ours."""
        if isinstance(error, duckdb.InterruptException):
            return BadQuery(
                "the query takes longer than %(seconds)s seconds; narrow it",
                seconds=self.order["seconds"],
            )
        if isinstance(error, duckdb.OutOfMemoryException):
            return BadQuery("the query needs too much memory; narrow it")
        reason = re.split(r"\n\s*\n|\nLINE \d+:", str(error))[0].strip()
        ours = isinstance(error, duckdb.IOException | duckdb.PermissionException)
        if ours or self.files.protocol in reason or f"{SCHEMA}." in reason:
            reason = type(error).__name__
        unknown = re.search(r'column "((?:[^"]|"")*)"', reason)
        place: dict[str, int] = {}
        if unknown and statement is not None:
            place = statement.place_of(unknown[1].replace('""', '"'))
        return BadQuery(
            "the statement cannot be run: %(reason)s", None, reason=reason[:LONGEST_REASON], **place
        )


class Covered:
    """A table as a stream of Arrow, made anew for every scan by an engine that no statement reaches."""

    def __init__(
        self, engine: duckdb.DuckDBPyConnection, query: str, columns: Sequence[Column]
    ) -> None:
        self.engine = engine
        self.query = query
        self.columns = tuple(columns)
        empty = engine.cursor().sql(f"SELECT * FROM ({query}) LIMIT 0").to_arrow_table()
        self.schema = hide(empty, self.columns).schema

    def __arrow_c_schema__(self) -> object:
        """The columns."""
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """All rows, masked where they are to be."""
        reader = pa.RecordBatchReader.from_batches(self.schema, self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for batch in self.engine.cursor().sql(self.query).to_arrow_reader(BATCH_ROWS):
            yield hide(batch, self.columns)


def _told(table: Asked) -> wire.Message:
    return {
        "parts": table.parts,
        "as_of": table.as_of,
        "line": table.line,
        "column": table.column,
        "scans": table.scans,
    }


def _column(name: str, stored: str, left: Sequence[int] | None) -> Column:
    """A column as masking knows it; its type is told by its values."""
    first, last = left or (0, 0)
    return Column(name, stored, ColumnType.STRING, left is not None, (first, last))


def _select(columns: Sequence[Column], relation: str) -> str:
    names = ", ".join(f"{_quoted(column.stored)} AS {_quoted(column.name)}" for column in columns)
    return f"SELECT {names} FROM {relation}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _kind(type_: Any) -> str:
    """The name of a type; a decimal that no floating number can tell exactly is text."""
    kind = str(type_.id)
    if kind == "decimal" and dict(type_.children)["precision"] > EXACT_DIGITS:
        return "long decimal"
    return kind


def _type(kind: str) -> str:
    return "datetime" if kind in _MOMENTS else _TYPES.get(kind, "string")


def _plain(name: str, kind: str) -> str:
    """The column in a type that every format can write."""
    if kind == "decimal":
        return f"CAST({name} AS DOUBLE) AS {name}"
    if kind in _TYPES:
        return name
    if kind in _MOMENTS:
        return f"CAST({name} AS TIMESTAMP) AS {name}"
    if kind in _NESTED:
        return f"CAST(to_json({name}) AS VARCHAR) AS {name}"
    return f"CAST({name} AS VARCHAR) AS {name}"


def _written(reader: pa.RecordBatchReader, most: int, most_bytes: int) -> tuple[bytes, int, bool]:
    """The stream, the number of its rows, and whether there were more than were allowed."""
    sink = pa.BufferOutputStream()
    rows, size, truncated = 0, 0, False
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            part = batch.slice(0, most - rows)
            if size + part.nbytes > most_bytes:
                part = part.slice(0, int(part.num_rows * (most_bytes - size) / part.nbytes))
            writer.write_batch(part)
            rows, size = rows + part.num_rows, size + part.nbytes
            if part.num_rows < batch.num_rows:
                truncated = True
                break
    return sink.getvalue().to_pybytes(), rows, truncated
