"""Statements about versions that work on the very table: its columns may have been others in older releases."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.models.table import DataTable
from catalog.permissions import Identity
from catalog.services import releases
from catalog.services.releases import ReleaseInfo
from catalog.services.sql_tables import sql_names


@dataclass(frozen=True)
class Versions:
    """A statement about an older release, and its number."""

    release: int
    statement: str
    compares: bool
    """Whether it gives the rows that are new since then; else the first rows of then."""


def of_versions(who: Identity, table: DataTable) -> Versions:
    """Rows that were not in the oldest release that is kept, of the columns that are the same in both.

    Where there is one release only, or no such column, it reads that release.
    """
    listed = releases.listed(who, table.id)
    kept = [info for info in listed.releases if info.expired_at is None]
    older, newer, name = kept[-1], listed.releases[0], f'"{table.id}"'
    at = f"{name} AT (VERSION => {older.number})"
    if older.number == newer.number:
        return Versions(older.number, f"SELECT * FROM {at} LIMIT 10", compares=False)
    shared = [column for column in _columns(newer) if column in _columns(older)]
    if not shared:
        return Versions(older.number, f"SELECT * FROM {at} LIMIT 10", compares=False)
    masked = any(column.masked for column in (*newer.columns, *older.columns))
    whole = not masked and _columns(newer) == _columns(older)
    names = "*" if whole else ", ".join(_quoted(column) for column, _ in shared)
    statement = f"SELECT {names} FROM {name} EXCEPT SELECT {names} FROM {at}"
    return Versions(older.number, statement, compares=True)


def _columns(info: ReleaseInfo) -> list[tuple[str, str]]:
    """The columns that can be compared: their names in SQL and their types."""
    names = sql_names([column.name for column in info.columns])
    return [
        (name, column.type.value)
        for name, column in zip(names, info.columns, strict=True)
        if not column.masked
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
