"""Large JSON files, read one item at a time: memory holds no more than the largest item."""

from __future__ import annotations

import codecs
import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from catalog.errors import N_, TooLarge, Unreadable

CHUNK = 1_000_000
"""Characters that are read at once."""
LARGEST_ITEM = 50_000_000
_BLANK = " \t\r\n"
_NO_JSON = N_("the file of the source is no whole JSON")
_DECODE = json.JSONDecoder().raw_decode
"""The C scanner of the standard library: the only one that starts at a place and says where it ended."""


def items(path: Path, names: Collection[str], *, language: str = "en") -> Iterator[tuple[str, Any]]:
    """The items of the lists that stand under these names at the top of a JSON object, each with its name.

    A file that is nothing but a list has items without a name. One that is not in UTF-8, as JSON should be, is read in the
    encoding that is usual where the language is spoken.
    """
    usual = "gb18030" if language.startswith("zh") else "cp1252"
    with path.open(encoding=_encoding(path, ("utf-8-sig", usual))) as file:
        reader = _Reader(file)
        if reader.peek() == "[":
            yield from (("", item) for item in reader.list_items())
            return
        reader.take("{")
        found = False
        while reader.peek() != "}":
            name = reader.value()
            reader.take(":")
            if isinstance(name, str) and name in names and reader.peek() == "[":
                found = True
                for item in reader.list_items():
                    yield name, item
            else:
                reader.value()
            reader.skip(",")
    if not found:
        raise Unreadable("the file of the source has no list “%(name)s”", name=min(names))


def _encoding(path: Path, encodings: Iterable[str]) -> str:
    """The first encoding in which the whole file can be read."""
    for encoding in encodings:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise Unreadable("the encoding of the file of the source cannot be told")


class _Reader:
    """A place in a file of JSON."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._text, self._at = file, "", 0

    def _more(self) -> bool:
        """Read on: as much again as there is, so that a large item is tried only a few times."""
        rest = self._text[self._at :]
        if len(rest) > LARGEST_ITEM:
            raise TooLarge("an item of the source is larger than %(limit)s", limit=LARGEST_ITEM)
        read = self._file.read(max(CHUNK, len(rest)))
        self._text, self._at = rest + read, 0
        return bool(read)

    def peek(self) -> str:
        """The next sign that is no blank, which stays; nothing at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def take(self, sign: str) -> None:
        """Go on behind the sign that must come next."""
        found = self.peek()
        if found == "<":
            raise Unreadable("the source answered with a web page instead of JSON")
        if found != sign:
            raise Unreadable(_NO_JSON)
        self._at += 1

    def skip(self, sign: str) -> None:
        """Go on behind the sign, if it comes next."""
        if self.peek() == sign:
            self._at += 1

    def value(self) -> Any:
        """The value that comes next."""
        self.peek()
        while True:
            try:
                value, end = _DECODE(self._text, self._at)
            except ValueError as error:
                if self._more():
                    continue
                raise Unreadable(_NO_JSON) from error
            except RecursionError as error:
                raise Unreadable(_NO_JSON) from error
            length = end - self._at
            if end < len(self._text) or not self._more():  # a number may go on in what follows
                self._at += length
                return value

    def list_items(self) -> Iterator[Any]:
        """The items of the list that comes next."""
        self.take("[")
        while self.peek() != "]":
            yield self.value()
            self.skip(",")
        self.take("]")
