"""The report of a table's cells: those that break what is declared, and those whose text was another."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import select

from catalog.db import db
from catalog.errors import BadQuery
from catalog.models.table import DataTable, JournalFile
from catalog.permissions import SCHEDULER, Identity
from catalog.services.table_lookup import Version, show, version_as_of
from catalog.tabular.divisions import last_year
from catalog.tabular.duck import duck
from catalog.tabular.kept import SCHEMA
from catalog.tabular.reasons import HARMLESS, SENTENCES, Reason
from catalog.tabular.store import table_journal

if TYPE_CHECKING:
    from catalog.tabular.compare import Comparison
    from catalog.tabular.journal import Added
    from catalog.tabular.reading import ReadTable

CELLS, DELTA = "cells", "delta"
MOST = 1_000
"""Cells on a page."""
DEEPEST = 2**53


@dataclass(frozen=True)
class KeptCell:
    """A cell as it was in the source."""

    row: int
    """Number of the row, from 1."""
    column: str
    """Published name."""
    value: str
    reason: str

    @property
    def sentence(self) -> str:
        """Why it is listed, as a msgid that goes on after the value."""
        return SENTENCES[self.reason]

    @property
    def until(self) -> int | None:
        """The last year in which a value was right that is no more."""
        return last_year(self.value.strip()) if self.reason == Reason.DIVISION_GONE else None


@dataclass(frozen=True)
class CellCount:
    """How many cells of a column are listed for one reason."""

    column: str
    reason: str
    count: int

    @property
    def sentence(self) -> str:
        """Why they are listed, as a msgid."""
        return SENTENCES[self.reason]


@dataclass(frozen=True)
class _Relation:
    """The file of cells, and the deltas since, whose rows are not as they were read any more."""

    cells: str
    since: list[str]


@dataclass(frozen=True)
class CellPage:
    """A page of the report, in the order of rows."""

    table: DataTable
    cells: tuple[KeptCell, ...]
    total: int
    counts: tuple[CellCount, ...]
    """All that is listed, by column and reason."""
    offset: int
    limit: int
    release: int = 0
    """Number of the release that the cells are of."""


def page(
    who: Identity,
    table_id: str,
    *,
    limit: int = 100,
    offset: int = 0,
    notations: bool = False,
    as_of: str | None = None,
) -> CellPage:
    """A page of the cells that break what is declared; with `notations` also those whose value is right.

    `as_of` names a release or a time, see `version_as_of`.
    """
    if not 0 <= limit <= MOST or not 0 <= offset <= DEEPEST:
        raise BadQuery("a page has at most %(limit)s cells", limit=MOST)
    table = show(who, table_id)
    release, names, relation = _asked(table, as_of)
    if relation is None or not names:
        return CellPage(table, (), 0, (), offset, limit, release)
    counts = _counts(relation, names, notations=notations)
    sql, parameters = _select(relation, names, notations=notations)
    found = duck().table(f"{sql} LIMIT ? OFFSET ?", [*parameters, limit, offset]).to_pylist()
    cells = tuple(_cell(names, row) for row in found)
    total = sum(one.count for one in counts)
    return CellPage(table, cells, total, counts, offset, limit, release)


def count(table_id: str) -> int:
    """How many cells of the newest release break what is declared, all columns counted."""
    table = show(SCHEDULER, table_id)
    _, names, relation = _asked(table, None)
    if relation is None or not names:
        return 0
    return sum(one.count for one in _counts(relation, names, notations=False))


def export(
    who: Identity, table_id: str, *, notations: bool = True, as_of: str | None = None
) -> Iterator[bytes]:
    """The whole report as CSV, in pieces; what can be refused is refused before the first."""
    _, names, relation = _asked(show(who, table_id), as_of)
    head = _csv([("row", "column", "value", "reason")])
    if relation is None or not names:
        return iter([head])
    sql, parameters = _select(relation, names, notations=notations)
    batches = duck().batches(sql, parameters)
    pieces = (
        _csv(
            (cell.row, cell.column, cell.value, cell.reason)
            for cell in (_cell(names, row) for row in batch.to_pylist())
        )
        for batch in batches
    )
    return chain([head], pieces)


def stored(table: DataTable, read: ReadTable, kept: Path | None) -> Added | None:
    """Keep the cells of what was read in the journal, before the transaction that lists them.

    A table whose earlier releases had some gets an empty list, or theirs would be shown on.
    """
    if kept is None:
        if _file(table, table.head) is None:
            return None
        kept = read.file.with_suffix(".cells")
        pq.write_table(SCHEMA.empty_table(), kept)
    return table_journal().add(table.id, table.head + 1, kept)


def list_cells(table: DataTable, read: ReadTable, added: Added | None) -> None:
    """List the file of cells for the newest release, inside the transaction of the load."""
    table.kept_cells = read.kept_cells
    if added is None:
        return
    db.session.add(
        JournalFile(
            table_id=table.id,
            position=table.head,
            kind=CELLS,
            path=added.path,
            rows=read.kept_rows,
            bytes=added.bytes,
            sha256=added.sha256,
            columns=[],
        )
    )


def differ(table: DataTable, read: ReadTable) -> bool:
    """Whether other texts were kept than for the newest release, in whatever rows."""
    file = _file(table, table.head)
    before = table_journal().path(file.path) if file else None
    return not _summary(before).equals(_summary(read.kept))


def renumbered(read: ReadTable, comparison: Comparison) -> Path:
    """The kept cells of what was read, under the numbers that its rows have in the table."""
    if read.kept is None:  # pragma: no cover # the caller has looked
        raise ValueError("nothing was kept")
    cells = pq.read_table(read.kept)
    numbers = comparison.numbers(read.kept)
    places = pc.index_in(cells["row"], value_set=numbers["place"].combine_chunks())
    cells = cells.set_column(0, SCHEMA.field("row"), numbers["row"].take(places))
    file = read.kept.with_suffix(".renumbered")
    pq.write_table(cells.sort_by([("row", "ascending"), ("column", "ascending")]), file)
    return file


def _summary(file: Path | None) -> pa.Table:
    """How often each text is kept in each column, in an order of its own."""
    cells = pq.read_table(file) if file else SCHEMA.empty_table()
    counted = cells.group_by(["column", "value", "reason"]).aggregate([([], "count_all")])
    return counted.sort_by([(name, "ascending") for name in counted.column_names])


def _file(table: DataTable, position: int) -> JournalFile | None:
    """The list that holds for the release at a position."""
    return db.session.scalar(
        select(JournalFile)
        .where(
            JournalFile.table_id == table.id,
            JournalFile.kind == CELLS,
            JournalFile.position <= position,
        )
        .order_by(JournalFile.position.desc())
        .limit(1)
    )


def _asked(table: DataTable, as_of: str | None) -> tuple[int, dict[str, str], _Relation | None]:
    """The number of a release, its columns that may be seen, and its cells; all nothing before the first one."""
    if not table.head and not as_of:
        return 0, {}, None
    version = version_as_of(table, as_of)
    return version.release, _visible(version), _relation(table, version.position)


def _relation(table: DataTable, position: int) -> _Relation | None:
    """The cells that were still as they were read at a position; None where nothing was kept."""
    file = _file(table, position)
    if file is None:
        return None
    since = db.session.scalars(
        select(JournalFile.path).where(
            JournalFile.table_id == table.id,
            JournalFile.kind == DELTA,
            JournalFile.position > file.position,
            JournalFile.position <= position,
        )
    )
    path = table_journal().path
    return _Relation(str(path(file.path)), [str(path(delta)) for delta in since])


def _visible(version: Version) -> dict[str, str]:
    """Stored name → published name, of the columns whose values the caller may see as they are."""
    return {column.stored: column.name for column in version.columns if not column.masked}


def _narrowed(
    relation: _Relation, names: dict[str, str], *, notations: bool
) -> tuple[str, list[Any]]:
    """FROM and WHERE, and their parameters."""
    reasons = [] if notations else sorted(HARMLESS)
    columns = ", ".join("?" for _ in names)
    sql = f'FROM read_parquet(?) WHERE "column" IN ({columns})'
    if reasons:
        sql += f" AND reason NOT IN ({', '.join('?' for _ in reasons)})"
    if relation.since:
        sql += ' AND "row" NOT IN (SELECT "row" FROM read_parquet(?))'
    return sql, [relation.cells, *names, *reasons, *([relation.since] if relation.since else [])]


def _select(
    relation: _Relation, names: dict[str, str], *, notations: bool
) -> tuple[str, list[Any]]:
    narrowed, parameters = _narrowed(relation, names, notations=notations)
    return f'SELECT "row", "column", value, reason {narrowed} ORDER BY "row", "column"', parameters


def _counts(
    relation: _Relation, names: dict[str, str], *, notations: bool
) -> tuple[CellCount, ...]:
    narrowed, parameters = _narrowed(relation, names, notations=notations)
    sql = f'SELECT "column", reason, count(*) AS n {narrowed} GROUP BY ALL'
    found = duck().table(sql, parameters).to_pylist()
    order = list(names)
    found.sort(key=lambda row: (order.index(row["column"]), -row["n"], row["reason"]))
    return tuple(CellCount(names[row["column"]], row["reason"], row["n"]) for row in found)


def _cell(names: dict[str, str], row: dict[str, Any]) -> KeptCell:
    return KeptCell(row["row"] + 1, names[row["column"]], row["value"] or "", row["reason"])


def _csv(rows: Iterator[Sequence[object]] | list[tuple[str, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
