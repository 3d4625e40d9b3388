"""Tables: pages of rows, counts, groups, loads and exports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from catalog.errors import CatalogError
from catalog.models.table import DataTable
from catalog.permissions import Identity
from catalog.queue import job
from catalog.tabular.column import Column
from catalog.tabular.query import Condition, TableQuery

if TYPE_CHECKING:
    from catalog.tabular.reading import ReadTable


@dataclass(frozen=True)
class RowPage:
    """A page of rows under published names, and the cursor of the next one."""

    table: DataTable
    columns: tuple[Column, ...]
    data: pa.Table
    total: int | None
    next_cursor: str | None
    offset: int


@dataclass(frozen=True)
class Export:
    """A download: its name, its media type and its bytes in pieces."""

    filename: str
    media_type: str
    chunks: Iterator[bytes]
    size: int | None


@dataclass(frozen=True)
class LoadReport:
    """What a load did."""

    tables: int
    rows: int
    changed: bool


def show(who: Identity, table_id: str) -> DataTable:
    """The table with its columns, resource, dataset and organization."""
    raise NotImplementedError


def rows(
    who: Identity,
    table_id: str,
    query: TableQuery,
    *,
    cursor: str | None = None,
    total: bool = False,
) -> RowPage:
    """A page of rows; with a cursor the page that follows the one that gave it."""
    raise NotImplementedError


def count(who: Identity, table_id: str, where: Condition | None = None) -> int:
    """Exact number of rows that satisfy `where`."""
    raise NotImplementedError


def group(who: Identity, table_id: str, query: TableQuery) -> RowPage:
    """A group-by."""
    raise NotImplementedError


def export(who: Identity, table_id: str, format: str, query: TableQuery | None = None) -> Export:  # noqa: A002 # the word that people use
    """A download as csv, csv-bom, json, jsonl, parquet or xlsx."""
    raise NotImplementedError


def load(who: Identity, resource_id: str, read: Iterable[ReadTable], *, reason: str) -> LoadReport:
    """Make the resource's tables equal to what was read."""
    raise NotImplementedError


def fail(who: Identity, resource_id: str, error: CatalogError) -> None:
    """Record why the resource could not be loaded; its tables stay as they were."""
    raise NotImplementedError


@job(retries=3)
def serve_table(table_id: str) -> None:
    """Make the serving copy equal to the newest release."""
    raise NotImplementedError
