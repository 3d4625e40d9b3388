"""Masked and hidden columns: no address of the portal tells what is in them, whatever is asked."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.db import db
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnAccess, ColumnType
from catalog.permissions import SCHEDULER
from catalog.services import search, table_columns, table_upkeep, table_writes
from tests.catalog.test_tables import make_resource

SECRET, MASKED, OTHER = "4471绝密9902", "13955501234", "13866677784"
HIDDEN_NAME = "内部备注"
COLUMNS = [
    ("name", ColumnType.STRING),
    (HIDDEN_NAME, ColumnType.STRING),
    ("phone", ColumnType.STRING),
    ("n", ColumnType.INTEGER),
]


@pytest.fixture
def table(app: Flask) -> DataTable:
    """Two releases of rows with a hidden and a masked column; the second changes only what is withheld."""
    made = table_columns.create(SCHEDULER, make_resource().id, COLUMNS, primary_key=["name"])
    rows = [
        {"name": f"row {n}", HIDDEN_NAME: f"{SECRET}-{n}", "phone": MASKED, "n": n}
        for n in range(9)
    ]
    table_writes.insert(SCHEDULER, made.id, rows)
    table_columns.set_access(SCHEDULER, made.id, HIDDEN_NAME, ColumnAccess.HIDDEN)
    mask = {"first": 2, "last": 1}
    table_columns.set_access(SCHEDULER, made.id, "phone", ColumnAccess.MASKED, mask)
    changed = [{"name": "row 3", HIDDEN_NAME: f"{SECRET}-changed", "phone": OTHER}]
    table_writes.upsert(SCHEDULER, made.id, changed)
    table_upkeep.profile_tables()
    search.reindex(SCHEDULER)
    return made


def asked(table: DataTable) -> Iterator[str]:
    """Addresses that read, ask and download, with and without the names of what is withheld."""
    api, page = f"/api/v1/tables/{table.id}", f"/en/tables/{table.id}"
    slug = db.session.get_one(DataTable, table.id).resource_id
    yield from (api, f"{api}/rows", f"{api}/rows?format=arrays", f"{api}/releases", f"{api}/schema")
    yield from (
        f"{api}/cells",
        f"{api}/changes?from=2",
        f"{api}/changes?from=1",
        f"{api}/releases/2",
    )
    yield from (
        f"{api}/changes.csv?from=1",
        f"{api}/changes.jsonl?from=1",
        f"{api}/releases/2/manifest",
    )
    for kind in ("csv", "json", "jsonl", "parquet", "xlsx", "csv.gz"):
        yield f"{api}/download.{kind}"
        yield f"{api}/releases/2/download.{kind}"
    for kind in ("csv", "jsonl", "arrow", "parquet"):
        yield f"{api}/rows?format={kind}"
    for name in (HIDDEN_NAME, "phone"):
        yield f"{api}/rows?select={name}"
        yield f"{api}/rows?where=contains({name},'4471')"
        yield f"{api}/rows?where={name}='{MASKED}'"
        yield f"{api}/rows?order_by={name}"
        yield f"{api}/count?where={name} is not null"
        yield f"{api}/group?group_by={name}"
        yield f"{api}/group?group_by=n&measures=max({name})"
        yield f"{api}/rows?distinct=true&select={name}"
        yield f"{page}?column={name}&op=contains&value=4471"
        yield f"{page}?sort={name}"
        yield f"{page}?view=chart&kind=bar&x={name}"
    yield from (f"{api}/rows?q=4471", f"{api}/rows?q={MASKED[3:8]}", f"{api}/rows?as_of=2")
    for view in ("rows", "columns", "chart", "map", "downloads", "api", "releases", "changes"):
        yield f"{page}?view={view}"
    yield f"{page}/changes?from=1"
    yield from (f"/datastore/dump/{table.id}", f"/datastore/dump/{slug}?format=json")
    for action in ("datastore_search", "datastore_info"):
        yield f"/api/3/action/{action}?resource_id={table.id}&id={table.id}"
    yield f"/api/3/action/datastore_search?resource_id={table.id}&q=4471"
    yield f'/api/3/action/datastore_search?resource_id={table.id}&filters={{"phone":"{MASKED}"}}'
    yield f'/api/3/action/datastore_search_sql?sql=SELECT * FROM "{table.id}"'
    yield f"/api/v1/datasets?q={HIDDEN_NAME}"
    yield "/api/v1/datasets"


def text_of(content: bytes) -> str:
    """All that is in an answer, unpacked."""
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            content = b"".join(file.read(name) for name in file.namelist())
    if content[:4] == b"PAR1":
        import pyarrow.parquet as pq

        content += str(pq.read_table(io.BytesIO(content)).to_pylist()).encode()
    return content.decode("utf-8", "replace")


def test_nothing_that_is_withheld_is_in_any_answer(client: FlaskClient, table: DataTable) -> None:
    tried = 0
    for address in asked(table):
        answer = client.get(address)
        assert answer.status_code < 500, address
        tried += answer.status_code == 200
        told = text_of(answer.data)
        given = SECRET in address or "4471" in address
        for secret in (SECRET, MASKED, OTHER, *([] if given else ["4471"])):
            if secret not in address:
                assert secret not in told, address
        if HIDDEN_NAME not in address:
            assert HIDDEN_NAME not in told, address
    assert tried > 35


@pytest.mark.parametrize(
    "statement",
    [
        'SELECT * FROM "{id}"',
        'SELECT phone FROM "{id}"',
        'SELECT t FROM "{id}" t',
        'SELECT * FROM "{id}" AT (VERSION => 2)',
        "SELECT count(*) FROM \"{id}\" WHERE phone LIKE '139%'",
        'SELECT length(phone) AS n, hash(phone) AS h FROM "{id}"',
        'SELECT "内部备注" FROM "{id}"',
        'SELECT max("内部备注") FROM "{id}"',
    ],
)
def test_sql_sees_what_the_public_sees(
    client: FlaskClient, table: DataTable, statement: str
) -> None:
    answer = client.post("/api/v1/sql", json={"sql": statement.format(id=table.id)})
    assert answer.status_code in (200, 400), answer.json
    assert SECRET not in answer.text
    assert MASKED not in answer.text
    if "LIKE" in statement:
        assert answer.json["rows"][0]["count_star()"] == 0


def test_a_query_with_a_body_sees_what_the_public_sees(
    client: FlaskClient, table: DataTable
) -> None:
    address = f"/api/v1/tables/{table.id}/query"
    for name in (HIDDEN_NAME, "phone"):
        for body in (
            {"where": {"column": name, "op": "contains", "value": "4471"}},
            {"order_by": [{"column": name}]},
            {"group_by": [name]},
            {"measures": [{"aggregate": "max", "column": name, "name": "m"}]},
        ):
            answer = client.post(address, json=body)
            assert answer.status_code in (400, 404, 422), (body, answer.json)
            assert SECRET not in answer.text
            assert MASKED not in answer.text


def test_tags_of_answers_do_not_tell_that_something_withheld_changed(
    client: FlaskClient, table: DataTable
) -> None:
    first, second = (
        client.get(f"/api/v1/tables/{table.id}/releases/{number}/download.csv").data
        for number in (2, 3)
    )
    assert first == second
    assert client.get(f"/api/v1/tables/{table.id}/changes?from=2&to=3").json["total"] == 0
