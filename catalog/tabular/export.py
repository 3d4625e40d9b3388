"""Downloads as streams: CSV, JSON, JSON lines and Parquet, a batch at a time, so memory does not grow with rows.

Plain CSV is faithful to the byte: what was published is what programs read, also a text that begins with “=”.
Spreadsheets run such a text as a formula, so the variant with a byte order mark, which exists for Excel, puts an
apostrophe before it, as OWASP advises; numbers and telephone numbers stay as they are, for they can do nothing.
Null is an empty cell, the empty text a pair of quotes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.json_text import (
    bytes_among,
    iso_text,
    json_lines,
    rows_with,
    text_buffers,
    text_of,
)
from catalog.tabular.sink import Sink
from catalog.tabular.values import TEXT_TYPES

BOM = b"\xef\xbb\xbf"
TO_QUOTE = bytes_among(b'",\r\n')
BLANK = bytes_among(b"\t\n\v\f\r ")
FORMULA = "^[=+\\-@\t\r＝＋－＠]"
"""What spreadsheets take for the beginning of a formula; the wide signs count in Chinese editions."""
HARMLESS = "^[+-]?[0-9][0-9 .()-]*$"
"""Numbers and telephone numbers: nothing in them names a cell or calls a function."""
ROW_GROUP_ROWS = 100_000
ROW_GROUP_BYTES = 32_000_000


def csv_stream(
    batches: Iterable[pa.RecordBatch],
    columns: Sequence[Column],
    *,
    for_spreadsheets: bool = False,
) -> Iterator[bytes]:
    """CSV as RFC 4180 has it, in UTF-8; `for_spreadsheets` adds the byte order mark and defuses formulas."""
    names = _cells(pa.array([column.name for column in columns], pa.string()), for_spreadsheets)
    head = ",".join(names.to_pylist()).encode() + b"\r\n"
    yield BOM + head if for_spreadsheets else head
    for batch in batches:
        if batch.num_rows:
            yield _csv_lines(batch, columns, for_spreadsheets)


def json_stream(batches: Iterable[pa.RecordBatch], columns: Sequence[Column]) -> Iterator[bytes]:
    """A JSON array with an object a row and a line a row."""
    before = b"[\n"
    for lines in json_lines(batches, columns, end=",\n"):
        yield before + lines[:-2]
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def jsonl_stream(batches: Iterable[pa.RecordBatch], columns: Sequence[Column]) -> Iterator[bytes]:
    """JSON lines: an object a line."""
    return json_lines(batches, columns)


def parquet_stream(
    batches: Iterable[pa.RecordBatch], columns: Sequence[Column], schema: pa.Schema
) -> Iterator[bytes]:
    """Parquet (zstd) under published names; `schema` has the types in the order of `columns`."""
    named = pa.schema(
        [field.with_name(column.name) for field, column in zip(schema, columns, strict=True)]
    )
    sink = Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), named, compression="zstd") as writer:
        for group in _row_groups(batches):
            writer.write_table(group.rename_columns(named.names).cast(named))
            yield sink.take()
    yield sink.take()


def arrow_stream(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[bytes]:
    """An Arrow IPC stream, as its media type has it."""
    sink = Sink()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        rows, size = sum(part.num_rows for part in waiting), sum(part.nbytes for part in waiting)
        if rows >= ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def _csv_lines(batch: pa.RecordBatch, columns: Sequence[Column], defused: bool) -> bytes:  # noqa: FBT001 # inner
    cells = [_text(batch.column(at), column, defused) for at, column in enumerate(columns)]
    filled = [pc.fill_null(texts, "") if texts.null_count else texts for texts in cells]
    filled[-1] = pc.binary_join_element_wise(filled[-1], "", "\r\n")
    return text_of(pc.binary_join_element_wise(*filled, ","))


def _text(cells: pa.Array, column: Column, defused: bool) -> pa.Array:  # noqa: FBT001 # inner
    if column.type in TEXT_TYPES:
        return _cells(cells.cast(pa.string()), defused)
    if column.type is ColumnType.DATETIME:
        return iso_text(cells)
    return cells.cast(pa.string())


def _cells(texts: pa.Array, defused: bool) -> pa.Array:  # noqa: FBT001 # inner
    if defused:
        risky = pc.and_not(
            pc.match_substring_regex(texts, FORMULA), pc.match_substring_regex(texts, HARMLESS)
        )
        texts = pc.if_else(
            risky,
            pc.binary_join_element_wise("'", texts, ""),
            texts,
        )
    needy = _needs_quotes(texts)
    if not needy.any():
        return texts
    mask = pa.array(needy)
    doubled = pc.replace_substring(texts.filter(mask), '"', '""')
    return pc.replace_with_mask(texts, mask, pc.binary_join_element_wise('"', doubled, '"', ""))


def _needs_quotes(texts: pa.Array) -> np.ndarray:
    """Texts with a comma, a quote or a line break, with blanks at an end, and empty ones, which are no nulls."""
    found = rows_with(texts, TO_QUOTE)
    data, ends = text_buffers(texts)
    begins, after = ends[:-1], ends[1:]
    if data.size:
        found |= BLANK[data[np.minimum(begins, data.size - 1)]]
        found |= BLANK[data[np.maximum(after - 1, 0)]]
    found |= begins == after
    if texts.null_count:
        found &= texts.is_valid().to_numpy(zero_copy_only=False)
    return found
