"""The port of table stores: the serving copy of each table's newest release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Protocol, cast

import pyarrow as pa
from flask import current_app

from catalog.tabular.column import Column
from catalog.tabular.journal import Journal
from catalog.tabular.query import Condition, TableQuery
from catalog.tabular.state import Part, State

NO_CHANGES: Mapping[int, Part] = MappingProxyType({})


class TableStore(Protocol):
    """Serves rows of tables; everything in it can be rebuilt from the journal."""

    def serve(self, table: str, state: State, changes: Mapping[int, Part] = NO_CHANGES) -> None:
        """Make the table's copy show the state; one writer a table.

        `changes` are the deltas of the journal by position: a copy that shows an earlier position follows them.
        """
        ...

    def rows(
        self, table: str, position: int, columns: tuple[Column, ...], query: TableQuery
    ) -> pa.Table:
        """The rows of a page under published names; raises Unavailable when the copy is missing."""
        ...

    def numbered(
        self, table: str, position: int, columns: tuple[Column, ...], where: Condition | None
    ) -> pa.Table:
        """All rows that satisfy `where` under stored names, with the number of each as `row`."""
        ...

    def count(
        self, table: str, position: int, columns: tuple[Column, ...], where: Condition | None
    ) -> int:
        """Exact number of rows that satisfy `where`."""
        ...

    def batches(
        self, table: str, position: int, columns: tuple[Column, ...], query: TableQuery
    ) -> Iterator[pa.RecordBatch]:
        """All rows that satisfy the query (limit and offset are ignored), in order, in batches."""
        ...

    def served(self, table: str) -> int:
        """Journal position of the copy on disk; 0 if there is none or it does not open."""
        ...

    def drop(self, table: str) -> None:
        """Remove the copy."""
        ...

    def tables(self) -> frozenset[str]:
        """All tables that have a copy or a part of one, for comparing with the database."""
        ...


def table_store() -> TableStore:
    """The store that the settings name."""
    return cast("TableStore", current_app.extensions["weft"]["tables"])


def table_journal() -> Journal:
    """The folder of journal files."""
    return cast("Journal", current_app.extensions["weft"]["journal"])
