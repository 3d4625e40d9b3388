"""Ask in SQL: a statement, its answer, and the same as a file; it works without JavaScript."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from catalog.errors import NotFound
from catalog.services import sql
from portal.sql_page import SqlPage

bp = Blueprint("sql", __name__)


@bp.get("/sql")
def show() -> tuple[str, int]:
    """The form, with the answer to what was asked or with what is wrong with it."""
    page = SqlPage.of(request.args.get("q", ""))
    return render_template("sql/show.html", page=page), page.status


@bp.get("/sql/answer.<format_>")
def download(format_: str) -> Response:
    """The answer as a file, with as many rows as the portal allows."""
    if format_ not in sql.FORMATS:
        raise NotFound("there is no download in the format “%(format)s”", format=format_[:40])
    answer = SqlPage.ask(request.args.get("q", ""), limit=None)
    response = Response(sql.stream(answer, format_), content_type=sql.FORMATS[format_])
    response.headers["Content-Disposition"] = f'attachment; filename="answer.{format_}"'
    return response
