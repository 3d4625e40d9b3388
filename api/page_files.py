"""Pages of rows as files: CSV, JSON lines, Arrow and Parquet, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response

from api.files import disposition
from catalog.services import tables
from catalog.tabular.export import arrow_stream, csv_stream, jsonl_stream, parquet_stream
from catalog.tabular.masking import shown

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


def page_file(page: tables.RowPage | tables.RowStream, kind: str) -> Response:
    """The page as a file of a kind; what JSON says beside the rows is said in headers."""
    response = Response(_pieces(page, kind), content_type=MEDIA[kind])
    response.headers["Content-Disposition"] = disposition(f"rows.{kind}")
    response.headers["Weft-Release"] = str(page.release or page.table.release)
    if page.total is not None:
        response.headers["X-Total-Count"] = str(page.total)
    if page.next_cursor:
        response.headers["Weft-Cursor"] = page.next_cursor
    return response


def _pieces(page: tables.RowPage | tables.RowStream, kind: str) -> Iterator[bytes]:
    columns = shown(page.columns)
    batches = page.batches
    match kind:
        case "csv":
            return csv_stream(batches, columns)
        case "jsonl":
            return jsonl_stream(batches, columns)
        case "parquet":
            return parquet_stream(batches, columns, page.schema)
    return arrow_stream(batches, page.schema)
