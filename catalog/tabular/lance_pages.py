"""Pages of rows as they stand in a serving copy, from blocks where one page follows the other."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import pyarrow as pa

from catalog.tabular.lance_layout import Ids
from catalog.tabular.query import TableQuery
from catalog.tabular.selections import Kept

Slice = Callable[[int, int], Ids]

BLOCK_ROWS = 1_000
BLOCK_BYTES = 1_000_000
MOST_ENDS = 2_000


class Pages:
    """Reads pages; blocks that were read stay for the pages that follow.

    Reading a thousand rows costs half as much again as reading a hundred, and who reads the first page, or the one
    behind a page that was just read, reads on. Others get the rows they ask for. So does who asks for rows so wide
    that a block of them would be large.
    """

    def __init__(self) -> None:
        self.blocks: Kept[pa.Table] = Kept()
        self._row_bytes: dict[Hashable, int] = {}
        self._lock = threading.Lock()
        self._ends: OrderedDict[Hashable, None] = OrderedDict()

    def forget(self, table: str) -> None:
        """Let go of a table's blocks."""
        self.blocks.forget(lambda key: isinstance(key, tuple) and key[0] == table)

    def page(
        self,
        dataset: Any,
        copy: tuple[str, int],
        stored: list[str],
        query: TableQuery,
        ids: Slice | None = None,
    ) -> pa.Table:
        """The rows from the query's offset on, as many as its limit says and as there are.

        `ids` gives the row ids of a slice, by which a page anywhere is read in two thirds of the time.
        """
        if query.limit == 0:
            return dataset.schema.empty_table().select(stored)
        key = (*copy, *stored)
        end = query.offset + query.limit
        first = query.offset - query.offset % BLOCK_ROWS
        starts = range(first, end, BLOCK_ROWS)
        if not self._in_blocks(key, query, starts):
            data = _read(dataset, stored, query, ids)
            if data.num_rows:
                self._row_bytes[key] = data.nbytes // data.num_rows + 1
            return data
        blocks = [self._block(dataset, key, stored, start) for start in starts]
        return pa.concat_tables(blocks).slice(query.offset - first, query.limit)

    def _in_blocks(self, key: tuple[Hashable, ...], query: TableQuery, starts: range) -> bool:
        follows = self._follows(key, query)
        if query.limit > BLOCK_ROWS:
            return False
        if self._row_bytes.get(key, BLOCK_BYTES) * BLOCK_ROWS > BLOCK_BYTES:
            return False
        return follows or all(self.blocks.get((*key, start)) is not None for start in starts)

    def _follows(self, key: tuple[Hashable, ...], query: TableQuery) -> bool:
        """Whether the page is the first, or begins where one ended; pages are asked for with one row more."""
        end = query.offset + query.limit
        with self._lock:
            follows = query.offset == 0 or (*key, query.offset) in self._ends
            for place in (end - 1, end):
                self._ends[(*key, place)] = None
                self._ends.move_to_end((*key, place))
            while len(self._ends) > MOST_ENDS:
                self._ends.popitem(last=False)
        return follows

    def _block(
        self, dataset: Any, key: tuple[Hashable, ...], stored: list[str], start: int
    ) -> pa.Table:
        block = self.blocks.get((*key, start))
        if block is None:
            found = dataset.to_table(columns=stored, limit=BLOCK_ROWS, offset=start)
            block = found.combine_chunks()
            self.blocks.put((*key, start), block)
        return block


def _read(dataset: Any, stored: list[str], query: TableQuery, ids: Slice | None) -> pa.Table:
    wanted = ids(query.offset, query.limit) if ids else ()
    if len(wanted):
        return dataset._take_rows(pa.array(wanted), columns=stored)
    return dataset.to_table(columns=stored, limit=query.limit, offset=query.offset)
