"""Queries as JSON: whatever can be asked of a table, in one body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from api.v1.description import N_, ref
from api.v1.names import measures_in, orders_in
from api.v1.parameters import (
    CURSOR,
    LIMIT,
    Parameters,
    as_of,
    blueprint,
    check_limit,
    crs,
    limit,
    row_format,
    said,
)
from api.v1.tables import AS_FILES, answered
from catalog.schemas.condition import read_condition
from catalog.services import tables
from catalog.tabular.query import Aggregate, Join, JoinKind, Measure, Order, TableQuery

MOST_NAMES = 500
LONGEST_NAME = 1_000

bp = blueprint("tables", "queries")


class JoinBody(Schema):
    """Another table beside this one."""

    table = fields.String(
        required=True,
        validate=validate.Length(1, 100),
        metadata=said(N_("Id of the other table")),
    )
    on = fields.List(
        fields.List(fields.String(), validate=validate.Length(equal=2)),
        required=True,
        validate=validate.Length(1, 10),
        metadata=said(
            N_(
                "Pairs of a column of this table and one of the other; those of the other are its declared key"
            )
        ),
    )
    kind = fields.String(
        load_default="inner",
        validate=validate.OneOf([kind.value for kind in JoinKind]),
        metadata=said(N_("Whether rows without a match are left out, or kept with nulls")),
    )
    name = fields.String(
        load_default="other",
        validate=validate.Length(1, 60),
        metadata=said(N_("Columns of the other table are called name.column")),
    )
    as_of = as_of(
        N_(
            "The release of the other table: its number, a day or a moment; without it the newest one at the time "
            "that `as_of` of the query means (of a release the moment when it was made), or the newest of all"
        ),
        json=True,
    )


def a_condition(value: object) -> None:
    """Refuse what is neither a text nor an object; what it means is found out with the table at hand."""
    if not isinstance(value, str | dict):
        raise ValidationError(N_("A condition is a text or an object."))


def an_order(value: object) -> None:
    """Refuse what names no column."""
    known = {"column", "descending", "nulls_first"}
    if isinstance(value, str):
        return
    if not isinstance(value, dict) or value.keys() - known or not _named(value, "column"):
        raise ValidationError(N_("Write a name, -name, or {column, descending, nulls_first}."))
    if not all(isinstance(value.get(flag, False), bool) for flag in known - {"column"}):
        raise ValidationError(N_("Write a name, -name, or {column, descending, nulls_first}."))


def a_measure(value: object) -> None:
    """Refuse what is no aggregate of a column."""
    if isinstance(value, str):
        return
    if not isinstance(value, dict) or value.keys() - {"aggregate", "column", "name"}:
        raise ValidationError(N_("Write sum(column) as name, or {aggregate, column, name}."))
    known = [aggregate.value for aggregate in Aggregate]
    if not _named(value, "column") or value.get("aggregate") not in known:
        raise ValidationError(N_("Write sum(column) as name, or {aggregate, column, name}."))
    if not isinstance(value.get("name", ""), str):
        raise ValidationError(N_("Write sum(column) as name, or {aggregate, column, name}."))


def _named(value: Mapping[str, object], key: str) -> bool:
    name = value.get(key)
    return isinstance(name, str) and len(name) <= LONGEST_NAME


def _names(words: str) -> fields.List[Any]:
    return fields.List(
        fields.String(validate=validate.Length(max=LONGEST_NAME)),
        load_default=list,
        validate=validate.Length(max=MOST_NAMES),
        metadata=said(words),
    )


def _condition(words: str, example: object) -> fields.Raw:
    return fields.Raw(
        load_default=None,
        allow_none=True,
        validate=a_condition,
        metadata=said(words, example, type=["string", "object", "null"]),
    )


class QueryBody(Schema):
    """A question."""

    select = _names(N_("Columns to return; all without it"))
    where = _condition(
        N_(
            "Which rows: a text as the parameter `where` takes it, or an object: {column, op, value}, {and: […]}, "
            "{or: […]}, {not: …}, {words: …}, {near: {columns, latitude, longitude, km}}, {box: {columns, south, west, "
            "north, east}}; `columns` are those of latitude and longitude, or one of geometries. Words for op: =, !=, <, <=, >, >=, in, null, contains, icontains, starts, ends."
        ),
        {"and": [{"column": "station", "op": "in", "value": ["Dongsi"]}, '"PM2.5" > 300']},
    )
    order_by = fields.List(
        fields.Raw(validate=an_order),
        load_default=list,
        validate=validate.Length(max=20),
        metadata=said(
            N_("What to sort by: names, -names, or objects of column, descending and nulls_first")
        ),
    )
    limit = limit(100, LIMIT, strict=True)
    offset = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, 2**53),
        metadata=said(N_("Rows to pass over; to walk through a table send `cursor` instead")),
    )
    cursor = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(
            CURSOR, error=N_("Take the cursor from `cursor` of the page before.")
        ),
        metadata=said(N_("Where the page starts; taken from `cursor` of the page before")),
    )
    count = fields.Boolean(
        load_default=False,
        metadata=said(N_("Also count all rows, groups or distinct rows exactly")),
    )
    distinct = fields.Boolean(
        load_default=False, metadata=said(N_("Each combination of the selected values once"))
    )
    group_by = _names(N_("Columns to group by"))
    measures = fields.List(
        fields.Raw(validate=a_measure),
        load_default=list,
        validate=validate.Length(max=100),
        metadata=said(
            N_("What to compute for each group: texts such as avg(price) as mean, or objects")
        ),
    )
    having = _condition(
        N_("Which groups: a condition on names of the result"),
        {"column": "count", "op": ">", "value": 100},
    )
    join = fields.Nested(
        JoinBody(unknown=RAISE),
        load_default=None,
        allow_none=True,
        metadata=said(N_("Another table whose columns stand beside those of this one")),
    )
    as_of = as_of(json=True)
    crs = crs()
    format = row_format()

    @validates_schema
    def not_too_long(self, data: Mapping[str, Any], **_: Any) -> None:
        """A file may be longer than JSON."""
        check_limit(data)


@bp.route("/tables/<table_id>/query", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(QueryBody(), location="json", unknown=RAISE)
@bp.response(200, ref("Rows"), description=N_("One page of rows, groups or distinct rows"))
@bp.doc(
    summary=N_("Ask a table"),
    operationId="queryTable",
    tags=["tables"],
    responses={200: {"content": AS_FILES}},
)
def query(parameters: Mapping[str, Any], body: Mapping[str, Any], table_id: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Rows, groups, distinct rows or rows of two tables; send `cursor` back for the next page."""
    asked = _query(table_id, body)
    return answered(table_id, asked, body)


def _query(table_id: str, body: Mapping[str, Any]) -> TableQuery:
    join = _join(body["join"])
    known = tables.columns(g.identity, table_id, join, as_of=body["as_of"])
    bare = [column.name for column in known]
    measures = tuple(_measure(given) for given in body["measures"])
    if (body["group_by"] or body["having"]) and not measures:
        measures = measures_in("count(*)")
    return TableQuery(
        select=tuple(body["select"]),
        where=None if not body["where"] else read_condition(body["where"], bare),
        order_by=tuple(_order(given) for given in body["order_by"]),
        limit=body["limit"],
        offset=body["offset"],
        group_by=tuple(body["group_by"]),
        measures=measures,
        having=None if not body["having"] else read_condition(body["having"]),
        distinct=body["distinct"],
        join=join,
    )


def _join(given: Mapping[str, Any] | None) -> Join | None:
    if given is None:
        return None
    pairs = tuple((mine, other) for mine, other in given["on"])
    return Join(given["table"], pairs, JoinKind(given["kind"]), given["name"], given["as_of"])


def _order(given: str | Mapping[str, Any]) -> Order:
    if isinstance(given, str):
        found = orders_in(given)
        return found[0] if len(found) == 1 else Order(given)
    return Order(
        given["column"],
        descending=given.get("descending", False),
        nulls_first=given.get("nulls_first", False),
    )


def _measure(given: str | Mapping[str, Any]) -> Measure:
    if isinstance(given, str):
        found = measures_in(given)
        return found[0] if len(found) == 1 else Measure(Aggregate.COUNT, given, given)
    aggregate, column = Aggregate(given["aggregate"]), given["column"]
    name = given.get("name") or (
        aggregate.value if column == "*" else f"{aggregate.value}_{column}"
    )
    return Measure(aggregate, column, name)
