"""Fixtures of harvest tests: the demo's folder, servers, and a fetcher that may reach them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from catalog.settings import Settings
from harvesters.http import Http, Limits
from harvesters.models import HarvestSource
from harvesters.registry import FORMATS
from tests.make_scripted import Scripted
from tests.make_server import Served, make_server
from tests.make_source import make_source

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


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """A registered format that gives what the test has written."""
    made = Scripted()
    monkeypatch.setitem(FORMATS, "scripted", made)
    return made


@pytest.fixture
def source(app: Flask, scripted: Scripted) -> HarvestSource:  # the app is open, the format known
    """A source of that format."""
    return make_source("scripted", "http://x.example/")
