"""What changed between two states of a table, row by row, by DuckDB: with a key by it, else by whole rows.

Rows are told apart by a 64-bit hash of their values; only the rows that changed are read whole. Without a key,
rows at the same place count as one row that changed where at least half of their values are equal; other rows
are matched as often as they occur, so a mere change of order is no change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from catalog.tabular.column import ARROW, Column
from catalog.tabular.duck import Duck
from catalog.tabular.sql import ROW_NUMBER, parquet
from catalog.tabular.state import DELETED, INSERTED, OLD, OP, ROW, SQL_TYPES, UPDATED, State

SECONDS = 1_800.0
BATCH_ROWS = 50_000


@dataclass(frozen=True)
class Counts:
    """How many rows changed, and whether the key told them apart."""

    inserted: int
    updated: int
    deleted: int
    keyed: bool

    @property
    def total(self) -> int:
        """All of them."""
        return self.inserted + self.updated + self.deleted


def delta_schema(columns: Sequence[Column]) -> pa.Schema:
    """Columns of a delta: the number of the row, what was done, the new values, the old ones."""
    new = [pa.field(column.stored, ARROW[column.type]) for column in columns]
    old = [pa.field(OLD + column.stored, ARROW[column.type]) for column in columns]
    return pa.schema([pa.field(ROW, pa.int64()), pa.field(OP, pa.int8()), *new, *old])


class Comparison:
    """Two states compared; `counts` first, then the `changes` if they are wanted."""

    def __init__(
        self,
        duck: Duck,
        cursor: duckdb.DuckDBPyConnection,
        old: State,
        new: State,
        columns: Sequence[tuple[Column, Column]],
    ) -> None:
        self._duck, self._cursor = duck, cursor
        self._old, self._new = _in_types_of_now(old.relation(), columns), new.relation()
        self._columns = columns

    def counts(self, key: Sequence[tuple[Column, Column]]) -> Counts:
        """Find the rows that differ; `key` pairs the columns that tell rows apart, if there are any."""
        keyed = bool(key) and self._is_unique(self._new, [new for _, new in key])
        keyed = keyed and self._is_unique(self._old, [old for old, _ in key])
        self._run(self._pairs_by_key(key) if keyed else self._pairs_by_place())
        if not keyed:
            self._match_moved()
            self._split_unlike()
        inserted, updated, deleted = self._one(
            "SELECT count(*) FILTER (o IS NULL), count(*) FILTER (o IS NOT NULL AND n IS NOT NULL), "
            "count(*) FILTER (n IS NULL) FROM pairs"
        )
        return Counts(inserted, updated, deleted, keyed)

    def changes(self, next_row: int) -> Iterator[pa.RecordBatch]:
        """The changes as a delta's rows, in the order of their numbers; inserted rows count from `next_row`."""
        self._run(
            "CREATE OR REPLACE TEMP TABLE numbered AS SELECT o, n,"
            f" CASE WHEN o IS NULL THEN {INSERTED} WHEN n IS NULL THEN {DELETED} ELSE {UPDATED} END AS {OP},"
            f" CASE WHEN o IS NULL THEN {int(next_row)} + row_number() OVER (PARTITION BY o IS NULL ORDER BY n) - 1"
            f" ELSE o END AS {ROW} FROM pairs"
        )
        new = ", ".join(
            f'new."{column.stored}" AS "{column.stored}"' for _, column in self._columns
        )
        old = ", ".join(
            f'old."{before.stored}" AS "{OLD}{after.stored}"' for before, after in self._columns
        )
        schema = delta_schema([column for _, column in self._columns])
        sql = (
            f"SELECT {ROW}, CAST({OP} AS TINYINT) AS {OP}, {new}, {old} FROM numbered"
            f" LEFT JOIN {self._new} new ON numbered.n = new.{ROW_NUMBER}"
            f" LEFT JOIN {self._old} old ON numbered.o = old.{ROW_NUMBER} ORDER BY {ROW}"
        )
        with self._duck.limited(self._cursor, SECONDS):
            for batch in self._cursor.sql(sql).to_arrow_reader(BATCH_ROWS):
                arrays = [batch.column(at).cast(field.type) for at, field in enumerate(schema)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def numbers(self, kept: Path) -> pa.Table:
        """For each place in the new file that `kept` names in `row`, the number its row has after `changes`.

        Rows that did not change keep the number of an equal one, in their order.
        """
        wanted = f"(SELECT DISTINCT {ROW} AS place FROM {parquet(kept)})"
        self._run(
            f"CREATE OR REPLACE TEMP TABLE hashes AS SELECT DISTINCT {self._hash(1)} AS h FROM {self._new}"
            f" WHERE {ROW_NUMBER} IN (SELECT place FROM {wanted})"
        )
        old = self._ranked(self._old, self._hash(0), "o")
        new = self._ranked(self._new, self._hash(1), "n")
        sql = (
            f"SELECT w.place, coalesce(numbered.{ROW}, o.place) AS {ROW} FROM {wanted} w"
            f" LEFT JOIN numbered ON numbered.n = w.place LEFT JOIN {new} n ON n.place = w.place"
            f" LEFT JOIN {old} o ON o.h = n.h AND o.k = n.k"
        )
        with self._duck.limited(self._cursor, SECONDS):
            return self._cursor.sql(sql).to_arrow_table()

    @staticmethod
    def _ranked(relation: str, hashed: str, side: str) -> str:
        """Rows that did not change and have one of `hashes`, with their rank among equal ones."""
        return (
            "(SELECT place, h, row_number() OVER (PARTITION BY h ORDER BY place) AS k FROM"
            f" (SELECT {ROW_NUMBER} AS place, {hashed} AS h FROM {relation})"
            f" WHERE h IN (SELECT h FROM hashes)"
            f" AND place NOT IN (SELECT {side} FROM numbered WHERE {side} IS NOT NULL))"
        )

    def _pairs_by_key(self, key: Sequence[tuple[Column, Column]]) -> str:
        same = " AND ".join(
            f'o."{old.stored}" IS NOT DISTINCT FROM n."{new.stored}"' for old, new in key
        )
        olds = _names([old for old, _ in key])
        news = _names([new for _, new in key])
        return (
            "CREATE OR REPLACE TEMP TABLE pairs AS SELECT o.at AS o, n.at AS n FROM"
            f" (SELECT {olds}, {ROW_NUMBER} AS at, {self._hash(0)} AS h FROM {self._old}) o FULL JOIN"
            f" (SELECT {news}, {ROW_NUMBER} AS at, {self._hash(1)} AS h FROM {self._new}) n"
            f" ON {same} WHERE o.h IS DISTINCT FROM n.h"
        )

    def _pairs_by_place(self) -> str:
        return (
            "CREATE OR REPLACE TEMP TABLE unlike AS SELECT o.at AS o, o.h AS oh, n.at AS n, n.h AS nh FROM"
            f" (SELECT {ROW_NUMBER} AS at, {self._hash(0)} AS h FROM {self._old}) o FULL JOIN"
            f" (SELECT {ROW_NUMBER} AS at, {self._hash(1)} AS h FROM {self._new}) n"
            " ON o.at = n.at WHERE o.h IS DISTINCT FROM n.h"
        )

    def _match_moved(self) -> None:
        """Take out rows that stand elsewhere now; what is left at the same place is paired."""
        ranked = "SELECT {0} AS at, {0}h AS h, row_number() OVER (PARTITION BY {0}h ORDER BY {0}) AS k FROM unlike WHERE {0} IS NOT NULL"
        self._run(
            "CREATE OR REPLACE TEMP TABLE single AS SELECT o.at AS o, n.at AS n FROM"
            f" ({ranked.format('o')}) o FULL JOIN ({ranked.format('n')}) n"
            " ON o.h = n.h AND o.k = n.k WHERE o.at IS NULL OR n.at IS NULL"
        )
        self._run(
            "CREATE OR REPLACE TEMP TABLE pairs AS SELECT o.o, n.n FROM"
            " (SELECT o FROM single WHERE o IS NOT NULL) o"
            " FULL JOIN (SELECT n FROM single WHERE n IS NOT NULL) n ON o.o = n.n"
        )

    def _split_unlike(self) -> None:
        """Rows at the same place with fewer than half of their values equal are not the same row."""
        equal = " + ".join(
            f'CAST(old."{before.stored}" IS NOT DISTINCT FROM new."{after.stored}" AS INTEGER)'
            for before, after in self._columns
        )
        self._run(
            "CREATE OR REPLACE TEMP TABLE apart AS SELECT p.o, p.n FROM pairs p"
            f" JOIN {self._old} old ON p.o = old.{ROW_NUMBER} JOIN {self._new} new ON p.n = new.{ROW_NUMBER}"
            f" WHERE 2 * ({equal}) < {len(self._columns)}"
        )
        self._run("DELETE FROM pairs WHERE o IN (SELECT o FROM apart) AND n IS NOT NULL")
        self._run("INSERT INTO pairs SELECT o, NULL FROM apart UNION ALL SELECT NULL, n FROM apart")

    def _hash(self, side: int) -> str:
        return f"hash({_names([pair[side] for pair in self._columns])})"

    def _is_unique(self, relation: str, key: Sequence[Column]) -> bool:
        rows, different = self._one(
            f"SELECT count(*), count(DISTINCT hash({_names(key)})) FROM {relation}"
        )
        return bool(rows == different)

    def _run(self, sql: str) -> None:
        with self._duck.limited(self._cursor, SECONDS):
            self._cursor.execute(sql)

    def _one(self, sql: str) -> tuple[int, ...]:
        with self._duck.limited(self._cursor, SECONDS):
            found = self._cursor.execute(sql).fetchone()
        return tuple(found or ())


@contextmanager
def comparing(
    duck: Duck, old: State, new: State, columns: Sequence[tuple[Column, Column]]
) -> Iterator[Comparison]:
    """Compare two states by pairs of their columns; what is kept for it ends with the context."""
    with duck.cursor() as cursor:
        yield Comparison(duck, cursor, old, new, columns)


def _in_types_of_now(relation: str, columns: Sequence[tuple[Column, Column]]) -> str:
    """The older rows with the types that their columns have now; a value that has none there is null."""
    casts = ", ".join(
        f'TRY_CAST("{before.stored}" AS {SQL_TYPES[after.type]}) AS "{before.stored}"'
        for before, after in columns
        if before.type is not after.type
    )
    return f"(SELECT * REPLACE ({casts}) FROM {relation})" if casts else relation


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(f'"{column.stored}"' for column in columns)
