"""Objects below a prefix of a bucket on S3-compatible storage: the one place that speaks S3.

An object appears whole or not at all: what a broken upload has sent stays invisible, and the server compares each
part with the hash that its request is signed with. Errors are ours: NotFound, or Unavailable for all that may pass.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from catalog.errors import NotFound, SettingsError, Unavailable
from catalog.settings import Settings

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer
    from obstore.store import S3Config

log = logging.getLogger(__name__)

PART_BYTES = 16 << 20
"""S3 takes at most 10,000 parts: 160 GB."""
PARTS_AT_ONCE = 4
LIST_AT_ONCE = 1_000
READ_BYTES = 2 << 20
"""What a reader asks for at once: a request takes some milliseconds, whatever it brings."""
REQUEST_SECONDS = 60
"""For one part; the 30 seconds of the client are too few on a slow line."""
RETRY_SECONDS = 20
"""A page waits no longer for a server that does not answer."""


@dataclass(frozen=True)
class Stored:
    """An object as a listing shows it."""

    key: str
    bytes: int
    modified: datetime


class Bucket:
    """Keys such as `a/b.parquet` below the prefix; any number of threads and machines."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    @classmethod
    def at(cls, name: str, url: str, settings: Settings) -> Bucket:
        """The bucket at `s3://bucket/prefix`; `name` is the setting to blame. Asks the server nothing."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        if not url.startswith("s3://") or not bucket:
            raise SettingsError("%(name)s must be s3://<bucket>/<prefix>", name=name)
        store = S3Store(
            bucket,
            prefix=prefix.strip("/") or None,
            client_options={
                "allow_http": settings.s3_endpoint.startswith("http:"),
                "timeout": timedelta(seconds=REQUEST_SECONDS),
            },
            retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
            config=_config(settings, bucket),
        )
        return cls(store)

    def send(self, key: str, content: bytes | Path | IO[bytes]) -> None:
        """Keep this under `key`; when this returns, everybody reads it whole."""
        checked = _checked(key)
        with _its_bucket(), _our_errors(key):
            obstore.put(
                self._store,
                checked,
                content,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )

    def get(self, key: str) -> bytes:
        """The whole content; raises NotFound."""
        with _our_errors(key):
            return bytes(obstore.get(self._store, _checked(key)).bytes())

    def read(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start` on, or as many as there are, but one at least. Raises NotFound."""
        with _our_errors(key):
            part = obstore.get_range(self._store, _checked(key), start=start, length=length)
        return bytes(part)

    def parts(self, key: str) -> Iterator[bytes]:
        """The content part by part, each asked for alone, so that a slow line breaks none; raises NotFound."""
        for start in range(0, self.size(key), PART_BYTES):
            yield self.read(key, start, PART_BYTES)

    def reader(self, key: str) -> IO[bytes]:
        """The content as a file that can be read from any place of it; raises NotFound."""
        return io.BufferedReader(_Reader(self, key), READ_BYTES)

    def size(self, key: str) -> int:
        """Bytes of the content; raises NotFound."""
        with _our_errors(key):
            return int(obstore.head(self._store, _checked(key))["size"])

    def delete(self, keys: Iterable[str]) -> None:
        """Forget these; unknown ones are no error."""
        checked = [_checked(key) for key in keys]
        if checked:
            with _our_errors(checked[0]):
                obstore.delete(self._store, checked)

    def check(self) -> None:
        """Raise Unavailable unless the bucket is there and may be read."""
        with _its_bucket(), _our_errors(""):
            next(iter(obstore.list(self._store, chunk_size=1)), None)

    def listed(self, folder: str = "") -> Iterator[Stored]:
        """All objects below a folder."""
        with _its_bucket(), _our_errors(folder):
            for page in obstore.list(self._store, folder or None, chunk_size=LIST_AT_ONCE):
                for one in page:
                    yield Stored(one["path"], one["size"], one["last_modified"])


class _Reader(io.RawIOBase):
    """Reads an object range by range."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket, self._key = bucket, key
        self._size = bucket.size(key)
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Begin the next read elsewhere."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Buffer) -> int:
        """Fill the buffer as far as there is content."""
        view = memoryview(buffer)
        length = min(len(view), self._size - self._at)
        if length <= 0:
            return 0
        part = self._bucket.read(self._key, self._at, length)
        view[: len(part)] = part
        self._at += len(part)
        return len(part)


def _config(settings: Settings, bucket: str) -> S3Config:
    """What is not set is left to the machine: its AWS variables, or the role that it has."""
    host = settings.s3_endpoint.rstrip("/")
    if settings.s3_bucket_in_host and host:
        scheme, _, name = host.partition("://")
        host = f"{scheme}://{bucket}.{name}"
    config = {
        "region": settings.s3_region,
        "endpoint": host,
        "access_key_id": settings.s3_key,
        "secret_access_key": settings.s3_secret,
        "virtual_hosted_style_request": "true" if settings.s3_bucket_in_host else "",
    }
    return cast("S3Config", {key: value for key, value in config.items() if value})


def _checked(key: str) -> str:
    if any(part in ("", ".", "..") for part in key.split("/")):
        raise NotFound("there is no such file")
    return key


@contextmanager
def _its_bucket() -> Iterator[None]:
    """For requests that cannot miss a key: what is missing is the bucket."""
    try:
        yield
    except NotFound as error:
        raise Unavailable("the storage of files does not answer") from error


@contextmanager
def _our_errors(key: str) -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise NotFound("there is no such file") from error
    except (BaseError, OSError) as error:
        said = str(error).partition("\n")[0]  # what follows is for the developers of the client
        log.warning("the storage failed at %s: %s", key, said)
        raise Unavailable("the storage of files does not answer") from error
