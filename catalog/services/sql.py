"""SQL: one SELECT over the tables that the caller may read, run in a child process without rights."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import pyarrow as pa
from flask import current_app
from limits import parse_many

from catalog.errors import BadQuery, TooMany
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Identity
from catalog.services.attempts import take
from catalog.services.sql_tables import Found, find, given, sql_names
from catalog.settings import Settings
from catalog.tabular.column import Column
from catalog.tabular.export import csv_stream, jsonl_stream, parquet_stream
from catalog.tabular.sandbox import Asked, Limits, Sandbox, sandbox_of

FORMATS = {
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
"""Media types of answers as files, by format."""
PLANS = ("anonymous", "basic", "extended")
LEAST_ROWS = 100_000
"""A statement counts as so many rows at least: starting a child has its price too."""


@dataclass(frozen=True)
class TableRead:
    """A table that the statement read: as it names it, the id, and the release."""

    name: str
    id: str
    release: int
    dataset_id: str


@dataclass(frozen=True)
class SqlAnswer:
    """Rows under the names that the statement gives; a name that comes again gets a number."""

    data: pa.Table
    columns: tuple[Column, ...]
    truncated: bool
    """Whether there were more rows than were asked for or are allowed."""
    scanned: int
    """Rows of all tables, as often as the statement reads them."""
    tables: tuple[TableRead, ...]
    milliseconds: int


def run(
    who: Identity,
    statement: str,
    values: Sequence[object] = (),
    *,
    limit: int | None = None,
    as_of: str | None = None,
    caller: str = "",
    number: str = "",
) -> SqlAnswer:
    """The answer to one SELECT; `values` stand for its `?`, `limit` cuts the rows, `as_of` names a release or a day.

    `number` is the name of a first column of all tables that tells the number of each row, from 1.

    `caller` is what is counted for callers without a key or an account: their address. Raises BadQuery with the
    place of what is wrong, what reading the tables raises, TooMany, and Unavailable when too many are at it.
    """
    payer = who.key_id or who.account_id or caller
    started = time.monotonic()
    with sandbox().call(payer, most=limit) as call:
        asked = call.tables(statement, values)
        found = [find(who, table, table.as_of or as_of) for table in asked]
        scanned = _count(who, payer, asked, found)
        answer = call.run([given(table, number=number) for table in found])
    names = sql_names([column.name for column in answer.columns])
    return SqlAnswer(
        answer.data.rename_columns(names),
        tuple(
            replace(column, name=name) for column, name in zip(answer.columns, names, strict=True)
        ),
        answer.truncated,
        scanned,
        tuple(_read(table) for table in found),
        math.ceil((time.monotonic() - started) * 1000),
    )


def example(table: DataTable) -> str:
    """A statement that works on the table: how many rows it has of each of its first texts."""
    names = sql_names([column.name for column in table.columns])
    texts = [
        '"' + name.replace('"', '""') + '"'
        for name, column in zip(names, table.columns, strict=True)
        if column.type == ColumnType.STRING
    ]
    select = ", ".join([*texts[:1], "count(*) AS n"])
    return f'SELECT {select} FROM "{table.id}" GROUP BY ALL ORDER BY n DESC'


def stream(answer: SqlAnswer, format: str) -> Iterator[bytes]:  # noqa: A002 # the word that people use
    """The answer as a file of one of FORMATS."""
    batches = answer.data.to_batches()
    match format:
        case "csv":
            yield from csv_stream(batches, answer.columns)
        case "jsonl":
            yield from jsonl_stream(batches, answer.columns)
        case "parquet":
            yield from parquet_stream(batches, answer.columns, answer.data.schema)
        case _:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, answer.data.schema) as writer:
                writer.write_table(answer.data)
            yield sink.getvalue().to_pybytes()


def sandbox() -> Sandbox:
    """This process's sandbox, limited as the settings say."""
    settings = _settings()
    return sandbox_of(
        Limits(
            seconds=settings.sql_timeout_seconds,
            memory_mb=settings.sql_memory_mb,
            rows=settings.sql_rows,
            bytes=settings.sql_answer_bytes,
            processes=settings.sql_processes,
            wait_seconds=settings.sql_wait_seconds,
            needs=tuple(filter(None, map(str.strip, settings.sql_needs.split(",")))),
        )
    )


def _settings() -> Settings:
    return cast("Settings", current_app.extensions["weft"]["settings"])


def _read(found: Found) -> TableRead:
    table = found.table
    return TableRead(found.name, table.id, found.version.release, table.resource.dataset_id)


def _count(who: Identity, payer: str, asked: Sequence[Asked], found: Sequence[Found]) -> int:
    """The rows that the statement reads, counted for who pays; raises BadQuery or TooMany for too many."""
    rows = sum(named.scans * table.rows for named, table in zip(asked, found, strict=True))
    plan = who.plan if who.plan in PLANS else "basic"
    most = int(getattr(_settings(), f"sql_scan_{plan}"))
    if rows > most:
        raise BadQuery(
            "the statement reads %(rows)s rows, at most %(most)s are allowed: a table that is named twice is read "
            "twice",
            rows=f"{rows:,}",
            most=f"{most:,}",
        )
    for limit in sorted(parse_many(getattr(_settings(), f"limit_sql_{plan}"))):
        window = take(limit, "sql", plan, payer, cost=max(rows, LEAST_ROWS))
        if window.left < 0:
            wait = max(1, math.ceil(window.resets_at - time.time()))
            raise TooMany(
                "your statements have read too many rows; try again in %(retry_after)s seconds",
                retry_after=wait,
            )
    return rows
