"""A program that writes rows until it is killed: each line it prints names rows that were acknowledged.

With a second argument it notes every file that it makes durable, with its length, so that a test can take away
what a power cut would.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from catalog.permissions import SCHEDULER
from catalog.services import table_writes
from catalog.settings import Settings
from wsgi import create_app

real_fsync = os.fsync


def noting(log: Path) -> None:
    """Write down what is synced, before the caller may rely on it."""
    notes = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def fsync(handle: int) -> None:
        real_fsync(handle)
        place = Path(f"/proc/self/fd/{handle}").readlink()
        if place.is_file():
            about = os.fstat(handle)
            os.write(notes, f"{about.st_ino}\t{about.st_size}\n".encode())

    os.fsync = fsync


def main(data_dir: str, table_id: str, log: str = "") -> None:
    """Upsert for ever: new rows, and one that every call changes."""
    if log:
        noting(Path(log))
    app = create_app(
        Settings(data_dir=data_dir, queue_url="immediate:", secret_key="x", log_level="ERROR")
    )
    with app.app_context():
        for n in range(10_000):
            code = f"{os.getpid()}-{n}"
            records = [{"代码": code, "n": n}, {"代码": "shared", "n": n}]
            table_writes.upsert(SCHEDULER, table_id, records)
            print(code, flush=True)  # noqa: T201 # the test reads it


if __name__ == "__main__":
    main(*sys.argv[1:])
