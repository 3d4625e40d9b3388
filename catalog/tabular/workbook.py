"""Downloads for Excel: a workbook written in constant memory, split into sheets where one would be full."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter

from catalog.errors import TooLarge
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column

ROWS_A_SHEET = 1_048_576
MOST_COLUMNS = 16_384
LONGEST_CELL = 32_767
MOST_CELLS = 30_000_000
"""A workbook of more cells takes minutes to write and no spreadsheet opens it well."""
EXACT_INTEGER = 10**15
"""Excel keeps 15 digits; longer numbers are written as text so that no digit is lost."""
FIRST_DAY = date(1900, 3, 1)
"""Excel believes that 1900 was a leap year; earlier days are written as text."""
CHUNK = 1 << 18
CUT = " … [%d characters, shortened to what a cell can hold; CSV and JSON have all of it]"


def workbook_stream(
    batches: Iterable[pa.RecordBatch],
    columns: Sequence[Column],
    *,
    rows: int,
    created: datetime | None = None,
    rows_a_sheet: int = ROWS_A_SHEET,
) -> Iterator[bytes]:
    """An XLSX file; it is complete before the first byte, so it is made in a file that leaves no name behind.

    With the moment that it says it was created at, equal rows give equal bytes.
    """
    if len(columns) > MOST_COLUMNS or len(columns) * rows > MOST_CELLS:
        raise TooLarge("this table is too large for Excel; download it as CSV or Parquet")
    handle, name = tempfile.mkstemp(suffix=".xlsx")
    os.close(handle)
    try:
        with tempfile.TemporaryDirectory() as folder:
            _write(name, folder, batches, columns, rows_a_sheet, created)
        file = Path(name).open("rb")  # noqa: SIM115 # closed below; its name goes first
    finally:
        Path(name).unlink()
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


def _write(
    name: str,
    folder: str,
    batches: Iterable[pa.RecordBatch],
    columns: Sequence[Column],
    rows_a_sheet: int,
    created: datetime | None,
) -> None:
    options = {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False}
    with xlsxwriter.Workbook(name, options) as workbook:
        if created is not None:
            workbook.set_properties({"created": created})
        sheets = _Sheets(workbook, columns, rows_a_sheet)
        for batch in batches:
            for row in zip(*(_values(batch.column(at)) for at in range(len(columns))), strict=True):
                sheets.add(row)


def _values(cells: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(cells.type):
        cells = cells.cast(pa.timestamp("us"))  # a zone becomes UTC, the only one that we keep
        cells = pc.round_temporal(cells, 1, "millisecond")  # what Excel can show
    values: list[Any] = cells.to_pylist()
    return values


class _Sheets:
    """Writes rows below each other and begins a new sheet when one is full."""

    def __init__(self, workbook: Any, columns: Sequence[Column], rows_a_sheet: int) -> None:
        self.workbook, self.columns, self.rows_a_sheet = workbook, columns, rows_a_sheet
        formats = {
            ColumnType.DATE: workbook.add_format({"num_format": "yyyy-mm-dd"}),
            ColumnType.DATETIME: workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        self.formats = [formats.get(column.type) for column in columns]
        self.writers = [_WRITERS[column.type] for column in columns]
        self.bold = workbook.add_format({"bold": True})
        self._begin()

    def _begin(self) -> None:
        self.sheet = self.workbook.add_worksheet()
        self.sheet.freeze_panes(1, 0)
        for at, column in enumerate(self.columns):
            self.sheet.write_string(0, at, column.name[:LONGEST_CELL], self.bold)
        self.row = 1

    def add(self, values: Sequence[Any]) -> None:
        """Write one row; null is an empty cell."""
        if self.row >= self.rows_a_sheet:
            self._begin()
        for at, value in enumerate(values):
            if value is not None:
                self.writers[at](self.sheet, self.row, at, value, self.formats[at])
        self.row += 1


def _text(sheet: Any, row: int, at: int, value: str, style: Any) -> None:
    """A string is written as such, never as a formula or a link."""
    if len(value) > LONGEST_CELL:
        note = CUT % len(value)
        value = value[: LONGEST_CELL - len(note)] + note
    sheet.write_string(row, at, value, style)


def _integer(sheet: Any, row: int, at: int, value: int, style: Any) -> None:
    if abs(value) < EXACT_INTEGER:
        sheet.write_number(row, at, value, style)
    else:
        sheet.write_string(row, at, str(value), style)


def _number(sheet: Any, row: int, at: int, value: float, style: Any) -> None:
    if math.isfinite(value):  # Excel has neither infinity nor “not a number”
        sheet.write_number(row, at, value, style)


def _boolean(sheet: Any, row: int, at: int, value: bool, style: Any) -> None:  # noqa: FBT001 # a cell
    sheet.write_boolean(row, at, value, style)


def _moment(sheet: Any, row: int, at: int, value: date | datetime, style: Any) -> None:
    day = value.date() if isinstance(value, datetime) else value
    if day >= FIRST_DAY:
        sheet.write_datetime(row, at, value, style)
    else:
        sheet.write_string(row, at, value.isoformat())


_WRITERS: dict[ColumnType, Callable[..., None]] = {
    ColumnType.STRING: _text,
    ColumnType.GEOMETRY: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _moment,
    ColumnType.DATETIME: _moment,
}
