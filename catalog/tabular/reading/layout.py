"""Where the table of a delimited text begins, and in how many rows its columns are named."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from catalog.errors import Unreadable
from catalog.tabular.reading.dialect import Dialect, dialect_of, parsed
from catalog.tabular.reading.encoding import Encoding
from catalog.tabular.reading.names import header_rows, is_aligned, is_headless, is_title
from catalog.tabular.reading.notes import shortened
from catalog.tabular.reading.options import ReadOptions
from catalog.tabular.reading.source import Source

SAMPLE = 1 << 18
LIST_SUFFIXES = {".csv", ".tsv", ".tab"}
"""Only files of these names may be a table of a single column."""
TABLE_SUFFIXES = {*LIST_SUFFIXES, ".txt", ".dat"}
"""Other files are tables only when nearly all of their rows are equally long."""
TEXT_SUFFIXES = {".txt", ".dat", ".prn", ""}
"""Files of these names may have columns that are parted by blanks."""
USUAL_DELIMITERS = ",\t;|\x01"
"""Others stand in any text."""
REGULAR = 0.9
LIST_CELL = 500
NUMERIC = re.compile(r"[+-]?\d[\d,]*(\.\d+)?%?")
YEAR = re.compile(r"(19|20)\d\d")
USUAL = 0.6
"""A row of names fills so much of what rows usually fill."""


@dataclass(frozen=True)
class Layout:
    """The dialect, the rows of titles above the table, and the rows of its names."""

    dialect: Dialect
    titles: tuple[str, ...]
    header: tuple[tuple[str, ...], ...]
    """Empty where the first row is one of data already."""
    width: int
    """How many columns are named, or would be."""


def layout_of(source: Source, encoding: Encoding, options: ReadOptions) -> Layout:
    with encoding.open(source.path) as text:
        sample = text.read(SAMPLE)
        if text.read(1):
            sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    dialect = dialect_of(sample, options, source.suffix)
    rows = parsed(sample, dialect)
    if not rows:
        raise Unreadable("%(file)s is empty.", file=source.name)
    if source.suffix in TEXT_SUFFIXES and not options.delimiter and is_aligned(sample, rows):
        raise Unreadable(
            "%(file)s parts its columns by blanks; save it as CSV or TSV.", file=source.name
        )
    titles = _titles(rows)
    body = rows[titles:]
    if not options.format and not _is_table(body, source.suffix, dialect):
        raise Unreadable("%(file)s holds text, but no table.", file=source.name)
    if options.no_header or (not titles and not options.header_rows and is_headless(body)):
        return Layout(dialect, (), (), max(map(len, body)))
    header = body[: options.header_rows or header_rows(body)]
    lines = (" ".join(filter(None, row)) for row in rows[:titles])
    width = max(map(len, header))
    titled = tuple(shortened(line) for line in lines)
    return Layout(dialect, titled, tuple(map(tuple, header)), width)


def _titles(rows: list[list[str]]) -> int:
    """How many rows above the names hold a title only."""
    filled = [sum(1 for cell in row if cell.strip()) for row in rows]
    usual = Counter(filled).most_common(1)[0][0]
    width = max(map(len, rows[:100]))
    if width < 2:
        return 0
    for at, count in enumerate(filled[:20]):
        if count > 1 and (usual < 4 or count >= USUAL * usual):
            return at - 1 if at and _are_names(rows[at - 1], rows[at]) else at
        if count == 1 and width == 2 and len(rows[at]) == 2 and not is_title(rows, at):
            return at
    return 0


def _are_names(above: list[str], row: list[str]) -> bool:
    """Whether a row that lacks some names is no title: it has several, and what follows is numbers already.

    Years are names too, so a row of them is none of data.
    """
    named, filled = (list(filter(None, map(str.strip, cells))) for cells in (above, row))
    numbers = [cell for cell in filled if NUMERIC.fullmatch(cell)]
    return (
        len(named) > 1
        and len(above) == len(row)
        and not any(map(NUMERIC.fullmatch, named))
        and 2 * len(numbers) >= len(filled)
        and not all(map(YEAR.fullmatch, numbers))
    )


def _is_table(rows: list[list[str]], suffix: str, dialect: Dialect) -> bool:
    """Whether text of this name is a table and not prose, source code or the like."""
    width, count = Counter(map(len, rows)).most_common(1)[0]
    if max(map(len, rows)) == 1:
        return suffix in LIST_SUFFIXES and max(len(row[0]) for row in rows) <= LIST_CELL
    return suffix in TABLE_SUFFIXES or (
        width > 1
        and len(rows) > 1
        and count >= REGULAR * len(rows)
        and dialect.delimiter in USUAL_DELIMITERS
    )
