"""Many datasets at once: the template, the upload, and the export of a department's catalogue."""

from __future__ import annotations

from flask import Blueprint, Response, g, render_template, request
from flask.typing import ResponseReturnValue

from catalog.errors import CatalogError
from catalog.schemas.sentences import take_apart
from catalog.services import bulk, workspace
from catalog.services.bulk import Report
from portal.filters import fill
from portal.publishing.form import Errors, errors_of

bp = Blueprint("bulk", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN = 500
"""Wrong cells that the page lists."""


@bp.get("/publish/bulk")
def show() -> str:
    """The way: download, fill in, upload."""
    return _page(None, {})


@bp.post("/publish/bulk")
def upload() -> ResponseReturnValue:
    """Check every cell; where all are right, or the right lines were asked for, drafts are made."""
    sent = request.files.get("file")
    body = sent.read() if sent else b""
    try:
        report = bulk.load(
            g.identity, _asked(), body, only_right=request.form.get("only_right") == "1"
        )
    except CatalogError as error:
        if error.status not in (413, 422):
            raise
        return _page(None, {"file": errors_of(error).get("", [])}), error.status
    return _page(report, {}), 200 if report.kept else 422


@bp.get("/publish/bulk/template.xlsx")
def template() -> Response:
    """The template of an organization."""
    return _workbook(bulk.template(g.identity, _asked()), f"template-{_asked()}.xlsx")


@bp.get("/publish/bulk/catalogue.xlsx")
def export() -> Response:
    """An organization's catalogue in the template."""
    number = request.args.get("part", "1")
    part = int(number[:6]) if number.isdecimal() else 1
    name = f"{_asked()}-{part}.xlsx"
    return _workbook(bulk.export(g.identity, _asked(), part=part), name)


def _asked() -> str:
    """The organization that is meant: the one that is chosen, or the first."""
    chosen = request.values.get("organization", "")[:100]
    offices = workspace.offices(g.identity)
    return chosen or (offices[0].slug if offices else "-")


def _workbook(body: bytes, name: str) -> Response:
    response = Response(body, content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(report: Report | None, errors: Errors) -> str:
    asked = _asked()
    wrong = [
        (
            cell,
            fill(*take_apart(cell.message))
            if not cell.context
            else fill(cell.message, cell.context),
        )
        for cell in (report.wrong if report else ())[:SHOWN]
    ]
    return render_template(
        "publish/bulk.html",
        offices=workspace.offices(g.identity),
        asked=asked,
        parts=bulk.parts(g.identity, asked),
        report=report,
        wrong=wrong,
        errors=errors,
    )
