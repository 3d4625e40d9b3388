"""Sorting by narrow columns: a page at any depth without sorting all rows.

A column becomes whole numbers that sort as its values do. The numbers at both ends of the page are found by
partition, which takes linear time; only what lies between is sorted, and ties go on to the next column.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ranks = npt.NDArray[np.unsignedinteger[Any]]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FEW = 65_536
"""Different texts whose order is found at once, and whose ranks are short enough to be counted."""
SAMPLE = 20_000
PREFIX = 8
"""Bytes of a text that fit into a number; where they are equal the texts themselves are compared."""
SIGN = np.uint64(1 << 63)


@dataclass(frozen=True)
class Numbers:
    """Numbers that sort as the values of a column do, and where it has none."""

    ranks: Ranks
    missing: Flags | None = None
    descending: bool = False
    nulls_first: bool = False

    def of(self, places: Places) -> Ranks:
        """The numbers of these rows, in the direction of the sort."""
        # All rows are in row order, see `page_of`.
        found = self.ranks if len(places) == len(self.ranks) else self.ranks[places]
        return ~found if self.descending else found


@dataclass(frozen=True)
class Texts:
    """Texts that are compared only where nothing else told the rows apart."""

    texts: pa.Array
    missing: None = None
    descending: bool = False

    def of(self, places: Places) -> Ranks:
        """The ranks of these rows' texts among themselves."""
        ranks = pc.rank(self.texts.take(pa.array(places)), tiebreaker="dense")
        found: Ranks = ranks.to_numpy().astype(np.uint64)
        return ~found if self.descending else found


Key = Numbers | Texts


@dataclass(frozen=True)
class KeyColumn:
    """A column of a copy as keys, first the one that counts most, with the ids of the rows."""

    keys: tuple[Key, ...]
    ids: npt.NDArray[np.uint64] | None
    """None where the id of a row is its place."""
    values: pa.Array | None = None
    """All different values, ascending, where the keys are their places; there is one key then."""

    @property
    def numbers(self) -> Numbers:
        """The numbers that count most."""
        return next(key for key in self.keys if isinstance(key, Numbers))

    def span(self, value: Any, type_: pa.DataType) -> tuple[int, int]:
        """The first and the last of the numbers that rows with this value have; the last comes first if there is none.

        0.0 and -0.0 are equal, though one sorts before the other.
        """
        if isinstance(value, str):
            text = value.encode("utf-8", "surrogatepass")
            return bisect_left(self._texts, text), bisect_right(self._texts, text) - 1
        both = (-0.0, 0.0) if value == 0 and isinstance(value, float) else (value, value)
        first, last = (rank_of(one, type_) for one in both)
        if self.values is None:
            return first, last
        found = self._ranks
        return (
            int(np.searchsorted(found, found.dtype.type(first), side="left")),
            int(np.searchsorted(found, found.dtype.type(last), side="right")) - 1,
        )

    @cached_property
    def _texts(self) -> list[bytes]:
        texts = [] if self.values is None else self.values.to_pylist()
        return [text.encode() for text in texts]

    @cached_property
    def _ranks(self) -> Ranks:
        return ranks_of(self.values)

    @property
    def nbytes(self) -> int:
        """Its size in memory."""
        size = 0 if self.ids is None else self.ids.nbytes
        size += 0 if self.values is None else 4 * self.values.nbytes + 60 * len(self.values)
        for key in self.keys:
            if isinstance(key, Texts):
                size += key.texts.nbytes
            else:
                size += key.ranks.nbytes + (0 if key.missing is None else key.missing.nbytes)
        return int(size)


def keys_of(values: pa.ChunkedArray) -> tuple[Key, ...]:
    """The keys of a column; nulls come last whichever the direction, unless asked for first."""
    array = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    missing = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    if not pa.types.is_string(array.type):
        return (Numbers(_of_numbers(array), missing),)
    if len(array) <= FEW or pc.count_distinct(array[:SAMPLE]).as_py() < SAMPLE // 4:
        listed = array.dictionary_encode()
        if len(listed.dictionary) <= FEW:
            return (Numbers(_of_few_texts(listed), missing),)
    return (Numbers(_of_texts(array), missing), Texts(array))


def ranks_of(values: pa.Array) -> Ranks:
    """Numbers in the order of the values, of which none is missing; of texts, their places among each other."""
    if not pa.types.is_string(values.type):
        return _of_numbers(values)
    ranks: Ranks = pc.rank(values, tiebreaker="dense").to_numpy() - 1
    return ranks


def rank_of(value: object, type_: pa.DataType) -> int:
    """The number that a value of a column of numbers or moments has among its ranks."""
    return int(_of_numbers(pa.array([value], type_))[0])


def page_of(places: Places, keys: Sequence[Key], start: int, stop: int) -> Places:
    """The rows from `start` to before `stop` of `places`, which are in row order, sorted by the keys."""
    stop = min(stop, len(places))
    if start >= stop:
        return places[:0]
    if not keys:
        return places[start:stop]
    key, rest = keys[0], keys[1:]
    if key.missing is None:
        return _filled(places, keys, start, stop)
    gone = key.missing[places]
    there, without = places[~gone], places[gone]
    if key.nulls_first:
        head = page_of(without, rest, start, stop)
        passed = len(without)
        return np.concatenate([head, _filled(there, keys, max(0, start - passed), stop - passed)])
    filled = _filled(there, keys, start, min(stop, len(there)))
    passed = len(there)
    return np.concatenate([filled, page_of(without, rest, max(0, start - passed), stop - passed)])


def _filled(places: Places, keys: Sequence[Key], start: int, stop: int) -> Places:
    """A page of rows that all have a value under the first key."""
    if start >= stop:
        return places[:0]
    ranks, rest = keys[0].of(places), keys[1:]
    low, high = _at_ends(ranks, start, stop - 1)
    below = int(np.count_nonzero(ranks < low))
    lowest = places[ranks == low]
    parts = [page_of(lowest, rest, start - below, stop - below)]
    if high != low:
        inner = (ranks > low) & (ranks < high)
        passed = below + len(lowest) + int(np.count_nonzero(inner))
        parts.append(_sorted(places[inner], ranks[inner], rest))
        parts.append(page_of(places[ranks == high], rest, 0, stop - passed))
    return np.concatenate(parts)


def _at_ends(ranks: Ranks, first: int, last: int) -> tuple[int, int]:
    """The ranks that would stand at these places if all were sorted."""
    if ranks.itemsize <= 2:
        until = np.cumsum(np.bincount(ranks))
        low, high = np.searchsorted(until, (first, last), side="right")
    else:
        ends = np.partition(ranks, (first, last))
        low, high = ends[first], ends[last]
    return int(low), int(high)


def _sorted(places: Places, ranks: Ranks, rest: Sequence[Key]) -> Places:
    """All of a few rows in order: by these ranks, then by the other keys."""
    order = np.argsort(ranks, kind="stable")
    places, ranks = places[order], ranks[order]
    bounds = np.flatnonzero(np.diff(ranks)) + 1
    if not rest or len(bounds) + 1 == len(places):
        return places
    groups = np.split(places, bounds)
    return np.concatenate([page_of(group, rest, 0, len(group)) for group in groups])


def _of_numbers(array: pa.Array) -> Ranks:
    """Unsigned numbers in the order of the values: -0.0 before 0.0, and what is no number after all."""
    if pa.types.is_boolean(array.type):
        return np.asarray(array.fill_null(False).to_numpy(zero_copy_only=False), np.uint16)  # noqa: FBT003 # no flag
    if array.type == pa.date32():
        return _plain(array, np.uint32) ^ np.uint32(1 << 31)
    bits = _plain(array, np.uint64)
    if not pa.types.is_floating(array.type):
        return bits ^ SIGN
    # All bits of a negative number are turned, of others only the sign.
    turned = (bits.view(np.int64) >> 63).view(np.uint64)
    turned |= SIGN
    turned ^= bits
    return turned


def _plain(array: pa.Array, kind: type[np.unsignedinteger[Any]]) -> Ranks:
    """The numbers or moments as they lie in memory; what stands where there is none is never looked at."""
    _, data = array.buffers()
    if data is None:  # pragma: no cover # Arrow gives even no numbers a buffer
        return np.zeros(len(array), kind)
    return np.frombuffer(data, kind, len(array), array.offset * np.dtype(kind).itemsize)


def _of_few_texts(listed: pa.DictionaryArray) -> Ranks:
    order = (pc.rank(listed.dictionary, tiebreaker="dense").to_numpy() - 1).astype(np.uint16)
    if not len(order):
        return np.zeros(len(listed), np.uint16)
    places: Ranks = order[listed.indices.fill_null(0).to_numpy()]
    return places


def _of_texts(array: pa.Array) -> Ranks:
    """The first bytes of each text as a number; bytes of UTF-8 sort as the letters do."""
    _, bounds, data = array.buffers()
    ends = np.frombuffer(bounds, np.int32, len(array) + 1, array.offset * 4)
    signs = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    if len(signs) < PREFIX:
        signs = np.append(signs, np.zeros(PREFIX, np.uint8))
    last = len(signs) - PREFIX
    words = np.lib.stride_tricks.as_strided(signs[:PREFIX].view(np.uint64), (last + 1,), (1,))
    begins = ends[:-1]
    ranks: Ranks = words[np.minimum(begins, last)].byteswap()
    late = np.flatnonzero(
        begins > last
    )  # fewer bytes are left of these: what was read begins before them
    ranks[late] <<= (8 * np.minimum(begins[late] - last, PREFIX - 1)).astype(np.uint64)
    short = np.flatnonzero(np.diff(ends) < PREFIX)  # these would go on into the next text
    beyond = (8 * (PREFIX - np.diff(ends)[short])).astype(np.uint64)
    half = np.uint64(32)  # a shift by all 64 bits at once is none
    least = np.minimum(beyond, half)
    ranks[short] = ranks[short] >> least >> (beyond - least) << (beyond - least) << least
    return ranks
