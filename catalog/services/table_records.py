"""Records of clients that know rows by their number or by the table's key, and ask what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import Conflict, NotFound, TooLarge
from catalog.models.table import DataTable
from catalog.permissions import Identity
from catalog.services.table_lookup import Version, newest
from catalog.services.table_writes import (
    MOST_RECORDS,
    WriteReport,
    change,
    found_by_key,
    found_by_number,
    own,
)
from catalog.tabular.records import Rows, Values


@dataclass(frozen=True)
class Numbered:
    """Values by published name, and the number of the row that they are for, if it is known."""

    number: int | None
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Written:
    """What a call wrote: the release, and the numbers of the rows that it touched, each once, in order."""

    report: WriteReport | None
    """None when nothing was to be kept."""
    numbers: list[int] = field(default_factory=list)


class UnknownRow(NotFound):
    """There is no row of this key or number; `at` is the place of the record."""

    def __init__(self, key: Mapping[str, Any], at: int) -> None:
        super().__init__("there is no row with the key %(key)s", key=str(dict(key)))
        self.key, self.at = key, at


class TakenKey(Conflict):
    """There is already a row of this key; `at` is the place of the record."""

    def __init__(self, key: Mapping[str, Any], at: int) -> None:
        super().__init__("there is already a row with the key %(key)s", key=str(dict(key)))
        self.key, self.at = key, at


def write(
    who: Identity,
    table_id: str,
    records: Sequence[Numbered],
    method: str,
    *,
    keep: bool = True,
) -> Written:
    """Insert, update or upsert typed records; without `keep` only what would go wrong is found out.

    Raises UnknownRow and TakenKey. A row may have no value in its key: such rows are never the same.
    """
    if len(records) > MOST_RECORDS:
        raise TooLarge("send at most %(most)s records in a call", most=MOST_RECORDS)
    touched: dict[int, None] = {}

    def work(table: DataTable, version: Version) -> Rows:
        touched.clear()
        writer = _Writer(table, version, records, method)
        touched.update(dict.fromkeys(writer.numbers))
        return writer.rows

    if not keep:
        table = own(who, table_id)
        work(table, newest(table))
        return Written(None, list(touched))
    report = change(who, table_id, work, method)
    return Written(report, list(touched))


class _Writer:
    """Brings records into the rows of a version, one after the other."""

    def __init__(
        self, table: DataTable, version: Version, records: Sequence[Numbered], method: str
    ) -> None:
        self.columns = {column.name: column for column in version.columns}
        self.key = [self.columns[name] for name in table.primary_key or []]
        self.method = method
        stored = [self._stored(record) for record in records]
        self.rows = Rows(version.columns, table.next_row, self._there(version, records, stored))
        self.by_key = {
            key: number
            for number, values in self.rows.before.items()
            if (key := self._key_of(values)) is not None
        }
        pairs = zip(records, stored, strict=True)
        self.numbers = [
            self._bring(record.number, values, at) for at, (record, values) in enumerate(pairs)
        ]

    def _there(
        self, version: Version, records: Sequence[Numbered], stored: Sequence[Values]
    ) -> dict[int, Values]:
        numbers = [record.number for record in records if record.number is not None]
        found = found_by_number(version, numbers)
        after = [
            values if record.number is None else {**found.get(record.number, {}), **values}
            for record, values in zip(records, stored, strict=True)
        ]
        keyed = [values for values in after if self._key_of(values) is not None]
        return found | (found_by_key(version, keyed, self.key) if self.key and keyed else {})

    def _bring(self, number: int | None, values: Values, at: int) -> int:
        if number is None and self.method != "insert":
            number = self.by_key.get(self._key_of(values) or ())
            if number is None and self.method == "update":
                raise UnknownRow(self._named(values), at)
        elif number is not None and self._now(number) is None:
            raise UnknownRow({"_id": number + 1}, at)
        if number is None:
            self._claim(values, None, at)
            number = self.rows.insert(values)
        else:
            self._claim({**(self._now(number) or {}), **values}, number, at)
            self.rows.change(number, values)
        key = self._key_of(self._now(number) or {})
        if key is not None:
            self.by_key[key] = number
        return number

    def _claim(self, values: Values, number: int | None, at: int) -> None:
        """Refuse a key that another row has; let go of the one that this row had."""
        key = self._key_of(values)
        if key is not None and self.by_key.get(key, number) != number:
            raise TakenKey(self._named(values), at)
        before = self._key_of(self._now(number) or {}) if number is not None else None
        if before is not None and before != key:
            del self.by_key[before]

    def _now(self, number: int) -> Values | None:
        return self.rows.after.get(number, self.rows.before.get(number))

    def _stored(self, record: Numbered) -> Values:
        return {self.columns[name].stored: value for name, value in record.values.items()}

    def _key_of(self, values: Values) -> tuple[Any, ...] | None:
        """The values of the key; None where there is none or one of them is missing."""
        key = tuple(values.get(column.stored) for column in self.key)
        return key if key and None not in key else None

    def _named(self, values: Values) -> dict[str, Any]:
        return {column.name: values.get(column.stored) for column in self.key}
