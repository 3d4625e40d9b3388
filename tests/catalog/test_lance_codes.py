"""Columns of few different values as small numbers: the same rows as comparing values, whatever changed since."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.models.vocabulary import ColumnType
from catalog.tabular import lance_codes
from catalog.tabular.compare import delta_schema
from catalog.tabular.lance_store import LanceStore
from catalog.tabular.query import (
    And,
    Compare,
    Condition,
    In,
    IsNull,
    Not,
    Op,
    Or,
    Order,
    TableQuery,
)
from catalog.tabular.state import DELETED, INSERTED, OLD, OP, ROW, UPDATED, Part, State
from tests.make_table import make_columns

COLUMNS = make_columns(
    kind=ColumnType.STRING,
    day=ColumnType.DATE,
    score=ColumnType.NUMBER,
    count=ColumnType.INTEGER,
    open=ColumnType.BOOLEAN,
    code=ColumnType.STRING,
)
NAMES = [column.name for column in COLUMNS]
ROWS = 300
FIRST_DAY = date(2024, 1, 1)
Row = dict[str, Any]


def make_row(at: int, kinds: tuple[str | None, ...] = ("交通", "医疗", None, "a")) -> Row:
    return {
        "kind": kinds[at % len(kinds)],
        "day": None if at % 13 == 0 else FIRST_DAY + timedelta(days=at % 40),
        "score": (None, -0.0, 0.0, 1.5, -2.5)[at % 5],
        "count": at % 7 - 3,
        "open": (True, False, None)[at % 3],
        "code": f"N{at:04d}",
    }


BEFORE = {at: make_row(at) for at in range(ROWS)}
AFTER = {at: row for at, row in BEFORE.items() if at % 10} | {
    at: make_row(at, ("水务", "Z", None)) for at in (11, 12, 13, ROWS - 1, ROWS, ROWS + 1)
}


def make_base(path: Path, rows: dict[int, Row]) -> Part:
    table = pa.table([[row[c.name] for row in rows.values()] for c in COLUMNS], names=stored())
    types = {"c1": pa.date32(), "c3": pa.int64()}
    pq.write_table(
        table.cast(pa.schema([(f.name, types.get(f.name, f.type)) for f in table.schema])), path
    )
    return Part(path, 1, frozenset(stored()), len(rows))


def stored() -> list[str]:
    return [column.stored for column in COLUMNS]


def make_delta(path: Path, after: dict[int, Row]) -> Part:
    """What leads from the rows before to the rows after."""
    lines = []
    for number in sorted(BEFORE.keys() | after.keys()):
        old, new = BEFORE.get(number), after.get(number)
        if old != new:
            op = INSERTED if old is None else DELETED if new is None else UPDATED
            line = {ROW: number, OP: op}
            for column in COLUMNS:
                line[column.stored] = new and new[column.name]
                line[OLD + column.stored] = old and old[column.name]
            lines.append(line)
    pq.write_table(pa.Table.from_pylist(lines, delta_schema(COLUMNS)), path)
    return Part(path, 2, frozenset(stored()), len(lines))


@pytest.fixture(params=[4_000_000, 0], ids=["keys kept", "only codes"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LanceStore:
    """A copy at position 2, which began at position 1; only the column `code` has too many values."""
    found = LanceStore(tmp_path / "serving", index_from=10, bitmaps_to=50, keys_to=request.param)
    base = make_base(tmp_path / "1.parquet", BEFORE)
    delta = make_delta(tmp_path / "2.parquet", AFTER)
    found.serve("t", State(1, COLUMNS, base))
    found.serve("t", State(2, COLUMNS, base, deltas=(delta,)), {2: delta})
    return found


VALUES: dict[str, tuple[Any, ...]] = {
    "kind": ("交通", "水务", "b", ""),
    "day": (FIRST_DAY + timedelta(days=3), FIRST_DAY - timedelta(days=9), date(2030, 1, 1)),
    "score": (0.0, -0.0, 1.5, 9.0, -7.0),
    "count": (-3, 0, 99),
}
CONDITIONS: list[Condition] = [
    *(
        Compare(name, op, value)
        for name, values in VALUES.items()
        for op, value in product((Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE), values)
    ),
    *(In(name, (*values, None)) for name, values in VALUES.items()),
    *(Not(In(name, values)) for name, values in VALUES.items()),
    *(IsNull(name) for name in NAMES),
    *(Not(IsNull(name)) for name in NAMES),
    Compare("open", Op.EQ, True),
    Compare("open", Op.NE, True),
    Compare("kind", Op.CONTAINS, "通"),
    Compare("kind", Op.ICONTAINS, "z"),
    And((Compare("kind", Op.EQ, "医疗"), Compare("count", Op.GT, 0), Compare("code", Op.NE, "N0001"))),
    Or((Compare("kind", Op.EQ, "Z"), Compare("code", Op.EQ, "N0005"))),
    And((Or((Compare("kind", Op.EQ, "a"), IsNull("day"))), Not(Compare("score", Op.EQ, 0.0)))),
]  # fmt: skip
TESTS = {
    Op.EQ: lambda one, other: one == other,
    Op.NE: lambda one, other: one != other,
    Op.LT: lambda one, other: one < other,
    Op.LE: lambda one, other: one <= other,
    Op.GT: lambda one, other: one > other,
    Op.GE: lambda one, other: one >= other,
    Op.CONTAINS: lambda one, other: other in one,
    Op.ICONTAINS: lambda one, other: other in one.lower(),
}


def holds(condition: Condition, row: Row) -> bool | None:
    """True, false or unknown."""
    match condition:
        case And(parts):
            answers = {holds(part, row) for part in parts}
            return False if False in answers else None if None in answers else True
        case Or(parts):
            answers = {holds(part, row) for part in parts}
            return True if True in answers else None if None in answers else False
        case Not(part):
            answer = holds(part, row)
            return None if answer is None else not answer
        case IsNull(name):
            return row[name] is None
        case In(name, values):
            if row[name] is None:
                return True if None in values else None
            return row[name] in values
        case Compare(name, op, value):
            return None if row[name] is None else TESTS[op](row[name], value)
    raise TypeError(condition)


@pytest.mark.parametrize(("position", "rows"), [(1, BEFORE), (2, AFTER)], ids=["whole", "changed"])
def test_conditions_on_few_values_give_the_rows_that_comparing_values_gives(
    store: LanceStore, position: int, rows: dict[int, Row]
) -> None:
    assert store._open("t", position).coded == {"c0", "c1", "c2", "c3", "c4"}
    for where in CONDITIONS:
        expected = [row["code"] for _, row in sorted(rows.items()) if holds(where, row)]
        asked = TableQuery(select=("code",), where=where, limit=1_000)
        page = store.rows("t", position, COLUMNS, asked)
        assert page["code"].to_pylist() == expected, where
        assert store.count("t", position, COLUMNS, where) == len(expected), where


@pytest.mark.parametrize(("position", "rows"), [(1, BEFORE), (2, AFTER)], ids=["whole", "changed"])
@pytest.mark.parametrize("name", ["kind", "day", "count"])
@pytest.mark.parametrize("descending", [False, True])
def test_rows_sorted_by_few_values_come_as_the_values_sort(
    store: LanceStore, position: int, rows: dict[int, Row], name: str, descending: bool
) -> None:
    ordered = [row for _, row in sorted(rows.items())]
    there = [row for row in ordered if row[name] is not None]
    there.sort(key=lambda row: row[name], reverse=descending)  # stays stable when reversed
    expected = [*there, *(row for row in ordered if row[name] is None)]
    query = TableQuery(order_by=(Order(name, descending=descending),), offset=40, limit=200)
    page = store.rows("t", position, COLUMNS, query)
    assert page["code"].to_pylist() == [row["code"] for row in expected[40:240]]


@pytest.mark.parametrize(("position", "rows"), [(1, BEFORE), (2, AFTER)], ids=["whole", "changed"])
def test_few_rows_of_a_condition_are_sorted_by_any_column(
    store: LanceStore, position: int, rows: dict[int, Row]
) -> None:
    where = And((Compare("code", Op.GE, "N0294"), Not(IsNull("kind"))))
    found = [row for row in rows.values() if row["code"] >= "N0294" and row["kind"] is not None]
    assert 1 < len(found) <= ROWS // 40
    query = TableQuery(where=where, order_by=(Order("kind"), Order("code", descending=True)))
    page = store.rows("t", position, COLUMNS, query)
    by_code = sorted(found, key=lambda row: row["code"], reverse=True)
    expected = sorted(by_code, key=lambda row: row["kind"])
    assert page["code"].to_pylist() == [row["code"] for row in expected]


def test_a_column_whose_values_have_become_many_is_compared_and_sorted_as_before(
    store: LanceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_codes, "MOST_VALUES", 4)
    key = store._open("t", 2).code_key("c0")
    assert key is not None
    assert key.numbers.missing is not None
    test_conditions_on_few_values_give_the_rows_that_comparing_values_gives(store, 2, AFTER)
    for row in AFTER.values():
        asked = TableQuery(where=Compare("kind", Op.EQ, row["kind"]), order_by=(Order("kind"),))
        assert store.rows("t", 2, COLUMNS, asked).num_rows


def test_a_copy_without_codes_has_none(tmp_path: Path) -> None:
    found = LanceStore(tmp_path / "serving", index_from=10, bitmaps_to=0)
    found.serve("t", State(1, COLUMNS, make_base(tmp_path / "1.parquet", BEFORE)))
    opened = found._open("t", 1)
    assert (opened.coded, opened.code_key("c0")) == (frozenset(), None)


@pytest.mark.parametrize("index_from", [1, 1_000])
@pytest.mark.parametrize("few", [50, 3], ids=["most coded", "most not"])
def test_a_table_that_has_lost_all_its_rows_answers(
    tmp_path: Path, index_from: int, few: int
) -> None:
    found = LanceStore(tmp_path / "serving", index_from=index_from, bitmaps_to=few)
    base = make_base(tmp_path / "1.parquet", BEFORE)
    delta = make_delta(tmp_path / "2.parquet", {})
    found.serve("t", State(1, COLUMNS, base))
    found.serve("t", State(2, COLUMNS, base, deltas=(delta,)), {2: delta})
    for where in (None, *CONDITIONS):
        for order in ((), (Order("code"),), (Order("count", descending=True),)):
            asked = TableQuery(where=where, order_by=order, limit=10)
            assert found.rows("t", 2, COLUMNS, asked).num_rows == 0
        assert found.count("t", 2, COLUMNS, where) == 0
