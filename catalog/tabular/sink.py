"""A file that is only written to: what a writer puts in comes out as pieces of a stream."""

from __future__ import annotations

import io
from typing import Any


class Sink(io.RawIOBase):
    """Takes bytes from a writer and hands them on, keeping nothing but the length."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._length

    def write(self, part: Any, /) -> int:
        content = bytes(part)
        self._parts.append(content)
        self._length += len(content)
        return len(content)

    def take(self) -> bytes:
        """What was written since the last call."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
