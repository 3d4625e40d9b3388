"""Tables: what they are, their rows, counts and groups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from flask import Response, g, request
from marshmallow import RAISE

from api.answers import (
    address,
    dated,
    is_conditional,
    json_answer,
    tag_of,
    this_call,
    unchanged,
)
from api.page_files import page_file
from api.rows import rows_json
from api.v1.description import N_, ref, text
from api.v1.names import box_in, measures_in, names_in, near_in, orders_in
from api.v1.parameters import (
    FILES,
    MOST_JSON,
    GroupParameters,
    NarrowingParameters,
    Parameters,
    RowsParameters,
    blueprint,
)
from catalog.schemas.dataset import moment_json, table_json
from catalog.schemas.texts import chosen
from catalog.services import tables, usage
from catalog.tabular.column import Column
from catalog.tabular.filters import all_of
from catalog.tabular.query import Condition, TableQuery, Words
from catalog.tabular.where import parse_where

if TYPE_CHECKING:
    from catalog.models.table import DataTable

AS_FILES = {media: {"schema": text(format="binary")} for media in FILES.values()}
"""What OpenAPI says of pages that are files."""

bp = blueprint("tables")


@bp.route("/tables/<table_id>")
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Table"), description=N_("The table"))
@bp.doc(summary=N_("Show a table"), operationId="showTable", tags=["tables"])
def show(parameters: Mapping[str, Any], table_id: str) -> Response:  # noqa: ARG001 # the language was taken already
    """The table with its columns and their profiles."""
    table = tables.show(g.identity, table_id)
    body = table_json(table, g.lang, hidden=True)
    for described, column in zip(body["columns"], table.columns, strict=True):
        described["profile"] = column.profile
    dataset = table.resource.dataset
    body["dataset"] = {
        "slug": dataset.slug,
        "title": chosen(dataset.title, g.lang),
        "url": address(f"/api/v1/datasets/{dataset.slug}"),
    }
    here = f"/api/v1/tables/{table.id}"
    downloads = {
        kind: address(f"{here}/download.{kind}")
        for kind in ("csv", "json", "jsonl", "parquet", "xlsx")
    }
    calls = {name: address(f"{here}/{name}") for name in ("rows", "query", "count", "group")}
    return json_answer({**body, "links": {**calls, "downloads": downloads}})


@bp.route("/tables/<table_id>/rows")
@bp.arguments(RowsParameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Rows"), description=N_("One page of rows"))
@bp.doc(
    summary=N_("Read rows"),
    operationId="readRows",
    tags=["tables"],
    responses={200: {"content": AS_FILES}},
)
def rows(asked: Mapping[str, Any], table_id: str) -> Response:
    """One page of rows; `next` leads on, in the same release."""
    same = _unchanged(table_id)
    if same is not None:
        return same
    query = TableQuery(
        select=names_in(asked["select"]),
        where=narrowing(table_id, asked),
        order_by=orders_in(asked["order_by"]),
        limit=asked["limit"],
        offset=asked["offset"],
        distinct=asked["distinct"],
    )
    return answered(table_id, query, asked)


@bp.route("/tables/<table_id>/count")
@bp.arguments(NarrowingParameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Count"), description=N_("The number of rows"))
@bp.doc(summary=N_("Count rows"), operationId="countRows", tags=["tables"])
def count(asked: Mapping[str, Any], table_id: str) -> Response:
    """How many rows satisfy `where`."""
    table = tables.show(g.identity, table_id)
    tag = tag_of(table.id, table.release)
    same = unchanged(tag=tag, modified=table.loaded_at) if is_conditional() else None
    if same is not None:
        return same
    where, as_of = narrowing(table_id, asked), asked["as_of"]
    release = tables.release_as_of(g.identity, table_id, as_of)
    found = tables.count(g.identity, table_id, where, as_of=as_of)
    body = {"table": table.id, "release": release, "count": found}
    return json_answer(body, tag=tag, modified=table.loaded_at)


@bp.route("/tables/<table_id>/group")
@bp.arguments(GroupParameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Rows"), description=N_("One row for each group"))
@bp.doc(
    summary=N_("Group rows"),
    operationId="groupRows",
    tags=["tables"],
    responses={200: {"content": AS_FILES}},
)
def group(asked: Mapping[str, Any], table_id: str) -> Response:
    """What is computed for each group, such as the mean by station."""
    same = _unchanged(table_id)
    if same is not None:
        return same
    query = TableQuery(
        where=narrowing(table_id, asked),
        order_by=orders_in(asked["order_by"]),
        limit=asked["limit"],
        offset=asked["offset"],
        group_by=names_in(asked["group_by"]),
        measures=measures_in(asked["measures"] or "count(*)"),
        having=parse_where(asked["having"]) if asked["having"].strip() else None,
    )
    return answered(table_id, query, asked)


def condition(table_id: str, where: str) -> Condition | None:
    """The condition that the text means; raises BadQuery with what is wrong and where.

    The columns of the newest release say which names with dots may stand without quotes.
    """
    if not where or where.isspace():
        return None
    columns = tables.show(g.identity, table_id).columns
    return parse_where(where, bare=[column.name for column in columns])


def narrowing(table_id: str, asked: Mapping[str, Any]) -> Condition | None:
    """What `where`, `q`, `near` and `box` mean together."""
    where = condition(table_id, asked["where"])
    parts: list[Condition] = [] if where is None else [where]
    if asked["q"].strip():
        parts.append(Words(asked["q"]))
    if asked["near"].strip():
        parts.append(near_in(asked["near"]))
    if asked["box"].strip():
        parts.append(box_in(asked["box"]))
    return all_of(parts)


def _unchanged(table_id: str) -> Response | None:
    """304 if the caller's copy is current; asked before anything is read."""
    if not is_conditional():
        return None
    table = tables.show(g.identity, table_id)
    return unchanged(tag=tag_of(table.id, table.release), modified=table.loaded_at)


def answered(table_id: str, query: TableQuery, asked: Mapping[str, Any]) -> Response:
    """What the query gives, in the release, datum and format that are asked for."""
    where = {
        "cursor": asked["cursor"],
        "as_of": asked["as_of"],
        "crs": asked.get("crs"),
    }
    if query.limit > MOST_JSON:
        found = tables.stream(g.identity, table_id, query, **where)
        usage.count(found.table.resource.dataset_id, "call")
        return _as_file(found, asked)
    page = tables.ask(g.identity, table_id, query, total=asked["count"], **where)
    usage.count(page.table.resource.dataset_id, "call")
    return _paged(page, asked)


def _paged(page: tables.RowPage, asked: Mapping[str, Any]) -> Response:
    """The page as JSON or as a file; who asked by address is told the address of the next page."""
    if asked["format"] in FILES:
        return _as_file(page, asked)
    table, onward = page.table, _onward(page)
    body = {
        "table": table.id,
        "release": page.release or table.release,
        "modified": moment_json(table.loaded_at),
        "fields": _fields(table, page.columns, g.lang),
        "rows": rows_json(page.data, page.columns, arrays=asked["format"] == "arrays"),
        "offset": page.offset,
        "limit": asked["limit"],
        "total": page.total,
        "next": onward,
        "cursor": page.next_cursor,
    }
    if asked.get("crs"):
        body["crs"] = asked["crs"]
    response = json_answer(body, tag=_tag(table), modified=table.loaded_at)
    return _linked(response, onward)


def _as_file(page: tables.RowPage | tables.RowStream, asked: Mapping[str, Any]) -> Response:
    table = page.table
    response = dated(page_file(page, asked["format"]), tag=_tag(table), modified=table.loaded_at)
    if asked.get("crs"):
        response.headers["Weft-CRS"] = asked["crs"]
    return _linked(response, _onward(page))


def _tag(table: DataTable) -> str:
    return "" if request.method == "POST" else tag_of(table.id, table.release)


def _onward(page: tables.RowPage | tables.RowStream) -> str | None:
    """The address of the next page, for who asked by address."""
    if not page.next_cursor or request.method == "POST":
        return None
    return this_call("offset", cursor=page.next_cursor)


def _linked(response: Response, onward: str | None) -> Response:
    if onward:
        response.headers["Link"] = f'<{onward}>; rel="next"'
    return response


@lru_cache(maxsize=256)
def _fields(table: DataTable, columns: tuple[Column, ...], language: str) -> orjson.Fragment:
    """The columns as JSON, kept: a table that was changed is another object."""
    labels = {column.name: column.label for column in table.columns}
    described = [
        {
            "name": column.name,
            "type": column.type,
            "label": chosen(labels.get(column.name, {}), language),
        }
        for column in columns
    ]
    return orjson.Fragment(orjson.dumps(described))
