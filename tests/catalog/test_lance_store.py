"""Serving copies on disk: kills, damage, locks, and readers in other processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import BadQuery, Unavailable
from catalog.models.vocabulary import ColumnType
from catalog.tabular.lance_store import LanceStore
from catalog.tabular.query import Compare, Op, Order, TableQuery
from catalog.tabular.selections import Kept, Selection
from catalog.tabular.state import State
from tests.make_table import STATION_ROWS, STATIONS, Row, make_columns, make_parquet

ROOT = Path(__file__).parent.parent.parent
NUMBERS = make_columns(n=ColumnType.INTEGER, m=ColumnType.INTEGER)


@pytest.fixture
def store(tmp_path: Path) -> LanceStore:
    return LanceStore(tmp_path / "serving")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_parquet(tmp_path / "base.parquet")


def make_numbers(path: Path, count: int) -> Path:
    rows: list[Row] = [{"n": at, "m": (at * 7919) % 1009} for at in range(count)]
    return make_parquet(path, NUMBERS, rows)


@pytest.mark.parametrize("damage", ["cut", "gone", "listing"])
def test_a_damaged_copy_is_noticed_and_made_again(
    store: LanceStore, base: Path, damage: str
) -> None:
    store.serve("t", State.of_file(base, STATIONS, 1))
    place = store.folder / "t" / "000001.lance"
    file = place / "weft.json" if damage == "listing" else next(place.glob("data/*.lance"))
    if damage == "gone":
        file.unlink()
    else:
        os.truncate(file, file.stat().st_size // 2)
    assert store.served("t") == 0
    store.serve("t", State.of_file(base, STATIONS, 1))
    assert store.served("t") == 1
    assert store.rows("t", 1, STATIONS, TableQuery()).to_pylist() == list(STATION_ROWS)


def test_a_copy_that_cannot_be_read_is_unavailable(store: LanceStore, base: Path) -> None:
    store.serve("t", State.of_file(base, STATIONS, 1))
    for file in (store.folder / "t" / "000001.lance").rglob("*.lance"):
        file.write_bytes(b"")
    for ask in (
        lambda: store.rows("t", 1, STATIONS, TableQuery()),
        lambda: store.rows("t", 1, STATIONS, TableQuery(order_by=(Order("No"),))),
        lambda: store.count("t", 1, STATIONS, Compare("No", Op.GT, 1)),
        lambda: list(store.batches("t", 1, STATIONS, TableQuery())),
    ):
        with pytest.raises(Unavailable):
            ask()


def test_a_base_that_is_no_parquet_leaves_no_copy(store: LanceStore, tmp_path: Path) -> None:
    file = tmp_path / "no.parquet"
    file.write_bytes(b"no parquet")
    with pytest.raises(Unavailable):
        store.serve("t", State.of_file(file, STATIONS, 1))
    assert store.served("t") == 0


def test_the_copy_before_the_newest_is_kept_and_older_ones_go(
    store: LanceStore, base: Path
) -> None:
    for position in (1, 2, 3):
        store.serve("t", State.of_file(base, STATIONS, position))
    assert store.count("t", 2, STATIONS, None) == len(STATION_ROWS)
    with pytest.raises(Unavailable):
        store.count("t", 1, STATIONS, None)


def test_another_process_notices_a_new_position(
    store: LanceStore, base: Path, tmp_path: Path
) -> None:
    store.serve("t", State.of_file(base, STATIONS, 1))
    reader = LanceStore(store.folder)
    assert reader.count("t", 1, STATIONS, None) == len(STATION_ROWS)
    store.serve("t", State.of_file(make_numbers(tmp_path / "next.parquet", 5), NUMBERS, 2))
    assert reader.served("t") == 2
    assert reader.count("t", 2, NUMBERS, None) == 5
    store.drop("t")
    with pytest.raises(Unavailable):
        reader.rows("t", 2, NUMBERS, TableQuery())


def test_the_datasets_used_last_stay_open(
    store: LanceStore, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.tabular.lance_store.MOST_OPEN", 1)
    for table in ("a", "b"):
        store.serve(table, State.of_file(base, STATIONS, 1))
        store.count(table, 1, STATIONS, None)
    assert list(store._opened) == [("b", 1)]


def test_groups_are_not_served_from_here(store: LanceStore, base: Path) -> None:
    store.serve("t", State.of_file(base, STATIONS, 1))
    with pytest.raises(BadQuery):
        store.rows("t", 1, STATIONS, TableQuery(group_by=("day",)))


@pytest.mark.parametrize("table", ["../x", "", ".locks", "a/b", "x" * 65])
def test_only_ids_name_tables(store: LanceStore, base: Path, table: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        store.serve(table, State.of_file(base, STATIONS, 1))


def test_two_writers_of_a_table_wait_for_each_other(store: LanceStore, base: Path) -> None:
    served = threading.Event()
    other = LanceStore(store.folder)

    def serve() -> None:
        other.serve("t", State.of_file(base, STATIONS, 1))
        served.set()

    with store._writing("t"):
        thread = threading.Thread(target=serve)
        thread.start()
        assert not served.wait(0.3)
        store.serve("u", State.of_file(base, STATIONS, 1))
    thread.join()
    assert other.served("t") == 1


SERVING = """
import sys
from pathlib import Path
from catalog.tabular.column import columns_of
from catalog.tabular.lance_store import LanceStore
from catalog.models.vocabulary import ColumnType
store = LanceStore(Path(sys.argv[1]), index_from=1)
columns = columns_of(["n", "m"], [ColumnType.INTEGER] * 2)
print("ready", flush=True)
for position in range(1, 10_000):
    store.serve("t", State.of_file(Path(sys.argv[2]), columns, position))
    print(position, flush=True)
"""


@pytest.mark.parametrize("wait", [0.05, 0.15, 0.25])
def test_a_kill_leaves_a_whole_copy_and_no_lock(
    store: LanceStore, tmp_path: Path, wait: float
) -> None:
    file = make_numbers(tmp_path / "numbers.parquet", 30_000)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVING, str(store.folder), str(file)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    said = [int(line) for line in process.stdout.read().splitlines()]
    process.stdout.close()
    process.wait()
    position = store.served("t")
    assert position >= max(said, default=0)
    if position:
        page = store.rows("t", position, NUMBERS, TableQuery(offset=29_990))
        assert page["n"].to_pylist() == list(range(29_990, 30_000))
    store.serve("t", State.of_file(file, NUMBERS, position + 1))
    assert list((store.folder / "t").glob(".writing-*")) == []
    assert store.count("t", position + 1, NUMBERS, None) == 30_000


def test_an_index_gives_the_same_rows(tmp_path: Path) -> None:
    file = make_numbers(tmp_path / "numbers.parquet", 3_000)
    indexed, plain = LanceStore(tmp_path / "a", index_from=1), LanceStore(tmp_path / "b")
    query = TableQuery(where=Compare("m", Op.LT, 50), order_by=(Order("m"),), limit=500)
    for store in (indexed, plain):
        store.serve("t", State.of_file(file, NUMBERS, 1))
    assert indexed.rows("t", 1, NUMBERS, query).equals(plain.rows("t", 1, NUMBERS, query))


def test_pages_are_cut_from_blocks_of_rows(store: LanceStore, tmp_path: Path) -> None:
    store.serve("t", State.of_file(make_numbers(tmp_path / "numbers.parquet", 2_500), NUMBERS, 1))
    for offset, limit in (
        (0, 100),
        (100, 850),
        (950, 100),
        (1_990, 1_000),
        (2_450, 100),
        (2_500, 10),
        (999, 1),
    ):
        page = store.rows("t", 1, NUMBERS, TableQuery(offset=offset, limit=limit))
        assert page["n"].to_pylist() == list(range(offset, min(offset + limit, 2_500)))
    assert store.pages.blocks._kept


def test_a_page_anywhere_is_read_alone_and_the_one_behind_it_with_more(
    store: LanceStore, tmp_path: Path
) -> None:
    store.serve("t", State.of_file(make_numbers(tmp_path / "numbers.parquet", 9_000), NUMBERS, 1))
    for offset in (0, 4_100, 7_300):
        store.rows("t", 1, NUMBERS, TableQuery(offset=offset, limit=101))
    assert not store.pages.blocks._kept
    page = store.rows("t", 1, NUMBERS, TableQuery(offset=4_200, limit=101))
    assert page["n"].to_pylist() == list(range(4_200, 4_301))
    assert [key[-1] for key in store.pages.blocks._kept] == [4_000]
    store.rows("t", 1, NUMBERS, TableQuery(offset=4_600, limit=101))
    assert len(store.pages.blocks._kept) == 1


def test_words_are_found_alike_in_small_and_in_large_copies(
    store: LanceStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = make_columns(text=ColumnType.STRING)
    texts = [
        f"{at}{('延安路', '延安东路', '天目路灯', '路灯损坏')[at % 4]}" for at in range(24_000)
    ]
    pq.write_table(pa.table({"c0": texts}), tmp_path / "texts.parquet")
    store.serve("t", State.of_file(tmp_path / "texts.parquet", columns, 1))
    for most in (2_000_000, 0):
        monkeypatch.setattr("catalog.tabular.lance_words.MOST_TOGETHER", most)
        store.finder.forget(lambda _: True)
        for word in ("延安路", "路灯", "天目路灯", "延安西路", "7延安东路"):
            found = store.count("t", 1, columns, Compare("text", Op.CONTAINS, word))
            assert found == sum(word in text for text in texts)


def test_wide_rows_are_read_as_they_are_asked_for(store: LanceStore, tmp_path: Path) -> None:
    columns = make_columns(text=ColumnType.STRING)
    wide = pa.table({"c0": ["x" * 5_000 + str(at) for at in range(1_500)]})
    pq.write_table(wide, tmp_path / "wide.parquet")
    store.serve("t", State.of_file(tmp_path / "wide.parquet", columns, 1))
    for offset in (0, 900, 1_400):
        page = store.rows("t", 1, columns, TableQuery(offset=offset, limit=200))
        assert page["text"].to_pylist() == wide["c0"].slice(offset, 200).to_pylist()
    assert not store.pages.blocks._kept


# Selections


def ids(count: int) -> Selection:
    return Selection(np.arange(count, dtype=np.uint64), complete=True)


def test_the_selections_used_last_are_kept_within_their_bytes() -> None:
    kept: Kept[Selection] = Kept(most_bytes=8 * 100)
    kept.put("a", ids(50))
    kept.put("b", ids(50))
    assert kept.get("a") is not None
    kept.put("c", ids(50))
    assert kept.get("b") is None
    kept.put("a", ids(20))
    kept.put("d", ids(30))
    assert [kept.get(key) is not None for key in "acd"] == [True, True, True]


def test_a_selection_that_is_too_large_is_not_kept() -> None:
    kept: Kept[Selection] = Kept(most_bytes=8)
    kept.put("a", ids(2))
    assert kept.get("a") is None


def test_the_first_ids_reach_only_their_own_pages() -> None:
    first = Selection(np.arange(10, dtype=np.uint64), complete=False)
    assert first.reaches(10)
    assert not first.reaches(11)
    assert ids(10).reaches(11)
