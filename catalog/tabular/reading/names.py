"""Whether the first rows of a delimited text name its columns, are titles, or are data already."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from catalog.tabular.reading.types import NUMBER

Rows = Sequence[Sequence[str]]
NUMERIC = re.compile(NUMBER)
MOST_HEADER_ROWS = 3
ENOUGH_ROWS = 3
"""So many rows below say what a column holds."""
NAMED = 0.6
"""Further rows of names fill so much of the columns of numbers."""
LIKE = 0.8
"""So much of a column must look like its first cell to make that one a value."""
SHAPED = re.compile(r"[^\W\d_].*\d|\d.*[^\W\d_]|\d\D+\d")
"""Digits with letters or signs between: a date, a code, a decimal; a whole number may be a name, such as a year."""
ALIGNED = re.compile(r"\s{2,}")


def header_rows(rows: Rows) -> int:
    """How many rows name the columns: one, and those below it of nothing but texts above columns of numbers."""
    if len(rows) < 5:
        return 1
    for count in range(min(MOST_HEADER_ROWS, len(rows) - ENOUGH_ROWS), 1, -1):
        numeric = _numeric(rows, count)
        named = [at for at, cell in enumerate(rows[0]) if cell.strip()]
        if len(numeric) >= max(2, len(named) / 2) and all(
            _names_again(row, rows[0], numeric) for row in rows[1:count]
        ):
            return count
    return 1


def _names_again(row: Sequence[str], first: Sequence[str], numeric: Sequence[int]) -> bool:
    filled = [at for at in numeric if at < len(row) and row[at].strip()]
    return (
        len(row) == len(first)
        and not any(map(NUMERIC.match, row))
        and len(filled) >= NAMED * len(numeric)
    )


def _numeric(rows: Rows, start: int) -> list[int]:
    """The columns whose cells from this row on are numbers."""
    found = []
    for at in range(len(rows[0])):
        below = [row[at] for row in rows[start:] if len(row) > at and row[at]]
        if len(below) >= ENOUGH_ROWS and all(map(NUMERIC.match, below)):
            found.append(at)
    return found


def is_headless(rows: Rows) -> bool:
    """Whether the first row is one of data: its cells look like those below, in a way that names do not."""
    first, below = rows[0], rows[1:]
    if len(below) < ENOUGH_ROWS or len(first) < 2 or not all(cell.strip() for cell in first[:1]):
        return False
    alike = 0
    for at, cell in enumerate(first):
        column = [row[at] for row in below if len(row) > at and row[at]]
        if len(column) < ENOUGH_ROWS:
            continue
        shape, count = Counter(map(_shape, column)).most_common(1)[0]
        if count < LIKE * len(column):
            continue
        if SHAPED.search(cell) and _shape(cell) == shape:
            alike += 1
        elif SHAPED.search(shape) and cell.strip():
            return False
    return alike > 0 or _counts_on(first, below)


def _counts_on(first: Sequence[str], below: Rows) -> bool:
    """Whether the first cells count from 1 on, beginning with the first row."""
    numbers = [row[0] for row in (first, *below[:ENOUGH_ROWS])]
    return numbers == [str(at) for at in range(1, len(numbers) + 1)]


def _shape(cell: str) -> str:
    """The cell with one letter for all letters and one digit for all digits that stand together."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", cell.strip()))


def is_title(rows: Rows, at: int) -> bool:
    """Whether a row with one cell of two is a title: the names come later, above a column of numbers."""
    if not rows[at][0].strip():
        return False
    following = next((next_ for next_ in range(at + 1, len(rows)) if all(rows[next_][:2])), 0)
    if not following or len(rows[following]) != 2:
        return False
    below = [row[1] for row in rows[following + 1 :] if len(row) > 1 and row[1]]
    numeric = len(below) >= ENOUGH_ROWS and all(map(NUMERIC.match, below))
    return numeric and not NUMERIC.match(rows[following][1])


def is_aligned(sample: str, rows: Rows) -> bool:
    """Whether a text has columns that are parted by blanks, and no other sign that parts most of its lines."""
    lines = [line for line in sample.splitlines() if line.strip()][-200:]
    if sum(len(row) > 1 for row in rows) * 2 > len(rows) or len(lines) < ENOUGH_ROWS:
        return False
    widths = Counter(len(ALIGNED.split(line.strip())) for line in lines)
    width, count = widths.most_common(1)[0]
    return width > 2 and count >= LIKE * len(lines)
