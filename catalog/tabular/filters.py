"""Filters as people give them — a column, a word for the comparison, a text — made into conditions."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.query import And, Compare, Condition, In, IsNull, Not, Op, Or, Scalar, Words
from catalog.tabular.values import usable

LARGEST_INTEGER = 2**63 - 1
YES = frozenset({"true", "yes", "1", "是", "真"})
NO = frozenset({"false", "no", "0", "否", "假"})
DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


class Comparison(StrEnum):
    """What a reader may ask of a column."""

    CONTAINS = "contains"
    STARTS = "starts"
    IS = "is"
    IS_NOT = "is_not"
    LESS = "less"
    AT_MOST = "at_most"
    MORE = "more"
    AT_LEAST = "at_least"
    EMPTY = "empty"
    FILLED = "filled"


WITHOUT_VALUE = frozenset({Comparison.EMPTY, Comparison.FILLED})
OPS = {
    Comparison.IS: Op.EQ,
    Comparison.IS_NOT: Op.NE,
    Comparison.LESS: Op.LT,
    Comparison.AT_MOST: Op.LE,
    Comparison.MORE: Op.GT,
    Comparison.AT_LEAST: Op.GE,
    Comparison.CONTAINS: Op.CONTAINS,
    Comparison.STARTS: Op.STARTS,
}
_ORDERED = (
    Comparison.IS,
    Comparison.IS_NOT,
    Comparison.AT_LEAST,
    Comparison.AT_MOST,
    Comparison.MORE,
    Comparison.LESS,
    Comparison.EMPTY,
    Comparison.FILLED,
)
SUITED: Mapping[ColumnType, tuple[Comparison, ...]] = {
    ColumnType.STRING: (
        Comparison.CONTAINS,
        Comparison.IS,
        Comparison.IS_NOT,
        Comparison.STARTS,
        Comparison.EMPTY,
        Comparison.FILLED,
    ),
    ColumnType.INTEGER: _ORDERED,
    ColumnType.NUMBER: _ORDERED,
    ColumnType.DATE: _ORDERED,
    ColumnType.DATETIME: _ORDERED,
    ColumnType.BOOLEAN: (Comparison.IS, Comparison.EMPTY, Comparison.FILLED),
    ColumnType.GEOMETRY: (Comparison.EMPTY, Comparison.FILLED),
}
"""Type → comparisons that make sense for it, the likeliest first."""
VALUED = frozenset({ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DATE, ColumnType.DATETIME})
"""Types whose values a word of a search may be."""
MOST_PLACES = 60
"""Columns in which a word is looked for as a value."""


@dataclass(frozen=True)
class Filter:
    """One filter as it was given."""

    column: str
    comparison: Comparison
    value: str = ""


def condition_of(given: Filter, columns: Mapping[str, Column]) -> Condition:
    """What the filter means for these columns; raises BadQuery with a sentence for the reader."""
    column = columns.get(given.column)
    if column is None:
        raise BadQuery("this table has no column “%(column)s”", column=given.column)
    usable((column,), given.column)
    type_ = ColumnType(column.type)
    if given.comparison not in SUITED[type_]:
        raise BadQuery("this comparison does not suit the column “%(column)s”", column=given.column)
    if given.comparison is Comparison.EMPTY:
        return IsNull(given.column)
    if given.comparison is Comparison.FILLED:
        return Not(IsNull(given.column))
    if type_ is ColumnType.DATETIME:
        return _moment_condition(given)
    return Compare(given.column, OPS[given.comparison], _value(given, type_))


def one_of(conditions: Sequence[Condition]) -> Condition:
    """One of them: equal comparisons of a column become a list of its values."""
    if len(conditions) == 1:
        return conditions[0]
    equal = [c for c in conditions if isinstance(c, Compare) and c.op is Op.EQ]
    others = [c for c in conditions if c not in equal]
    if len(equal) < 2:
        return Or(tuple(conditions))
    listed = In(equal[0].column, tuple(c.value for c in equal))
    return Or((listed, *others)) if others else listed


def words_condition(words: str, columns: Mapping[str, Column]) -> Condition | None:
    """Rows in which every word stands somewhere: in a text, or as the value of a number or a day."""
    places = [c for c in columns.values() if c.type in VALUED and not c.masked][:MOST_PLACES]
    texts: list[str] = []
    parts: list[Condition] = []
    for word in words.split():
        values = _values_of(word, places)
        if values:
            parts.append(Or((Words(word), *values)))
        else:
            texts.append(word)
    return all_of([*([Words(" ".join(texts))] if texts else []), *parts])


def _values_of(word: str, places: Sequence[Column]) -> list[Condition]:
    """Comparisons of the columns that can have the word as their value."""
    found: list[Condition] = []
    for column in places:
        with contextlib.suppress(BadQuery):  # the word is no number, or no day
            given = Filter(column.name, Comparison.IS, word)
            found.append(condition_of(given, {column.name: column}))
    return found


def all_of(conditions: Sequence[Condition]) -> Condition | None:
    """All of them as one condition; None of nothing."""
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else And(tuple(conditions))


def _value(given: Filter, type_: ColumnType) -> Scalar:
    text = given.value.strip()
    match type_:
        case ColumnType.INTEGER:
            return _integer(text, given.column)
        case ColumnType.NUMBER:
            return _number(text, given.column)
        case ColumnType.BOOLEAN:
            return _boolean(text, given.column)
        case ColumnType.DATE:
            return _date(text, given.column).isoformat()
    return given.value


def _integer(text: str, column: str) -> int:
    try:
        value = int(text)
    except ValueError as error:
        raise BadQuery(
            "write a whole number to compare with “%(column)s”", column=column
        ) from error
    if abs(value) > LARGEST_INTEGER:
        raise BadQuery("this number is too large to compare with “%(column)s”", column=column)
    return value


def _number(text: str, column: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise BadQuery("write a number to compare with “%(column)s”", column=column) from error
    if not math.isfinite(value):
        raise BadQuery("write a number to compare with “%(column)s”", column=column)
    return value


def _boolean(text: str, column: str) -> bool:
    if text.lower() in YES | NO:
        return text.lower() in YES
    raise BadQuery("write yes or no to compare with “%(column)s”", column=column)


def _date(text: str, column: str) -> date:
    found = DAY.fullmatch(text)
    try:
        if found:
            return date(*(int(part) for part in found.groups()))
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadQuery(
            "write a date such as 2020-01-31 to compare with “%(column)s”", column=column
        ) from error


def _moment_condition(given: Filter) -> Condition:
    """A moment is compared as such; a day means all of its moments."""
    text = given.value.strip()
    try:
        moment = datetime.fromisoformat(text) if len(text) > 10 and ":" in text else None
    except ValueError as error:
        raise BadQuery(
            "write a date such as 2020-01-31 to compare with “%(column)s”", column=given.column
        ) from error
    if moment is not None:
        plain = moment.replace(tzinfo=None).isoformat()
        return Compare(given.column, OPS[given.comparison], plain)
    return _day_condition(given, _date(text, given.column))


def _day_condition(given: Filter, day: date) -> Condition:
    start = datetime(day.year, day.month, day.day)  # noqa: DTZ001 # the columns are local times without a zone
    last = day == date.max
    end = datetime.max if last else start + timedelta(days=1)  # noqa: DTZ901 # as above
    begins, ends = start.isoformat(), end.isoformat()
    column = given.column
    before, since = Compare(column, Op.LT, begins), Compare(column, Op.GE, begins)
    until, after = Compare(column, Op.LT, ends), Compare(column, Op.GE, ends)
    match given.comparison:
        case Comparison.IS:
            return And((since, until))
        case Comparison.IS_NOT:
            return Not(And((since, until)))
        case Comparison.LESS:
            return before
        case Comparison.AT_MOST:
            return until
        case Comparison.MORE:
            return after
    return since
