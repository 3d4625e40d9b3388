"""How often something was tried: counts in fixed windows, for sign-in and for the limits of the API."""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Flask, current_app
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse_many
from limits.storage import Storage

from catalog.errors import TooMany
from catalog.settings import Settings

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

FREE_FAILURES = 4
"""Wrong passwords in an hour before an account makes people wait."""
LONGEST_DELAY = 900
"""Seconds: long enough against guessing, short enough that nobody is locked out by a stranger."""
ANSWERS_SOON: dict[str, str | int] = {"socket_connect_timeout": 1, "socket_timeout": 1}
"""Seconds: a call waits no longer to be counted."""
IN_SECONDS = 90
"""A longer wait is said in minutes."""


class Windows(Storage):
    """Counts in memory. The one of `limits` starts a thread for a call and walks over all counts in
    it, so that a hundred thousand callers would slow each other down; this one sweeps once a minute.
    """

    STORAGE_SCHEME = ["windows"]  # noqa: RUF012 # the registry of `limits` reads a list
    MOST = 200_000

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: Any) -> None:  # noqa: FBT001, FBT002 # the signature is that of `limits`
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[float, int]] = {}
        self._sweep_at = time.time() + 60

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What a failing storage would raise; memory does not fail."""
        return ()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to the count of the open window, or open one that ends in `expiry` seconds."""
        now = time.time()
        with self._lock:
            if now >= self._sweep_at or len(self._windows) >= self.MOST:
                self._sweep(now)
            ends, count = self._windows.get(key, (0.0, 0))
            if ends <= now:
                ends, count = now + expiry, 0
            self._windows[key] = (ends, count + amount)
            return count + amount

    def get(self, key: str) -> int:
        """The count of the open window."""
        ends, count = self._windows.get(key, (0.0, 0))
        return count if ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the open window ends; now, if none is open."""
        now = time.time()
        return max(self._windows.get(key, (now, 0))[0], now)

    def clear(self, key: str) -> None:
        """Forget a window."""
        self._windows.pop(key, None)

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int:
        """Forget all windows."""
        count = len(self._windows)
        self._windows.clear()
        return count

    def _sweep(self, now: float) -> None:
        self._sweep_at = now + 60
        self._windows = {key: held for key, held in self._windows.items() if held[0] > now}
        excess = len(self._windows) - self.MOST + 1
        for key in list(self._windows)[: max(0, excess)]:
            del self._windows[key]


_FALLBACK = Windows()


def open_storage(app: Flask, address: str) -> Storage:
    """The storage of Flask-Limiter at this address (`memory://`, `redis://…`); raises what it raises.

    It stands beside the application, not in it: we count ourselves, see `api/limits.py`, and its own checks of each
    call, though off, would take a twentieth of the CPU of a short one.
    """
    uri = "windows://" if address.startswith("memory:") else address
    beside = Flask(app.name)
    beside.config.from_mapping(app.config)
    limiter = Limiter(
        get_remote_address,
        app=beside,
        storage_uri=uri,
        storage_options=ANSWERS_SOON if uri.startswith("redis") else None,
        strategy="fixed-window",
    )
    return limiter.storage


def storage() -> Storage:
    """Where this application counts."""
    return cast("Storage", current_app.extensions["weft"]["limits"])


@dataclass(frozen=True)
class Window:
    """How a limit stands after a call: `left` is negative when the call was one too many."""

    limit: RateLimitItem
    left: int
    resets_at: float


def take(limit: RateLimitItem, *names: str, cost: int = 1) -> Window:
    """Count a call under these names; with `cost=0` only look.

    When the shared storage is down, calls are counted in memory: its loss must not stop the portal.
    """
    key = limit.key_for(*names)
    return _asked(lambda held: _take(held, limit, key, cost))


def _asked(ask: Callable[[Storage], Answer]) -> Answer:
    """What the shared storage answers, or the memory of this process while it is down."""
    try:
        return ask(storage())
    except storage().base_exceptions as error:
        log.warning("limits are counted in memory: %s", error)
        return ask(_FALLBACK)


def _take(held: Storage, limit: RateLimitItem, key: str, cost: int) -> Window:
    count = held.incr(key, limit.get_expiry(), cost) if cost else held.get(key)
    resets_at = held.get_expiry(key) if count else time.time() + limit.get_expiry()
    return Window(limit, limit.amount - count, resets_at)


def address_block(address: str | None) -> str:
    """The address to count by: an IPv6 caller owns a whole /64, so that is what is counted."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or "unknown"
    if parsed.version == 6:
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def count_sign_in(address: str) -> None:
    """Count an attempt to sign in or register from an address; raise TooMany over `limit_sign_in`."""
    _count("sign-in", address)


def count_inquiry(address: str) -> None:
    """Count a question to a department from an address; the same limit holds, counted apart."""
    _count("inquiry", address)


def _count(what: str, address: str) -> None:
    settings = cast("Settings", current_app.extensions["weft"]["settings"])
    for limit in sorted(parse_many(settings.limit_sign_in)):
        window = take(limit, what, address_block(address))
        if window.left < 0:
            raise _from_network(_seconds_until(window.resets_at))


def require_patience(email: str) -> None:
    """Raise TooMany while an account, existing or not, makes people wait after wrong passwords."""
    name = _name("delay", email)
    ends = _asked(lambda held: held.get_expiry(name) if held.get(name) > 0 else None)
    if ends is not None:
        raise _for_account(_seconds_until(ends))


def count_failure(email: str) -> None:
    """Note a wrong password; from the fifth within an hour on, the wait doubles: 2, 4, 8 … 900 seconds."""
    failures = _asked(lambda held: held.incr(_name("failures", email), 3600))
    if failures > FREE_FAILURES:
        delay = min(2 ** (failures - FREE_FAILURES), LONGEST_DELAY)
        _asked(lambda held: held.incr(_name("delay", email), delay))


def forget_failures(email: str) -> None:
    """The right password came: start counting anew."""
    failures, delay = _name("failures", email), _name("delay", email)
    _asked(lambda held: (held.clear(failures), held.clear(delay)))


def _name(kind: str, email: str) -> str:
    return f"sign-in/{kind}/{hashlib.sha256(email.encode()).hexdigest()}"


def _seconds_until(moment: float) -> int:
    """Whole seconds, at least two: the wait of a sentence is plural."""
    return max(2, math.ceil(moment - time.time()))


def _from_network(seconds: int) -> TooMany:
    """The limit of an address is passed."""
    if seconds <= IN_SECONDS:
        return TooMany(
            "Too many attempts from your network. Wait %(retry_after)s seconds and try again.",
            retry_after=seconds,
        )
    return TooMany(
        "Too many attempts from your network. Wait %(minutes)s minutes and try again.",
        minutes=math.ceil(seconds / 60),
        retry_after=seconds,
    )


def _for_account(seconds: int) -> TooMany:
    """The account makes people wait."""
    if seconds <= IN_SECONDS:
        return TooMany(
            "Too many wrong passwords. Wait %(retry_after)s seconds and try again.",
            retry_after=seconds,
        )
    return TooMany(
        "Too many wrong passwords. Wait %(minutes)s minutes and try again.",
        minutes=math.ceil(seconds / 60),
        retry_after=seconds,
    )
