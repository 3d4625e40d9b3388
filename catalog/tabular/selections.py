"""What pages are cut from, kept for the next pages: row ids that queries selected, blocks of rows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

MOST_BYTES = 16_000_000


class Measured(Protocol):
    """Something that says how many bytes it takes."""

    @property
    def nbytes(self) -> int:
        """Its size in memory."""
        ...


Thing = TypeVar("Thing", bound=Measured)


@dataclass(frozen=True)
class Selection:
    """Row ids in the order of the query: the first ones, or all if `complete`."""

    ids: npt.NDArray[np.uint64]
    complete: bool

    def reaches(self, end: int) -> bool:
        """Whether a page that ends at `end` can be cut from it."""
        return self.complete or len(self.ids) >= end

    @property
    def nbytes(self) -> int:
        """Its size in memory."""
        return self.ids.nbytes


class Kept(Generic[Thing]):
    """The things used last, within a number of bytes."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Thing] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> Thing | None:
        """What was kept under `key`."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, thing: Thing) -> None:
        """Keep it and forget what was not used for longest; one too large by itself is not kept."""
        if thing.nbytes > self.most_bytes:
            return
        with self._lock:
            before = self._kept.pop(key, None)
            self._bytes += thing.nbytes - (before.nbytes if before else 0)
            self._kept[key] = thing
            while self._bytes > self.most_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.nbytes

    def forget(self, is_old: Callable[[Hashable], bool]) -> None:
        """Let go of the things whose keys are old."""
        with self._lock:
            for key in [key for key in self._kept if is_old(key)]:
                self._bytes -= self._kept.pop(key).nbytes
