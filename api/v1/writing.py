"""Changing tables with a key: rows in batches or as a file, columns, keys, what is withheld and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Response, g, request
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from api.answers import address, json_answer
from api.v1.description import N_, ref
from api.v1.parameters import Parameters, blueprint, said
from api.v1.tables import condition
from catalog.errors import BadQuery, Invalid
from catalog.models.vocabulary import Access, ColumnAccess, ColumnType
from catalog.schemas.texts import Texts
from catalog.services import releases, table_columns, table_files, table_writes
from catalog.services.table_columns import (
    AddColumn,
    ColumnChange,
    DropColumn,
    RenameColumn,
    RetypeColumn,
)
from catalog.services.table_writes import WriteReport

LONGEST_REASON = 500
TYPES = [type_.value for type_ in ColumnType]
METHODS: Mapping[str, Callable[..., WriteReport]] = {
    "insert": table_writes.insert,
    "upsert": table_writes.upsert,
    "update": table_writes.update,
}

bp = blueprint("tables", "writing")


def _reason() -> fields.String:
    return fields.String(
        load_default="",
        validate=validate.Length(max=LONGEST_REASON),
        metadata=said(N_("Why; shown with the release"), "Corrections of March"),
    )


def _records() -> fields.Field[Any]:
    return fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        validate=validate.Length(max=table_writes.MOST_RECORDS),
        metadata=said(N_("Objects by name of column; a column left out holds nothing, or stays")),
    )


class RowsBody(Schema):
    """Records, and what to do with them."""

    records = _records()
    method = fields.String(
        load_default="upsert",
        validate=validate.OneOf(tuple(METHODS)),
        metadata=said(
            N_(
                "`insert` adds rows, `update` changes those that have the keys of the records, `upsert` does either"
            )
        ),
    )
    reason = _reason()


class KeysBody(Schema):
    """Keys of rows, or a condition."""

    keys = fields.List(
        fields.Dict(keys=fields.String()),
        load_default=None,
        validate=validate.Length(max=table_writes.MOST_RECORDS),
        metadata=said(N_("Objects that name the columns of the key")),
    )
    where = fields.String(
        load_default="",
        metadata=said(N_("A condition as for reading rows; all rows that satisfy it are deleted")),
    )
    all = fields.Boolean(load_default=False, metadata=said(N_("Delete all rows")))
    reason = _reason()

    @validates_schema
    def one_of_them(self, data: Mapping[str, Any], **_: Any) -> None:
        """What is deleted is said, and only once."""
        if (data["keys"] is not None) + bool(data["where"].strip()) + data["all"] != 1:
            raise ValidationError(N_("Say what to delete: keys, where, or all."))


class NewColumn(Schema):
    """A column of a new table."""

    name = fields.String(required=True, metadata=said(N_("Published name")))
    type = fields.String(
        load_default="string",
        validate=validate.OneOf(TYPES),
        metadata=said(N_("Type of the values, by its name in Table Schema")),
    )


class TableBody(Schema):
    """A new table."""

    resource = fields.String(required=True, metadata=said(N_("Id of the resource it belongs to")))
    key = fields.String(
        load_default="data",
        validate=validate.Length(1, 300),
        metadata=said(N_("Its name inside the resource")),
    )
    columns = fields.List(
        fields.Nested(NewColumn, unknown=RAISE),
        required=True,
        validate=validate.Length(1, table_columns.MOST_COLUMNS),
        metadata=said(N_("Columns in order")),
    )
    primary_key = fields.List(
        fields.String(),
        load_default=list,
        metadata=said(N_("Columns that tell rows apart")),
    )
    reason = _reason()


class ChangeOfColumn(Schema):
    """One change of the columns."""

    add = fields.String(metadata=said(N_("Name of a column to add; `type` says its type")))
    drop = fields.String(metadata=said(N_("Name of a column to drop")))
    rename = fields.String(metadata=said(N_("Name of a column to call otherwise; `to` says how")))
    retype = fields.String(metadata=said(N_("Name of a column that gets another `type`")))
    to = fields.String(metadata=said(N_("The other name")))
    type = fields.String(validate=validate.OneOf(TYPES), metadata=said(N_("The type")))

    @validates_schema
    def whole(self, data: Mapping[str, Any], **_: Any) -> None:
        """One thing is asked for, with what it needs."""
        asked = [name for name in ("add", "drop", "rename", "retype") if name in data]
        needs = {"add": {"type"}, "drop": set(), "rename": {"to"}, "retype": {"type"}}
        if len(asked) != 1 or set(data) - {asked[0]} != needs[asked[0]]:
            raise ValidationError(
                N_("Say one of add with type, drop, rename with to, retype with type.")
            )


class WithheldColumn(Schema):
    """What the public sees of a column."""

    column = fields.String(required=True, metadata=said(N_("Name of the column")))
    access = fields.String(
        required=True,
        validate=validate.OneOf([access.value for access in ColumnAccess]),
        metadata=said(N_("`open`, `masked` (values are shown in part) or `hidden`")),
    )
    first = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, 20),
        metadata=said(N_("Characters at the beginning that a mask leaves")),
    )
    last = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, 20),
        metadata=said(N_("Characters at the end that a mask leaves")),
    )
    withheld_as = fields.String(
        load_default=Access.CLOSED.value,
        validate=validate.OneOf([Access.ON_APPLICATION.value, Access.CLOSED.value]),
        metadata=said(N_("Of a masked or hidden column: whether it is given on application")),
    )
    reason = Texts(
        2000,
        load_default=dict,
        metadata=said(
            N_("The legal reason, by language; it stands in the list of what is not open")
        ),
    )


class Retention(Schema):
    """Which releases are kept."""

    keep = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, 1_000_000),
        metadata=said(N_("So many of the newest; 0 does not count")),
    )
    days = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, 100_000),
        metadata=said(N_("Those younger than so many days; 0 does not count")),
    )


class Pin(Schema):
    """A release that outlives the policy."""

    release = fields.Integer(
        required=True, strict=True, validate=validate.Range(1), metadata=said(N_("Its number"))
    )
    pinned = fields.Boolean(load_default=True, metadata=said(N_("Whether it is kept")))


class ShapeBody(Schema):
    """What is to change of a table besides its rows; each part may be left out."""

    columns = fields.List(
        fields.Nested(ChangeOfColumn, unknown=RAISE),
        load_default=list,
        validate=validate.Length(max=table_columns.MOST_COLUMNS),
        metadata=said(
            N_("Changes of the columns, one after the other; together they are one release")
        ),
    )
    primary_key = fields.List(
        fields.String(),
        load_default=None,
        metadata=said(N_("Columns that tell rows apart; an empty list for none")),
    )
    access = fields.List(
        fields.Nested(WithheldColumn, unknown=RAISE),
        load_default=list,
        metadata=said(N_("Columns that are opened, masked or hidden, in all releases")),
    )
    retention = fields.Nested(
        Retention, unknown=RAISE, load_default=None, metadata=said(N_("Which releases are kept"))
    )
    pins = fields.List(
        fields.Nested(Pin, unknown=RAISE),
        load_default=list,
        metadata=said(N_("Releases that are kept whatever the policy says")),
    )
    reason = _reason()


class FileParameters(Parameters):
    """A file that takes the place of all rows."""

    name = fields.String(
        load_default="data.csv",
        validate=validate.Regexp(r"[^\x00-\x1f\x7f]{1,80}\Z"),
        metadata=said(N_("Name of the file; what is in it decides how it is read")),
    )
    other_columns = fields.Boolean(
        load_default=False,
        metadata=said(N_("Whether the file may have other columns than the table has now")),
    )
    reason = _reason()


@bp.route("/tables", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(TableBody(), location="json", unknown=RAISE)
@bp.response(200, ref("Written"), description=N_("The table"))
@bp.doc(summary=N_("Make a table"), operationId="makeTable", tags=["writing"])
def make(parameters: Mapping[str, Any], body: Mapping[str, Any]) -> Response:  # noqa: ARG001 # the language was taken already
    """A table of a resource, with its columns and without rows."""
    columns = [(column["name"], ColumnType(column["type"])) for column in body["columns"]]
    table = table_columns.create(
        g.identity,
        body["resource"],
        columns,
        key=body["key"],
        primary_key=body["primary_key"],
        reason=body["reason"],
    )
    return _written(table.id, WriteReport(table.release, 0))


@bp.route("/tables/<table_id>/rows", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(RowsBody(), location="json", unknown=RAISE)
@bp.response(200, ref("Written"), description=N_("What was written"))
@bp.doc(summary=N_("Write rows"), operationId="writeRows", tags=["writing"])
def write(
    parameters: Mapping[str, Any],  # noqa: ARG001 # the language was taken already
    body: Mapping[str, Any],
    table_id: str,
) -> Response:
    """Insert, update or upsert records as one release; they are read by the next call."""
    method = METHODS[body["method"]]
    report = method(g.identity, table_id, body["records"], reason=body["reason"])
    return _written(table_id, report)


@bp.route("/tables/<table_id>/rows/delete", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(KeysBody(), location="json", unknown=RAISE)
@bp.response(200, ref("Written"), description=N_("What was deleted"))
@bp.doc(summary=N_("Delete rows"), operationId="deleteRows", tags=["writing"])
def delete(
    parameters: Mapping[str, Any],  # noqa: ARG001 # the language was taken already
    body: Mapping[str, Any],
    table_id: str,
) -> Response:
    """Delete the rows with these keys, or that satisfy a condition; older releases still have them."""
    report = table_writes.delete(
        g.identity,
        table_id,
        where=condition(table_id, body["where"]),
        keys=body["keys"],
        reason=body["reason"],
    )
    return _written(table_id, report)


@bp.route("/tables/<table_id>/rows", methods=["PUT"])
@bp.arguments(FileParameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Written"), description=N_("What was written"))
@bp.doc(
    summary=N_("Replace all rows by a file"),
    operationId="replaceRows",
    tags=["writing"],
    requestBody={
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
)
def replace(parameters: Mapping[str, Any], table_id: str) -> Response:
    """Read the file that is sent as the body, and make its rows those of the table, as one release."""
    body = request.get_data(cache=False)
    if not body:
        raise BadQuery("send the file as the body of the request")
    name = Path(parameters["name"].replace("\\", "/")).name or "data.csv"
    report = table_files.replace(
        g.identity,
        table_id,
        name,
        body,
        reason=parameters["reason"] or name,
        other_columns=parameters["other_columns"],
    )
    return _written(table_id, report)


@bp.route("/tables/<table_id>", methods=["PATCH"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(ShapeBody(), location="json", unknown=RAISE)
@bp.response(200, ref("Written"), description=N_("The table's newest release"))
@bp.doc(summary=N_("Change a table"), operationId="changeTable", tags=["writing"])
def change(
    parameters: Mapping[str, Any],  # noqa: ARG001 # the language was taken already
    body: Mapping[str, Any],
    table_id: str,
) -> Response:
    """Change columns, key, access of columns, retention and pins; rows are not reloaded."""
    who = g.identity
    changes = [_change(one) for one in body["columns"]]
    withheld = [one["column"] for one in body["access"]]
    table_columns.check(who, table_id, changes, body["primary_key"], withheld)
    for one in body["pins"]:
        releases.show(who, table_id, one["release"])
    if changes:
        table_columns.change_columns(who, table_id, changes, reason=body["reason"])
    if body["primary_key"] is not None:
        table_columns.set_key(who, table_id, body["primary_key"])
    for one in body["access"]:
        mask = {"first": one["first"], "last": one["last"]}
        table_columns.set_access(
            who,
            table_id,
            one["column"],
            ColumnAccess(one["access"]),
            mask,
            withheld_as=Access(one["withheld_as"]),
            reason=one["reason"],
        )
    if body["retention"] is not None:
        releases.set_retention(who, table_id, **body["retention"])
    for one in body["pins"]:
        releases.pin(who, table_id, one["release"], pinned=one["pinned"])
    table = table_writes.own(who, table_id)
    return _written(table_id, WriteReport(table.release, table.rows))


@bp.route("/tables/<table_id>", methods=["DELETE"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Written"), description=N_("The table is gone"))
@bp.doc(summary=N_("Drop a table"), operationId="dropTable", tags=["writing"])
def drop(parameters: Mapping[str, Any], table_id: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Remove a table with all of its releases."""
    table = table_writes.own(g.identity, table_id)
    report = WriteReport(table.release, 0, deleted=table.rows)
    table_columns.drop(g.identity, table_id)
    return _written(table_id, report)


def _change(asked: Mapping[str, str]) -> ColumnChange:
    match asked:
        case {"add": name, "type": type_}:
            return AddColumn(name, ColumnType(type_))
        case {"drop": name}:
            return DropColumn(name)
        case {"rename": name, "to": to}:
            return RenameColumn(name, to)
        case {"retype": name, "type": type_}:
            return RetypeColumn(name, ColumnType(type_))
    raise Invalid("Say one of add with type, drop, rename with to, retype with type.")


def _written(table_id: str, report: WriteReport) -> Response:
    return json_answer(
        {
            "table": table_id,
            "release": report.release,
            "rows": report.rows,
            "inserted": report.inserted,
            "updated": report.updated,
            "deleted": report.deleted,
            "kept_cells": report.kept_cells,
            "url": address(f"/api/v1/tables/{table_id}"),
        }
    )
