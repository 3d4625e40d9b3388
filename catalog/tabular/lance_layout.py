"""Where rows stand in a serving copy that was changed in place: the arithmetic of pages in the order of numbers.

A copy begins as rows in the order of their numbers. A change takes rows out of that beginning and appends what
they became, and what is new, at the end: the tail. A page in the order of numbers is therefore a slice of the
beginning with some rows of the tail between; where they belong follows from the numbers alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Ids = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Window:
    """A page: a slice of the beginning, rows of the tail by id, and the order in which to take both together."""

    first: int
    """Offset of the slice among the rows that are left of the beginning."""
    count: int
    ids: Ids
    order: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Layout:
    """How a copy stands at one position of the journal."""

    end: int
    """All numbers of the beginning are below this one."""
    gone: Numbers
    """Numbers below `end` that are not in the beginning any more, or never were; sorted."""
    tail: Numbers
    """Numbers of the rows in the tail; sorted."""
    ids: Ids
    """Row ids of the tail, in the order of `tail`."""
    numbered: bool = False
    """Whether the row ids of the beginning are its numbers: it began with all numbers below `end`."""

    @property
    def untouched(self) -> bool:
        """Whether the rows stand in their order, so that a page is a slice."""
        return not len(self.tail)

    def window(self, offset: int, limit: int) -> Window:
        """What a page of `limit` rows from `offset` on is made of."""
        places = self._places
        low, high = (int(at) for at in np.searchsorted(places, (offset, offset + limit)))
        inside = places[low:high] - offset
        count = limit - len(inside)
        order = np.empty(limit, np.intp)
        mask = np.zeros(limit, bool)
        mask[inside] = True
        order[~mask] = np.arange(count)
        order[mask] = count + np.arange(len(inside))
        return Window(offset - low, count, self.ids[low:high], order)

    def beginning(self, first: int, count: int) -> Ids:
        """Row ids of a slice of the beginning, where these are its numbers; fewer at its end."""
        last = min(first + count, self.end - len(self.gone))
        places = np.arange(first, max(first, last))
        return (places + np.searchsorted(self._holes, places, side="right")).astype(np.uint64)

    @cached_property
    def _holes(self) -> Numbers:
        """How many rows are left before each number that is gone."""
        return self.gone - np.arange(len(self.gone))

    @cached_property
    def _places(self) -> Numbers:
        """The place of each row of the tail among all rows."""
        below = np.minimum(self.tail, self.end)
        left: Numbers = below - np.searchsorted(self.gone, below)
        return left + np.arange(len(self.tail))
