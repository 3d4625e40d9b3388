"""`datastore_search_sql` as CKAN's own tests describe it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import Access
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_organization, put

RECORDS = [
    {"bük": "annakarenina", "author": "tolstoy", "published": "2005-03-01", "nested": ["b", {"m": 1}]},
    {"bük": "warandpeace", "author": "tolstoy", "nested": {"a": "b"}},
]  # fmt: skip
EXPECTED = [
    {"_id": 1, "bük": "annakarenina", "author": "tolstoy", "published": "2005-03-01T00:00:00", "nested": ["b", {"m": 1}]},
    {"_id": 2, "bük": "warandpeace", "author": "tolstoy", "published": None, "nested": {"a": "b"}},
]  # fmt: skip


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Ckan, str]]:
    """A portal with a table of books, also called books4; its resource."""
    folder = tmp_path_factory.mktemp("ckan")
    with make_app(folder) as app:
        make_organization()
        put("Books", slug="books")
        ckan = Ckan(app.test_client(), make_key())
        resource = {"package_id": "books"}
        made = ckan.call("datastore_create", resource=resource, records=RECORDS, aliases="books4")
        yield app, ckan, made["resource_id"]


def ask(books: tuple[Flask, Ckan, str], sql: str) -> Any:
    _, ckan, resource = books
    return Ckan(ckan.client).call("datastore_search_sql", sql=sql.replace("RES", resource))


def refused(books: tuple[Flask, Ckan, str], status: int, sql: str) -> dict[str, Any]:
    _, ckan, resource = books
    return Ckan(ckan.client).refused(
        "datastore_search_sql", status, sql=sql.replace("RES", resource)
    )


def test_all_fields_come_with_the_number_of_the_row(books: Any) -> None:
    result = ask(books, 'SELECT * FROM "RES"')
    assert result["records"] == EXPECTED
    assert result["fields"] == [
        {"id": "_id", "type": "int"},
        {"id": "bük", "type": "text"},
        {"id": "author", "type": "text"},
        {"id": "published", "type": "timestamp"},
        {"id": "nested", "type": "json"},
    ]
    assert "records_truncated" not in result
    assert result["sql"].startswith("SELECT * FROM")


@pytest.mark.parametrize(
    ("sql", "records"),
    [
        ('SELECT * FROM "books4"', EXPECTED),
        ('SELECT * FROM public."RES" WHERE "author" LIKE \'tol%\'', EXPECTED),
        ('SELECT "bük" FROM "RES" WHERE "author" = \'foo; bar\'', []),
        ('SELECT UpPeR(author) AS a from "RES" LIMIT 1;', [{"a": "TOLSTOY"}]),
        ('SELECT count(*) AS count from "RES"', [{"count": 2}]),
        ('SELECT avg(_id) AS mean from "RES"', [{"mean": 1.5}]),
        (
            'select a._id as first, b._id as second from "RES" AS a JOIN "RES" AS b USING (author) ORDER BY 1, 2 LIMIT 2',
            [{"first": 1, "second": 1}, {"first": 1, "second": 2}],
        ),
        ('SELECT "bük" FROM "RES" ORDER BY _id DESC LIMIT 1', [{"bük": "warandpeace"}]),
    ],
)
def test_statements_are_answered(books: Any, sql: str, records: list[dict[str, Any]]) -> None:
    assert ask(books, sql)["records"] == records


def test_a_statement_may_come_by_get(books: Any) -> None:
    _, ckan, resource = books
    asked = {"sql": f'SELECT "bük" FROM "{resource}" LIMIT 1'}
    response = ckan.client.get("/api/action/datastore_search_sql", query_string=asked)
    assert response.json["result"]["records"] == [{"bük": "annakarenina"}]


@pytest.mark.parametrize(
    ("status", "sql", "said"),
    [
        (409, 'SELECT * FROM "RES"; SELECT * FROM "RES";', "Query is not a single statement"),
        (409, "SELECT ** FROM foobar", "Invalid SQL: "),
        (409, 'DELETE FROM "RES"', "write one SELECT statement"),
        (409, 'SELECT nope FROM "RES"', "nope"),
        (409, "SELECT 1/", "Invalid SQL: "),
        (403, "SELECT * FROM pg_roles", "Access denied: Not authorized to access system tables"),
        (403, "SELECT * FROM pg_catalog.pg_database", "Access denied: Not authorized to access"),
        (403, "SELECT read_text('/etc/passwd')", "Access denied: Not authorized to call function"),
        (403, "SELECT * FROM read_csv('/etc/passwd')", "Access denied: Not authorized to call"),
        (404, 'SELECT * FROM "nope"', 'Not found: Resource "nope" was not found.'),
    ],
)
def test_what_may_not_be_run_is_refused(books: Any, status: int, sql: str, said: str) -> None:
    error = refused(books, status, sql)
    text = error.get("message") or error["query"][0]
    assert said in text
    assert (
        error["__type"].split()[0] == {409: "Validation", 403: "Authorization", 404: "Not"}[status]
    )


def test_a_statement_is_needed(books: Any) -> None:
    _, ckan, _ = books
    assert ckan.refused("datastore_search_sql", 409)["sql"] == ["Missing value"]


def test_closed_data_is_not_read(books: Any) -> None:
    _, ckan, resource = books

    def set_access(access: Access) -> None:
        with transaction():
            db.session.query(Dataset).filter_by(slug="books").update({"access": access})

    set_access(Access.CLOSED)
    try:
        error = refused(books, 403, 'SELECT * FROM "RES"')
        assert error["message"] == "Access denied: Not authorized to read resource."
        sql = f'SELECT count(*) AS n FROM "{resource}"'
        assert ckan.call("datastore_search_sql", sql=sql)["records"] == [{"n": 2}]
    finally:
        set_access(Access.OPEN)
