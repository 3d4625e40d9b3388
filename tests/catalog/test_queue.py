"""The queue with a real worker process: what is put is run, what fails is tried again, what is refused is not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from catalog.engines import open_queue
from catalog.errors import Unavailable
from catalog.queue import REGISTRY, ImmediateQueue, JobQueue, job

WORKER = """
import sys
from pathlib import Path
from flask import Flask
import catalog.queue.huey_queue as huey_queue
from catalog.engines import open_queue
from catalog.errors import Conflict, Unavailable
from catalog.queue import job

huey_queue.RETRY_DELAY_SECONDS = 0
notes = Path(sys.argv[2])

def note(text):
    with notes.open("a") as file:
        file.write(text + "\\n")

@job()
def write(text): note(text)

@job(retries=2)
def busy():
    note("busy")
    raise Unavailable("not now")

@job(retries=2)
def refused():
    note("refused")
    raise Conflict("never")

@job(every_minutes=60)
def by_the_clock(): note("clock")

app = Flask("worker")
with app.app_context():
    open_queue(app, sys.argv[1]).work(2)
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture(params=["sqlite", "redis", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param != "sqlite":
        return str(request.getfixturevalue(request.param))
    return f"sqlite:{tmp_path / 'queue.sqlite'}"


@pytest.fixture
def queue(address: str) -> Iterator[JobQueue]:
    opened = open_queue(Flask("asker"), address)
    yield opened
    if hasattr(opened.huey.storage, "close"):
        opened.huey.storage.close()


@pytest.fixture
def worker(address: str, notes: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", WORKER, address, str(notes)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def eventually(check: Callable[[], bool]) -> bool:
    for _ in range(200):
        if check():
            return True
        time.sleep(0.1)
    return False


def lines(notes: Path) -> list[str]:
    return notes.read_text().split() if notes.exists() else []


def test_jobs_run_in_the_worker_and_it_ends_when_told(queue: JobQueue, worker, notes: Path):
    for number in range(20):
        queue.put("__main__.write", (str(number),), retries=0)
    assert eventually(lambda: len(set(lines(notes)) - {"clock"}) == 20)
    assert "clock" in lines(notes)  # a periodic job also runs when the worker starts
    assert queue.waiting() == 0
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(40) == 0


def test_unavailable_is_tried_again_and_a_refusal_is_not(queue: JobQueue, worker, notes: Path):
    queue.put("__main__.busy", (), retries=2)
    queue.put("__main__.refused", (), retries=2)
    assert eventually(lambda: lines(notes).count("busy") == 3)
    queue.put("__main__.write", ("end",), retries=0)
    assert eventually(lambda: "end" in lines(notes))
    assert lines(notes).count("refused") == 1


def test_what_was_put_waits_for_a_worker(queue: JobQueue):
    queue.put("__main__.write", ("1",), retries=0)
    assert queue.waiting() == 1


def test_an_immediate_job_raises_what_it_raises():
    @job()
    def failing() -> None:
        raise Unavailable("now")

    try:
        with pytest.raises(Unavailable):
            ImmediateQueue().put(failing.name, (), retries=3)
        with pytest.raises(Unavailable):
            failing()
    finally:
        del REGISTRY[failing.name]
    assert ImmediateQueue().waiting() == 0
    ImmediateQueue().work(1)
