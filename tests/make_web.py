"""Starts a web process of the portal on the data of a test."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.settings import Settings
from tests.functional.conftest import free_port

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 120


@contextmanager
def make_web(settings: Settings, **environment: str) -> Iterator[str]:
    """The address of a real server on the data folder of `settings`, while the context lasts."""
    port = free_port()
    given = {
        "WEFT_DATA_DIR": settings.data_dir,
        "WEFT_SECRET_KEY": settings.secret_key,
        "WEFT_LIMIT_ANONYMOUS": settings.limit_anonymous,
        "WEFT_LOG_LEVEL": "WARNING",
        **environment,
    }
    with subprocess.Popen(
        [sys.executable, "wsgi.py", "web", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, **given},  # noqa: TID251 # hands the environment on
    ) as process:
        try:
            _wait(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/api/v1/")
            connection.getresponse().read()
        except (http.client.HTTPException, OSError):
            assert process.poll() is None, "the web process ended"
            assert time.monotonic() < until, "the web process does not answer"
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
