"""Departments' programs that send records and rows by themselves, with a key, in batches that count once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Response, g
from flask_babel import gettext
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from api.answers import json_answer
from api.errors import sentences
from api.v1.description import ANYTHING, N_, many, number, record, text
from api.v1.operations import operation
from api.v1.parameters import blueprint, said
from api.v1.writing import NewColumn
from catalog.models.vocabulary import ColumnType
from catalog.services.table_columns import MOST_COLUMNS
from catalog.services.table_writes import MOST_RECORDS
from harvesters import pushing

bp = blueprint("sources", "pushing")
_does = partial(operation, bp, tag="sources")
_REPEATED = {
    "type": "boolean",
    "description": N_("Whether the batch had come before: then nothing was changed"),
}
_PROBLEM = record(
    "",
    ("problems",),
    key=text(N_("Key of the record; empty where it has none")),
    code=text(N_("The kind of problem for machines")),
    detail=text(N_("What is wrong, in your language")),
    problems={**ANYTHING, "description": N_("Sentences by field")},
)
_TAKEN = (
    record(
        N_("What became of a batch of records"),
        batch=text(),
        run=text(N_("Id of the run that shows it on the page of the source")),
        repeated=_REPEATED,
        seen=number(N_("Records in the batch")),
        created=number(),
        changed=number(),
        same=number(),
        refused=number(N_("Records that could not be taken; see problems")),
        retired=number(N_("Datasets that were withdrawn")),
        problems=many(_PROBLEM),
        notes=many(text(), N_("What else is worth knowing")),
    ),
    N_("What became of the batch"),
)
_WRITTEN = (
    record(
        N_("What became of a batch of rows"),
        batch=text(),
        run=text(),
        repeated=_REPEATED,
        record=text(N_("Key of the record")),
        table=text(N_("Id of the table")),
        release=number(N_("The release that shows the rows")),
        rows=number(N_("Rows of the table now")),
        inserted=number(),
        updated=number(),
        deleted=number(),
    ),
    N_("What became of the batch"),
)


def _name(words: str, *, required: bool = False) -> fields.String:
    return fields.String(
        required=required,
        validate=validate.Regexp(r"[^\x00-\x1f\x7f]{1,200}\Z"),
        metadata=said(words),
    )


def _key(words: str, **more: Any) -> fields.String:
    return fields.String(validate=validate.Length(1, 500), metadata=said(words), **more)


def _batch() -> fields.String:
    return _name(
        N_(
            "A name of yours for the batch, such as a number or a UUID; the same batch again changes nothing"
        ),
        required=True,
    )


class SentRecordsBody(Schema):
    """Records, perhaps as a part of a full list."""

    batch = _batch()
    records = fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        validate=validate.Length(max=pushing.MOST_RECORDS),
        metadata=said(
            N_(
                "`{key, dataset}` for a record that is there, in the fields of a dataset; `{key, gone: true}` for one that is to be withdrawn"
            ),
            [{"key": "parks", "dataset": {"title": {"zh": "公园名录", "en": "Parks"}}}],
        ),
    )
    list_ = fields.String(
        data_key="list",
        attribute="list_name",
        load_default="",
        validate=validate.Regexp(r"[^\x00-\x1f\x7f]{0,200}\Z"),
        metadata=said(N_("Name of the full list that the batch is a part of")),
    )
    end = fields.Boolean(
        load_default=False,
        metadata=said(
            N_(
                "The full list ends with this batch: datasets of the source that no batch of the list had are withdrawn, "
                "unless they are more than half of all"
            )
        ),
    )

    @validates_schema
    def list_is_named(self, data: Mapping[str, Any], **_: Any) -> None:
        """Only a list that has a name can end."""
        if data.get("end") and not data.get("list_name"):
            raise ValidationError(N_("Say which list ends."), "list")


class SentRowsBody(Schema):
    """Rows of one table."""

    batch = _batch()
    dataset = _key(N_("Key of the record that the rows belong to"), required=True)
    resource = _key(N_("Key of its resource"), load_default="data")
    table = fields.String(
        load_default="data",
        validate=validate.Length(1, 300),
        metadata=said(N_("Key of the table inside the resource")),
    )
    columns = fields.List(
        fields.Nested(NewColumn, unknown=RAISE),
        load_default=list,
        validate=validate.Length(max=MOST_COLUMNS),
        metadata=said(N_("Columns of a table that is not there yet")),
    )
    primary_key = fields.List(
        fields.String(), load_default=list, metadata=said(N_("Columns that tell rows apart"))
    )
    records = fields.List(
        fields.Dict(keys=fields.String()),
        load_default=list,
        validate=validate.Length(max=MOST_RECORDS),
        metadata=said(N_("Rows that are changed or added, by their key")),
    )
    delete = fields.List(
        fields.Dict(keys=fields.String()),
        load_default=list,
        validate=validate.Length(max=MOST_RECORDS),
        metadata=said(N_("Keys of rows that are deleted")),
    )
    reason = fields.String(
        load_default="",
        validate=validate.Length(max=500),
        metadata=said(N_("Why; shown with the release")),
    )


@_does(
    "/sources/<source>/records", _TAKEN, N_("Send records"), "sendRecords", body=SentRecordsBody()
)
def records(body: Mapping[str, Any], source: str) -> Response:
    """Take a batch of descriptions: each record for itself, so that a wrong one does not stop the others."""
    batch = pushing.Batch(body["batch"], body["records"], body["list_name"], body["end"])
    return _answered(pushing.take(g.identity, source, batch))


@_does("/sources/<source>/rows", _WRITTEN, N_("Send rows"), "sendRows", body=SentRowsBody())
def rows(body: Mapping[str, Any], source: str) -> Response:
    """Take a batch of rows by their key, all or none of them; the first makes the table."""
    columns = [(column["name"], ColumnType(column["type"])) for column in body["columns"]]
    given = {**body, "columns": columns}
    batch = pushing.RowsBatch(name=given.pop("batch"), **given)
    return _answered(pushing.take_rows(g.identity, source, batch))


@_does(
    "/sources/<source>/batches/<path:batch>",
    (ANYTHING, N_("What became of the batch")),
    N_("Ask what became of a batch"),
    "showBatch",
    method="GET",
)
def shown(source: str, batch: str) -> Response:
    """The answer of before, where the connection broke off; 404 means that it is to be sent again."""
    return _answered(pushing.shown(g.identity, source, batch))


def _answered(answer: Mapping[str, Any]) -> Response:
    """The answer with its sentences in the caller's language."""
    if "problems" not in answer:
        return json_answer(answer)
    problems = [
        {
            "key": one["key"],
            "code": one["code"],
            "detail": _said(one),
            **({"problems": sentences(one["problems"])} if one.get("problems") else {}),
        }
        for one in answer["problems"]
    ]
    return json_answer(
        {**answer, "problems": problems, "notes": [_said(note) for note in answer["notes"]]}
    )


def _said(told: Mapping[str, Any]) -> str:
    sentence = told["message"]
    return str(gettext(sentence, **told["context"]))
