"""`make bench`: CPU of the whole web process per operation, memory of each process, sizes on disk.

The demo is harvested into a temporary folder, described datasets are added until the catalogue has 2,000 of them, and a
real web process is asked over HTTP by one client, one request after the other. CPU is what the kernel has counted
for the process tree (user + system, children and threads included) divided by the number of requests. Wall time is noise on
shared machines and only printed for the first start. `--clone` also clones the repository and times `make demo` there.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import click

from bench.catalogues import drafts
from catalog.permissions import SCHEDULER
from catalog.schemas.drafts import Origin
from catalog.services import datasets, organizations, search
from catalog.settings import Settings
from wsgi import create_app

ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
CATALOGUE = 2_000
TARGET_SECONDS = 1.5
"""CPU seconds that one measurement should add up to: the kernel counts in steps of 10 ms."""


@dataclass(frozen=True)
class Operation:
    """A request to measure; `target` is in CPU milliseconds (0: none)."""

    name: str
    path: Callable[[int], str]
    target: float = 0.0
    per_megabyte: bool = False


@click.command()
@click.option("--port", default=8765, show_default=True)
@click.option("--clone", is_flag=True, help="Also time `make demo` in a fresh clone (minutes).")
@click.option(
    "--rounds",
    default=3,
    show_default=True,
    help="Measurements of each operation; the median is printed.",
)
def main(port: int, *, clone: bool, rounds: int) -> None:
    """Measure, print a table."""
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        if clone:
            _time_first_page(Path(folder) / "clone", port)
        data = Path(folder) / "data"
        _harvest_demo(data, port)
        table, rows = _fill(data)
        with _web(data, port) as pid:
            _measure_all(pid, port, _operations(table, rows), rounds)
        _print_sizes(data)


def _time_first_page(folder: Path, port: int) -> None:
    began = time.monotonic()
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    process = subprocess.Popen(
        ["make", "demo", f"PORT={port}"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    first = _wait_for(port, "/en/", 1800) - began
    print(f"clone to first page              {first:8.1f} s (wall)")
    _wait_for_ready(process, port)
    print(f"clone to all departments         {time.monotonic() - began:8.1f} s (wall)")
    os.killpg(process.pid, signal.SIGINT)
    process.wait(60)
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "demo", f"PORT={port}"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    print(f"second make demo to first page   {_wait_for(port, '/en/', 600) - began:8.1f} s (wall)")
    os.killpg(process.pid, signal.SIGINT)
    process.wait(60)


def _wait_for(port: int, path: str, seconds: float) -> float:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return time.monotonic()
        except OSError:
            time.sleep(0.1)
    sys.exit("the portal did not answer")


def _wait_for_ready(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        if "weft_jobs_waiting 0.0" in text:
            return
        time.sleep(0.5)


def _harvest_demo(data: Path, port: int) -> None:
    command = [
        sys.executable,
        "-m",
        "demo.start",
        "--port",
        str(port),
        "--data",
        str(data),
        "--exit-when-ready",
    ]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _settings(data: Path) -> Settings:
    return Settings(
        data_dir=str(data),
        limit_anonymous="100000000/minute",
        limit_basic="100000000/minute",
        log_level="WARNING",
    ).resolved()


def _fill(data: Path) -> tuple[str, int]:
    """Add described datasets until there are CATALOGUE; returns the id and rows of the longest table."""
    app = create_app(replace(_settings(data), queue_url=f"sqlite:{data / 'unused.sqlite'}"))
    with app.app_context():
        organizations.put(SCHEDULER, "bench", title={"zh": "基准测试", "en": "Benchmark"})
        have = search.find(SCHEDULER, search.SearchQuery(limit=1)).total
        for at, draft in zip(range(CATALOGUE - have), drafts("bench"), strict=False):
            datasets.put(SCHEDULER, draft, origin=Origin("bench", str(at)))
        search.reindex(SCHEDULER)
        longest = max(datasets.tables(SCHEDULER), key=lambda table: table.rows)
        return longest.id, longest.rows


def _operations(table: str, rows: int) -> list[Operation]:
    api = f"/api/v1/tables/{table}"
    words = ["air", "population", "空气", "data health", "行政区划", "water", "city budget", "人口"]

    def word(at: int) -> str:
        return quote(words[at % len(words)])

    return [
        Operation("search page, facets (HTML)", lambda at: f"/en/datasets?q={word(at)}", 5),
        Operation("search, facets (API)", lambda at: f"/api/v1/datasets?q={word(at)}", 5),
        Operation("home page", lambda at: "/zh/"),  # noqa: ARG005 # all operations have one signature
        Operation("dataset page", lambda at: "/zh/datasets/air-quality-hourly", 10),  # noqa: ARG005 # all operations have one signature
        Operation(
            "100 rows, next pages", lambda at: f"{api}/rows?limit=100&offset={at % 900 * 100}", 3
        ),
        Operation(
            "100 rows, anywhere",
            lambda at: f"{api}/rows?limit=100&offset={at * 7919 % (rows - 100)}",
            3,
        ),
        Operation(
            "100 rows, pages at the end",
            lambda at: f"{api}/rows?limit=100&offset={rows - 20_000 + at % 199 * 100}",
            3,
        ),
        Operation(
            "table page, 100 rows (HTML)", lambda at: f"/zh/tables/{table}?page={1 + at % 500}"
        ),
        Operation("filtered page", lambda at: f"{api}/rows?where=No%3E{at * 100}&limit=100"),
        Operation("sorted page", lambda at: f"{api}/rows?order_by=-No&limit=100&offset={at % 500}"),
        Operation("count with a filter", lambda at: f"{api}/count?where=No%3E{at * 100}"),
        Operation(
            "group-by",
            lambda at: f"{api}/group?group_by=station&measures=avg(TEMP)&where=No%3E{at}",
        ),
        Operation("export CSV", lambda at: f"{api}/download.csv", per_megabyte=True),  # noqa: ARG005 # all operations have one signature
        Operation("export JSON lines", lambda at: f"{api}/download.jsonl", per_megabyte=True),  # noqa: ARG005 # all operations have one signature
        Operation("export Parquet", lambda at: f"{api}/download.parquet", per_megabyte=True),  # noqa: ARG005 # all operations have one signature
        Operation("export XLSX", lambda at: f"{api}/download.xlsx", per_megabyte=True),  # noqa: ARG005 # all operations have one signature
    ]


@contextmanager
def _web(data: Path, port: int) -> Iterator[int]:
    settings = _settings(data)
    environment = {
        **os.environ,
        "WEFT_DATA_DIR": settings.data_dir,
        "WEFT_LIMIT_ANONYMOUS": settings.limit_anonymous,
        "WEFT_LOG_LEVEL": "WARNING",
    }
    commands = (["wsgi.py", "web", "--port", str(port)], ["wsgi.py", "worker"])
    processes = [
        subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment)
        for command in commands
    ]
    try:
        _wait_for(port, "/en/", 60)
        time.sleep(5)
        _print_memory("at rest", processes)
        yield processes[0].pid
        _print_memory("after the load", processes)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(descendant for child in children for descendant in _tree(int(child)))]


def _cpu_seconds(pid: int) -> float:
    ticks = 0
    for member in _tree(pid):
        stat = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(stat[11]) + int(stat[12])
    return ticks / TICKS


def _megabytes(pid: int) -> float:
    """Resident memory of a process, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6


def _print_memory(when: str, processes: list[subprocess.Popen[bytes]]) -> None:
    for name, process in zip(("web", "worker"), processes, strict=True):
        members = [f"{_megabytes(member):.0f}" for member in _tree(process.pid)]
        print(
            f"memory of {name:<8} {when:<14} {' + '.join(members):>12} MB resident (parent + children)"
        )


def _ask(connection: http.client.HTTPConnection, path: str) -> int:
    connection.request("GET", path)
    response = connection.getresponse()
    size = 0
    while chunk := response.read(1 << 20):
        size += len(chunk)
    if response.status != 200:
        sys.exit(f"{path} answered {response.status}")
    return size


def _measure_all(pid: int, port: int, operations: list[Operation], rounds: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    print(f"\n{'operation':<32} {'CPU ms':>9} {'target':>7}   answers of")
    for operation in operations:
        _print_operation(pid, connection, operation, rounds)


def _print_operation(
    pid: int, connection: http.client.HTTPConnection, operation: Operation, rounds: int
) -> None:
    size = 0
    for at in range(1 if operation.per_megabyte else 40):
        size = _ask(connection, operation.path(at))
    before = _cpu_seconds(pid)
    for at in range(1 if operation.per_megabyte else 20):
        _ask(connection, operation.path(at))
    once = max((_cpu_seconds(pid) - before) / (1 if operation.per_megabyte else 20), 0.0005)
    count = max(1, min(2000, int(TARGET_SECONDS / once)))
    found = []
    for _ in range(rounds):
        before = _cpu_seconds(pid)
        for at in range(count):
            _ask(connection, operation.path(at))
        found.append((_cpu_seconds(pid) - before) / count * 1000)
    median = sorted(found)[len(found) // 2]
    if operation.per_megabyte:
        print(
            f"{operation.name:<32} {median / (size / 1e6):9.2f} {'':>7}   per MB, {size / 1e6:.1f} MB"
        )
        return
    target = f"≤ {operation.target:g}" if operation.target else ""
    print(f"{operation.name:<32} {median:9.2f} {target:>7}   {size / 1e3:.1f} kB, {count} requests")


def _print_sizes(data: Path) -> None:
    print()
    for part in sorted(data.iterdir()):
        files = [part] if part.is_file() else [file for file in part.rglob("*") if file.is_file()]
        print(f"size of {part.name:<20} {sum(file.stat().st_size for file in files) / 1e6:8.2f} MB")
    print(f"free disk                    {shutil.disk_usage(data).free / 1e9:8.1f} GB")


if __name__ == "__main__":
    main()
