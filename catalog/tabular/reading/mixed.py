"""UTF-8 files with lines in another encoding: each line is read by what it is."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO

BLOCK = 1 << 20
LONGEST_LINE = 1 << 26
FIRST = 5
"""So many lines are named in a note."""
DAMAGED = "weft-damaged"
"""Error handler that reads bytes that are no UTF-8 as Western European letters: nothing is lost."""
HIGH = re.compile(rb"[\x80-\xff]+")
BAD = re.compile("[\udc80-\udcff]")


@dataclass
class Census:
    """The lines of a file that have bytes above 127."""

    good: int = 0
    """Lines that are UTF-8."""
    bad: int = 0
    first: tuple[int, ...] = ()
    """Numbers of the first bad lines, from 1."""
    chinese: int = 0
    """Bad lines that are GB18030."""
    damaged: int = 0
    """Bytes that are no UTF-8, in the other bad lines."""

    @property
    def is_utf8(self) -> bool:
        """Whether most of these lines are UTF-8."""
        return self.good > self.bad


def census_of(path: Path) -> Census:
    """Look at every line of the file."""
    found, number = Census(), 0
    with path.open("rb") as file:
        for block in _blocks(file):
            lines = block.splitlines(keepends=True)
            for at, line in enumerate(lines, number + 1):
                if line.isascii():
                    continue
                if _is_utf8(line):
                    found.good += 1
                else:
                    _count(found, at, line)
            number += len(lines)
    return found


def _count(found: Census, number: int, line: bytes) -> None:
    found.bad += 1
    if len(found.first) < FIRST:
        found.first = (*found.first, number)
    if _is_chinese(line):
        found.chinese += 1
    else:
        found.damaged += len(BAD.findall(line.decode("utf-8", "surrogateescape")))


def open_mixed(path: Path, codec: str) -> TextIO:
    """The text of the file, line ends untouched; `codec` is UTF-8 with or without a mark."""
    return io.TextIOWrapper(io.BufferedReader(_Mixed(path), BLOCK), encoding=codec, newline="")


class _Mixed(io.RawIOBase):
    """The file as clean UTF-8."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._blocks = _blocks(self._file)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override] # what BufferedReader gives
        """Fill the buffer; 0 at the end."""
        if not self._left:
            self._left = memoryview(_clean(next(self._blocks, b"")))
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, many at once."""
    while block := file.read(BLOCK):
        yield block if block.endswith(b"\n") else block + file.readline(LONGEST_LINE)


def _clean(block: bytes) -> bytes:
    if _is_utf8(block):
        return block
    return b"".join(
        line if line.isascii() or _is_utf8(line) else _line(line).encode()
        for line in block.splitlines(keepends=True)
    )


def _line(line: bytes) -> str:
    return line.decode("gb18030") if _is_chinese(line) else line.decode("utf-8", DAMAGED)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_chinese(line: bytes) -> bool:
    """Whether a line that is no UTF-8 is GB18030, and not UTF-8 with damage or Western letters."""
    try:
        line.decode("gb18030")
    except UnicodeDecodeError:
        return False
    text = line.decode("utf-8", "surrogateescape")
    bad = len(BAD.findall(text))
    whole = sum(1 for letter in text if letter >= "\u0800") - bad
    return whole < bad and any(len(run) > 1 for run in HIGH.findall(line))


def _western(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(DAMAGED, _western)
