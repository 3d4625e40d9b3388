"""Downloads of a table: formats, what each is for, and their addresses for all or for the filtered rows."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from catalog.tabular.query import Condition
from catalog.tabular.where_text import where_text
from portal.languages import gettext

Pairs = list[tuple[str, str]]
MANY = 20_000
"""Rows that a format takes noticeable time for which is whole before its first byte leaves."""


@dataclass(frozen=True)
class Download:
    """A format with its purpose and its addresses; `filtered` is empty without filters."""

    format: str
    title: str
    purpose: str
    whole: str
    filtered: str
    slow: bool = False
    """Whether so many rows take some seconds to put into this format."""


def downloads(
    table_id: str,
    where: Condition | None,
    rows: int = 0,
    *,
    located: bool = False,
    as_of: str = "",
) -> list[Download]:
    """All formats, the most asked-for first; map files where rows have places; of the newest release or `as_of`."""
    release = [("as_of", as_of)] if as_of else []
    offered: list[tuple[str, str, Pairs, str, str]] = [
        ("CSV", "csv", [], gettext("CSV"), gettext("For programs and databases. Plain text, UTF-8.")),
        ("CSV", "csv", [("bom", "1")], gettext("CSV for Excel"), gettext("Opens in Excel with Chinese shown correctly (UTF-8 with a byte order mark).")),
        ("XLSX", "xlsx", [], gettext("Excel workbook"), gettext("For Excel, WPS or LibreOffice; codes keep their leading zeros.")),
        ("JSON", "json", [], gettext("JSON"), gettext("One array of objects, for web pages and scripts.")),
        ("JSONL", "jsonl", [], gettext("JSON lines"), gettext("One object a line, for large data and streams.")),
        ("CSV", "csv.gz", [], gettext("CSV, compressed"), gettext("The same CSV in a fifth of the bytes (gzip).")),
        ("PARQUET", "parquet", [], gettext("Parquet"), gettext("Small and typed, for pandas, R, DuckDB and Spark.")),
    ]  # fmt: skip
    if located:
        offered += [
            ("GEOJSON", "geojson", [], gettext("GeoJSON"), gettext("For maps on the web, QGIS and ArcGIS.")),
            ("GPKG", "gpkg", [], gettext("GeoPackage"), gettext("For QGIS, ArcGIS and GDAL, typed and indexed.")),
        ]  # fmt: skip
    filtered = [("where", where_text(where))] if where else []
    return [
        Download(
            format_,
            title,
            purpose,
            _address(table_id, ending, [*pairs, *release]),
            _address(table_id, ending, [*pairs, *release, *filtered]) if filtered else "",
            slow=ending == "gpkg" and rows > MANY,
        )
        for format_, ending, pairs, title, purpose in offered
    ]


def _address(table_id: str, ending: str, pairs: Pairs) -> str:
    query = urlencode(pairs)
    address = f"/api/v1/tables/{table_id}/download.{ending}"
    return f"{address}?{query}" if query else address
