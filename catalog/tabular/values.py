"""Values as people write them, made to fit the type of a column, or refused with a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import NUMBER, Column
from catalog.tabular.query import Scalar

Value = str | int | float | bool | date | datetime | Decimal
"""A value of the type of its column; a Decimal only for an integer column and a number that is no int64."""

LEAST_INTEGER, GREATEST_INTEGER = -(2**63), 2**63 - 1
LONGEST_TEXT = 10_000
TEXT_TYPES = frozenset({ColumnType.STRING, ColumnType.GEOMETRY})

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATETIME = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def find(columns: Sequence[Column], name: str) -> Column:
    """The column that is published as `name`, the row's number for no name; raises BadQuery."""
    if not name:
        return NUMBER
    for column in columns:
        if column.name == name:
            return column
    raise BadQuery("there is no column “%(column)s”", column=name[:200])


def usable(columns: Sequence[Column], name: str) -> Column:
    """The column, if it may be compared, searched, sorted, grouped or joined by; raises BadQuery.

    Whatever depends on values goes through here: what is masked must not be found out by asking for it.
    """
    column = find(columns, name)
    if column.masked:
        raise BadQuery(
            "the column “%(column)s” is masked: it can be shown, but not searched, compared, sorted or grouped",
            column=column.name,
        )
    return column


def coerce(column: Column, value: Scalar) -> Value:
    """The value in the column's type; raises BadQuery that names the column."""
    if value is None:
        raise BadQuery(
            "“%(column)s” cannot be compared with null; use “is null”", column=column.name
        )
    try:
        return _COERCIONS[column.type](value)
    except (ValueError, OverflowError, ArithmeticError) as error:
        raise BadQuery(
            "“%(column)s” is of type %(type)s: “%(value)s” cannot be compared with it",
            column=column.name,
            type=column.type.value,
            value=str(value)[:200],
        ) from error


def fit(column: Column, value: Scalar) -> Value:
    """The value as a cell of the column; raises ValueError for what the column cannot hold."""
    found = _COERCIONS[column.type](value)
    if isinstance(found, Decimal):
        raise ValueError("no int64")  # the value, not its type, is wrong
    return found


def _text(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text.encode()  # a lone surrogate is no text: UnicodeEncodeError is a ValueError
    if len(text) > LONGEST_TEXT:
        raise ValueError("too long")
    return text


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool):
        raise ValueError("a boolean is no number")
    text = str(value).strip()
    if len(text) > 400 or not _NUMBER.fullmatch(text):
        raise ValueError("no number")
    return Decimal(text)


def _integer(value: object) -> int | Decimal:
    number = _decimal(value)
    if LEAST_INTEGER <= number <= GREATEST_INTEGER and number == int(number):
        return int(number)
    return number


def _number(value: object) -> float:
    number = float(_decimal(value))
    if number in (float("inf"), float("-inf")):
        raise OverflowError("too large for a number")
    return number


def _boolean(value: object) -> bool:
    text = str(value).strip().lower()
    if text not in _BOOLEANS:
        raise ValueError("no boolean")
    return _BOOLEANS[text]


def _date(value: object) -> date:
    text = str(value).strip()
    if not _DATE.fullmatch(text):
        raise ValueError("no date")
    return date.fromisoformat(text)


def _datetime(value: object) -> datetime:
    text = str(value).strip()
    if not _DATETIME.fullmatch(text):
        raise ValueError("no moment")
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


_COERCIONS = {
    ColumnType.STRING: _text,
    ColumnType.GEOMETRY: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.DATETIME: _datetime,
}
