"""Rows that were added, changed and removed between two releases, from the deltas between them, by DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.duck import Duck
from catalog.tabular.masking import hide
from catalog.tabular.sql import literal
from catalog.tabular.state import DELETED, INSERTED, OLD, OP, ROW, Part

KIND = "kind"
NUMBERLESS = 2**40
"""Numbers from here on tell rows apart, and mean nothing."""


class Kind(StrEnum):
    """What became of a row."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True)
class Tally:
    """How many rows of each kind."""

    added: int
    changed: int
    removed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.added + self.changed + self.removed


@dataclass(frozen=True)
class RowChange:
    """One row: its number, what became of it, its values by published name, and which of them differ."""

    number: int | None
    """None for a row of two releases that were compared whole, where numbers began anew."""
    kind: Kind
    old: dict[str, object] | None
    new: dict[str, object] | None
    columns: tuple[str, ...]


class Changes:
    """The net changes of some deltas in columns that the reader may see.

    A row that was added and removed again in between is no change; one whose values are what they were is none.
    Masked values are shown masked, and whether they changed is not told.
    """

    def __init__(self, duck: Duck, deltas: Sequence[Part], columns: Sequence[Column]) -> None:
        self._duck = duck
        self.columns = tuple(columns)
        self._relation = _net(deltas, self.columns) if deltas else ""

    def tally(self) -> Tally:
        """How many rows were added, changed and removed."""
        if not self._relation:
            return Tally(0, 0, 0)
        found = self._duck.table(f"SELECT {KIND}, count(*) AS n FROM {self._relation} GROUP BY ALL")
        counts = dict(zip(found[KIND].to_pylist(), found["n"].to_pylist(), strict=True))
        return Tally(*(counts.get(kind.value, 0) for kind in Kind))

    def page(self, kind: Kind | None, *, limit: int, offset: int) -> list[RowChange]:
        """Some of the changes in the order of the rows' numbers."""
        if not self._relation:
            return []
        sql = f"SELECT * FROM {self._relation}{_of(kind)} ORDER BY {ROW} LIMIT ? OFFSET ?"
        return self._read(self._duck.table(sql, [limit, offset]))

    def batches(self, kind: Kind | None) -> Iterator[pa.RecordBatch]:
        """All changes: `kind`, `row`, the new values under published names, the old ones behind `old: `."""
        names = [column.name for column in self.columns]
        titles = [KIND, ROW, *names, *(f"old: {name}" for name in names)]
        if not self._relation:
            return
        sql = f"SELECT * FROM {self._relation}{_of(kind)} ORDER BY {ROW}"
        for batch in self._duck.batches(sql):
            named = batch.rename_columns(titles)
            yield hide(named, [PLAIN, PLAIN, *self.columns, *self.columns])

    def _read(self, found: pa.Table) -> list[RowChange]:
        width = len(self.columns)
        raw = found.select(range(2, found.num_columns)).to_pydict().values()
        new_raw, old_raw = list(raw)[:width], list(raw)[width:]
        shown = hide(found, [PLAIN, PLAIN, *self.columns, *self.columns])
        new = [shown.column(2 + at).to_pylist() for at in range(width)]
        old = [shown.column(2 + width + at).to_pylist() for at in range(width)]
        names = [column.name for column in self.columns]
        changes: list[RowChange] = []
        for at, (kind, number) in enumerate(
            zip(found[KIND].to_pylist(), found[ROW].to_pylist(), strict=True)
        ):
            differing = tuple(
                name
                for column, name in enumerate(names)
                if not self.columns[column].masked and new_raw[column][at] != old_raw[column][at]
            )
            changes.append(
                RowChange(
                    number if number < NUMBERLESS else None,
                    Kind(kind),
                    None if kind == Kind.ADDED else _values(names, old, at),
                    None if kind == Kind.REMOVED else _values(names, new, at),
                    differing if kind == Kind.CHANGED else (),
                )
            )
        return changes


PLAIN = Column("", "", ColumnType.STRING)
"""Stands for what is not a column of the table."""


def _values(names: Sequence[str], columns: Sequence[list[object]], at: int) -> dict[str, object]:
    return {name: column[at] for name, column in zip(names, columns, strict=True)}


def _of(kind: Kind | None) -> str:
    return f" WHERE {KIND} = '{kind.value}'" if kind else ""


def _net(deltas: Sequence[Part], columns: Sequence[Column]) -> str:
    """SQL of the net changes: kind, row, new values, old values; rows that are as they were are left out."""
    there = frozenset[str]().union(*(delta.stored for delta in deltas))
    # The first word on a row has what was before, the last one what is now; of one delta they are the same.
    first, last, source = ("d", "d", "d") if len(deltas) == 1 else ("a", "z", _ENDS)
    new = ", ".join(f"{_value(last, c, there)} AS {_new(c)}" for c in columns)
    old = ", ".join(f"{_value(first, c, there, OLD)} AS {_old(c)}" for c in columns)
    differs = " OR ".join(f"{_new(c)} IS DISTINCT FROM {_old(c)}" for c in columns if not c.masked)
    added, removed = f"{first}.{OP} = {INSERTED}", f"{last}.{OP} = {DELETED}"
    return (
        f"(WITH d AS ({_read(deltas)})"
        f" SELECT CASE WHEN {added} THEN '{Kind.ADDED}' WHEN {removed} THEN '{Kind.REMOVED}'"
        f" ELSE '{Kind.CHANGED}' END AS {KIND}, {first}.{ROW} AS {ROW}, {new}, {old} FROM {source}"
        f" WHERE NOT ({added} AND {removed}) AND ({added} OR {removed} OR {differs or 'false'}))"
    )


_ENDS = (
    f"(SELECT {ROW}, min(seq) AS low, max(seq) AS high FROM d GROUP BY {ROW}) ends"
    f" JOIN d a ON a.{ROW} = ends.{ROW} AND a.seq = ends.low"
    f" JOIN d z ON z.{ROW} = ends.{ROW} AND z.seq = ends.high"
)


def _read(deltas: Sequence[Part]) -> str:
    if len(deltas) == 1:
        return f"SELECT * FROM read_parquet({literal(deltas[0].path)})"
    files = ", ".join(literal(delta.path) for delta in deltas)
    ranks = " ".join(f"WHEN {literal(delta.path)} THEN {delta.position}" for delta in deltas)
    return (
        f"SELECT *, CASE filename {ranks} END AS seq"
        f" FROM read_parquet([{files}], union_by_name=true, filename=true)"
    )


def _new(column: Column) -> str:
    return f'"n_{column.stored}"'


def _old(column: Column) -> str:
    return f'"p_{column.stored}"'


def _value(side: str, column: Column, there: frozenset[str], before: str = "") -> str:
    if column.stored not in there:
        return "NULL"
    return f'{side}."{before}{column.stored}"'
