"""JSON documents of any size: walked value by value, never held as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from json.decoder import JSONDecoder
from typing import Any, TextIO

from catalog.tabular.reading.cells import Literal

BLOCK = 1 << 20
LONGEST_INTEGER = 40
"""Beyond this, a whole number is kept as its text."""
OF_NUMBERS = "0123456789.eE+-"
WHITE = " \t\r\n"
MARGIN = 16
"""An error so far before the end of the window is none of a value that goes on behind it."""


class Broken(Exception):
    """Not JSON, or cut off, at this character of the text."""

    def __init__(self, position: int, *, cut: bool = False) -> None:
        super().__init__(position)
        self.position, self.cut = position, cut


class Walker:
    """A window on a JSON text; `value()` and friends move it forward."""

    def __init__(self, text: TextIO, longest: int, *, exact: bool = True) -> None:
        """Values are at most `longest`; without `exact`, numbers may change, which is faster."""
        self._text, self._longest = text, longest
        self._buffer, self._at, self._before = "", 0, 0
        self._more = True
        self._decode = (_EXACT if exact else JSONDecoder()).raw_decode

    @property
    def position(self) -> int:
        """Characters before the window's place."""
        return self._before + self._at

    def peek(self) -> str:
        """The next character that is not white, or nothing at the end."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in WHITE:
                self._at += 1
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._fill():
                return ""

    def take(self, wanted: str) -> str:
        """Move over one of the wanted characters."""
        found = self.peek()
        if not found or found not in wanted:
            raise Broken(self.position, cut=not found)
        self._at += 1
        return found

    def value(self) -> Any:
        """The next value, decoded."""
        self.peek()
        while True:
            try:
                value, end = self._decode(self._buffer, self._at)
            except RecursionError:
                raise Broken(self.position) from None
            except json.JSONDecodeError as error:
                if self._is_wrong(error) or not self._fill():
                    raise Broken(self._before + error.pos, cut=self._is_cut(error)) from None
                continue
            if not self._buffer[end : end + 4].strip(OF_NUMBERS) and self._fill():
                continue  # A number may go on in the next block, at its point or exponent too.
            self._at = end
            return value

    def items(self) -> Iterator[None]:
        """Stand before each element of an array; the caller takes it."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield
            if self.take(",]") == "]":
                return

    def members(self) -> Iterator[str]:
        """The name of each member of an object; the caller takes the value."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() != '"':
                raise Broken(self.position, cut=not self.peek())
            name = self.value()
            self.take(":")
            yield name
            if self.take(",}") == "}":
                return

    def skip(self) -> None:
        """Move over the next value; an array's elements one by one."""
        if self.peek() == "[":
            for _ in self.items():
                self.value()
        else:
            self.value()

    def _is_wrong(self, error: json.JSONDecodeError) -> bool:
        """Whether more text cannot mend it: the value is as long as one may be."""
        return len(self._buffer) - self._at > self._longest or (
            error.pos < len(self._buffer) - MARGIN and not error.msg.startswith("Unterminated")
        )

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether the text ends where a value should go on."""
        rest = self._buffer[error.pos :].strip()
        return not self._more and (not rest or error.msg.startswith("Unterminated"))

    def _fill(self) -> bool:
        """Read on; the window grows by as much as it holds, so that long values cost no more."""
        if not self._more:
            return False
        self._buffer, self._before = self._buffer[self._at :], self._before + self._at
        self._at = 0
        block = self._text.read(max(BLOCK, len(self._buffer)))
        self._more = bool(block)
        self._buffer += block
        return self._more


def _number(text: str) -> float | Literal:
    value = float(text)
    return value if repr(value) == text else Literal(text)


def _integer(text: str) -> int | Literal:
    return int(text) if len(text) <= LONGEST_INTEGER and text != "-0" else Literal(text)


def _constant(text: str) -> object:
    """NaN and the infinities are no JSON, but they are written by many; NaN means nothing."""
    return None if text == "NaN" else text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a name that is there twice gets a number, for no value may vanish."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    found = {}
    for name, value in pairs:
        number, chosen = 1, name
        while chosen in found:
            number += 1
            chosen = f"{name}_{number}"
        found[chosen] = value
    return found


_EXACT = JSONDecoder(
    parse_float=_number, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_object
)
