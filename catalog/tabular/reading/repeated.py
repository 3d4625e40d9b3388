"""Values that must be unique and are not, which only the whole table shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.tabular.kept import KeptCells
from catalog.tabular.reading.convert import Conversion
from catalog.tabular.reasons import Reason


def keep_repeated(conversions: Sequence[Conversion], file: Path, kept: KeptCells) -> None:
    """List the cells of columns that must be unique whose value an earlier row has."""
    for conversion in conversions:
        if conversion.field.constraints.get("unique"):
            stored = conversion.column.stored
            with pq.ParquetFile(file) as written:
                rows, texts = _repeated(written.read([stored])[stored])
            kept.add(stored, rows, texts, pa.repeat(pa.scalar(Reason.UNIQUE.value), len(rows)))
    kept.flush()


def _repeated(values: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Rows whose value an earlier row has, and these values as texts."""
    counted = pa.table({"value": values, "row": np.arange(len(values))}).drop_null()
    groups = counted.group_by("value").aggregate([("row", "min"), ("row", "count")])
    several = groups.filter(pc.greater(groups["row_count"], 1))
    there = pc.is_in(counted["value"], value_set=several["value"])
    again = pc.invert(pc.is_in(counted["row"], value_set=several["row_min"]))
    found = counted.filter(pc.and_(there, again))
    return found["row"].combine_chunks(), found["value"].cast(pa.string()).combine_chunks()
