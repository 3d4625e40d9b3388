"""Types of PostgreSQL by all their names, and what is guessed from a value."""

from __future__ import annotations

from typing import Any

import pytest

from api.ckan.types import guessed, pg_type, type_of
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
