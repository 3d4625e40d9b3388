"""CPU of the API per call: a real granian process, real tables, what the kernel counted for the process tree.

    python -m bench.api [--calls 1000]

A portal is made in a temporary folder with the hourly air quality of twelve stations (140,256 rows), served by
`wsgi.py web`, and asked by one client over one connection. Times are user + system CPU of the web process and its
children, divided by the number of calls; the client's own CPU is not in them.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import select

from catalog.db import db
from catalog.models.dataset import Resource
from catalog.models.table import DataTable
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.schemas.account import KeyDraft, RegisterDraft
from catalog.schemas.dataset import dataset_draft
from catalog.services import accounts, datasets, keys, organizations, tables
from catalog.settings import Settings
from catalog.tabular.reading import ReadOptions, read_files
from wsgi import create_app

ROOT = Path(__file__).parent.parent
AIR = ROOT / "demo" / "ecology-environment-air"
PORT = 8767
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Made:
    """What the portal holds."""

    table: str
    secret: str


@dataclass(frozen=True)
class Call:
    """A call to measure, with a limit in CPU milliseconds."""

    name: str
    path: str
    limit: float
    headers: tuple[tuple[str, str], ...] = ()


def settings_in(folder: Path, **more: str) -> Settings:
    """Limits so high that none is reached."""
    return Settings(
        data_dir=str(folder),
        limit_anonymous="100000000/minute;100000000/day",
        limit_basic="100000000/minute;100000000/day",
        log_level="WARNING",
        **more,
    ).resolved()


def make_portal(folder: Path) -> Made:
    """A dataset with the table of all stations, and a key."""
    app = create_app(settings_in(folder, queue_url="immediate:"))
    with app.app_context():
        db.create_all()
        organizations.put(SCHEDULER, "ecology", title={"zh": "生态环境局", "en": "Ecology"})
        described = {
            "title": {"zh": "逐小时空气质量", "en": "Hourly air quality"},
            "organization": "ecology",
            "resources": [{"key": "air", "format": "CSV", "load": {"part": "air"}}],
        }
        made = datasets.put(SCHEDULER, dataset_draft(described))
        resource = db.session.scalars(
            select(Resource.id).filter_by(dataset_id=made.dataset_id)
        ).one()
        paths = sorted(AIR.rglob("*.csv.gz"))
        read = read_files(paths, ReadOptions(one_table=True), folder / "read")
        tables.load(SCHEDULER, resource, read, reason="bench")
        table = db.session.scalars(select(DataTable).filter_by(resource_id=resource)).one()
        print(f"{table.rows:,} rows, {len(paths)} files")
        account = accounts.register(
            ANYONE, RegisterDraft("bench@example.org", "Bench", "correct horse battery"), address=""
        )
        secret = keys.create(Identity.of(account), KeyDraft("bench")).secret
        return Made(table.id, secret)


@contextmanager
def web(folder: Path) -> Iterator[int]:
    """The web process on that folder; gives its process id."""
    given = settings_in(folder)
    environment = {
        f"WEFT_{field.name.upper()}": str(getattr(given, field.name))
        for field in fields(given)
        if field.name in ("data_dir", "limit_anonymous", "limit_basic", "log_level")
    }
    command = [sys.executable, "wsgi.py", "web", "--port", str(PORT)]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}
    )  # the child's environment
    try:
        wait_for_answer()
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def wait_for_answer() -> None:
    """Return when the portal answers."""
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
            connection.request("GET", "/api/v1/organizations")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    sys.exit("the portal did not answer")


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in family(int(child)))]


def cpu_seconds(pid: int) -> float:
    """User and system time of the family so far."""
    ticks = 0
    for member in family(pid):
        stat = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(stat[11]) + int(stat[12])
    return ticks / TICKS


def ask(connection: http.client.HTTPConnection, call: Call) -> int:
    """Call once; the number of bytes of the body."""
    connection.request("GET", call.path, headers=dict(call.headers))
    response = connection.getresponse()
    body = response.read()
    if response.status not in (200, 304) and "nothing" not in call.path:
        sys.exit(f"{call.path} answered {response.status}: {body[:500]!r}")
    return len(body)


def measure(pid: int, call: Call, calls: int) -> None:
    """Print the median of three measurements."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=300)
    for _ in range(50):
        size = ask(connection, call)
    found = []
    for _ in range(3):
        before = cpu_seconds(pid)
        for _ in range(calls):
            ask(connection, call)
        found.append((cpu_seconds(pid) - before) / calls * 1000)
    took = statistics.median(found)
    print(
        f"{call.name:<38} {took:7.2f} ms {'≤ ' + str(call.limit) if call.limit else '':>7} {size:>9,} B"
    )


def calls_of(made: Made) -> list[Call]:
    """What is measured."""
    path = f"/api/v1/tables/{made.table}"
    key = (("Authorization", f"Bearer {made.secret}"),)
    where = quote("station = 'Dongsi' AND \"PM2.5\" > 300")
    return [
        Call("nothing (404), with limits", "/api/v1/nothing", 0),
        Call("organizations", "/api/v1/organizations", 0),
        Call("organizations, with a key", "/api/v1/organizations", 0, key),
        Call("search with facets", "/api/v1/datasets?q=air", 5),
        Call("dataset", "/api/v1/datasets/hourly-air-quality", 10),
        Call("100 rows at the start", f"{path}/rows", 3),
        Call("100 rows at 140,000", f"{path}/rows?offset=140000", 3),
        Call("100 rows, with a key", f"{path}/rows?offset=70000", 3, key),
        Call("100 rows as arrays", f"{path}/rows?offset=70000&format=arrays", 3),
        Call("5 rows of 2 columns", f"{path}/rows?offset=70000&limit=5&select=No,station", 0),
        Call("10,000 rows as arrays", f"{path}/rows?limit=10000&format=arrays", 0),
        Call("100 rows with a condition", f"{path}/rows?where={where}", 0),
        Call("count", f"{path}/count", 0),
        Call("group by station", f"{path}/group?group_by=station&measures=avg(TEMP)", 0),
    ]


def main() -> None:
    """Make, serve, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    calls = parser.parse_args().calls
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        made = make_portal(Path(folder))
        with web(Path(folder)) as pid:
            for call in calls_of(made):
                measure(
                    pid,
                    call,
                    max(20, calls // (20 if "10,000" in call.name or "group" in call.name else 1)),
                )


if __name__ == "__main__":
    main()
