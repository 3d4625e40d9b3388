"""Makes a dataset with a loaded table, through the services that a harvest uses."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import select

from catalog.db import db
from catalog.models.dataset import Resource
from catalog.models.table import DataTable
from catalog.permissions import SCHEDULER
from catalog.services import tables
from catalog.tabular.column import Column
from catalog.tabular.reading import ReadTable
from tests.make_dataset import make_organization, make_theme, put
from tests.make_table import STATION_ROWS, STATIONS, Row, make_parquet


@dataclass(frozen=True)
class Served:
    """Ids of what was made."""

    dataset: str
    resource: str
    table: str


def make_served(
    folder: Path,
    *,
    columns: tuple[Column, ...] = STATIONS,
    rows: tuple[Row, ...] = STATION_ROWS,
    name: str = "Air quality",
    **fields: Any,
) -> Served:
    """A published dataset whose only table has these rows and a serving copy."""
    make_organization()
    make_theme()
    resource = {"key": "air.csv", "title": {"zh": "空气"}, "format": "csv", "load": {"part": "air"}}
    made = put(name, resources=[resource], themes=["environment"], **fields)
    resource_id = db.session.scalar(select(Resource.id).filter_by(dataset_id=made.dataset_id))
    assert resource_id is not None
    load_rows(resource_id, folder, columns=columns, rows=rows)
    table_id = db.session.scalar(select(DataTable.id).filter_by(resource_id=resource_id))
    assert table_id is not None
    return Served(made.dataset_id, resource_id, table_id)


def load_rows(
    resource_id: str,
    folder: Path,
    *,
    columns: tuple[Column, ...] = STATIONS,
    rows: tuple[Row, ...] = STATION_ROWS,
) -> None:
    """Load these rows as the newest release."""
    file = make_parquet(folder / "read.parquet", columns, rows)
    read = ReadTable(
        "data",
        {},
        columns,
        file,
        len(rows),
        content=sha256(repr((columns, rows)).encode()).hexdigest(),
    )
    tables.load(SCHEDULER, resource_id, [read], reason="test")
