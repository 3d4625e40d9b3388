"""Writing through CKAN's DataStore: what its own tests and documentation describe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from catalog.db import db, transaction
from catalog.models.dataset import Resource
from catalog.permissions import SCHEDULER
from catalog.services import resources
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_organization, put
from tests.make_portal import make_served

BOOKS = [
    {"id": "id", "type": "text"},
    {"id": "book", "type": "text"},
    {"id": "author", "type": "text"},
]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str]]:
    """One portal for all writes: each test makes tables of its own."""
    folder = tmp_path_factory.mktemp("ckan")
    with make_app(folder) as app:
        make_organization()
        put("Books", slug="books")
        yield app, make_key()


@pytest.fixture
def ckan(portal: tuple[Flask, str]) -> Ckan:
    app, key = portal
    return Ckan(app.test_client(), key)


def make_books(ckan: Ckan, *records: dict[str, Any], **more: Any) -> str:
    """A table of books with the key `id`; its resource."""
    asked = {"fields": BOOKS, "primary_key": "id", "records": list(records), **more}
    created = ckan.call("datastore_create", resource={"package_id": "books"}, **asked)
    resource_id: str = created["resource_id"]
    return resource_id


def make_resource(ckan: Ckan, **fields: Any) -> str:
    made = ckan.call("resource_create", package_id="books", url_type="datastore", **fields)
    resource_id: str = made["id"]
    return resource_id


# Creating


def test_a_table_is_made_with_a_resource_of_a_dataset(ckan: Ckan) -> None:
    fields = [{"id": "boo%k", "type": "text"}, {"id": "author", "type": "json"}]
    result = ckan.call(
        "datastore_create",
        resource={"package_id": "books", "name": "Novels", "format": "csv"},
        fields=fields,
        indexes=[["boo%k", "author"], "author"],
        records=[
            {"boo%k": "crime", "author": ["tolstoy", "dostoevsky"]},
            {"boo%k": "annakarenina", "author": {"first": "leo"}},
            {"boo%k": "warandpeace"},
        ],
    )
    assert result["fields"] == fields
    assert "records" not in result
    assert ckan.records(result["resource_id"]) == [
        {"_id": 1, "boo%k": "crime", "author": ["tolstoy", "dostoevsky"]},
        {"_id": 2, "boo%k": "annakarenina", "author": {"first": "leo"}},
        {"_id": 3, "boo%k": "warandpeace", "author": None},
    ]
    resource = ckan.call("resource_show", id=result["resource_id"])
    assert resource["datastore_active"] is True
    assert resource["url_type"] == "datastore"
    assert (resource["name"], resource["format"]) == ("Novels", "CSV")
    assert resource["url"] == f"http://localhost/datastore/dump/{result['resource_id']}"
    assert resource["last_modified"]
    package = ckan.call("package_show", id="books")
    assert result["resource_id"] in [one["id"] for one in package["resources"]]


def test_types_are_guessed_from_the_first_record(ckan: Ckan) -> None:
    resource_id = make_resource(ckan)
    ckan.call(
        "datastore_create",
        resource_id=resource_id,
        fields=[{"id": "author", "type": "json"}, {"id": "count"}, {"id": "book"}, {"id": "date"}],
        records=[
            {"book": "annakarenina", "author": "tolstoy", "count": 1, "date": "2005-12-01", "count2": 0.5},
            {"book": "crime", "author": ["tolstoy", "dostoevsky"]},
        ],
    )  # fmt: skip
    types = {
        field["id"]: field["type"]
        for field in ckan.call("datastore_info", id=resource_id)["fields"]
    }
    assert types == {
        "author": "json", "count": "int4", "book": "text", "date": "timestamp", "count2": "float8",
    }  # fmt: skip
    assert ckan.records(resource_id)[0]["author"] == "tolstoy"
    ckan.call(
        "datastore_create",
        resource_id=resource_id,
        fields=[{"id": "author", "type": "text"}, {"id": "count"}, {"id": "extra", "type": "text"}, {"id": "date2"}],
        records=[{"book": "x", "count": 2, "nested": [1, 2], "date2": "01/02/2005", "yes": True}],
    )  # fmt: skip
    result = ckan.call("datastore_search", resource_id=resource_id)
    types = {field["id"]: field["type"] for field in result["fields"]}
    assert (types["author"], types["extra"]) == ("json", "text")
    assert (types["date2"], types["nested"], types["yes"]) == ("timestamp", "json", "bool")
    assert result["records"][2] == {
        "_id": 3, "author": None, "count": 2, "book": "x", "date": None, "count2": None,
        "extra": None, "date2": "2005-01-02T00:00:00.000", "nested": [1, 2], "yes": True,
    }  # fmt: skip


def test_arrays_and_all_other_types_come_back_as_they_went_in(ckan: Ckan) -> None:
    values = {
        "text": "x", "varchar": "x", "int": 5, "bigint": 2**40, "smallint": -3, "numeric": 0.1,
        "float": 2.5, "bool": False, "date": "2020-02-02", "timestamp": "2020-01-01T10:20:30.500",
        "timestamptz": "2020-01-01T10:20:30.000", "time": "12:30", "json": {"a": [1]},
        "jsonb": [1], "_text": ["a", "b"], "text[]": [], "int[2]": [3, -42], "uuid": "a-b",
    }  # fmt: skip
    resource_id = make_resource(ckan)
    fields = [{"id": f"f {name}", "type": name} for name in values]
    record = {f"f {name}": value for name, value in values.items()}
    ckan.call("datastore_create", resource_id=resource_id, fields=fields, records=[record])
    assert ckan.records(resource_id) == [{"_id": 1, **record}]
    told = {
        field["id"]: field["type"]
        for field in ckan.call("datastore_info", id=resource_id)["fields"]
    }
    assert [told[f"f {name}"] for name in ("int", "float", "bigint", "text[]", "int[2]", "json")] == [
        "int4", "float8", "int8", "_text", "_int4", "json",
    ]  # fmt: skip
    assert ckan.records(resource_id, records_format="csv", fields="f text[],f json") == (
        '[],"{""a"": [1]}"\n'
    )


def test_the_data_dictionary_is_kept_and_told(ckan: Ckan) -> None:
    info = {"label": "Year", "notes": "of the first edition", "type_override": "numeric"}
    fields = [{"id": "year", "type": "int", "info": info}, {"id": "book", "type": "text"}]
    resource_id = make_resource(ckan)
    result = ckan.call("datastore_create", resource_id=resource_id, fields=fields)
    assert result["fields"] == fields
    told = ckan.call("datastore_search", resource_id=resource_id)["fields"]
    assert told[1] == {"id": "year", "type": "int4", "info": info}
    assert told[2] == {"id": "book", "type": "text"}
    again = [{"id": "year", "info": {"label": "年"}}, {"id": "book"}]
    ckan.call("datastore_create", resource_id=resource_id, fields=again)
    assert ckan.call("datastore_info", id=resource_id)["fields"][0]["info"] == {"label": "年"}


def test_fields_that_are_not_named_go_when_that_is_wanted(ckan: Ckan) -> None:
    resource_id = make_books(ckan, {"id": "1", "book": "x", "author": "y"})
    two = [{"id": "id", "type": "text"}, {"id": "author", "type": "text"}]
    ckan.call("datastore_create", resource_id=resource_id, fields=two)
    names = [field["id"] for field in ckan.call("datastore_info", id=resource_id)["fields"]]
    assert names == ["id", "book", "author"]
    ckan.call("datastore_create", resource_id=resource_id, fields=two, delete_fields=True)
    assert ckan.records(resource_id) == [{"_id": 1, "id": "1", "author": "y"}]


def test_records_are_told_when_they_are_wanted(ckan: Ckan) -> None:
    resource_id = make_resource(ckan)
    result = ckan.call(
        "datastore_create",
        resource_id=resource_id,
        records=[{"a": "x", "n": "5"}, {"a": "y", "n": ""}],
        include_records=True,
    )
    assert result["records"] == [{"_id": 1, "a": "x", "n": 5}, {"_id": 2, "a": "y", "n": None}]
    assert result["fields"] == [{"id": "a", "type": "text"}, {"id": "n", "type": "integer"}]


def test_an_alias_is_another_name_until_it_is_replaced(ckan: Ckan) -> None:
    resource_id = make_books(ckan, {"id": "1"}, aliases="great_list, another_list_of_bücks")
    assert ckan.call("datastore_info", id="great_list")["meta"]["id"] == resource_id
    assert ckan.call("datastore_search", resource_id="great_list")["resource_id"] == resource_id
    assert ckan.client.get("/datastore/dump/great_list").text == "_id,id,book,author\r\n1,1,,\n"
    listed = ckan.records("_table_metadata", limit=1000)
    aliases = {row["name"] for row in listed if row["alias_of"] == resource_id}
    assert aliases == {"great_list", "another_list_of_bücks"}
    one = {"alias_of": resource_id, "name": "great_list"}
    (row,) = ckan.records("_table_metadata", filters=one)
    assert (row["name"], row["alias_of"]) == ("great_list", resource_id)
    for filters in ({"oid": 5}, {"name": ["x"]}, ["x"]):
        ckan.refused("datastore_search", 409, resource_id="_table_metadata", filters=filters)
    other = make_books(ckan)
    for alias, said in (
        ("great_list", 'The alias "great_list" already exists.'),
        (resource_id, f'The alias "{resource_id}" already exists.'),
        ('foo"bar', '"foo"bar" is not a valid alias name'),
        ("fo%25bar", '"fo%25bar" is not a valid alias name'),
    ):
        error = ckan.refused("datastore_create", 409, resource_id=other, aliases=[alias])
        assert error["alias"] == [said]
    ckan.call("datastore_create", resource_id=resource_id, aliases="one_more")
    ckan.refused("datastore_search", 404, resource_id="great_list")
    assert ckan.call("datastore_info", id="one_more")["meta"]["aliases"] == ["one_more"]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"fields": "x"}, {"message": "Only lists of dicts can be placed against subschema"}),
        ({"fields": [{"type": "text"}]}, {"fields": [{"id": ["Missing value"]}]}),
        (
            {"fields": [{"id": "a", "type": "text"}, {"id": "_b", "type": "text"}]},
            {"fields": [{}, {"id": ['"_b" is not a valid field name']}]},
        ),
        ({"fields": [{"id": "a", "type": "int["}]}, {"fields": ['"int[" is not a valid field type']}),
        ({"fields": [{"id": "a", "type": 5}]}, {"fields": ['"5" is not a valid field type']}),
        ({"fields": [{"id": "a"}]}, {"fields": ['"a" type not guessable']}),
        (
            {"fields": [{"id": "x" * 64, "type": "text"}]},
            {"fields": [f'Column heading "{"x" * 64}" exceeds limit of 63 characters.']},
        ),
        (
            {"fields": [{"id": "a", "type": "text"}, {"id": "a", "type": "text"}]},
            {"field": ["Duplicate column names are not supported"]},
        ),
        ({"records": ["bad"]}, {"records": ["The first row is not a json object"]}),
        ({"records": {"a": 1}}, {"records": ["Records has to be a list of dicts"]}),
        ({"records": [{"a": 1}, []]}, {"records": ['row "1" is not a json object']}),
        ({"records": [{"a": 1}, {"b": 1}]}, {"records": ['row "2" has extra keys "b"']}),
        ({"records": [{"_a": 1}]}, {"fields": ['"_a" is not a valid field name']}),
        (
            {"fields": [{"id": "a", "type": "numeric"}], "records": [{"a": 1}, {"a": "   "}]},
            {"records": ['invalid input syntax for type numeric: "   "'], "records_row": 1},
        ),
        (
            {"fields": [{"id": "a", "type": "text"}], "indexes": "a, dummy"},
            {"index": ['The field "dummy" is not a valid column name.']},
        ),
        (
            {"fields": [{"id": "a", "type": "text"}], "primary_key": "dummy"},
            {"index": ["The field \"['dummy']\" is not a valid column name."]},
        ),
        ({"triggers": [{"function": "f"}], "fields": []}, {"triggers": ["functions in the database are not offered here"]}),
        ({"resource": {"package_id": "books"}}, {"resource": ["resource cannot be used with resource_id"]}),
        ({"calculate_record_count": "later"}, {"calculate_record_count": ["Value must be boolean or one of: background"]}),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_in_ckans_words(
    ckan: Ckan, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    resource_id = make_resource(ckan)
    status = 400 if "message" in error else 409
    said = ckan.refused("datastore_create", status, resource_id=resource_id, **asked)
    for name, texts in error.items():
        assert said[name] == texts or texts in said[name]
    assert said["__type"] == ("Integrity Error" if status == 400 else "Validation Error")
    assert ckan.call("resource_show", id=resource_id)["datastore_active"] is False


def test_a_call_names_a_resource_that_is_there(ckan: Ckan) -> None:
    assert ckan.refused("datastore_create", 409)["resource_id"] == [
        "resource_id or resource required"
    ]
    error = ckan.refused("datastore_create", 409, resource_id="nope")
    assert error["resource_id"] == ["Resource not found: nope"]
    error = ckan.refused(
        "datastore_create", 409, resource={"package_id": "books", "url": "http://x"}
    )
    assert error["resource"] == ["The datapusher has to be enabled."]
    error = ckan.refused("datastore_create", 404, resource={"package_id": "nope"})
    assert error["message"] == "Not found: Package was not found."
    assert ckan.refused("datastore_create", 409, resource="x")["resource"] == ["Must be a dict"]


def test_a_table_comes_with_its_first_field(ckan: Ckan) -> None:
    made = ckan.call("datastore_create", resource={"package_id": "books", "author": ["tolstoy"]})
    assert made["fields"] == []
    resource = ckan.call("resource_show", id=made["resource_id"])
    assert (resource["datastore_active"], resource["author"]) == (False, ["tolstoy"])
    error = ckan.refused(
        "datastore_create", 409, resource_id=made["resource_id"], aliases="too_early"
    )
    assert error["fields"] == ["a table needs at least one field"]
    ckan.call("datastore_create", resource_id=made["resource_id"], records=[{"a": "007"}])
    assert ckan.records(made["resource_id"]) == [{"_id": 1, "a": "007"}]


def test_a_failed_call_leaves_nothing(ckan: Ckan) -> None:
    before = ckan.call("package_show", id="books")["num_resources"]
    asked = {"fields": [{"id": "n", "type": "int"}], "records": [{"n": "x"}]}
    ckan.refused("datastore_create", 409, resource={"package_id": "books"}, **asked)
    asked = {"records": [{"n": 1}, {"n": 1}], "primary_key": ["n"]}
    error = ckan.refused("datastore_create", 409, resource={"package_id": "books"}, **asked)
    assert "constraints" in error
    assert ckan.call("package_show", id="books")["num_resources"] == before


def test_a_key_may_be_given_later_and_taken_away(ckan: Ckan) -> None:
    resource_id = make_resource(ckan)
    rows = [{"boo%k": "crime"}, {"boo%k": "warandpeace"}]
    ckan.call("datastore_create", resource_id=resource_id, records=rows)
    again = {"resource_id": resource_id, "records": [{"boo%k": "warandpeace", "new": 1}]}
    error = ckan.refused("datastore_create", 409, **again, primary_key="boo%k")
    assert "constraints" in error
    assert ckan.records(resource_id) == [{"_id": 1, **rows[0]}, {"_id": 2, **rows[1]}]
    ckan.call("datastore_create", **again, primary_key="")
    error = ckan.refused("datastore_create", 409, resource_id=resource_id, primary_key="boo%k")
    assert "constraints" in error
    assert len(ckan.records(resource_id)) == 3


def test_nobody_writes_without_a_key_and_no_stranger_writes(ckan: Ckan, portal: Any) -> None:
    resource_id = make_books(ckan)
    nobody = Ckan(ckan.client)
    for action, more in (
        ("datastore_create", {"aliases": "x"}),
        ("datastore_upsert", {}),
        ("datastore_delete", {}),
        ("datastore_records_delete", {"filters": {}}),
        ("resource_create", {"package_id": "books"}),
        ("resource_delete", {"id": resource_id}),
    ):
        error = nobody.refused(action, 403, resource_id=resource_id, **more)
        assert error["message"] == (
            f"Access denied: Action {action} requires an authenticated user"
        )
    stranger = Ckan(ckan.client, make_key("nowhere", name="stranger"))
    error = stranger.refused("datastore_upsert", 403, resource_id=resource_id)
    assert error["message"] == (
        f"Access denied: User stranger not authorized to perform resource_update on resource {resource_id}"
    )
    assert stranger.refused("datastore_create", 403, resource={"package_id": "books"})["message"]


def test_what_was_harvested_is_written_by_force_only(ckan: Ckan, tmp_path: Any) -> None:
    served = make_served(tmp_path, name="Air")
    error = ckan.refused("datastore_upsert", 409, resource_id=served.resource)
    assert error["read-only"][0].startswith("Cannot edit read-only resource")
    for action in ("datastore_create", "datastore_delete", "datastore_records_delete"):
        assert "read-only" in ckan.refused(
            action, 409, resource_id=served.resource, filters={}, aliases=["air"]
        )
    ckan.call("datastore_create", resource_id=served.resource, force=True, aliases=["air"])
    ckan.call(
        "datastore_upsert",
        resource_id=served.table,
        force=True,
        method="insert",
        records=[{"站点": "新"}],
    )
    assert ckan.records("air", sort="_id desc", limit=1)[0]["站点"] == "新"


# Upserting


def test_an_upsert_changes_some_fields_and_adds_rows(ckan: Ckan) -> None:
    resource_id = make_books(ckan, {"id": "1", "book": "El Niño", "author": "Torres"})
    result = ckan.call(
        "datastore_upsert",
        resource_id=resource_id,
        records=[{"id": "1", "book": "The % boy"}, {"id": "2", "book": None, "author": 5}],
    )
    assert result == {"resource_id": resource_id, "method": "upsert"}
    assert ckan.records(resource_id) == [
        {"_id": 1, "id": "1", "book": "The % boy", "author": "Torres"},
        {"_id": 2, "id": "2", "book": None, "author": "5"},
    ]
    ckan.call("datastore_upsert", resource_id=resource_id, records=[{"id": "1", "author": None}])
    assert ckan.records(resource_id)[0]["author"] is None


def test_the_last_of_equal_keys_counts_and_is_told_once(ckan: Ckan) -> None:
    resource_id = make_books(ckan, {"id": "1"})
    result = ckan.call(
        "datastore_upsert",
        resource_id=resource_id,
        records=[{"id": "1", "book": "a"}, {"id": "3", "book": "b"}, {"id": "1", "book": "c"}],
        include_records=True,
    )
    assert result["records"] == [
        {"_id": 1, "id": "1", "book": "c", "author": None},
        {"_id": 2, "id": "3", "book": "b", "author": None},
    ]


def test_a_row_may_be_named_by_its_number(ckan: Ckan) -> None:
    resource_id = make_books(ckan, {"id": "1000", "book": "El Niño"}, {"id": "2"})
    ckan.call(
        "datastore_upsert", resource_id=resource_id, records=[{"_id": "1", "book": "The boy"}]
    )
    ckan.call(
        "datastore_upsert",
        resource_id=resource_id,
        method="update",
        records=[{"_id": 2, "id": "3"}],
    )
    assert ckan.records(resource_id, fields="_id,id,book") == [
        {"_id": 1, "id": "1000", "book": "The boy"},
        {"_id": 2, "id": "3", "book": None},
    ]
    error = ckan.refused(
        "datastore_upsert", 409, resource_id=resource_id, records=[{"_id": 2, "id": "1000"}]
    )
    assert "duplicate key value violates unique constraint" in error["records"][0]
    error = ckan.refused("datastore_upsert", 409, resource_id=resource_id, records=[{"_id": 99}])
    assert error["key"] == ["key \"{'_id': 99}\" not found"]
    error = ckan.refused("datastore_upsert", 409, resource_id=resource_id, records=[{"_id": "x"}])
    assert error["records"] == ['invalid input syntax for type integer: "x"']


def test_without_a_key_rows_are_changed_by_number_only(ckan: Ckan) -> None:
    resource_id = make_books(ckan, {"book": "a"}, {"book": "b"}, primary_key=None)
    error = ckan.refused("datastore_upsert", 409, resource_id=resource_id, records=[{"book": "c"}])
    assert error["table"] == ["unique key must be passed for update/upsert"]
    ckan.call("datastore_upsert", resource_id=resource_id, records=[{"_id": 2, "book": "c"}])
    assert [row["book"] for row in ckan.records(resource_id)] == ["a", "c"]


@pytest.mark.parametrize(
    ("method", "record", "error"),
    [
        ("upsert", {"book": "x"}, {"key": ['fields "id" are missing but needed as key']}),
        ("update", {"author": "x"}, {"key": ['fields "id" are missing but needed as key']}),
        ("upsert", {"id": "1", "dummy": "x"}, {"fields": ['fields "dummy" do not exist']}),
        ("update", {"id": "1", "dummy": "x"}, {"fields": ['fields "dummy" do not exist']}),
        ("insert", {"id": "9", "dummy": "x"}, {"records": ['row "1" has extra keys "dummy"']}),
        ("update", {"id": "9"}, {"key": ["key \"{'id': '9'}\" not found"]}),
        ("upsert", [], {"records": ["The first row is not a json object"]}),
    ],
)
def test_records_that_do_not_fit_are_refused(
    ckan: Ckan, method: str, record: Any, error: dict[str, Any]
) -> None:
    resource_id = make_books(ckan, {"id": "1"})
    said = ckan.refused(
        "datastore_upsert", 409, resource_id=resource_id, method=method, records=[record]
    )
    assert said == {**error, "__type": "Validation Error"}


def test_an_insert_never_changes_a_row(ckan: Ckan) -> None:
    resource_id = make_books(ckan, {"id": "1", "book": "guide"})
    error = ckan.refused(
        "datastore_upsert",
        409,
        resource_id=resource_id,
        method="insert",
        records=[{"id": "2"}, {"id": "1", "book": "x"}],
    )
    assert "duplicate key value violates unique constraint" in error["records"][0]
    assert error["records_row"] == 1
    assert ckan.records(resource_id, fields="id,book") == [{"id": "1", "book": "guide"}]
    error = ckan.refused("datastore_upsert", 409, resource_id=resource_id, method="put", records=[])
    assert error["method"] == ["Value must be one of ['upsert', 'insert', 'update']"]
    assert ckan.refused("datastore_upsert", 409)["resource_id"] == ["Missing value"]


def test_values_that_do_not_fit_are_named_with_their_row(ckan: Ckan) -> None:
    kinds = ("int", "numeric", "bool", "date", "timestamp", "int4[]", "float")
    fields = [{"id": name, "type": name} for name in kinds]
    resource_id = make_resource(ckan)
    ckan.call("datastore_create", resource_id=resource_id, fields=fields)
    for name, value, said in (
        ("int", "notanumber", 'invalid input syntax for type integer: "notanumber"'),
        ("int", 1.5, 'invalid input syntax for type integer: "1.5"'),
        ("int", 2**31, 'value "2147483648" is out of range for type integer'),
        ("int", "1e99", 'value "1e99" is out of range for type integer'),
        ("int", True, 'invalid input syntax for type integer: "True"'),
        ("numeric", "12345678901234567890.1", "more digits than a number keeps here"),
        ("float", "1e999", "out of range for type double precision"),
        ("bool", "maybe", 'invalid input syntax for type boolean: "maybe"'),
        ("date", "32/13/2020", 'date/time field value out of range: "32/13/2020"'),
        ("date", "soon", 'invalid input syntax for type date: "soon"'),
        ("timestamp", "soon", 'invalid input syntax for type timestamp: "soon"'),
        ("int4[]", "x", 'malformed array literal: "x"'),
        ("int4[]", ["x"], 'invalid input syntax for type integer: "x"'),
    ):
        error = ckan.refused(
            "datastore_upsert",
            409,
            resource_id=resource_id,
            method="insert",
            records=[{}, {name: value}],
        )
        assert said in error["records"][0], (name, value)
        assert error["records_row"] == 1
    ckan.call(
        "datastore_upsert",
        resource_id=resource_id,
        method="insert",
        records=[
            {"int": "", "numeric": "", "bool": "", "date": "", "timestamp": "", "int4[]": ""},
            {
                "int": 2.0,
                "bool": "yes",
                "date": "02/03/2020",
                "timestamp": "2020-01-01T00:00:00+08:00",
            },
        ],
    )
    empty, full = ckan.records(resource_id)
    assert empty == {"_id": 1, **dict.fromkeys(kinds)}
    assert (full["int"], full["bool"], full["date"]) == (2, True, "2020-02-03")
    assert full["timestamp"] == "2020-01-01T00:00:00.000"


def test_a_dry_run_finds_mistakes_and_keeps_nothing(ckan: Ckan) -> None:
    resource_id = make_books(ckan)
    asked = {"resource_id": resource_id, "records": [{"id": "1"}, {"id": "2"}], "dry_run": True}
    assert ckan.call("datastore_upsert", **asked, include_records=True)["records"] == []
    assert ckan.records(resource_id) == []
    error = ckan.refused("datastore_upsert", 409, **{**asked, "records": [{"id": "1", "x": 1}]})
    assert error["fields"] == ['fields "x" do not exist']
    error = ckan.refused("datastore_upsert", 409, **asked, method="update")
    assert "not found" in error["key"][0]


def test_what_was_added_for_a_failed_call_is_taken_back(ckan: Ckan) -> None:
    resource_id = make_books(ckan, {"id": "1"})
    error = ckan.refused(
        "datastore_create",
        409,
        resource_id=resource_id,
        records=[{"id": "2", "extra": 1}, {"id": "1", "extra": 2}],
    )
    assert "duplicate key value" in error["records"][0]
    assert ckan.records(resource_id) == [{"_id": 1, "id": "1", "book": None, "author": None}]
    many = [{"id": str(at)} for at in range(50_001)]
    error = ckan.refused("datastore_upsert", 413, resource_id=resource_id, records=many)
    assert error["__type"] == "Request Too Large Error"


def test_rows_without_a_key_value_are_never_the_same(ckan: Ckan) -> None:
    resource_id = make_books(ckan)
    rows = [{"id": None, "book": "a"}, {"id": None, "book": "b"}]
    ckan.call("datastore_upsert", resource_id=resource_id, method="insert", records=rows)
    ckan.call("datastore_upsert", resource_id=resource_id, records=[{"id": None, "book": "c"}])
    assert [row["book"] for row in ckan.records(resource_id)] == ["a", "b", "c"]


# Deleting


def test_rows_are_deleted_by_filters(ckan: Ckan) -> None:
    rows = [{"id": str(n), "book": f"b{n % 2}", "author": "x"} for n in range(4)]
    resource_id = make_books(ckan, *rows)
    asked = {"resource_id": resource_id, "filters": {"book": "b1", "author": "nobody"}}
    assert ckan.call("datastore_delete", **asked) == asked
    assert len(ckan.records(resource_id)) == 4
    result = ckan.call(
        "datastore_records_delete",
        resource_id=resource_id,
        filters={"book": "b1"},
        include_deleted_records=True,
    )
    assert [row["_id"] for row in result["deleted_records"]] == [2, 4]
    ckan.call("datastore_delete", id=resource_id, filters={"_id": {"gt": 2}})
    ckan.call("datastore_upsert", resource_id=resource_id, records=[{"id": "new"}])
    assert [row["_id"] for row in ckan.records(resource_id)] == [1, 5]
    ckan.call("datastore_delete", resource_id=resource_id, filters={})
    result = ckan.call("datastore_search", resource_id=resource_id)
    assert (result["records"], result["total"]) == ([], 0)


def test_without_filters_the_table_goes_and_the_resource_stays(ckan: Ckan) -> None:
    resource_id = make_books(ckan, {"id": "1"}, aliases="gone_soon")
    assert ckan.call("datastore_delete", resource_id=resource_id) == {"resource_id": resource_id}
    for name in (resource_id, "gone_soon"):
        ckan.refused("datastore_search", 404, resource_id=name)
    assert ckan.call("resource_show", id=resource_id)["datastore_active"] is False
    ckan.refused("datastore_delete", 404, resource_id=resource_id)
    ckan.call("datastore_create", resource_id=resource_id, records=[{"a": 1}])
    assert ckan.records(resource_id) == [{"_id": 1, "a": 1}]


@pytest.mark.parametrize(
    ("action", "asked", "error"),
    [
        ("datastore_records_delete", {}, {"filters": ["Missing value"]}),
        ("datastore_records_delete", {"filters": "x"}, {"filters": ["Must be a dict"]}),
        ("datastore_delete", {"filters": []}, {"filters": ["filters must be either a dict or null."]}),
        ("datastore_delete", {"filters": {"nope": 1}}, {"filters": ["Unknown field: nope"]}),
        ("datastore_delete", {"filters": {}, "q": "x"}, {"__extras": ['invalid value "q"']}),
    ],
)  # fmt: skip
def test_what_cannot_be_deleted_is_refused(
    ckan: Ckan, action: str, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    resource_id = make_books(ckan, {"id": "1"})
    said = ckan.refused(action, 409, resource_id=resource_id, **asked)
    assert said == {**error, "__type": "Validation Error"}
    assert len(ckan.records(resource_id)) == 1
    missing = ckan.refused("datastore_delete", 404, resource_id="bad")
    assert missing["message"] == "Not found: Resource was not found."


def test_a_resource_goes_with_its_table(ckan: Ckan) -> None:
    first, second = make_books(ckan, {"id": "1"}), make_books(ckan, {"id": "2"})
    assert ckan.call("resource_delete", id=first) is None
    ckan.refused("datastore_search", 404, resource_id=first)
    ckan.refused("resource_show", 404, id=first)
    assert len(ckan.records(second)) == 1
    with transaction():
        db.session.get_one(Resource, second)
    assert resources.show(SCHEDULER, second).tables
