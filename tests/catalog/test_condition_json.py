"""Conditions as JSON: there and back, the same as text, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadQuery
from catalog.schemas.condition import condition_json, read_condition
from catalog.tabular.query import And, Box, Compare, Condition, In, IsNull, Near, Not, Op, Or, Words
from catalog.tabular.where import parse_where
from catalog.tabular.where_text import where_text
from catalog.tabular.words import WORDS

NAMES = st.sampled_from(["a", "PM2.5", "站 点", 'say "x"', "select"])
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text("ab中'\"% \\\n", max_size=5),
)
DEGREES = st.floats(-90, 90)
WRITTEN = [op for op in Op if op not in WORDS]
"""The words for which `where` has a text."""
LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Compare, NAMES, st.sampled_from(WRITTEN), SCALARS),
    st.builds(In, NAMES, st.lists(SCALARS, min_size=1, max_size=3).map(tuple)),
    st.builds(IsNull, NAMES),
    st.builds(Words, st.text("ab中' ", max_size=5)),
    st.builds(Near, NAMES, NAMES, DEGREES, DEGREES, st.floats(0, 20_000)),
    st.builds(Box, NAMES, NAMES, DEGREES, DEGREES, DEGREES, DEGREES),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


@given(CONDITIONS)
def test_a_condition_survives_json(condition: Condition) -> None:
    assert read_condition(json.loads(json.dumps(condition_json(condition)))) == condition


@given(CONDITIONS)
def test_json_and_text_of_a_condition_mean_the_same(condition: Condition) -> None:
    from_text = parse_where(where_text(condition))
    from_json = read_condition(condition_json(condition))
    assert where_text(from_text) == where_text(from_json)


def test_a_text_may_stand_inside_an_object() -> None:
    given_ = {"and": ["PM2.5 > 3", {"column": "a", "op": "<>", "value": 1}]}
    expected = And((Compare("PM2.5", Op.GT, 3), Compare("a", Op.NE, 1)))
    assert read_condition(given_, ["PM2.5"]) == expected


def test_without_a_word_values_are_compared_for_equality() -> None:
    assert read_condition({"column": "a", "value": 1}) == Compare("a", Op.EQ, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        [],
        3,
        None,
        {"and": 1},
        {"and": [], "or": []},
        {"xor": []},
        {"not": 1},
        {"column": "a"},
        {"column": 1, "value": 1},
        {"column": "a", "op": "=", "value": [1]},
        {"column": "a", "op": "=", "value": {"x": 1}},
        {"column": "a", "op": "in", "value": 1},
        {"column": "a", "op": "in", "value": [[1]]},
        {"column": "a", "op": "null", "value": 1},
        {"column": "a", "op": "~", "value": 1},
        {"column": "a", "op": 1, "value": 1},
        {"column": "a", "op": "=", "value": 1, "more": 1},
        {"words": 1},
        {"near": 1},
        {"near": {"columns": ["a", "b"], "latitude": 1, "longitude": 1}},
        {"near": {"columns": [], "latitude": 1, "longitude": 1, "km": 1}},
        {"near": {"columns": ["a", 2], "latitude": 1, "longitude": 1, "km": 1}},
        {"near": {"columns": ["a", "b"], "latitude": "1", "longitude": 1, "km": 1}},
        {"near": {"columns": ["a", "b"], "latitude": True, "longitude": 1, "km": 1}},
        {"near": {"columns": ["a", "b"], "latitude": 10**400, "longitude": 1, "km": 1}},
        {"column": "a", "op": "in", "value": None},
        {"box": {"columns": ["a", "b"], "south": 1, "west": 1, "north": 1}},
        "a >",
    ],
    ids=str,
)
def test_what_is_no_condition_is_refused(wrong: object) -> None:
    with pytest.raises(BadQuery):
        read_condition(wrong)


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: object = {"column": "a", "value": 1}
    for _ in range(50):
        deep = {"not": deep}
    with pytest.raises(BadQuery, match="deep"):
        read_condition(deep)
