"""Asking tables: words, places, distinct rows, groups with conditions, joins, pages as files."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.table import DataTable
from catalog.models.vocabulary import Access, ColumnAccess, ColumnType
from catalog.permissions import SCHEDULER
from catalog.services import table_columns
from tests.make_portal import Served, make_served
from tests.make_table import make_columns

SHOPS = make_columns(
    名称=ColumnType.STRING,
    区划=ColumnType.STRING,
    金额=ColumnType.NUMBER,
    lat=ColumnType.NUMBER,
    lon=ColumnType.NUMBER,
    day=ColumnType.DATE,
)
SHOP_ROWS: tuple[dict[str, object], ...] = tuple(
    dict(zip([c.name for c in SHOPS], values, strict=True))
    for values in (
        ("东四早点", "01", 10.0, 39.92, 116.42, date(2024, 1, 1)),
        ("东单小吃 Cafe", "01", 20.0, 39.91, 116.41, date(2024, 1, 2)),
        ("徐家汇面馆", "02", 5.0, 31.19, 121.43, date(2024, 1, 1)),
        ("陆家嘴咖啡 CAFE", "02", None, 31.24, 121.50, None),
        (None, "03", 7.0, None, None, date(2024, 1, 3)),
    )
)
DISTRICTS = make_columns(code=ColumnType.STRING, 名称=ColumnType.STRING, 人口=ColumnType.INTEGER)
DISTRICT_ROWS: tuple[dict[str, object], ...] = (
    {"code": "01", "名称": "北京", "人口": 2184},
    {"code": "02", "名称": "上海", "人口": 2487},
    {"code": "09", "名称": "无", "人口": None},
)


@pytest.fixture
def shops(app: Flask, tmp_path: Path) -> Served:
    return make_served(tmp_path, columns=SHOPS, rows=SHOP_ROWS)


@pytest.fixture
def districts(app: Flask, tmp_path: Path) -> Served:
    served = make_served(tmp_path, columns=DISTRICTS, rows=DISTRICT_ROWS, name="Districts")
    declare(served, ["code"])
    return served


def declare(served: Served, key: list[str]) -> None:
    table = db.session.get(DataTable, served.table)
    assert table is not None
    with transaction():
        table.primary_key = key


def get(client: FlaskClient, served: Served, what: str = "/rows", **parameters: object) -> Any:
    return client.get(f"/api/v1/tables/{served.table}{what}?{urlencode(parameters)}")


def post(client: FlaskClient, served: Served, **body: object) -> Any:
    return client.post(f"/api/v1/tables/{served.table}/query", json=body)


def names(answer: Any) -> list[object]:
    assert answer.status_code == 200, answer.text
    return [row["名称"] for row in answer.json["rows"]]


def test_words_are_found_in_any_text_in_either_size(client: FlaskClient, shops: Served) -> None:
    assert names(get(client, shops, q="cafe")) == ["东单小吃 Cafe", "陆家嘴咖啡 CAFE"]
    assert names(get(client, shops, q="小吃 01")) == ["东单小吃 Cafe"]
    assert names(get(client, shops, q="小吃 02")) == []
    assert get(client, shops, "/count", q="东").json["count"] == 2
    assert get(client, shops, "/download.csv", q="面馆").text.count("\r\n") == 2


def test_rows_are_found_by_distance_and_in_a_box(client: FlaskClient, shops: Served) -> None:
    near = get(client, shops, near="lat,lon,31.23,121.47,4")
    assert names(near) == ["陆家嘴咖啡 CAFE"]
    box = get(client, shops, box="lat,lon,30,120,32,122", count="true")
    assert names(box) == ["徐家汇面馆", "陆家嘴咖啡 CAFE"]
    assert box.json["total"] == 2
    both = {"near": {"columns": ["lat", "lon"], "latitude": 31.23, "longitude": 121.47, "km": 9}}
    assert names(post(client, shops, where=both)) == ["徐家汇面馆", "陆家嘴咖啡 CAFE"]


def test_distinct_rows_are_sorted_counted_and_paged(client: FlaskClient, shops: Served) -> None:
    asked = {"select": "区划", "distinct": "true", "count": "true", "order_by": "-区划", "limit": 2}
    first = get(client, shops, **asked)
    assert [row["区划"] for row in first.json["rows"]] == ["03", "02"]
    assert first.json["total"] == 3
    parts = urlsplit(first.json["next"])
    rest = client.get(f"{parts.path}?{parts.query}").json
    assert [row["区划"] for row in rest["rows"]] == ["01"]
    assert rest["next"] is None


def test_groups_are_narrowed_by_what_was_computed(client: FlaskClient, shops: Served) -> None:
    by_address = get(
        client,
        shops,
        "/group",
        group_by="区划",
        measures="count(*),sum(金额) as total",
        having="count > 1 and total < 20",
        count="true",
    )
    assert by_address.json["rows"] == [{"区划": "02", "count": 2, "total": 5.0}]
    assert by_address.json["total"] == 1
    by_body = post(
        client,
        shops,
        group_by=["区划"],
        measures=["count(*)", {"aggregate": "sum", "column": "金额", "name": "total"}],
        having={"and": [{"column": "count", "op": ">", "value": 1}, "total < 20"]},
    )
    assert by_body.json["rows"] == by_address.json["rows"]


def test_a_body_asks_for_rows_as_parameters_do(client: FlaskClient, shops: Served) -> None:
    where = {"or": [{"column": "金额", "op": ">=", "value": 10}, {"column": "名称", "op": "null"}]}
    body = post(
        client,
        shops,
        select=["名称", "金额"],
        where=where,
        order_by=["-金额"],
        limit=2,
        count=True,
    ).json
    text = "金额 >= 10 or 名称 is null"
    same = get(
        client, shops, select="名称,金额", where=text, order_by="-金额", limit=2, count="true"
    ).json
    assert body["rows"] == same["rows"] != []
    assert body["total"] == same["total"] == 3
    assert body["next"] is None
    assert "ETag" not in post(client, shops).headers  # an address names no body
    rest = post(
        client,
        shops,
        select=["名称", "金额"],
        where=text,
        order_by=["-金额"],
        cursor=None,
        offset=2,
    ).json
    assert rest["rows"] == [{"名称": None, "金额": 7.0}]


def test_a_cursor_of_a_body_leads_on(client: FlaskClient, shops: Served) -> None:
    seen: list[object] = []
    cursor = None
    for _ in range(3):
        answer = post(client, shops, order_by=["day"], limit=2, cursor=cursor)
        seen += names(answer)
        cursor = answer.json["cursor"]
    assert cursor is None
    assert seen == ["东四早点", "徐家汇面馆", "东单小吃 Cafe", None, "陆家嘴咖啡 CAFE"]


def test_nulls_come_first_where_they_are_wanted_so(client: FlaskClient, shops: Served) -> None:
    order = [{"column": "金额", "descending": True, "nulls_first": True}]
    assert names(post(client, shops, order_by=order, limit=2)) == [
        "陆家嘴咖啡 CAFE",
        "东单小吃 Cafe",
    ]


def test_two_tables_are_joined_on_the_declared_key(
    client: FlaskClient, shops: Served, districts: Served
) -> None:
    join = {"table": districts.table, "on": [["区划", "code"]], "name": "d"}
    answer = post(client, shops, join=join, select=["名称", "d.名称", "d.人口"], count=True)
    assert answer.json["rows"] == [
        {"名称": row["名称"], "d.名称": city, "d.人口": people}
        for row, (city, people) in zip(
            SHOP_ROWS, [("北京", 2184)] * 2 + [("上海", 2487)] * 2, strict=False
        )
    ]
    assert answer.json["total"] == 4
    kept = post(client, shops, join=join | {"kind": "left"}, where="d.名称 is null")
    assert [row["区划"] for row in kept.json["rows"]] == ["03"]
    groups = post(
        client,
        shops,
        join=join,
        group_by=["d.名称"],
        measures=["sum(金额) as total"],
        order_by=["-total"],
        count=True,
    )
    assert groups.json["rows"] == [
        {"d.名称": "北京", "total": 30.0},
        {"d.名称": "上海", "total": 5.0},
    ]
    assert groups.json["total"] == 2


def test_a_join_on_anything_but_the_key_is_refused(
    client: FlaskClient, shops: Served, districts: Served
) -> None:
    wrong = [
        {"table": districts.table, "on": [["区划", "名称"]]},
        {"table": districts.table, "on": [["金额", "code"]]},
        {"table": districts.table, "on": [["nothing", "code"]]},
        {"table": shops.table, "on": [["区划", "区划"]]},
    ]
    for join in wrong:
        assert post(client, shops, join=join).status_code == 400
    assert post(client, shops, join={"table": "none", "on": [["a", "b"]]}).status_code == 404
    assert post(client, shops, join={"table": "none"}).status_code == 422


def test_a_table_that_is_closed_cannot_be_joined(
    client: FlaskClient, shops: Served, districts: Served
) -> None:
    dataset = db.session.get(Dataset, districts.dataset)
    assert dataset is not None
    with transaction():
        dataset.access = Access.CLOSED
    join = {"table": districts.table, "on": [["区划", "code"]]}
    assert post(client, shops, join=join).status_code == 401


@pytest.mark.parametrize(
    "asked",
    [
        {"where": {"column": "名称", "op": "contains", "value": "东"}},
        {"where": {"column": "lat", "op": ">", "value": 1}},
        {"where": "near(lat, lon, 31, 121, 5)"},
        {"where": "box(lat, lon, 30, 120, 32, 122)"},
        {"order_by": ["名称"]},
        {"group_by": ["名称"]},
        {"measures": ["max(lat)"]},
        {"measures": ["distinct(名称)"]},
        {"select": ["名称"], "distinct": True},
        {"distinct": True},
    ],
    ids=str,
)
def test_masked_columns_answer_no_question(
    client: FlaskClient, shops: Served, asked: dict[str, object]
) -> None:
    mask(shops, "名称", "lat")
    answer = post(client, shops, **asked)
    assert answer.status_code == 400
    assert "masked" in answer.json["detail"]


def test_words_pass_masked_columns_over_and_rows_show_them_masked(
    client: FlaskClient, shops: Served
) -> None:
    mask(shops, "名称", "lat")
    assert post(client, shops, where={"words": "东"}, count=True).json["total"] == 0
    assert post(client, shops, where={"words": "01"}, count=True).json["total"] == 2
    shown = post(client, shops, select=["名称"]).json["rows"]
    assert "东四早点" not in [row["名称"] for row in shown]
    for kind in ("csv", "jsonl"):
        assert "东四早点" not in post(client, shops, format=kind).text


def test_a_masked_key_cannot_be_joined_on(
    client: FlaskClient, shops: Served, districts: Served
) -> None:
    join = {"table": districts.table, "on": [["区划", "code"]]}
    mask(shops, "区划")
    assert "masked" in post(client, shops, join=join).json["detail"]


def mask(served: Served, *columns: str) -> None:
    for name in columns:
        table_columns.set_access(SCHEDULER, served.table, name, ColumnAccess.MASKED)


def test_a_page_comes_as_csv_json_lines_arrow_and_parquet(
    client: FlaskClient, shops: Served
) -> None:
    asked = {"select": "名称,day", "order_by": "day", "limit": 2, "count": "true"}
    expected = get(client, shops, **asked).json["rows"]
    for kind in ("csv", "jsonl", "arrow", "parquet"):
        answer = get(client, shops, **asked, format=kind)
        assert answer.status_code == 200
        assert answer.headers["X-Total-Count"] == "5"
        assert answer.headers["Weft-Release"] == "1"
        assert 'rel="next"' in answer.headers["Link"]
        assert answer.headers["ETag"]
        assert rows_in(kind, answer.data) == expected


def rows_in(kind: str, content: bytes) -> list[dict[str, object]]:
    if kind == "csv":
        head, *lines = content.decode().splitlines()
        return [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]
    if kind == "jsonl":
        return [orjson.loads(line) for line in content.splitlines()]
    table = (
        pq.read_table(io.BytesIO(content))
        if kind == "parquet"
        else pa.ipc.open_stream(content).read_all()
    )
    return [{**row, "day": row["day"].isoformat()} for row in table.to_pylist()]


def test_a_release_is_named_with_as_of(client: FlaskClient, shops: Served) -> None:
    assert get(client, shops, as_of="1").json["release"] == 1
    assert get(client, shops, as_of="7").status_code == 404
    assert get(client, shops, as_of="yesterday").status_code == 400
    assert post(client, shops, as_of="1", group_by=["区划"]).json["release"] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"select": ["nothing"]}, 400),
        ({"select": "名称"}, 422),
        ({"were": "x"}, 422),
        ({"where": 3}, 422),
        ({"where": {"column": "nothing", "value": 1}}, 400),
        ({"where": {"near": {}}}, 400),
        ({"where": {"words": " ".join(map(str, range(30)))}}, 400),
        ({"where": "near(lat, 名称, 1, 1, 1)"}, 400),
        ({"where": "near(lat, lon, 91, 1, 1)"}, 400),
        ({"where": "near(lat, lon, 1, 1, -1)"}, 400),
        ({"where": "box(lat, lon, 1, 1, 1, 'x')"}, 400),
        ({"order_by": [1]}, 422),
        ({"order_by": [{"column": "day", "descending": "x"}]}, 422),
        ({"order_by": ["nothing"]}, 400),
        ({"measures": [{"aggregate": "x", "column": "day"}]}, 422),
        ({"measures": ["x(day)"]}, 400),
        ({"measures": [{"aggregate": "sum", "column": "day"}]}, 400),
        ({"having": "count > 1"}, 200),
        ({"having": "count > 1", "distinct": True}, 400),
        ({"group_by": ["区划"], "having": "nothing > 1"}, 400),
        ({"group_by": ["区划"], "distinct": True}, 400),
        ({"limit": 10_001}, 422),
        ({"limit": "x"}, 422),
        ({"offset": -1}, 422),
        ({"cursor": "x" * 20}, 400),
        ({"format": "xml"}, 422),
        ({"join": 1}, 422),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(
    client: FlaskClient, shops: Served, body: dict[str, object], status: int
) -> None:
    answer = post(client, shops, **body)
    assert answer.status_code == status
    assert status == 200 or answer.json["detail"]


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"null", b"[" * 100_000, b'{"limit": 1e999}', b"\xff", b'{"offset": NaN}'],
)
def test_a_body_that_is_no_object_is_refused(
    client: FlaskClient, shops: Served, content: bytes
) -> None:
    address = f"/api/v1/tables/{shops.table}/query"
    answer = client.post(address, data=content, content_type="application/json")
    assert answer.status_code in (400, 422)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(
        ["名称", "金额", "lat", "lon", "day", "count(*)", "-day", "金额 > 3", "x", ""]
    )
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "and",
                    "or",
                    "not",
                    "column",
                    "op",
                    "value",
                    "words",
                    "near",
                    "box",
                    "columns",
                    "x",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
BODIES = st.dictionaries(
    st.sampled_from(
        [
            "select",
            "where",
            "order_by",
            "group_by",
            "measures",
            "having",
            "distinct",
            "join",
            "limit",
            "offset",
            "count",
            "cursor",
            "as_of",
            "format",
        ]
    ),
    JSON,
    max_size=4,
)


@bounded(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=BODIES)
def test_no_body_makes_the_portal_fail(
    client: FlaskClient, shops: Served, body: dict[str, object]
) -> None:
    answer = post(client, shops, **body)
    assert answer.status_code < 500, answer.text
