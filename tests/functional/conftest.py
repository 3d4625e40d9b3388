"""The whole demo, started once as `make demo` starts it, and a Chromium to look at it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.make_middle import Middle

ROOT = Path(__file__).parents[2]
SIZES = ("embedded", "middle")
"""All engines in the process, and PostgreSQL, Elasticsearch and Redis with two web processes."""
ONLY_EMBEDDED = pytest.mark.parametrize("engines", ["embedded"], indirect=True, scope="session")
"""For what does not depend on the engines, such as how the demo ends."""


@dataclass
class Demo:
    """A running demo: its address, folder, process and what it printed."""

    port: int
    folder: Path
    process: subprocess.Popen[str]
    printed: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def password(self) -> str | None:
        found = re.search(r"one-time password: (\S+)", self.printed)
        return found[1] if found else None


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_demo(folder: Path, port: int, **settings: str) -> Demo:
    """Start the demo and read what it prints until it is ready or has ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.start", "--port", str(port), "--data", str(folder)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **settings},  # hands the environment on
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    printed = ""
    for line in process.stdout or ():
        printed += line
        if "Ctrl-C stops everything" in line:
            break
    return Demo(port, folder, process, printed)


def stop_demo(demo: Demo) -> None:
    """Press Ctrl-C and wait."""
    if demo.process.poll() is None:
        os.killpg(demo.process.pid, signal.SIGINT)
        demo.process.wait(60)
    if demo.process.stdout:
        demo.process.stdout.close()


@pytest.fixture(scope="session", params=SIZES)
def engines(request: pytest.FixtureRequest) -> Callable[[], dict[str, str]]:
    """Gives the settings that make a portal of a size; each portal has a database of its own."""
    if request.param == "embedded":
        return dict
    middle: Middle = request.getfixturevalue("middle")
    return lambda: {**middle.environment(), "WEFT_WEB_PROCESSES": "2"}


@pytest.fixture(scope="session")
def demo(
    engines: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    """The demo with all departments harvested; a key may be used 40 times a minute."""
    started = start_demo(
        tmp_path_factory.mktemp("demo"),
        free_port(),
        WEFT_LIMIT_ANONYMOUS="100000/minute",
        WEFT_LIMIT_BASIC="40/minute",
        **engines(),
    )
    assert started.process.poll() is None, started.printed
    yield started
    stop_demo(started)
