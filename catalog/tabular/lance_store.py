"""Serving copies in Lance: one dataset a table, changed in place by deltas, read without waiting.

How copies lie on disk is said in lance_copies. The writer of a table holds `<folder>/.locks/<table>`. A copy is
made beside and renamed when it is whole; a delta takes its rows out and appends what they became, which are two
versions of the dataset, and only then the listing names the position: readers see the state before or the state
after. A copy is made anew where no chain of deltas leads to the wanted state, or where so much was changed in
place that reading slows down; the one before is kept for pages that began in it. Everything here can be rebuilt
from the journal.
"""

from __future__ import annotations

import fcntl
import logging
import re
import shutil
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from lance.dataset import ColumnOrdering

from catalog.errors import BadQuery, CatalogError, Unavailable
from catalog.tabular.column import Column
from catalog.tabular.lance_codes import Coding
from catalog.tabular.lance_copies import Copy, copies, copy_with, new_copy, sync
from catalog.tabular.lance_filter import filter_text
from catalog.tabular.lance_finding import MOST_KEPT_ROWS, Finder
from catalog.tabular.lance_index import index, indexed_columns
from catalog.tabular.lance_layout import Numbers
from catalog.tabular.lance_opened import Opened, opened_at
from catalog.tabular.lance_pages import Pages
from catalog.tabular.lance_rows import copied
from catalog.tabular.masking import hide
from catalog.tabular.query import Condition, TableQuery
from catalog.tabular.sql import check_page, is_group, nulls_first, ordered_columns, result_columns
from catalog.tabular.state import DELETED, INSERTED, OP, ROW, Part, State, schema_of
from catalog.tabular.store import NO_CHANGES

log = logging.getLogger(__name__)

STORAGE_VERSION: Final = "2.2"
"""Random rows cost a third of the CPU and files a fifth of the bytes of version 2.1."""
CACHE_BYTES = 24_000_000
MOST_OPEN = 64
COPIES_KEPT = 2
INDEX_FROM_ROWS = 20_000
MOST_BITMAPS = 10_000

MOST_FRAGMENTS = 100
"""Reading slows down with the number of fragments that appends have left."""
DELETE_ROWS = 5_000
SMALL = 1_000


class LanceStore:
    """A TableStore on local disk; any number of readers, one writer a table, in any processes."""

    def __init__(
        self,
        folder: Path,
        *,
        index_from: int = INDEX_FROM_ROWS,
        bitmaps_to: int = MOST_BITMAPS,
        rows_a_file: int = 1_000_000,
        keys_to: int = MOST_KEPT_ROWS,
    ) -> None:
        self.folder = folder
        self.index_from = index_from
        self.bitmaps_to = bitmaps_to
        self.rows_a_file = rows_a_file
        self.finder = Finder(index_from // 10, bitmaps_to, keys_to)
        self.pages = Pages()
        self._lock = threading.Lock()
        self._opened: OrderedDict[tuple[str, int], Opened] = OrderedDict()
        self._session: Any = None

    # Writing

    def serve(self, table: str, state: State, changes: Mapping[int, Part] = NO_CHANGES) -> None:
        """Make the table's copy show the state; one writer a table.

        `changes` are the deltas of the journal by position: a copy that shows an earlier position follows them.
        """
        home = self._home(table)
        with self._writing(table), _lance_errors():
            copy = _follower(home, state, changes)
            if copy is None or not self._follow(copy, state, changes):
                home.mkdir(parents=True, exist_ok=True)
                for stray in home.glob(".writing-*"):
                    shutil.rmtree(stray)
                self._make(home, table, state)
            self._remove_old(home, table)

    def drop(self, table: str) -> None:
        """Remove the copy."""
        with self._writing(table):
            self._forget(table)
            shutil.rmtree(self._home(table), ignore_errors=True)

    def served(self, table: str) -> int:
        """Journal position of the copy on disk; 0 if there is none or it is not whole."""
        return next((copy.position for copy in copies(self._home(table)) if copy.whole), 0)

    def tables(self) -> frozenset[str]:
        """All tables that have a folder here."""
        return frozenset(place.name for place in self.folder.glob("[!.]*") if place.is_dir())

    def _make(self, home: Path, table: str, state: State) -> None:
        """Write a copy beside, and let it take the place of one that began at the same position."""
        beside, place = home / f".writing-{uuid.uuid4().hex}", home / f"{state.position:06d}.lance"
        numbers: list[Numbers] = []
        schema = _packed(schema_of(state.columns))
        batches, coding = _counted(state, numbers), None
        expected = pq.read_metadata(state.base.path).num_rows
        if state.plain and expected >= max(1, self.index_from):
            names = [column.stored for column in indexed_columns(state.columns)]
            coding = Coding(beside, names, self.bitmaps_to)
            batches = copied(
                coding.passed(batches), schema.remove(len(schema) - 1), beside, expected
            )
        dataset = lance.write_dataset(
            batches,
            str(beside),
            schema=schema,
            data_storage_version=STORAGE_VERSION,
            max_rows_per_file=self.rows_a_file,
            enable_stable_row_ids=True,
        )
        rows, fragments = dataset.count_rows(), len(dataset.get_fragments())
        if rows >= self.index_from:
            dataset.create_scalar_index(ROW, "BTREE", name=f"{ROW}_idx")
            index(
                dataset,
                state.columns,
                self.bitmaps_to,
                coded=coding.names if coding else frozenset(),
                ranked=rows <= self.finder.keys_to,
            )
        new_copy(
            beside,
            state.position,
            dataset.version,
            None if state.plain else numbers,
            rows,
            fragments,
        )
        if place.exists():
            shutil.rmtree(place)
        beside.rename(place)
        sync(home)
        self._forget(table)

    def _follow(self, copy: Copy, state: State, changes: Mapping[int, Part]) -> bool:
        """Apply the deltas that the copy lacks; False where it should rather be made anew."""
        if copy.position == state.position:
            return True
        dataset = lance.dataset(str(copy.place), session=self._shared_session())
        if dataset.version != copy.versions[copy.position]:
            return False  # a writer died between the steps of a delta
        if len(dataset.get_fragments()) - copy.fragments >= MOST_FRAGMENTS:
            return False
        for position in range(copy.position + 1, state.position + 1):
            dataset, taken = _apply(dataset, changes[position], state.columns)
            gone = np.unique(taken[taken < copy.end])
            copy = copy.with_version(position, dataset.version, gone)
        return 2 * len(copy.gone(copy.position)) <= max(copy.rows, SMALL)

    def _remove_old(self, home: Path, table: str) -> None:
        for old in sorted(home.glob("*.lance"), reverse=True)[COPIES_KEPT:]:
            self._forget(table)
            shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def _writing(self, table: str) -> Iterator[None]:
        """Hold the table's lock; the kernel lets it go when the process dies."""
        locks = self.folder / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / table).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # Reading

    def rows(
        self, table: str, position: int, columns: tuple[Column, ...], query: TableQuery
    ) -> pa.Table:
        """The rows of a page under published names; raises Unavailable when the copy is missing."""
        if is_group(query):
            raise BadQuery("groups are not served from here")
        check_page(query)
        wanted = result_columns(query, columns)
        stored = [column.stored for column in wanted]
        opened = self._open(table, position)
        with _lance_errors():
            if query.where is None and not query.order_by:
                data = self._page(opened, stored, query)
            else:
                data = opened.take(stored, self.finder.page(opened, columns, query))
        return hide(data.rename_columns([column.name for column in wanted]), wanted)

    def numbered(
        self, table: str, position: int, columns: tuple[Column, ...], where: Condition | None
    ) -> pa.Table:
        """All rows that satisfy `where` under stored names, with the number of each as `row`."""
        schema = schema_of(columns)
        text = filter_text(where, columns) if where is not None else None
        opened = self._open(table, position)
        with _lance_errors():
            return opened.dataset.to_table(columns=schema.names, filter=text).cast(schema)

    def count(
        self, table: str, position: int, columns: tuple[Column, ...], where: Condition | None
    ) -> int:
        """Exact number of rows that satisfy `where`."""
        opened = self._open(table, position)
        with _lance_errors():
            return self.finder.count(opened, columns, TableQuery(where=where))

    def batches(
        self, table: str, position: int, columns: tuple[Column, ...], query: TableQuery
    ) -> Iterator[pa.RecordBatch]:
        """All rows that satisfy the query (limit and offset are ignored), in order, in batches."""
        wanted = result_columns(query, columns)
        stored = [column.stored for column in wanted]
        opened = self._open(table, position)
        scanned = _scan(query, columns, in_order=opened.layout.untouched)
        with _lance_errors():
            # Without row ids a sort by a column that is not wanted fails to be planned.
            scanner = opened.dataset.scanner(columns=stored, with_row_id=True, **scanned)
            for batch in scanner.to_batches():
                named = batch.select(stored).rename_columns([column.name for column in wanted])
                yield hide(named, wanted)

    def _page(self, opened: Opened, stored: list[str], query: TableQuery) -> pa.Table:
        """Rows in the order of their numbers, wherever changes have put them."""
        layout, limit = opened.layout, max(0, min(query.limit, opened.rows - query.offset))
        if layout.untouched and opened.file is None:
            ids = layout.beginning if layout.numbered else None
            return self.pages.page(opened.dataset, opened.copy, stored, query, ids)
        if layout.untouched and layout.numbered:
            return opened.take(stored, layout.beginning(query.offset, limit))
        window = layout.window(query.offset, limit)
        if layout.numbered:
            ids_of_page = np.concatenate([layout.beginning(window.first, window.count), window.ids])
            return opened.take(stored, ids_of_page[window.order])
        asked = replace(query, offset=window.first, limit=window.count)
        parts = [self.pages.page(opened.dataset, opened.copy, stored, asked)]
        if len(window.ids):
            parts.append(opened.take(stored, window.ids))
        return pa.concat_tables(parts).take(pa.array(window.order))

    def _open(self, table: str, position: int) -> Opened:
        key = (table, position)
        with self._lock:
            opened = self._opened.get(key)
            if opened is not None:
                self._opened.move_to_end(key)
                return opened
        copy = copy_with(self._home(table), position)
        if copy is None:
            raise Unavailable("the serving copy of this table is not ready")
        with _lance_errors():
            dataset = lance.dataset(
                str(copy.place), version=copy.versions[position], session=self._shared_session()
            )
            opened = opened_at(dataset, copy, position, key)
        with self._lock:
            self._opened[key] = opened
            while len(self._opened) > MOST_OPEN:
                self._opened.popitem(last=False)
        return opened

    def _shared_session(self) -> Any:
        with self._lock:
            if self._session is None:  # made at first use, so after any fork
                self._session = lance.Session(  # type: ignore[attr-defined] # mypy sees no re-export
                    index_cache_size_bytes=CACHE_BYTES, metadata_cache_size_bytes=CACHE_BYTES
                )
            return self._session

    def _forget(self, table: str) -> None:
        """Let go of what was opened and kept of a table whose copy was made anew."""
        with self._lock:
            for key in [key for key in self._opened if key[0] == table]:
                del self._opened[key]
        self.finder.forget(lambda key: isinstance(key, tuple) and key[0] == table)
        self.pages.forget(table)

    def _home(self, table: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", table):
            raise ValueError(f"{table!r} is no id of a table")
        return self.folder / table


def _packed(schema: pa.Schema) -> pa.Schema:
    """The schema with texts in LZ4: a sixth more room than Lance's own choice, two thirds of its CPU in writing and pages."""
    lz4 = {"lance-encoding:compression": "lz4"}
    return pa.schema(
        [field.with_metadata(lz4) if field.type == pa.string() else field for field in schema]
    )


def _follower(home: Path, state: State, changes: Mapping[int, Part]) -> Copy | None:
    """The newest copy that can follow the deltas to the state, if it is whole."""
    for copy in copies(home):
        if copy.position <= state.position:
            steps = range(copy.position + 1, state.position + 1)
            return copy if all(at in changes for at in steps) and copy.whole else None
    return None


def _apply(dataset: Any, delta: Part, columns: tuple[Column, ...]) -> tuple[Any, Numbers]:
    """Take out the rows that the delta touches and append what they became; the numbers of those taken out."""
    _fit(dataset, columns)
    names = [name for name in dataset.schema.names if name in delta.stored]
    changed = pq.read_table(delta.path, columns=[OP, ROW, *names])
    taken: Numbers = changed.filter(pc.not_equal(changed[OP], INSERTED))[ROW].to_numpy()
    for start in range(0, len(taken), DELETE_ROWS):
        listed = ", ".join(map(str, taken[start : start + DELETE_ROWS].tolist()))
        dataset.delete(f"{ROW} IN ({listed})")
    new = changed.filter(pc.not_equal(changed[OP], DELETED))
    if new.num_rows:
        arrays = [
            new[field.name].cast(field.type)
            if field.name in new.column_names
            else pa.nulls(new.num_rows, field.type)
            for field in dataset.schema
        ]
        rows = pa.table(arrays, schema=dataset.schema)
        dataset = lance.write_dataset(rows, dataset, mode="append")
    return dataset, taken


def _fit(dataset: Any, columns: tuple[Column, ...]) -> None:
    """Give the dataset the columns of the state: added ones hold nothing yet, dropped ones go."""
    wanted = schema_of(columns)
    missing = [field for field in wanted if field.name not in dataset.schema.names]
    if missing:
        dataset.add_columns(missing)
    extra = [name for name in dataset.schema.names if name not in wanted.names]
    if extra:
        dataset.drop_columns(extra)


def _scan(query: TableQuery, columns: tuple[Column, ...], *, in_order: bool) -> dict[str, Any]:
    """What a scanner needs for the query's condition and order; rows that stand `in_order` need no sort."""
    scanned: dict[str, Any] = {}
    if query.where is not None:
        scanned["filter"] = filter_text(query.where, columns)
    first = nulls_first(query.order_by)
    keys = [
        ColumnOrdering(column.stored, ascending=not descending, nulls_first=column.name in first)
        for column, descending in ordered_columns(query.order_by, columns)
    ]
    if keys or not in_order:
        scanned["order_by"] = [*keys, ColumnOrdering(ROW)]
    return scanned


def _counted(state: State, numbers: list[Numbers]) -> Iterator[pa.RecordBatch]:
    """The rows of the state; their numbers are noted where they do not simply count from 0."""
    for batch in state.batches():
        if not state.plain:
            numbers.append(batch.column(ROW).to_numpy())
        yield batch


@contextmanager
def _lance_errors() -> Iterator[None]:
    """A copy that cannot be written or read is no fault of the caller: others can answer from the journal."""
    try:
        yield
    except CatalogError:
        raise
    except (OSError, RuntimeError, ValueError, pa.ArrowException) as error:
        log.warning("the serving copy failed: %s", error)
        raise Unavailable("the serving copy of this table is not ready") from error
