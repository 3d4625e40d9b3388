"""Tables in the API: rows, pages, counts, groups, downloads, and what an unchanged copy saves."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
import pyarrow.parquet as pq
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from api.files import disposition
from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import Access, ColumnType, State
from tests.make_portal import Served, load_rows, make_served
from tests.make_table import STATION_ROWS, STATIONS, make_columns

NUMBERS = tuple({**STATION_ROWS[0], "No": at, "PM2.5": at % 7 + 0.5} for at in range(250))


@pytest.fixture
def served(app: Flask, tmp_path: Path) -> Served:
    return make_served(tmp_path)


@pytest.fixture
def many(app: Flask, tmp_path: Path) -> Served:
    return make_served(tmp_path, rows=NUMBERS)


def ask(client: FlaskClient, served: Served, what: str = "", **parameters: object) -> Any:
    query = f"?{urlencode(parameters)}" if parameters else ""
    return client.get(f"/api/v1/tables/{served.table}{what}{query}")


def test_a_table_is_shown_with_its_columns_and_links(client: FlaskClient, served: Served) -> None:
    body = ask(client, served).json
    assert [column["name"] for column in body["columns"]] == [column.name for column in STATIONS]
    assert body["rows"] == len(STATION_ROWS)
    assert body["dataset"]["slug"] == "air-quality"
    assert body["links"]["rows"].endswith(f"/api/v1/tables/{served.table}/rows")
    assert set(body["links"]["downloads"]) == {"csv", "json", "jsonl", "parquet", "xlsx"}
    assert "missing" in body["columns"][0]["profile"]


def test_rows_come_with_their_fields_and_every_type(client: FlaskClient, served: Served) -> None:
    response = ask(client, served, "/rows")
    body = orjson.loads(response.data)
    assert body["fields"][0] == {"name": "站点", "type": "string", "label": None}
    assert body["rows"][0] == {
        "站点": "东四",
        "No": 1,
        "PM2.5": 9.5,
        'open`"now': True,
        "day": "2013-03-01",
        "seen at": "2013-03-01T00:00:00",
    }
    assert [row["No"] for row in body["rows"]] == [row["No"] for row in STATION_ROWS]
    assert body["rows"][6]["站点"] == "007"
    assert body["next"] is None
    assert body["total"] is None
    assert body["release"] == 1


def test_rows_are_chosen_sorted_and_narrowed(client: FlaskClient, served: Served) -> None:
    body = ask(
        client,
        served,
        "/rows",
        select='No,"PM2.5"',
        where="\"PM2.5\" > 0 AND 站点 != '007'",
        order_by="-PM2.5,No",
        format="arrays",
        count="true",
    ).json
    assert [field["name"] for field in body["fields"]] == ["No", "PM2.5"]
    assert body["rows"][0][1] == 1e300
    assert body["total"] == len(body["rows"]) == 4


def test_next_leads_through_all_rows_once(client: FlaskClient, many: Served) -> None:
    address, seen, pages = f"/api/v1/tables/{many.table}/rows?limit=100&format=arrays", [], 0
    while address:
        response = client.get(address)
        seen += [row[1] for row in response.json["rows"]]
        address, pages = response.json["next"] or "", pages + 1
        if address:
            assert response.headers["Link"] == f'<{address}>; rel="next"'
            parts = urlsplit(address)
            assert (parts.scheme, parts.netloc) == ("http", "localhost")
            address = f"{parts.path}?{parts.query}"
    assert seen == list(range(250))
    assert pages == 3


def test_pages_stay_in_the_release_that_they_began_in(
    client: FlaskClient, many: Served, tmp_path: Path
) -> None:
    first = ask(client, many, "/rows", limit=200).json
    load_rows(many.resource, tmp_path, rows=NUMBERS[:3])
    parts = urlsplit(first["next"])
    rest = client.get(f"{parts.path}?{parts.query}")
    assert rest.status_code in (200, 400)
    if rest.status_code == 200:
        assert [row["No"] for row in rest.json["rows"]] == list(range(200, 250))
    assert ask(client, many, "/rows", count="true").json["total"] == 3


def test_rows_are_counted(client: FlaskClient, many: Served) -> None:
    assert ask(client, many, "/count").json["count"] == 250
    assert ask(client, many, "/count", where="No < 10").json["count"] == 10


def test_rows_are_grouped(client: FlaskClient, many: Served) -> None:
    body = ask(
        client,
        many,
        "/group",
        group_by="PM2.5",
        measures="count(*),sum(No) as total,max(day)",
        order_by="-count,PM2.5",
        limit=2,
        format="arrays",
    ).json
    assert [field["name"] for field in body["fields"]] == ["PM2.5", "count", "total", "max_day"]
    assert body["rows"][0] == [0.5, 36, sum(range(0, 250, 7)), "2013-03-01"]
    assert len(body["rows"]) == 2
    parts = urlsplit(body["next"])
    following = client.get(f"{parts.path}?{parts.query}").json
    assert following["rows"][0][0] == 2.5


@pytest.mark.parametrize(
    ("what", "parameters", "status"),
    [
        ("/rows", {"where": "nothing = 1"}, 400),
        ("/rows", {"where": "No >"}, 400),
        ("/rows", {"where": "No = 'x'"}, 400),
        ("/rows", {"where": "1; DROP TABLE x"}, 400),
        ("/rows", {"select": "nothing"}, 400),
        ("/rows", {"select": '"open'}, 400),
        ("/rows", {"order_by": "-nothing"}, 400),
        ("/rows", {"cursor": "x" * 20}, 400),
        ("/rows", {"cursor": "密"}, 422),
        ("/rows", {"limit": 10_001}, 422),
        ("/rows", {"offset": -1}, 422),
        ("/rows", {"format": "xml"}, 422),
        ("/rows", {"count": "maybe"}, 422),
        ("/rows", {"were": "No = 1"}, 422),
        ("/count", {"where": "a" * 20_000}, 422),
        ("/group", {"measures": "mode(No)"}, 400),
        ("/group", {"measures": "avg(站点)"}, 400),
        ("/group", {"group_by": "nothing"}, 400),
        ("/download.csv", {"where": "nothing = 1"}, 400),
        ("/download.csv", {"bom": "x"}, 422),
        ("/download.pdf", {}, 404),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_sentence(
    client: FlaskClient, served: Served, what: str, parameters: dict[str, object], status: int
) -> None:
    response = ask(client, served, what, **parameters)
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert response.json["detail"]


def test_a_known_name_with_dots_needs_no_quotes_anywhere(
    client: FlaskClient, served: Served
) -> None:
    bare = {"where": "PM2.5 > 5", "select": "PM2.5", "order_by": "-PM2.5"}
    quoted = bare | {"where": '"PM2.5" > 5'}
    answer = ask(client, served, "/rows", **bare)
    assert answer.status_code == 200
    assert answer.json["rows"] == ask(client, served, "/rows", **quoted).json["rows"] != []
    for what in ("/count", "/download.csv", "/group"):
        assert ask(client, served, what, where="PM2.5 > 5").status_code == 200
    assert ask(client, served, "/count", where="PM2.6 > 5").status_code == 400


def test_null_is_asked_for_with_is_null(client: FlaskClient, served: Served) -> None:
    for where in ("No != null", "No = null"):
        answer = ask(client, served, "/count", where=where)
        assert answer.status_code == 400
        assert "IS NOT NULL" in answer.json["detail"]


def test_the_csv_for_excel_leaves_telephone_numbers_and_the_plain_one_everything(
    client: FlaskClient, app: Flask, tmp_path: Path
) -> None:
    columns = make_columns(phone=ColumnType.STRING, said=ColumnType.STRING)
    rows = ({"phone": "+8613800000000", "said": "=1+1"},)
    told = make_served(tmp_path, columns=columns, rows=rows)
    plain = ask(client, told, "/download.csv").data
    assert plain == b"phone,said\r\n+8613800000000,=1+1\r\n"
    excel = ask(client, told, "/download.csv", bom=1).data
    assert excel == b"\xef\xbb\xbfphone,said\r\n+8613800000000,'=1+1\r\n"


def test_closed_data_shows_its_columns_and_no_values(client: FlaskClient, served: Served) -> None:
    dataset = db.session.get(Dataset, served.dataset)
    assert dataset is not None
    with transaction():
        dataset.access = Access.CLOSED
    answer = client.get("/api/v1/datasets/air-quality")
    (table,) = answer.json["resources"][0]["tables"]
    assert [column["name"] for column in table["columns"]] == [c.name for c in STATIONS]
    assert not any("profile" in column for column in table["columns"])
    page = client.get("/zh/datasets/air-quality").get_data(as_text=True)
    for shown in (answer.get_data(as_text=True), page):
        for value in ("东四", "顺义", "4611686018427387905", "it's 100%_"):
            assert value not in shown


@pytest.mark.parametrize("what", ["", "/rows", "/count", "/group", "/download.csv"])
def test_an_unknown_table_is_not_found(client: FlaskClient, app: Flask, what: str) -> None:
    assert client.get(f"/api/v1/tables/nothing{what}").status_code == 404


@pytest.mark.parametrize("what", ["", "/rows", "/count", "/group", "/download.csv"])
def test_closed_and_withdrawn_data_is_refused(
    client: FlaskClient, served: Served, what: str
) -> None:
    dataset = db.session.get(Dataset, served.dataset)
    assert dataset is not None
    with transaction():
        dataset.access = Access.CLOSED
    assert ask(client, served, what).status_code == 401
    with transaction():
        dataset.access, dataset.state = Access.OPEN, State.WITHDRAWN
    assert ask(client, served, what).status_code == 410


@pytest.mark.parametrize("what", ["/rows", "/count", "/group", "/download.parquet"])
def test_an_unchanged_answer_is_304_until_there_is_a_new_release(
    client: FlaskClient, served: Served, tmp_path: Path, what: str
) -> None:
    path = f"/api/v1/tables/{served.table}{what}"
    first = client.get(path)
    same = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    assert same.headers["ETag"] == first.headers["ETag"]
    assert "RateLimit-Remaining" in same.headers
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert client.get(path, headers=since).status_code == 304
    other = client.get(f"{path}?where=No=1", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200
    load_rows(served.resource, tmp_path, rows=STATION_ROWS[:2])
    assert client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_answers_vary_by_language(client: FlaskClient, served: Served) -> None:
    path = f"/api/v1/tables/{served.table}/rows"
    tags = [
        client.get(path, headers={"Accept-Language": tag}).headers["ETag"] for tag in ("zh", "en")
    ]
    assert tags[0] != tags[1]
    assert "Accept-Language" in client.get(path).headers["Vary"]


def test_a_csv_holds_all_rows_with_and_without_the_mark(
    client: FlaskClient, served: Served
) -> None:
    plain = ask(client, served, "/download.csv")
    rows = list(csv.reader(io.StringIO(plain.data.decode("utf-8"))))
    assert rows[0] == [column.name for column in STATIONS]
    assert len(rows) == len(STATION_ROWS) + 1
    assert plain.headers["Content-Disposition"].startswith("attachment; filename=")
    assert not plain.data.startswith(b"\xef\xbb\xbf")
    assert ask(client, served, "/download.csv", bom=1).data.startswith(b"\xef\xbb\xbf")


def test_downloads_have_one_row_for_each_row(client: FlaskClient, served: Served) -> None:
    assert len(ask(client, served, "/download.json").json) == len(STATION_ROWS)
    lines = ask(client, served, "/download.jsonl").data.splitlines()
    assert orjson.loads(lines[1])["站点"] == "顺义"
    parquet = pq.read_table(io.BytesIO(ask(client, served, "/download.parquet").data))
    assert parquet.column_names == [column.name for column in STATIONS]
    assert parquet.num_rows == len(STATION_ROWS)
    assert ask(client, served, "/download.xlsx").data.startswith(b"PK")


def test_a_download_is_narrowed(client: FlaskClient, served: Served) -> None:
    response = ask(
        client, served, "/download.csv", select="No", where="No <= 2 AND No > 0", order_by="-No"
    )
    assert response.data.decode().split() == ["No", "2", "1"]


def test_a_download_is_no_answer_to_head(client: FlaskClient, served: Served) -> None:
    response = client.head(f"/api/v1/tables/{served.table}/download.csv")
    assert response.status_code == 200
    assert response.data == b""
    assert response.headers["Content-Type"].startswith("text/csv")


def test_downloads_and_calls_are_counted_as_uses(client: FlaskClient, served: Served) -> None:
    ask(client, served, "/download.csv")
    ask(client, served, "/rows")
    client.head(f"/api/v1/tables/{served.table}/download.csv")
    db.session.rollback()  # ends the snapshot that making the table has left open
    dataset = db.session.get(Dataset, served.dataset)
    assert dataset is not None
    assert dataset.uses == 2


def test_a_file_name_may_be_in_any_script() -> None:
    assert (
        disposition('空气 "a".csv')
        == "attachment; filename=\"__ _a_.csv\"; filename*=UTF-8''%E7%A9%BA%E6%B0%94%20%22a%22.csv"
    )
    assert "\n" not in disposition("a\r\nSet-Cookie: b=c.csv")


TEXTS = st.text(max_size=30)


@bounded(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    what=st.sampled_from(["/rows", "/count", "/group", "/download.csv"]),
    parameters=st.dictionaries(
        st.sampled_from(
            [
                "where",
                "select",
                "order_by",
                "limit",
                "offset",
                "cursor",
                "group_by",
                "measures",
                "q",
                "near",
                "box",
                "having",
                "distinct",
                "as_of",
                "format",
            ]
        ),
        TEXTS
        | st.sampled_from(["No", "-No", "No = 1", "count(*)", "0", "1", "99999999999999999999"])
        | st.sampled_from(["No,PM2.5,1,2,3", "No,PM2.5,1,2,3,nan", "true", "csv", "arrow"]),
        max_size=4,
    ),
)
def test_no_parameter_makes_the_portal_fail(
    client: FlaskClient, served: Served, what: str, parameters: dict[str, str]
) -> None:
    with ask(
        client, served, what, **parameters
    ) as answer:  # a kept file stays open until it is read
        assert answer.status_code in (200, 400, 404, 422)
