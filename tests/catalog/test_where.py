"""Conditions as people write them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.query import And, Compare, Condition, In, IsNull, Not, Op, Or
from catalog.tabular.where import parse_where
from catalog.tabular.where_text import where_text
from tests.make_table import make_columns


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("n = 1", Compare("n", Op.EQ, 1)),
        ("n == 1", Compare("n", Op.EQ, 1)),
        ("n != 1", Compare("n", Op.NE, 1)),
        ("n <> 1", Compare("n", Op.NE, 1)),
        ("5 < n", Compare("n", Op.GT, 5)),
        ("n >= -1.50", Compare("n", Op.GE, "-1.50")),
        ("n = 007", Compare("n", Op.EQ, "007")),
        ("n = 1e3", Compare("n", Op.EQ, "1e3")),
        ("n = 1" + "0" * 500, Compare("n", Op.EQ, "1" + "0" * 500)),
        ("(n) = ((1))", Compare("n", Op.EQ, 1)),
        ('"PM2.5" > 100', Compare("PM2.5", Op.GT, 100)),
        ("`PM2.5` > 100", Compare("PM2.5", Op.GT, 100)),
        ('"a""b" = 1', Compare('a"b', Op.EQ, 1)),
        ("站点 = '东四'", Compare("站点", Op.EQ, "东四")),
        ("s = 'it''s'", Compare("s", Op.EQ, "it's")),
        ("s = 'a\\'", Compare("s", Op.EQ, "a\\")),
        ("s = '-- no comment'", Compare("s", Op.EQ, "-- no comment")),
        ("b = true", Compare("b", Op.EQ, True)),
        ("b is false", Compare("b", Op.EQ, False)),
        ("b", Compare("b", Op.EQ, True)),
        ("not b", Not(Compare("b", Op.EQ, True))),
        ("s is null", IsNull("s")),
        ("s is not null", Not(IsNull("s"))),
        ("s in ('a', 2, null)", In("s", ("a", 2, None))),
        ("s not in ('a')", Not(In("s", ("a",)))),
        ("n between 1 and 2", And((Compare("n", Op.GE, 1), Compare("n", Op.LE, 2)))),
        ("s like '中%'", Compare("s", Op.STARTS, "中")),
        ("s like '%中文%'", Compare("s", Op.CONTAINS, "中文")),
        ("s like 'same'", Compare("s", Op.EQ, "same")),
        ("s not like '%a%'", Not(Compare("s", Op.CONTAINS, "a"))),
        ("contains(s, '%')", Compare("s", Op.CONTAINS, "%")),
        ("starts_with(s, 'a')", Compare("s", Op.STARTS, "a")),
        ("d >= date '2020-01-01'", Compare("d", Op.GE, "2020-01-01")),
        ("d >= timestamp '2020-01-01 00:00:00'", Compare("d", Op.GE, "2020-01-01 00:00:00")),
        (
            "a = 1 and b = 2 and (c = 3 or not d = 4)",
            And(
                (
                    Compare("a", Op.EQ, 1),
                    Compare("b", Op.EQ, 2),
                    Or((Compare("c", Op.EQ, 3), Not(Compare("d", Op.EQ, 4)))),
                )
            ),
        ),
    ],
)
def test_a_condition_is_understood(text: str, condition: Condition) -> None:
    assert parse_where(text) == condition


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "n",
        "n = 1; drop table t",
        "select 1",
        "n = (select 1)",
        "n in (select 1)",
        "n in ()",
        "1 = 1",
        "n = m",
        "n + 1 = 2",
        "PM2.5 > 1",
        "a.n = 1",
        "lower(s) = 'a'",
        "s ilike '%a'",
        "s like 'a_c'",
        "s like 'a%b%'",
        "s like ''",
        "s like 5",
        "s ilike 'a'",
        "s like 'a' escape '!'",
        "n is 5",
        "n = ?",
        "n = :name",
        "n = 'a' || 'b'",
        "n = -'a'",
        "n = null",
        "n != (null)",
        "null <> n",
        "not n = null",
        "n = cast(5 as int)",
        "n = 'unclosed",
        '"n = 1',
        "n = 1 -- comment",
        "n = 1 /* comment */",
        "*",
        "contains(s)",
        "exists (select 1)",
        "case when n = 1 then true end",
        "(" * 2_000 + "n = 1" + ")" * 2_000,
        "not " * 200 + "b",
        "n = 1 and " * 2_000 + "n = 1",
    ],
)
def test_what_is_no_condition_is_refused_with_a_sentence(text: str) -> None:
    columns = make_columns(s=ColumnType.STRING, m=ColumnType.INTEGER)
    with pytest.raises(BadQuery) as caught:
        parse_where(text, columns)
    assert str(caught.value)


def test_a_chain_of_many_parts_is_understood() -> None:
    found = parse_where(" or ".join(f"n = {at}" for at in range(400)))
    assert isinstance(found, Or)
    assert [part.value for part in found.parts if isinstance(part, Compare)] == list(range(400))


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(BadQuery, match="“nothing”"):
        parse_where("nothing = 1", make_columns(n=ColumnType.INTEGER))


@pytest.mark.parametrize("op", ["=", "!=", "<>"])
def test_a_comparison_with_null_is_refused_with_what_to_write(op: str) -> None:
    with pytest.raises(BadQuery, match="IS NOT NULL"):
        parse_where(f"n {op} null")


@pytest.mark.parametrize(("op", "condition"), [(Op.EQ, IsNull("n")), (Op.NE, Not(IsNull("n")))])
def test_a_comparison_with_null_is_written_so_that_it_is_understood(
    op: Op, condition: Condition
) -> None:
    assert parse_where(where_text(Compare("n", op, None))) == condition


DOTTED = {"PM2.5", "a.b.c", "a.b", "浓度.均值", "1.5", 'say "x.y"'}


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("PM2.5 > 300", Compare("PM2.5", Op.GT, 300)),
        ("300<PM2.5", Compare("PM2.5", Op.GT, 300)),
        ("a.b.c = 1 and (a.b = 2)", And((Compare("a.b.c", Op.EQ, 1), Compare("a.b", Op.EQ, 2)))),
        ("浓度.均值 is null", IsNull("浓度.均值")),
        ("PM2.5 in ('PM2.5', \"PM2.5\")", None),
        ("PM2.5 = 'it''s PM2.5'", Compare("PM2.5", Op.EQ, "it's PM2.5")),
        ("contains(`a.b`, 'a.b')", Compare("a.b", Op.CONTAINS, "a.b")),
        ('"x a.b" = 1', Compare("x a.b", Op.EQ, 1)),
        ("n = 1.5", Compare("n", Op.EQ, "1.5")),
        ("PM2.55 > 1", None),
        ("x.PM2.5 > 1", None),
        ("pm2.5 > 1", None),
    ],
)
def test_a_known_name_with_dots_needs_no_quotes(text: str, condition: Condition | None) -> None:
    if condition is None:
        with pytest.raises(BadQuery):
            parse_where(text, bare=DOTTED)
    else:
        assert parse_where(text, bare=DOTTED) == condition


def test_the_names_of_columns_need_no_quotes() -> None:
    columns = (Column("PM2.5", "c0", ColumnType.NUMBER),)
    assert parse_where("PM2.5 > 300", columns) == Compare("PM2.5", Op.GT, 300)


NAMES = st.text(min_size=1, max_size=6).filter(lambda text: "\x00" not in text)
KNOWN = st.booleans() | st.integers() | st.text(max_size=6)
VALUES = st.none() | KNOWN
CONDITIONS = st.recursive(
    st.one_of(
        st.builds(
            Compare, NAMES, st.sampled_from([Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE]), KNOWN
        ),
        st.builds(Compare, NAMES, st.sampled_from([Op.CONTAINS, Op.STARTS]), st.text(max_size=6)),
        st.builds(In, NAMES, st.lists(VALUES, min_size=1, max_size=3).map(tuple)),
        st.builds(IsNull, NAMES),
    ),
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)


@given(CONDITIONS)
def test_a_written_condition_means_the_same_when_read(condition: Condition) -> None:
    assert _flat(parse_where(where_text(condition))) == _flat(condition)


@given(st.text(max_size=80))
def test_any_text_is_understood_or_refused(text: str) -> None:
    with suppress(BadQuery):
        parse_where(text, bare=DOTTED)


def _flat(condition: Condition) -> Condition:
    """The same with `a and (b and c)` written as `a and b and c`."""
    match condition:
        case And(parts) | Or(parts):
            kind = type(condition)
            flat: list[Condition] = []
            for part in map(_flat, parts):
                flat += part.parts if isinstance(part, kind) else [part]
            return kind(tuple(flat))
        case Not(part):
            return Not(_flat(part))
    return condition
