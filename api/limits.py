"""How many calls a caller may make, and the headers that say so.

Windows are fixed and open with the first call of a caller. A moving window would remember the moment
of every call (a million entries for one key of the plan `extended`), and a weighted one cannot say
when calls are possible again; a fixed one is a single number a window, its `Retry-After` is exact,
and as windows of callers do not start together, their ends do not bring everybody at once. The price:
around the end of a window a caller may make up to two windows' calls in a short time.

Storage and limits are those of Flask-Limiter; counting and headers are done here, because its own
checking of a call takes 0.35 ms of CPU and this 0.1 ms.
"""

from __future__ import annotations

import math
import time
from functools import lru_cache
from operator import attrgetter

from flask import Flask, Response, current_app, g, request
from limits import RateLimitItem, parse_many

from api import identity
from catalog.errors import TooMany
from catalog.permissions import ANYONE
from catalog.services.attempts import Window, address_block, take
from catalog.settings import Settings

PLANS = ("anonymous", "basic", "extended")
HEADERS = (
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "RateLimit-Policy",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "Retry-After",
)


def init_app(app: Flask) -> None:
    """Count every call of the API and answer with the headers; pages are not counted."""
    settings: Settings = app.extensions["weft"]["settings"]
    app.extensions["weft_limits"] = {
        plan: tuple(sorted(parse_many(getattr(settings, f"limit_{plan}")))) for plan in PLANS
    }
    app.before_request(count)
    app.after_request(add_headers)


def count() -> None:
    """Count this call, shortest window first; raise TooMany when one is used up.

    A refused call is not counted in the longer windows, and a browser's question whether it may call
    (OPTIONS) in none: it carries no key, so it would use up the calls of its address.
    """
    if not identity.is_call():
        return
    g.windows = []
    cost = 0 if request.method == "OPTIONS" else 1
    who = g.caller = caller()
    for limit in limits_of(who[0]):
        window = take(limit, *who, cost=cost)
        g.windows.append(window)
        if window.left < 0:
            raise TooMany(
                "too many calls; try again in %(retry_after)s seconds", retry_after=wait(window)
            )


def limits_of(plan: str) -> tuple[RateLimitItem, ...]:
    """The limits of a plan, shortest window first."""
    limits: tuple[RateLimitItem, ...] = current_app.extensions["weft_limits"][plan]
    return limits


def caller() -> tuple[str, str]:
    """What is counted: a plan with the key, or with the address (for IPv6 its /64)."""
    who = g.get("identity", ANYONE)
    if who.key_id is None:
        return "anonymous", _block(request.remote_addr)
    return who.plan if who.plan in PLANS else "basic", who.key_id


_block = lru_cache(maxsize=10_000)(address_block)


def wait(window: Window) -> int:
    """Seconds until a window ends."""
    return max(1, math.ceil(window.resets_at - time.time()))


def add_headers(response: Response) -> Response:
    """Say what is left, for the window that has the least left."""
    if not identity.is_call() or not g.get("windows"):
        return response
    window: Window = min(g.windows, key=attrgetter("left"))
    headers = response.headers
    headers.add("RateLimit-Policy", _policy(limits_of(g.caller[0])))
    for prefix, reset in (
        ("RateLimit", wait(window)),
        ("X-RateLimit", math.ceil(window.resets_at)),
    ):
        headers.add(f"{prefix}-Limit", str(window.limit.amount))
        headers.add(f"{prefix}-Remaining", str(max(0, window.left)))
        headers.add(f"{prefix}-Reset", str(reset))
    return response


@lru_cache(maxsize=64)
def _policy(limits: tuple[RateLimitItem, ...]) -> str:
    return ", ".join(f"{limit.amount};w={limit.get_expiry()}" for limit in limits)
