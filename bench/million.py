"""A table of 1,000,000 × 10, loaded by the real worker and asked over HTTP: `python -m bench.million [--rows N]`.

Figures are CPU of the whole server process (user and system, all threads and children) for a call; the client's own
CPU is not in them. Beside each stands the floor: the same work by Lance or DuckDB alone, without HTTP, JSON and rights.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import click
import lance
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from bench.calls import Floor, calls
from bench.generated import COLUMNS, batches, upserts, write_csv
from bench.measure import Report, cpu_seconds, measure
from bench.portal import Client, Portal, Running
from catalog.permissions import SCHEDULER
from catalog.services import table_columns

LOAD_SECONDS = 8.0
UPSERT_SECONDS = 0.5


@click.command()
@click.option("--rows", default=1_000_000, show_default=True)
@click.option("--port", default=28765, show_default=True)
@click.option("--folder", default=None, help="Where the data goes (a temporary folder otherwise).")
def main(rows: int, port: int, folder: str | None) -> None:
    """Generate, load, ask, print."""
    with tempfile.TemporaryDirectory(prefix="weft-million-", dir=folder) as made:
        portal = Portal(Path(made), port)
        with portal.prepare().app_context():
            run(portal, rows)


def run(portal: Portal, rows: int) -> None:
    """All figures of one table."""
    report = Report()
    files = portal.folder / "files"
    files.mkdir()
    size = write_csv(files / "hotline.csv", batches(rows))
    report.head(f"{rows:,} rows × 10 columns, {size / 1e6:.0f} MB of CSV")
    report.reference()
    table = load(report, portal, files, rows)
    with portal.web() as web:
        client = Client(portal.port)
        for call in calls(table, rows, floor_of(portal, table, rows)):
            measure(report, web, client, call)
        downloads(report, web, client, table, rows)
        upsert(report, portal, web, client, table, rows)
        report.figure("memory of web", f"{web.megabytes():.0f} MB peak", "≤ 3,000")
    sizes(report, portal, size)
    report.reference()
    print(f"\n{report.missed} calls above their target")


def load(report: Report, portal: Portal, files: Path, rows: int) -> str:
    """From the file to journal, profile, serving copy and indexes, by the worker; the table's id.

    The worker has loaded a small file before: reading its code and libraries is not the load.
    """
    small = portal.folder / "small"
    small.mkdir()
    write_csv(small / "small.csv", batches(30_000, seed=2))
    with portal.worker() as worker:
        portal.load(portal.register("small", small))
        worker.settle()
        source = portal.register("hotline", files)
        before, began = worker.cpu_seconds(), time.monotonic()
        table = portal.load(source)
        took = time.monotonic() - began
        worker.settle()
        spent, floor = worker.cpu_seconds() - before, load_floor(portal, files, table, rows)
        target = LOAD_SECONDS * rows / 1e6
        report.missed += spent > target
        report.figure(
            "load, CPU s of the worker",
            f"{spent:.2f}",
            f"≤ {target:g}",
            f"floor {floor:.2f}, ratio {spent / floor:.1f} [87]",
        )
        report.figure("load, wall s", f"{took:.1f}", "", "[190]")
        report.figure("memory of worker", f"{worker.megabytes():.0f} MB peak", "≤ 3,000")
    return table


def load_floor(portal: Portal, files: Path, table: str, rows: int) -> float:
    """CPU seconds of the libraries alone: parse, write Parquet, write a Lance copy and the same indexes."""
    there = floor_of(portal, table, rows).lance
    kinds = [(index.field_names[0], index.index_type) for index in there.describe_indices()]

    def work() -> None:
        options = pacsv.ReadOptions(use_threads=False)
        read = pacsv.read_csv(files / "hotline.csv", options)
        named = read.rename_columns([f"c{at}" for at in range(len(COLUMNS))])
        pq.write_table(named, portal.folder / "floor.parquet", compression="zstd")
        copy = lance.write_dataset(
            named, str(portal.folder / "floor.lance"), data_storage_version="2.2"
        )
        for column, kind in kinds:
            if column == "row":
                continue
            pairs = {"base_tokenizer": "ngram", "min_ngram_length": 2, "max_ngram_length": 2}
            more: dict[str, Any] = pairs if kind.upper() in ("INVERTED", "FTS") else {}
            copy.create_scalar_index(column, kind.upper(), **more)

    return cpu_seconds(work)


def floor_of(portal: Portal, table: str, rows: int) -> Floor:
    """The engines on the files of the table."""
    home = Path(portal.settings.tables_url.partition(":")[2])
    serving = max((home / "serving" / table).glob("*.lance"))
    base = max((home / "journal" / table).glob("*.parquet"))
    return Floor(serving, base, rows)


def downloads(report: Report, web: Running, client: Client, table: str, rows: int) -> None:
    """Whole releases: the first time they are made, later they are kept."""
    for kind, target, ckan in (("csv", 0.5, "0.2"), ("json", 0.4, "0.035")):
        path = f"/api/v1/tables/{table}/download.{kind}"
        before = web.cpu_seconds()
        size = client.drain(path)
        rate = rows / (web.cpu_seconds() - before) / 1e6
        report.missed += rate < target
        report.figure(
            f"first dump as {kind}, million rows a CPU s", f"{rate:.2f}", f"≥ {target}", f"[{ckan}]"
        )
        before = web.cpu_seconds()
        times = 5
        for _ in range(times):
            client.drain(path)
        rate = size * times / max(web.cpu_seconds() - before, 0.01) / 1e6
        report.missed += rate < 200
        report.figure(f"later dumps as {kind}, MB a CPU s", f"{rate:.0f}", "≥ 200")


def upsert(
    report: Report, portal: Portal, web: Running, client: Client, table: str, rows: int
) -> None:
    """A thousand records by key, nine of ten to rows that are there: one call, one release, read by the next call."""
    key = {"Authorization": portal.key()}
    table_columns.set_key(SCHEDULER, table, [COLUMNS[0]])
    bodies = [{"method": "upsert", "records": upserts(rows, 1_000, seed=seed)} for seed in range(6)]
    client.ask(f"/api/v1/tables/{table}/rows", bodies[0], key)
    before = web.cpu_seconds()
    for body in bodies[1:]:
        client.ask(f"/api/v1/tables/{table}/rows", body, key)
    spent = (web.cpu_seconds() - before) / len(bodies[1:])
    report.missed += spent > UPSERT_SECONDS
    report.figure("upsert of 1,000 rows, CPU s", f"{spent:.2f}", f"≤ {UPSERT_SECONDS}")
    before = web.cpu_seconds()
    for at in range(100):
        client.ask(f"/api/v1/tables/{table}/rows?limit=100&offset={at * 617_579 % (rows - 100)}")
    report.figure("then a page of 100 anywhere, CPU ms", f"{(web.cpu_seconds() - before) * 10:.2f}")


def sizes(report: Report, portal: Portal, csv: int) -> None:
    """Bytes on disk."""
    for part in ("journal", "serving"):
        size = portal.size(part)
        report.figure(f"size of {part}", f"{size / 1e6:.1f} MB", "", f"{size / csv:.2f} × the CSV")


if __name__ == "__main__":
    main()
