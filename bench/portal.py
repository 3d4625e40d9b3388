"""A portal in a folder of its own with a real worker and a real web process, and what the kernel counted for them."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from flask import Flask
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.account import Role
from catalog.models.dataset import Dataset, Resource
from catalog.models.table import DataTable
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.queue import job_queue
from catalog.schemas.account import KeyDraft, RegisterDraft
from catalog.services import accounts, keys, organizations
from catalog.settings import Settings
from harvesters import services
from harvesters.models import Schedule
from wsgi import create_app, upgrade_database

ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
IDLE_SECONDS = 0.05
"""CPU that a worker takes in a second when it only looks for jobs."""
PLENTY = "100000000/minute;100000000/day"
"""Limits so high that none is reached."""


@dataclass(frozen=True)
class Running:
    """A process and all that it started."""

    pid: int

    def cpu_seconds(self) -> float:
        """User and system time so far, also of children that have ended."""
        ticks = 0
        for member in family(self.pid):
            stat = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, stat[11:15]))
        return ticks / TICKS

    def settle(self) -> None:
        """Return when the process has nothing to do: it has started, or is done."""
        before = -1.0
        while (now := self.cpu_seconds()) - before > IDLE_SECONDS:
            before = now
            time.sleep(1)

    def megabytes(self, what: str = "VmHWM") -> float:
        """Resident memory of all together: the peak of each, or what they take now (`VmRSS`)."""
        total = 0
        for member in family(self.pid):
            for line in Path(f"/proc/{member}/status").read_text().splitlines():
                if line.startswith(f"{what}:"):
                    total += int(line.split()[1])
        return total / 1000


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in family(int(child)))]


class Portal:
    """Everything below one folder; the bench's own process only asks and looks."""

    def __init__(self, folder: Path, port: int, **more: str) -> None:
        self.folder, self.port = folder, port
        self.settings = Settings(
            data_dir=str(folder / "data"),
            fetch_folders=str(folder),
            limit_anonymous=PLENTY,
            limit_basic=PLENTY,
            max_fetch_bytes=100_000_000_000,
            log_level="WARNING",
            **more,
        ).resolved()

    def app(self) -> Flask:
        """An application for asking services."""
        return create_app(self.settings)

    def prepare(self) -> Flask:
        """The schema and an organization; gives the application for asking services."""
        upgrade_database(self.settings)
        app = create_app(self.settings)
        with app.app_context():
            organizations.put(SCHEDULER, "bench", title={"zh": "基准测试局", "en": "Benchmark"})
        return app

    @contextmanager
    def worker(self) -> Iterator[Running]:
        """The worker process; it loads what was asked for."""
        with self._process("wsgi.py", "worker") as running:
            yield running

    @contextmanager
    def web(self) -> Iterator[Running]:
        """The web process, answering."""
        with self._process("wsgi.py", "web", "--port", str(self.port)) as running:
            self._wait_for_answer()
            yield running

    def register(self, slug: str, files: Path) -> str:
        """A source of the files in a folder, one dataset a file; its id."""
        draft = services.SourceDraft(
            slug, {"zh": f"部门 {slug}"}, "files", str(files), "bench",
            options={"language": "zh"}, schedule=Schedule.MANUAL,
        )  # fmt: skip
        return services.register(SCHEDULER, draft).id

    def load(self, source: str) -> str:
        """Harvest the source by the worker that runs; the id of the newest table, when it is served."""
        run = services.run_now(SCHEDULER, source).id
        while True:
            time.sleep(0.2)
            state = services.progress(SCHEDULER, [run])
            if state.ended and state.loaded >= state.to_load and not job_queue().waiting():
                table = self._newest(source)
                if table is not None and table.served == table.head:
                    return table.id

    def _newest(self, source: str) -> DataTable | None:
        db.session.rollback()  # so that what other processes wrote is seen
        return db.session.scalar(
            select(DataTable)
            .join(Resource)
            .join(Dataset)
            .where(Dataset.source_id == source)
            .order_by(DataTable.loaded_at.desc())
            .execution_options(populate_existing=True)
        )

    def key(self) -> str:
        """Authorization of an administrator's API key."""
        account = accounts.register(
            ANYONE, RegisterDraft("bench@example.org", "Bench", "correct horse battery"), address=""
        )
        with transaction():
            account.role = Role.ADMINISTRATOR
        return f"Bearer {keys.create(Identity.of(account), KeyDraft('bench')).secret}"

    def size(self, name: str) -> int:
        """Bytes on disk below a part of the tables' folder."""
        home = Path(self.settings.tables_url.partition(":")[2]) / name
        return sum(file.stat().st_blocks * 512 for file in home.rglob("*") if file.is_file())

    @contextmanager
    def _process(self, *command: str) -> Iterator[Running]:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=self._environment())
        try:
            yield Running(process.pid)
        finally:
            process.terminate()
            process.wait(60)

    def _environment(self) -> dict[str, str]:
        default = Settings()
        given = vars(self.settings)
        own = {
            f"WEFT_{name.upper()}": str(value)
            for name, value in given.items()
            if value != getattr(default, name)
        }
        return {**os.environ, **own}

    def _wait_for_answer(self) -> None:
        for _ in range(600):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request("GET", "/api/v1/organizations")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
        sys.exit("the portal did not answer")


class Client:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def ask(self, path: str, body: object = None, headers: dict[str, str] | None = None) -> bytes:
        """The whole answer; ends the benchmark when it is an error."""
        status, answer = self.try_(path, body, headers)
        if status not in (200, 206):
            sys.exit(f"{path} answered {status}: {answer[:500]!r}")
        return answer

    def try_(
        self, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and answer; the server may have closed a connection that was not used for a while."""
        try:
            return self._ask(path, body, headers or {})
        except (http.client.RemoteDisconnected, ConnectionError):
            self._connection.close()
            return self._ask(path, body, headers or {})

    def _ask(self, path: str, body: object, headers: dict[str, str]) -> tuple[int, bytes]:
        if body is None:
            self._connection.request("GET", path, headers=headers)
        else:
            sent = {**headers, "Content-Type": "application/json"}
            self._connection.request("POST", path, body=orjson.dumps(body), headers=sent)
        response = self._connection.getresponse()
        return response.status, response.read()

    def drain(self, path: str) -> int:
        """Read the answer in pieces; the number of its bytes."""
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        if response.status != 200:
            sys.exit(f"{path} answered {response.status}: {response.read()[:500]!r}")
        size, piece = 0, memoryview(bytearray(1 << 20))
        while count := response.readinto(piece):
            size += count
        return size
