"""The rows at a position of the journal: DuckDB, the ordered stream and plain Python agree on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models.vocabulary import ColumnType
from catalog.tabular.base_rows import BaseRows
from catalog.tabular.column import Column
from catalog.tabular.compare import delta_schema
from catalog.tabular.duck import Duck
from catalog.tabular.lance_layout import Layout
from catalog.tabular.lance_store import LanceStore
from catalog.tabular.query import Compare, Op, TableQuery
from catalog.tabular.state import DELETED, INSERTED, OLD, OP, ROW, UPDATED, Part, State, schema_of

COLUMNS = (Column("名称", "c0", ColumnType.STRING), Column("n", "c1", ColumnType.INTEGER))
Rows = dict[int, tuple[object, object]]


def make_delta(path: Path, position: int, before: Rows, after: Rows) -> Part:
    """The delta that leads from one set of numbered rows to the next."""
    lines = []
    for number in sorted(before.keys() | after.keys()):
        old, new = before.get(number), after.get(number)
        if old != new:
            op = INSERTED if old is None else DELETED if new is None else UPDATED
            lines.append((number, op, *(new or (None, None)), *(old or (None, None))))
    schema = delta_schema(COLUMNS)
    columns = list(zip(*lines, strict=True)) or [()] * len(schema)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path)
    return Part(path, position, frozenset({"c0", "c1"}), len(lines))


def make_base(path: Path, rows: Rows, *, numbered: bool = False) -> Part:
    arrays = {"c0": pa.array([r[0] for r in rows.values()], pa.string())}
    arrays["c1"] = pa.array([r[1] for r in rows.values()], pa.int64())
    if numbered:
        arrays[ROW] = pa.array(list(rows), pa.int64())
    pq.write_table(pa.table(arrays), path, row_group_size=3)
    return Part(path, 1, frozenset({"c0", "c1"}), len(rows))


def states(folder: Path, steps: Sequence[Rows], *, numbered: bool = False) -> State:
    base = make_base(folder / "1.parquet", steps[0], numbered=numbered)
    deltas = tuple(
        make_delta(folder / f"{at}.parquet", at, before, after)
        for at, (before, after) in enumerate(pairwise(steps), start=2)
    )
    return State(len(steps), COLUMNS, base, numbered, deltas)


FIRST: Rows = {at: (f"第{at}行", at * 10) for at in range(8)}
SECOND: Rows = {**{at: row for at, row in FIRST.items() if at != 3}, 5: ("改", 50), 8: ("新", 80)}
THIRD: Rows = {
    **{at: row for at, row in SECOND.items() if at != 8},
    0: ("again", None),
    9: ("末", 90),
}


def streamed(state: State) -> Rows:
    table = pa.Table.from_batches(state.batches(), schema_of(state.columns))
    return {row[ROW]: (row["c0"], row["c1"]) for row in table.to_pylist()}


@pytest.mark.parametrize("steps", [[FIRST], [FIRST, SECOND], [FIRST, SECOND, THIRD]])
def test_stream_and_duckdb_give_the_rows_in_the_order_of_their_numbers(
    tmp_path: Path, steps: list[Rows]
) -> None:
    state = states(tmp_path, steps)
    expected = [{"名称": row[0], "n": row[1]} for _, row in sorted(steps[-1].items())]
    assert list(streamed(state)) == sorted(steps[-1])
    assert streamed(state) == steps[-1]
    rows = BaseRows(Duck(tmp_path), state)
    assert rows.rows(TableQuery(limit=100)).to_pylist() == expected
    assert rows.rows(TableQuery(limit=2, offset=3)).to_pylist() == expected[3:5]
    assert pa.Table.from_batches(rows.batches(TableQuery())).to_pylist() == expected
    found = [row for row in expected if row["n"] == 50]
    where = Compare("n", Op.EQ, 50)
    assert rows.rows(TableQuery(where=where)).to_pylist() == found
    assert rows.count(where) == len(found)
    assert rows.count(None) == len(expected)


def test_a_numbered_base_keeps_its_gaps(tmp_path: Path) -> None:
    gaps: Rows = {2: ("a", 1), 5: ("b", 2), 9: ("c", 3)}
    state = states(tmp_path, [gaps, {**gaps, 5: ("B", 2), 12: ("d", 4)}], numbered=True)
    assert list(streamed(state)) == [2, 5, 9, 12]
    rows = BaseRows(Duck(tmp_path), state).rows(TableQuery())
    assert rows["名称"].to_pylist() == ["a", "B", "c", "d"]


def test_a_column_that_came_later_holds_nothing_in_older_files(tmp_path: Path) -> None:
    later = Column("later", "c2", ColumnType.DATE)
    state = states(tmp_path, [FIRST, SECOND])
    wider = replace(state, columns=(*COLUMNS, later))
    rows = BaseRows(Duck(tmp_path), wider).rows(TableQuery())
    assert rows["later"].null_count == len(SECOND)
    plain = replace(states(tmp_path, [FIRST]), columns=(*COLUMNS, later))
    assert BaseRows(Duck(tmp_path), plain).rows(TableQuery())["later"].null_count == len(FIRST)
    assert next(wider.batches()).schema.names == ["c0", "c1", "c2", ROW]


numbers = st.dictionaries(
    st.integers(0, 30), st.tuples(st.text(max_size=3), st.integers(0, 9)), max_size=20
)


@given(
    first=st.lists(st.tuples(st.text(max_size=3), st.integers(0, 9)), max_size=12),
    others=st.lists(numbers, max_size=3),
)
def test_any_chain_of_deltas_streams_to_its_last_state(
    tmp_path_factory: pytest.TempPathFactory, first: list[tuple[str, int]], others: list[Rows]
) -> None:
    state = states(tmp_path_factory.mktemp("chain"), [dict(enumerate(first)), *others])
    expected = others[-1] if others else dict(enumerate(first))
    assert streamed(state) == expected
    assert list(streamed(state)) == sorted(expected)


@given(
    there=st.sets(st.integers(0, 40), max_size=30),
    moved=st.sets(st.integers(0, 60), max_size=15),
    offset=st.integers(0, 50),
    limit=st.integers(0, 20),
)
def test_a_page_of_a_changed_copy_is_the_page_of_the_sorted_numbers(
    there: set[int], moved: set[int], offset: int, limit: int
) -> None:
    end = max(there, default=-1) + 1
    beginning = sorted(there - moved)
    tail = sorted(moved)
    gone = np.array(sorted(set(range(end)) - set(beginning)), np.int64)
    layout = Layout(end, gone, np.array(tail, np.int64), np.array(tail, np.uint64))
    everything = sorted([*beginning, *tail])
    limit = max(0, min(limit, len(everything) - offset))
    window = layout.window(offset, limit)
    parts = [*beginning[window.first : window.first + window.count], *map(int, window.ids)]
    assert [parts[at] for at in window.order] == everything[offset : offset + limit]


@given(
    end=st.integers(0, 40),
    moved=st.sets(st.integers(0, 60), max_size=15),
    first=st.integers(0, 50),
    count=st.integers(0, 20),
)
def test_the_beginning_of_a_copy_is_read_by_its_numbers(
    end: int, moved: set[int], first: int, count: int
) -> None:
    gone = np.array(sorted(number for number in moved if number < end), np.int64)
    layout = Layout(end, gone, np.empty(0, np.int64), np.empty(0, np.uint64), numbered=True)
    left = [number for number in range(end) if number not in moved]
    assert layout.beginning(first, count).tolist() == left[first : first + count]


@pytest.mark.parametrize("numbered", [False, True])
def test_pages_of_a_copy_that_lost_and_changed_rows_are_those_of_the_journal(
    tmp_path: Path, numbered: bool
) -> None:
    first: Rows = {at * (3 if numbered else 1): (f"第{at}行", at) for at in range(60)}
    fewer = {at: row for at, row in first.items() if at % 5}
    other = {at: ("改", n) if n % 7 == 0 else row for at, row in fewer.items() for n in [row[1]]}
    steps = [first, fewer, {**other, 200: ("新", 200)}]
    store = LanceStore(tmp_path / "serving", index_from=10)
    for count in range(1, len(steps) + 1):
        state = states(tmp_path, steps[:count], numbered=numbered)
        changes = {delta.position: delta for delta in state.deltas}
        store.serve("t", state, changes)
        expected = [row[0] for _, row in sorted(steps[count - 1].items())]
        for offset, limit in ((0, 7), (7, 7), (31, 9), (44, 30), (58, 5), (70, 5)):
            page = store.rows("t", count, COLUMNS, TableQuery(offset=offset, limit=limit))
            assert page["名称"].to_pylist() == expected[offset : offset + limit]


def test_old_values_stand_beside_the_new_ones(tmp_path: Path) -> None:
    delta = states(tmp_path, [FIRST, SECOND]).deltas[0]
    changed = pq.read_table(delta.path).to_pylist()
    assert [row[ROW] for row in changed] == [3, 5, 8]
    assert [row[OP] for row in changed] == [DELETED, UPDATED, INSERTED]
    assert changed[1][f"{OLD}c0"] == "第5行"
