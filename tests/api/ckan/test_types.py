"""Types of PostgreSQL by all their names, and what is guessed from a value."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from api.ckan.fulltext import rank, searches
from api.ckan.tables import Field, Fields
from api.ckan.types import guessed, pg_type, type_of
from api.ckan.values import WrongValue, fitted
from catalog.models.vocabulary import ColumnType


@pytest.mark.parametrize(
    ("given", "name", "column"),
    [
        ("TEXT", "text", ColumnType.STRING),
        ("character  varying(20)", "varchar", ColumnType.STRING),
        ("int", "int4", ColumnType.INTEGER),
        ("numeric(10, 2)", "numeric", ColumnType.NUMBER),
        ("double precision", "float8", ColumnType.NUMBER),
        ("timestamp without time zone", "timestamp", ColumnType.DATETIME),
        ("nested", "json", ColumnType.STRING),
        ("_text", "_text", ColumnType.STRING),
        ("text[][]", "_text", ColumnType.STRING),
        ("int[2]", "_int4", ColumnType.STRING),
    ],
)
def test_a_type_is_known_by_its_names(given: str, name: str, column: ColumnType) -> None:
    known = pg_type(given)
    assert known is not None
    assert (known.name, known.column) == (name, column)


@pytest.mark.parametrize("given", ["int[", "INVALID", "", "_", "[]", "_nope", 5, None, ["text"]])
def test_what_is_no_type_is_none(given: Any) -> None:
    assert pg_type(given) is None


def test_a_kept_type_counts_only_while_the_column_has_it() -> None:
    assert type_of("json", ColumnType.STRING).is_json
    assert type_of("json", ColumnType.INTEGER).name == "int8"
    assert type_of(None, ColumnType.GEOMETRY).is_json


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1, "int"),
        (True, "bool"),
        (2**31, "bigint"),
        (2**63, "text"),
        (1.5, "float"),
        ([], "json"),
        ({}, "json"),
        (None, "text"),
        ("5", "integer"),
        ("-0", "integer"),
        ("007", "text"),
        ("0", "integer"),
        ("13912345678", "bigint"),
        ("310101199001011234", "bigint"),
        ("3101011990010112345", "bigint"),
        ("31010119900101123456", "text"),
        ("1.50", "numeric"),
        ("0.12345678901234567", "text"),
        ("01.5", "text"),
        ("1e5", "text"),
        ("nan", "text"),
        ("", "text"),
        ("2005-03-01", "timestamp"),
        ("2005-03-01T10:00:00Z", "timestamp"),
        ("31/12/2020", "timestamp"),
        ("2005-13-01", "text"),
        ("60%", "text"),
    ],
)
def test_a_guess_changes_no_value(value: Any, kind: str) -> None:
    assert guessed(value) == kind


@pytest.mark.parametrize(
    ("value", "kind", "made"),
    [
        (None, "int", None),
        ("", "text", ""),
        (True, "text", "true"),
        ({"a": 1}, "text", '{"a": 1}'),
        (25, "text", "25"),
        ("2020-01-02", "date[]", None),
        (["2020-01-02", None, ["x"]], "date[]", '["2020-01-02", null, ["x"]]'),
        ("2020/01/02", "date", date(2020, 1, 2)),
        ("2020-01-01T00:00:00+08:00", "timestamptz", datetime(2019, 12, 31, 16)),
        ("2020-01-01T00:00:00+08:00", "timestamp", datetime(2020, 1, 1)),
        ("1e3", "int", 1000),
        (" 7 ", "int8", 7),
        ("0", "bool", False),
    ],
)
def test_values_are_made_to_fit(value: Any, kind: str, made: Any) -> None:
    wanted = pg_type(kind)
    assert wanted is not None
    if made is None and value is not None:
        with pytest.raises(WrongValue, match="malformed array literal"):
            fitted(value, wanted)
    else:
        assert fitted(value, wanted) == made


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        ("a\0b", "text", "NUL"),
        ("1" * 401, "numeric", "invalid input syntax for type numeric"),
        ([1], "int", "invalid input syntax for type integer"),
        ("soon", "timestamptz", "invalid input syntax for type timestamp with time zone"),
    ],
)
def test_values_that_cannot_fit_are_refused_as_postgresql_does(
    value: Any, kind: str, said: str
) -> None:
    wanted = pg_type(kind)
    assert wanted is not None
    with pytest.raises(WrongValue, match=said):
        fitted(value, wanted)


def test_words_are_counted_as_ranks_need_them() -> None:
    text = pg_type("text")
    assert text is not None
    fields = Fields([Field("a", "a", text, {})])
    (one,) = searches("cat 东四", None, fields, plain=True, language="english")
    assert rank(one, "a cat, the cats; concatenate 北京东四 东四") > rank(one, "cat 东四") > 0
    assert rank(one, "") == 0
    (prefix,) = searches("con:*", None, fields, plain=False, language="english")
    assert rank(prefix, "concatenate") > 0
    (empty,) = searches("", "!!", fields, plain=True, language="simple")
    assert rank(empty, "x") == 0
    assert searches(None, None, fields, plain=True, language="english") == ()
