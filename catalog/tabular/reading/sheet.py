"""Where the table of a sheet is: titles above it, rows of names, headings between rows, notes below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Row = Sequence[object]
Range = tuple[tuple[int, int], tuple[int, int]]

TITLES = 30
"""So many rows are searched for the row of names."""
MOST = 0.6
"""A row of names fills so much of what rows usually fill."""
HEADER_ROWS = 3
FULLER = 2
"""A row of texts below that has so many times as many is the one of names; those above name groups."""
PROSE = 60
"""Texts of this length in the only column are prose."""
FEWEST_TABLE_ROWS = 0.2
"""A sheet where fewer rows have two cells is no table."""
DENSE = 4
"""A row with one cell is a heading only where rows usually have so many."""
LAST_NOTES = 30


@dataclass(frozen=True)
class Filled:
    """Which cells of a row hold something: how many, the first and the last."""

    count: int
    first: int
    last: int


@dataclass(frozen=True)
class Sheet:
    """A sheet that can be walked more than once; merged ranges count rows and columns as `rows` does."""

    rows: Callable[[], Iterator[Row]]
    merged: Sequence[Range]


@dataclass(frozen=True)
class Shape:
    """Rows by number: titles, names, headings and notes; every other filled row is data."""

    titles: tuple[int, ...]
    names: tuple[str, ...]
    header: tuple[int, ...]
    headings: frozenset[int]
    notes: tuple[int, ...]
    blank: int
    """Blank rows between the rows of data."""
    texts: dict[int, str]
    """What titles, headings and notes say."""


def is_filled(value: object) -> bool:
    """Whether a cell holds something."""
    return value is not None and value != "" and not (isinstance(value, str) and not value.strip())


def shape_of(sheet: Sheet, header_rows: int) -> Shape | None:
    """The shape of the sheet's table, or nothing when it holds none."""
    filled, head, single = _walk(sheet)
    several = [at for at, row in enumerate(filled) if row.count > 1]
    there = [at for at, row in enumerate(filled) if row.count]
    if len(several) < 2 or len(several) < FEWEST_TABLE_ROWS * len(there):
        return _list(there, filled, single, head)
    typical = Counter(filled[at].count for at in several).most_common(1)[0][0]
    header = _header(filled, head, sheet.merged, typical, header_rows)
    body = [at for at in there if at > header[-1]]
    notes = _notes(body, filled, typical)
    body = body[: len(body) - len(notes)]
    if not body:
        return None
    names = _names(header, head, filled, sheet.merged, body)
    headings = _headings(body, filled, names, sheet.merged, typical, single)
    titles = tuple(at for at in there if at < header[0])
    return Shape(
        titles=titles,
        names=names,
        header=header,
        headings=headings,
        notes=notes,
        blank=body[-1] - body[0] + 1 - len(body),
        texts={at: single[at] for at in (*titles, *headings, *notes) if at in single},
    )


def _walk(sheet: Sheet) -> tuple[list[Filled], list[Row], dict[int, str]]:
    """Which cells are filled, the first rows themselves, and the texts of rows with a single cell."""
    filled: list[Filled] = []
    head: list[Row] = []
    single: dict[int, str] = {}
    for at, row in enumerate(sheet.rows()):
        places = [place for place, value in enumerate(row) if is_filled(value)]
        filled.append(Filled(len(places), places[0], places[-1]) if places else Filled(0, 0, 0))
        if len(head) < TITLES + HEADER_ROWS:
            head.append(list(row))
            if places:
                single[at] = " ".join(shown(row[place]) for place in places)
        elif len(places) == 1 and isinstance(row[places[0]], str):
            single[at] = str(row[places[0]])
    return filled, head, single


def _list(
    there: list[int], filled: list[Filled], single: dict[int, str], head: list[Row]
) -> Shape | None:
    """A sheet of one column is a list when its texts are short, else prose."""
    if (
        len(there) < 3
        or len({filled[at].first for at in there}) > 1
        or any(filled[at].count > 1 for at in there)
    ):
        return None
    texts = [single[at] for at in there if at in single]
    if not texts or sum(map(len, texts)) > PROSE * len(texts):
        return None
    top, place = there[0], filled[there[0]].first
    name = shown(head[top][place]) if top < len(head) else ""
    names = [""] * place + [name]
    return Shape((), tuple(names), (top,), frozenset(), (), there[-1] - top + 1 - len(there), {})


def _header(
    filled: list[Filled], head: list[Row], merged: Sequence[Range], typical: int, wanted: int
) -> tuple[int, ...]:
    """The rows of names: the first row that is as full as rows usually are, with the groups above it."""
    least = max(2, MOST * typical)
    several = [at for at in range(len(head)) if at < len(filled) and filled[at].count > 1]
    top = next((at for at in several if filled[at].count >= least), several[0] if several else 0)
    if wanted:
        first = several[0] if several else 0
        return tuple(range(first, first + wanted))
    fuller = [
        at
        for at in several
        if top < at <= top + HEADER_ROWS and filled[at].count >= FULLER * filled[top].count
    ]
    if fuller and _is_text(head[fuller[0]]) and not _is_grouping(top, merged):
        top = fuller[0]
    rows = [top]
    above = top - 1
    if above in several and _is_grouping(above, merged) and _is_text(head[above]):
        rows.insert(0, above)
    while (
        len(rows) < HEADER_ROWS
        and _is_grouping(rows[-1], merged)
        and rows[-1] + 1 < min(len(head), len(filled))
        and filled[rows[-1] + 1].count
        and _is_text(head[rows[-1] + 1])
    ):
        rows.append(rows[-1] + 1)
    return tuple(rows)


def _is_grouping(row: int, merged: Sequence[Range]) -> bool:
    """Whether a name of this row stands above several columns."""
    return any(top == row and right > left for (top, left), (_, right) in merged)


def _is_text(row: Row) -> bool:
    return all(isinstance(value, str) for value in row if is_filled(value))


def _names(
    header: tuple[int, ...],
    head: list[Row],
    filled: list[Filled],
    merged: Sequence[Range],
    body: list[int],
) -> tuple[str, ...]:
    """One name a column: those of merged cells hold for all their columns, rows are joined."""
    width = 1 + max(filled[at].last for at in (*header, *body))
    rows = []
    for at in header:
        cells = [head[at][place] if place < len(head[at]) else "" for place in range(width)]
        names = [" ".join(shown(cell).split()) for cell in cells]
        for (top, left), (_, right) in merged:
            if top == at and left < width:
                names[left : min(right, width - 1) + 1] = [names[left]] * (
                    min(right, width - 1) + 1 - left
                )
        rows.append(names)
    return tuple(
        " / ".join(dict.fromkeys(filter(None, cells))) for cells in zip(*rows, strict=True)
    )


def shown(value: object) -> str:
    """A cell as the text of a name: whole numbers without a fraction."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _notes(body: list[int], filled: list[Filled], typical: int) -> tuple[int, ...]:
    """The last rows that hold a single cell under a table of several columns."""
    if typical < 3:
        return ()
    count = 0
    while count < len(body) and filled[body[-1 - count]].count == 1:
        count += 1
    return tuple(body[len(body) - count :]) if count <= LAST_NOTES else ()


def _headings(
    body: list[int],
    filled: list[Filled],
    names: tuple[str, ...],
    merged: Sequence[Range],
    typical: int,
    single: dict[int, str],
) -> frozenset[int]:
    """Rows of one cell that stands above the rows below: merged, or in a first column without a name."""
    if typical < DENSE:
        return frozenset()
    wide = {top for (top, left), (_, right) in merged if right > left}
    left = min((filled[at].first for at in body), default=0)
    unnamed = not names[left]
    return frozenset(
        at
        for at in body
        if filled[at].count == 1
        and at in single
        and (at in wide or (unnamed and filled[at].first == left))
    )
