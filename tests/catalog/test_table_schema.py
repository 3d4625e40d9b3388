"""A Table Schema is taken as it is meant, or refused with the name of what cannot be used."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import Invalid
from catalog.models.vocabulary import ColumnType
from catalog.tabular.reading import ReadOptions
from catalog.tabular.table_schema import read_schema


def field(**said: Any) -> dict[str, Any]:
    return {"fields": [{"name": "a", **said}]}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "object with a list of fields"),
        ({"fields": {}}, "object with a list of fields"),
        ({"fields": [{"name": str(at)} for at in range(2_001)]}, "at most 2000"),
        ({"fields": ["a"]}, "object with a name"),
        ({"fields": [{"type": "string"}]}, "object with a name"),
        ({"fields": [{"name": "a"}, {"name": "a"}]}, "names a field twice: a"),
        (field(type="money"), "column a has the unknown type money"),
        (field(semantic="iban"), "semantic of the column a must be one of uscc"),
        (field(crs="mars"), "crs of the column a must be one of wgs84"),
        (field(decimalChar=",,"), "decimalChar"),
        (field(groupChar=1), "groupChar"),
        (field(bareNumber="no"), "bareNumber"),
        (field(percent=1), "percent"),
        (field(trueValues="是"), "trueValues"),
        (field(missingValues="-"), "missingValues"),
        (field(constraints=[]), "constraints of the column a"),
        (field(constraints={"pattern": "("}), "pattern of the column a"),
        (field(constraints={"pattern": "(?=a)"}), "pattern of the column a"),
        (field(constraints={"pattern": "a" * 1_001}), "pattern of the column a"),
        (field(constraints={"minLength": -1}), "minLength of the column a"),
        (field(constraints={"minLength": True}), "minLength of the column a"),
        (field(constraints={"enum": "x"}), "enum of the column a"),
        (field(constraints={"unique": "yes"}), "unique of the column a"),
        (field(constraints={"minimum": []}), "minimum of the column a"),
        ({"fields": [], "primaryKey": ["a"]}, "primary key names a"),
        ({"fields": [], "primaryKey": [1]}, "primaryKey"),
        ({"missingValues": "x"}, "missingValues"),
    ],
)
def test_what_cannot_be_used_is_named(given: object, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_schema(given)
    assert said in str(refused.value)


def test_what_is_said_beyond_the_reading_is_kept() -> None:
    (found,) = read_schema(
        field(
            type="number",
            title={"zh": "额", "en": ""},
            description="of money",
            unit="元",
            decimalChar=",",
            rdfType="http://example.org/x",
            constraints={"minimum": 0, "other": 1},
        )
    ).fields
    assert (found.title, found.description, found.unit) == ({"zh": "额"}, {"und": "of money"}, "元")
    assert found.info == {
        "decimalChar": ",",
        "rdfType": "http://example.org/x",
        "constraints": {"minimum": 0, "other": 1},
    }
    assert found.constraints == {"minimum": 0}


def test_types_that_are_stored_as_others_are_remembered() -> None:
    schema = read_schema({"fields": [{"name": "m", "type": "yearmonth"}, {"name": "y", "type": "year"},
        {"name": "x", "type": "any"}]})  # fmt: skip
    assert [one.type for one in schema.fields] == [ColumnType.STRING, ColumnType.INTEGER, None]
    assert [one.info for one in schema.fields] == [{"type": "yearmonth"}, {"type": "year"}, {}]


def test_plain_types_go_before_the_schema_which_takes_names_of_the_file_and_of_the_table() -> None:
    options = ReadOptions.from_json(
        {
            "schema": {"fields": [{"name": "甲", "type": "date"}, {"name": "b", "title": "B"}]},
            "types": {"b": "integer", "c": "number"},
            "names": {"a": "甲"},
        }
    )
    kinds = [one.kind for name in "abc" if (one := options.field(name))]
    assert kinds == ["date", "integer", "number"]
    assert options.field("d") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
PROPERTIES = st.sampled_from(
    ["name", "type", "format", "title", "constraints", "missingValues", "semantic", "trueValues", "decimalChar", "crs"]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(st.dictionaries(PROPERTIES, JSON, max_size=5), max_size=3), JSON)
def test_nothing_but_a_refusal_comes_of_any_json(fields: list[Any], key: Any) -> None:
    with contextlib.suppress(Invalid):
        read_schema({"fields": fields, "primaryKey": key})
