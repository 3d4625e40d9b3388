"""SQL: one SELECT over readable tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g, request
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from api.answers import json_answer
from api.rows import rows_json
from api.v1.description import N_, ref, text
from api.v1.parameters import Parameters, as_of, blueprint, said
from catalog.services import sql, usage
from catalog.services.attempts import address_block

LONGEST = 50_000
MOST_VALUES = 1_000
FORMATS = sql.FORMATS
TRUNCATED = "Weft-Truncated"
"""Header of answers that are files: whether rows are missing at the end."""

bp = blueprint("tables", "sql")


def a_value(value: object) -> None:
    """Refuse what cannot stand for a `?`."""
    if not isinstance(value, str | int | float | bool | None):
        raise ValidationError(N_("A value is a text, a number, true, false or null."))


class SqlBody(Schema):
    """A statement and how to answer it."""

    sql = fields.String(
        required=True,
        validate=validate.Length(1, LONGEST),
        metadata=said(
            N_(
                "One SELECT statement in DuckDB's SQL, with joins, WITH, UNION and window functions. A table is named "
                "by its id, its alias, the address of its dataset, or dataset.table; names of columns with odd "
                "characters stand in double quotes, texts in single quotes."
            ),
            'SELECT count(*) AS n FROM "air-quality"',
        ),
    )
    params = fields.List(
        fields.Raw(allow_none=True, validate=a_value),
        load_default=list,
        validate=validate.Length(max=MOST_VALUES),
        metadata=said(N_("Values for the ? of the statement, in order")),
    )
    format = fields.String(
        load_default="objects",
        validate=validate.OneOf(("objects", "arrays", *FORMATS)),
        metadata=said(
            N_("Rows as JSON objects by column name or as lists of values, or the answer as a file")
        ),
    )
    limit = fields.Integer(
        load_default=1_000,
        strict=True,
        validate=validate.Range(1, 1_000_000),
        metadata=said(
            N_(
                "Most rows to return; the portal has a limit of its own, and `truncated` says if rows are missing"
            )
        ),
    )
    as_of = as_of(
        N_(
            "Read all tables as they were: the number of a release, a day or a moment. For one table write "
            "AT (VERSION => 3) or AT (TIMESTAMP => '2026-01-31') after its name."
        ),
        json=True,
    )


@bp.route("/sql", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(SqlBody(), location="json", unknown=RAISE)
@bp.response(200, ref("SqlAnswer"), description=N_("The rows"))
@bp.doc(
    summary=N_("Ask in SQL"),
    operationId="runSql",
    tags=["tables"],
    responses={
        200: {"content": {media: {"schema": text(format="binary")} for media in FORMATS.values()}}
    },
)
def run(parameters: Mapping[str, Any], body: Mapping[str, Any]) -> Response:  # noqa: ARG001 # the language was taken already
    """One SELECT over tables that you may read, run in a process of its own that reaches nothing else."""
    answer = sql.run(
        g.identity,
        body["sql"],
        body["params"],
        limit=body["limit"],
        as_of=body["as_of"],
        caller=address_block(request.remote_addr),
    )
    for dataset_id in {table.dataset_id for table in answer.tables}:
        usage.count(dataset_id, "call")
    if body["format"] in FORMATS:
        return _file(answer, body["format"])
    return json_answer(
        {
            "fields": [{"name": column.name, "type": column.type} for column in answer.columns],
            "rows": rows_json(answer.data, answer.columns, arrays=body["format"] == "arrays"),
            "truncated": answer.truncated,
            "scanned": answer.scanned,
            "tables": [
                {"name": table.name, "table": table.id, "release": table.release}
                for table in answer.tables
            ],
            "milliseconds": answer.milliseconds,
        }
    )


def _file(answer: sql.SqlAnswer, kind: str) -> Response:
    response = Response(sql.stream(answer, kind), content_type=FORMATS[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="answer.{kind}"'
    response.headers[TRUNCATED] = "true" if answer.truncated else "false"
    return response
