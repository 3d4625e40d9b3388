"""The texts of a column become values; what the values do not tell goes to the kept cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import Invalid
from catalog.models.vocabulary import ColumnType
from catalog.tabular import divisions, semantics
from catalog.tabular.column import ARROW, Column
from catalog.tabular.kept import KeptCells
from catalog.tabular.reading.chunk import Kind
from catalog.tabular.reading.declared import FORMATS, Reader, reader_of
from catalog.tabular.reading.likely import NUMERIC
from catalog.tabular.reading.types import REWRITTEN, SURE_DIGITS, typed
from catalog.tabular.reasons import Reason
from catalog.tabular.table_schema import Field

USUAL = {
    "integer": "^(0|-?[1-9][0-9]*)$",
    "number": r"^(0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)\.[0-9]*[1-9])$",
}
"""Texts of numbers that any dictionary with a decimal point reads alike."""
EMPTY = pa.array([""])
Cells = tuple[pa.Array, pa.Array]
"""Places in a batch, and a reason for each."""


class Conversion:
    """How one column is converted, batch by batch."""

    def __init__(
        self,
        column: Column,
        field: Field,
        missing: Sequence[str],
        *,
        kinds: Kind = Kind.CELL,
        rewritten: bool = True,
    ) -> None:
        self.column, self.field, self.semantic = column, field, field.semantic
        plain = field.type is None or _is_plain(field)
        self._read = None if plain else reader_of(field)
        self._constraints = Constraints(field, column) if field.constraints else None
        self._marks = pa.array(sorted({"", *missing}), pa.string())
        self._words = pa.array(sorted({*missing} - {""}), pa.string())
        self._is_text = bool(kinds & Kind.CELL)
        self._may_be_rewritten = column.type is ColumnType.NUMBER and (
            rewritten or not self._is_text
        )
        self._is_simple = plain and not self._constraints and not self.semantic

    def convert(self, texts: pa.Array, start: int, kept: KeptCells) -> pa.Array:
        """The values of a batch whose first row is `start`."""
        gone = pc.is_in(texts, value_set=self._words) if len(self._words) else None
        if self._is_simple and (gone is None or not pc.any(gone).as_py()):
            values, found = typed(texts, self.column.type, EMPTY), [*self._rewritten(texts)]
        else:
            values, found = self._careful(texts)
        self._keep(texts, found, start, kept)
        return values

    def _careful(self, texts: pa.Array) -> tuple[pa.Array, list[Cells]]:
        gone = pc.or_kleene(pc.is_null(texts), pc.is_in(texts, value_set=self._marks))
        there = pc.if_else(gone, pa.scalar(None, pa.string()), texts)
        if self._read:
            values, found = self._declared(self._read, there)
        else:
            values, found = typed(there, self.column.type, EMPTY), [*self._rewritten(there)]
        found += self._gone(texts, gone)
        if self._constraints:
            found += self._constraints.broken(values, there)
        if self.semantic:
            found.append(self._unlikely(values, there))
        return values, found

    def _declared(self, read: Reader, there: pa.Array) -> tuple[pa.Array, list[Cells]]:
        """Usual texts are cast together; of all others, each different one is read once."""
        arrow = ARROW[self.column.type]
        usual = self._usual(there)
        nothing = pa.scalar(None, pa.string())
        coded = pc.if_else(usual, nothing, there).dictionary_encode()
        parsed = list(map(read, coded.dictionary.to_pylist()))
        values = pa.array([one.value for one in parsed], arrow).take(coded.indices)
        reasons = pa.array([one.reason.value or None for one in parsed], pa.string())
        cast = typed(pc.if_else(usual, there, nothing), self.column.type, EMPTY)
        return pc.coalesce(cast, values), [_cells(reasons.take(coded.indices))]

    def _usual(self, there: pa.Array) -> pa.Array:
        """Which texts stand for their value whatever else the dictionary says."""
        pattern = USUAL.get(self.field.kind)
        if pattern is None or self.field.decimal != ".":
            return pa.repeat(pa.scalar(False), len(there))  # noqa: FBT003 # none
        short = pc.less_equal(pc.binary_length(there), SURE_DIGITS)
        usual = pc.and_(short, pc.match_substring_regex(there, pattern))
        return pc.fill_null(usual, False)  # noqa: FBT003 # nothing has nothing to cast

    def _rewritten(self, there: pa.Array) -> Iterator[Cells]:
        """Numbers that come back written otherwise."""
        if not self._may_be_rewritten:
            return
        pattern = REWRITTEN if self._is_text else f"{REWRITTEN}|[eE]"
        places = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(there, pattern), False))  # noqa: FBT003
        if len(places) and not self._is_text:
            found = zip(places.to_pylist(), there.take(places).to_pylist(), strict=True)
            places = pa.array([at for at, text in found if repr(float(text)) != text], pa.uint64())
        yield _with(places, Reason.NOTATION)

    def _gone(self, texts: pa.Array, gone: pa.Array) -> list[Cells]:
        """Texts that mean "no value"; or every place without one, where there must be one."""
        if self.field.constraints.get("required"):
            return [_with(pc.indices_nonzero(gone), Reason.REQUIRED)]
        marked = pc.is_in(texts, value_set=self._words)
        return [_with(pc.indices_nonzero(marked), Reason.MISSING)]

    def _unlikely(self, values: pa.Array, there: pa.Array) -> Cells:
        """Values that the standard refuses: of numbers those that were meant, of codes those that were written."""
        if self.semantic == semantics.DIVISION:
            coded = there.dictionary_encode()
            wrong = pc.invert(semantics.valid(self.semantic, coded.dictionary))
            return _cells(_divisions(coded.dictionary, wrong).take(coded.indices))
        meant = pc.cast(values, pa.string()) if self.semantic in NUMERIC else there
        wrong = pc.invert(semantics.valid(self.semantic, meant))
        return _with(pc.indices_nonzero(pc.fill_null(wrong, False)), Reason(self.semantic))  # noqa: FBT003

    def _keep(self, texts: pa.Array, found: list[Cells], start: int, kept: KeptCells) -> None:
        """Each cell once, with its first reason."""
        found = [cells for cells in found if len(cells[0])]
        if not found:
            return
        if len(found) == 1:
            ((places, why),) = found
            rows = pc.add(pc.cast(places, pa.int64()), start)
            kept.add(self.column.stored, rows, texts.take(places), why)
            return
        reasons: dict[int, str] = {}
        for places, why in found:
            for at, reason in zip(places.to_pylist(), why.to_pylist(), strict=True):
                if reasons.get(at, Reason.NOTATION) == Reason.NOTATION:
                    reasons[at] = reason
        places = pa.array(sorted(reasons), pa.int64())
        why = pa.array([reasons[at] for at in sorted(reasons)], pa.string())
        kept.add(self.column.stored, pc.add(places, start), texts.take(places), why)


class Constraints:
    """What the dictionary demands of values besides their type; `unique` is for the whole table."""

    def __init__(self, field: Field, column: Column) -> None:
        given = field.constraints
        typed_as = field if field.type else replace(field, kind=column.type.value)
        read = reader_of(typed_as)
        self._lengths = (given.get("minLength"), given.get("maxLength"))
        self.limits = tuple(
            _limit(read, field.name, key, given[key]) if key in given else None
            for key in ("minimum", "maximum")
        )
        self._pattern = given.get("pattern")
        self._enum = [_limit(read, field.name, "enum", value) for value in given.get("enum", ())]

    def broken(self, values: pa.Array, texts: pa.Array) -> Iterator[Cells]:
        """The cells whose value breaks one."""
        shortest, longest = self._lengths
        sizes = pc.utf8_length(texts)
        if shortest is not None:
            yield _where(pc.less(sizes, shortest), Reason.MIN_LENGTH)
        if longest is not None:
            yield _where(pc.greater(sizes, longest), Reason.MAX_LENGTH)
        least, most = self.limits
        if least is not None:
            yield _where(pc.less(values, pa.scalar(least, values.type)), Reason.MINIMUM)
        if most is not None:
            yield _where(pc.greater(values, pa.scalar(most, values.type)), Reason.MAXIMUM)
        if self._pattern:
            matching = pc.match_substring_regex(texts, f"^(?:{self._pattern})$")
            yield _where(pc.invert(matching), Reason.PATTERN)
        if self._enum:
            known = pc.is_in(values, value_set=pa.array(self._enum, values.type))
            yield _where(pc.and_(pc.is_valid(values), pc.invert(known)), Reason.ENUM)


def _limit(read: Reader, name: str, key: str, limit: object) -> Any:
    """A value of the column, written as the dictionary writes values or as JSON."""
    text = limit if isinstance(limit, str) else str(limit).lower()
    found = read(text).value
    if found is None:
        raise Invalid(
            "The property %(property)s of the column %(column)s cannot be used.",
            property=key, column=name,
        )  # fmt: skip
    return found


def _is_plain(field: Field) -> bool:
    """Whether any text is a value of the type."""
    return field.kind in {"string", "list"} and field.format not in FORMATS


def _divisions(codes: pa.Array, wrong: pa.Array) -> pa.Array:
    """What is wrong with each code: its form, that nobody knows it, or only that it is gone."""
    unknown, gone = pc.invert(divisions.is_listed(codes)), divisions.is_gone(codes)
    reasons = pc.if_else(gone, Reason.DIVISION_GONE.value, pa.scalar(None, pa.string()))
    reasons = pc.if_else(unknown, Reason.DIVISION_UNKNOWN.value, reasons)
    return pc.if_else(wrong, Reason.DIVISION.value, reasons)


def _cells(reasons: pa.Array) -> Cells:
    places = pc.indices_nonzero(reasons.is_valid())
    return places, reasons.take(places)


def _with(places: pa.Array, reason: Reason) -> Cells:
    return places, pa.repeat(pa.scalar(reason.value), len(places))


def _where(mask: pa.Array, reason: Reason) -> Cells:
    return _with(pc.indices_nonzero(pc.fill_null(mask, False)), reason)  # noqa: FBT003 # no value breaks nothing
