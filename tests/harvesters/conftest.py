"""Fixtures of harvest tests: the demo's folder, servers, and a fetcher that may reach them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.settings import Settings
from harvesters.http import Http, Limits
from tests.make_server import Served, make_server

DEMO = Path(__file__).parent.parent.parent / "demo"
QUICK = Limits(
    file_bytes=5_000_000,
    page_bytes=2_000_000,
    read_seconds=1.0,
    total_seconds=5.0,
    redirects=3,
    backoff_seconds=0.01,
    longest_wait_seconds=0.5,
)


@pytest.fixture
def server() -> Iterator[Served]:
    """A server without any answers yet."""
    with make_server() as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder that harvests may read."""
    made = tmp_path / "source"
    made.mkdir()
    return made


@pytest.fixture
def http(server: Served, folder: Path) -> Iterator[Http]:
    """A fetcher for the server, the folder and the demo's files."""
    settings = Settings(fetch_private_hosts=server.host, fetch_folders=f"{folder}:{DEMO}")
    with Http(settings, QUICK) as made:
        yield made
