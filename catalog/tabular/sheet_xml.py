"""Rows of a worksheet as XML text, written by Arrow a column at a time: cells cost no Python.

Texts are cells of their own (`inlineStr`), so that nothing must be known of the rows to come; they are never
formulas. Numbers with more digits than a spreadsheet keeps and days outside of its calendar are texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.json_text import bytes_among, iso_text, rows_with, text_buffers

PLAIN, DAY, MOMENT, BOLD = range(4)
"""Styles of cells, in the order that the workbook lists them in."""
LONGEST_CELL = 32_767
EXACT_INTEGER = 10**15
"""Spreadsheets keep 15 digits; longer numbers are written as text so that no digit is lost."""
EPOCH = 25_569
"""1 January 1970 as spreadsheets count days."""
FIRST_DAY = (date(1900, 3, 1) - date(1970, 1, 1)).days
"""Spreadsheets believe that 1900 was a leap year; earlier days are written as text."""
LAST_DAY = (date.max - date(1970, 1, 1)).days
DAY_MS = 86_400_000
CUT = " … [%d characters, shortened to what a cell can hold; CSV and JSON have all of it]"

TO_ESCAPE = bytes_among(bytes(set(range(32)) - set(b"\t\n")) + b"&<>")
BLANK = bytes_among(b"\t\n ")
CODED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""An underscore that readers would take for the beginning of a coded character."""
UNSPEAKABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
"""What XML cannot hold; in workbooks it is coded as _x000B_. A carriage return would come back as a line feed."""
NONCHARACTERS = ("\ufffe", "\uffff")

TEXT = ' t="inlineStr"><is><t>'
KEPT_BLANKS = ' t="inlineStr"><is><t xml:space="preserve">'
TEXT_END = "</t></is></c>"
VALUE_END = "</v></c>"


@dataclass(frozen=True)
class _Way:
    """A way in which cells of a column are written; cells that are not written so are null in `texts`."""

    before: str
    texts: pa.Array
    after: str = VALUE_END


def sheet_rows(batch: pa.RecordBatch, columns: Sequence[Column], first: int) -> pa.Array:
    """Each row as the text of an element, `first` being the number of the first; null is no cell."""
    numbers = pa.array(np.arange(first, first + batch.num_rows)).cast(pa.string())
    parts: list[pa.Array | str] = ['<row r="', numbers, '">']
    for at, column in enumerate(columns):
        ways = _WRITERS[column.type](batch.column(at))
        begin = f'<c r="{column_letters(at)}'
        if len(ways) == 1 and not ways[0].texts.null_count:
            parts += [begin, numbers, f'"{ways[0].before}', ways[0].texts, ways[0].after]
        else:
            written = [
                _joined([begin, numbers, f'"{way.before}', way.texts, way.after]) for way in ways
            ]
            parts.append(pc.coalesce(*written, ""))
    return _joined([*parts, "</row>"])


def heading(columns: Sequence[Column]) -> str:
    """The first row: names of columns, in bold."""
    cells = [
        f'<c r="{column_letters(at)}1" s="{BOLD}"{KEPT_BLANKS}{xml_text(column.name)}{TEXT_END}'
        for at, column in enumerate(columns)
    ]
    return f'<row r="1">{"".join(cells)}</row>'


def column_letters(at: int) -> str:
    """What spreadsheets call a column, counted from 0."""
    letters = ""
    at += 1
    while at:
        at, letter = divmod(at - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def xml_text(text: str) -> str:
    """The text as XML, shortened to what a cell can hold; what XML has no way to say is coded as workbooks do."""
    if _length(text) > LONGEST_CELL:
        note = CUT % len(text)
        kept = text.encode("utf-16-le")[: 2 * (LONGEST_CELL - len(note))]
        text = kept.decode("utf-16-le", "ignore") + note
    text = CODED.sub("_x005F_", text)
    text = UNSPEAKABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _length(text: str) -> int:
    """Characters as spreadsheets count them: one beyond the basic plane is two."""
    return len(text.encode("utf-16-le")) // 2


def _joined(parts: Iterable[pa.Array | str]) -> pa.Array:
    """The parts behind each other, row by row; constant ones that meet are put together first."""
    merged: list[pa.Array | str] = []
    for part in parts:
        if merged and isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return pc.binary_join_element_wise(*merged, "")


def _texts(cells: pa.Array) -> list[_Way]:
    texts = _escaped(cells.cast(pa.string()))
    edged = _has_blank_ends(texts)
    if not edged.any():
        return [_Way(TEXT, texts, TEXT_END)]
    mask = pa.array(edged)
    return [
        _Way(TEXT, pc.if_else(mask, None, texts), TEXT_END),
        _Way(KEPT_BLANKS, pc.if_else(mask, texts, None), TEXT_END),
    ]


def _integers(cells: pa.Array) -> list[_Way]:
    texts = cells.cast(pa.string())
    exact = pc.and_(pc.greater(cells, -EXACT_INTEGER), pc.less(cells, EXACT_INTEGER))
    return _values_or_texts(texts, texts, exact)


def _numbers(cells: pa.Array) -> list[_Way]:
    finite = pc.is_finite(cells)  # spreadsheets have neither infinity nor “not a number”
    if finite.true_count < len(cells):
        cells = pc.if_else(finite, cells, None)
    return [_Way("><v>", cells.cast(pa.string()))]


def _booleans(cells: pa.Array) -> list[_Way]:
    return [_Way(' t="b"><v>', pc.if_else(cells, "1", "0"))]


def _days(cells: pa.Array) -> list[_Way]:
    days = cells.cast(pa.int32())
    usable = pc.and_(pc.greater_equal(days, FIRST_DAY), pc.less_equal(days, LAST_DAY))
    serial = pc.add(days, EPOCH).cast(pa.string())
    return _values_or_texts(serial, cells.cast(pa.string()), usable, style=DAY)


def _moments(cells: pa.Array) -> list[_Way]:
    cells = cells.cast(pa.timestamp("us"))  # a zone becomes UTC, the only one that we keep
    shown = pc.round_temporal(cells, 1, "millisecond")  # what spreadsheets can show
    ms = pc.divide(shown.cast(pa.int64()), 1000)
    usable = pc.and_(pc.greater_equal(ms, FIRST_DAY * DAY_MS), pc.less(ms, (LAST_DAY + 1) * DAY_MS))
    serial = pc.add(pc.divide(ms.cast(pa.float64()), float(DAY_MS)), float(EPOCH))
    return _values_or_texts(serial.cast(pa.string()), iso_text(cells), usable, style=MOMENT)


def _values_or_texts(
    values: pa.Array, texts: pa.Array, usable: pa.Array, style: int = PLAIN
) -> list[_Way]:
    """Cells as values of a style where `usable` says so, else as texts; what is null stays null."""
    before = f' s="{style}"><v>' if style else "><v>"
    if usable.true_count + usable.null_count == len(usable):
        return [_Way(before, values)]
    return [
        _Way(before, pc.if_else(usable, values, None)),
        _Way(TEXT, pc.if_else(usable, None, texts), TEXT_END),
    ]


def _escaped(texts: pa.Array) -> pa.Array:
    """Most texts have nothing to escape, which a look at their bytes tells."""
    needy = _needs_escape(texts)
    if not needy.any():
        return texts
    mask = pa.array(needy)
    written = [xml_text(value) for value in texts.filter(mask).to_pylist()]
    return pc.replace_with_mask(texts, mask, pa.array(written, pa.string()))


def _needs_escape(texts: pa.Array) -> np.ndarray:
    needy = rows_with(texts, TO_ESCAPE)
    data, ends = text_buffers(texts)
    needy |= ends[1:] - ends[:-1] > LONGEST_CELL  # in bytes, so some are looked at for nothing
    whole = data[ends[0] : ends[-1]].tobytes()
    for rare in ("_x", *NONCHARACTERS):
        if rare.encode() in whole:
            found = pc.fill_null(pc.match_substring(texts, rare), False)  # noqa: FBT003 # a cell
            needy |= found.to_numpy(zero_copy_only=False)
    if texts.null_count:
        needy &= texts.is_valid().to_numpy(zero_copy_only=False)
    return needy


def _has_blank_ends(texts: pa.Array) -> np.ndarray:
    """Which texts begin or end with a blank, which readers of XML drop unless they are told not to."""
    data, ends = text_buffers(texts)
    if not data.size:
        return np.zeros(len(texts), np.bool_)
    begins, after = ends[:-1], ends[1:]
    found: np.ndarray = BLANK[data[np.minimum(begins, data.size - 1)]]
    found = (found | BLANK[data[np.maximum(after - 1, 0)]]) & (begins < after)
    if texts.null_count:
        found &= texts.is_valid().to_numpy(zero_copy_only=False)
    return found


_WRITERS: dict[ColumnType, Callable[[pa.Array], list[_Way]]] = {
    ColumnType.STRING: _texts,
    ColumnType.GEOMETRY: _texts,
    ColumnType.INTEGER: _integers,
    ColumnType.NUMBER: _numbers,
    ColumnType.BOOLEAN: _booleans,
    ColumnType.DATE: _days,
    ColumnType.DATETIME: _moments,
}
