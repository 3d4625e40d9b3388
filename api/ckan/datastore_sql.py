"""`datastore_search_sql`: one SELECT, run where all statements of strangers are run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from flask import request

from api.ckan.errors import Refused, message_of
from api.ckan.records import cell_values, objects
from api.ckan.registry import action
from api.ckan.schemas import MOST_ROWS
from api.ckan.tables import ID, Field, found
from api.ckan.types import PgType, type_of
from api.rows import values_of
from catalog.errors import BadQuery, Denied, NotFound, Unauthenticated
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Identity
from catalog.services import sql, usage
from catalog.services.attempts import address_block
from catalog.tabular.column import Column

if TYPE_CHECKING:
    from catalog.services.sql import SqlAnswer

SYSTEM = re.compile(r"(pg_|information_schema\b|sqlite_|duckdb_)", re.IGNORECASE)
_TEXT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")


@action(safe=True)
def datastore_search_sql(who: Identity, data: dict[str, Any]) -> Any:
    """Execute SQL queries on the DataStore.

    :param sql: a single SQL select statement; tables are named by the id or an alias of their resource
        in double quotes. The dialect is DuckDB's, which is close to PostgreSQL's
    """
    statement = data.get("sql")
    if not isinstance(statement, str) or not statement.strip():
        raise Refused({"sql": ["Missing value"]})
    caller = address_block(request.remote_addr)
    try:
        answer = sql.run(who, statement, limit=MOST_ROWS, caller=caller, number=ID)
    except (Denied, Unauthenticated) as error:
        raise Denied("Not authorized to read resource.") from error
    except BadQuery as error:
        raise _refusal(error, statement) from error
    for dataset_id in {table.dataset_id for table in answer.tables}:
        usage.count(dataset_id, "call")
    fields = _fields(who, answer)
    columns = [_values(answer.data.column(at), field) for at, field in enumerate(fields)]
    result = {
        "sql": statement,
        "records": objects(fields, columns),
        "fields": [field.shown() for field in fields],
    }
    return {**result, "records_truncated": True} if answer.truncated else result


def _fields(who: Identity, answer: SqlAnswer) -> list[Field]:
    """The columns of the answer, in the types of the columns of the same name that were read."""
    known: dict[str, PgType] = {}
    for read in answer.tables:
        for field in found(who, read.id).fields:
            known.setdefault(field.id, field.type)
    fields = []
    for column in answer.columns:
        same = known.get(column.name)
        kind = same if same and same.column is column.type else type_of(None, column.type)
        fields.append(Field(column.name, column.name, kind, {}))
    return fields


def _values(cells: pa.ChunkedArray, field: Field) -> list[Any]:
    """The values; moments without milliseconds, unlike those of a search, as CKAN has it."""
    if field.type.column is ColumnType.DATETIME:
        return values_of(cells, Column(field.name, "", field.type.column))
    return cell_values(cells, field)


def _refusal(error: BadQuery, statement: str) -> Refused | Denied | NotFound:
    """What is wrong with a statement, in CKAN's words."""
    said = str(error.context.get("reason") or message_of(error))
    for beginning, refusal in _REFUSALS:
        if error.message.startswith(beginning):
            return refusal(error, statement, said)
    return Refused({"query": [said], "info": {"orig": [said]}})


def _no_select(_: BadQuery, statement: str, said: str) -> Refused:
    several = ";" in _TEXT.sub("", statement).strip().rstrip(";")
    return Refused({"message": "Query is not a single statement" if several else said})


def _no_table(error: BadQuery, _: str, __: str) -> Denied | NotFound:
    name = str(error.context.get("table", ""))
    if SYSTEM.match(name.removeprefix("pg_catalog.")) or name.startswith("pg_catalog."):
        return Denied("Not authorized to access system tables")
    return NotFound('Resource "%(name)s" was not found.', name=name)


def _no_function(error: BadQuery, _: str, __: str) -> Denied:
    return Denied(
        "Not authorized to call function %(name)s", name=str(error.context.get("function"))
    )


_REFUSALS: tuple[tuple[str, Callable[[BadQuery, str, str], Refused | Denied | NotFound]], ...] = (
    (
        "the statement is not understood",
        lambda _, __, said: Refused({"message": f"Invalid SQL: {said}"}),
    ),
    ("write one SELECT statement", _no_select),
    ("there is no table", _no_table),
    ("the function “", _no_function),
    ("“%(function)s” cannot be used as a table", _no_function),
    ("the query takes longer", lambda _, __, ___: Refused({"query": ["Query took too long"]})),
)
"""How the sentences of the sandbox begin, and what CKAN says instead."""
