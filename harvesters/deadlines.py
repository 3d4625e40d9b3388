"""When a fetch must be over, and how slow it may be."""

from __future__ import annotations

import time

import httpcore

from harvesters.answers import Limits


class Deadline:
    """When the present fetch must be over."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.seconds, self.at = limits.total_seconds, float("inf")
        self.slow = False
        """Whether the fetch was given up because it brought too little."""
        self._is_file, self._began, self._size = False, 0.0, 0

    def start(self, *, is_file: bool) -> None:
        """A fetch begins."""
        limits = self._limits
        self.seconds = (
            limits.total_seconds if is_file else min(limits.page_seconds, limits.total_seconds)
        )
        self.at = time.monotonic() + self.seconds
        self._is_file, self.slow = is_file, False
        self.attempt()

    def attempt(self) -> None:
        """The rate counts from here."""
        self._began, self._size = time.monotonic(), 0

    def got(self, size: int) -> None:
        """So many bytes arrived; too few in too long a time end the fetch."""
        self._size += size
        took = time.monotonic() - self._began
        if not self._is_file or took < self._limits.patience_seconds:
            return
        if self._size < self._limits.least_rate * took:
            self.slow = True
            raise httpcore.ReadTimeout("the source is too slow")

    def left(self, timeout: float | None) -> float:
        """How long the next step may take, at most `timeout`; raises when the fetch must be over."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the whole fetch took too long")
        return min(left, timeout if timeout is not None else left)
