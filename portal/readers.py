"""Counts views: a reader's once an hour and dataset, a robot's never; what is kept names nobody.

A reader is a keyed hash of address and browser, in the memory of this process for an hour. The key
is made at random each day and written nowhere, so that the hashes cannot be led back to people.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from datetime import UTC, date, datetime

from flask import current_app, request

from catalog.services import usage
from catalog.services.attempts import Windows

HOUR = 3600
_ROBOT = re.compile(r"(?<!cu)bot|crawl|spider|slurp", re.IGNORECASE)
"""What robots call themselves; Cubot makes phones."""


class Readers:
    """Who has looked at what within the last hour."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._day: date | None = None
        self._key = b""
        self._seen = Windows("windows://")

    def is_new(self, dataset_id: str, address: str, browser: str) -> bool:
        """Whether this is the reader's first look in an hour; notes it."""
        with self._lock:
            today = datetime.now(UTC).date()
            if today != self._day:
                self._day, self._key = today, secrets.token_bytes(32)
                self._seen.reset()
            key, seen = self._key, self._seen
        text = "\0".join((dataset_id, address, browser)).encode("utf-8", "replace")
        return seen.incr(hashlib.blake2b(text, key=key, digest_size=16).hexdigest(), HOUR) == 1


def count_view(dataset_id: str) -> None:
    """Count that this request looks at a dataset."""
    browser = request.user_agent.string
    if request.method != "GET" or _ROBOT.search(browser):
        return
    readers: Readers = current_app.extensions.setdefault("weft_readers", Readers())
    if readers.is_new(dataset_id, request.remote_addr or "", browser):
        usage.count(dataset_id, usage.Usage.VIEW)
