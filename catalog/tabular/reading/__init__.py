"""Reading files and rows into typed Parquet: what is in a file decides, not what it is called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from catalog.tabular.reading.options import Limits, ReadOptions
from catalog.tabular.reading.table import ReadTable

__all__ = ["Limits", "ReadOptions", "ReadTable", "read_files", "read_rows"]


def read_files(paths: Sequence[Path], options: ReadOptions, into: Path) -> Iterator[ReadTable]:
    """The tables of these files, written under `into`; Unreadable says what is wrong with a file."""
    raise NotImplementedError


def read_rows(
    rows: Iterable[Mapping[str, object]],
    options: ReadOptions,
    into: Path,
    *,
    key: str = "data",
    columns: Sequence[str] | None = None,
) -> ReadTable:
    """One table of rows that are already values (of a database or an interface)."""
    raise NotImplementedError
