"""What is said of a table's columns, and which of its cells do not agree with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g
from flask_babel import gettext
from marshmallow import RAISE, fields, validate

from api.answers import json_answer, this_call
from api.files import disposition
from api.v1.description import ANYTHING, N_, many, maybe, number, record, text
from api.v1.parameters import Parameters, as_of, blueprint, said, yes_no
from catalog.schemas.release import release_schema_json
from catalog.schemas.table_schema import schema_json
from catalog.services import releases, table_cells, tables, usage

bp = blueprint("tables", "table_dictionary")

SCHEMA = record(
    N_("A Frictionless Table Schema of the published rows"),
    ("primaryKey", "$schema"),
    fields=many(
        {
            **ANYTHING,
            "description": N_(
                "Name, type, format, constraints, title and description of a column; `semantic` names a standard that "
                "its values follow, `source` says how the source writes them"
            ),
        }
    ),
    missingValues=many(text()),
    primaryKey=many(text(), N_("Columns that tell rows apart")),
    **{"$schema": text()},
)
CELLS = record(
    N_("One page of cells that do not agree with what is declared of their column"),
    table=text(),
    release=number(),
    cells=many(
        record(
            "",
            row=number(N_("Number of the row, from 1, as in `changes` and in CKAN's `_id`")),
            column=text(),
            value=text(N_("The cell as the source has it")),
            reason=text(N_("Why it is listed, in a word that does not change")),
            sentence=text(N_("Why it is listed, in your language")),
            until=maybe(
                number(N_("The last year in which a code was listed that is gone; else null"))
            ),
        )
    ),
    counts=many(
        record("", column=text(), reason=text(), sentence=text(), count=number()),
        N_("How many cells of each column are listed, by reason"),
    ),
    total=number(),
    offset=number(),
    limit=number(),
    next=maybe(text(N_("Address of the next page"))),
)


class CellsFileParameters(Parameters):
    """The whole report."""

    notations = yes_no(
        N_("Also list cells whose value is right but which the source writes in another way")
    )
    as_of = as_of()


class CellsParameters(CellsFileParameters):
    """A page of the report."""

    limit = fields.Integer(
        load_default=100,
        validate=validate.Range(0, table_cells.MOST),
        metadata=said(N_("Cells on a page, at most 1,000")),
    )
    offset = fields.Integer(
        load_default=0,
        validate=validate.Range(0, table_cells.DEEPEST),
        metadata=said(N_("Cells to pass over")),
    )


class SchemaParameters(Parameters):
    """A data dictionary."""

    as_of = as_of()


@bp.route("/tables/<table_id>/schema")
@bp.arguments(SchemaParameters(), location="query", unknown=RAISE)
@bp.response(200, SCHEMA, description=N_("The data dictionary"))
@bp.doc(summary=N_("Read the data dictionary"), operationId="readSchema", tags=["tables"])
def schema(asked: Mapping[str, Any], table_id: str) -> Response:
    """The table's columns as a Frictionless Table Schema."""
    table = tables.show(g.identity, table_id)
    if asked["as_of"]:
        number = tables.release_as_of(g.identity, table_id, asked["as_of"])
        release = releases.show(g.identity, table_id, number)
        return json_answer(release_schema_json(table, release, release.columns, g.lang))
    return json_answer(schema_json(table, g.lang), modified=table.updated_at)


@bp.route("/tables/<table_id>/cells")
@bp.arguments(CellsParameters(), location="query", unknown=RAISE)
@bp.response(200, CELLS, description=N_("One page of cells"))
@bp.doc(summary=N_("List cells that do not fit"), operationId="listCells", tags=["tables"])
def cells(asked: Mapping[str, Any], table_id: str) -> Response:
    """Cells that do not agree with what is declared of their column, in the order of rows."""
    page = table_cells.page(
        g.identity,
        table_id,
        limit=asked["limit"],
        offset=asked["offset"],
        notations=asked["notations"],
        as_of=asked["as_of"],
    )
    usage.count(page.table.resource.dataset_id, "call")
    end = page.offset + len(page.cells)
    body = {
        "table": page.table.id,
        "release": page.release,
        "cells": [
            {
                "row": cell.row,
                "column": cell.column,
                "value": cell.value,
                "reason": cell.reason,
                "sentence": gettext(cell.sentence),
                "until": cell.until,
            }
            for cell in page.cells
        ],
        "counts": [
            {
                "column": one.column,
                "reason": one.reason,
                "sentence": gettext(one.sentence),
                "count": one.count,
            }
            for one in page.counts
        ],
        "total": page.total,
        "offset": page.offset,
        "limit": page.limit,
        "next": this_call(offset=str(end)) if page.cells and end < page.total else None,
    }
    return json_answer(body)


@bp.route("/tables/<table_id>/cells.csv")
@bp.arguments(CellsFileParameters(), location="query", unknown=RAISE)
@bp.response(
    200, text(format="binary"), content_type="text/csv", description=N_("The file as a stream")
)
@bp.doc(
    summary=N_("Download the cells that do not fit"), operationId="downloadCells", tags=["tables"]
)
def cells_file(asked: Mapping[str, Any], table_id: str) -> Response:
    """The whole report as CSV."""
    chunks = table_cells.export(
        g.identity, table_id, notations=asked["notations"], as_of=asked["as_of"]
    )
    response = Response(chunks, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = disposition(f"{table_id}-cells.csv")
    return response
