"""Makers for tests of reading: files as bytes, tables as lists."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import xlsxwriter

from catalog.tabular.reading import ReadOptions, ReadTable, read_files


def make_file(folder: Path, name: str, content: bytes | str) -> Path:
    """A file with this content; a text is written as UTF-8."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def make_zip(path: Path, members: Mapping[str, bytes | str]) -> Path:
    """A zip archive of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def make_xlsx(
    path: Path,
    sheets: Mapping[str, Sequence[Sequence[Any]]],
    merged: Mapping[str, Sequence[tuple[int, int, int, int]]] | None = None,
    hidden: Sequence[str] = (),
) -> Path:
    """A workbook of these sheets; `merged` gives first row, first column, last row, last column."""
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
        for top, left, bottom, right in (merged or {}).get(name, ()):
            sheet.merge_range(top, left, bottom, right, rows[top][left])
        if name in hidden:
            sheet.hide()
    book.close()
    return path


def read(paths: Path | Sequence[Path], into: Path, **options: Any) -> list[ReadTable]:
    """All tables of the files."""
    found = [paths] if isinstance(paths, Path) else paths
    return list(read_files(found, ReadOptions(**options), into))


def read_text(
    folder: Path, content: bytes | str, name: str = "table.csv", **options: Any
) -> ReadTable:
    """The only table of a file with this content."""
    (table,) = read(make_file(folder, name, content), folder / "out", **options)
    return table


def rows_of(table: ReadTable) -> list[tuple[Any, ...]]:
    """The rows of a table as values."""
    found = pq.read_table(table.file)
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


def kept_in(table: ReadTable) -> list[tuple[int, str, str | None, str]]:
    """The kept cells: row, published name, text and reason."""
    if table.kept is None:
        return []
    names = {column.stored: column.name for column in table.columns}
    found = pq.read_table(table.kept).to_pylist()
    return [(cell["row"], names[cell["column"]], cell["value"], cell["reason"]) for cell in found]


def names_of(table: ReadTable) -> list[str]:
    """The published names."""
    return [column.name for column in table.columns]


def types_of(table: ReadTable) -> dict[str, str]:
    """Published name → type."""
    return {column.name: column.type.value for column in table.columns}


def said_by(table: ReadTable) -> str:
    """All notes, filled in."""
    return "\n".join(_said(note) for note in table.notes)


def _said(note: dict[str, Any]) -> str:
    context = {
        name: _said(value) if isinstance(value, dict) else value
        for name, value in note["context"].items()
    }
    filled: str = note["message"] % context
    return filled
