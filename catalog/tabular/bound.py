"""Conditions bound to columns: names are known, values have the column's type; engines only write them down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from math import asin, cos, degrees, pi, radians, sin

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.query import (
    And,
    Box,
    Compare,
    Condition,
    In,
    IsNull,
    Near,
    Not,
    Op,
    Or,
    Scalar,
    Words,
)
from catalog.tabular.values import (
    GREATEST_INTEGER,
    LEAST_INTEGER,
    TEXT_TYPES,
    Value,
    coerce,
    usable,
)
from catalog.tabular.words import WORDS, pattern, words_of

MOST_PARTS = 500
MOST_VALUES = 1_000
DEEPEST = 40
MOST_WORDS = 20
EARTH_KM = 6371.0088
"""The mean radius: distances along a sphere differ from those along the ellipsoid by at most 0.6 %."""
FARTHEST_KM = 20_038.0
TEXT_OPS = frozenset({Op.CONTAINS, Op.STARTS, Op.ENDS, Op.ICONTAINS})
NUMERIC = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})


@dataclass(frozen=True)
class Test:
    """`column op value`."""

    __test__ = False  # pytest would take the class for a test
    column: Column
    op: Op
    value: Value
    words: tuple[tuple[str, ...], ...] = ()
    """Of a test for words: the forms of each, in small letters, of which a text must have one."""


@dataclass(frozen=True)
class OneOf:
    """`column in (values)`; there is at least one."""

    column: Column
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Missing:
    """`column is null`."""

    column: Column


@dataclass(frozen=True)
class Settled:
    """The same answer for every value of the column; null stays unknown, as in SQL."""

    column: Column
    holds: bool


@dataclass(frozen=True)
class Within:
    """The point of two columns lies within `km` of a place: the haversine of the angle between is at most `most`."""

    latitude: Column
    longitude: Column
    place: tuple[float, float]
    km: float

    @property
    def most(self) -> float:
        """The greatest haversine, `sin²(angle / 2)`."""
        return sin(min(self.km / EARTH_KM, pi) / 2) ** 2


@dataclass(frozen=True)
class Shaped:
    """The shape in a column satisfies a function of `shapes` with these numbers."""

    column: Column
    function: str
    numbers: tuple[float, ...]


@dataclass(frozen=True)
class Every:
    """All of them; none means true."""

    parts: tuple[Bound, ...]


@dataclass(frozen=True)
class Some:
    """One of them; none means false."""

    parts: tuple[Bound, ...]


@dataclass(frozen=True)
class Opposite:
    """The opposite of a test that has no opposite operator; unknown stays unknown."""

    part: Test | OneOf | Missing | Within | Shaped


Bound = Test | OneOf | Missing | Settled | Within | Shaped | Every | Some | Opposite

_INVERSE = {
    Op.EQ: Op.NE,
    Op.NE: Op.EQ,
    Op.LT: Op.GE,
    Op.LE: Op.GT,
    Op.GT: Op.LE,
    Op.GE: Op.LT,
}


def bind(condition: Condition, columns: Sequence[Column]) -> Bound:
    """The condition with columns and typed values; raises BadQuery for what does not fit."""
    if _size(condition, 0) > MOST_PARTS:
        raise BadQuery("the condition has more than %(most)s parts", most=MOST_PARTS)
    return _bind(condition, columns)


def _size(condition: Condition, depth: int) -> int:
    if depth > DEEPEST:
        raise BadQuery("the condition is nested more than %(most)s deep", most=DEEPEST)
    if isinstance(condition, And | Or):
        return 1 + sum(_size(part, depth + 1) for part in condition.parts)
    if isinstance(condition, Not):
        return 1 + _size(condition.part, depth + 1)
    return 1


def _bind(condition: Condition, columns: Sequence[Column]) -> Bound:
    match condition:
        case And(parts):
            return Every(tuple(_bind(part, columns) for part in parts))
        case Or(parts):
            return Some(tuple(_bind(part, columns) for part in parts))
        case Not(part):
            return _negate(_bind(part, columns))
        case _:
            return _bind_leaf(condition, columns)


def _bind_leaf(
    condition: IsNull | In | Compare | Words | Near | Box, columns: Sequence[Column]
) -> Bound:
    match condition:
        case IsNull(name):
            return Missing(usable(columns, name))
        case In(name, values):
            return _bind_in(usable(columns, name), values)
        case Compare(name, op, value):
            return _bind_compare(usable(columns, name), op, value)
        case Words(text):
            return _bind_words(text, columns)
        case Near():
            return _bind_near(condition, columns)
        case Box():
            return _bind_box(condition, columns)


def _negate(bound: Bound) -> Bound:
    """The opposite with the negations next to the tests.

    Engines simplify `a AND NOT a` to false, which is wrong for null under another NOT; written like this a
    null makes a test untrue and no outer NOT can turn that around.
    """
    match bound:
        case Every(parts):
            return Some(tuple(_negate(part) for part in parts))
        case Some(parts):
            return Every(tuple(_negate(part) for part in parts))
        case Opposite(part):
            return part
        case Settled(column, holds):
            return Settled(column, not holds)
        case Test(column, op, value) if op in _INVERSE:
            return Test(column, _INVERSE[op], value)
        case Test() | OneOf() | Missing() | Within() | Shaped():
            return Opposite(bound)


def _bind_in(column: Column, values: tuple[Scalar, ...]) -> Bound:
    if len(values) > MOST_VALUES:
        raise BadQuery("a list holds more than %(most)s values", most=MOST_VALUES)
    typed = [coerce(column, value) for value in values if value is not None]
    listed = tuple(dict.fromkeys(value for value in typed if not isinstance(value, Decimal)))
    parts: list[Bound] = [Missing(column)] if None in values else []
    if listed:
        parts.append(OneOf(column, listed))
    elif typed:
        parts.append(Settled(column, holds=False))
    return parts[0] if len(parts) == 1 else Some(tuple(parts))


def _bind_compare(column: Column, op: Op, value: Scalar) -> Bound:
    if op in WORDS:
        text = str(value)
        return Test(column, op, pattern(op, text, column.type), words_of(op, text))
    if value is None and op in (Op.EQ, Op.NE):
        return Missing(column) if op is Op.EQ else Opposite(Missing(column))
    if op in TEXT_OPS and column.type not in TEXT_TYPES:
        raise BadQuery(
            "“%(column)s” is no text: “%(op)s” cannot be used", column=column.name, op=op.value
        )
    if column.type is ColumnType.BOOLEAN and op not in (Op.EQ, Op.NE):
        raise BadQuery(
            "“%(column)s” is true or false: “%(op)s” cannot be used",
            column=column.name,
            op=op.value,
        )
    typed = coerce(column, value)
    if isinstance(typed, Decimal):
        return _bind_beyond(column, op, typed)
    return Test(column, op, typed)


def _bind_beyond(column: Column, op: Op, value: Decimal) -> Bound:
    """An integer compared with 2.5 or with 1e30: exact, although no int64 is equal to the value."""
    if op in (Op.EQ, Op.NE):
        return Settled(column, holds=op is Op.NE)
    below = op in (Op.LT, Op.LE)
    if value > GREATEST_INTEGER:
        return Settled(column, holds=below)
    if value < LEAST_INTEGER:
        return Settled(column, holds=not below)
    floor = int(value.to_integral_value(ROUND_FLOOR))
    return Test(column, Op.LE, floor) if below else Test(column, Op.GT, floor)


def _bind_words(text: str, columns: Sequence[Column]) -> Bound:
    """Each word in one of the text columns; masked ones are passed over, for nobody named them."""
    words = list(dict.fromkeys(text.split()))
    if len(words) > MOST_WORDS:
        raise BadQuery("write at most %(most)s words", most=MOST_WORDS)
    texts = [c for c in columns if c.type is ColumnType.STRING and not c.masked]
    return Every(
        tuple(
            Some(tuple(_bind_compare(column, Op.ICONTAINS, word) for column in texts))
            for word in words
        )
    )


def _shape(name: str, columns: Sequence[Column]) -> Column:
    """The column of shapes; raises BadQuery unless it can hold them."""
    column = usable(columns, name)
    if column.type not in TEXT_TYPES:
        raise BadQuery(
            "“%(column)s” holds no shapes: name the columns of latitude and longitude, or one of geometries",
            column=column.name,
        )
    return column


def _point(latitude: str, longitude: str, columns: Sequence[Column]) -> tuple[Column, Column]:
    """The two columns of a point; raises BadQuery unless they hold numbers."""
    both = usable(columns, latitude), usable(columns, longitude)
    for column in both:
        if column.type not in NUMERIC:
            raise BadQuery(
                "“%(column)s” is no number: it cannot be a coordinate", column=column.name
            )
    return both


def _bind_near(near: Near, columns: Sequence[Column]) -> Bound:
    """A box first, which indexes answer, then the distance itself."""
    _check_place(near.latitude, near.longitude)
    if not 0 <= near.km <= FARTHEST_KM:
        raise BadQuery("a distance is a number of kilometres from 0 to %(most)s", most=FARTHEST_KM)
    if near.latitude_column == near.longitude_column:
        column = _shape(near.latitude_column, columns)
        return Shaped(column, "shape_near", (near.latitude, near.longitude, near.km))
    latitude, longitude = _point(near.latitude_column, near.longitude_column, columns)
    exact = Within(latitude, longitude, (near.latitude, near.longitude), near.km)
    return Every((_around(near, columns), exact))


def _around(near: Near, columns: Sequence[Column]) -> Bound:
    """The smallest box that holds the circle, a little widened for what rounding takes away."""
    angle = near.km / EARTH_KM
    reach = degrees(angle) * 1.000001 + 1e-9
    south, north = near.latitude - reach, near.latitude + reach
    if south <= -90 or north >= 90:
        west, east = -180.0, 180.0
    else:
        side = degrees(asin(min(1.0, sin(angle) / cos(radians(near.latitude)))))
        side = side * 1.000001 + 1e-9
        west, east = _wrapped(near.longitude - side), _wrapped(near.longitude + side)
        if 2 * side >= 360:
            west, east = -180.0, 180.0
    names = near.latitude_column, near.longitude_column
    return _bind_box(Box(*names, max(south, -90.0), west, min(north, 90.0), east), columns)


def _wrapped(longitude: float) -> float:
    return (longitude + 180.0) % 360.0 - 180.0


def _check_place(latitude: float, longitude: float) -> None:
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise BadQuery("a latitude lies between -90 and 90, a longitude between -180 and 180")


def _bind_box(box: Box, columns: Sequence[Column]) -> Bound:
    _check_place(box.south, box.west)
    _check_place(box.north, box.east)
    if box.south > box.north:
        raise BadQuery(
            "the box is upside down: its south, %(south)s, lies north of its north, %(north)s",
            south=box.south,
            north=box.north,
        )
    if box.latitude_column == box.longitude_column:
        column = _shape(box.latitude_column, columns)
        return Shaped(column, "shape_in_box", (box.south, box.west, box.north, box.east))
    latitude, longitude = _point(box.latitude_column, box.longitude_column, columns)
    east_of = _bind_compare(longitude, Op.GE, box.west)
    west_of = _bind_compare(longitude, Op.LE, box.east)
    across = box.west > box.east
    return Every(
        (
            _bind_compare(latitude, Op.GE, box.south),
            _bind_compare(latitude, Op.LE, box.north),
            Some((east_of, west_of)) if across else Every((east_of, west_of)),
        )
    )
