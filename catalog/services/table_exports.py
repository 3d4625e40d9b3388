"""Downloads of tables: all rows of the newest release, or what a query leaves of them, as a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from catalog.errors import BadQuery
from catalog.models.table import DataTable
from catalog.permissions import Identity
from catalog.services.table_formats import Content, format_of, meanings_of
from catalog.services.table_lookup import base_of, show, version_as_of
from catalog.tabular.coordinates import Datum
from catalog.tabular.moving import moving_to
from catalog.tabular.places import places_of
from catalog.tabular.query import TableQuery
from catalog.tabular.sql import compile_all, is_group


@dataclass(frozen=True)
class Export:
    """A download: its name, its media type and its bytes in pieces."""

    filename: str
    media_type: str
    chunks: Iterator[bytes]


def export(
    who: Identity,
    table_id: str,
    format: str,  # noqa: A002 # the word that people use
    query: TableQuery | None = None,
    *,
    as_of: str | None = None,
    crs: str | None = None,
) -> Export:
    """A download in one of FORMATS, of the newest release or that of `as_of`; limit and offset of the query are ignored.

    With `crs` coordinates are converted; map files are always in WGS-84. What can be refused is refused here, before the first byte; the rest of the stream needs no database.
    """
    table = show(who, table_id)
    wanted = format_of(format)
    version = version_as_of(table, as_of)
    asked = replace(query or TableQuery(), limit=0, offset=0)
    if is_group(asked):
        raise BadQuery("groups cannot be downloaded")
    base = base_of(version)
    compile_all(asked, version.columns, base.relation)
    meanings = meanings_of(table)
    moving = moving_to(places_of(version.columns, meanings), crs)
    if moving and wanted.spatial:
        if moving.target is not Datum.WGS84:
            raise BadQuery("map files are always in WGS-84")
        asked, moving = replace(asked, where=moving.query(asked).where), None
    content = Content(base, asked, table.loaded_at or table.created_at, meanings, moving)
    chunks = wanted.stream(content)
    first = next(chunks, b"")
    return Export(f"{name_of(table)}.{wanted.ending}", wanted.media_type, chain([first], chunks))


def name_of(table: DataTable) -> str:
    """What files of the table are called: the dataset's address and, where it has a name of its own, the table's."""
    slug = table.resource.dataset.slug
    key = re.sub(r"[^\w.-]+", "-", table.key).strip("-.")[:60]
    return slug if key in ("", "data") else f"{slug}-{key}"
