"""Administrative division codes (GB/T 2260): which there are, and until when those were listed that are gone.

`divisions.csv` has every code that was listed from 1980 on, with its first and its last year.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

FILE = Path(__file__).with_name("divisions.csv")
LAST_YEAR = 2024
"""The year of the newest list; a code of a later one is not known yet."""
LENGTH = 6
"""Longer codes, of streets and villages, begin with that of their county."""


class Years(NamedTuple):
    """The first and the last year in which a code was listed."""

    first: int
    last: int


@lru_cache(maxsize=1)
def listed() -> dict[str, Years]:
    """Code → the years in which it was listed."""
    lines = [line for line in FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    return {
        row["code"]: Years(int(row["first"]), int(row["last"])) for row in csv.DictReader(lines)
    }


def last_year(code: str) -> int | None:
    """The last year in which a code was listed that is gone now; None for one that is not gone, or was never there."""
    years = listed().get(code[:LENGTH])
    return years.last if years is not None and years.last < LAST_YEAR else None


def is_listed(codes: pa.Array) -> pa.Array:
    """Whether each code was ever listed; null stays null."""
    return _is_one_of(codes, pa.concat_arrays([_codes(gone=False), _codes(gone=True)]))


def is_gone(codes: pa.Array) -> pa.Array:
    """Whether each code was listed once, but is no more; null stays null."""
    return _is_one_of(codes, _codes(gone=True))


def _is_one_of(codes: pa.Array, known: pa.Array) -> pa.Array:
    found = pc.is_in(pc.utf8_slice_codeunits(codes, 0, LENGTH), value_set=known)
    return pc.if_else(pc.is_valid(codes), found, None)


@lru_cache(maxsize=2)
def _codes(*, gone: bool) -> pa.Array:
    """The codes of the newest list, or those that are in it no more."""
    return pa.array([c for c, years in listed().items() if (years.last < LAST_YEAR) is gone])
