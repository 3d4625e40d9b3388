"""What is asked of a table: our words only; values stay values, columns are published names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Scalar = str | int | float | bool | None


class Op(StrEnum):
    """Comparisons of a column with a value."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    CONTAINS = "contains"
    STARTS = "starts"


@dataclass(frozen=True)
class Compare:
    """`column op value`; dates are ISO 8601 text."""

    column: str
    op: Op
    value: Scalar


@dataclass(frozen=True)
class In:
    """`column in (values)`."""

    column: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class IsNull:
    """`column is null`."""

    column: str


@dataclass(frozen=True)
class And:
    """All of them."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    """One of them."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The opposite; a null stays out, as in SQL."""

    part: Condition


Condition = Compare | In | IsNull | And | Or | Not


@dataclass(frozen=True)
class Order:
    """Sort by a column; nulls last."""

    column: str
    descending: bool = False


class Aggregate(StrEnum):
    """What group-by computes."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"


@dataclass(frozen=True)
class Measure:
    """An aggregate of a column (`*` for the count of rows) and the name it gets."""

    aggregate: Aggregate
    column: str
    name: str


@dataclass(frozen=True)
class TableQuery:
    """A page of rows; with `measures` (and `group_by`) it is a group-by."""

    select: tuple[str, ...] = ()
    """Published names; empty means all columns."""
    where: Condition | None = None
    order_by: tuple[Order, ...] = ()
    """For a group-by also names of measures."""
    limit: int = 100
    offset: int = 0
    group_by: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
