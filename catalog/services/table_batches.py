"""All rows of a query in batches, in one release from the first to the last."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from catalog.permissions import Identity
from catalog.services.table_lookup import base_of, newest, show
from catalog.tabular.query import TableQuery
from catalog.tabular.sql import compile_all


def batches(who: Identity, table_id: str, query: TableQuery) -> Iterator[pa.RecordBatch]:
    """The rows or groups that satisfy the query, in order; limit and offset are ignored.

    What can be refused is refused here; the batches need no database.
    """
    base = base_of(newest(show(who, table_id)))
    compile_all(query, base.columns, base.relation)
    return base.batches(query)
