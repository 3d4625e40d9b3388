"""Three machines share a database and a bucket: two serve pages and API while the worker of the third loads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from catalog.db import db
from catalog.models.table import DataTable
from catalog.permissions import SCHEDULER
from catalog.settings import Settings
from harvesters import services
from harvesters.plan import register
from tests.functional.conftest import ROOT, free_port
from tests.make_s3 import S3Server
from wsgi import create_app

ROWS = 3_000
GENERATIONS = 8
PLAN = """
organizations:
  - {{slug: bureau, title: {{en: Bureau}}}}
sources:
  - slug: counts
    kind: files
    url: "{folder}"
    organization: bureau
    title: {{en: Counts}}
"""


def generation(number: int) -> list[dict[str, int]]:
    """The rows of a generation: each second one changes them all, the others a few; their number changes too."""
    whole, few = number - number % 2, number
    return [
        {"n": at, "whole": whole, "few": few if at % 500 == 0 else 0} for at in range(ROWS + number)
    ]


def write(folder: Path, number: int) -> None:
    """Put a generation where the department offers it, at once."""
    lines = ["n,whole,few", *(f"{r['n']},{r['whole']},{r['few']}" for r in generation(number))]
    beside = folder / ".beside"
    beside.write_text("\n".join(lines) + "\n")
    beside.rename(folder / "counts.csv")


class Machine:
    """A folder of its own, the settings that all machines share, and the processes that run on it."""

    def __init__(self, folder: Path, shared: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self.environment = {
            **os.environ,
            **shared,
            "WEFT_DATA_DIR": str(folder),
        }  # hands the environment on
        self.log = log

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process of this machine, ended by SIGTERM."""
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                (sys.executable, "wsgi.py", *command),
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(60)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def get(self, path: str) -> Any:
        """The JSON at a path of this machine's API."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return orjson.loads(answer.read())

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(600):
            try:
                self.get("/readyz")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(self.log.read_text()[-4000:])


class Reader(threading.Thread):
    """Asks a machine for pages and groups until it is told to stop; keeps every answer that is not one release."""

    def __init__(self, machine: Machine, table: str) -> None:
        super().__init__(daemon=True)
        self.machine, self.table = machine, table
        self.stop = threading.Event()
        self.wrong: list[object] = []
        self.releases: Counter[int] = Counter()

    def run(self) -> None:
        """Ask again and again, at other places of the table."""
        asked = 0
        while not self.stop.is_set():
            asked += 1
            try:
                self._page(offset=asked * 700 % ROWS)
                self._filtered()
                self._group()
            except (AssertionError, OSError, KeyError) as error:
                self.wrong.append(repr(error))

    def _page(self, offset: int) -> None:
        said = self.machine.get(
            f"/api/v1/tables/{self.table}/rows?limit=100&offset={offset}&order_by=n&count=true"
        )
        expected = generation(said["release"])
        self._is(said["total"], len(expected), said["release"])
        self._is(said["rows"], expected[offset : offset + 100], said["release"])
        self.releases[said["release"]] += 1

    def _filtered(self) -> None:
        said = self.machine.get(f"/api/v1/tables/{self.table}/rows?where=few%3E0&count=true")
        expected = [row for row in generation(said["release"]) if row["few"] > 0]
        self._is(said["total"], len(expected), said["release"])
        self._is(said["rows"], expected, said["release"])

    def _group(self) -> None:
        said = self.machine.get(f"/api/v1/tables/{self.table}/group?group_by=whole")
        rows = generation(said["release"])
        found = [tuple(row.values()) for row in said["rows"]]
        self._is(found, [(rows[0]["whole"], len(rows))], said["release"])

    def _is(self, found: object, expected: object, release: int) -> None:
        if found != expected:
            self.wrong.append({"release": release, "found": found, "expected": expected})


@pytest.fixture
def shared(tmp_path: Path, s3: S3Server, postgres: str) -> dict[str, str]:
    """The settings that all machines have."""
    bucket = s3.make_bucket()
    return {
        **s3.environment(),
        "WEFT_DATABASE_URL": postgres,
        "WEFT_QUEUE_URL": postgres,
        "WEFT_TABLES_URL": f"s3://{bucket}/weft",
        "WEFT_FILES_URL": f"s3://{bucket}/weft/files",
        "WEFT_SEARCH_URL": f"tantivy:{tmp_path / 'search'}",
        "WEFT_SECRET_KEY": "the same on all machines",
        "WEFT_FETCH_FOLDERS": str(tmp_path / "department"),
        "WEFT_LIMIT_ANONYMOUS": "1000000/minute",
        "WEFT_LOG_LEVEL": "WARNING",
    }


def settings_of(machine: Machine) -> Settings:
    named = {k: v for k, v in machine.environment.items() if k.startswith("WEFT_")}
    return Settings.from_env(named)


def head() -> tuple[str, int]:
    """The table and its newest release; nothing and 0 while nothing was loaded."""
    db.session.rollback()
    found = db.session.execute(select(DataTable.id, DataTable.release)).first()
    return (found.id, found.release) if found else ("", 0)


def copies_of(folder: Path) -> list[Path]:
    """The serving copies of a machine."""
    return list(folder.glob("tables/serving/*/*.lance"))


def eventually(check: Callable[[], object]) -> bool:
    for _ in range(900):
        if check():
            return True
        time.sleep(0.1)
    return False


def load(number: int, folder: Path, log: Path) -> str:
    """Offer a generation, have the worker harvest it, and wait for its release; the table's id."""
    write(folder, number)
    services.run_now(SCHEDULER, services.source(SCHEDULER, "counts").id)
    for at in range(900):
        table, release = head()
        if release >= number:
            return table
        if at % 100 == 99:  # the run before may not have ended when this one was asked for
            services.run_now(SCHEDULER, services.source(SCHEDULER, "counts").id)
        time.sleep(0.1)
    raise AssertionError(f"release {number} did not come: {log.read_text()[-4000:]}")


def test_two_machines_read_whole_releases_while_a_third_loads_them(
    tmp_path: Path, shared: dict[str, str]
):
    department = tmp_path / "department"
    department.mkdir()
    log = tmp_path / "log"
    first, second, third, desk = (
        Machine(tmp_path / name, shared, log) for name in ("first", "second", "third", "desk")
    )
    with desk.running("migrate") as migrating:
        assert migrating.wait(120) == 0, log.read_text()
    app = create_app(settings_of(desk))
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN.format(folder=department))
    with app.app_context(), ExitStack() as stack:
        stack.callback(db.engine.dispose)
        stack.callback(db.session.remove)
        stack.callback(app.extensions["weft"]["queue"].huey.storage.close)
        write(department, 1)
        register(SCHEDULER, plan)
        stack.enter_context(third.running("worker"))
        stack.enter_context(first.running("web", "--port", str(first.port)))
        stack.enter_context(first.running("copies"))
        stack.enter_context(second.running("web", "--port", str(second.port)))
        table = load(1, department, log)
        first.wait()
        second.wait()
        readers = [Reader(machine, table) for machine in (first, second)]
        for reader in readers:
            reader.start()
        for number in range(2, GENERATIONS):
            load(number, department, log)
            if number == 4:  # until now, the second machine has answered from the journal
                assert copies_of(tmp_path / "second") == []
                stack.enter_context(second.running("copies"))
        assert eventually(lambda: copies_of(tmp_path / "first") and copies_of(tmp_path / "second"))
        time.sleep(1)
        for reader in readers:
            reader.stop.set()
            reader.join(60)
        for reader in readers:
            assert reader.wrong == []
            assert len(reader.releases) > 2, reader.releases
            assert max(reader.releases) == GENERATIONS - 1
    for name in ("first", "second"):  # each machine has its own folder, and the truth is in none
        assert not (tmp_path / name / "tables" / "journal").exists()
