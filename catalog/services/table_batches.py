"""All rows of a query in batches, in one release from the first to the last."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from catalog.permissions import Identity
from catalog.services.table_lookup import base_of, show, version_as_of
from catalog.tabular.query import TableQuery
from catalog.tabular.sql import compile_all


def batches(
    who: Identity, table_id: str, query: TableQuery, *, as_of: str | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows or groups that satisfy the query, in order, of the newest release or `as_of`; limit and offset are ignored.

    What can be refused is refused here; the batches need no database.
    """
    base = base_of(version_as_of(show(who, table_id), as_of))
    compile_all(query, base.columns, base.relation)
    return base.batches(query)
