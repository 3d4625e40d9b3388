"""The grid: filters as people write them, conditions as the API takes them, the address of a page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.schemas.grid import MOST_COLUMNS, MOST_FILTERS, SIZES, Grid, conditions, read_grid
from catalog.tabular.column import Column, columns_of
from catalog.tabular.filters import SUITED, Comparison, Filter, all_of, condition_of
from catalog.tabular.query import And, Compare, Condition, In, IsNull, Not, Op, Or, Order, Words
from catalog.tabular.where import parse_where
from catalog.tabular.where_text import short_where_text, where_text

TYPES = {
    "text": ColumnType.STRING,
    "whole": ColumnType.INTEGER,
    "PM2.5": ColumnType.NUMBER,
    "open": ColumnType.BOOLEAN,
    "day": ColumnType.DATE,
    "seen at": ColumnType.DATETIME,
    'out"line': ColumnType.GEOMETRY,
}
COLUMNS = {c.name: c for c in columns_of(list(TYPES), list(TYPES.values()))}


@pytest.mark.parametrize(
    ("column", "comparison", "value", "condition"),
    [
        ("text", "contains", " 东 ", Compare("text", Op.CONTAINS, " 东 ")),
        ("text", "is", "0012", Compare("text", Op.EQ, "0012")),
        ("text", "starts", "31", Compare("text", Op.STARTS, "31")),
        ("text", "empty", "", IsNull("text")),
        ("text", "filled", "x", Not(IsNull("text"))),
        ("whole", "at_least", " 9007199254740993 ", Compare("whole", Op.GE, 9007199254740993)),
        ("whole", "is_not", "-1", Compare("whole", Op.NE, -1)),
        ("PM2.5", "more", "1.5", Compare("PM2.5", Op.GT, 1.5)),
        ("open", "is", "是", Compare("open", Op.EQ, True)),
        ("open", "is", "No", Compare("open", Op.EQ, False)),
        ("day", "at_most", "2020-1-5", Compare("day", Op.LE, "2020-01-05")),
        ("day", "is", "2020年1月5日", Compare("day", Op.EQ, "2020-01-05")),
        ("day", "less", "20200105", Compare("day", Op.LT, "2020-01-05")),
        ("seen at", "is", "2020-01-05 10:30", Compare("seen at", Op.EQ, "2020-01-05T10:30:00")),
        ("seen at", "less", "2020/1/5", Compare("seen at", Op.LT, "2020-01-05T00:00:00")),
        ("seen at", "at_least", "2020-01-05", Compare("seen at", Op.GE, "2020-01-05T00:00:00")),
        ("seen at", "at_most", "2020-01-05", Compare("seen at", Op.LT, "2020-01-06T00:00:00")),
        ("seen at", "more", "2020-01-05", Compare("seen at", Op.GE, "2020-01-06T00:00:00")),
        (
            "seen at",
            "is",
            "2020-01-05",
            And(
                (
                    Compare("seen at", Op.GE, "2020-01-05T00:00:00"),
                    Compare("seen at", Op.LT, "2020-01-06T00:00:00"),
                )
            ),
        ),
        (
            "seen at",
            "is_not",
            "9999-12-31",
            Not(
                And(
                    (
                        Compare("seen at", Op.GE, "9999-12-31T00:00:00"),
                        Compare("seen at", Op.LT, "9999-12-31T23:59:59.999999"),
                    )
                )
            ),
        ),
    ],
)
def test_a_filter_means_what_its_words_say(
    column: str, comparison: str, value: str, condition: Condition
) -> None:
    assert condition_of(Filter(column, Comparison(comparison), value), COLUMNS) == condition


@pytest.mark.parametrize(
    ("column", "comparison", "value", "sentence"),
    [
        ("gone", "is", "x", "this table has no column “gone”"),
        ("whole", "contains", "1", "this comparison does not suit the column “whole”"),
        ('out"line', "is", "x", 'this comparison does not suit the column “out"line”'),
        ("whole", "is", "1.5", "write a whole number to compare with “whole”"),
        ("whole", "is", "9" * 30, "this number is too large to compare with “whole”"),
        ("PM2.5", "is", "abc", "write a number to compare with “PM2.5”"),
        ("PM2.5", "is", "nan", "write a number to compare with “PM2.5”"),
        ("PM2.5", "is", "1e999", "write a number to compare with “PM2.5”"),
        ("open", "is", "maybe", "write yes or no to compare with “open”"),
        ("day", "is", "2020-02-31", "write a date such as 2020-01-31 to compare with “day”"),
        ("seen at", "is", "yesterday", "write a date such as 2020-01-31 to compare with “seen at”"),
        (
            "seen at",
            "is",
            "2020-01-31 25:00",
            "write a date such as 2020-01-31 to compare with “seen at”",
        ),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_in_words(
    column: str, comparison: str, value: str, sentence: str
) -> None:
    with pytest.raises(BadQuery) as refused:
        condition_of(Filter(column, Comparison(comparison), value), COLUMNS)
    assert str(refused.value) == sentence


@given(st.sampled_from([*TYPES, "gone"]), st.sampled_from(Comparison), st.text(max_size=30))
def test_any_filter_is_understood_or_refused(
    column: str, comparison: Comparison, value: str
) -> None:
    try:
        condition = condition_of(Filter(column, comparison, value), COLUMNS)
    except BadQuery:
        return
    assert comparison in SUITED[TYPES[column]]
    assert parse_where(where_text(condition), tuple(COLUMNS.values())) is not None


VALUES = st.text(max_size=12) | st.integers(-(2**63), 2**63 - 1) | st.booleans()
SIMPLE = (
    st.builds(Compare, st.sampled_from(["text"]), st.sampled_from(Op), st.text(max_size=12))
    | st.builds(
        Compare,
        st.just("whole"),
        st.sampled_from([Op.EQ, Op.LT]),
        st.integers(-(2**63) + 1, 2**63 - 1),
    )
    | st.builds(
        In,
        st.just("text"),
        st.lists(st.text(max_size=6), min_size=2, max_size=3, unique=True).map(tuple),
    )
    | st.builds(IsNull, st.sampled_from(list(TYPES)))
    | st.builds(Not, st.builds(IsNull, st.sampled_from(list(TYPES))))
)


def _groups(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    two = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.builds(And, two) | st.builds(Or, two)


@given(SIMPLE | _groups(SIMPLE))
def test_a_condition_survives_being_written_for_the_api(condition: Condition) -> None:
    columns = tuple(COLUMNS.values())
    try:
        read = parse_where(where_text(condition), columns)
    except BadQuery:  # a text that no condition may hold, such as a NUL
        return
    assert where_text(read) == where_text(condition)
    assert parse_where(short_where_text(condition, columns), columns) == read


def test_names_are_quoted_only_where_they_must_be() -> None:
    columns = (Column("station", "c0", ColumnType.STRING), Column("PM2.5", "c1", ColumnType.NUMBER))
    both = And((Compare("station", Op.EQ, 'Dong"si'), Compare("PM2.5", Op.GE, 75.0)))
    assert short_where_text(both, columns) == 'station = \'Dong"si\' AND "PM2.5" >= 75.0'
    assert where_text(Not(Compare("station", Op.EQ, None))) == 'NOT ("station" IS NULL)'
    assert where_text(Compare("open", Op.EQ, False)) == '"open" = FALSE'
    assert short_where_text(Compare("gone", Op.EQ, "x"), columns) == "\"gone\" = 'x'"


def test_an_address_is_read_and_what_makes_no_sense_passed_over() -> None:
    grid = read_grid(
        MultiDict(
            [
                ("view", "chart"), ("page", "x"), ("size", "7"), ("row", "0"), ("utm_source", "mail"),
                ("sort", "whole"), ("desc", "1"), ("first", "130"), ("on", "text"),
                ("column", "text"), ("op", "is"), ("value", "x"),
                ("column", "text"), ("op", "is"), ("value", "x"),
                ("column", "text"), ("op", "nonsense"), ("value", "x"),
                ("column", "text"), ("op", "is"), ("value", " "),
                ("column", ""), ("op", "is"), ("value", "x"),
                ("column", "day"), ("op", "empty"), ("value", "ignored"),
                ("column", "day"),
            ]
        )
    )  # fmt: skip
    assert grid == Grid(
        view="chart",
        filters=(Filter("text", Comparison.IS, "x"), Filter("day", Comparison.EMPTY)),
        orders=(Order("whole", descending=True),),
        first_column=120,
        on="text",
    )


@pytest.mark.parametrize(
    ("pairs", "orders"),
    [
        ([("sort", "a")], [("a", False)]),
        ([("sort", "a"), ("desc", "1")], [("a", True)]),
        ([("sort", "a"), ("sort", "b"), ("desc", "0"), ("desc", "1")], [("a", False), ("b", True)]),
        ([("sort", ""), ("desc", "1"), ("sort", "b"), ("desc", "0")], [("b", False)]),
        ([("sort", "a"), ("sort", "a"), ("desc", "0"), ("desc", "1")], [("a", False)]),
        ([("desc", "1")], []),
        ([("sort", f"c{at}") for at in range(9)], [(f"c{at}", False) for at in range(4)]),
    ],
)
def test_several_columns_to_sort_by_pair_up_with_their_directions(
    pairs: list[tuple[str, str]], orders: list[tuple[str, bool]]
) -> None:
    found = read_grid(MultiDict(pairs)).orders
    assert [(order.column, order.descending) for order in found] == orders


def test_the_form_of_a_column_takes_the_place_of_its_filters() -> None:
    grid = read_grid(
        MultiDict(
            [
                ("column", "day"), ("op", "at_least"), ("value", "2020-01-01"),
                ("column", "text"), ("op", "contains"), ("value", "old"),
                ("of", "text"), ("has", " new "), ("from", ""), ("to", "z"),
                ("pick", "a"), ("pick", "b"), ("pick", " "), ("none", "empty"),
            ]
        )
    )  # fmt: skip
    assert grid.filters == (
        Filter("day", Comparison.AT_LEAST, "2020-01-01"),
        Filter("text", Comparison.CONTAINS, " new "),
        Filter("text", Comparison.AT_MOST, "z"),
        Filter("text", Comparison.IS, "a"),
        Filter("text", Comparison.IS, "b"),
        Filter("text", Comparison.EMPTY),
    )


def test_several_values_of_a_column_mean_one_of_them() -> None:
    asked = [("text", "is", "a"), ("day", "is", "2020-01-01"), ("text", "is", "b")]
    filters = tuple(Filter(column, Comparison(op), value) for column, op, value in asked)
    assert conditions(filters, COLUMNS).where == And(
        (In("text", ("a", "b")), Compare("day", Op.EQ, "2020-01-01"))
    )
    filters = (*filters, Filter("text", Comparison.EMPTY))
    found = conditions(filters, COLUMNS).where
    assert isinstance(found, And)
    assert found.parts[0] == Or((In("text", ("a", "b")), IsNull("text")))
    days = tuple(Filter("seen at", Comparison.IS, f"2020-01-0{day}") for day in (1, 2))
    assert isinstance(conditions(days, COLUMNS).where, Or)


def test_every_word_of_a_search_stands_somewhere() -> None:
    found = conditions((), COLUMNS, "东四 7 站").where
    assert found == And(
        (
            Words("东四 站"),
            Or((Words("7"), Compare("whole", Op.EQ, 7), Compare("PM2.5", Op.EQ, 7.0))),
        )
    )
    assert conditions((), COLUMNS, "").where is None
    assert conditions((), {"open": COLUMNS["open"]}, "7").where == Words("7")


def test_a_masked_column_is_neither_filtered_nor_sorted_nor_searched() -> None:
    masked = {
        "id": Column("id", "c0", ColumnType.STRING, masked=True),
        "name": Column("name", "c1", ColumnType.STRING),
    }
    given = Filter("id", Comparison.IS, "1")
    found = conditions((given,), masked, "x")
    assert found.where == Words("x")
    assert [filter_ for filter_, _ in found.refused] == [given]
    assert Grid(orders=(Order("id"), Order("name"))).query(masked, None).order_by == (
        Order("name"),
    )


def test_columns_that_were_put_away_are_not_asked_for() -> None:
    grid = read_grid(MultiDict([("hide", "text"), ("hide", "open"), ("hide", "text")]))
    assert grid.hidden == ("text", "open")
    left = tuple(name for name in COLUMNS if name not in grid.hidden)
    assert grid.query(COLUMNS, None).select == left
    assert Grid(hidden=tuple(COLUMNS)).query(COLUMNS, None).select == ()


def test_too_many_filters_and_too_long_values_are_left_out() -> None:
    threes = [
        pair for at in range(90) for pair in (("column", "text"), ("op", "is"), ("value", str(at)))
    ]
    assert len(read_grid(MultiDict(threes)).filters) == MOST_FILTERS
    long = [("column", "text"), ("op", "is"), ("value", "x" * 2000)]
    assert read_grid(MultiDict(long)).filters == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "view",
                    "page",
                    "size",
                    "row",
                    "sort",
                    "desc",
                    "first",
                    "on",
                    "column",
                    "op",
                    "value",
                ]
            ),
            st.text(max_size=20)
            | st.integers().map(str)
            | st.sampled_from([c.value for c in Comparison]),
        ),
        max_size=15,
    )
)
def test_any_address_gives_a_page(pairs: list[tuple[str, str]]) -> None:
    grid = read_grid(MultiDict(pairs))
    query = grid.query(COLUMNS, None)
    assert query.limit in SIZES
    assert query.offset >= 0
    assert query.offset % query.limit == 0


def test_a_row_leads_to_its_page() -> None:
    assert Grid(row=1).offset == 0
    assert Grid(row=100).offset == 0
    assert Grid(row=101).offset == 100
    assert Grid(page=3, size=25).offset == 50
    assert Grid(row=101).on_page(1).offset == 0


def test_wide_tables_are_shown_in_parts_and_unknown_columns_do_not_sort() -> None:
    many = {
        f"c{at}": Column(f"c{at}", f"c{at}", ColumnType.STRING) for at in range(MOST_COLUMNS + 5)
    }
    assert len(Grid().query(many, None).select) == MOST_COLUMNS
    assert len(Grid(first_column=MOST_COLUMNS).query(many, None).select) == 5
    assert len(Grid(first_column=10 * MOST_COLUMNS).query(many, None).select) == MOST_COLUMNS
    assert Grid(orders=(Order("gone"),)).query(COLUMNS, None).order_by == ()
    assert Grid(orders=(Order("day", descending=True),)).query(COLUMNS, None).order_by == (
        Order("day", descending=True),
    )
    assert Grid().query(COLUMNS, None).select == ()


def test_one_wrong_filter_does_not_take_the_others_with_it() -> None:
    right, wrong = Filter("text", Comparison.IS, "x"), Filter("whole", Comparison.IS, "x")
    found = conditions((right, wrong), COLUMNS)
    assert found.where == Compare("text", Op.EQ, "x")
    assert found.accepted == (right,)
    assert [given for given, _ in found.refused] == [wrong]
    assert all_of([]) is None
    assert all_of([IsNull("text"), IsNull("day")]) == And((IsNull("text"), IsNull("day")))
