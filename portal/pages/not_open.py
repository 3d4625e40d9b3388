"""The public list of what is not open, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, render_template, stream_with_context

from catalog.models.text import pick
from catalog.services import not_open
from portal.languages import gettext
from portal.paging import Pages, asked_page

if TYPE_CHECKING:
    from catalog.services.not_open import NotOpen

bp = Blueprint("not_open", __name__)
LISTED = 50
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@bp.get("/not-open")
def show() -> str:
    """One page of the list."""
    number = asked_page()
    total = not_open.count(g.identity)
    return render_template(
        "not_open/show.html",
        entries=not_open.listed(g.identity, limit=LISTED, offset=(number - 1) * LISTED),
        total=total,
        pages=Pages.of(total, number, LISTED),
    )


@bp.get("/not-open.csv")
def download() -> Response:
    """The whole list for spreadsheets: with a mark of UTF-8, by which Excel knows the letters."""
    lines = stream_with_context(_lines(g.lang))
    response = Response(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="not-open.csv"'
    return response


def _lines(language: str) -> Iterator[str]:
    heading = (
        gettext("Dataset"),
        gettext("Name in addresses"),
        gettext("Department"),
        gettext("Column"),
        gettext("Access"),
        gettext("Legal reason"),
        gettext("Kind"),
    )
    yield "\ufeff" + _line(heading)
    for entry in not_open.everything(g.identity):
        yield _line(_cells(entry, language))


def _cells(entry: NotOpen, language: str) -> tuple[str, ...]:
    words = {"on_application": gettext("On application"), "closed": gettext("Closed")}
    return (
        pick(entry.title, language)[0],
        entry.slug,
        pick(entry.organization, language)[0],
        entry.column,
        words.get(entry.access, entry.access),
        pick(entry.reason, language)[0],
        gettext("Dataset") if entry.kind == "dataset" else gettext("Data service"),
    )


def _line(cells: tuple[str, ...]) -> str:
    """A line of CSV whose texts no spreadsheet takes for a formula."""
    text = io.StringIO()
    csv.writer(text).writerow([f"'{one}" if one.startswith(FORMULA) else one for one in cells])
    return text.getvalue()
