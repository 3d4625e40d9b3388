"""Downloads for Excel: a workbook as a stream, split into sheets where one would be full.

The parts of a workbook may stand in any order in their archive, so the sheets come as the rows do, and what lists
them comes last. Sizes follow each part, as programs that write archives as streams have it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pyarrow as pa

from catalog.errors import TooLarge
from catalog.tabular.column import Column
from catalog.tabular.json_text import text_of
from catalog.tabular.sheet_xml import heading, sheet_rows
from catalog.tabular.sink import Sink

ROWS_A_SHEET = 1_048_576
BYTES_A_SHEET = 2**31 - 2**20
"""Of text before it is packed; larger parts need an extension of archives that spreadsheets do not read."""
MOST_COLUMNS = 16_384
MOST_CELLS = 200_000_000
"""A workbook of more cells takes minutes to write and no spreadsheet opens it."""
CELLS_AT_ONCE = 500_000
LEVEL = 2
"""A third larger than the usual level 6, in a third of the time."""

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
CORE = "application/vnd.openxmlformats-package.core-properties+xml"

RELATIONS = (
    f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    f'<Relationship Id="rId2" Type="{PACKAGE}/relationships/metadata/core-properties" '
    'Target="docProps/core.xml"/></Relationships>'
)
STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts><fonts count="2"><font><sz val="11"/>'
    '<name val="Calibri"/><family val="2"/></font><font><b/><sz val="11"/><name val="Calibri"/><family val="2"/>'
    '</font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill>'
    '<patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/>'
    '<diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
    '</cellStyleXfs><cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs><cellStyles count="1">'
    '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
"""PLAIN, DAY, MOMENT and BOLD, in this order."""
SHEET_END = "</sheetData></worksheet>"


def workbook_stream(
    batches: Iterable[pa.RecordBatch],
    columns: Sequence[Column],
    *,
    rows: int,
    created: datetime | None = None,
    rows_a_sheet: int = ROWS_A_SHEET,
    bytes_a_sheet: int = BYTES_A_SHEET,
) -> Iterator[bytes]:
    """An XLSX file; its first bytes come with the first rows. Equal rows of an equal moment give equal bytes."""
    if len(columns) > MOST_COLUMNS or len(columns) * rows > MOST_CELLS:
        raise TooLarge("this table is too large for Excel; download it as CSV or Parquet")
    sink, sheets = Sink(), 0
    parts = _parts(batches, columns, rows_a_sheet, bytes_a_sheet)
    with ZipFile(sink, "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        archive.writestr(_member("_rels/.rels"), RELATIONS)
        archive.writestr(_member("docProps/core.xml"), _properties(created))
        archive.writestr(_member("xl/styles.xml"), STYLES)
        for sheet, written in groupby(parts, itemgetter(0)):
            sheets = sheet
            with archive.open(f"xl/worksheets/sheet{sheet}.xml", "w") as file:
                file.write(_sheet_begin(columns, sheet).encode())
                for _, part in written:
                    file.write(part)
                    if part and (piece := sink.take()):
                        yield piece
                file.write(SHEET_END.encode())
        for name, text in _lists(sheets).items():
            archive.writestr(_member(name), text)
    yield sink.take()


def _parts(
    batches: Iterable[pa.RecordBatch],
    columns: Sequence[Column],
    rows_a_sheet: int,
    bytes_a_sheet: int,
) -> Iterator[tuple[int, bytes]]:
    """Rows as XML, each part with the number of its sheet; the first has none, for there is a sheet without rows too."""
    sheet, row, left = 1, 2, bytes_a_sheet
    most = max(1, CELLS_AT_ONCE // max(1, len(columns)))
    yield sheet, b""
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, min(most, rows_a_sheet - row + 1))
            lines = sheet_rows(part, columns, row)
            fit = max(_that_fit(lines, left), row == 2)  # one row is always taken
            text = text_of(lines.slice(0, fit))
            yield sheet, text
            start, row, left = start + fit, row + fit, left - len(text)
            if fit < len(lines) or row > rows_a_sheet:
                sheet, row, left = sheet + 1, 2, bytes_a_sheet


def _that_fit(lines: pa.Array, left: int) -> int:
    """How many lines are not longer than so many bytes."""
    ends = np.frombuffer(lines.buffers()[1], np.int32, count=len(lines) + 1)
    return int(np.searchsorted(ends[1:], left, side="right"))


def _sheet_begin(columns: Sequence[Column], sheet: int) -> str:
    """Everything before the rows: the heading stays in sight, and the first sheet is the one that is open."""
    selected = ' tabSelected="1"' if sheet == 1 else ""
    return (
        f'{HEAD}<worksheet xmlns="{MAIN}"><sheetViews><sheetView{selected} workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><sheetData>{heading(columns)}'
    )


def _member(name: str) -> ZipInfo:
    """A member without the moment of its making: the same rows are the same bytes."""
    member = ZipInfo(name)
    member.compress_type = ZIP_DEFLATED
    return member


def _properties(created: datetime | None) -> str:
    moment = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if created else ""
    said = f'<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created>'
    return (
        f'{HEAD}<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" '
        'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"{said if moment else ''}</cp:coreProperties>"
    )


def _lists(sheets: int) -> dict[str, str]:
    """What names the sheets, and the kind of every part."""
    numbers = range(1, sheets + 1)
    names = "".join(f'<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    targets = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{KINDS}.worksheet+xml"/>'
        for n in numbers
    )
    return {
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": (
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{targets}<Relationship Id="rId{sheets + 1}" '
            f'Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>'
        ),
        "[Content_Types].xml": (
            f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{KINDS}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{KINDS}.styles+xml"/>'
            f'<Override PartName="/docProps/core.xml" ContentType="{CORE}"/>{kinds}</Types>'
        ),
    }
