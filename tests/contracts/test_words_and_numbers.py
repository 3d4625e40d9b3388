"""What every table store must do besides: find words, put nulls first, answer questions of the row's number."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import NUMBER
from catalog.tabular.query import And, Compare, Not, Op, Order, TableQuery
from catalog.tabular.state import State
from catalog.tabular.store import TableStore
from catalog.tabular.words import pattern
from tests.contracts.test_table_store import STORES
from tests.make_table import make_columns, make_parquet

COLUMNS = make_columns(
    text=ColumnType.STRING,
    whole=ColumnType.INTEGER,
    number=ColumnType.NUMBER,
    day=ColumnType.DATE,
    moment=ColumnType.DATETIME,
    flag=ColumnType.BOOLEAN,
)
TEXT = make_columns(text=ColumnType.STRING)
ROWS = tuple(
    dict(zip([column.name for column in COLUMNS], values, strict=True))
    for values in (
        ("Brazil, Italy", 4, 3.0, date(2011, 1, 1), datetime(2011, 1, 1, 8), True),
        ("brazilian 4.", 14, 52.56, date(2011, 4, 4), datetime(2011, 4, 4), False),
        ("北京东四站 v4.5", None, -1.5, None, None, None),
        ("O'Neil_4 (1%)", 40, None, None, None, None),
        (None, -4, 4.0, None, None, None),
    )
)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TableStore:
    made = STORES[request.param](tmp_path)
    base = make_parquet(tmp_path / "base.parquet", COLUMNS, ROWS)
    made.serve("t", State.of_file(base, COLUMNS, 1))
    return made


def numbers(store: TableStore, query: TableQuery) -> list[int]:
    found: list[int] = store.rows("t", 1, COLUMNS, query).column(0).to_pylist()
    return found


@pytest.mark.parametrize(
    ("column", "word", "rows"),
    [
        ("text", "brazil", [0]),
        ("text", "ITALY", [0]),
        ("text", "4", [1, 3]),
        ("text", "4.5", []),
        ("text", "v4.5", [2]),
        ("text", "东四", [2]),
        ("text", "O'Neil", [3]),
        ("text", "1", [3]),
        ("text", ".*", []),
        ("whole", "4", [0]),
        ("whole", "-4", [4]),
        ("number", "3", [0]),
        ("number", "4", [4]),
        ("number", "52.56", [1]),
        ("number", "52", []),
        ("day", "2011-01-01", [0]),
        ("moment", "2011-01-01", [0]),
        ("flag", "true", [0]),
    ],
)
def test_a_word_is_found_whole_in_a_value_of_any_type(
    store: TableStore, column: str, word: str, rows: list[int]
) -> None:
    query = TableQuery(select=(NUMBER.name,), where=Compare(column, Op.WORD, word))
    assert numbers(store, query) == rows
    assert store.count("t", 1, COLUMNS, query.where) == len(rows)


@pytest.mark.parametrize(
    ("column", "word", "rows"),
    [
        ("text", "braz", [0, 1]),
        ("text", "razil", []),
        ("whole", "4", [0, 3]),
        ("day", "2011", [0, 1]),
    ],
)
def test_the_beginning_of_a_word_is_found(
    store: TableStore, column: str, word: str, rows: list[int]
) -> None:
    query = TableQuery(select=(NUMBER.name,), where=Compare(column, Op.WORD_STARTS, word))
    assert numbers(store, query) == rows


def test_a_word_may_be_left_out(store: TableStore) -> None:
    query = TableQuery(select=(NUMBER.name,), where=Not(Compare("text", Op.WORD, "brazil")))
    assert numbers(store, query) == [1, 2, 3]


def test_nulls_come_first_where_they_are_wanted(store: TableStore) -> None:
    def order(*by: Order) -> list[int]:
        return numbers(store, TableQuery(select=(NUMBER.name,), order_by=by))

    assert order(Order("whole", nulls_first=True)) == [2, 4, 0, 1, 3]
    assert order(Order("whole", descending=True, nulls_first=True)) == [2, 3, 1, 0, 4]
    assert order(Order("whole", descending=True)) == [3, 1, 0, 4, 2]
    assert order(Order("flag", nulls_first=True), Order("whole")) == [4, 3, 2, 1, 0]


def test_rows_are_found_and_sorted_by_their_number(store: TableStore) -> None:
    later = And((Compare("", Op.GT, 0), Compare("", Op.LE, 3)))
    query = TableQuery(select=("", "whole"), where=later, order_by=(Order("", descending=True),))
    assert numbers(store, query) == [3, 2, 1]
    found = store.rows("t", 1, COLUMNS, query)
    assert found.column_names == ["", "whole"]
    assert found.column(1).to_pylist() == [40, None, 14]
    batches = list(store.batches("t", 1, COLUMNS, TableQuery(select=("",))))
    assert [value for batch in batches for value in batch.column(0).to_pylist()] == [0, 1, 2, 3, 4]


def test_a_pattern_takes_the_signs_of_a_word_as_they_are() -> None:
    assert pattern(Op.WORD, "a.b*", ColumnType.STRING).count(r"\*") == 1
    assert pattern(Op.WORD_STARTS, "7", ColumnType.NUMBER) == "^7"


SENTENCES = (
    "Bookings of rooms",
    "a booked_room, two rooms",
    "rooms booked",
    "The city plans parks",
    "CITIES; planning: park 7",
    "a café in the cities' park",
    "park no. 4.5",
    "公园 parks 东四站",
    "parking",
    None,
)


@pytest.fixture(params=STORES)
def texts(request: pytest.FixtureRequest, tmp_path: Path) -> TableStore:
    made = STORES[request.param](tmp_path)
    rows = tuple({"text": text} for text in SENTENCES)
    base = make_parquet(tmp_path / "base.parquet", TEXT, rows)
    made.serve("t", State.of_file(base, TEXT, 1))
    return made


@pytest.mark.parametrize(
    ("op", "value", "rows"),
    [
        (Op.STEM, "booking", [0, 1, 2]),
        (Op.STEM, "city", [3, 4, 5]),
        (Op.STEM, "Planned", [3, 4]),
        (Op.STEM, "parks", [3, 4, 5, 6, 7, 8]),
        (Op.STEM, "café", [5]),
        (Op.STEM, "cafe", []),
        (Op.WORD, "park", [4, 5, 6]),
        (Op.WORD_STARTS, "book", [0, 1, 2]),
        (Op.PHRASE, "~book ~room", [1]),
        (Op.PHRASE, "~rooms booked", [2]),
        (Op.PHRASE, "book* ? room*", [0]),
        (Op.PHRASE, "~city ~plan ~park", [3, 4]),
        (Op.PHRASE, "~park 7", [4]),
        (Op.PHRASE, "no 4.5", [6]),
        (Op.PHRASE, "no 4", []),
        (Op.PHRASE, "~park 东四 站", [7]),
        (Op.PHRASE, "par*", [3, 4, 5, 6, 7, 8]),
    ],
)
def test_stems_and_words_that_follow_each_other_are_found(
    texts: TableStore, op: Op, value: str, rows: list[int]
) -> None:
    query = TableQuery(select=(NUMBER.name,), where=Compare("text", op, value))
    found: list[int] = texts.rows("t", 1, TEXT, query).column(0).to_pylist()
    assert found == rows
    assert texts.count("t", 1, TEXT, query.where) == len(rows)
