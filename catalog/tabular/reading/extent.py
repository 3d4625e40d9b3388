"""How large the sheets of a workbook would become in memory, found before they are loaded.

A sheet is held as a full rectangle: a file of 2 KB with cells A1 and XFD1048576 would need 400 GB.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator

from catalog.errors import TooLarge, Unreadable
from catalog.tabular.reading.options import Limits
from catalog.tabular.reading.source import Source

BLOCK = 1 << 20
OVERLAP = 1 << 10
REFERENCE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
REPEATED = re.compile(
    rb'<table:(?:covered-)?table-cell[^>]*number-columns-repeated="([0-9]+)"[^>]*(?<!/)>'
)
REPEATED_ROW = re.compile(
    rb'<table:table-row[^>]*number-rows-repeated="([0-9]{5,})"[^>]*>'
    rb"(?:(?!</table:table-row).)*?office:value",
    re.DOTALL,
)
MOST_UNPACKED = 1 << 31
MOST_REPEATED = 20_000


ERROR = re.compile(rb'<c\b[^>]*\bt="e"')
"""A cell that shows #N/A, #DIV/0! or the like, which the reader of workbooks gives as an empty one."""


def check_extent(source: Source, limits: Limits) -> int:
    """Refuse a workbook whose sheets would not fit in memory; XLS cannot be that large.

    Says how many cells of an XLSX hold an error.
    """
    errors = 0
    if not zipfile.is_zipfile(source.path):
        return errors
    try:
        with zipfile.ZipFile(source.path) as archive:
            budget = min(limits.unpacked, MOST_UNPACKED)
            for member in archive.infolist():
                budget, found = _check_member(archive, member, source, limits, budget)
                errors += found
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
        raise Unreadable(
            "%(file)s is no workbook that can be read, or it is cut off.", file=source.name
        ) from None
    return errors


def _check_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: Source, limits: Limits, budget: int
) -> tuple[int, int]:
    rows = columns = repeated = 1
    errors = 0
    for block, fresh in _blocks(archive, member):
        budget -= fresh
        if budget < 0:
            raise TooLarge(
                "%(file)s unpacks to more than %(limit)s MB.",
                file=source.name,
                limit=limits.unpacked >> 20,
            )
        if member.filename.startswith("xl/worksheets/"):
            references = REFERENCE.findall(block)
            letters = {letters for letters, _ in references}
            columns = max([columns, *map(_column, letters)])
            rows = max([rows, *map(int, {number for _, number in references})])
            errors += len(ERROR.findall(block)) - len(ERROR.findall(block[:-fresh]))
        elif member.filename == "content.xml":
            repeated = max(
                [
                    repeated,
                    *map(int, REPEATED.findall(block)),
                    *map(int, REPEATED_ROW.findall(block)),
                ]
            )
    if rows * columns > limits.sheet_cells or repeated > MOST_REPEATED:
        raise TooLarge(
            "%(file)s has more than %(limit)s cells.", file=source.name, limit=limits.sheet_cells
        )
    return budget, errors


def _blocks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[tuple[bytes, int]]:
    """The member in blocks that overlap a little, and how many bytes of each are new."""
    before = b""
    with archive.open(member) as file:
        while block := file.read(BLOCK):
            yield before + block, len(block)
            before = block[-OVERLAP:]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
