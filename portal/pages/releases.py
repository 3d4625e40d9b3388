"""Pages that stay: a release, what changed between two, and citations of queries on them."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, g, redirect, render_template, request, url_for

from catalog.schemas.grid import Grid, read_grid
from catalog.services import citations, release_files, tables
from catalog.tabular.query import TableQuery
from catalog.tabular.where_text import listed_name, order_text
from portal.languages import gettext
from portal.readers import count_view
from portal.site import Site
from portal.table_page.cells import body
from portal.table_page.citing import CiteForm, citation_of, permanent
from portal.table_page.page import TablePage
from portal.table_page.versions import ChangesView, ReleaseView

bp = Blueprint("releases", __name__)


@bp.get("/tables/<table_id>/releases/<int(max=2147483647):number>")
def show(table_id: str, number: int) -> str:
    """A release under the address that is cited."""
    page = _page(table_id)
    release = ReleaseView(page, number)
    count_view(page.dataset.id)
    found = release_files.find_all(g.identity, table_id, number) if release.kept else []
    rows = release.rows if release.kept else None
    cells = (
        body(
            rows.data,
            [str(column.type) for column in rows.columns],
            offset=0,
            marked=0,
            whole=f"/api/v1/tables/{table_id}/rows?as_of={number}&offset=OFFSET&limit=1",
        )
        if rows
        else ""
    )
    return render_template(
        "tables/release.html", page=page, release=release, files=found, rows=rows, cells=cells
    )


@bp.get("/tables/<table_id>/changes")
def changes(table_id: str) -> str:
    """What changed between two releases, row by row."""
    page = _page(table_id)
    return render_template("tables/changes.html", page=page, changes=ChangesView(page))


@bp.get("/tables/<table_id>/cite")
def ask(table_id: str) -> str:
    """What will be cited, before it gets its address."""
    page = TablePage(tables.show(g.identity, table_id), read_grid(request.args))
    return render_template("tables/cite.html", page=page, asked=CiteForm(page))


@bp.post("/tables/<table_id>/cite")
def cite(table_id: str) -> Response:
    """Give the query on a release an address that stays."""
    page = TablePage(tables.show(g.identity, table_id), read_grid(request.form))
    as_of = request.form.get("as_of") or None
    columns = [column.name for column in tables.columns(g.identity, table_id, None, as_of=as_of)]
    chosen = [name for name in columns if name in request.form.getlist("show")]
    query = TableQuery(
        select=() if len(chosen) in (0, len(columns)) else tuple(chosen),
        where=page.conditions.where,
        order_by=page.grid.order_by(page.columns),
    )
    cited = citations.cite(g.identity, table_id, query, as_of=as_of)
    address = url_for("releases.citation", citation_id=cited.citation.id)
    return cast("Response", redirect(address, 303))


@bp.get("/citations/<citation_id>")
def citation(citation_id: str) -> str:
    """A citation: query, release, hash, and whether the rows are still the same."""
    cited = citations.find(g.identity, citation_id)
    page = TablePage(cited.table, Grid(view="versions"))
    check = cited.citation.rows <= citations.SMALL_ROWS or request.args.get("check") == "1"
    kept = cited.release.expired_at is None
    made = cited.release.created_at
    address = permanent(f"/citations/{cited.citation.id}")
    return render_template(
        "tables/citation.html",
        page=page,
        cited=cited,
        select=str(gettext(", ")).join(map(page.label, cited.query.select)),
        order_by=order_text(cited.query.order_by),
        unchanged=citations.is_unchanged(cited) if check and kept else None,
        kept=kept,
        address=address,
        texts=citation_of(page.dataset, cited.citation.release, made, address),
        asked=_asked(cited),
        call=f"{Site().origin()}{request.script_root}/api/v1/tables/{page.table.id}/rows?"
        + urlencode(_asked(cited), quote_via=quote),
    )


def _page(table_id: str) -> TablePage:
    return TablePage(tables.show(g.identity, table_id), Grid(view="versions"))


def _asked(cited: citations.Cited) -> dict[str, object]:
    """Parameters of the API that give the rows of a citation."""
    asked: dict[str, object] = {
        "select": ",".join(map(listed_name, cited.query.select)),
        "where": cited.citation.query["where"],
        "order_by": order_text(cited.query.order_by),
        "as_of": cited.citation.release,
    }
    return {name: value for name, value in asked.items() if value}
