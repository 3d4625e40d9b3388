"""Rows as CKAN gives them: objects, lists, or text with commas or tabs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from api.ckan.tables import ID_FIELD, Field
from api.rows import values_of
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column

GREATEST_WHOLE = 1e15
"""Whole numbers up to here are written without a fraction, as PostgreSQL writes them."""


def columns_of(data: pa.Table, fields: Sequence[Field]) -> list[list[Any]]:
    """The values of each field, in forms that orjson writes as CKAN does."""
    return [cell_values(data.column(at), field) for at, field in enumerate(fields)]


def objects(fields: Sequence[Field], columns: Sequence[list[Any]]) -> list[dict[str, Any]]:
    """An object a row."""
    names = [field.id for field in fields]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def cell_values(cells: pa.ChunkedArray, field: Field) -> list[Any]:
    """The values of one field."""
    if field is ID_FIELD:
        numbers: list[Any] = pc.add(cells, 1).to_pylist()
        return numbers
    kind = field.type.column
    if kind is ColumnType.DATETIME and not field.masked:
        texts: list[Any] = moments(cells).to_pylist()
        return texts
    if kind is ColumnType.NUMBER and pa.types.is_floating(cells.type):
        return [_number(value) for value in cells.to_pylist()]
    if field.type.is_json:
        return [_json(value) for value in cells.to_pylist()]
    return values_of(cells, Column(field.name, "", kind))


def _number(value: float | None) -> float | int | None:
    if value is not None and abs(value) < GREATEST_WHOLE and value == int(value):
        return int(value)
    return value


def _json(value: Any) -> Any:
    """The value that the text holds; a text that holds none stays what it is."""
    if not isinstance(value, str):
        return value
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    return orjson.Fragment(value)


def moments(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments with milliseconds: `2005-03-01T00:00:00.000`."""
    cut = pc.floor_temporal(cells, unit="millisecond").cast(pa.timestamp("ms"))
    return pc.replace_substring(cut.cast(pa.string()), " ", "T")


def lines(data: pa.Table, fields: Sequence[Field], separator: str) -> str:
    """The rows as PostgreSQL's COPY writes them: a line a row, nothing for null, `""` for empty text."""
    if not data.num_rows:
        return ""
    columns = [
        _cells(data.column(at), field, separator).combine_chunks()
        for at, field in enumerate(fields)
    ]
    whole = pc.binary_join_element_wise(
        *columns, separator, null_handling="replace", null_replacement=""
    )
    ended = pc.binary_join_element_wise(whole, "", "\n")
    _, offsets, text = ended.buffers()
    length = int(np.frombuffer(offsets, np.int32, count=len(ended) + 1)[-1])
    return bytes(memoryview(text)[:length]).decode()


def _cells(cells: pa.ChunkedArray, field: Field, separator: str) -> pa.ChunkedArray:
    if field is ID_FIELD:
        return pc.add(cells, 1).cast(pa.string())
    if pa.types.is_boolean(cells.type):
        return pc.if_else(cells, "t", "f")
    if pa.types.is_timestamp(cells.type):
        return moments(cells)
    if pa.types.is_floating(cells.type):
        return _plain_numbers(cells)
    texts = cells.cast(pa.string())
    if not pa.types.is_string(cells.type):
        return texts
    needy = pc.match_substring_regex(texts, f'^$|["{separator}\r\n]|^\\\\\\.$')
    if not pc.any(needy).as_py():
        return texts
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(needy, pc.binary_join_element_wise('"', doubled, '"', ""), texts)


def _plain_numbers(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    whole = pc.and_(pc.equal(pc.trunc(cells), cells), pc.less(pc.abs(cells), GREATEST_WHOLE))
    as_whole = pc.if_else(whole, cells, 0.0).cast(pa.int64()).cast(pa.string())
    return pc.if_else(whole, as_whole, cells.cast(pa.string()))
