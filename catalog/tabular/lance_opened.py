"""A serving copy that is open: what is known of it, and its rows by their ids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.tabular.lance_codes import Codes
from catalog.tabular.lance_copies import Copy
from catalog.tabular.lance_keys import Flags, KeyColumn, Places
from catalog.tabular.lance_layout import Ids, Layout
from catalog.tabular.lance_rows import RowFile
from catalog.tabular.lance_words import SUFFIX, TERMS
from catalog.tabular.state import ROW


@dataclass(frozen=True)
class Opened:
    """A copy as it stands at one position of the journal."""

    dataset: Any
    rows: int
    layout: Layout
    copy: tuple[str, int]
    """Table and position."""
    indexed: frozenset[str]
    """Stored names of columns whose pairs of letters are indexed."""
    worded: frozenset[str]
    """Stored names of columns whose words are indexed."""
    file: RowFile | None = None
    """The rows that the copy began with, by number."""
    codes: Codes | None = None
    """Its columns of few different values."""
    tail: tuple[Any, ...] = ()
    """The fragments that came after the beginning."""

    @property
    def coded(self) -> frozenset[str]:
        """Stored names of the columns of few different values that are kept as small numbers."""
        return self.codes.names if self.codes and self.dense else frozenset()

    @property
    def dense(self) -> bool:
        """Whether keys are kept by id: the ids of the beginning are its numbers, those of the tail come after."""
        return self.layout.numbered

    @property
    def ends(self) -> int:
        """All ids of rows are below this."""
        return max(self.layout.end, int(self.layout.ids.max()) + 1 if len(self.layout.ids) else 0)

    @cached_property
    def alive(self) -> Flags | None:
        """Which ids below the end are of rows, where keys are kept by id; None where all are."""
        if self.by_place or not self.dense:
            return None
        flags = np.zeros(self.ends, bool)
        flags[: self.layout.end] = True
        flags[self.layout.gone] = False
        flags[self.layout.ids] = True
        return flags

    @property
    def places(self) -> Places:
        """The places of all rows among keys, ascending."""
        return np.arange(self.rows) if self.alive is None else np.flatnonzero(self.alive)

    def code_key(self, stored: str) -> KeyColumn | None:
        """A column as keys by id, if it is coded."""
        if self.codes is None or stored not in self.coded:
            return None
        later = None
        if self.tail:
            asked = {"columns": [stored], "fragments": list(self.tail)}
            later = self.dataset.scanner(with_row_id=True, **asked).to_table()
        return self.codes.key(stored, later, self.ends)

    @property
    def in_order(self) -> bool:
        """Whether rows stand in the order of their numbers."""
        return self.layout.untouched

    @property
    def by_place(self) -> bool:
        """Whether the id of each row is its place."""
        return self.in_order and not len(self.layout.gone)

    def take(self, stored: list[str], ids: Ids) -> pa.Table:
        """Rows by id: those of the beginning from the file of rows where there is one."""
        if not len(ids):
            return self.dataset.schema.empty_table().select(stored)
        first = ids < self.layout.end
        if self.file is None or not first.any() or not self.file.serves(stored, ids[first]):
            return self._later(stored, ids)
        found = self.file.take(stored, ids[first])
        if first.all():
            return found
        back = np.empty(len(ids), np.int64)
        back[np.concatenate([np.flatnonzero(first), np.flatnonzero(~first)])] = np.arange(len(ids))
        return pa.concat_tables([found, self._later(stored, ids[~first])]).take(pa.array(back))

    def _later(self, stored: list[str], ids: Ids) -> pa.Table:
        """By the only way to rows by id that stays fast after deletions."""
        return self.dataset._take_rows(pa.array(ids), columns=stored)


def opened_at(dataset: Any, copy: Copy, position: int, key: tuple[str, int]) -> Opened:
    """The copy of a table as it stands at a position, where `dataset` is its version."""
    tail = [f for f in dataset.get_fragments() if f.fragment_id >= copy.fragments]
    return Opened(
        dataset,
        dataset.count_rows(),
        _layout(dataset, copy, position, tail),
        key,
        indexed_texts(dataset),
        indexed_texts(dataset, TERMS),
        RowFile.of(copy),
        Codes.of(copy),
        tuple(tail),
    )


def indexed_texts(dataset: Any, suffix: str = SUFFIX) -> frozenset[str]:
    """Stored names of the columns of a dataset whose pairs of letters, or words, are indexed."""
    names = (index.name for index in dataset.describe_indices())
    return frozenset(name.removesuffix(suffix) for name in names if name.endswith(suffix))


def _layout(dataset: Any, copy: Copy, position: int, tail: list[Any]) -> Layout:
    numbered = copy.rows == copy.end
    if not tail:
        empty = np.empty(0, np.int64)
        return Layout(copy.end, copy.gone(position), empty, np.empty(0, np.uint64), numbered)
    found = dataset.scanner(columns=[ROW], with_row_id=True, fragments=tail).to_table()
    numbers, ids = found[ROW].to_numpy(), found["_rowid"].to_numpy()
    order = np.argsort(numbers)
    return Layout(copy.end, copy.gone(position), numbers[order], ids[order], numbered)
