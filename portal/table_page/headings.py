"""The headings of the grid as HTML: a wide table has sixty, and each has two links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from markupsafe import Markup, escape

from portal.languages import translated

if TYPE_CHECKING:
    from portal.table_page.page import Heading
    from portal.table_page.rows_view import RowsView

FUNNEL = (
    '<svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" focusable="false">'
    '<path d="M1 2h12L8.6 7.4V12L5.4 10.4V7.4z"/></svg>'
)
Place = tuple[int, bool]
"""Which key of the order a column is, from 0, and whether it falls."""


def heading_cells(rows: RowsView, headings: Sequence[Heading]) -> Markup:
    """The cells of the row of headings: a link that sorts, and one that opens what can be done with the column."""
    page = rows.page
    fresh = str(escape(page.at.sorted()))
    fresh += "&amp;" if "?" in fresh else "?"
    panel = str(escape(page.at.column("")))
    before, _, after = panel.rpartition("on=")
    cells = []
    for at, heading in enumerate(headings, start=1):
        place = rows.sorted(heading.name)
        name = quote_plus(heading.name)
        alone = place is not None and place[0] == 0
        to = str(escape(page.at.sort(heading.name))) if alone else f"{fresh}sort={name}"
        opener = ""
        if not heading.masked:
            is_set = " weft-grid__menu--set" if heading.name in page.filtered_columns else ""
            said = translated("Column %(column)s: filter, sort, hide", column=heading.called)
            opener = (
                f'<a class="weft-grid__menu{is_set}" id="menu-{at}" href="{before}on={name}{after}" '
                f'rel="nofollow" aria-label="{said}">{FUNNEL}</a>'
            )
        cells.append(
            f"{_opening(heading, place)}{_name(heading, place, at, to, rows.keys)}{opener}</span>"
            f"{_about(heading)}</th>"
        )
    return Markup("\n".join(cells))  # noqa: S704 # names, labels and addresses are escaped above and below


def _opening(heading: Heading, place: Place | None) -> str:
    """Only the first key says its order to screen readers by itself: the standard allows one."""
    sorted_ = ""
    if place is not None and place[0] == 0:
        sorted_ = f' aria-sort="{"descending" if place[1] else "ascending"}"'
    side = "n" if heading.number else ""
    return f'<th scope="col" class="{side}"{sorted_}><span class="weft-grid__head">'


def _name(heading: Heading, place: Place | None, at: int, address: str, keys: int) -> str:
    called = f'<span class="weft-grid__name">{escape(heading.called)}</span>{_arrow(place, keys)}'
    if not heading.sortable:
        return f'<span class="weft-grid__sort">{called}</span>'
    return (
        f'<a class="weft-grid__sort" id="sort-{at}" href="{address}" rel="nofollow" '
        f'data-sort="{escape(heading.name)}">{called}</a>'
    )


def _arrow(place: Place | None, keys: int) -> str:
    if place is None:
        return ""
    sign, number = "▼" if place[1] else "▲", place[0] + 1 if keys > 1 else ""
    more = translated("sorted, key %(number)s", number=place[0] + 1) if place[0] else ""
    said = f'<span class="govuk-visually-hidden">{more}</span>' if more else ""
    return f' <span class="weft-grid__arrow"><span aria-hidden="true">{sign}{number}</span>{said}</span>'


def _about(heading: Heading) -> str:
    """The name behind a label, the unit, and that values are masked."""
    name = heading.name if heading.label and heading.label != heading.name else ""
    masked = str(translated("masked")) if heading.masked else ""
    parts = [part for part in (name, heading.unit, masked) if part]
    return f'<span class="weft-grid__about">{escape(" · ".join(parts))}</span>' if parts else ""
