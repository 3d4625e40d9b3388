"""The form that builds queries: what an address says, the query it amounts to, and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models.vocabulary import ColumnType
from catalog.schemas.query_form import (
    ANY,
    GREATEST_LIMIT,
    MOST_LINES,
    USUAL_LIMIT,
    Conditions,
    QueryForm,
    form_pairs,
    read_form,
    says_nothing,
)
from catalog.tabular.column import Column, columns_of
from catalog.tabular.filters import Comparison, Filter
from catalog.tabular.query import Aggregate, And, Compare, Measure, Op, Or, Order, TableQuery
from catalog.tabular.where_text import listed_name, measures_text, names_text, order_text

TYPES = {
    "station": ColumnType.STRING,
    "PM2.5": ColumnType.NUMBER,
    "day": ColumnType.DATE,
    "secret": ColumnType.STRING,
}
COLUMNS: dict[str, Column] = {c.name: c for c in columns_of(list(TYPES), list(TYPES.values()))}
COLUMNS["secret"] = Column("secret", "c3", ColumnType.STRING, masked=True)
NAMES = st.text(min_size=1, max_size=8)
LINES = st.builds(
    Filter,
    NAMES,
    st.sampled_from([Comparison.IS, Comparison.CONTAINS]),
    st.text(min_size=1, max_size=8).filter(str.strip),
)
FORMS = st.builds(
    QueryForm,
    select=st.lists(NAMES, max_size=4, unique=True).map(tuple),
    first=st.builds(Conditions, st.sampled_from(["all", "any"]), st.lists(LINES, max_size=4).map(tuple)),
    second=st.builds(Conditions, st.sampled_from(["all", "any"]), st.lists(LINES, max_size=4).map(tuple)),
    join=st.sampled_from(["all", "any"]),
    group_by=st.lists(NAMES, max_size=4, unique=True).map(tuple),
    measures=st.lists(
        st.tuples(st.sampled_from(Aggregate), st.text(max_size=8)), max_size=4, unique=True
    ).map(tuple),
    having=st.lists(LINES, max_size=2).map(tuple),
    orders=st.lists(st.builds(Order, NAMES, st.booleans()), max_size=4).map(tuple),
    limit=st.integers(1, GREATEST_LIMIT),
    format=st.sampled_from(["objects", "arrays", "csv"]),
)  # fmt: skip


def read(*pairs: tuple[str, str]) -> QueryForm:
    """The form of these parameters."""
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return read_form(lists)


@given(FORMS)
def test_a_form_is_read_back_from_its_address(form: QueryForm) -> None:
    assert read(*form_pairs(form)) == form


def test_conditions_of_two_groups_are_joined_as_asked() -> None:
    form = read(
        ("ac", "station"), ("ao", "is"), ("av", "a"),
        ("ac", "station"), ("ao", "is"), ("av", "b"), ("ja", "any"),
        ("bc", "PM2.5"), ("bo", "more"), ("bv", "5"),
    )  # fmt: skip
    either = Or((Compare("station", Op.EQ, "a"), Compare("station", Op.EQ, "b")))
    high = Compare("PM2.5", Op.GT, 5.0)
    assert form.where(COLUMNS) == (And((either, high)), ())
    both = QueryForm(first=form.first, second=form.second, join=ANY)
    assert both.where(COLUMNS) == (Or((either, high)), ())
    every = QueryForm(first=Conditions("all", form.first.lines))
    assert every.where(COLUMNS)[0] == And(either.parts)
    assert QueryForm().where(COLUMNS) == (None, ())


def test_a_line_that_cannot_be_meant_is_told_and_the_others_hold() -> None:
    lines = (
        Filter("PM2.5", Comparison.IS, "much"),
        Filter("secret", Comparison.IS, "x"),
        Filter("station", Comparison.EMPTY),
    )
    found, wrong = QueryForm(first=Conditions("all", lines)).where(COLUMNS)
    assert found is not None
    assert ["PM2.5" in str(wrong[0]), "masked" in str(wrong[1]), len(wrong)] == [True, True, 2]


def test_rows_are_asked_for_without_groups() -> None:
    form = QueryForm(
        select=("day", "gone", "secret"), orders=(Order("day"), Order("gone"), Order("secret"))
    )
    assert form.query(COLUMNS, None) == TableQuery(
        select=("day", "secret"), order_by=(Order("day"),), limit=USUAL_LIMIT
    )


def test_groups_are_counted_when_nothing_is_calculated() -> None:
    form = QueryForm(
        group_by=("station", "secret"), orders=(Order("count", descending=True), Order("day"))
    )
    assert form.query(COLUMNS, None) == TableQuery(
        group_by=("station",),
        measures=(Measure(Aggregate.COUNT, "*", "count"),),
        order_by=(Order("count", descending=True),),
        limit=USUAL_LIMIT,
    )
    sums = QueryForm(
        measures=((Aggregate.SUM, ""), (Aggregate.AVG, "PM2.5"), (Aggregate.MAX, "secret"))
    )
    assert sums.query(COLUMNS, None).measures == (Measure(Aggregate.AVG, "PM2.5", "avg_PM2.5"),)


@pytest.mark.parametrize(
    ("text", "limit"),
    [("5", 5), ("0", USUAL_LIMIT), ("-1", USUAL_LIMIT), ("x", USUAL_LIMIT), ("", USUAL_LIMIT),
     ("99999999", GREATEST_LIMIT), ("9" * 40, USUAL_LIMIT), ("٣", USUAL_LIMIT)],
)  # fmt: skip
def test_a_limit_is_a_number_from_one(text: str, limit: int) -> None:
    assert read(("limit", text)).limit == limit


def test_what_makes_no_sense_is_passed_over() -> None:
    form = read(
        ("mf", "mode"), ("mc", "x"), ("format", "exe"), ("j", "maybe"), ("col", ""), ("by", "b" * 600),
        *((f"a{part}", value) for _ in range(20) for part, value in (("c", "station"), ("o", "is"), ("v", "x"))),
        ("ac", "station"), ("ao", "odd"), ("av", "x"),
    )  # fmt: skip
    assert form == QueryForm(
        first=Conditions("all", (Filter("station", Comparison.IS, "x"),) * MOST_LINES)
    )
    assert says_nothing({"view": ["api"], "ac": [""]})
    assert not says_nothing({"by": ["station"]})


def test_lists_of_names_quote_what_would_be_read_as_something_else() -> None:
    names = ["plain", "PM2.5", "a,b", " space", "-minus", 'say "no"', ""]
    assert names_text(names) == 'plain,PM2.5,"a,b"," space","-minus","say ""no""",""'
    assert order_text((Order("a,b", descending=True), Order("c"))) == '-"a,b",c'
    measures = [Measure(Aggregate.COUNT, "*", "count"), Measure(Aggregate.AVG, "f(x)", "avg_f(x)")]
    assert measures_text(measures) == 'count(*),avg("f(x)")'
    assert listed_name("中文") == "中文"
