"""Which files of the journal each table is made of, for programs such as Spark that read them without the portal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from catalog.db import db
from catalog.errors import Denied, NotFound, Unauthenticated, Unavailable
from catalog.models.table import DataTable, JournalFile
from catalog.permissions import Identity
from catalog.services.table_lookup import columns_of, files_of, newest, show


def files(who: Identity) -> Iterator[dict[str, Any]]:
    """The newest release of each table that `who` may read: where it comes from, its columns, its files.

    Columns that `who` may not see as they are, are left out; the files hold them nevertheless, so who may not
    read everything should not be given the bucket or folder either.
    """
    for table_id in db.session.scalars(select(DataTable.id).order_by(DataTable.id)).all():
        try:
            table = show(who, table_id)
            yield _described(table)
        except (Denied, Unauthenticated, NotFound, Unavailable):
            continue  # it is not theirs to read, is gone, or was never loaded


def _described(table: DataTable) -> dict[str, Any]:
    version = newest(table)
    base, deltas = files_of(version)
    dataset = table.resource.dataset
    return {
        "id": table.id,
        "organization": dataset.organization.slug,
        "dataset": dataset.slug,
        "resource": table.resource.key,
        "table": table.key,
        "title": dict(table.title),
        "release": table.release,
        "rows": table.rows,
        "primary_key": list(table.primary_key or []),
        "columns": [
            {"name": column.name, "stored": column.stored, "type": column.type.value}
            for column in columns_of(table)
            if not column.masked
        ],
        "base": {**_file(base), "numbered": base.numbered},
        "deltas": [_file(delta) for delta in deltas],
    }


def _file(file: JournalFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "position": file.position,
        "rows": file.rows,
        "bytes": file.bytes,
        "sha256": file.sha256,
    }
