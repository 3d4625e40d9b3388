"""The standard of data elements: the list, each with the columns that use it, and files of the whole."""

from __future__ import annotations

from flask import Blueprint, Response, g, render_template, request

from catalog.search.facets import MOST_TEXT
from catalog.services import data_elements, standard_files
from catalog.tabular.conformance import REASONS
from portal.conformance import share_of
from portal.paging import Pages, asked_page
from portal.table_page.words import TYPES

bp = Blueprint("standards", __name__)
LISTED = 50
KINDS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@bp.get("/standards")
def index() -> str:
    """All data elements; with `q` those that hold the words."""
    number = asked_page()
    words = request.args.get("q", "")[:MOST_TEXT]
    found, total = data_elements.listed(
        g.identity, words=words, limit=LISTED, offset=(number - 1) * LISTED
    )
    return render_template(
        "standards/index.html",
        elements=found,
        uses=data_elements.use_counts(g.identity),
        total=total,
        words=words,
        types=TYPES,
        pages=Pages.of(total, number, LISTED),
    )


@bp.get("/standards/<code>")
def show(code: str) -> str:
    """A data element, its codes, and the columns that are bound to it."""
    element = data_elements.show(g.identity, code)
    number = asked_page()
    uses, total = data_elements.uses(
        g.identity, element, limit=LISTED, offset=(number - 1) * LISTED
    )
    return render_template(
        "standards/show.html",
        element=element,
        uses=[(use, share_of(use.column.conformance)) for use in uses],
        total=total,
        types=TYPES,
        reasons=REASONS,
        pages=Pages.of(total, number, LISTED),
    )


@bp.get("/standards/files/<name>")
def file(name: str) -> Response:
    """The standard as a file."""
    content = standard_files.export(g.identity, name)
    response = Response(content, content_type=KINDS[name.rpartition(".")[2]])
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    return response
