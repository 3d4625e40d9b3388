"""Records that people send — objects by published name — as typed values, and as the rows of a delta."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from catalog.errors import N_, Conflict, Invalid
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.compare import Counts, delta_schema
from catalog.tabular.state import DELETED, INSERTED, ROW, UPDATED
from catalog.tabular.values import TEXT_TYPES, fit

MOST_PROBLEMS = 50

Values = dict[str, Any]
"""Stored name → typed value."""
Key = tuple[Any, ...]


@dataclass
class Rows:
    """Rows as they are, by number; what is changed is remembered with what was there before."""

    columns: tuple[Column, ...]
    next_row: int
    before: dict[int, Values] = field(default_factory=dict)
    after: dict[int, Values | None] = field(default_factory=dict)
    """None for a row that is deleted."""

    def insert(self, values: Values) -> int:
        """A new row; its number."""
        number, self.next_row = self.next_row, self.next_row + 1
        self.after[number] = {column.stored: values.get(column.stored) for column in self.columns}
        return number

    def change(self, number: int, values: Values) -> None:
        """New values for some columns of a row."""
        now = self.after.get(number) or self.before[number]
        self.after[number] = {**now, **values}

    def delete(self, number: int) -> None:
        """The row is gone."""
        self.after[number] = None

    def counts(self) -> Counts:
        """What was really changed: equal values are no change."""
        ops = [op for _, op, _, _ in self._changes()]
        return Counts(ops.count(INSERTED), ops.count(UPDATED), ops.count(DELETED), keyed=True)

    def delta(self) -> pa.RecordBatch:
        """The changes as the rows of a delta, in the order of their numbers."""
        schema = delta_schema(self.columns)
        found = list(self._changes())
        names = [column.stored for column in self.columns]
        arrays: list[list[Any]] = [[change[at] for change in found] for at in (0, 1)]
        arrays += [[(new or {}).get(name) for *_, new in found] for name in names]
        arrays += [[(old or {}).get(name) for _, _, old, _ in found] for name in names]
        typed = [pa.array(array, kind.type) for array, kind in zip(arrays, schema, strict=True)]
        return pa.RecordBatch.from_arrays(typed, schema=schema)

    def _changes(self) -> Iterable[tuple[int, int, Values | None, Values | None]]:
        for number in sorted(self.after):
            old, new = self.before.get(number), self.after[number]
            if old is None and new is not None:
                yield number, INSERTED, None, new
            elif old is not None and new is None:
                yield number, DELETED, old, None
            elif old is not None and old != new:
                yield number, UPDATED, old, new


def read_records(records: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> list[Values]:
    """The records under stored names with typed values; raises Invalid that names record, column and reason."""
    known = {column.name: column for column in columns}
    problems: dict[str, object] = {}
    found: list[Values] = []
    for at, record in enumerate(records):
        values, wrong = _read(record, known)
        found.append(values)
        if wrong:
            problems[str(at)] = wrong
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise Invalid("some records do not fit the table; see problems", problems=problems)
    return found


def numbered_rows(found: pa.Table, columns: Sequence[Column]) -> dict[int, Values]:
    """Rows of a table with their numbers as values by number."""
    lists = {column.stored: found[column.stored].to_pylist() for column in columns}
    numbers = found[ROW].to_pylist()
    return {
        number: {name: values[at] for name, values in lists.items()}
        for at, number in enumerate(numbers)
    }


def check_keys(records: Sequence[Values], key: Sequence[Column]) -> None:
    """Raise Invalid that names the records without a value in their key, by their places from 0."""
    problems: dict[str, object] = {}
    for at, values in enumerate(records):
        missing = [column.name for column in key if values.get(column.stored) is None]
        if missing:
            problems[str(at)] = {name: [N_("this column is part of the key")] for name in missing}
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise Invalid("some records have no value for their key; see problems", problems=problems)


def check_names(records: Sequence[Mapping[str, Any]], key: Sequence[Column]) -> None:
    """Raise Invalid that names the columns of records that are not part of the key."""
    known = {column.name for column in key}
    problems: dict[str, object] = {}
    for at, record in enumerate(records):
        others = [str(name)[:200] for name in record if name not in known]
        if others:
            problems[str(at)] = {
                name: [N_("this column is not part of the key")] for name in others
            }
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise Invalid(
            "rows are deleted by their key, which is %(key)s; see problems",
            problems=problems,
            key=", ".join(sorted(known)),
        )


def key_of(values: Values, key: Sequence[Column]) -> Key:
    """The values of the key, which were checked to be there."""
    return tuple(values[column.stored] for column in key)


def merge(rows: Rows, records: Iterable[Values], key: Sequence[Column], *, method: str) -> None:
    """Bring records into the rows by key: `insert` takes new ones, `update` known ones, `upsert` both."""
    numbers = {tuple(values[c.stored] for c in key): at for at, values in rows.before.items()}
    for record in records:
        if not key:
            rows.insert(record)
            continue
        name = key_of(record, key)
        number = numbers.get(name)
        if number is None:
            if method == "update":
                raise Invalid("there is no row with the key %(key)s", key=_plain(name))
            numbers[name] = rows.insert(record)
        elif method == "insert":
            raise Conflict("there is already a row with the key %(key)s", key=_plain(name))
        else:
            rows.change(number, record)


def _plain(key: Key) -> str:
    return ", ".join(map(str, key))[:200]


def _read(record: Mapping[str, Any], known: Mapping[str, Column]) -> tuple[Values, dict[str, Any]]:
    values: Values = {}
    wrong: dict[str, Any] = {}
    for name, value in record.items():
        column = known.get(name)
        if column is None:
            wrong[str(name)[:200]] = [N_("this table has no such column")]
            continue
        try:
            values[column.stored] = None if value is None else fit(column, _scalar(column, value))
        except (ValueError, OverflowError, ArithmeticError):
            wrong[name] = [N_("this value does not fit the type of the column")]
    return values, wrong


def _scalar(column: Column, value: object) -> Any:
    """Objects and lists are the JSON text that they were, in columns of text."""
    if isinstance(value, dict | list):
        if column.type not in TEXT_TYPES:
            raise ValueError("no value of a column")
        return orjson.dumps(value).decode()
    if column.type is ColumnType.BOOLEAN and isinstance(value, str):
        return value.strip().lower()
    return value
