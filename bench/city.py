"""A city: departments with a table each, loaded by the worker, asked over HTTP; releases, differences, memory, disk.

    make bench-city DEPARTMENTS=36 ROWS=10000000 FOLDER=/somewhere/large

The tables differ and are generated one at a time; a file is gone once it is loaded. Wall times depend on what else the
machine does, CPU does not so much.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import orjson

from bench.calls import calls, questions
from bench.generated import COLUMNS, batches, changed, upserts, write_csv
from bench.measure import Report, measure, walls
from bench.million import floor_of
from bench.portal import Client, Portal, Running
from catalog.permissions import SCHEDULER
from catalog.services import releases, table_columns

CLIENTS = 8
PAGE_MS = 30.0
SORT_MS = 600.0
DIFFERENCE_SECONDS = 5.0
GROWTH = 1.6
MEMORY_MB = 3_000.0
CHANGED_PART = 1_000
"""One row in so many changes from release to release."""
MOST_RECORDS = 10_000


@dataclass(frozen=True)
class City:
    """What is made."""

    departments: int
    rows: int
    releases: int


@click.command()
@click.option("--departments", default=3, show_default=True)
@click.option("--rows", default=10_000_000, show_default=True, help="Rows of each department.")
@click.option("--releases", default=50, show_default=True, help="Releases of the first table.")
@click.option("--port", default=28766, show_default=True)
@click.option("--folder", default=None, help="Where the data goes (a temporary folder otherwise).")
def main(departments: int, rows: int, releases: int, port: int, folder: str | None) -> None:
    """Generate, load, ask, change, print."""
    city = City(departments, rows, releases)
    with tempfile.TemporaryDirectory(prefix="weft-city-", dir=folder) as made:
        portal = Portal(Path(made), port)
        with portal.prepare().app_context():
            run(portal, city)


def run(portal: Portal, city: City) -> None:
    """All figures."""
    report = Report()
    report.head(f"{city.departments} departments × {city.rows:,} rows × 10 columns")
    report.reference()
    tables = load_all(report, portal, city)
    size = sum(portal.size(part) for part in ("journal", "serving"))
    one = size / city.departments
    with portal.web() as web:
        client = Client(portal.port)
        for call in calls(tables[0], city.rows, floor_of(portal, tables[0], city.rows)):
            # The targets of single calls are those of a million rows; here others count.
            measure(report, web, client, replace(call, target=math.inf))
        over_all(report, client, tables)
        wall_times(report, portal, tables[0], city.rows)
        report.limit("memory of web, MB peak", web.megabytes(), MEMORY_MB)
    change(report, portal, city, tables[0], one)
    report.figure("disk, all tables", f"{size / 1e9:.2f} GB", "", f"{one / 1e9:.2f} GB a table")
    report.reference()
    print(f"\n{report.missed} figures beyond their target")


def load_all(report: Report, portal: Portal, city: City) -> list[str]:
    """A table a department, by one worker; their ids."""
    tables = []
    with portal.worker() as worker:
        worker.settle()
        for department in range(city.departments):
            files = portal.folder / f"department-{department:02d}"
            files.mkdir()
            size = write_csv(files / "hotline.csv", batches(city.rows, department=department))
            before, began = worker.cpu_seconds(), time.monotonic()
            tables.append(portal.load(portal.register(files.name, files)))
            shutil.rmtree(files)
            took = time.monotonic() - began
            report.figure(
                f"load of department {department + 1}, CPU s",
                f"{worker.cpu_seconds() - before:.1f}",
                f"≤ {8 * city.rows / 1e6:g}",
                f"{took:.0f} s wall, {size / 1e6:.0f} MB of CSV",
            )
        report.limit("memory of worker, MB peak", worker.megabytes(), MEMORY_MB)
    return tables


def over_all(report: Report, client: Client, tables: Sequence[str]) -> None:
    """A count and a group-by over all departments, in one statement of SQL."""
    parts = " UNION ALL ".join(f'SELECT "类别", "金额" FROM "{table}"' for table in tables)
    asked = {
        "count over all departments": f"SELECT count(*) AS n FROM ({parts}) WHERE \"类别\" = '交通'",
        "group-by over all departments": (
            f'SELECT "类别", count(*) AS n, avg("金额") AS mean FROM ({parts}) GROUP BY 1 ORDER BY 1'
        ),
    }
    for name, sql in asked.items():
        began = time.monotonic()
        status, answer = client.try_("/api/v1/sql", {"sql": sql})
        took = time.monotonic() - began
        if status != 200:
            report.figure(name, "refused", "", str(orjson.loads(answer).get("detail", ""))[:80])
            continue
        report.figure(f"{name}, s wall", f"{took:.2f}")


def wall_times(report: Report, portal: Portal, table: str, rows: int) -> None:
    """Wall times with eight clients for pages, with one for a filter with a sort."""
    named = {call.name: call for call in calls(table, rows, None)}
    pages = questions(named["page of 100 anywhere"])
    middle, high = walls(portal.port, pages, CLIENTS)
    report.limit("page of 100, p95 ms wall, 8 clients", high, PAGE_MS, f"median {middle:.1f}")
    asked = [
        path.replace("件数 >= ", "件数 > ")
        for path in questions(named["filter + sort + exact total"])
    ]
    middle, high = walls(portal.port, asked, 1)
    report.limit("filter + sort + total, median ms wall", middle, SORT_MS, f"p95 {high:.0f}")


def change(report: Report, portal: Portal, city: City, table: str, one: float) -> None:
    """A file with one row in a thousand changed, then upserts of as many: size, and differences of two releases."""
    before = sum(portal.size(part) for part in ("journal", "serving"))
    with portal.worker() as worker:
        worker.settle()
        reload_changed(report, portal, worker, city)
        took = timed_changes(table)
        report.limit("differences of two releases, s wall", took, DIFFERENCE_SECONDS)
        report.limit("memory of worker with changes, MB peak", worker.megabytes(), MEMORY_MB)
    table_columns.set_key(SCHEDULER, table, [COLUMNS[0]])
    with portal.web() as web:
        client, key = Client(portal.port), {"Authorization": portal.key()}
        count = max(1, city.rows // CHANGED_PART)
        spent = web.cpu_seconds()
        for release in range(3, city.releases + 1):
            for start in range(0, count, MOST_RECORDS):
                records = upserts(city.rows, min(MOST_RECORDS, count - start), seed=release)
                client.ask(
                    f"/api/v1/tables/{table}/rows", {"method": "upsert", "records": records}, key
                )
        written = max(1, city.releases - 2)
        report.figure(
            f"upsert of {count:,} rows, CPU s", f"{(web.cpu_seconds() - spent) / written:.2f}"
        )
        after_changes(report, web, client, table, city.rows)
        report.limit("memory of web with upserts, MB peak", web.megabytes(), MEMORY_MB)
    grown = sum(portal.size(part) for part in ("journal", "serving")) - before
    report.limit(
        f"{city.releases} releases, size ÷ size of one",
        (one + grown) / one,
        GROWTH,
        f"{(one + grown) / 1e9:.2f} GB",
    )


def after_changes(report: Report, web: Running, client: Client, table: str, rows: int) -> None:
    """Pages of the newest release, whose rows lie scattered now, and of the first, which only the journal has."""
    for name, more, count in (("newest", "", 100), ("first", "&as_of=1", 10)):
        before = web.cpu_seconds()
        for at in range(count):
            offset = at * 617_579 % (rows - 100)
            client.ask(f"/api/v1/tables/{table}/rows?limit=100&offset={offset}{more}")
        spent = (web.cpu_seconds() - before) / count * 1000
        report.figure(f"page of 100 of the {name} release, CPU ms", f"{spent:.2f}")


def reload_changed(report: Report, portal: Portal, worker: Running, city: City) -> None:
    """The whole file again with few rows changed: compared with the release before, kept as a delta."""
    files = portal.folder / "department-00"
    files.mkdir()
    write_csv(files / "hotline.csv", changed(batches(city.rows), release=2, every=CHANGED_PART))
    before, began = worker.cpu_seconds(), time.monotonic()
    portal.load(portal.register(files.name, files))
    shutil.rmtree(files)
    report.figure(
        "load of a file with 0.1 % changed, CPU s",
        f"{worker.cpu_seconds() - before:.1f}",
        "",
        f"{time.monotonic() - began:.0f} s wall",
    )


def timed_changes(table: str) -> float:
    """Wall seconds for the tally and the first page of what changed between the first two releases."""
    began = time.monotonic()
    page = releases.changes(SCHEDULER, table, "1", "2")
    took = time.monotonic() - began
    if not page.rows:
        raise SystemExit("the two releases do not differ")
    return took


if __name__ == "__main__":
    main()
