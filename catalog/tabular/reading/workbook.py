"""XLSX, XLS and ODS: each sheet that holds a table becomes one."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from catalog.errors import N_, TooLarge, Unreadable
from catalog.tabular.reading.cells import chunk_of
from catalog.tabular.reading.chunk import Chunk, Part
from catalog.tabular.reading.extent import check_extent
from catalog.tabular.reading.header import names_of
from catalog.tabular.reading.notes import note, shortened
from catalog.tabular.reading.options import ReadOptions
from catalog.tabular.reading.sheet import Shape, Sheet, is_filled, shape_of
from catalog.tabular.reading.source import Source
from catalog.tabular.reading.title import title_of

CHUNK_CELLS = 100_000
WHOLE = 1e15
"""Below this a number of a sheet without a fraction is shown as a whole number."""
SECTION = "section"


def workbook(source: Source, options: ReadOptions, skipped: list[dict[str, Any]]) -> Iterator[Part]:
    """The tables of the sheets; what is no table is noted in `skipped`."""
    errors = check_extent(source, options.limits)
    if errors:
        skipped.append(
            note(
                "Cells of the workbook that hold an error such as #N/A have no value here: %(count)s.",
                count=errors,
            )
        )
    with _opened(source) as book:
        missing = set(options.sheets) - set(book.sheet_names)
        if missing:
            raise Unreadable(
                "%(file)s has no sheet %(sheet)s.",
                file=source.name,
                sheet=", ".join(sorted(missing)),
            )
        for meta in book.sheets_metadata:
            if options.sheets and meta.name not in options.sheets:
                continue
            if not options.sheets and _is_hidden(meta):
                skipped.append(
                    note(
                        "The sheet %(sheet)s is hidden or a chart; it was left out.",
                        sheet=meta.name,
                    )
                )
                continue
            part = _part(source, book, meta.name, options)
            if part is None:
                skipped.append(
                    note("The sheet %(sheet)s holds no table; it was left out.", sheet=meta.name)
                )
            else:
                yield part


def _is_hidden(meta: SheetMetadata) -> bool:
    return meta.typ != SheetTypeEnum.WorkSheet or meta.visible != SheetVisibleEnum.Visible


def _opened(source: Source) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(str(source.path))
    except PasswordError:
        raise Unreadable("%(file)s is protected with a password.", file=source.name) from None
    except (CalamineError, OSError, zipfile.BadZipFile, ValueError):
        raise Unreadable(
            "%(file)s is no workbook that can be read, or it is cut off.", file=source.name
        ) from None


def _part(source: Source, book: CalamineWorkbook, name: str, options: ReadOptions) -> Part | None:
    label = f"{source.name}: {name}"
    sheet = _sheet(_loaded(book, name, label), label, options)
    shape = shape_of(sheet, options.header_rows)
    if shape is None:
        return None
    part = Part(label, name, iter(()), title_of(name))
    part.chunks = _chunks(sheet, shape, options, part)
    return part


def _loaded(book: CalamineWorkbook, name: str, label: str) -> CalamineSheet:
    try:
        return book.get_sheet_by_name(name)
    except CalamineError:
        raise Unreadable("%(file)s is damaged and cannot be read.", file=label) from None


def _sheet(loaded: CalamineSheet, label: str, options: ReadOptions) -> Sheet:
    """The sheet as calamine walks it: from the first row, but from the first filled column."""
    limit = options.limits.sheet_cells
    if loaded.width * loaded.height > limit:
        raise TooLarge("%(file)s has more than %(limit)s cells.", file=label, limit=limit)
    left = (loaded.start or (0, 0))[1]
    merged = [
        ((top, max(first - left, 0)), (bottom, last - left))
        for (top, first), (bottom, last) in loaded.merged_cell_ranges or ()
        if last >= left
    ]
    return Sheet(loaded.iter_rows, merged)


def _chunks(sheet: Sheet, shape: Shape, options: ReadOptions, part: Part) -> Iterator[Chunk]:
    names, notes = names_of(shape.names)
    part.unnamed |= {name for name, given in zip(names, shape.names, strict=True) if not given}
    part.notes += notes
    _note_shape(part, shape)
    if shape.headings:
        names = [SECTION, *names]
        names, _ = names_of(names)
    width = len(names)
    most = max(1, CHUNK_CELLS // width)
    rows: list[list[object]] = []
    yield chunk_of(names, [[] for _ in names], options.missing)
    for row in _body(sheet, shape, part):
        rows.append(row)
        if len(rows) >= most:
            yield chunk_of(names, _columns(rows, width), options.missing, shown=True)
            rows = []
    if rows:
        yield chunk_of(names, _columns(rows, width), options.missing, shown=True)


def _body(sheet: Sheet, shape: Shape, part: Part) -> Iterator[list[object]]:
    """The rows of data, each behind the heading above it."""
    left_out = {*shape.titles, *shape.header, *shape.notes}
    heading: str | None = None
    used, empty = True, list[str]()
    for at, row in enumerate(sheet.rows()):
        if at in shape.headings:
            if not used:
                empty.append(heading or "")
            heading, used = shape.texts[at].strip(), False
        elif at not in left_out and any(map(is_filled, row)):
            used = True
            values = [_value(value) for value in row[: len(shape.names)]]
            yield [heading, *values] if shape.headings else values
    if not used:
        empty.append(heading or "")
    if empty:
        part.notes.append(
            note("Headings without rows: %(texts)s", texts=" · ".join(map(str, empty)))
        )


def _columns(rows: list[list[object]], width: int) -> list[list[object]]:
    return [[row[at] if at < len(row) else None for row in rows] for at in range(width)]


def _value(value: object) -> object:
    """A cell as it was shown: 3.0 is 3."""
    if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE:
        return int(value)
    return None if value == "" else value


def _note_shape(part: Part, shape: Shape) -> None:
    texts = [
        (shape.titles, N_("Text above the table: %(text)s")),
        (shape.notes, N_("Text below the table: %(text)s")),
    ]
    for rows, message in texts:
        if rows:
            said = " · ".join(" ".join(shape.texts.get(at, "").split()) for at in rows)
            part.notes.append(note(message, text=shortened(said, 2_000)))
    if len(shape.header) > 1:
        part.notes.append(
            note(
                "The names of the columns were joined from %(count)s rows.", count=len(shape.header)
            )
        )
    if shape.headings:
        part.notes.append(
            note(
                "Rows that hold only a heading became the column %(column)s: %(count)s.",
                column=SECTION,
                count=len(shape.headings),
            )
        )
    if shape.blank > 0:
        part.notes.append(note("Blank rows that were left out: %(count)s.", count=shape.blank))
