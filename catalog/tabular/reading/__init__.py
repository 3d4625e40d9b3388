"""Reading files and rows into typed Parquet: what is in a file decides, not what it is called."""

from __future__ import annotations

from catalog.tabular.reading.files import read_files
from catalog.tabular.reading.options import Limits, ReadOptions
from catalog.tabular.reading.rows import read_columns, read_rows
from catalog.tabular.reading.table import ReadTable

__all__ = ["Limits", "ReadOptions", "ReadTable", "read_columns", "read_files", "read_rows"]
