"""The file of rows beside a copy: the same rows as Lance gives, wherever they are and whatever changed since."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import Unavailable
from catalog.models.vocabulary import ColumnType
from catalog.tabular.lance_rows import NAME
from catalog.tabular.lance_store import LanceStore
from catalog.tabular.query import Compare, Op, Order, TableQuery
from catalog.tabular.state import State
from tests.catalog.test_state import COLUMNS, make_base, make_delta
from tests.make_table import make_columns

ROWS = 40_000
NARROW = make_columns(text=ColumnType.STRING, n=ColumnType.INTEGER)
WIDE = make_columns(**{f"m{at}": ColumnType.INTEGER for at in range(40)})


@pytest.fixture
def store(tmp_path: Path) -> LanceStore:
    return LanceStore(tmp_path / "serving", index_from=1_000)


@pytest.fixture
def data() -> pa.Table:
    texts = [None if at % 11 == 0 else "字" * (at % 40) + str(at) for at in range(ROWS)]
    return pa.table({"c0": texts, "c1": [(at * 7919) % ROWS for at in range(ROWS)]})


@pytest.fixture
def served(store: LanceStore, data: pa.Table, tmp_path: Path) -> LanceStore:
    pq.write_table(data, tmp_path / "base.parquet")
    store.serve("t", State.of_file(tmp_path / "base.parquet", NARROW, 1))
    return store


def file_of(store: LanceStore) -> Path:
    return store.folder / "t" / "000001.lance" / NAME


@pytest.mark.parametrize(
    ("offset", "limit"),
    [(0, 100), (245, 300), (16_300, 200), (ROWS - 30, 100), (ROWS, 10), (3, 0), (7, 10_000)],
)
def test_a_page_holds_the_rows_that_stand_there(
    served: LanceStore, data: pa.Table, offset: int, limit: int
) -> None:
    assert file_of(served).is_file()
    page = served.rows("t", 1, NARROW, TableQuery(offset=offset, limit=limit))
    assert page.to_pydict() == data.slice(offset, limit).rename_columns(["text", "n"]).to_pydict()


@pytest.mark.parametrize("select", [(), ("n",), ("text",), ("n", "text")])
def test_a_sorted_page_holds_its_rows_in_their_order(
    served: LanceStore, data: pa.Table, select: tuple[str, ...]
) -> None:
    query = TableQuery(select=select, order_by=(Order("n", descending=True),), offset=20_000)
    expected = data.sort_by([("c1", "descending")]).slice(20_000, query.limit)
    named = expected.rename_columns(["text", "n"])
    page = served.rows("t", 1, NARROW, query)
    assert page.to_pydict() == (named.select(select) if select else named).to_pydict()


def test_few_of_many_columns_are_read_without_the_others(store: LanceStore, tmp_path: Path) -> None:
    data = pa.table(
        {f"c{at}": [(row * 7919 + at) % ROWS for row in range(ROWS)] for at in range(40)}
    )
    pq.write_table(data, tmp_path / "wide.parquet")
    store.serve("t", State.of_file(tmp_path / "wide.parquet", WIDE, 1))
    file = store._open("t", 1).file
    assert file is not None
    near, far = (pa.array(ids, pa.uint64()).to_numpy() for ids in ([4, 5, 6], [4, 20_000]))
    assert file.serves(["c1"], near)
    assert not file.serves(["c1"], far)
    assert file.serves(data.column_names, far)
    assert not file.serves(["c99"], near)
    for query in (
        TableQuery(select=("m1",), order_by=(Order("m0"),), limit=50, offset=9_000),
        TableQuery(select=("m1", "m39"), limit=50, offset=9_000),
    ):
        page = store.rows("t", 1, WIDE, query)
        stored = data.sort_by("c0") if query.order_by else data
        assert page["m1"].to_pylist() == stored["c1"].slice(9_000, 50).to_pylist()


def test_rows_that_changed_are_not_those_of_the_file(tmp_path: Path) -> None:
    store = LanceStore(tmp_path / "serving", index_from=100)
    first: dict[int, tuple[object, object]] = {at: (f"行{at}", at) for at in range(2_000)}
    second = {at: row for at, row in first.items() if at % 50}
    second |= {at: (f"新{at}", at + 9) for at in (1, 77, 1_999)} | {2_000: ("末", 5)}
    base, delta = make_base(tmp_path / "1.parquet", first), tmp_path / "2.parquet"
    change = make_delta(delta, 2, first, second)
    store.serve("t", State(1, COLUMNS, base))
    store.serve("t", State(2, COLUMNS, base, deltas=(change,)), {2: change})
    assert file_of(store).is_file()
    rows = [dict(zip(("名称", "n"), row, strict=True)) for _, row in sorted(second.items())]
    for offset in (0, 60, 1_000, 1_930):
        page = store.rows("t", 2, COLUMNS, TableQuery(offset=offset))
        assert page.to_pylist() == rows[offset : offset + 100]
    found = store.rows("t", 2, COLUMNS, TableQuery(where=Compare("名称", Op.STARTS, "新")))
    assert found["n"].to_pylist() == [10, 86, 2_008]
    assert store.rows("t", 1, COLUMNS, TableQuery(limit=1)).to_pylist() == [{"名称": "行0", "n": 0}]


@pytest.mark.parametrize("size", [0, 2_000])
def test_a_file_that_was_cut_is_noticed_and_never_read(served: LanceStore, size: int) -> None:
    os.truncate(file_of(served), size)
    assert served.served("t") == 0
    with pytest.raises(Unavailable):
        served.rows("t", 1, NARROW, TableQuery())


def test_a_file_of_other_rows_is_not_read(served: LanceStore) -> None:
    schema = pa.schema([("c0", pa.string()), ("c1", pa.int64())])
    with pa.ipc.new_file(str(file_of(served)), schema) as file:
        file.write_table(pa.table({"c0": ["a"], "c1": [1]}, schema=schema))
    with pytest.raises(Unavailable):
        served.rows("t", 1, NARROW, TableQuery())


def test_texts_that_were_found_by_pairs_are_compared_with_those_in_memory(
    store: LanceStore, tmp_path: Path
) -> None:
    texts = [f"{at}{('延安路', '延安东路', '天目路灯')[at % 3]}" for at in range(24_000)]
    columns = make_columns(text=ColumnType.STRING)
    pq.write_table(pa.table({"c0": texts}), tmp_path / "texts.parquet")
    store.serve("t", State.of_file(tmp_path / "texts.parquet", columns, 1))
    for kept in (True, False):
        for word in ("9延安路", "天目路灯", "延安西路"):
            found = store.count("t", 1, columns, Compare("text", Op.CONTAINS, word))
            assert found == sum(word in text for text in texts)
        assert (store.finder.texts.get(("t", 1, "c0")) is not None) is kept
        store.finder.texts.forget(lambda _: True)
        store.finder.selections.forget(lambda _: True)
