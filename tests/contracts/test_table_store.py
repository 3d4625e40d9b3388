"""What every table store must do: give the same rows as the same question asked of plain Python lists."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import BadQuery, Unavailable
from catalog.models.vocabulary import ColumnType
from catalog.tabular.base_rows import BaseRows
from catalog.tabular.column import Column
from catalog.tabular.duck import Duck
from catalog.tabular.lance_store import LanceStore
from catalog.tabular.query import (
    And,
    Box,
    Compare,
    Condition,
    In,
    IsNull,
    Near,
    Not,
    Op,
    Or,
    Order,
    TableQuery,
    Words,
)
from catalog.tabular.state import Part, State
from catalog.tabular.store import NO_CHANGES, TableStore
from tests.catalog.test_state import make_base, make_delta
from tests.make_table import STATION_ROWS, STATIONS, Row, make_columns, make_parquet


class JournalOnly:
    """Answers from the base files, as the services do while no copy serves."""

    def __init__(self, folder: Path) -> None:
        self.duck = Duck(folder)
        self.states: dict[tuple[str, int], State] = {}

    def serve(self, table: str, state: State, changes: Mapping[int, Part] = NO_CHANGES) -> None:  # noqa: ARG002 # the signature is the port's
        self.states[table, state.position] = state

    def _base(self, table: str, position: int, columns: tuple[Column, ...]) -> BaseRows:
        if (table, position) not in self.states:
            raise Unavailable("not served")
        return BaseRows(self.duck, replace(self.states[table, position], columns=columns))

    def rows(
        self, table: str, position: int, columns: tuple[Column, ...], query: TableQuery
    ) -> pa.Table:
        return self._base(table, position, columns).rows(query)

    def count(
        self, table: str, position: int, columns: tuple[Column, ...], where: Condition | None
    ) -> int:
        return self._base(table, position, columns).count(where)

    def batches(
        self, table: str, position: int, columns: tuple[Column, ...], query: TableQuery
    ) -> Iterator[pa.RecordBatch]:
        return self._base(table, position, columns).batches(query)

    def served(self, table: str) -> int:
        return max((position for name, position in self.states if name == table), default=0)

    def drop(self, table: str) -> None:
        self.states = {key: base for key, base in self.states.items() if key[0] != table}

    def tables(self) -> frozenset[str]:
        return frozenset(table for table, _ in self.states)


STORES: dict[str, Callable[[Path], TableStore]] = {
    "lance": lambda folder: LanceStore(folder / "serving"),
    "lance-indexed": lambda folder: LanceStore(folder / "serving", index_from=1),
    "lance-trees": lambda folder: LanceStore(folder / "serving", index_from=1, bitmaps_to=0),
    "lance-many-rows": lambda folder: LanceStore(
        folder / "serving", index_from=1, bitmaps_to=0, keys_to=0
    ),
    "lance-many-files": lambda folder: LanceStore(folder / "serving", rows_a_file=2),
    "journal": JournalOnly,
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TableStore:
    return STORES[request.param](tmp_path)


@pytest.fixture
def served(store: TableStore, tmp_path: Path) -> TableStore:
    """The store, serving the stations as `t` at position 1."""
    store.serve("t", State.of_file(make_parquet(tmp_path / "base.parquet"), STATIONS, 1))
    return store


# The oracle: the meaning of a query in plain Python


def _holds(condition: Condition, row: Row) -> bool | None:
    """True, False or None (unknown), as SQL has it."""
    match condition:
        case And(parts):
            answers = [_holds(part, row) for part in parts]
            return False if False in answers else None if None in answers else True
        case Or(parts):
            answers = [_holds(part, row) for part in parts]
            return True if True in answers else None if None in answers else False
        case Not(part):
            answer = _holds(part, row)
            return None if answer is None else not answer
        case IsNull(column):
            return row[column] is None
        case In(column, values):
            parts = tuple(
                IsNull(column) if value is None else Compare(column, Op.EQ, value)
                for value in values
            )
            return _holds(Or(parts), row)
        case Compare(column, op, value):
            return None if row[column] is None else _compare(row[column], op, value)
        case _:
            return _holds_own(condition, row)


def _holds_own(condition: Condition, row: Row) -> bool | None:
    match condition:
        case Words(text):
            texts = [name for name in ("名 称", "名称") if name in row]
            words = [
                Or(tuple(Compare(name, Op.ICONTAINS, word) for name in texts))
                for word in text.split()
            ]
            return _holds(And(tuple(words)), row)
        case Near(lat, lon, north, east, km):
            return _both(row, lat, lon, lambda y, x: _distance(y, x, north, east) <= km)
        case Box(lat, lon, south, west, north, east):
            turned = west > east

            def inside(y: float, x: float) -> bool:
                across = x >= west or x <= east if turned else west <= x <= east
                return south <= y <= north and across

            return _both(row, lat, lon, inside)
    raise AssertionError(condition)


def _both(row: Row, one: str, other: str, holds: Callable[[float, float], bool]) -> bool | None:
    y, x = row[one], row[other]
    if y is None or x is None:
        # A missing longitude leaves a wrong latitude wrong; nobody is asked the opposite of that below.
        return None
    return holds(float(str(y)), float(str(x)))


def _distance(y: float, x: float, north: float, east: float) -> float:
    """Kilometres along a great circle, by the law of cosines: another formula than the engines use."""
    a, b, turn = math.radians(y), math.radians(north), math.radians(x - east)
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(turn)
    return 6371.0088 * math.acos(max(-1.0, min(1.0, cosine)))


def _compare(cell: object, op: Op, value: object) -> bool:
    if isinstance(cell, datetime):
        value = datetime.fromisoformat(str(value))
    elif isinstance(cell, date):
        value = date.fromisoformat(str(value))
    compare: dict[Op, Callable[[], bool]] = {
        Op.EQ: lambda: cell == value,
        Op.NE: lambda: cell != value,
        Op.LT: lambda: cell < value,  # type: ignore[operator] # both have the column's type
        Op.LE: lambda: cell <= value,  # type: ignore[operator] # both have the column's type
        Op.GT: lambda: cell > value,  # type: ignore[operator] # both have the column's type
        Op.GE: lambda: cell >= value,  # type: ignore[operator] # both have the column's type
        Op.CONTAINS: lambda: str(value) in str(cell),
        Op.STARTS: lambda: str(cell).startswith(str(value)),
        Op.ENDS: lambda: str(cell).endswith(str(value)),
        Op.ICONTAINS: lambda: str(value).lower() in str(cell).lower(),
    }
    return compare[op]()


def _asked(rows: list[Row], query: TableQuery) -> list[Row]:
    """All rows of the query, in order."""
    found = [row for row in rows if query.where is None or _holds(query.where, row) is True]
    for order in reversed(query.order_by):
        there = [row for row in found if row[order.column] is not None]
        missing = [row for row in found if row[order.column] is None]
        # A stable sort keeps the order of the file among equals, also when descending.
        there.sort(key=lambda row: _sortable(row[order.column]), reverse=False)
        if order.descending:
            groups: dict[object, list[Row]] = {}
            for row in there:
                groups.setdefault(_sortable(row[order.column]), []).append(row)
            there = [row for value in reversed(groups) for row in groups[value]]
        found = there + missing
    names = query.select or (tuple(rows[0]) if rows else ())
    return [{name: row[name] for name in names} for row in found]


def _sortable(value: object) -> object:
    return value.encode() if isinstance(value, str) else value


# Questions of every kind

ODD = make_columns(
    **{
        "名 称": ColumnType.STRING,
        "PM2.5": ColumnType.NUMBER,
        "_rowid": ColumnType.INTEGER,
        "a\"b`c'": ColumnType.BOOLEAN,
        "row": ColumnType.DATE,
        "select": ColumnType.DATETIME,
    }
)
TEXTS = st.text("abAÉ'\"\\%_中文东 \n\x00😀é", max_size=4)
INTEGERS = st.integers(-3, 3) | st.sampled_from([2**53 + 1, 2**63 - 1, -(2**63)])
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(lambda n: n + 0.0) | st.sampled_from(
    [0.0, 0.5]
)
DAYS = st.dates() | st.just(date(2020, 2, 29))
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1))
VALUES: dict[ColumnType, st.SearchStrategy[object]] = {
    ColumnType.STRING: TEXTS,
    ColumnType.NUMBER: NUMBERS,
    ColumnType.INTEGER: INTEGERS,
    ColumnType.BOOLEAN: st.booleans(),
    ColumnType.DATE: DAYS,
    ColumnType.DATETIME: MOMENTS,
}
ASKED = {
    **VALUES,
    ColumnType.INTEGER: INTEGERS | st.sampled_from([1.5, -0.5, 2**70, -1e30, 0.0]),
    ColumnType.DATE: DAYS.map(date.isoformat),
    ColumnType.DATETIME: MOMENTS.map(datetime.isoformat),
}
ORDERED = [Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE]
OPS = {
    ColumnType.STRING: [*ORDERED, Op.CONTAINS, Op.STARTS, Op.ENDS, Op.ICONTAINS],
    ColumnType.BOOLEAN: [Op.EQ, Op.NE],
}
ROWS = st.lists(
    st.fixed_dictionaries({column.name: st.none() | VALUES[column.type] for column in ODD}),
    max_size=12,
)


def _comparisons(column: Column) -> st.SearchStrategy[Condition]:
    values = ASKED[column.type]
    ops = st.sampled_from(OPS.get(column.type, ORDERED))
    return st.one_of(
        st.builds(Compare, st.just(column.name), ops, values),
        st.builds(In, st.just(column.name), st.lists(st.none() | values, max_size=3).map(tuple)),
        st.builds(IsNull, st.just(column.name)),
    )


CONDITIONS = st.recursive(
    st.one_of(*map(_comparisons, ODD), st.builds(Words, TEXTS)),
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)
NAMES = st.sampled_from([column.name for column in ODD])
QUERIES = st.builds(
    TableQuery,
    select=st.lists(NAMES, unique=True).map(tuple),
    where=st.none() | CONDITIONS,
    order_by=st.lists(
        st.builds(Order, NAMES, st.booleans()), max_size=3, unique_by=lambda order: order.column
    ).map(tuple),
    limit=st.integers(0, 8),
    offset=st.integers(0, 14),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, queries=st.lists(QUERIES, min_size=1, max_size=4))
def test_rows_and_counts_are_those_of_plain_python(
    store: TableStore, tmp_path: Path, rows: list[Row], queries: list[TableQuery]
) -> None:
    table = f"t{next(_TABLES)}"
    store.serve(
        table, State.of_file(make_parquet(tmp_path / f"{table}.parquet", ODD, rows), ODD, 1)
    )
    for query in queries:
        expected = _asked(rows, query)
        page = store.rows(table, 1, ODD, query)
        assert page.to_pylist() == expected[query.offset : query.offset + query.limit]
        assert page.column_names == list(query.select or [column.name for column in ODD])
        assert store.count(table, 1, ODD, query.where) == len(expected)
        streamed = [
            row for batch in store.batches(table, 1, ODD, query) for row in batch.to_pylist()
        ]
        assert streamed == expected
    store.drop(table)


_TABLES = count()


# Points

PLACES = make_columns(lat=ColumnType.NUMBER, lon=ColumnType.NUMBER)
LATITUDES = st.floats(-90, 90, allow_subnormal=False)
LONGITUDES = st.floats(-180, 180, allow_subnormal=False)
POINTS = st.lists(
    st.fixed_dictionaries({"lat": st.none() | LATITUDES, "lon": st.none() | LONGITUDES}),
    min_size=1,
    max_size=12,
)
NEARS = st.builds(
    Near,
    st.just("lat"),
    st.just("lon"),
    LATITUDES,
    LONGITUDES,
    st.sampled_from([0.5, 25.0, 900.0, 7_000.0, 20_000.0]),
)
BOXES = st.builds(
    lambda ys, west, east: Box("lat", "lon", min(ys), west, max(ys), east),
    st.tuples(LATITUDES, LATITUDES),
    LONGITUDES,
    LONGITUDES,
)
"""An upside-down one is refused (tests/api/test_places.py)."""


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=POINTS, conditions=st.lists(NEARS | BOXES, min_size=1, max_size=4))
def test_places_are_found_by_distance_and_box(
    store: TableStore, tmp_path: Path, rows: list[Row], conditions: list[Near | Box]
) -> None:
    table = f"t{next(_TABLES)}"
    base = make_parquet(tmp_path / f"{table}.parquet", PLACES, rows)
    store.serve(table, State.of_file(base, PLACES, 1))
    for condition in conditions:
        if isinstance(condition, Near) and any(_at_the_edge(condition, row) for row in rows):
            continue  # where rounding decides, engines may differ
        found = store.rows(table, 1, PLACES, TableQuery(where=condition)).to_pylist()
        assert found == [row for row in rows if _holds(condition, row)]
    store.drop(table)


def _at_the_edge(near: Near, row: Row) -> bool:
    if row["lat"] is None or row["lon"] is None:
        return False
    distance = _distance(
        float(str(row["lat"])), float(str(row["lon"])), near.latitude, near.longitude
    )
    return abs(distance - near.km) < 1e-3


# Texts, sorts and totals before and after changes

NAMED = (Column("名称", "c0", ColumnType.STRING), Column("n", "c1", ColumnType.INTEGER))
NAMES_OF_PLACES = st.text("东西路口中路ABab ，\n😀", max_size=9)
NAMED_ROW = st.tuples(st.none() | NAMES_OF_PLACES, st.none() | st.integers(0, 3))
BEFORE = st.lists(NAMED_ROW, min_size=1, max_size=30)
CHANGES = st.fixed_dictionaries(
    {
        "changed": st.dictionaries(st.integers(0, 29), NAMED_ROW, max_size=6),
        "deleted": st.sets(st.integers(0, 29), max_size=6),
        "added": st.lists(NAMED_ROW, max_size=6),
    }
)
TEXT_OPS = st.sampled_from([Op.EQ, Op.CONTAINS, Op.ICONTAINS, Op.STARTS, Op.ENDS])
TEXT_TESTS = st.builds(Compare, st.just("名称"), TEXT_OPS, NAMES_OF_PLACES) | st.builds(
    Words, NAMES_OF_PLACES
)
SEARCHES = st.builds(
    TableQuery,
    where=st.recursive(
        TEXT_TESTS
        | st.builds(
            Compare, st.just("n"), st.sampled_from(ORDERED), st.integers(-1, 4) | st.just(1.5)
        ),
        lambda inner: st.one_of(
            st.builds(And, st.lists(inner, max_size=3).map(tuple)),
            st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
            st.builds(Not, inner),
        ),
        max_leaves=4,
    ),
    order_by=st.lists(
        st.builds(Order, st.sampled_from(["名称", "n"]), st.booleans()),
        max_size=2,
        unique_by=lambda order: order.column,
    ).map(tuple),
    limit=st.integers(0, 20),
    offset=st.integers(0, 10),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=BEFORE, changes=CHANGES, queries=st.lists(SEARCHES, min_size=1, max_size=5))
def test_texts_are_found_and_rows_sorted_the_same_before_and_after_changes(
    store: TableStore,
    tmp_path: Path,
    before: list[tuple[object, object]],
    changes: dict[str, Any],
    queries: list[TableQuery],
) -> None:
    table = f"t{next(_TABLES)}"
    first = dict(enumerate(before))
    second = first | {at: row for at, row in changes["changed"].items() if at in first}
    second = {at: row for at, row in second.items() if at not in changes["deleted"]}
    second |= dict(enumerate(changes["added"], start=len(first)))
    base = make_base(tmp_path / f"{table}.parquet", first)
    delta = make_delta(tmp_path / f"{table}-2.parquet", 2, first, second)
    store.serve(table, State(1, NAMED, base))
    _check_searches(store, table, 1, first, queries)
    store.serve(table, State(2, NAMED, base, deltas=(delta,)), {2: delta})
    _check_searches(store, table, 2, second, queries)
    _check_searches(store, table, 1, first, queries)
    store.drop(table)


@pytest.mark.parametrize("op", [Op.EQ, Op.CONTAINS, Op.ICONTAINS, Op.STARTS, Op.ENDS])
def test_rare_texts_among_many_are_found_by_every_comparison(
    store: TableStore, tmp_path: Path, op: Op
) -> None:
    roads = ["淮海路", "延安中路", "中山东路", "Nanjing路中山", "海淮路", "四川"]
    things = ["路灯", "井盖", "灯路", "水管A", "水管a", ""]
    names = [
        f"{road}{thing}{'损坏' * (at % 2)}" for road in roads for thing in things for at in range(9)
    ]
    first: dict[int, tuple[object, object]] = {at: (name, at % 4) for at, name in enumerate(names)}
    first[len(first)] = (None, 1)
    second = {at: row for at, row in first.items() if at % 7} | {
        3: ("延安中路路灯", 0),
        5: ("改了", 1),
        len(first): ("四川水管a损坏", 2),
        len(first) + 1: ("山路", 3),
    }
    base = make_base(tmp_path / "base.parquet", first)
    delta = make_delta(tmp_path / "delta.parquet", 2, first, second)
    store.serve("t", State(1, NAMED, base))
    texts = [
        "延安中路",
        "中山东路井盖",
        "四川水管a损坏",
        "四川水管A",
        "中路路灯",
        "路中山",
        "山路",
        "淮海路路灯损坏",
        "无",
    ]
    queries = [TableQuery(where=Compare("名称", op, text), limit=500) for text in texts]
    queries += [
        TableQuery(
            where=And((query.where, Compare("n", Op.GE, 2))), order_by=(Order("n"),), limit=5
        )
        for query in queries
        if query.where is not None
    ]
    _check_searches(store, "t", 1, first, queries)
    store.serve("t", State(2, NAMED, base, deltas=(delta,)), {2: delta})
    _check_searches(store, "t", 2, second, queries)


def _check_searches(
    store: TableStore,
    table: str,
    position: int,
    numbered: dict[int, tuple[object, object]],
    queries: list[TableQuery],
) -> None:
    rows: list[Row] = [{"名称": name, "n": n} for _, (name, n) in sorted(numbered.items())]
    for query in queries:
        expected = _asked(rows, query) if rows else []
        page = store.rows(table, position, NAMED, query).to_pylist()
        assert page == expected[query.offset : query.offset + query.limit]
        assert store.count(table, position, NAMED, query.where) == len(expected)


# Single facts


def test_a_page_at_any_depth_follows_the_order_of_the_file(
    store: TableStore, tmp_path: Path
) -> None:
    columns = make_columns(n=ColumnType.INTEGER)
    rows: list[Row] = [{"n": (at * 7919) % 3001} for at in range(3000)]
    store.serve(
        "t", State.of_file(make_parquet(tmp_path / "base.parquet", columns, rows), columns, 1)
    )
    for offset in (0, 1499, 2950, 2999, 3000, 10_000):
        page = store.rows("t", 1, columns, TableQuery(limit=100, offset=offset))
        assert page.to_pylist() == rows[offset : offset + 100]


@pytest.mark.parametrize("where", [None, Compare("k", Op.EQ, 1)])
@pytest.mark.parametrize("order", [(), (Order("k"),), (Order("k", descending=True), Order("n"))])
def test_pages_of_a_walk_neither_repeat_nor_miss_a_row(
    store: TableStore, tmp_path: Path, where: Condition | None, order: tuple[Order, ...]
) -> None:
    columns = make_columns(k=ColumnType.INTEGER, n=ColumnType.INTEGER)
    rows: list[Row] = [{"k": at % 3, "n": at} for at in range(2500)]
    store.serve(
        "t", State.of_file(make_parquet(tmp_path / "base.parquet", columns, rows), columns, 1)
    )
    query = TableQuery(where=where, order_by=order, limit=700)
    walked: list[Row] = []
    for page in range(4):
        at = TableQuery(where=where, order_by=order, limit=700, offset=page * 700)
        walked += store.rows("t", 1, columns, at).to_pylist()
    assert walked == _asked(rows, query)


def test_a_sorted_page_deep_down_is_exact(store: TableStore, tmp_path: Path) -> None:
    columns = make_columns(k=ColumnType.INTEGER, n=ColumnType.INTEGER)
    rows: list[Row] = [{"k": (at * 37) % 101, "n": at} for at in range(12_000)]
    store.serve(
        "t", State.of_file(make_parquet(tmp_path / "base.parquet", columns, rows), columns, 1)
    )
    query = TableQuery(order_by=(Order("k"),), limit=50, offset=11_900)
    assert store.rows("t", 1, columns, query).to_pylist() == _asked(rows, query)[11_900:11_950]


def test_a_new_position_is_served_beside_the_old_one(served: TableStore, tmp_path: Path) -> None:
    base = make_parquet(tmp_path / "next.parquet", STATIONS, STATION_ROWS[:2])
    served.serve("t", State.of_file(base, STATIONS, 2))
    assert served.served("t") == 2
    assert served.count("t", 2, STATIONS, None) == 2
    assert served.count("t", 1, STATIONS, None) == len(STATION_ROWS)


def test_serving_the_same_position_twice_changes_nothing(
    served: TableStore, tmp_path: Path
) -> None:
    served.serve("t", State.of_file(make_parquet(tmp_path / "base.parquet"), STATIONS, 1))
    assert served.rows("t", 1, STATIONS, TableQuery()).to_pylist() == list(STATION_ROWS)


def test_a_table_without_rows_is_served(store: TableStore, tmp_path: Path) -> None:
    store.serve(
        "t", State.of_file(make_parquet(tmp_path / "base.parquet", STATIONS, []), STATIONS, 1)
    )
    assert store.rows("t", 1, STATIONS, TableQuery(order_by=(Order("day"),))).num_rows == 0
    assert store.count("t", 1, STATIONS, Compare("day", Op.LT, "2020-01-01")) == 0


def test_what_was_dropped_is_no_longer_served(served: TableStore) -> None:
    assert served.tables() == {"t"}
    served.drop("t")
    served.drop("t")
    assert served.served("t") == 0
    assert served.tables() == frozenset()
    with pytest.raises(Unavailable):
        served.rows("t", 1, STATIONS, TableQuery())


@pytest.mark.parametrize(
    "query",
    [
        TableQuery(select=("nothing",)),
        TableQuery(select=("No", "No")),
        TableQuery(order_by=(Order("nothing"),)),
        TableQuery(where=Compare("nothing", Op.EQ, 1)),
        TableQuery(where=Compare("day", Op.EQ, "yesterday")),
        TableQuery(limit=-1),
        TableQuery(offset=-1),
        TableQuery(offset=2**60),
    ],
    ids=str,
)
def test_a_query_that_does_not_fit_is_refused(served: TableStore, query: TableQuery) -> None:
    with pytest.raises(BadQuery):
        served.rows("t", 1, STATIONS, query)


def test_many_threads_read_while_a_new_position_is_served(
    served: TableStore, tmp_path: Path
) -> None:
    problems: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(20):
                page = served.rows("t", 1, STATIONS, TableQuery(order_by=(Order("No"),), limit=3))
                assert page["No"].to_pylist() == [-(2**63), 1, 2]
        except BaseException as error:  # noqa: BLE001 # shown by the assertion below
            problems.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    served.serve("t", State.of_file(make_parquet(tmp_path / "next.parquet"), STATIONS, 2))
    for thread in threads:
        thread.join()
    assert problems == []
