"""The data dictionary, the cells that do not fit it, and coordinates in another datum, over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.tabular.table_schema import read_schema
from tests.make_reading import make_file
from tests.make_table_page import make_table_of_files

SCHEMA = {
    "fields": [
        {"name": "码", "type": "string", "semantic": "uscc", "title": {"zh": "代码", "en": "Code"}},
        {"name": "日", "type": "date", "format": "%d/%m/%Y", "constraints": {"required": True}},
        {"name": "邮", "type": "string", "format": "email", "description": "To write to"},
        {"name": "月", "type": "yearmonth"},
        {"name": "经度", "type": "number", "decimalChar": ",", "crs": "gcj02", "semantic": "longitude"},
    ],
    "primaryKey": "码",
}  # fmt: skip
TEXT = (
    "码;日;邮;月;经度\n"
    "91350100M000100Y43;3/1/2020;a@b.cn;2020年1月;116,4\n"
    "91350100M000100Y44;x;ab.cn;2020-02;250\n"
)


@pytest.fixture
def table_id(app: Flask, tmp_path: Path) -> str:
    file = make_file(tmp_path, "t.csv", TEXT)
    return make_table_of_files([file], read={"schema": SCHEMA})


def ask(client: FlaskClient, address: str, **parameters: object) -> Any:
    return client.get(f"/api/v1{address}", query_string={"lang": "en", **parameters})


def test_the_schema_is_that_of_the_published_rows(client: FlaskClient, table_id: str) -> None:
    body = ask(client, f"/tables/{table_id}/schema").json
    code, day, mail, month, longitude = body["fields"]
    assert code == {"name": "码", "type": "string", "semantic": "uscc", "title": "Code"}
    assert day == {
        "name": "日",
        "type": "date",
        "constraints": {"required": True},
        "source": {"format": "%d/%m/%Y"},
    }
    assert (mail["format"], mail["description"]) == ("email", "To write to")
    assert month["type"] == "yearmonth"
    assert longitude["source"] == {"decimalChar": ","}
    assert (longitude["crs"], longitude["semantic"]) == ("gcj02", "longitude")
    assert body["primaryKey"] == ["码"]


def test_the_schema_that_goes_out_can_be_read_in(client: FlaskClient, table_id: str) -> None:
    schema = read_schema(ask(client, f"/tables/{table_id}/schema").json)
    assert [field.kind for field in schema.fields] == ["string", "date", "string", "yearmonth", "number"]  # fmt: skip
    assert schema.primary_key == ("码",)


def test_cells_come_in_pages_with_sentences(client: FlaskClient, table_id: str) -> None:
    body = ask(client, f"/tables/{table_id}/cells", limit=2).json
    assert body["total"] == 4
    assert body["cells"][0] == {
        "row": 2,
        "column": "码",
        "value": "91350100M000100Y44",
        "reason": "uscc",
        "sentence": "is not a valid unified social credit code",
        "until": None,
    }
    rest = client.get(body["next"]).json
    assert [cell["reason"] for cell in rest["cells"]] == ["format", "longitude"]
    assert rest["next"] is None
    assert {"column": "日", "reason": "date", "sentence": "is not a date", "count": 1} in body["counts"]  # fmt: skip


def test_cells_whose_value_is_right_are_listed_on_demand(
    client: FlaskClient, table_id: str
) -> None:
    body = ask(client, f"/tables/{table_id}/cells", notations="true").json
    assert {cell["value"] for cell in body["cells"] if cell["reason"] == "notation"} == {
        "3/1/2020",
        "2020年1月",
        "116,4",
    }


def test_the_cells_can_be_downloaded(client: FlaskClient, table_id: str) -> None:
    response = ask(client, f"/tables/{table_id}/cells.csv", notations="true")
    assert response.content_type == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    lines = response.get_data(as_text=True).splitlines()
    assert lines[0] == "row,column,value,reason"
    assert "2,日,x,date" in lines
    assert len(lines) == 1 + 7


def test_a_table_says_what_its_columns_mean(client: FlaskClient, table_id: str) -> None:
    body = ask(client, f"/tables/{table_id}").json
    assert body["kept_cells"] == 4
    assert [column["semantic"] for column in body["columns"]] == ["uscc", None, None, None, "longitude"]  # fmt: skip
    assert body["columns"][4]["crs"] == "gcj02"


@pytest.mark.parametrize("what", ["/schema", "/cells", "/cells.csv"])
def test_an_unknown_table_has_no_dictionary(client: FlaskClient, what: str) -> None:
    assert ask(client, f"/tables/nothing{what}").status_code == 404


def test_coordinates_are_converted(client: FlaskClient) -> None:
    body = ask(
        client, "/coordinates", **{"from": "gcj02", "to": "bd09"}, points="116.404,39.915;2,48"
    )
    assert body.json["crs"] == "bd09"
    (longitude, latitude), abroad = body.json["points"]
    assert (longitude, latitude) == pytest.approx((116.41036949, 39.92133699), abs=1e-8)
    assert abroad == [2.0, 48.0]


@pytest.mark.parametrize(
    "parameters",
    [
        {"points": "1,2"},
        {"from": "gcj02"},
        {"from": "mars", "points": "1,2"},
        {"from": "gcj02", "points": "1,2,3"},
        {"from": "gcj02", "points": "x"},
        {"from": "gcj02", "points": "nan,2"},
        {"from": "gcj02", "points": "200,2"},
        {"from": "gcj02", "points": ";".join(["1,2"] * 1_001)},
    ],
)
def test_what_is_no_point_is_refused(client: FlaskClient, parameters: dict[str, str]) -> None:
    assert ask(client, "/coordinates", **parameters).status_code in (400, 422)
