"""The body of the grid: rows of an Arrow table as HTML, a column at a time, values exactly as they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa
from markupsafe import Markup, escape

from portal.filters import number
from portal.languages import gettext, ngettext

SHORT = 90
"""Characters of a text that are shown at once."""
BETWEEN = "\0"
LONG = 4_000
"""Characters that are in the page at all; the rest is one call of the API away."""

SHAPE = re.compile(r'"type"\s*:\s*"([A-Za-z]{1,40})"')
POINT = re.compile(r"\[\s*-?\d")
"""A point of a shape begins where a number follows a bracket."""


def body(data: pa.Table, types: Sequence[str], *, offset: int, marked: int, whole: str) -> Markup:
    """The rows inside `<tbody>`, numbered from `offset` + 1; `whole` leads to one row with all its text."""
    columns = [
        _columns_cells(data.column(at), type_, offset, whole) for at, type_ in enumerate(types)
    ]
    numbers = range(offset + 1, offset + 1 + data.num_rows)
    rows = zip(numbers, *columns, strict=True) if columns else ((n,) for n in numbers)
    return Markup("".join(_row(row, marked) for row in rows))  # noqa: S704 # cells are escaped one by one


def _row(row: tuple[Any, ...], marked: int) -> str:
    number, *cells = row
    mark = ' class="weft-grid__marked" aria-current="true"' if number == marked else ""
    return f'<tr id="row-{number}"{mark}><th scope="row">{number}</th>{"".join(cells)}</tr>\n'


def _columns_cells(column: Any, type_: str, offset: int, whole: str) -> Iterable[str]:
    if type_ == "geojson":
        return [
            empty_cell() if value is None else _outline(value, whole, at)
            for at, value in enumerate(column.to_pylist(), start=offset)
        ]
    write = WRITERS.get(type_)
    side = "z n" if write is _number else "z"
    empty = empty_cell(side)
    if write is not None:
        return [empty if value is None else write(value) for value in column.to_pylist()]
    values = column.to_pylist()
    cells: list[str] = []
    for at, (value, safe) in enumerate(zip(values, _escaped(values), strict=True), offset):
        if value is None:
            cells.append(empty)
        elif len(value) <= SHORT:
            cells.append(f"<td>{safe}</td>")
        else:
            cells.append(_long(value, whole, at))
    return cells


def _escaped(values: Sequence[str | None]) -> list[str]:
    """Short texts with their signs escaped, all at once, which takes a fifth of the time of one by one."""
    short = [value if value is not None and len(value) <= SHORT else "" for value in values]
    parts = str(escape(BETWEEN.join(short))).split(BETWEEN)
    return parts if len(parts) == len(short) else [str(escape(value)) for value in short]


def empty_cell(side: str = "z") -> str:
    """The cell of a row that has no value."""
    return f'<td class="{side}" title="{escape(gettext("no value"))}">–</td>'


def _outline(value: str, whole: str, at: int) -> str:
    """A shape in few words: its kind and the number of its points; all of it opens."""
    kind = SHAPE.search(value)
    points = len(POINT.findall(value))
    if kind is None or not points:
        return _long(value, whole, at) if len(value) > SHORT else f"<td>{escape(value)}</td>"
    shown = ngettext(
        "%(kind)s, %(count)s point",
        "%(kind)s, %(count)s points",
        points,
        kind=kind[1],
        count=number(points),
    )
    return _long(value, whole, at, shown)


def _long(value: str, whole: str, at: int, summary: str = "") -> str:
    """A text that opens: its beginning, or what sums it up, comes first, all of it follows."""
    summary = summary or f"{value[:SHORT]}…"
    rest = ""
    if len(value) > LONG:
        words = escape(gettext("The whole value"))
        rest = f'… <a hx-boost="false" href="{escape(whole.replace("OFFSET", str(at), 1))}">{words}</a>'
    return (
        f'<td><details class="weft-long"><summary>{escape(summary)}</summary>'
        f"<div>{escape(value[:LONG])}{rest}</div></details></td>"
    )


def number_text(value: float) -> str:
    """A number as it was published: nothing grouped, nothing rounded, no `.0` that nobody wrote."""
    text = repr(value)
    return text.removesuffix(".0")


def _number(value: float) -> str:
    return f'<td class="n">{number_text(value)}</td>'


def _boolean(value: bool) -> str:  # noqa: FBT001 # a cell's value
    return f"<td>{'true' if value else 'false'}</td>"


def _moment(value: Any) -> str:
    text = value.isoformat().replace("T", " ")
    return f'<td class="d">{text}</td>'


WRITERS: dict[str, Callable[[Any], str]] = {
    "integer": _number,
    "number": _number,
    "boolean": _boolean,
    "date": _moment,
    "datetime": _moment,
}
"""Type → a cell; texts are written where they are read."""
