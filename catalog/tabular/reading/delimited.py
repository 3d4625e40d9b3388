"""CSV, TSV and their relatives: read as a stream, row for row and cell for cell."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import IO, TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from catalog.errors import TooLarge, Unreadable
from catalog.tabular.reading.chunk import Chunk, Kind, Part
from catalog.tabular.reading.encoding import Encoding, encoding_of
from catalog.tabular.reading.header import names_of
from catalog.tabular.reading.layout import Layout, layout_of
from catalog.tabular.reading.lines import END, Lines, Raw, Utf8
from catalog.tabular.reading.notes import note
from catalog.tabular.reading.options import Limits, ReadOptions
from catalog.tabular.reading.source import Source

BLOCK = 1 << 22
CHUNK_ROWS = 1 << 16
CHUNK_CELLS = 1 << 20
CHUNK_CHARACTERS = 1 << 24

csv.field_size_limit(Limits().row)


def delimited(source: Source, options: ReadOptions) -> Part:
    """The table of a delimited text file."""
    encoding = encoding_of(source.path, source.name, options.encoding)
    part = Part(source.name, source.key, iter(()))
    if encoding.bad_lines:
        part.notes.append(
            note(
                "%(file)s is UTF-8, but %(count)s lines are not (the first: %(lines)s); "
                "%(chinese)s of them were read as GB18030.",
                file=source.name,
                count=encoding.bad_lines,
                lines=", ".join(map(str, encoding.first)),
                chinese=encoding.chinese,
            )
        )
    if encoding.damaged:
        part.notes.append(
            note(
                "%(file)s is not clean %(encoding)s text; characters that could not be read: %(count)s.",
                file=source.name,
                encoding=encoding.codec,
                count=encoding.damaged,
            )
        )
    layout = layout_of(source, encoding, options)
    part.chunks = Reading(source, encoding, part, layout, options.limits).chunks()
    return part


class Reading:
    """One pass over a text: fast while rows are regular, careful from the first that is not."""

    def __init__(
        self, source: Source, encoding: Encoding, part: Part, layout: Layout, limits: Limits
    ) -> None:
        self._source, self._encoding, self._part, self._layout = source, encoding, part, layout
        self._limits = limits
        cells = [_joined(cells) for cells in zip_longest(*layout.header, fillvalue="")]
        cells = cells or [""] * layout.width
        self._names, notes = names_of(cells)
        self._width = len(self._names)
        part.unnamed |= {name for name, cell in zip(self._names, cells, strict=True) if not cell}
        part.notes += notes
        if not layout.header:
            part.notes.append(note("The first row is one of data; the table has no row of names."))
        if layout.titles:
            part.notes.append(
                note("Text above the table: %(text)s", text=" · ".join(layout.titles))
            )
        self._records = self._blank = self._short = self._long = self._first_long = 0

    def chunks(self) -> Iterator[Chunk]:
        """All rows; the notes of the part are complete at the end."""
        yield self._chunk([pa.array([], pa.string())] * self._width)
        ended = False
        with self._encoding.open(self._source.path) as text, self._source.path.open("rb") as file:
            self._skip_header(text)
            try:
                for columns in self._fast(text, file):
                    yield self._chunk(columns)
                ended = True
            except pa.ArrowInvalid:
                pass  # A row with more or fewer cells, or one that is longer than a block.
        if not ended:
            with self._encoding.open(self._source.path) as text:
                for columns in self._careful(text):
                    yield self._chunk(columns)
        self._note_counts()

    def _skip_header(self, text: TextIO) -> Lines:
        """Stand after the rows of titles and names."""
        lines = Lines(text, self._source.name, self._limits)
        wanted = len(self._layout.titles) + len(self._layout.header)
        if not wanted:
            return lines
        for row in self._reader(lines):
            lines.row_start = lines.read
            wanted -= any(row)
            if not wanted:
                break
        return lines

    def _fast(self, text: TextIO, file: IO[bytes]) -> Iterator[list[pa.Array]]:
        dialect = self._layout.dialect
        names = [f"c{at}" for at in range(self._width)]
        if not (dialect.delimiter.isascii() and dialect.quote.isascii()):
            raise pa.ArrowInvalid
        end = END + dialect.delimiter * (self._width - 1) + "\n"
        reader = pacsv.open_csv(
            pa.PythonFile(self._bytes(text, file, end), "r"),
            pacsv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=names),
            pacsv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote,
                newlines_in_values=True,
                ignore_empty_lines=False,
            ),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
        with reader:
            batch = reader.read_next_batch()
            for following in reader:
                self._records += batch.num_rows
                yield self._filled(batch)
                batch = following
        if batch.num_rows and batch.column(0)[-1].as_py() != END:
            self._refuse_open_quote(self._records + batch.num_rows)
        yield self._filled(batch.slice(0, batch.num_rows - 1))

    def _bytes(self, text: TextIO, file: IO[bytes], end: str) -> Utf8 | Raw:
        """What follows the place where the text stands."""
        if self._encoding != Encoding("utf-8"):
            return Utf8(text, end)
        place = text.tell()
        if (
            place > self._source.path.stat().st_size
        ):  # the place needs more than a number to be said
            return Utf8(text, end)
        file.seek(place)
        return Raw(file, end)

    def _filled(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """The columns without the rows that are blank."""
        blank = pc.equal(batch.column(0), "")
        for column in batch.columns[1:]:
            if not pc.any(blank).as_py():
                return list(batch.columns)
            blank = pc.and_(blank, pc.equal(column, ""))
        self._blank += pc.sum(blank).as_py() or 0
        return list(batch.filter(pc.invert(blank)).columns)

    def _careful(self, text: TextIO) -> Iterator[list[pa.Array]]:
        lines = self._skip_header(text)
        start, rows = lines.read, list[list[str]]()
        most = max(1, min(CHUNK_ROWS, CHUNK_CELLS // self._width))
        for row in self._remaining(lines):
            rows.append(row)
            if len(rows) >= most or lines.read - start >= CHUNK_CHARACTERS:
                yield self._transposed(rows)
                start, rows = lines.read, []
        if rows:
            yield self._transposed(rows)

    def _remaining(self, lines: Lines) -> Iterator[list[str]]:
        """The rows behind those that were read already, without blank ones."""
        done, at, row = self._records, 0, list[str]()
        for row in self._reader(lines):
            lines.row_start = lines.read
            at += 1
            if at <= done:
                continue
            if row == [END]:
                return
            self._records += 1
            if not any(row):
                self._blank += 1
                continue
            if len(row) != self._width:
                self._note_width(row)
            yield row
        self._refuse_open_quote(self._records)

    def _reader(self, lines: Lines) -> Iterator[list[str]]:
        dialect = self._layout.dialect
        return csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote)

    def _note_width(self, row: list[str]) -> None:
        named = self._layout.width
        while len(row) > named and not row[-1]:
            row.pop()
        self._short += len(row) < named
        if len(row) > named:
            self._long += 1
            self._first_long = self._first_long or self._records - self._blank
            self._widen(len(row))

    def _widen(self, width: int) -> None:
        taken = set(self._names)
        for at in range(self._width + 1, width + 1):
            name = f"column_{at}"
            while name in taken:
                name += "_"
            self._names.append(name)
            self._part.unnamed.add(name)
            taken.add(name)
        self._width = len(self._names)
        if self._width > self._limits.columns:
            raise TooLarge(
                "%(file)s has more than %(limit)s columns.",
                file=self._source.name, limit=self._limits.columns,
            )  # fmt: skip

    def _transposed(self, rows: list[list[str]]) -> list[pa.Array]:
        columns = [pa.array(cells, pa.string()) for cells in zip_longest(*rows)]
        absent = pa.nulls(len(rows), pa.string())
        return columns + [absent] * (self._width - len(columns))

    def _chunk(self, columns: Sequence[pa.Array]) -> Chunk:
        return Chunk([*self._names], columns, [Kind.CELL] * len(columns), len(columns[0]))

    def _refuse_open_quote(self, row: int) -> None:
        raise Unreadable(
            "%(file)s: a quotation mark opened in row %(row)s is never closed; the file may be cut off.",
            file=self._source.name, row=row - self._blank,
        )  # fmt: skip

    def _note_counts(self) -> None:
        notes = self._part.notes
        if self._blank:
            notes.append(note("Blank rows that were left out: %(count)s.", count=self._blank))
        if self._short:
            notes.append(
                note(
                    "Rows with fewer cells than the header, filled with nothing: %(count)s.",
                    count=self._short,
                )
            )
        if self._long:
            notes.append(
                note(
                    "Rows with more cells than the header: %(count)s, the first is row %(row)s; "
                    "further columns were added.",
                    count=self._long,
                    row=self._first_long,
                )
            )


def _joined(cells: tuple[str, ...]) -> str:
    return " / ".join(dict.fromkeys(" ".join(cell.split()) for cell in cells if cell.strip()))
