"""SQL and filters: names are known, values are parameters or literals that nothing can end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadQuery, Unavailable
from catalog.models.vocabulary import ColumnType
from catalog.tabular.base_rows import BaseRows
from catalog.tabular.bound import bind
from catalog.tabular.duck import Broken, Duck
from catalog.tabular.lance_filter import filter_text, literal
from catalog.tabular.query import (
    Aggregate,
    And,
    Compare,
    Condition,
    In,
    IsNull,
    Measure,
    Near,
    Not,
    Op,
    Or,
    Order,
    Scalar,
    TableQuery,
)
from catalog.tabular.sql import compile_all, compile_count, compile_query, parquet
from catalog.tabular.state import State
from tests.make_table import STATION_ROWS, STATIONS, make_columns, make_parquet

COLUMNS = make_columns(
    s=ColumnType.STRING,
    i=ColumnType.INTEGER,
    n=ColumnType.NUMBER,
    b=ColumnType.BOOLEAN,
    d=ColumnType.DATE,
    t=ColumnType.DATETIME,
    g=ColumnType.GEOMETRY,
)


@pytest.fixture
def duck(tmp_path: Path) -> Iterator[Duck]:
    opened = Duck(tmp_path, memory_mb=128, timeout_seconds=5)
    yield opened
    opened.close()


def test_a_page_is_compiled_to_names_and_parameters() -> None:
    query = TableQuery(
        select=("s", "n"),
        where=And(
            (
                Compare("s", Op.CONTAINS, "x"),
                Not(In("i", (1, 2))),
                Or((IsNull("d"), Compare("b", Op.EQ, True))),
            )
        ),
        order_by=(Order("n", descending=True), Order("s"), Order("n")),
        limit=10,
        offset=20,
    )
    assert compile_query(query, COLUMNS, "base") == (
        (
            'SELECT "c0", "c2" FROM base WHERE (true AND contains("c0", ?) AND (NOT ("c1" IN (?, ?))) AND '
            '(false OR ("c4" IS NULL) OR ("c3" = ?))) '
            'ORDER BY "c2" DESC NULLS LAST, signbit("c2") ASC NULLS LAST, "c0" ASC NULLS LAST, file_row_number '
            "LIMIT ? OFFSET ?"
        ),
        ["x", 1, 2, True, 10, 20],
    )


def test_a_group_is_compiled_to_names_and_parameters() -> None:
    query = TableQuery(
        where=Compare("i", Op.GT, 5),
        group_by=("s",),
        measures=(Measure(Aggregate.SUM, "i", "sum"), Measure(Aggregate.COUNT, "*", "rows")),
        order_by=(Order("rows", descending=True),),
    )
    assert compile_query(query, COLUMNS, "base") == (
        (
            'SELECT "c0" AS g0, CAST(sum("c1") AS BIGINT) AS m0, count(*) AS m1 FROM base WHERE ("c1" > ?) '
            "GROUP BY 1 ORDER BY m1 DESC NULLS LAST, g0 ASC NULLS LAST LIMIT ? OFFSET ?"
        ),
        [5, 100, 0],
    )


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        (Compare("i", Op.EQ, 2.5), '("c1" <> "c1")'),
        (Compare("i", Op.NE, "2.5"), '("c1" = "c1")'),
        (Compare("i", Op.LT, 2.5), '("c1" <= ?)'),
        (Compare("i", Op.GE, -2.5), '("c1" > ?)'),
        (Compare("i", Op.LT, 1e30), '("c1" = "c1")'),
        (Compare("i", Op.GT, 2**63), '("c1" <> "c1")'),
        (Compare("i", Op.GT, -(2**70)), '("c1" = "c1")'),
        (Not(Compare("i", Op.EQ, 2.5)), '("c1" = "c1")'),
        (In("i", (2.5, 2**70)), '("c1" <> "c1")'),
        (In("i", (None,)), '("c1" IS NULL)'),
        (In("i", ()), "(false)"),
        (In("i", (1, 1.0, "1", None)), '(false OR ("c1" IS NULL) OR ("c1" IN (?)))'),
        (And(()), "(true)"),
        (Or(()), "(false)"),
        (
            Not(And((IsNull("s"), Compare("i", Op.LE, 1)))),
            '(false OR (NOT ("c0" IS NULL)) OR ("c1" > ?))',
        ),
        (Not(Not(Compare("s", Op.STARTS, "x"))), 'starts_with("c0", ?)'),
        (Compare("s", Op.EQ, None), '("c0" IS NULL)'),
        (Compare("s", Op.NE, None), '(NOT ("c0" IS NULL))'),
    ],
)
def test_conditions_are_compiled_exactly(condition: Condition, where: str) -> None:
    assert (
        compile_count(condition, COLUMNS, "base")[0]
        == f"SELECT count(*) AS n FROM base WHERE {where}"
    )


@pytest.mark.parametrize(
    ("column", "value", "typed"),
    [
        ("s", 110000, "110000"),
        ("s", True, "true"),
        ("i", "110000", 110000),
        ("i", "2.0", 2),
        ("i", 2**63 - 1, 2**63 - 1),
        ("n", "1e3", 1000.0),
        ("n", ".5", 0.5),
        ("b", "TRUE", True),
        ("b", 0, False),
        ("d", "2020-02-29", "2020-02-29"),
        ("t", "2020-02-29", "2020-02-29 00:00:00"),
        ("t", "2020-02-29T12:30", "2020-02-29 12:30:00"),
        ("t", "2020-02-29T12:30:00.5+08:00", "2020-02-29 04:30:00.500000"),
        ("t", "2020-02-29 12:30:00Z", "2020-02-29 12:30:00"),
    ],
)
def test_values_are_made_to_fit_their_column(column: str, value: Scalar, typed: object) -> None:
    _, parameters = compile_count(Compare(column, Op.EQ, value), COLUMNS, "base")
    found = parameters[0]
    assert (found if type(found) is type(typed) else str(found)) == typed


@pytest.mark.parametrize(
    ("column", "op", "value"),
    [
        ("s", Op.LT, None),
        ("s", Op.EQ, "\ud800"),
        ("s", Op.EQ, "x" * 10_001),
        ("i", Op.EQ, "one"),
        ("i", Op.EQ, "1_000"),
        ("i", Op.EQ, True),
        ("i", Op.EQ, "1e9999"),
        ("i", Op.EQ, "9" * 500),
        ("i", Op.CONTAINS, "1"),
        ("n", Op.EQ, "nan"),
        ("n", Op.EQ, "Infinity"),
        ("n", Op.EQ, float("inf")),
        ("n", Op.EQ, "1e999"),
        ("n", Op.STARTS, "1"),
        ("b", Op.EQ, "perhaps"),
        ("b", Op.LT, True),
        ("d", Op.EQ, "2020-02-30"),
        ("d", Op.EQ, "20200229"),
        ("d", Op.EQ, 2020),
        ("t", Op.EQ, "2020-02-29T25:00"),
        ("t", Op.EQ, "noon"),
        ("t", Op.EQ, "0001-01-01T00:00:00+08:00"),
        ("nothing", Op.EQ, 1),
    ],
)
def test_values_that_do_not_fit_are_refused_with_the_column_named(
    column: str, op: Op, value: Scalar
) -> None:
    with pytest.raises(BadQuery, match=f"“{column}”"):
        compile_count(Compare(column, op, value), COLUMNS, "base")


def deep(depth: int) -> Condition:
    condition: Condition = IsNull("s")
    for _ in range(depth):
        condition = Not(And((condition,)))
    return condition


@pytest.mark.parametrize(
    "condition",
    [
        deep(30),
        And(tuple(IsNull("s") for _ in range(501))),
        In("i", tuple(range(1_001))),
    ],
    ids=["deep", "long", "list"],
)
def test_conditions_have_limits(condition: Condition) -> None:
    with pytest.raises(BadQuery):
        bind(condition, COLUMNS)


@pytest.mark.parametrize(
    "query",
    [
        TableQuery(group_by=("nothing",)),
        TableQuery(group_by=("s", "s")),
        TableQuery(group_by=("s",), measures=(Measure(Aggregate.COUNT, "*", "s"),)),
        TableQuery(measures=(Measure(Aggregate.SUM, "*", "x"),)),
        TableQuery(measures=(Measure(Aggregate.SUM, "s", "x"),)),
        TableQuery(measures=(Measure(Aggregate.AVG, "d", "x"),)),
        TableQuery(measures=(Measure(Aggregate.MIN, "nothing", "x"),)),
        TableQuery(group_by=("s",), order_by=(Order("i"),)),
        TableQuery(order_by=tuple(Order("s") for _ in range(11))),
        TableQuery(limit=-1),
        TableQuery(offset=-1),
        TableQuery(offset=2**53 + 1),
    ],
    ids=str,
)
def test_queries_that_make_no_sense_are_refused(query: TableQuery) -> None:
    with pytest.raises(BadQuery):
        compile_query(query, COLUMNS, "base")


@given(st.text(max_size=20).filter(lambda text: text.isprintable()))
def test_no_text_can_end_its_literal(value: str) -> None:
    text = filter_text(Compare("s", Op.EQ, value), COLUMNS)
    assert text.startswith("(c0 = '")
    assert text.endswith("')")
    assert text[7:-2].replace("''", "").count("'") == 0


def test_a_literal_of_no_known_type_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError):
        literal(b"x")  # type: ignore[arg-type] # that is the point


# DuckDB with its limits


def test_a_query_that_takes_too_long_is_interrupted(duck: Duck) -> None:
    began = time.monotonic()
    with pytest.raises(BadQuery, match="longer than"):
        duck.table(
            "SELECT count(*) FROM range(10000000) a, range(10000) b WHERE a.range * b.range % 7 = 3",
            timeout_seconds=0.2,
        )
    assert time.monotonic() - began < 3


def test_a_query_that_takes_too_much_memory_is_refused(duck: Duck) -> None:
    with pytest.raises(BadQuery, match="memory"):
        duck.table("SELECT list(range) FROM range(100000000)")


def test_other_files_cannot_be_read(duck: Duck, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("other") / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(Unavailable):
        duck.table(f"SELECT * FROM read_csv('{secret}')")


def test_a_missing_file_is_unavailable_also_in_a_stream(duck: Duck, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        duck.table(f"SELECT * FROM {parquet(tmp_path / 'nothing.parquet')}")
    with pytest.raises(Unavailable):
        list(duck.batches(f"SELECT * FROM {parquet(tmp_path / 'nothing.parquet')}"))


def test_a_quote_in_the_path_is_no_way_out(duck: Duck, tmp_path: Path) -> None:
    base = make_parquet(tmp_path / "it's" / "base.parquet")
    assert BaseRows(duck, State.of_file(base, STATIONS)).count(None) == len(STATION_ROWS)


def test_many_threads_ask_at_once(duck: Duck, tmp_path: Path) -> None:
    rows = BaseRows(duck, State.of_file(make_parquet(tmp_path / "base.parquet"), STATIONS))
    found: list[int] = []
    ask = [
        threading.Thread(target=lambda: found.append(rows.count(Compare("No", Op.GT, 1))))
        for _ in range(8)
    ]
    for thread in ask:
        thread.start()
    for thread in ask:
        thread.join()
    assert found == [4] * 8


def test_a_stream_that_is_left_early_closes_its_cursor(duck: Duck) -> None:
    stream = duck.batches("SELECT range AS c0 FROM range(1000000)", rows=1_000)
    assert next(stream).num_rows > 0
    stream.close()  # type: ignore[attr-defined] # a generator
    assert duck.table("SELECT 1 AS one")["one"].to_pylist() == [1]


def test_it_opens_again_after_it_was_closed(duck: Duck) -> None:
    duck.table("SELECT 1")
    duck.close()
    duck.close()
    assert duck.table("SELECT 2 AS two")["two"].to_pylist() == [2]


@pytest.mark.parametrize("error", [duckdb.InternalException, duckdb.FatalException])
def test_after_an_internal_error_another_database_is_opened(
    duck: Duck, error: type[duckdb.Error]
) -> None:
    duck.table("SELECT 1")
    before = duck._database
    with duck.cursor() as cursor, pytest.raises(Unavailable), duck.limited(cursor, 5):
        raise error("assertion failed")
    assert duck.table("SELECT 2 AS two")["two"].to_pylist() == [2]
    assert duck._database is not before


def test_a_query_that_breaks_the_database_is_asked_again(
    duck: Duck, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = duck._table, iter([True])

    def table(sql: str, parameters: object, seconds: float) -> pa.Table:
        if next(broken, False):
            duck._forget()
            raise Broken("the table cannot be queried right now")
        return whole(sql, (), seconds)

    monkeypatch.setattr(duck, "_table", table)
    assert duck.table("SELECT 3 AS three")["three"].to_pylist() == [3]
    setting = "SELECT current_setting('disabled_optimizers') AS it"
    assert duck.table(setting)["it"].to_pylist() == ["late_materialization"]


MASKED = tuple(replace(column, masked=column.name in ("s", "i", "b")) for column in COLUMNS)


@pytest.mark.parametrize(
    "query",
    [
        TableQuery(where=Compare("s", Op.EQ, "x")),
        TableQuery(where=Not(Or((IsNull("n"), IsNull("i"))))),
        TableQuery(where=In("i", (1,))),
        TableQuery(order_by=(Order("n"), Order("s"))),
        TableQuery(group_by=("b",)),
        TableQuery(group_by=("n",), measures=(Measure(Aggregate.MAX, "i", "most"),)),
        TableQuery(measures=(Measure(Aggregate.COUNT, "s", "filled"),)),
    ],
    ids=str,
)
def test_a_masked_column_answers_no_question(query: TableQuery) -> None:
    with pytest.raises(BadQuery, match="is masked"):
        compile_query(query, MASKED, "t")


def test_a_masked_column_can_be_shown() -> None:
    text, _ = compile_query(TableQuery(select=("s", "n")), MASKED, "t")
    assert text.startswith('SELECT "c0", "c2" FROM t')


def test_words_nulls_and_numbers_of_rows_are_compiled() -> None:
    query = TableQuery(
        select=("", "No"),
        where=Compare("No", Op.WORD, "7"),
        order_by=(Order("No", nulls_first=True), Order("", descending=True)),
    )
    sql, parameters = compile_all(query, STATIONS, "t")
    assert sql == (
        'SELECT file_row_number, "c1" FROM t WHERE regexp_matches(CAST("c1" AS VARCHAR), ?) '
        'ORDER BY "c1" ASC NULLS FIRST, file_row_number DESC NULLS LAST, file_row_number'
    )
    assert parameters == ["^7([.]0+)?$"]
    groups = TableQuery(group_by=("No",), order_by=(Order("No", nulls_first=True),))
    assert compile_all(groups, STATIONS, "t")[0].endswith("ORDER BY g0 ASC NULLS FIRST")


def test_only_groups_can_be_narrowed_by_having() -> None:
    query = TableQuery(having=Compare("s", Op.EQ, "x"))
    with pytest.raises(BadQuery, match="use where"):
        compile_query(query, COLUMNS, "t")
    grouped = replace(query, group_by=("s",), measures=(Measure(Aggregate.DISTINCT, "i", "n"),))
    text, parameters = compile_query(grouped, COLUMNS, "t")
    assert "FROM (SELECT" in text
    assert parameters == ["x", 100, 0]


def test_a_distance_is_compiled_to_a_box_and_a_haversine() -> None:
    query = TableQuery(where=Near("n", "i", 31.0, 121.0, 5.0))
    text, parameters = compile_query(query, COLUMNS, "t")
    assert text.count("radians") == 4
    assert parameters[-6:-3] == [31.0, 31.0, 121.0]
    with pytest.raises(BadQuery, match="coordinate"):
        compile_query(TableQuery(where=Near("s", "i", 31.0, 121.0, 5.0)), COLUMNS, "t")


@pytest.mark.parametrize("place", [(91.0, 0.0, 1.0), (0.0, 181.0, 1.0), (0.0, 0.0, -1.0)])
def test_a_place_that_is_nowhere_is_refused(place: tuple[float, float, float]) -> None:
    with pytest.raises(BadQuery):
        compile_query(TableQuery(where=Near("n", "i", *place)), COLUMNS, "t")


def test_a_circle_around_a_pole_or_the_whole_earth_takes_all_longitudes() -> None:
    for place in ((89.99, 0.0, 50.0), (0.0, 0.0, 15_000.0)):
        _, parameters = compile_query(TableQuery(where=Near("n", "i", *place)), COLUMNS, "t")
        assert {-180, 180} <= set(parameters)
