"""The report of a table's cells that do not fit their column."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, g, render_template, request

from catalog.schemas.grid import Grid
from catalog.services import table_cells
from portal.paging import Pages, asked_page
from portal.table_page.page import TablePage

bp = Blueprint("table_cells", __name__)
PER_PAGE = 100


@bp.get("/tables/<table_id>/cells")
def show(table_id: str) -> str:
    """One page of the report."""
    number, notations = asked_page(), request.args.get("notations") == "1"
    as_of = request.args.get("as_of") or None
    found = table_cells.page(
        g.identity,
        table_id,
        limit=PER_PAGE,
        offset=(number - 1) * PER_PAGE,
        notations=notations,
        as_of=as_of,
    )
    file = f"{request.script_root}/api/v1/tables/{found.table.id}/cells.csv?lang={g.lang}"
    file += f"&{urlencode({'as_of': as_of})}" if as_of else ""
    return render_template(
        "tables/cells.html",
        page=TablePage(found.table, Grid(view="columns", as_of=as_of or "")),
        cells=found,
        pages=Pages.of(found.total, number, PER_PAGE),
        notations=notations,
        as_of=as_of,
        file=f"{file}&notations={str(notations).lower()}",
    )
