"""The report of a table's cells that do not fit their column."""

from __future__ import annotations

from flask import Blueprint, g, render_template, request

from catalog.services import table_cells
from portal.filters import text
from portal.paging import Pages, asked_page

bp = Blueprint("table_cells", __name__)
PER_PAGE = 100


@bp.get("/tables/<table_id>/cells")
def show(table_id: str) -> str:
    """One page of the report."""
    number, notations = asked_page(), request.args.get("notations") == "1"
    page = table_cells.page(
        g.identity,
        table_id,
        limit=PER_PAGE,
        offset=(number - 1) * PER_PAGE,
        notations=notations,
    )
    table, dataset = page.table, page.table.resource.dataset
    file = f"{request.script_root}/api/v1/tables/{table.id}/cells.csv?lang={g.lang}"
    return render_template(
        "tables/cells.html",
        page=page,
        pages=Pages.of(page.total, number, PER_PAGE),
        notations=notations,
        title=text(table.title) or text(table.resource.title) or text(dataset.title),
        dataset=dataset,
        file=f"{file}&notations={str(notations).lower()}",
    )
