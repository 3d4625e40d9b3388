"""Lists of names in parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.v1.names import measures_in, names_in, orders_in, parts_of, unquoted
from catalog.errors import BadQuery
from catalog.tabular.query import Aggregate, Measure, Order


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        (" , ,", ()),
        ("a,b", ("a", "b")),
        ("PM2.5, 站点 ,Total amount", ("PM2.5", "站点", "Total amount")),
        ('"a,b",c', ("a,b", "c")),
        ('"say ""hi"""', ('say "hi"',)),
        ('"-x"', ("-x",)),
        ('"', None),
    ],
)
def test_names_are_separated_by_commas(text: str, names: tuple[str, ...] | None) -> None:
    if names is None:
        with pytest.raises(BadQuery, match="not closed"):
            names_in(text)
    else:
        assert names_in(text) == names


def test_a_minus_sorts_downwards() -> None:
    assert orders_in('-PM2.5,station,-"a,b","-c"') == (
        Order("PM2.5", descending=True),
        Order("station"),
        Order("a,b", descending=True),
        Order("-c"),
    )


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("count(*)", Measure(Aggregate.COUNT, "*", "count")),
        ("COUNT( * )", Measure(Aggregate.COUNT, "*", "count")),
        ("avg(PM2.5)", Measure(Aggregate.AVG, "PM2.5", "avg_PM2.5")),
        ('max("a,b (c)") AS greatest', Measure(Aggregate.MAX, "a,b (c)", "greatest")),
        ('sum(x) as "the sum"', Measure(Aggregate.SUM, "x", "the sum")),
        ("distinct(站点)", Measure(Aggregate.DISTINCT, "站点", "distinct_站点")),
    ],
)
def test_measures_are_read(text: str, measure: Measure) -> None:
    assert measures_in(text) == (measure,)


@pytest.mark.parametrize(
    "text", ["avg", "avg PM2.5", "mode(x)", "count(*", "1; drop table x", "avg(x) x"]
)
def test_what_cannot_be_computed_is_refused_with_what_can(text: str) -> None:
    with pytest.raises(BadQuery) as caught:
        measures_in(text)
    assert "count, sum, avg" in str(caught.value)


def test_a_list_has_an_end() -> None:
    with pytest.raises(BadQuery, match="at most 500"):
        names_in("a," * 501)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@given(st.lists(st.text(min_size=1, max_size=20), max_size=10))
def test_any_name_can_be_written_in_quotes(names: list[str]) -> None:
    assert names_in(",".join(map(quoted, names))) == tuple(names)
    assert orders_in(",".join(f"-{quoted(name)}" for name in names)) == tuple(
        Order(name, descending=True) for name in names
    )
    measures = measures_in(",".join(f"min({quoted(name)})" for name in names))
    assert tuple(measure.column for measure in measures) == tuple(names)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (names_in, orders_in, measures_in):
        try:
            read(text)
        except BadQuery:
            continue
    assert unquoted(quoted(text)) == text


def test_commas_in_quotes_separate_nothing() -> None:
    assert parts_of('avg("a,b") as "x,y", c') == ['avg("a,b") as "x,y"', "c"]
