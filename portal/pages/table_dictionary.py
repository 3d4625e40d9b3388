"""The forms of a table's data dictionary, for those who may change the table; they work without JavaScript."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from catalog.errors import Invalid, NotFound
from catalog.schemas.column_declaration import ColumnDeclarationSchema, ColumnDraft
from catalog.schemas.grid import Grid
from catalog.services import column_declarations, conformance
from portal.filters import sentence
from portal.forms import form_fields
from portal.languages import gettext
from portal.table_page.dictionary import ColumnForm, said_of
from portal.table_page.page import TablePage

bp = Blueprint("table_dictionary", __name__)
Errors = dict[str, list[str]]


@bp.get("/tables/<table_id>/dictionary")
def show(table_id: str) -> str:
    """What is said of every column, each with the way to its form; and the key of the table."""
    return _overview(table_id, {})


@bp.post("/tables/<table_id>/dictionary")
def declare_key(table_id: str) -> ResponseReturnValue:
    """Say which columns tell rows apart."""
    try:
        column_declarations.declare_key(g.identity, table_id, request.form.getlist("key")[:100])
    except Invalid as error:
        return _overview(table_id, {"key": [_words(error)]}), error.status
    flash(gettext("The key is declared."), "success")
    return redirect(url_for("table_dictionary.show", table_id=table_id), 303)


@bp.get("/tables/<table_id>/dictionary/column")
def column(table_id: str) -> str:
    """The form of one column, with what is said of it."""
    return _form(table_id, {}, None)


@bp.post("/tables/<table_id>/dictionary/column")
def declare(table_id: str) -> ResponseReturnValue:
    """Keep what is said of the column; where values break it, only once that was seen."""
    name = request.args.get("column", "")
    column_declarations.column_of(column_declarations.editable(g.identity, table_id), name)
    schema = ColumnDeclarationSchema()
    try:
        draft: ColumnDraft = schema.load(form_fields(schema))
    except ValidationError as error:
        return _form(table_id, _translated(error.messages_dict), None), 422
    checks = request.form.get("do") != "sure"
    broken = column_declarations.broken(g.identity, table_id, name, draft) if checks else []
    if request.form.get("do") == "check" or broken:
        return _form(table_id, {}, broken)
    try:
        column_declarations.declare(g.identity, table_id, name, draft)
    except Invalid as error:
        return _form(table_id, {"type": [_words(error)]}, None), error.status
    flash(gettext("What is said of the column “%(column)s” is saved.", column=name), "success")
    return redirect(url_for("table_dictionary.show", table_id=table_id), 303)


@bp.post("/tables/<table_id>/dictionary/element")
def bind(table_id: str) -> ResponseReturnValue:
    """Bind the column to a data element, or to none."""
    name = request.args.get("column", "")
    code = request.form.get("element", "").strip()[:100]
    try:
        conformance.bind(g.identity, table_id, name, code)
    except (Invalid, NotFound) as error:
        return _form(table_id, {"element": [_words(error)]}, None), error.status
    flash(gettext("What is said of the column “%(column)s” is saved.", column=name), "success")
    return redirect(url_for("table_dictionary.show", table_id=table_id), 303)


def _overview(table_id: str, errors: Errors) -> str:
    table = column_declarations.editable(g.identity, table_id)
    page = TablePage(table, Grid(view="columns"))
    said = [said_of(table, column) for column in table.columns]
    key = request.form.getlist("key") if errors else list(table.primary_key)
    return render_template("tables/dictionary.html", page=page, said=said, key=key, errors=errors)


def _form(table_id: str, errors: Errors, broken: list[column_declarations.Broken] | None) -> str:
    table = column_declarations.editable(g.identity, table_id)
    column = column_declarations.column_of(table, request.args.get("column", ""))
    declaring = request.method == "POST" and "element" not in request.form
    sent = form_fields(ColumnDeclarationSchema()) if declaring else None
    return render_template(
        "tables/dictionary_column.html",
        page=TablePage(table, Grid(view="columns")),
        form=ColumnForm(table, column, sent),
        errors=errors,
        broken=broken,
        element=conformance.element_of(column),
        suggested=conformance.suggestions(g.identity, column),
    )


def _words(error: Invalid | NotFound) -> str:
    return sentence({"message": error.message, "context": error.context})


def _translated(problems: dict[str, Any]) -> Errors:
    return {
        str(name): [sentence({"message": str(words)}) for words in sentences]
        for name, sentences in problems.items()
    }
