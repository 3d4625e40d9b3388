"""`/datastore/dump/<id>`: a table, or what a question leaves of it, as a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
from flask import Response, g, request

from api.ckan.errors import Refused, message_of
from api.ckan.question import Question, batches
from api.ckan.schemas import DumpSchema
from api.ckan.tables import found
from api.ckan.validators import checked
from api.ckan.writers import MEDIA_TYPES, Writer, writer_of
from catalog.errors import BadQuery, Denied, Gone, NotFound
from catalog.services import usage

MISSING = "DataStore resource not found"


def dump(name: str) -> Response:
    """The file as a stream: csv, tsv, json or xml, in one release from the first row to the last."""
    given = checked(DumpSchema(), _asked())
    try:
        table = found(g.identity, name, sentence=MISSING, as_of=given.pop("as_of", None))
    except Denied as error:  # who may not read it is not told that it is there
        raise NotFound(MISSING) from error
    except (BadQuery, Gone) as error:
        raise Refused({"as_of": [message_of(error)]}) from error
    limit = given.pop("limit", None)
    if limit is not None and limit < 0:
        raise Refused({"limit": ["Must be a natural number"]})
    question = Question.of({**given, "limit": 0}, table.fields)
    form = given["format"] or "csv"
    fields, parts = batches(g.identity, table, question)
    writer = writer_of(form, fields, bom=given["bom"])
    if request.method != "HEAD":
        usage.count(table.table.resource.dataset_id, "download")
    chunks = _written(writer, _cut(parts, question.offset, limit))
    response = Response(chunks, content_type=MEDIA_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{table.id}.{form}"'
    return response


def _asked() -> dict[str, Any]:
    """The parameters; rows come by their numbers unless another order is asked for."""
    return {name: text for name, text in request.args.items() if name not in ("id", "resource_id")}


def _written(writer: Writer, parts: Iterable[pa.Table]) -> Iterator[bytes]:
    yield writer.head()
    for part in parts:
        yield writer.rows(part)
    yield writer.tail()


def _cut(parts: Iterable[pa.Table], offset: int, limit: int | None) -> Iterator[pa.Table]:
    """What is left after `offset` rows, at most `limit` of them."""
    passed, left = offset, limit
    for part in parts:
        rest = part.slice(min(passed, part.num_rows), left)
        passed -= min(passed, part.num_rows)
        if left is not None:
            left -= rest.num_rows
        if rest.num_rows:
            yield rest
        if left == 0:
            return
