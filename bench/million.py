"""A table of 1,000,000 × 10, loaded by the real worker and asked over HTTP: `python -m bench.million [--rows N]`.

Figures are CPU of the whole server process (user and system, all threads and children) for a call; the client's own
CPU is not in them. Beside each stands the floor: the same work by Lance or DuckDB alone, without HTTP, JSON and rights.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click

from bench.calls import Floor, calls
from bench.generated import write_csv
from bench.measure import Report, measure
from bench.portal import Client, Portal, Running
from catalog.permissions import ANYONE
from catalog.services import tables

LOAD_SECONDS = 8.0


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
    size = write_csv(files / "hotline.csv", rows)
    report.head(f"{rows:,} rows × 10 columns, {size / 1e6:.0f} MB of CSV")
    table = load(report, portal, files, rows)
    with portal.web() as web:
        client = Client(portal.port)
        for call in calls(table, rows, floor_of(portal, table, rows)):
            measure(report, web, client, call)
        downloads(report, web, client, table, rows)
        report.figure("memory of web", f"{web.megabytes():.0f} MB peak", "≤ 3,000")
    sizes(report, portal, size)
    print(f"\n{report.missed} calls above their target")


def load(report: Report, portal: Portal, files: Path, rows: int) -> str:
    """From the file to journal, profile, serving copy and indexes, by the worker; the table's id."""
    with portal.worker() as worker:
        time.sleep(3)  # its start is not the load
        source = portal.register("hotline", files)
        before, began = worker.cpu_seconds(), time.monotonic()
        table = portal.load(source)
        spent, took = worker.cpu_seconds() - before, time.monotonic() - began
        target = f"≤ {LOAD_SECONDS * rows / 1e6:g}"
        report.missed += spent > LOAD_SECONDS * rows / 1e6
        report.figure("load, CPU s of the worker", f"{spent:.2f}", target, "[87]")
        report.figure("load, wall s", f"{took:.1f}", "", "[190]")
        report.figure("memory of worker", f"{worker.megabytes():.0f} MB peak", "≤ 3,000")
    return table


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


def sizes(report: Report, portal: Portal, csv: int) -> None:
    """Bytes on disk."""
    for part in ("journal", "serving"):
        size = portal.size(part)
        report.figure(f"size of {part}", f"{size / 1e6:.1f} MB", "", f"{size / csv:.2f} × the CSV")


def visible(table: str) -> int:
    """Rows of the table as a visitor sees them."""
    return tables.show(ANYONE, table).rows


if __name__ == "__main__":
    main()
