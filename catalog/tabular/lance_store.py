"""Serving copies in Lance: one dataset a table and journal position, made whole, read without waiting.

    <folder>/<table>/000003.lance/   the copy of journal position 3
    <folder>/<table>/.writing-…/     a copy that is being made; the next writer removes it
    <folder>/.locks/<table>          held by the one writer of the table

A copy is written beside, its files are synced (Lance itself never does) and listed with their sizes, then the
folder is renamed. Readers find a new position by its name. The copy before the newest is kept for pages that
began in it. Everything here can be rebuilt from the journal.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import lance
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from lance.dataset import ColumnOrdering

from catalog.errors import BadQuery, CatalogError, Unavailable
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.lance_filter import filter_text
from catalog.tabular.query import Condition, TableQuery
from catalog.tabular.selections import Kept, Selection
from catalog.tabular.sql import check_page, is_group, ordered_columns, result_columns

log = logging.getLogger(__name__)

STORAGE_VERSION: Final = "2.2"
"""Random rows cost a third of the CPU and files a fifth of the bytes of version 2.1."""
ROW = "row"
"""Number of the row in the base file: makes every sort a total order."""
LISTING = "weft.json"
CACHE_BYTES = 24_000_000
MOST_OPEN = 64
BLOCK_ROWS = 1_000
BLOCK_BYTES = 1_000_000
COPIES_KEPT = 2
FIRST_IDS = 1_000
MOST_FIRST_IDS = 10_000
INDEX_FROM_ROWS = 20_000
MOST_INDEXES = 60
MOST_BITMAPS = 10_000
WRITE_ROWS = 16_384

_TYPES = {
    ColumnType.STRING: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.GEOMETRY: pa.string(),
}


class LanceStore:
    """A TableStore on local disk; any number of readers, one writer a table, in any processes."""

    def __init__(
        self,
        folder: Path,
        *,
        index_from: int = INDEX_FROM_ROWS,
        bitmaps_to: int = MOST_BITMAPS,
        rows_a_file: int = 1_000_000,
    ) -> None:
        self.folder = folder
        self.index_from = index_from
        self.bitmaps_to = bitmaps_to
        self.rows_a_file = rows_a_file
        self.selections: Kept[Selection] = Kept()
        self.blocks: Kept[pa.Table] = Kept()
        self._row_bytes: dict[tuple[Any, ...], int] = {}
        self._lock = threading.Lock()
        self._opened: OrderedDict[tuple[str, int], Any] = OrderedDict()
        self._session: Any = None

    # Writing

    def serve(self, table: str, position: int, base: Path, columns: tuple[Column, ...]) -> None:
        """Make the serving copy equal to the base file at this journal position; one writer a table."""
        home = self._home(table)
        with self._writing(table):
            place = home / f"{position:06d}.lance"
            if not _sound(place):
                home.mkdir(parents=True, exist_ok=True)
                for stray in home.glob(".writing-*"):
                    shutil.rmtree(stray)
                with _lance_errors():
                    self._write(home / f".writing-{uuid.uuid4().hex}", place, base, columns)
                self._forget(table, position)
            self._remove_old(home, table)

    def drop(self, table: str) -> None:
        """Remove the copy."""
        home = self._home(table)
        with self._writing(table):
            for place in _copies(home):
                self._forget(table, place)
            shutil.rmtree(home, ignore_errors=True)

    def served(self, table: str) -> int:
        """Journal position of the copy on disk; 0 if there is none or it is not whole."""
        home = self._home(table)
        for position in _copies(home):
            if _sound(home / f"{position:06d}.lance"):
                return position
        return 0

    def tables(self) -> frozenset[str]:
        """All tables that have a folder here."""
        return frozenset(place.name for place in self.folder.glob("[!.]*") if place.is_dir())

    def _write(self, beside: Path, place: Path, base: Path, columns: tuple[Column, ...]) -> None:
        with pq.ParquetFile(base) as file:
            schema = _schema(file.schema_arrow, columns)
            dataset = lance.write_dataset(
                _batches(file, schema),
                str(beside),
                schema=schema,
                data_storage_version=STORAGE_VERSION,
                max_rows_per_file=self.rows_a_file,
            )
            if file.metadata.num_rows >= self.index_from:
                _index(dataset, file, columns, self.bitmaps_to)
        _list_and_sync(beside)
        if place.exists():
            shutil.rmtree(place)
        beside.rename(place)
        _sync(place.parent)

    def _remove_old(self, home: Path, table: str) -> None:
        for position in _copies(home)[COPIES_KEPT:]:
            self._forget(table, position)
            shutil.rmtree(home / f"{position:06d}.lance", ignore_errors=True)

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
        dataset = self._open(table, position)
        with _lance_errors():
            if query.where is None and not query.order_by:
                data = self._slice(dataset, (table, position), stored, query)
            else:
                ids = self._ids(dataset, (table, position), columns, query)
                data = _take(dataset, stored, ids)
        return data.rename_columns([column.name for column in wanted])

    def count(
        self, table: str, position: int, columns: tuple[Column, ...], where: Condition | None
    ) -> int:
        """Exact number of rows that satisfy `where`."""
        text = filter_text(where, columns) if where is not None else None
        dataset = self._open(table, position)
        with _lance_errors():
            return int(dataset.count_rows(text))

    def batches(
        self, table: str, position: int, columns: tuple[Column, ...], query: TableQuery
    ) -> Iterator[pa.RecordBatch]:
        """All rows that satisfy the query (limit and offset are ignored), in order, in batches."""
        wanted = result_columns(query, columns)
        stored = [column.stored for column in wanted]
        scanned = _scan(query, columns)
        dataset = self._open(table, position)
        with _lance_errors():
            # Without row ids a sort by a column that is not wanted fails to be planned.
            scanner = dataset.scanner(columns=stored, with_row_id=True, **scanned)
            for batch in scanner.to_batches():
                yield batch.select(stored).rename_columns([column.name for column in wanted])

    def _slice(
        self, dataset: Any, copy: tuple[str, int], stored: list[str], query: TableQuery
    ) -> pa.Table:
        """Rows as they stand, from blocks that were read for the pages before.

        Reading a thousand rows costs little more than reading a hundred, and who reads one page reads the next.
        Rows so wide that a block of them would be large are read as they are asked for.
        """
        if query.limit == 0:
            return dataset.schema.empty_table().select(stored)
        key = (*copy, *stored)
        end = query.offset + query.limit
        if (
            query.limit > BLOCK_ROWS
            or self._row_bytes.get(key, BLOCK_BYTES) * BLOCK_ROWS > BLOCK_BYTES
        ):
            data = dataset.to_table(columns=stored, limit=query.limit, offset=query.offset)
            if data.num_rows:
                self._row_bytes[key] = data.nbytes // data.num_rows + 1
            return data
        first = query.offset - query.offset % BLOCK_ROWS
        blocks = [
            self._block(dataset, key, stored, start) for start in range(first, end, BLOCK_ROWS)
        ]
        return pa.concat_tables(blocks).slice(query.offset - first, query.limit)

    def _block(self, dataset: Any, key: tuple[Any, ...], stored: list[str], start: int) -> pa.Table:
        block = self.blocks.get((*key, start))
        if block is None:
            block = dataset.to_table(
                columns=stored, limit=BLOCK_ROWS, offset=start
            ).combine_chunks()
            self.blocks.put((*key, start), block)
        return block

    def _ids(
        self, dataset: Any, copy: tuple[str, int], columns: tuple[Column, ...], query: TableQuery
    ) -> pa.Array:
        """Row ids of the page, cut from the ids that the query selects."""
        end = query.offset + query.limit
        scanned = _scan(query, columns)
        key = (*copy, scanned.get("filter"), repr(query.order_by))
        selection = self.selections.get(key)
        if selection is None or not selection.reaches(end):
            first = max(end, FIRST_IDS) if end <= MOST_FIRST_IDS else None
            found = dataset.scanner(columns=[], with_row_id=True, limit=first, **scanned).to_table()
            ids = found["_rowid"].to_numpy()
            selection = Selection(ids, complete=first is None or len(ids) < first)
            self.selections.put(key, selection)
        return pa.array(selection.ids[query.offset : end])

    def _open(self, table: str, position: int) -> Any:
        key = (table, position)
        with self._lock:
            dataset = self._opened.get(key)
            if dataset is not None:
                self._opened.move_to_end(key)
                return dataset
        place = self._home(table) / f"{position:06d}.lance"
        if not place.is_dir():
            raise Unavailable("the serving copy of this table is not ready")
        with _lance_errors():
            dataset = lance.dataset(str(place), session=self._shared_session())
        with self._lock:
            self._opened[key] = dataset
            while len(self._opened) > MOST_OPEN:
                self._opened.popitem(last=False)
        return dataset

    def _shared_session(self) -> Any:
        with self._lock:
            if self._session is None:  # made at first use, so after any fork
                self._session = lance.Session(  # type: ignore[attr-defined] # mypy sees no re-export
                    index_cache_size_bytes=CACHE_BYTES, metadata_cache_size_bytes=CACHE_BYTES
                )
            return self._session

    def _forget(self, table: str, position: int) -> None:
        with self._lock:
            self._opened.pop((table, position), None)

    def _home(self, table: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", table):
            raise ValueError(f"{table!r} is no id of a table")
        return self.folder / table


def _index(
    dataset: Any, file: pq.ParquetFile, columns: tuple[Column, ...], bitmaps_to: int
) -> None:
    """Index every column; few values in a bitmap, which answers filters in a third of a tree's time."""
    for column in [c for c in columns if c.type is not ColumnType.GEOMETRY][:MOST_INDEXES]:
        values = file.read(columns=[column.stored]).column(0)
        kind = "BITMAP" if pc.count_distinct(values).as_py() <= bitmaps_to else "BTREE"
        dataset.create_scalar_index(column.stored, kind, name=f"{column.stored}_idx")


def _take(dataset: Any, stored: list[str], ids: pa.Array) -> pa.Table:
    if len(ids) == 0:
        return dataset.schema.empty_table().select(stored)
    return dataset._take_rows(ids, columns=stored)  # the only way to rows by id that stays fast


def _scan(query: TableQuery, columns: tuple[Column, ...]) -> dict[str, Any]:
    """What a scanner needs for the query's condition and order."""
    scanned: dict[str, Any] = {}
    if query.where is not None:
        scanned["filter"] = filter_text(query.where, columns)
    if query.order_by:
        keys = [
            ColumnOrdering(column.stored, ascending=not descending, nulls_first=False)
            for column, descending in ordered_columns(query.order_by, columns)
        ]
        scanned["order_by"] = [*keys, ColumnOrdering(ROW)]
    return scanned


def _schema(read: pa.Schema, columns: tuple[Column, ...]) -> pa.Schema:
    fields = [
        pa.field(column.stored, _TYPES.get(column.type) or read.field(column.stored).type)
        for column in columns
    ]
    return pa.schema([*fields, pa.field(ROW, pa.int64())])


def _batches(file: pq.ParquetFile, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    stored = [name for name in schema.names if name != ROW]
    first = 0
    for batch in file.iter_batches(WRITE_ROWS, columns=stored):
        numbers = pa.array(np.arange(first, first + batch.num_rows, dtype=np.int64))
        arrays = [batch.column(name).cast(schema.field(name).type) for name in stored]
        yield pa.RecordBatch.from_arrays([*arrays, numbers], schema=schema)
        first += batch.num_rows


def _copies(home: Path) -> list[int]:
    """Journal positions that have a copy, newest first."""
    found = [place.stem for place in home.glob("*.lance")]
    return sorted((int(stem) for stem in found if stem.isdigit()), reverse=True)


def _list_and_sync(folder: Path) -> None:
    """Make every file durable and write down their sizes, so that a damaged copy is noticed."""
    sizes: dict[str, int] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        sizes[file.relative_to(folder).as_posix()] = file.stat().st_size
        _sync(file)
    listing = folder / LISTING
    listing.write_bytes(orjson.dumps(sizes))
    _sync(listing)
    for inner in (path for path in folder.rglob("*") if path.is_dir()):
        _sync(inner)
    _sync(folder)


def _sound(place: Path) -> bool:
    """Whether the copy has every file that was written, in full length."""
    try:
        sizes = orjson.loads((place / LISTING).read_bytes())
        return all((place / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
