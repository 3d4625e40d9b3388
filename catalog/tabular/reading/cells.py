"""Values of JSON, sheets and databases as texts, with what they were."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import reduce
from operator import or_

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import Unreadable
from catalog.tabular.reading.chunk import Chunk, Kind

CHUNK_ROWS = 10_000
CHUNK_CHARACTERS = 1 << 23


class Literal(str):
    """A number that a double would change or write differently, as it stands in the file."""

    __slots__ = ()


class Geometry(str):
    """A GeoJSON geometry as compact text."""

    __slots__ = ()


class Nested(str):
    """An object or array as compact JSON text."""

    __slots__ = ()


def chunk_of(
    names: Sequence[str],
    columns: Sequence[Sequence[object]],
    missing: Collection[str],
    *,
    shown: bool = False,
) -> Chunk:
    """A chunk of columns of values."""
    pairs = [array_of(values, missing) for values in columns]
    extra = Kind.SHOWN if shown else Kind.NONE
    rows = len(columns[0]) if columns else 0
    return Chunk(names, [array for array, _ in pairs], [kind | extra for _, kind in pairs], rows)


def chunks_of(
    rows: Iterable[Mapping[str, object]], missing: Collection[str], names: Sequence[str] = ()
) -> Iterator[Chunk]:
    """Chunks of records; a name that turns up later becomes a further column."""
    known = dict.fromkeys(names)
    for batch in _batches(rows):
        for row in batch:
            known.update(dict.fromkeys(row))
        yield chunk_of([*known], [[row.get(name) for row in batch] for name in known], missing)


def _batches(rows: Iterable[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    batch: list[Mapping[str, object]] = []
    size = 0
    for row in rows:
        flat, weight = _flat(row)
        batch.append(flat)
        size += weight
        if len(batch) >= CHUNK_ROWS or size >= CHUNK_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _flat(row: Mapping[str, object]) -> tuple[Mapping[str, object], int]:
    """The row with what is nested as text, which needs far less memory; and its characters, roughly."""
    size, nested = 0, False
    for value in row.values():
        if isinstance(value, str | bytes):
            size += len(value)
        elif isinstance(value, dict | list):
            nested = True
    if not nested:
        return row, size
    flat = {name: _text_of(value) for name, value in row.items()}
    return flat, sum(len(value) for value in flat.values() if isinstance(value, str | bytes))


def _text_of(value: object) -> object:
    return Nested(compact(value)) if isinstance(value, dict | list) else value


def array_of(values: Sequence[object], missing: Collection[str]) -> tuple[pa.Array, Kind]:
    """The values as strings, and what they are; texts that mean "no value" count as nothing."""
    types = set(map(type, values)) - {type(None)}
    if types == {str}:
        present = set(values) - {None, "", *missing}
        return _strings(values), Kind.TEXT if present else Kind.NONE
    plain = _PLAIN.get(frozenset(types))
    if plain:
        try:
            found = plain(values)
        except (OverflowError, ValueError, TypeError):
            found = None  # A whole number beyond 64 bits, a moment with a zone.
        if found is not None:
            return found
    cells = list(map(cell_of, values))
    kinds = {
        kind for kind, text in cells if kind is not Kind.TEXT or (text and text not in missing)
    }
    return _strings([text for _, text in cells]), reduce(or_, kinds, Kind.NONE)


def _cast(arrow: pa.DataType, kind: Kind) -> Callable[[Sequence[object]], tuple[pa.Array, Kind]]:
    return lambda values: (pa.array(values, arrow).cast(pa.string()), kind)


def _floats(values: Sequence[object]) -> tuple[pa.Array, Kind]:
    """As `repr` writes them, with a point; what is no number is nothing."""
    numbers = pa.array(values, pa.float64(), from_pandas=True)
    texts = numbers.cast(pa.string())
    whole = pc.match_substring_regex(texts, r"^-?[0-9]+$")
    kind = Kind.NUMBER if numbers.null_count < len(numbers) else Kind.NONE
    return pc.if_else(whole, pc.binary_join_element_wise(texts, "0", "."), texts), kind


def _numbers(values: Sequence[object]) -> tuple[pa.Array, Kind]:
    """Whole numbers among others, as databases without fixed types give them."""
    numbers = pa.array(values, pa.float64(), from_pandas=True)
    return numbers.cast(pa.string()), Kind.NUMBER | Kind.INTEGER


def _moments(values: Sequence[object]) -> tuple[pa.Array, Kind] | None:
    """Moments without a zone."""
    if any(value is not None and value.tzinfo is not None for value in values):  # type: ignore[attr-defined] # a datetime
        return None
    return pa.array(values, pa.timestamp("us")).cast(pa.string()), Kind.DATETIME


def _decimals(values: Sequence[object]) -> tuple[pa.Array, Kind] | None:
    """Decimals that are written without an exponent."""
    texts = pa.array([None if value is None else str(value) for value in values], pa.string())
    if pc.any(pc.match_substring_regex(texts, "[EN]"), min_count=0).as_py():
        return None
    pointed = pc.match_substring(texts, ".")
    kind = Kind.NUMBER if pc.any(pointed).as_py() else Kind.NONE
    return texts, kind if pc.all(pointed).as_py() else kind | Kind.INTEGER


_PLAIN: dict[frozenset[type], Callable[[Sequence[object]], tuple[pa.Array, Kind] | None]] = {
    frozenset({int}): _cast(pa.int64(), Kind.INTEGER),
    frozenset({bool}): _cast(pa.bool_(), Kind.BOOLEAN),
    frozenset({float}): _floats,
    frozenset({int, float}): _numbers,
    frozenset({date}): _cast(pa.date32(), Kind.DATE),
    frozenset({datetime}): _moments,
    frozenset({Decimal}): _decimals,
}
"""Columns of one type are converted as a whole."""


def _strings(texts: Sequence[object]) -> pa.Array:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array([text and unicode(str(text)) for text in texts], pa.string())


def unicode(text: str) -> str:
    """The text with halves of surrogate pairs, which are no characters, as their escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def cell_of(value: object) -> tuple[Kind, str | None]:
    """What a value is, and its text."""
    if value is None:
        return Kind.NONE, None
    known = _CELLS.get(type(value))
    if known is None:
        known = next((cell for type_, cell in _CELLS.items() if isinstance(value, type_)), _other)
    return known(value)


def compact(value: object) -> str:
    """Compact JSON text; numbers stand as in the file."""
    try:
        return orjson.dumps(value, _unknown, orjson.OPT_PASSTHROUGH_SUBCLASS | _PASS_DATES).decode()
    except (TypeError, orjson.JSONEncodeError):
        pass  # Whole numbers beyond 64 bits, halves of surrogate pairs, keys that are no text.
    try:
        return _compact(value)
    except RecursionError:
        raise Unreadable("A value is nested too deeply to be read.") from None


_PASS_DATES = orjson.OPT_PASSTHROUGH_DATETIME


def _unknown(value: object) -> object:
    return orjson.Fragment(_compact(value))


def _compact(value: object) -> str:
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_quoted(str(k))}:{_compact(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_compact, value)) + "]"
    kind, text = cell_of(value)
    if text is None or (kind is Kind.NUMBER and not any(map(str.isdigit, text))):
        return "null"
    return text if kind in (Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN) else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _float(value: float) -> tuple[Kind, str | None]:
    return (Kind.NONE, None) if math.isnan(value) else (Kind.NUMBER, repr(float(value)))


def _decimal(value: Decimal) -> tuple[Kind, str | None]:
    if value.is_nan():
        return Kind.NONE, None
    text = format(value, "f") if value.is_finite() else str(value)
    return (Kind.NUMBER if "." in text else Kind.INTEGER), text


def _literal(value: Literal) -> tuple[Kind, str]:
    return (Kind.INTEGER if value.lstrip("-").isdigit() else Kind.NUMBER), str(value)


def _nested(value: object) -> tuple[Kind, str]:
    return Kind.JSON, compact(value)


def _other(value: object) -> tuple[Kind, str]:
    return Kind.TEXT, str(value)


_CELLS: dict[type, Callable[..., tuple[Kind, str | None]]] = {
    Literal: _literal,
    str: _other,
    bool: lambda value: (Kind.BOOLEAN, "true" if value else "false"),
    int: lambda value: (Kind.INTEGER, str(int(value))),
    float: _float,
    Decimal: _decimal,
    datetime: lambda value: (Kind.DATETIME, value.isoformat()),
    date: lambda value: (Kind.DATE, value.isoformat()),
    time: lambda value: (Kind.TEXT, value.isoformat()),
    bytes: lambda value: (Kind.TEXT, value.hex()),
    memoryview: lambda value: (Kind.TEXT, value.hex()),
    Geometry: lambda value: (Kind.GEOMETRY, str(value)),
    Nested: lambda value: (Kind.JSON, str(value)),
    Mapping: _nested,
    list: _nested,
    tuple: _nested,
}
