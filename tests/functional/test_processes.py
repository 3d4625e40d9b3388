"""Several web processes behind one address count calls together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.functional.conftest import ROOT, free_port
from tests.make_middle import Middle

LIMIT = 60


@pytest.fixture
def address(tmp_path: Path, middle: Middle) -> Iterator[str]:
    """The address of two web processes of the middle size."""
    port = free_port()
    environment = {
        **os.environ,  # hands the environment on
        **middle.environment(),
        "WEFT_DATA_DIR": str(tmp_path / "var"),
        "WEFT_WEB_PROCESSES": "2",
        "WEFT_LIMIT_ANONYMOUS": f"{LIMIT}/hour",
        "WEFT_LOG_LEVEL": "WARNING",
    }
    command = (sys.executable, "wsgi.py")
    subprocess.run((*command, "migrate"), cwd=ROOT, env=environment, check=True)
    web = subprocess.Popen(
        (*command, "web", "--port", str(port)), cwd=ROOT, env=environment, start_new_session=True
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(web.pid, signal.SIGTERM)
        try:
            web.wait(30)
        except subprocess.TimeoutExpired:  # a worker that was still starting may not hear it
            os.killpg(web.pid, signal.SIGKILL)
            web.wait(30)


def status_of(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def wait_for(address: str) -> None:
    for _ in range(600):
        try:
            if status_of(f"{address}/healthz") == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the web processes did not start")


def two_answer(address: str) -> bool:
    """Whether two processes answer: what one has used of the CPU only grows, so a smaller number is another's.

    The second one may take a while to come.
    """
    last = 0.0
    for _ in range(600):
        time.sleep(0.05)
        with urllib.request.urlopen(f"{address}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        used = next(line for line in lines if line.startswith("process_cpu_seconds_total"))
        if float(used.split()[1]) < last:
            return True
        last = float(used.split()[1])
    return False


def test_two_processes_allow_exactly_as_many_calls_as_one(address: str):
    wait_for(address)
    assert two_answer(address)
    with ThreadPoolExecutor(8) as callers:
        asked = callers.map(status_of, [f"{address}/api/v1/datasets"] * (LIMIT + 40))
        assert Counter(asked) == {200: LIMIT, 429: 40}
