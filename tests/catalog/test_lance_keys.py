"""Pages of sorted rows: the same as sorting everything, whatever is sorted and wherever the page lies."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.tabular import lance_keys
from catalog.tabular.lance_keys import Key, Numbers, Texts, keys_of, page_of, rank_of

VALUES: dict[pa.DataType, st.SearchStrategy[object]] = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2),
    pa.float64(): st.floats(allow_nan=False) | st.sampled_from([0.0, 1.5]),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(),
    pa.timestamp("us"): st.datetimes(),
    pa.string(): st.text("ab东西\x00", max_size=12),
}
TYPES = st.sampled_from(list(VALUES))


@st.composite
def columns(draw: st.DrawFn) -> list[pa.ChunkedArray]:
    rows = draw(st.integers(1, 40))
    found = []
    for type_ in draw(st.lists(TYPES, min_size=1, max_size=3)):
        values = draw(st.lists(st.none() | VALUES[type_], min_size=rows, max_size=rows))
        found.append(pa.chunked_array([pa.array(values, type_)]))
    return found


@given(
    columns(),
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=3, max_size=3),
    st.integers(0, 40),
    st.integers(0, 20),
    st.booleans(),
)
def test_a_page_is_what_sorting_all_rows_gives(
    given_: list[pa.ChunkedArray],
    turns: list[tuple[bool, bool]],
    start: int,
    length: int,
    long: bool,  # drawn
) -> None:
    keys: list[Key] = []
    order = list(range(len(given_[0])))
    for column, (descending, first) in reversed(list(zip(given_, turns, strict=False))):
        values = column.to_pylist()
        there = [at for at in order if values[at] is not None]
        gone = [at for at in order if values[at] is None]
        ranked = sorted({_comparable(values[at]) for at in there}, reverse=descending)
        there.sort(key=lambda at, v=values, r=ranked: r.index(_comparable(v[at])))  # type: ignore[misc] # defaults
        order = gone + there if first else there + gone
        keys = [*_turned(_keys(column, long=long), descending, first), *keys]
    places = np.arange(len(order))
    assert page_of(places, keys, start, start + length).tolist() == order[start : start + length]


def _comparable(value: object) -> object:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, float):
        return value, np.copysign(1, value)
    return value


def _keys(column: pa.ChunkedArray, *, long: bool) -> tuple[Key, ...]:
    """The keys of the column; `long` as if it had too many different texts to rank them all at once."""
    if long and pa.types.is_string(column.type):
        array = column.combine_chunks()
        missing = array.is_null().to_numpy(zero_copy_only=False)
        return Numbers(lance_keys._of_texts(array), missing), Texts(array)
    return keys_of(column)


def _turned(keys: tuple[Key, ...], descending: bool, first: bool) -> list[Key]:  # drawn
    return [
        Numbers(key.ranks, key.missing, descending, first)
        if isinstance(key, Numbers)
        else Texts(key.texts, None, descending)
        for key in keys
    ]


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        (pa.int64(), [-(2**63), -1, 0, 2**63 - 1]),
        (pa.float64(), [float("-inf"), -1.0, -0.0, 0.0, 5e-324, 1e300, float("inf")]),
        (pa.date32(), [date.min, date(1970, 1, 1), date.max]),
        (pa.timestamp("us"), [datetime(1, 1, 1), datetime(1970, 1, 1), datetime(9999, 12, 31)]),
    ],
    ids=str,
)
def test_ranks_rise_with_the_values(type_: pa.DataType, values: list[object]) -> None:
    ranks = [rank_of(value, type_) for value in values]
    assert ranks == sorted(set(ranks))
    (key,) = keys_of(pa.chunked_array([pa.array(values, type_)]))
    assert isinstance(key, Numbers)
    assert key.ranks.tolist() == ranks
