"""The lines or blocks of a text, each with a mark of the end that an open quotation mark would swallow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TextIO

from catalog.errors import TooLarge
from catalog.tabular.reading.options import Limits

END = "\U0010fffdend"
"""A last row of ours: when it does not come back as one, an open quotation mark has swallowed it."""


class Lines:
    """The lines of a text, the last one complete, then the mark of the end."""

    def __init__(self, text: TextIO, name: str, limits: Limits) -> None:
        self._text, self._name, self._limit = text, name, limits.row
        self.read = 0
        """Characters so far."""
        self.row_start = 0
        """Where the row began that is being read."""
        self._ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._ended:
            raise StopIteration
        line = self._text.readline(self._limit)
        if not line:
            self._ended = True
            return END + "\n"
        if line[-1] not in "\r\n":
            if len(line) >= self._limit:
                self._refuse()
            line += "\n"
        self.read += len(line)
        if self.read - self.row_start > self._limit:
            self._refuse()
        return line

    def _refuse(self) -> None:
        raise TooLarge(
            "%(file)s has a row of more than %(limit)s characters.",
            file=self._name,
            limit=self._limit,
        )


class Utf8:
    """The rest of a text as UTF-8 bytes for a parser that reads blocks, then the mark of the end."""

    closed = False

    def __init__(self, text: TextIO, end: str) -> None:
        self._text, self._end = text, end
        self._newline = True

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        block = self._text.read(max(size // 4, 1))
        if block:
            self._newline = block[-1] in "\r\n"
            return block.encode()
        end, self._end = self._end, ""
        return (end if self._newline else "\n" + end).encode() if end else b""


class Raw:
    """The rest of a file that is UTF-8 already, as Utf8 gives it: no character is made only to be written again."""

    closed = False

    def __init__(self, file: IO[bytes], end: str) -> None:
        self._file, self._end = file, end
        self._newline = True

    def read(self, size: int) -> bytes:
        """At most half as many bytes, so that a row of more than a block is noticed; none at the end."""
        block = self._file.read(max(size // 2, 1))
        if block:
            self._newline = block[-1:] in (b"\r", b"\n")
            return block
        end, self._end = self._end, ""
        return (end if self._newline else "\n" + end).encode() if end else b""
