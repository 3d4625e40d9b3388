"""The only files that DuckDB sees in the child: those that were handed over open, under names nobody can guess."""

from __future__ import annotations

import io
import mmap
import os
import secrets
from datetime import UTC, datetime
from typing import Any

import fsspec

MADE = datetime(2000, 1, 1, tzinfo=UTC)
"""Files of the journal do not change, so that any moment will do."""


class HandedOver(fsspec.AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
    """A file system whose protocol is a secret, with the files it was given and nothing else."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.protocol = f"weft{secrets.token_hex(16)}"
        self._files: dict[str, mmap.mmap] = {}

    @property
    def root(self) -> str:
        """Where its files are."""
        return f"{self.protocol}://"

    def add(self, handle: int) -> str:
        """Map an open file; gives its address."""
        address = f"{self.root}{len(self._files)}.parquet"
        size = os.fstat(handle).st_size
        self._files[address] = mmap.mmap(handle, size, prot=mmap.PROT_READ)
        os.close(handle)
        return address

    def open(self, path: str, mode: str = "rb", **_: Any) -> View:
        """One of the files, for reading."""
        if mode != "rb":
            raise PermissionError(path)
        return View(self._mapped(path))

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """What there is to say of a file."""
        return {"name": path, "size": len(self._mapped(path)), "type": "file"}

    def exists(self, path: str, **_: Any) -> bool:
        """Whether it is one of them."""
        return self._address(path) in self._files

    def isfile(self, path: str) -> bool:
        """The same: there are no folders."""
        return self.exists(path)

    def glob(self, path: str, **_: Any) -> list[str]:
        """The file itself; patterns find nothing."""
        return [path] if self.exists(path) else []

    def modified(self, path: str) -> datetime:  # noqa: ARG002 # the signature is fsspec's
        """The same moment for all."""
        return MADE

    def created(self, path: str) -> datetime:  # noqa: ARG002 # the signature is fsspec's
        """The same moment for all."""
        return MADE

    def _address(self, path: str) -> str:
        return path if path.startswith(self.root) else f"{self.root}{path}"

    def _mapped(self, path: str) -> mmap.mmap:
        try:
            return self._files[self._address(path)]
        except KeyError:
            raise FileNotFoundError(path) from None


class View(io.RawIOBase):
    """A reader of mapped bytes."""

    def __init__(self, content: mmap.mmap) -> None:
        super().__init__()
        self._content = memoryview(content)
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where it stands."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go there; gives where it stands."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._content)}[whence]
        self._at = start + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        end = len(self._content) if size < 0 else self._at + size
        found = bytes(self._content[self._at : end])
        self._at += len(found)
        return found

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer with the next bytes."""
        found = self._content[self._at : self._at + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
