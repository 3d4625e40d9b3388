"""The form that withholds a column of a table, with its legal reason, or opens it."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from catalog.models.vocabulary import Access, ColumnAccess
from catalog.schemas.grid import Grid
from catalog.services import column_declarations, table_columns
from portal.languages import gettext
from portal.publishing.form import Errors
from portal.table_page.page import TablePage

bp = Blueprint("column_access", __name__)
MOST_SHOWN = 20
"""Characters that a mask may leave at each end."""


@bp.get("/tables/<table_id>/dictionary/access")
def show(table_id: str) -> str:
    """What everybody sees of a column, and why not more."""
    return _form(table_id, {})


@bp.post("/tables/<table_id>/dictionary/access")
def change(table_id: str) -> ResponseReturnValue:
    """Withhold the column in all releases, or open it."""
    name, typed = request.args.get("column", ""), request.form
    asked = typed.get("access", "")
    access = ColumnAccess(asked) if asked in set(ColumnAccess) else ColumnAccess.HIDDEN
    given = typed.get("withheld_as") == Access.ON_APPLICATION
    reason = {
        tag: words
        for tag in ("zh", "en")
        if (words := typed.get(f"reason_{tag}", "").strip()[:2000])
    }
    if access != ColumnAccess.OPEN and not reason:
        errors = {"reason_zh": [gettext("Name the legal reason why it is not open.")]}
        return _form(table_id, errors), 422
    table_columns.set_access(
        g.identity,
        table_id,
        name,
        access,
        {end: _shown(typed.get(end, "")) for end in ("first", "last")},
        withheld_as=Access.ON_APPLICATION if given else Access.CLOSED,
        reason=reason,
    )
    flash(gettext("The access to the column “%(column)s” is changed.", column=name), "success")
    return redirect(url_for("table_dictionary.show", table_id=table_id), 303)


def _form(table_id: str, errors: Errors) -> str:
    table = column_declarations.editable(g.identity, table_id)
    column = column_declarations.column_of(table, request.args.get("column", ""))
    return render_template(
        "tables/column_access.html",
        page=TablePage(table, Grid(view="columns")),
        column=column,
        errors=errors,
    )


def _shown(typed: str) -> int:
    return min(int(typed[:4]), MOST_SHOWN) if typed.isdecimal() else 0
