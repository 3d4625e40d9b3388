"""PostgreSQL's types as CKAN's clients name them, and ours.

What our columns have no type for (objects, lists, times of day) is kept as text that can be read back;
the name that the client gave is kept with the column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.models.vocabulary import ColumnType


@dataclass(frozen=True)
class PgType:
    """A type: `name` is what searches tell, `native` what `datastore_info` tells."""

    name: str
    native: str
    column: ColumnType
    item: str = ""
    """For lists: the type of their items."""

    @property
    def is_json(self) -> bool:
        """Whether its values are kept as JSON."""
        return bool(self.item) or self.name in ("json", "jsonb")


_PLAIN: tuple[tuple[str, str, ColumnType, tuple[str, ...]], ...] = (
    ("text", "text", ColumnType.STRING, ("citext",)),
    ("varchar", "character varying", ColumnType.STRING, ("character varying",)),
    ("bpchar", "character(1)", ColumnType.STRING, ("char", "character")),
    ("name", "name", ColumnType.STRING, ()),
    ("uuid", "uuid", ColumnType.STRING, ()),
    ("int4", "integer", ColumnType.INTEGER, ("int", "integer", "serial")),
    ("int8", "bigint", ColumnType.INTEGER, ("bigint", "bigserial")),
    ("int2", "smallint", ColumnType.INTEGER, ("smallint",)),
    ("numeric", "numeric", ColumnType.NUMBER, ("decimal",)),
    ("float8", "double precision", ColumnType.NUMBER, ("float", "double precision")),
    ("float4", "real", ColumnType.NUMBER, ("real",)),
    ("money", "money", ColumnType.STRING, ()),
    ("bool", "boolean", ColumnType.BOOLEAN, ("boolean",)),
    ("date", "date", ColumnType.DATE, ()),
    (
        "timestamp",
        "timestamp without time zone",
        ColumnType.DATETIME,
        ("timestamp without time zone",),
    ),
    (
        "timestamptz",
        "timestamp with time zone",
        ColumnType.DATETIME,
        ("timestamp with time zone",),
    ),
    ("time", "time without time zone", ColumnType.STRING, ("time without time zone",)),
    ("timetz", "time with time zone", ColumnType.STRING, ("time with time zone",)),
    ("interval", "interval", ColumnType.STRING, ()),
    ("json", "json", ColumnType.STRING, ("nested",)),
    ("jsonb", "jsonb", ColumnType.STRING, ()),
)
_BY_NAME = {
    known: PgType(name, native, column)
    for name, native, column, others in _PLAIN
    for known in (name, *others)
}
_WITH_SIZE = re.compile(r"\(\s*\d+\s*(,\s*\d+\s*)?\)")
_ARRAY = re.compile(r"(?:_(?P<under>.+)|(?P<item>.+?)(?:\[\d*\])+)", re.DOTALL)
_OURS = {
    ColumnType.STRING: "text",
    ColumnType.INTEGER: "int8",
    ColumnType.NUMBER: "numeric",
    ColumnType.BOOLEAN: "bool",
    ColumnType.DATE: "date",
    ColumnType.DATETIME: "timestamp",
    ColumnType.GEOMETRY: "json",
}
EXACT_DIGITS = 15
"""A floating number keeps all decimal numbers of so many digits."""
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)[.][0-9]+")
"""Numbers that come back as they were written, but for zeros at their end."""
MOMENTS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
)
"""How CKAN expects a moment when it guesses a column's type."""


def pg_type(given: object) -> PgType | None:
    """The type that a client means, or None."""
    if not isinstance(given, str):
        return None
    name = _WITH_SIZE.sub("", " ".join(given.lower().split())).strip()
    known = _BY_NAME.get(name)
    if known is not None:
        return known
    listed = _ARRAY.fullmatch(name)
    item = _BY_NAME.get((listed["under"] or listed["item"]).strip()) if listed else None
    if item is None:
        return None
    return PgType(f"_{item.name}", f"{item.native}[]", ColumnType.STRING, item=item.name)


def type_of(kept: object, column: ColumnType) -> PgType:
    """The type of a column: the one that a client gave it, else the one that says the same."""
    known = pg_type(kept)
    if known is None or known.column is not column:
        known = _BY_NAME[_OURS[column]]
    return known


def guessed(value: Any) -> str:
    """The type that CKAN would guess from the first value of a column, where that changes no value.

    CKAN takes 007 for the number 7, refuses true, and refuses whole numbers of more than 32 bits: here they
    are text, bool and bigint.
    """
    if isinstance(value, dict | list):
        return "json"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return _whole(value, "int")
    if isinstance(value, float):
        return "float"
    text = value if isinstance(value, str) else ""
    if _INTEGER.fullmatch(text):
        return _whole(int(text), "integer")
    if _DECIMAL.fullmatch(text) and len(text) <= EXACT_DIGITS:
        return "numeric"
    return "timestamp" if _is_moment(text) else "text"


def _whole(value: int, name: str) -> str:
    for kind, limit in ((name, 2**31), ("bigint", 2**63)):
        if -limit <= value < limit:
            return kind
    return "text"


def _is_moment(text: str) -> bool:
    for form in MOMENTS:
        try:
            datetime.strptime(text, form)  # noqa: DTZ007 # only whether it is one
        except ValueError:
            continue
        return True
    return False
