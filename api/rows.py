"""Rows as JSON: from Arrow to Python values a column at a time, then orjson for all."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from catalog.tabular.column import Column

GREATEST = 2**63 - 1
"""Larger whole numbers are written as they are, which orjson would refuse."""


def rows_json(
    data: pa.Table, columns: Sequence[Column], *, arrays: bool = False
) -> orjson.Fragment:
    """The rows as a JSON array of objects by published name, or of arrays."""
    values = [values_of(data.column(at), column) for at, column in enumerate(columns)]
    if arrays:
        rows: list[Any] = list(zip(*values, strict=True))
    else:
        names = [column.name for column in columns]
        rows = list(map(dict, map(zip, repeat(names), zip(*values, strict=True))))
    return orjson.Fragment(orjson.dumps(rows, default=plain))


def values_of(cells: pa.ChunkedArray, column: Column) -> list[Any]:
    """The values of a column, in forms that orjson writes as the API promises."""
    if pa.types.is_temporal(cells.type):
        return _moments(cells)
    if pa.types.is_floating(cells.type) or (
        pa.types.is_integer(cells.type) and not cells.null_count
    ):
        numbers: list[Any] = (
            cells.to_numpy().tolist()
        )  # orjson writes NaN, as null becomes, as null
        return numbers
    values: list[Any] = cells.to_pylist()
    if column.type == "geojson":
        return [_geometry(value) for value in values]
    return values


def plain(value: object) -> object:
    """What orjson does not know: numbers that are wider than 64 bits."""
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        if whole and abs(value) <= GREATEST:
            return int(value)
        return orjson.Fragment(format(value, "f"))
    return str(value)


def _moments(cells: pa.ChunkedArray) -> list[Any]:
    """Through numpy: Arrow makes Python dates one by one, which takes twenty times as long."""
    unit = "D" if pa.types.is_date(cells.type) else "us"
    array = cells.to_numpy().astype(f"datetime64[{unit}]")
    values: list[Any] = array.tolist()
    if int in map(type, values):  # years that Python's dates do not know
        return [None if np.isnat(value) else str(value) for value in array]
    return values


def _geometry(value: str | None) -> object:
    """The geometry as an object; what is no JSON stays the text that it is."""
    if value is None:
        return None
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    return orjson.Fragment(value)
