"""POST /api/v1/sql: what it answers, in which forms, and what is wrong with a statement."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.make_portal import Served, make_served

ADDRESS = "/api/v1/sql"


@pytest.fixture
def served(app: Flask, tmp_path: Path) -> Served:
    return make_served(tmp_path)


def ask(client: FlaskClient, sql: str, **more: Any) -> TestResponse:
    return client.post(ADDRESS, json={"sql": sql, **more})


def test_a_statement_is_answered_with_columns_types_and_what_was_read(
    client: FlaskClient, served: Served
) -> None:
    answer = ask(client, 'SELECT 站点, "PM2.5" AS dust, day FROM "air-quality" WHERE No = 1')
    assert answer.status_code == 200
    body = answer.json
    assert body["rows"] == [{"站点": "东四", "dust": 9.5, "day": "2013-03-01"}]
    assert body["fields"] == [
        {"name": "站点", "type": "string"},
        {"name": "dust", "type": "number"},
        {"name": "day", "type": "date"},
    ]
    assert body["tables"] == [{"name": "air-quality", "table": served.table, "release": 1}]
    assert (body["scanned"], body["truncated"]) == (7, False)
    assert int(answer.headers["RateLimit-Remaining"]) < 10_000


@pytest.mark.parametrize(
    "name",
    ['"{table}"', '"air-quality"', '"air-quality".data', '"air-quality"."air.csv"', '"{resource}"'],
)
def test_a_table_is_named_by_id_dataset_or_both(
    client: FlaskClient, served: Served, name: str
) -> None:
    name = name.format(table=served.table, resource=served.resource)
    assert ask(client, f"SELECT count(*) AS n FROM {name}").json["rows"] == [{"n": 7}]


def test_values_stand_for_the_question_marks(client: FlaskClient, served: Served) -> None:
    sql = 'SELECT No FROM "air-quality" WHERE 站点 = ? AND day <= ? AND No < ? AND ? AND ? IS NULL'
    answer = ask(client, sql, params=["东四", "2013-03-01", 1.5, True, None], format="arrays")
    assert answer.json["rows"] == [[1]]
    few = ask(client, sql, params=["东四"])
    assert few.status_code == 400
    assert "?" in few.json["detail"]


def test_an_answer_comes_as_csv_json_lines_arrow_and_parquet(
    client: FlaskClient, served: Served
) -> None:
    sql = 'SELECT No, 站点 FROM "air-quality" WHERE No BETWEEN 1 AND 2 ORDER BY No'
    assert ask(client, sql, format="csv").text == "No,站点\r\n1,东四\r\n2,顺义\r\n"
    lines = ask(client, sql, format="jsonl")
    assert lines.text == '{"No":1,"站点":"东四"}\n{"No":2,"站点":"顺义"}\n'
    assert lines.headers["Weft-Truncated"] == "false"
    arrow = ask(client, sql, format="arrow")
    assert pa.ipc.open_stream(arrow.data).read_all()["站点"].to_pylist() == ["东四", "顺义"]
    parquet = ask(client, sql, format="parquet", limit=1)
    assert pq.read_table(io.BytesIO(parquet.data))["No"].to_pylist() == [1]
    assert parquet.headers["Weft-Truncated"] == "true"


def test_more_rows_than_asked_for_are_cut_off_and_that_is_said(
    client: FlaskClient, served: Served
) -> None:
    body = ask(client, 'SELECT No FROM "air-quality" ORDER BY No DESC', limit=2).json
    assert ([row["No"] for row in body["rows"]], body["truncated"]) == (
        [2**63 - 1, 2**62 + 1],
        True,
    )
    body = ask(client, 'SELECT No FROM "air-quality"', limit=7).json
    assert (len(body["rows"]), body["truncated"]) == (7, False)


def test_names_that_come_twice_get_a_number(client: FlaskClient, served: Served) -> None:
    body = ask(client, 'SELECT 1 AS a, 2 AS A, 3 AS a FROM "air-quality" LIMIT 1').json
    assert body["rows"] == [{"a": 1, "A_2": 2, "a_3": 3}]


def test_values_of_all_kinds_come_in_forms_that_json_knows(
    client: FlaskClient, served: Served
) -> None:
    sql = """SELECT [1, 2] AS list, {'a': 1} AS structure, INTERVAL 1 DAY AS day, TIME '10:00' AS time, 1.5::DECIMAL(9, 2)
        AS amount, 12345678901234567890.5::DECIMAL(30, 1) AS exact, sum(No) AS whole, 2::HUGEINT AS small, NULL AS nothing,
        TIMESTAMPTZ '2020-01-01 08:00+08' AS moment, 'x'::BLOB AS bytes, 18446744073709551615::UBIGINT AS large
        FROM "air-quality" WHERE No > 0"""
    body = ask(client, sql).json
    assert body["rows"] == [
        {
            "list": "[1,2]",
            "structure": '{"a":1}',
            "day": "1 day",
            "time": "10:00:00",
            "amount": 1.5,
            "exact": "12345678901234567890.5",
            "whole": str(6 + 2**62 + 1 + 2**63 - 1),
            "small": 2,
            "nothing": None,
            "moment": "2020-01-01T00:00:00",
            "bytes": "x",
            "large": "18446744073709551615",
        }
    ]
    types = {field["name"]: field["type"] for field in body["fields"]}
    assert (types["amount"], types["exact"], types["whole"]) == ("number", "string", "string")
    assert (types["small"], types["moment"], types["nothing"]) == ("integer", "datetime", "string")


@pytest.mark.parametrize(
    ("sql", "words", "line", "column"),
    [
        ('SELECT 站点 FORM "air-quality"', "not understood", 1, 16),
        ("SELECT 站点,\n  getenv('HOME') FROM \"air-quality\"", "getenv", 2, 3),
        ('SELECT 站 FROM "air-quality"', "站", 1, 8),
        ("SELECT 1\nFROM nothing", "nothing", 2, 6),
        ("SELECT * FROM read_csv('/etc/passwd')", "read_csv", 1, 15),
    ],
)
def test_what_is_wrong_with_a_statement_is_said_with_its_place(
    client: FlaskClient, served: Served, sql: str, words: str, line: int, column: int
) -> None:
    answer = ask(client, sql)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert words in answer.json["detail"]
    assert answer.json["position"] == {"line": line, "column": column}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sql": ""},
        {"sql": 1},
        {"sql": "SELECT 1", "params": [[1]]},
        {"sql": "SELECT 1", "format": "xml"},
        {"sql": "SELECT 1", "limit": 0},
        {"sql": "SELECT 1", "limits": 1},
        [],
    ],
)
def test_a_body_that_cannot_be_used_is_refused(client: FlaskClient, app: Flask, body: Any) -> None:
    assert client.post(ADDRESS, json=body).status_code == 422


def test_a_body_that_is_no_json_is_refused(client: FlaskClient, app: Flask) -> None:
    answer = client.post(ADDRESS, data="SELECT 1", content_type="application/json")
    assert answer.status_code in (400, 422)


def test_pages_of_other_sites_may_ask(client: FlaskClient, app: Flask) -> None:
    answer = client.options(ADDRESS)
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
