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
    ENDS = "ends"
    ICONTAINS = "icontains"
    """Contains, whether letters are large or small."""
    WORD = "word"
    """The text, or the value as text, has this word, in any case; one in Chinese may stand anywhere."""
    WORD_STARTS = "word_starts"
    """It has a word that begins so."""
    STEM = "stem"
    """It has an English word with the stem of this one."""
    PHRASE = "phrase"
    """It has words that follow each other: `~` before one means its stem, `*` after one its beginning, `?` any word."""


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
class Words:
    """Every word of `text`, which spaces separate, stands in some text column, large or small."""

    text: str


@dataclass(frozen=True)
class Near:
    """The point of two number columns lies within so many kilometres of a place, along a great circle.

    Both names are the same for a column of shapes, whose nearest part counts.
    """

    latitude_column: str
    longitude_column: str
    latitude: float
    longitude: float
    km: float


@dataclass(frozen=True)
class Box:
    """The point of two number columns lies in a box of degrees, edges included; one across 180° has west > east.

    Both names are the same for a column of shapes, of which any part counts.
    """

    latitude_column: str
    longitude_column: str
    south: float
    west: float
    north: float
    east: float


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


Condition = Compare | In | IsNull | Words | Near | Box | And | Or | Not


@dataclass(frozen=True)
class Order:
    """Sort by a column; nulls last, unless they are wanted first."""

    column: str
    descending: bool = False
    nulls_first: bool = False


class Aggregate(StrEnum):
    """What group-by computes."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MEDIAN = "median"
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"


@dataclass(frozen=True)
class Measure:
    """An aggregate of a column (`*` for the count of rows) and the name it gets."""

    aggregate: Aggregate
    column: str
    name: str


class JoinKind(StrEnum):
    """Which rows of the first table a join keeps."""

    INNER = "inner"
    LEFT = "left"


@dataclass(frozen=True)
class Join:
    """Columns of another table beside those of this one, where pairs of columns are equal.

    The other table's columns are called `name.column`.
    """

    table: str
    """Id of the other table."""
    on: tuple[tuple[str, str], ...]
    """Pairs of a column of this table and one of the other's declared key."""
    kind: JoinKind = JoinKind.INNER
    name: str = "other"
    as_of: str | None = None
    """The release of the other table, or a time; without it the one that there was beside that of this table."""


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
    having: Condition | None = None
    """What groups must satisfy; names are those of the result."""
    distinct: bool = False
    """Each combination of the selected values once."""
    join: Join | None = None
