"""What is written while an index is rebuilt: it goes into the current index and, at the end, into the new one.

    <folder>/rebuild.lock   held by the process that rebuilds
    <folder>/spool          what was put and deleted since it began, in order; only where somebody rebuilds

The documents are the portal's own, written by its processes into its own folder: hence pickle.
"""

from __future__ import annotations

import contextlib
import fcntl
import pickle
from collections.abc import Iterator
from pathlib import Path

from catalog.errors import Unavailable
from catalog.search.engine import Document

Batch = tuple[tuple[Document, ...], tuple[str, ...]]
"""Documents that were put, and ids that were deleted."""


class Spool:
    """Keeps batches for a rebuild; `add` and `taken` are called by whoever may write the index."""

    def __init__(self, folder: Path) -> None:
        self._lock, self._file = folder / "rebuild.lock", folder / "spool"

    @contextlib.contextmanager
    def rebuilding(self) -> Iterator[None]:
        """From now on batches are kept; raises Unavailable where another process rebuilds already."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Unavailable("another process is writing the search index") from error
            try:
                self._file.write_bytes(b"")
                yield
            finally:
                self._file.unlink(missing_ok=True)

    def add(self, batch: Batch) -> None:
        """Keep a batch if somebody rebuilds; what a killed rebuild has left is removed."""
        if not self._file.exists():
            return
        with self._lock.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                with self._file.open("ab") as file:
                    pickle.dump(batch, file)
            else:
                self._file.unlink(missing_ok=True)

    def taken(self) -> Iterator[Batch]:
        """The batches in order."""
        with self._file.open("rb") as file:
            while file.peek(1):
                yield pickle.load(file)  # noqa: S301 # the portal's own file, see above
