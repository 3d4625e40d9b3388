"""Citations: a query on a release under an address that stays, with the hash of the rows that it gives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import BadQuery, NotFound, TooLarge
from catalog.models.base import now
from catalog.models.table import Citation, DataTable, Release
from catalog.permissions import Identity
from catalog.services.table_lookup import Version, base_of, show, version_as_of, version_of
from catalog.tabular.export import csv_stream
from catalog.tabular.query import Order, TableQuery
from catalog.tabular.sql import compile_all, is_group, result_columns
from catalog.tabular.where import parse_where
from catalog.tabular.where_text import where_text

MOST_ROWS = 1_000_000
"""Rows that are hashed while somebody waits, some three seconds of CPU."""
SMALL_ROWS = 100_000
"""Rows that may be hashed again whenever somebody looks."""
ID_LENGTH = 16


@dataclass(frozen=True)
class Cited:
    """A citation as `who` may see it."""

    citation: Citation
    table: DataTable
    release: Release
    query: TableQuery


def cite(who: Identity, table_id: str, query: TableQuery, *, as_of: str | None = None) -> Cited:
    """The citation of a query on a release; equal questions get the same one. Its release is kept from then on.

    What is hashed is what the public sees, as CSV. Raises TooLarge for more than MOST_ROWS rows.
    """
    table = _public(show(who, table_id))
    version = version_as_of(table, as_of)
    asked = TableQuery(query.select, query.where, query.order_by, limit=0)
    if is_group(query):
        raise BadQuery("groups cannot be cited; cite the rows that they are made of")
    written = _written(asked)
    name = orjson.dumps([table_id, version.release, written], option=orjson.OPT_SORT_KEYS)
    citation_id = hashlib.sha256(name).hexdigest()[:ID_LENGTH]
    if db.session.get(Citation, citation_id) is None:
        rows, digest = _hash(version, asked)
        with transaction():
            if db.session.get(Citation, citation_id) is None:
                db.session.add(
                    Citation(
                        id=citation_id,
                        table_id=table_id,
                        release=version.release,
                        query=written,
                        rows=rows,
                        sha256=digest,
                        created_at=now(),
                    )
                )
    return find(who, citation_id)


def find(who: Identity, citation_id: str) -> Cited:
    """The citation with its table and release; raises NotFound, Gone or Denied."""
    citation = db.session.get(Citation, citation_id[: ID_LENGTH * 2])
    if citation is None:
        raise NotFound("there is no such citation")
    table = _public(show(who, citation.table_id))
    release = db.session.scalars(
        select(Release).where(
            Release.table_id == citation.table_id, Release.number == citation.release
        )
    ).one()
    return Cited(citation, table, release, _read(citation.query))


def is_unchanged(cited: Cited) -> bool:
    """Whether the query gives the same rows today; what was withheld since then makes it false."""
    version = version_of(cited.table, cited.release)
    try:
        return _hash(version, cited.query) == (cited.citation.rows, cited.citation.sha256)
    except BadQuery:  # a column that it names is no longer shown
        return False


def _public(table: DataTable) -> DataTable:
    return table.narrow or table


def _hash(version: Version, query: TableQuery) -> tuple[int, str]:
    """The number of the rows and the SHA-256 of their CSV, which is what the download gives."""
    base = base_of(version)
    compile_all(query, version.columns, base.relation)
    rows = base.count(query.where)
    if rows > MOST_ROWS:
        raise TooLarge(
            "a citation of a query is of at most %(most)s rows; narrow it, or cite the release as a whole",
            most=MOST_ROWS,
        )
    digest = hashlib.sha256()
    for piece in csv_stream(base.batches(query), result_columns(query, version.columns)):
        digest.update(piece)
    return rows, digest.hexdigest()


def _written(query: TableQuery) -> dict[str, Any]:
    """The query as it is kept."""
    return {
        "select": list(query.select),
        "where": where_text(query.where) if query.where else "",
        "order_by": [
            [order.column, order.descending, order.nulls_first] for order in query.order_by
        ],
    }


def _read(kept: dict[str, Any]) -> TableQuery:
    orders = tuple(
        Order(column, descending=descending, nulls_first=first)
        for column, descending, first in kept["order_by"]
    )
    where = parse_where(kept["where"]) if kept["where"] else None
    return TableQuery(tuple(kept["select"]), where, orders, limit=0)
