"""Whole tables, or what is left of them, as files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from flask import Response, g, request
from marshmallow import RAISE

from api.answers import dated, is_conditional, tag_of, unchanged
from api.v1.description import ANYTHING, N_, many, text
from api.v1.names import names_in, orders_in
from api.v1.parameters import DownloadParameters, blueprint
from api.v1.tables import condition
from catalog.services import tables, usage
from catalog.tabular.query import TableQuery

FORMATS = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

bp = blueprint("tables", "downloads")


def download(asked: Mapping[str, Any], table_id: str, *, kind: str) -> Response:
    """The file as a stream: nothing of it is kept in memory or on disk."""
    table = tables.show(g.identity, table_id)
    tag = tag_of(table.id, table.release)
    same = unchanged(tag=tag, modified=table.loaded_at) if is_conditional() else None
    if same is not None:
        return same
    query = TableQuery(
        select=names_in(asked["select"]),
        where=condition(table_id, asked["where"]),
        order_by=orders_in(asked["order_by"]),
    )
    whole = query == TableQuery()
    name = "csv-bom" if kind == "csv" and asked["bom"] else kind
    export = tables.export(g.identity, table_id, name, None if whole else query)
    if request.method != "HEAD":
        usage.count(table.resource.dataset_id, "download")
    response = Response(export.chunks, content_type=export.media_type)
    response.headers["Content-Disposition"] = disposition(export.filename)
    if export.size is not None:
        response.headers["Content-Length"] = str(export.size)
    return dated(response, tag=tag, modified=table.loaded_at)


def disposition(filename: str) -> str:
    """The header for saving under a name in any script (RFC 6266 with RFC 8187)."""
    plain = "".join(
        sign if 32 <= ord(sign) < 127 and sign not in '"\\%' else "_" for sign in filename
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _endpoint(kind: str) -> Callable[..., Response]:
    def view(asked: Mapping[str, Any], table_id: str) -> Response:
        return download(asked, table_id, kind=kind)

    view.__name__ = f"download_{kind}"
    view.__doc__ = None
    return view


for _kind, _media_type in FORMATS.items():
    _view = _endpoint(_kind)
    _view = bp.doc(
        summary=N_("Download a table"), operationId=f"download_{_kind}", tags=["tables"]
    )(_view)
    _view = bp.response(
        200,
        many(ANYTHING) if _kind == "json" else text(format="binary"),
        content_type=_media_type,
        description=N_("The file as a stream"),
    )(_view)
    _view = bp.arguments(DownloadParameters(), location="query", unknown=RAISE)(_view)
    bp.add_url_rule(f"/tables/<table_id>/download.{_kind}", _view.__name__, _view)
