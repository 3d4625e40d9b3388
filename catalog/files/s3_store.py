"""The FileStore on S3-compatible storage."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from catalog.bucket import Bucket


class S3Files:
    """Files as objects of a bucket; what is being written waits in a nameless file of the folder `scratch`."""

    def __init__(self, bucket: Bucket, scratch: Path) -> None:
        self.bucket = bucket
        self.scratch = scratch

    @contextmanager
    def writing(self, key: str) -> Iterator[IO[bytes]]:
        """A context that gives a writable file; the key shows it only after the context ends well."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.scratch) as file:  # a kill leaves nothing of it
            yield file
            file.seek(0)
            self.bucket.send(key, file)

    def put(self, key: str, content: bytes) -> None:
        """Keep `content` under `key`, durably."""
        self.bucket.send(key, content)

    def get(self, key: str) -> bytes:
        """The content under `key`; raises NotFound."""
        return self.bucket.get(key)

    def path(self, key: str) -> Path | None:  # noqa: ARG002 # the port's
        """None: the files are elsewhere."""
        return None

    def adopt(self, key: str, file: Path) -> None:
        """Take over a finished local file under `key`, durably; it is gone from where it was."""
        self.bucket.send(key, file)
        file.unlink()

    def open(self, key: str) -> IO[bytes]:
        """The file under `key` for reading from any place of it; raises NotFound."""
        return self.bucket.reader(key)

    def keys(self, folder: str, *, unchanged_for: float = 0) -> Iterator[str]:
        """All keys that begin with `folder` and a slash, of files that are so many seconds old."""
        until = datetime.now(UTC) - timedelta(seconds=unchanged_for)
        return (one.key for one in self.bucket.listed(folder) if one.modified <= until)

    def delete(self, key: str) -> None:
        """Forget the key; unknown keys are no error."""
        self.bucket.delete([key])

    def check(self) -> None:
        """Raise Unavailable unless the bucket answers."""
        self.bucket.check()
