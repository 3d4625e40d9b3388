"""CPU per page of rows, count, group and MB of download of the hourly air table (140,256 rows, 18 columns).

Run `python -m bench.tables`; every figure is CPU of the whole process, all threads, per operation.
"""

from __future__ import annotations

import gzip
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from catalog.db import db, transaction
from catalog.models.dataset import Dataset, Resource
from catalog.models.organization import Organization
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnType
from catalog.permissions import ANYONE, SCHEDULER
from catalog.services import tables
from catalog.settings import Settings
from catalog.tabular.column import columns_of
from catalog.tabular.duck import duck
from catalog.tabular.profile import profile
from catalog.tabular.query import Aggregate, And, Compare, Measure, Op, Order, TableQuery
from catalog.tabular.reading import ReadTable
from catalog.tabular.sql import parquet
from catalog.tabular.store import table_store
from wsgi import create_app

AIR = Path(__file__).parent.parent / "demo" / "ecology-environment-air"
TYPES = {"int64": ColumnType.INTEGER, "double": ColumnType.NUMBER, "string": ColumnType.STRING}
PM = "PM2.5"


def read_air(into: Path) -> ReadTable:
    """The four stations as one table, without the reader that the portal uses."""
    missing = pa.csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    parts = [
        pa.csv.read_csv(
            pa.BufferReader(gzip.decompress(file.read_bytes())), convert_options=missing
        )
        for file in sorted(AIR.glob("*.csv.gz"))
    ]
    air = pa.concat_tables(parts, promote_options="permissive")
    columns = columns_of(air.column_names, [TYPES[str(field.type)] for field in air.schema])
    pq.write_table(
        air.rename_columns([c.stored for c in columns]), into / "air.parquet", compression="zstd"
    )
    return ReadTable("data", {"en": "Air"}, columns, into / "air.parquet", air.num_rows, "0" * 64)


def cpu(what: str, ask: Callable[[], object], times: int = 100) -> None:
    """Print the CPU of one call, after two that warm up."""
    ask(), ask()
    began = time.process_time()
    for _ in range(times):
        ask()
    print(f"{what:<58}{(time.process_time() - began) / times * 1000:9.2f} ms")


def main() -> None:
    """Load the table into a portal in a temporary folder and ask."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=folder,
            secret_key="bench",  # of a portal that lives for a minute
            limit_anonymous="1000000/minute",
            log_level="WARNING",
        ).resolved()
        app = create_app(settings)
        with app.app_context():
            db.create_all()
            bench(Path(folder), app.test_client())


def bench(folder: Path, client: object) -> None:
    """All figures."""
    with transaction():
        organization = Organization(slug="ecology", title={"en": "Ecology"})
        dataset = Dataset(slug="air", title={"en": "Air"}, organization=organization)
        air = Resource(dataset=dataset, key="air")
        db.session.add_all([organization, dataset, air])
    read = read_air(folder)
    began = time.process_time()
    tables.load(SCHEDULER, air.id, [read], reason="bench")
    table_id = db.session.scalars(db.select(DataTable.id)).one()
    tables.serve_table(table_id)
    print(
        f"{'load: journal, profile, serving copy with indexes':<58}{(time.process_time() - began) * 1000:9.0f} ms"
    )
    table = tables.show(ANYONE, table_id)
    pages(table)
    requests(client, table)
    heavier(table, read)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def pages(table: DataTable) -> None:
    """Pages of 100 rows with all 18 columns."""
    store, columns = table_store(), tables.columns_of(table)
    last = table.rows - 100
    for offset in (0, table.rows // 2, last):
        query = TableQuery(offset=offset)
        cpu(
            f"Lance alone: 100 rows at {offset}",
            lambda q=query: store.rows(table.id, 1, columns, q),
        )
    for offset in (0, table.rows // 2, last):
        query = TableQuery(offset=offset)
        cpu(f"service: 100 rows at {offset}", lambda q=query: tables.rows(ANYONE, table.id, q))
    where = And((Compare("station", Op.EQ, "Dongsi"), Compare(PM, Op.GT, 100)))
    order = (Order(PM, descending=True),)
    for offset in (0, 5_000):
        query = TableQuery(where=where, offset=offset)
        cpu(
            f"service: filter page at {offset}, ids kept",
            lambda q=query: tables.rows(ANYONE, table.id, q),
        )
        cpu(f"service: filter page at {offset}, first time", lambda q=query: _first(table, q))
    for offset in (0, 100_000):
        query = TableQuery(order_by=order, offset=offset)
        cpu(
            f"service: sorted page at {offset}, ids kept",
            lambda q=query: tables.rows(ANYONE, table.id, q),
        )
        cpu(f"service: sorted page at {offset}, first time", lambda q=query: _first(table, q), 20)
    cpu("service: count, two filters", lambda: tables.count(ANYONE, table.id, where))
    contains = Compare("station", Op.CONTAINS, "ongs")
    cpu("service: count, contains", lambda: tables.count(ANYONE, table.id, contains))


def _first(table: DataTable, query: TableQuery) -> None:
    table_store().finder.selections._kept.clear()  # type: ignore[attr-defined] # only Lance keeps selections
    table_store().finder.selections._bytes = 0  # type: ignore[attr-defined] # as above
    tables.rows(ANYONE, table.id, query)


def requests(client: object, table: DataTable) -> None:
    """Whole calls of the API, from WSGI to JSON, each with a session of its own."""
    base = f"/api/v1/tables/{table.id}"

    def get(path: str) -> None:
        response = client.get(base + path)  # type: ignore[attr-defined] # a Flask test client
        assert response.status_code == 200, response.text  # noqa: S101 # a benchmark of errors would mislead
        response.close()

    for offset in (0, table.rows // 2, table.rows - 100):
        cpu(
            f"API call: 100 rows at {offset}", lambda at=offset: get(f"/rows?limit=100&offset={at}")
        )
    cpu(
        "API call: filter page",
        lambda: get("/rows?limit=100&where=station='Dongsi' and \"PM2.5\">100"),
    )
    cpu("API call: count", lambda: get("/count?where=station='Dongsi'"))
    cpu("API call: description of the table", lambda: get(""))


def heavier(table: DataTable, read: ReadTable) -> None:
    """Groups, pages without a serving copy, profiles and downloads."""
    query = TableQuery(group_by=("station", "year"), measures=(Measure(Aggregate.AVG, PM, "mean"),))
    cpu("service: group by two columns, mean", lambda: tables.group(ANYONE, table.id, query), 20)
    began = time.process_time()
    file = next((Path(duck().folder) / "journal" / table.id).glob("*.parquet"))
    profile(duck(), parquet(file), read.columns)
    print(f"{'profile of 18 columns':<58}{(time.process_time() - began) * 1000:9.0f} ms")
    for name in tables.FORMATS:
        began = time.process_time()
        size = sum(len(chunk) for chunk in tables.export(ANYONE, table.id, name).chunks)
        spent = time.process_time() - began
        print(
            f"{f'export {name}: {size / 1e6:.1f} MB, {spent:.2f} s':<58}{spent / size * 1e9:9.1f} ms/MB"
        )
    table_store().drop(table.id)
    for offset in (0, table.rows - 100):
        asked = TableQuery(offset=offset)
        cpu(
            f"service without a copy: 100 rows at {offset}",
            lambda q=asked: tables.rows(ANYONE, table.id, q),
            20,
        )


if __name__ == "__main__":
    main()
