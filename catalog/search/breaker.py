"""A breaker before a server that may be down: after a failure nobody waits for it, until one caller finds it up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

TOLERATED_TIMEOUTS = 3
"""Answers that may be late, one after another, before the server counts as down: one may be a hard question's."""


class Breaker:
    """Says whether to call the server; callers tell it how the call went.

    While it is open, calls are refused; every `pause` seconds one is let through to try.
    """

    def __init__(self, pause: float, *, now: Callable[[], float] = monotonic) -> None:
        self._pause, self._now = pause, now
        self._lock = threading.Lock()
        self._late = 0
        self._next_try: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the server counts as down."""
        return self._next_try is not None

    def lets_through(self) -> bool:
        """Whether a call may go to the server now."""
        if not self.is_open:
            return True
        with self._lock:
            if self._next_try is not None and self._now() < self._next_try:
                return False
            self._next_try = self._now() + self._pause  # this caller tries, the others wait for it
            return True

    def succeeded(self) -> None:
        """The server answered."""
        if self._late or self._next_try is not None:
            with self._lock:
                self._late, self._next_try = 0, None

    def failed(self, *, late: bool = False) -> None:
        """The server did not answer, or too late."""
        with self._lock:
            self._late += 1
            if not late or self._late >= TOLERATED_TIMEOUTS or self._next_try is not None:
                self._next_try = self._now() + self._pause
