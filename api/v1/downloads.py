"""Whole tables and releases, or what is left of them, as files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, g, request
from marshmallow import RAISE

from api import files
from api.answers import dated, is_conditional, tag_of, unchanged
from api.v1.description import ANYTHING, N_, many, text
from api.v1.names import names_in, orders_in
from api.v1.parameters import DownloadParameters, ReleaseFileParameters, blueprint
from api.v1.tables import narrowing
from catalog.services import release_files, tables, usage
from catalog.tabular.query import TableQuery

FORMATS = {
    name: format_.media_type.partition(";")[0]
    for name, format_ in tables.FORMATS.items()
    if name != "csv-bom"
}
"""Ending of the address → media type; the variant for Excel is a parameter of CSV."""
RELEASE = "<int(max=2147483647):number>"

bp = blueprint("tables", "downloads")


def download(asked: Mapping[str, Any], table_id: str, *, kind: str) -> Response:
    """The newest release as a file; what a condition, columns or an order leave of it as a stream that nobody keeps."""
    query = TableQuery(
        select=names_in(asked["select"]),
        where=narrowing(table_id, asked),
        order_by=orders_in(asked["order_by"]),
    )
    as_of = asked["as_of"]
    if query == TableQuery() and not asked["crs"]:
        number = tables.release_as_of(g.identity, table_id, as_of) if as_of else None
        return release(asked, table_id, number, kind=kind)
    table = tables.show(g.identity, table_id)
    tag = tag_of(table.id, table.release)
    same = unchanged(tag=tag, modified=table.loaded_at) if is_conditional() else None
    if same is not None:
        return same
    export = tables.export(
        g.identity, table_id, _format(kind, asked), query, as_of=as_of, crs=asked["crs"]
    )
    if request.method != "HEAD":
        usage.count(table.resource.dataset_id, "download")
    response = Response(export.chunks, content_type=export.media_type)
    response.headers["Content-Disposition"] = files.disposition(export.filename)
    return dated(response, tag=tag, modified=table.loaded_at)


def release(asked: Mapping[str, Any], table_id: str, number: int | None, *, kind: str) -> Response:
    """A release as a file; a call that goes on where another one broke off is no download of its own."""
    wanted = release_files.find(g.identity, table_id, number, _format(kind, asked))
    response = files.send(wanted)
    begins = response.status_code == 200 or "bytes 0-" in response.headers.get("Content-Range", "")
    if begins and request.method != "HEAD":
        usage.count(wanted.table.resource.dataset_id, "download")
    return response


def _format(kind: str, asked: Mapping[str, Any]) -> str:
    return "csv-bom" if kind == "csv" and asked["bom"] else kind


def _newest(kind: str) -> Callable[..., Response]:
    def view(asked: Mapping[str, Any], table_id: str) -> Response:
        return download(asked, table_id, kind=kind)

    return view


def _release(kind: str) -> Callable[..., Response]:
    def view(asked: Mapping[str, Any], table_id: str, number: int) -> Response:
        return release(asked, table_id, number, kind=kind)

    return view


def _add(path: str, kind: str, view: Callable[..., Response], name: str, **said: Any) -> None:
    media_type = FORMATS[kind]
    view.__name__, view.__doc__ = f"{name}_{kind.replace('.', '_')}", None
    body = many(ANYTHING) if kind == "json" else text(format="binary")
    view = bp.doc(summary=said["summary"], operationId=view.__name__, tags=["tables"])(view)
    view = bp.alt_response(
        206, schema=text(format="binary"), content_type=media_type, description=PART
    )(view)
    view = bp.alt_response(416, description=BEYOND)(view)
    view = bp.response(200, body, content_type=media_type, description=said["description"])(view)
    view = bp.arguments(said["parameters"], location="query", unknown=RAISE)(view)
    bp.add_url_rule(path, view.__name__, view)


PART = N_("The part that the header Range asked for")
BEYOND = N_("The part that the header Range asks for begins behind the end of the file")

for _kind in FORMATS:
    _add(
        f"/tables/<table_id>/download.{_kind}",
        _kind,
        _newest(_kind),
        "download",
        summary=N_("Download a table"),
        description=N_("The file as a stream"),
        parameters=DownloadParameters(),
    )
    _add(
        f"/tables/<table_id>/releases/{RELEASE}/download.{_kind}",
        _kind,
        _release(_kind),
        "downloadRelease",
        summary=N_("Download a release"),
        description=N_(
            "The file, always the same bytes; `Range` goes on where a download broke off"
        ),
        parameters=ReleaseFileParameters(),
    )
