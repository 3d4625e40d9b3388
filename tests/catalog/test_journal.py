"""The journal in a folder: kills; tests/contracts/test_journal.py has the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.tabular.journal import LocalJournal

HOUR = timedelta(hours=1)


@pytest.fixture
def journal(tmp_path: Path) -> LocalJournal:
    return LocalJournal(tmp_path / "journal")


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    file = tmp_path / "read.parquet"
    file.write_bytes(b"PAR1" + os.urandom(3_000_000) + b"PAR1")
    return file


ADDING = """
import sys
from pathlib import Path
from catalog.tabular.journal import LocalJournal
journal = LocalJournal(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    added = journal.add("t1", 1, Path(sys.argv[2]))
    print(added.path, added.sha256, flush=True)
"""


@pytest.mark.parametrize("wait", [0.02, 0.05, 0.11])
def test_a_kill_leaves_whole_files_and_strays_only(
    journal: LocalJournal, parquet: Path, wait: float
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ADDING, str(journal.folder), str(parquet)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent.parent,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    said = [line.split() for line in process.stdout.read().splitlines() if line.count(" ") == 1]
    process.stdout.close()
    process.wait()
    whole = [(path, digest) for path, digest in said if len(digest) == 64]
    for path, digest in whole:
        journal.verify(path, digest)
    for file in journal.folder.glob("*/*"):
        os.utime(file, (0, 0))
    journal.collect({path for path, _ in whole}, HOUR)
    assert {file.relative_to(journal.folder).as_posix() for file in journal.folder.glob("*/*")} == {
        path for path, _ in whole
    }
