"""A serving copy that is open: what is known of it, and its rows by their ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.tabular.lance_layout import Ids, Layout
from catalog.tabular.lance_rows import RowFile


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
