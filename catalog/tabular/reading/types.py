"""What type a column has: the narrowest that every one of its values satisfies without a change."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation

import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import ARROW
from catalog.tabular.reading.chunk import Kind
from catalog.tabular.reading.likely import CODES, Likely

Check = Callable[[pa.Array, Kind], bool]

NUMBER = r"^-?((0|[1-9][0-9]*)(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
DATETIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?$"
DATETIME_OR_DATE = DATETIME.replace("[T ]", "([T ]", 1)[:-1] + ")?$"
PLAIN = NUMBER.replace("([eE][+-]?[0-9]{1,3})?", "")
"""A number without an exponent."""
REWRITTEN = r"\.[0-9]*0$|^-?\.|^-0$"
"""A number that is written otherwise when it comes back: 1.10, .5, -0."""
SURE_DIGITS = 15
"""Every decimal of so many digits comes back from a double unchanged."""
SAMPLE = 1_000
PROBE = 64
"""So few values refute most guesses, before a whole batch is looked at."""

CODE_PARTS = (
    "编码", "編碼", "编号", "編號", "代码", "代碼", "邮编", "郵遞", "区号", "電話", "电话", "手机",
    "證", "证", "号", "號", "統編",
)  # fmt: skip
NO_CODE = ("序号", "序號", "月号", "信号")
CODE_WORDS = frozenset(
    [
        "code",
        "codes",
        "id",
        "ids",
        "zip",
        "zipcode",
        "postcode",
        "postal",
        "phone",
        "telephone",
        "tel",
        "mobile",
        "fax",
        "isbn",
        "issn",
        "uuid",
        "guid",
        "fips",
        "iban",
    ]
)

VERSION_PARTS = ("版本", "章节", "章節", "条款", "條款")
VERSION_WORDS = frozenset(
    ["version", "versions", "release", "revision", "section", "chapter", "clause", "article"]
)


def is_version(name: str) -> bool:
    """Whether a column of this name numbers things with points: 1.10 comes after 1.9."""
    return any(part in name for part in VERSION_PARTS) or not VERSION_WORDS.isdisjoint(_words(name))


def is_code(name: str) -> bool:
    """Whether a column of this name holds codes, which look like numbers and are none."""
    for word in NO_CODE:
        name = name.replace(word, "")
    if any(part in name for part in CODE_PARTS):
        return True
    return any(word in CODE_WORDS or word.endswith("code") for word in _words(name))


def _words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.findall(r"[a-z]+", spaced.lower())


class Guess:
    """What a column may still be, after all values that were fed."""

    def __init__(
        self, name: str, missing: Collection[str], declared: ColumnType | None = None
    ) -> None:
        self.likely = Likely(name)
        self.missing = pa.array(sorted({*missing, ""}), pa.string())
        self.declared = declared
        self.kinds = Kind.NONE
        self.possible = {declared} if declared else set(_CHECKS)
        self.rows = 0
        self.valued = False
        """Whether there is any cell that is not empty."""
        self.rewritten = 0
        """Texts of numbers that come back with other zeros."""
        self.example = ""
        self.power = ""
        """A number with an exponent, in a column that is text only for such ones."""
        self._numeric = declared is None

    def feed(self, column: pa.Array, kinds: Kind) -> None:
        """Look at further rows of the column."""
        self.rows += len(column)
        if not self.valued:
            self.valued = bool(pc.any(pc.not_equal(column, "")).as_py())
        decided = self.declared or not (self.possible or self._numeric or kinds & ~self.kinds)
        if decided and not self.likely.open:
            return  # a text it is, whatever follows
        values = column.filter(pc.invert(pc.is_in(column, value_set=self.missing))).drop_null()
        if not len(values):
            return
        self.kinds |= kinds
        self.likely.feed(values, kinds)
        if self.declared:
            return
        different = _different(values)
        for type_ in sorted(self.possible):
            check = self._check(type_, different)
            if not (check(different[:PROBE], kinds) and check(different, kinds)):
                self.possible.discard(type_)
        if kinds & Kind.CELL:
            self._see_notation(values)

    def _check(self, type_: ColumnType, values: pa.Array) -> Check:
        """What to ask of the values; short integers, just found to be such, are numbers without asking again."""
        if type_ is ColumnType.NUMBER and ColumnType.INTEGER in self.possible:
            longest = pc.max(pc.binary_length(values)).as_py()
            return _anything if longest <= SURE_DIGITS else _numbers
        return _CHECKS.get(type_, _anything)

    def _see_notation(self, values: pa.Array) -> None:
        """Note how numbers are written that a CSV has as text; integers come back as they are."""
        if ColumnType.INTEGER in self.possible:
            return
        if ColumnType.NUMBER in self.possible:
            other = _rewritten(values)
            self.rewritten += len(other)
            if len(other) and not self.example:
                self.example = other[0].as_py()
        elif self._numeric:
            self._numeric = all(_numbers(part, Kind.NONE) for part in (values[:PROBE], values))
            powers = _with_power(values) if self._numeric and not self.power else values[:0]
            self.power = (self.power or (powers[0].as_py() if len(powers) else "")) * self._numeric

    def type(self, *, code: bool, version: bool = False) -> ColumnType:
        """The narrowest type; `code` and `version` say that the name is one of a code or of a version."""
        if self.declared:
            return self.declared
        allowed = _allowed(self.kinds)
        code = (
            code
            or self.likely.found(ColumnType.STRING) in CODES
            or (version and self.rewritten > 0)
        )
        if code and self.kinds & (Kind.CELL | Kind.SHOWN):
            allowed = [
                type_ for type_ in allowed if type_ not in (ColumnType.INTEGER, ColumnType.NUMBER)
            ]
        return next((type_ for type_ in allowed if type_ in self.possible), ColumnType.STRING)


def _different(values: pa.Array) -> pa.Array:
    """Each value once, where they repeat."""
    sample = values[:SAMPLE]
    return values.unique() if len(sample.unique()) * 2 <= len(sample) else values


def typed(column: pa.Array, type_: ColumnType, missing: pa.Array) -> pa.Array:
    """The texts of a column as values of the type that all of them satisfy."""
    marks = pa.array([""]) if type_ in (ColumnType.STRING, ColumnType.GEOMETRY) else missing
    absent = pc.is_in(column, value_set=marks)
    if pc.any(absent).as_py():
        column = pc.if_else(absent, pa.scalar(None, pa.string()), column)
    if type_ is ColumnType.BOOLEAN:
        return pc.equal(column, "true")
    return column if ARROW[type_] == pa.string() else pc.cast(column, ARROW[type_])


def _allowed(kinds: Kind) -> list[ColumnType]:
    kinds &= ~Kind.SHOWN
    if kinds & Kind.CELL:
        return _FROM_TEXT
    for only, types in _BY_KIND:
        if kinds and not kinds & ~only:
            return types
    return []


def _all(mask: pa.BooleanArray) -> bool:
    return bool(pc.all(mask, min_count=0).as_py())


def _castable(values: pa.Array, type_: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(values, type_)
    except pa.ArrowInvalid:
        return None


def _integers(values: pa.Array, _kinds: Kind) -> bool:
    found = _castable(values, pa.int64())
    return found is not None and _all(pc.equal(pc.cast(found, pa.string()), values))


def _numbers(values: pa.Array, kinds: Kind) -> bool:
    """Of texts, those with an exponent are none: 1e5 may be a code, and would come back as 100000."""
    plain = pc.match_substring_regex(values, PLAIN)
    if not _all(plain) and (
        kinds & Kind.CELL or not _all(pc.match_substring_regex(values, NUMBER))
    ):
        return False
    sure = pc.and_(pc.less_equal(pc.binary_length(values), SURE_DIGITS), plain)
    values = values.filter(pc.invert(sure))
    if not len(values):
        return True
    floats = pc.cast(values, pa.float64())
    values = values.filter(pc.not_equal(pc.cast(floats, pa.string()), values))
    return all(map(is_exact, values.unique().to_pylist()))


def _with_power(values: pa.Array) -> pa.Array:
    return values.filter(pc.match_substring_regex(values, "[eE]"))


def _rewritten(values: pa.Array) -> pa.Array:
    """The numbers that come back otherwise; few end in zero or begin with a point, so few are looked at closely."""
    suspects = pc.or_(pc.ends_with(values, "0"), pc.less(values, "0"))
    values = values.filter(suspects)
    return values.filter(pc.match_substring_regex(values, REWRITTEN))


def is_exact(text: str) -> bool:
    """Whether a double holds this decimal number exactly as it is written."""
    try:
        return Decimal(text) == Decimal(repr(float(text)))
    except (InvalidOperation, ValueError):
        return False


def _booleans(values: pa.Array, _kinds: Kind) -> bool:
    return _all(pc.is_in(values, value_set=pa.array(["false", "true"])))


def _dates(values: pa.Array, _kinds: Kind) -> bool:
    return _castable(values, pa.date32()) is not None and pc.min(values).as_py() >= "0001"


def _datetimes(values: pa.Array, kinds: Kind) -> bool:
    pattern = DATETIME_OR_DATE if kinds & Kind.DATETIME or kinds & Kind.DATE else DATETIME
    if not _all(pc.match_substring_regex(values, pattern)):
        return False
    return _castable(values, pa.timestamp("us")) is not None and pc.min(values).as_py() >= "0001"


def _geometries(values: pa.Array, _kinds: Kind) -> bool:
    return _all(pc.starts_with(values, "{"))


def _anything(_values: pa.Array, _kinds: Kind) -> bool:
    return True


_CHECKS: dict[ColumnType, Check] = {
    ColumnType.INTEGER: _integers,
    ColumnType.NUMBER: _numbers,
    ColumnType.BOOLEAN: _booleans,
    ColumnType.DATE: _dates,
    ColumnType.DATETIME: _datetimes,
    ColumnType.GEOMETRY: _geometries,
}
_FROM_TEXT = [
    ColumnType.INTEGER,
    ColumnType.NUMBER,
    ColumnType.BOOLEAN,
    ColumnType.DATE,
    ColumnType.DATETIME,
]
_BY_KIND: list[tuple[Kind, list[ColumnType]]] = [
    (Kind.INTEGER, [ColumnType.INTEGER, ColumnType.NUMBER]),
    (Kind.INTEGER | Kind.NUMBER, [ColumnType.NUMBER]),
    (Kind.BOOLEAN, [ColumnType.BOOLEAN]),
    (Kind.GEOMETRY, [ColumnType.GEOMETRY]),
    (Kind.TEXT | Kind.DATE | Kind.DATETIME, [ColumnType.DATE, ColumnType.DATETIME]),
]
