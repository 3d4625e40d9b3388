"""The reader of Croissant that others use, in an environment of its own: it validates our description and loads its rows."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.make_feeds import make_catalogue
from tests.make_table import STATION_ROWS

READER = Path(__file__).parents[2] / ".services" / "croissant" / "bin" / "python"
READ = """
import json, sys
import mlcroissant
dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
rows = [
    [value.decode() if isinstance(value, bytes) else value for value in row.values()]
    for record_set in dataset.metadata.record_sets
    for row in dataset.records(record_set=record_set.uuid)
]
print(json.dumps({"issues": dataset.metadata.ctx.issues.report(), "rows": rows}, default=str))
"""


@pytest.fixture
def address(app: Flask, tmp_path: Path) -> Iterator[str]:
    """A dataset of a portal on a real server."""
    make_catalogue(tmp_path)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/datasets/air.croissant.json"
    server.shutdown()
    thread.join()
    server.server_close()


def test_mlcroissant_finds_nothing_wrong_and_loads_the_rows(address: str, tmp_path: Path) -> None:
    if not READER.exists():
        pytest.skip("mlcroissant is not there: run tests/services/install")
    command = [str(READER), "-c", READ, address]
    done = subprocess.run(
        command, capture_output=True, text=True, env={"HOME": str(tmp_path)}, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["issues"] == ""
    assert [row[0] or "" for row in found["rows"]] == [row["站点"] or "" for row in STATION_ROWS]
    assert [row[2] for row in found["rows"]] == [row["PM2.5"] for row in STATION_ROWS]
