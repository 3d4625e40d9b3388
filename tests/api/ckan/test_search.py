"""`datastore_search` as CKAN's own tests describe it, on a table that a harvest loaded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import Access, ColumnType
from tests.make_ckan import Ckan, make_app
from tests.make_portal import Served, make_served
from tests.make_table import Row, make_columns

PLACES = make_columns(
    id=ColumnType.INTEGER,
    date=ColumnType.DATE,
    x=ColumnType.INTEGER,
    country=ColumnType.STRING,
    title=ColumnType.STRING,
    lat=ColumnType.NUMBER,
    seen=ColumnType.DATETIME,
    special=ColumnType.BOOLEAN,
)


def place(*values: Any) -> Row:
    return dict(zip([column.name for column in PLACES], values, strict=True))


ROWS = (
    place(0, date(2011, 1, 1), 1, "DE", "first 99", 52.56, datetime(2011, 1, 1, 8), False),
    place(1, date(2011, 2, 2), 2, "UK", "second", 54.97, datetime(2011, 1, 2, 8), False),
    place(2, date(2011, 3, 3), 3, "US", "third, “quoted”", 40.0, None, True),
    place(3, date(2011, 4, 4), 4, "UK", 'a "fourth" dessert', 57.27, None, False),
    place(4, date(2011, 5, 4), None, "UK", "", 51.58, None, None),
    place(5, None, 6, "DE", "sixth 53.56 北京东四站", None, None, None),
)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Served]]:
    """One portal for all searches, which change nothing."""
    folder = tmp_path_factory.mktemp("ckan")
    with make_app(folder) as app:
        yield app, make_served(folder, columns=PLACES, rows=ROWS)


@pytest.fixture
def served(portal: tuple[Flask, Served]) -> Served:
    return portal[1]


@pytest.fixture
def client(portal: tuple[Flask, Served]) -> FlaskClient:
    return portal[0].test_client()


@pytest.fixture
def ckan(client: FlaskClient) -> Ckan:
    return Ckan(client)


def ids(ckan: Ckan, served: Served, **asked: Any) -> list[int]:
    return [row["_id"] for row in ckan.records(served.resource, **asked)]


def test_a_search_gives_rows_fields_and_an_exact_total(ckan: Ckan, served: Served) -> None:
    result = ckan.call("datastore_search", resource_id=served.resource)
    assert result["records"][0] == {
        "_id": 1,
        "id": 0,
        "date": "2011-01-01",
        "x": 1,
        "country": "DE",
        "title": "first 99",
        "lat": 52.56,
        "seen": "2011-01-01T08:00:00.000",
        "special": False,
    }
    assert result["fields"] == [
        {"id": "_id", "type": "int"},
        {"id": "id", "type": "int8"},
        {"id": "date", "type": "date"},
        {"id": "x", "type": "int8"},
        {"id": "country", "type": "text"},
        {"id": "title", "type": "text"},
        {"id": "lat", "type": "numeric"},
        {"id": "seen", "type": "timestamp"},
        {"id": "special", "type": "bool"},
    ]
    assert (result["total"], result["total_was_estimated"]) == (6, False)
    assert (result["limit"], result["records_format"]) == (100, "objects")
    assert result["resource_id"] == served.resource


def test_a_table_is_found_by_its_resource_and_by_its_own_id(ckan: Ckan, served: Served) -> None:
    by_resource = ckan.records(served.resource)
    assert ckan.records(served.table) == by_resource
    assert ckan.call("datastore_search", id=served.resource)["records"] == by_resource


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"country": "DE"}, [1, 6]),
        ({"country": ["DE", "US"]}, [1, 3, 6]),
        ({"country": "UK", "x": 2}, [2]),
        ({"x": {"gt": 1, "lt": 4}}, [2, 3]),
        ({"x": {"gte": "2", "lte": 3}}, [2, 3]),
        ({"x": [{"lte": 1}, 3, {"gte": 6}]}, [1, 3, 6]),
        ({"lat": 40}, [3]),
        ({"lat": {"eq": "52.56"}}, [1]),
        ({"date": "2011-02-02"}, [2]),
        ({"date": {"lt": "2011-02-02"}}, [1]),
        ({"seen": {"gte": "2011-01-02T08:00:00"}}, [2]),
        ({"special": True}, [3]),
        ({"special": "false"}, [1, 2, 4]),
        ({"title": 99}, []),
        ({"_id": 3}, [3]),
        ({"_id": {"gt": 4}}, [5, 6]),
        ({"_id": {"gt": "4.5"}}, [5, 6]),
        ({"_id": ["1", 6]}, [1, 6]),
        ({"$or": [{"country": "US"}, {"country": "UK", "special": False}]}, [2, 3, 4]),
        ({"special": False, "$or": [{"country": "DE"}, {"_id": {"gt": 2}}]}, [1, 4]),
        ({"$and": [{"country": "UK"}, {"$or": [{"x": 2}, {"x": 4}]}]}, [2, 4]),
        ([{"country": "US"}, {"_id": 1}], [1, 3]),
        ({"x": []}, []),
        ({"x": None}, []),
        ({"x": {"in": [1, 3]}}, [1, 3]),
        ({"x": {}}, [1, 2, 3, 4, 5, 6]),
        ({"lat": [None]}, []),
        ({}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_filters_find_what_ckan_finds(
    ckan: Ckan, served: Served, filters: Any, found: list[int]
) -> None:
    assert ids(ckan, served, filters=filters) == found
    result = ckan.call("datastore_search", resource_id=served.resource, filters=filters, limit=1)
    assert result["total"] == len(found)


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("_id desc", [6, 5, 4, 3, 2, 1]),
        ("_id", [1, 2, 3, 4, 5, 6]),
        ("country, x desc", [6, 1, 5, 4, 2, 3]),
        ("country desc, x desc nulls last", [3, 4, 2, 5, 6, 1]),
        ("x", [1, 2, 3, 4, 6, 5]),
        ("x desc", [5, 6, 4, 3, 2, 1]),
        ("x nulls first", [5, 1, 2, 3, 4, 6]),
        ('"lat" desc NULLS LAST', [4, 2, 1, 5, 3, 6]),
        (["x desc nulls last", "country"], [6, 4, 3, 2, 1, 5]),
    ],
)
def test_rows_are_sorted_with_nulls_where_postgresql_has_them(
    ckan: Ckan, served: Served, sort: Any, found: list[int]
) -> None:
    assert ids(ckan, served, sort=sort) == found


@pytest.mark.parametrize(
    ("q", "plain", "found"),
    [
        ("DE", True, [1, 6]),
        ("de", True, [1, 6]),
        ("99", True, [1]),
        ("4", True, [4, 5]),
        ("3", True, [3, 4]),
        ("40", True, [3]),
        ("53.56", True, [6]),
        ("52.56", True, [1]),
        ("53", True, []),
        ("2011-01-01", True, [1]),
        ("fourth UK", True, [4]),
        ("UK and the dessert", True, [4]),
        ("the", True, []),
        ("东四", True, [6]),
        ("北京 sixth", True, [6]),
        ("true", True, [3]),
        ('"{}"', True, []),
        ("DE | US", False, [1, 3, 6]),
        ("UK & !dessert", False, [2, 5]),
        ("(DE | UK) & (first | second)", False, [1, 2]),
        ("sec:*", False, [2]),
        ("'fourth' <-> dessert", False, [4]),
        ("desserts", True, [4]),
        ("quoting", True, [3]),
        ("don't the", True, []),
        ("fourths <-> desserts", False, [4]),
        ("dessert <-> fourth", False, []),
        ("third <-> quoted", False, [3]),
        ("'a fourth dessert'", False, [4]),
        ("sixth <2> 北京", False, [6]),
        ("sixth <4> 北京", False, []),
        ("sixth <-> 53.56 <-> 北京", False, [6]),
        ("sixth <2> 北京:*", False, [6]),
        ("sixth <0> 北京", False, [6]),
        ("(first | sixth) <-> 北京", False, [6]),
        ("desserts:*", False, [4]),
        ("quot:* & !the", False, [3]),
        ("the | UK", False, [2, 4, 5]),
        ("the <-> a", False, []),
        ("(the)", False, []),
        ("", False, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_words_are_found_whole_in_any_field(
    ckan: Ckan, served: Served, q: str, plain: bool, found: list[int]
) -> None:
    assert sorted(ids(ckan, served, q=q, plain=plain)) == found
    result = ckan.call("datastore_search", resource_id=served.resource, q=q, plain=plain, limit=0)
    assert result["total"] == len(found)


def test_other_languages_take_words_as_they_are(ckan: Ckan, served: Served) -> None:
    assert ids(ckan, served, q="desserts", language="simple") == []
    assert ids(ckan, served, q="dessert a", language="simple") == [4]
    assert ids(ckan, served, q={"title": "fourth"}, language="french") == [4]
    error = ckan.refused("datastore_search", 409, resource_id=served.resource, q="a", language="x")
    assert error["info"] == {"orig": ['text search configuration "x" does not exist']}


def test_all_words_of_a_stem_count_for_the_rank(ckan: Ckan, served: Served) -> None:
    (once,) = ckan.records(served.resource, q="DESSERTS")
    (begun,) = ckan.records(served.resource, q="dess:*", plain=False)
    assert once["rank"] == begun["rank"] > 0.05


def test_words_are_found_in_a_field(ckan: Ckan, served: Served) -> None:
    assert ids(ckan, served, q={"title": "dessert"}) == [4]
    assert ids(ckan, served, q={"country": "dessert"}) == []
    assert ids(ckan, served, q='{"title": "fourth", "country": "UK"}') == [4]


def test_the_best_matches_come_first_with_their_rank(ckan: Ckan, served: Served) -> None:
    result = ckan.call("datastore_search", resource_id=served.resource, q="UK 4")
    assert result["fields"][-1] == {"id": "rank", "type": "float"}
    ranks = [row["rank"] for row in result["records"]]
    assert ranks == sorted(ranks, reverse=True)
    assert all(0 < rank < 1 for rank in ranks)
    of_field = ckan.records(served.resource, q={"country": "uk"}, fields="country, rank country")
    assert of_field == [{"country": "UK", "rank country": of_field[0]["rank country"]}] * 3
    assert "rank" not in ckan.records(served.resource, q="uk", fields="country")[0]


def test_more_matches_than_can_be_compared_come_in_the_order_of_rows(
    ckan: Ckan, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.ckan.question.MOST_RANKED", 1)
    assert ids(ckan, served, q="UK") == [2, 4, 5]
    assert ids(ckan, served, q="UK", offset=1, limit=1) == [4]
    monkeypatch.setattr("api.ckan.question.MOST_ROWS", 2)
    assert ids(ckan, served, q="UK", offset=1, limit=2) == [4, 5]
    result = ckan.call("datastore_search", resource_id=served.resource, q="UK", limit=1)
    assert result["total"] == 3


def test_full_text_and_q_of_fields_go_together(ckan: Ckan, served: Served) -> None:
    found = ckan.records(
        served.resource, full_text="UK", q={"title": "dessert"}, fields="_id, rank, rank title"
    )
    assert [row["_id"] for row in found] == [4]
    assert set(found[0]) == {"_id", "rank", "rank title"}
    assert ids(ckan, served, full_text="UK", q="dessert") == [4]


def test_a_field_may_be_asked_for_once_in_any_order(ckan: Ckan, served: Served) -> None:
    assert ckan.records(served.resource, fields="x, country,x", limit=1) == [
        {"x": 1, "country": "DE"}
    ]
    assert ckan.records(served.resource, fields=["country"], limit=1) == [{"country": "DE"}]


def test_distinct_rows_are_counted_and_paged(ckan: Ckan, served: Served) -> None:
    result = ckan.call(
        "datastore_search", resource_id=served.resource, fields="country", distinct=True, limit=2
    )
    assert result["records"] == [{"country": "DE"}, {"country": "UK"}]
    assert result["total"] == 3
    with_order = ckan.records(
        served.resource, fields="country,special", distinct="true", sort="country desc, special"
    )
    assert with_order[0] == {"country": "US", "special": True}
    assert len(with_order) == 5
    assert len(ckan.records(served.resource, distinct=True)) == 6


def test_records_may_be_lists_and_text(ckan: Ckan, served: Served) -> None:
    asked = {"fields": "_id,title,lat,seen,special", "filters": {"_id": {"lte": 5}}}
    assert ckan.records(served.resource, **asked, records_format="lists")[2] == [
        3,
        "third, “quoted”",
        40,
        None,
        True,
    ]
    assert ckan.records(served.resource, **asked, records_format="csv") == (
        "1,first 99,52.56,2011-01-01T08:00:00.000,f\n"
        "2,second,54.97,2011-01-02T08:00:00.000,f\n"
        '3,"third, “quoted”",40,,t\n'
        '4,"a ""fourth"" dessert",57.27,,f\n'
        '5,"",51.58,,\n'
    )
    assert ckan.records(served.resource, **asked, records_format="tsv", limit=1) == (
        "1\tfirst 99\t52.56\t2011-01-01T08:00:00.000\tf\n"
    )
    assert ckan.records(served.resource, records_format="csv", limit=0) == ""
    assert ckan.records(served.resource, records_format="objects", limit=0) == []


def test_pages_follow_each_other_by_offset_and_by_the_next_page(ckan: Ckan, served: Served) -> None:
    assert ids(ckan, served, limit=2, offset=3) == [4, 5]
    first = ckan.call(
        "datastore_search", resource_id=served.resource, limit=4, include_next_page=True
    )
    assert first["next_page"] == {"_id": {"gt": 4}}
    assert ids(ckan, served, filters=first["next_page"]) == [5, 6]
    last = ckan.call(
        "datastore_search",
        resource_id=served.resource,
        fields="country",
        sort="_id desc",
        limit=2,
        include_next_page=True,
    )
    assert last["next_page"] == {"_id": {"lt": 5}}
    assert last["records"] == [{"country": "DE"}, {"country": "UK"}]
    for asked in ({"sort": "x"}, {"q": "uk"}, {"limit": 0}, {"fields": "x", "distinct": True}):
        result = ckan.call(
            "datastore_search", resource_id=served.resource, include_next_page=True, **asked
        )
        assert "next_page" not in result


def test_links_lead_to_the_first_and_the_next_page(ckan: Ckan, served: Served) -> None:
    asked = {"filters": {"country": "UK"}, "fields": ["_id", "country"], "limit": 2, "sort": "x"}
    result = ckan.call("datastore_search", resource_id=served.resource, **asked)
    assert result["sort"] == "x"
    following = ckan.client.get(result["_links"]["next"]).json["result"]
    assert following["records"] == [{"_id": 5, "country": "UK"}]
    assert following["total"] == 3
    start = ckan.client.get(following["_links"]["start"]).json["result"]
    assert start["records"] == result["records"]


def test_a_search_may_come_by_get(client: FlaskClient, served: Served) -> None:
    asked = urlencode(
        {"resource_id": served.resource, "filters": '{"country": "UK"}', "include_total": "False"}
    )
    result = client.get(f"/api/action/datastore_search?{asked}").json["result"]
    assert [row["_id"] for row in result["records"]] == [2, 4, 5]
    assert "total" not in result
    assert "total_was_estimated" not in result


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"limit": "bad"}, {"limit": ["Invalid integer"]}),
        ({"limit": -1}, {"limit": ["Must be a natural number"]}),
        ({"limit": 1.5}, {"limit": ["Invalid integer"]}),
        ({"offset": "bad"}, {"offset": ["Invalid integer"]}),
        ({"offset": -1}, {"offset": ['invalid value "-1"']}),
        ({"fields": ["bad"]}, {"fields": ['invalid value "bad"']}),
        (
            {"fields": [{"id": "bad"}]},
            {"fields": ["Neither a string nor a list: {'id': 'bad'}"]},
        ),
        ({"fields": 5}, {"fields": ["Not a list"]}),
        ({"sort": "füü asc"}, {"sort": ['invalid value "füü asc"']}),
        ({"filters": "the-filter"}, {"filters": ["Cannot parse JSON"]}),
        (
            {"filters": '"text"'},
            {"filters": ["Filters must be defined as a dict or a list of dicts"]},
        ),
        (
            {"filters": {"no": 1, "nope": 2}},
            {"filters": ["Unknown field: no", "Unknown field: nope"]},
        ),
        ({"filters": {"x": {"like": 1}}}, {"filters": ["Unknown filter operation: like"]}),
        (
            {"filters": {"$not": []}},
            {"filters": ["Unknown operators (must be one of $or, $and): $not"]},
        ),
        (
            {"filters": {"$or": 5}},
            {"filters": ["Filter operations must be defined as a list of dicts: 5"]},
        ),
        ({"q": {"nope": "x"}}, {"q": ['invalid value "nope"']}),
        ({"q": {"title": ["x"]}}, {"q": ['invalid value "title"']}),
        ({"foo": "bar"}, {"__extras": ['invalid value "foo"']}),
        (
            {"filters": {"x": ""}},
            {
                "query": ["Invalid query"],
                "info": {"orig": ['invalid input syntax for type bigint: ""']},
            },
        ),
        (
            {"filters": {"date": ""}},
            {
                "query": ["Invalid query"],
                "info": {"orig": ['invalid input syntax for type date: ""']},
            },
        ),
        (
            {"filters": {"_id": "first"}},
            {
                "query": ["Invalid query"],
                "info": {"orig": ['invalid input syntax for type bigint: "first"']},
            },
        ),
        (
            {"filters": {"_id": {"gt": [1]}}},
            {
                "query": ["Invalid query"],
                "info": {"orig": ['invalid input syntax for type bigint: "[1]"']},
            },
        ),
        ({"sort": [5]}, {"sort": ["Neither a string nor a list: 5"]}),
        ({"sort": [["x"]]}, {"sort": ["invalid value \"['x']\""]}),
        ({"full_text": {"a": 1}}, {"full_text": ["invalid value \"{'a': 1}\""]}),
        ({"resource_id": ""}, {"resource_id": ["Missing value"]}),
        (
            {"records_format": "xml"},
            {"records_format": ["Value must be one of ['objects', 'lists', 'csv', 'tsv']"]},
        ),
        (
            {"filters": {"x": "many"}},
            {
                "query": ["Invalid query"],
                "info": {"orig": ["“x” is of type integer: “many” cannot be compared with it"]},
            },
        ),
        (
            {"filters": {"date": "many"}},
            {
                "query": ["Invalid query"],
                "info": {"orig": ['invalid input syntax for type date: "many"']},
            },
        ),
        (
            {"q": "a b", "plain": False},
            {"query": ["Invalid query"], "info": {"orig": ['syntax error in tsquery: "a b"']}},
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_in_ckans_words(
    ckan: Ckan, served: Served, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    said = ckan.refused("datastore_search", 409, **{"resource_id": served.resource, **asked})
    assert said == {**error, "__type": "Validation Error"}


@pytest.mark.parametrize(
    "text",
    [
        "&",
        "a &",
        "(a",
        "a)",
        "!",
        "| a",
        "a | | b",
        ":*",
        "a <1>",
        "b <101> c",
        " & ".join(map(str, range(30))),
    ],
)
def test_a_full_text_query_with_a_mistake_is_refused(ckan: Ckan, served: Served, text: str) -> None:
    error = ckan.refused("datastore_search", 409, resource_id=served.resource, q=text, plain="no")
    assert error["query"] == ["Invalid query"]


def test_filters_have_limits(ckan: Ckan, served: Served) -> None:
    deep: Any = {"x": 1}
    for _ in range(12):
        deep = {"$or": [deep]}
    wide = {"$or": [{"x": at} for at in range(200)]}
    for filters, said in ((deep, "nesting depth"), (wide, "number of filter")):
        error = ckan.refused("datastore_search", 409, resource_id=served.resource, filters=filters)
        assert said in error["filters"][0]
    error = ckan.refused(
        "datastore_search",
        409,
        resource_id=served.resource,
        q=" ".join("abcdefghijklmnopqrstuvwxyz"),
    )
    assert error["q"] == ["more than 20 words"]


def test_a_name_that_is_no_table_is_not_found(ckan: Ckan, served: Served) -> None:
    assert ckan.refused("datastore_search", 404, resource_id="nope") == {
        "__type": "Not Found Error",
        "message": 'Not found: Resource "nope" was not found.',
    }
    assert ckan.refused("datastore_search", 409) == {
        "__type": "Validation Error",
        "resource_id": ["Missing value"],
    }


def test_closed_data_is_refused(ckan: Ckan, served: Served) -> None:
    set_access(served, Access.CLOSED)
    try:
        _check_refusal(ckan, served)
    finally:
        set_access(served, Access.OPEN)


def set_access(served: Served, access: Access) -> None:
    with transaction():
        db.session.get_one(Dataset, served.dataset).access = access


def _check_refusal(ckan: Ckan, served: Served) -> None:
    error = ckan.refused("datastore_search", 403, resource_id=served.resource)
    assert error == {
        "__type": "Authorization Error",
        "message": "Access denied: User  not authorized to perform resource_show on resource "
        + served.resource,
    }
    assert ckan.client.get(f"/datastore/dump/{served.resource}").status_code == 404


def test_numbers_that_are_larger_than_a_double_keeps_are_whole(ckan: Ckan, served: Served) -> None:
    raw = ckan.ask("datastore_search", resource_id=served.resource, fields="lat", limit=3)
    assert [row["lat"] for row in orjson.loads(raw.data)["result"]["records"]] == [52.56, 54.97, 40]
    assert b'"lat":40}' in raw.data


def test_the_table_of_all_tables_lists_what_is_open(ckan: Ckan, served: Served) -> None:
    result = ckan.call("datastore_search", resource_id="_table_metadata")
    assert [row["name"] for row in result["records"]] == [served.resource]
    assert result["records"][0]["alias_of"] is None
    assert result["total"] == 1
    for asked in ({"q": "x"}, {"offset": -1}):
        ckan.refused("datastore_search", 409, resource_id="_table_metadata", **asked)
    short = ckan.call(
        "datastore_search", resource_id="_table_metadata", include_total="no", limit=0
    )
    assert ("total" in short, short["records"]) == (False, [])
    lists = ckan.records("_table_metadata", records_format="lists")
    assert lists[0][1] == served.resource
    assert served.resource in ckan.records("_table_metadata", records_format="csv")


def test_info_tells_of_fields_and_of_the_table(ckan: Ckan, served: Served) -> None:
    info = ckan.call("datastore_info", id=served.resource)
    assert set(info["meta"]) == {
        "aliases", "count", "db_size", "id", "idx_size", "size", "table_type",
    }  # fmt: skip
    assert info["meta"]["count"] == 6
    assert info["meta"]["table_type"] == "BASE TABLE"
    assert [field["id"] for field in info["fields"]] == [column.name for column in PLACES]
    assert info["fields"][5]["type"] == "numeric"
    assert info["fields"][6]["schema"] == {
        "native_type": "timestamp without time zone",
        "notnull": False,
        "index_name": None,
        "is_index": False,
        "uniquekey": False,
    }
    short = ckan.call(
        "datastore_info",
        resource_id=served.table,
        include_meta=False,
        include_fields_schema="false",
    )
    assert "meta" not in short
    assert "schema" not in short["fields"][0]
    error = ckan.refused("datastore_info", 404, id="nope")
    assert error["message"] == 'Not found: Resource/Alias "nope" was not found.'
