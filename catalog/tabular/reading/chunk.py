"""The one form in which every kind of file hands over its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any

import pyarrow as pa


class Kind(IntFlag):
    """What the cells of a column were in the file, before their text was taken."""

    NONE = 0
    CELL = 1
    """A text of which nothing is known: CSV."""
    TEXT = 2
    INTEGER = 4
    NUMBER = 8
    BOOLEAN = 16
    DATE = 32
    DATETIME = 64
    JSON = 128
    GEOMETRY = 256
    SHOWN = 512
    """The file does not tell a number from a code (sheets): names decide, as for CELL."""


@dataclass(frozen=True)
class Chunk:
    """Some rows: one string array a column, null where the file has no cell or no value."""

    names: Sequence[str]
    arrays: Sequence[pa.Array]
    kinds: Sequence[Kind]
    rows: int


@dataclass
class Part:
    """A table as one file, sheet or member holds it; `notes` are complete when `chunks` is used up."""

    source: str
    """What to call it in a sentence: the file, and the sheet or member."""
    key: str
    chunks: Iterator[Chunk]
    title: Mapping[str, str] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)
    unnamed: set[str] = field(default_factory=set)
    """Columns whose name is ours; one without any value is left out."""
