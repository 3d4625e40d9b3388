"""What a table's columns hold: missing, distinct, least, greatest, mean, most frequent values, a histogram."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.duck import Duck
from catalog.tabular.sql import quoted

log = logging.getLogger(__name__)

BUDGET_SECONDS = 60.0
MOST_FREQUENT = 10
BINS = 20
LONGEST_TEXT = 200
EXACT_INTEGER = 2**53
_COUNTED = frozenset({ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DATE, ColumnType.DATETIME})
_AVERAGED = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})


def profile(
    duck: Duck, relation: str, columns: Sequence[Column], *, budget_seconds: float = BUDGET_SECONDS
) -> dict[str, dict[str, Any]]:
    """Published name → profile, in values that JSON can hold; what the budget does not allow is left out."""
    ends = time.monotonic() + budget_seconds
    found: dict[str, dict[str, Any]] = {}
    for column in columns:
        left = ends - time.monotonic()
        if left <= 0:
            log.warning("the budget for profiles is used up at column %s", column.name)
            break
        try:
            found[column.name] = _Profiler(duck, relation, column, left).profile()
        except BadQuery as error:
            log.warning("no profile of column %s: %s", column.name, error)
    return found


class _Profiler:
    """Asks about one column; every question reads only that column of the file, and its values are grouped once."""

    def __init__(self, duck: Duck, relation: str, column: Column, seconds: float) -> None:
        self.duck, self.column, self.seconds = duck, column, seconds
        name = quoted(column)
        value = (
            f"CASE WHEN isfinite({name}) THEN {name} END"
            if column.type is ColumnType.NUMBER
            else name
        )
        self.values = f"(SELECT {value} AS v FROM {relation})"

    def profile(self) -> dict[str, Any]:
        """The parts that make sense for the column's type."""
        if self.column.type is ColumnType.GEOMETRY:
            return {"missing": self._row(f"SELECT count(*) - count(v) FROM {self.values}")[0]}
        missing, distinct, least, greatest, top = self._row(
            f"WITH g AS MATERIALIZED (SELECT v, count(*) AS n FROM {self.values} GROUP BY v) "
            "SELECT CAST(coalesce(sum(n) FILTER (v IS NULL), 0) AS BIGINT), count(v), min(v), max(v), "
            "(SELECT list(struct_pack(v := v, n := n) ORDER BY n DESC, v) FROM "
            "(FROM g WHERE v IS NOT NULL ORDER BY n DESC, v LIMIT ?)) FROM g",
            MOST_FREQUENT,
        )
        found: dict[str, Any] = {"missing": missing, "distinct": distinct}
        if distinct:
            frequent = [[plain(one["v"]), one["n"]] for one in top]
            found |= {"least": plain(least), "greatest": plain(greatest), "top": frequent}
            if self.column.type in _AVERAGED:
                found["mean"] = plain(self._row(f"SELECT avg(v) FROM {self.values}")[0])
        if distinct > 1 and self.column.type in _COUNTED:
            found["histogram"] = self._histogram(least, greatest)
        return found

    def _histogram(self, least: Any, greatest: Any) -> list[list[Any]]:
        """Bins of equal width as [from, to, count]; the last one holds its upper end."""
        low, high = _measure(least), _measure(greatest)
        width = high / BINS - low / BINS  # not (high - low) / BINS, which may be infinite
        if width <= 0:
            return []
        rows = self._rows(
            f"SELECT least(CAST(floor({self._measured()} / ? - CAST(? AS DOUBLE) / ?) AS BIGINT), ?) AS bin, "
            f"count(*) FROM {self.values} WHERE v IS NOT NULL GROUP BY bin",
            width,
            low,
            width,
            BINS - 1,
        )
        counts = {max(at, 0): count for at, count in rows}
        edges = [low + at * width for at in range(BINS)] + [high]
        return [
            [self._edge(edges[at]), self._edge(edges[at + 1]), counts.get(at, 0)]
            for at in range(BINS)
        ]

    def _measured(self) -> str:
        match self.column.type:
            case ColumnType.DATE:
                return "CAST(v - DATE '1970-01-01' AS DOUBLE)"
            case ColumnType.DATETIME:
                return "CAST(epoch(v) AS DOUBLE)"
        return "CAST(v AS DOUBLE)"

    def _edge(self, measured: float) -> Any:
        match self.column.type:
            case ColumnType.DATE:
                return _after_epoch(timedelta(days=int(measured)))[:10]
            case ColumnType.DATETIME:
                return _after_epoch(timedelta(seconds=int(measured)))
        return plain(measured)

    def _row(self, sql: str, *parameters: object) -> tuple[Any, ...]:
        return self._rows(sql, *parameters)[0]

    def _rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        table = self.duck.table(sql, parameters, timeout_seconds=self.seconds)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _measure(value: Any) -> float:
    """A value as the number that bins are made of: itself, days or seconds since 1970."""
    match value:
        case datetime():
            return (value.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 # UTC
        case date():
            return float((value - date(1970, 1, 1)).days)
    return float(value)


def _after_epoch(time_: timedelta) -> str:
    return (datetime(1970, 1, 1) + time_).isoformat()  # noqa: DTZ001 # UTC without saying so, as stored


def plain(value: Any) -> Any:
    """The value as JSON can hold it: whole numbers exactly, moments as ISO 8601, long texts shortened."""
    match value:
        case bool() | None:
            return value
        case int() if abs(value) > EXACT_INTEGER:
            return str(value)
        case date():
            return value.isoformat()
        case str() if len(value) > LONGEST_TEXT:
            return value[: LONGEST_TEXT - 1] + "…"
    return value
