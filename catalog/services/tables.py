"""Tables: pages of rows, counts, groups, downloads and loads; this is where others import them from."""

from catalog.services.release_keeping import keep_release_files
from catalog.services.table_batches import batches
from catalog.services.table_copies import keep_copies
from catalog.services.table_exports import Export, export
from catalog.services.table_formats import FORMATS, has_places
from catalog.services.table_joins import Joinable, joinable
from catalog.services.table_loads import LoadReport, fail, load, repair_tables, serve_table
from catalog.services.table_lookup import columns_of, has_namesakes, show
from catalog.services.table_rows import (
    RowPage,
    RowStream,
    ask,
    columns,
    count,
    count_groups,
    group,
    place_of,
    release_as_of,
    rows,
    stream,
    version,
)
from catalog.services.table_upkeep import damaged_files

__all__ = [
    "FORMATS",
    "Export",
    "Joinable",
    "LoadReport",
    "RowPage",
    "RowStream",
    "ask",
    "batches",
    "columns",
    "columns_of",
    "count",
    "count_groups",
    "damaged_files",
    "export",
    "fail",
    "group",
    "has_namesakes",
    "has_places",
    "joinable",
    "keep_copies",
    "keep_release_files",
    "load",
    "place_of",
    "release_as_of",
    "repair_tables",
    "rows",
    "serve_table",
    "show",
    "stream",
    "version",
]
