"""What reading gives: a table in a typed Parquet file, with what was seen on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.tabular.column import Column
from catalog.tabular.table_schema import Field


@dataclass(frozen=True)
class ReadTable:
    """One table of a file; `file` is Parquet with the stored names of `columns`."""

    key: str
    """Stable name inside the resource: the sheet, the member of an archive, or `data`."""
    title: Mapping[str, str]
    columns: tuple[Column, ...]
    file: Path
    rows: int
    content: str
    """SHA-256 of names, types and rows: equal for equal tables, whatever file they came from."""
    notes: tuple[dict[str, Any], ...] = ()
    """`{"message": English msgid, "context": {…}}`: what the reader did or saw."""
    kept: Path | None = None
    """Parquet of the cells whose text the values do not tell, see `catalog.tabular.kept`."""
    kept_rows: int = 0
    """Rows of that file."""
    kept_cells: int = 0
    """How many of them break what is declared."""
    dictionary: Mapping[str, Field] = field(default_factory=dict)
    """What is declared of columns, or was found in their values, by published name."""
    primary_key: tuple[str, ...] = ()
    """Published names that the dictionary declares as the key."""
