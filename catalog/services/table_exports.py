"""Downloads of tables: all rows of the newest release, or what a query leaves of them, as a stream."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from catalog.errors import BadQuery, NotFound
from catalog.models.table import DataTable
from catalog.permissions import Identity
from catalog.services.table_lookup import base_of, newest, show
from catalog.tabular.base_rows import BaseRows
from catalog.tabular.export import csv_stream, json_stream, jsonl_stream, parquet_stream
from catalog.tabular.query import TableQuery
from catalog.tabular.sql import compile_all, is_group, result_columns
from catalog.tabular.workbook import workbook_stream


@dataclass(frozen=True)
class Export:
    """A download: its name, its media type and its bytes in pieces."""

    filename: str
    media_type: str
    chunks: Iterator[bytes]
    size: int | None
    """Bytes, where they are known before they are made."""


@dataclass(frozen=True)
class _Format:
    ending: str
    media_type: str
    stream: Callable[[BaseRows, TableQuery], Iterator[bytes]]


def export(who: Identity, table_id: str, format: str, query: TableQuery | None = None) -> Export:  # noqa: A002 # the word that people use
    """A download as csv, csv-bom, json, jsonl, parquet or xlsx; limit and offset of the query are ignored.

    What can be refused is refused here, before the first byte; the rest of the stream needs no database.
    """
    table = show(who, table_id)
    wanted = FORMATS.get(format)
    if wanted is None:
        raise NotFound("there is no download in the format “%(format)s”", format=format[:40])
    version = newest(table)
    asked = replace(query or TableQuery(), limit=0, offset=0)
    if is_group(asked):
        raise BadQuery("groups cannot be downloaded")
    base = base_of(version)
    compile_all(asked, version.columns, base.relation)
    chunks = wanted.stream(base, asked)
    first = next(chunks, b"")
    return Export(
        f"{_name(table)}.{wanted.ending}", wanted.media_type, chain([first], chunks), size=None
    )


def _name(table: DataTable) -> str:
    """The dataset's address and, where it has a name of its own, the table's."""
    slug = table.resource.dataset.slug
    key = re.sub(r"[^\w.-]+", "-", table.key).strip("-.")[:60]
    return slug if key in ("", "data") else f"{slug}-{key}"


def _csv(base: BaseRows, query: TableQuery) -> Iterator[bytes]:
    return csv_stream(base.batches(query), result_columns(query, base.columns))


def _csv_bom(base: BaseRows, query: TableQuery) -> Iterator[bytes]:
    columns = result_columns(query, base.columns)
    return csv_stream(base.batches(query), columns, for_spreadsheets=True)


def _json(base: BaseRows, query: TableQuery) -> Iterator[bytes]:
    return json_stream(base.batches(query), result_columns(query, base.columns))


def _jsonl(base: BaseRows, query: TableQuery) -> Iterator[bytes]:
    return jsonl_stream(base.batches(query), result_columns(query, base.columns))


def _parquet(base: BaseRows, query: TableQuery) -> Iterator[bytes]:
    columns = result_columns(query, base.columns)
    return parquet_stream(base.batches(query), columns, base.schema(query))


def _xlsx(base: BaseRows, query: TableQuery) -> Iterator[bytes]:
    columns = result_columns(query, base.columns)
    return workbook_stream(base.batches(query), columns, rows=base.count(query.where))


FORMATS = {
    "csv": _Format("csv", "text/csv; charset=utf-8", _csv),
    "csv-bom": _Format("csv", "text/csv; charset=utf-8", _csv_bom),
    "json": _Format("json", "application/json", _json),
    "jsonl": _Format("jsonl", "application/x-ndjson", _jsonl),
    "parquet": _Format("parquet", "application/vnd.apache.parquet", _parquet),
    "xlsx": _Format(
        "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx
    ),
}
"""Formats of downloads by name."""
