"""How many calls a caller may make, and the headers that say so.

Windows are fixed and open with the first call of a caller. A moving window would remember the moment
of every call (a million entries for one key of the plan `extended`), and a weighted one cannot say
when calls are possible again; a fixed one is a single number a window, its `Retry-After` is exact,
and as windows of callers do not start together, their ends do not bring everybody at once. The price:
around the end of a window a caller may make up to two windows' calls in a short time.
"""

from __future__ import annotations

import math
import time
from typing import cast

from flask import Flask, Response, current_app, g, request
from flask_limiter import ApplicationLimit, Limiter
from limits import RateLimitItem, parse_many

from api import identity
from catalog.permissions import ANYONE
from catalog.services.attempts import address_block, storage_address
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
    shared = not settings.limits_url.startswith("memory:")
    limiter = Limiter(
        caller,
        application_limits=[
            ApplicationLimit(
                getattr(settings, f"limit_{plan}"),
                scope=f"api/{plan}",
                exempt_when=lambda plan=plan: plan_of_caller() != plan,
            )
            for plan in PLANS
        ],
        storage_uri=storage_address(settings),
        strategy="fixed-window",
        request_identifier=lambda: "api" if identity.is_call() else "",
        in_memory_fallback_enabled=shared,  # a stopped Redis must not stop the API
    )
    limiter.request_filter(lambda: request.method == "OPTIONS")
    limiter.init_app(app)
    app.extensions["weft_limiter"] = limiter
    app.extensions["weft_limits"] = {
        plan: sorted(parse_many(getattr(settings, f"limit_{plan}"))) for plan in PLANS
    }
    app.after_request(add_headers)


def caller() -> str:
    """What is counted: the key, or the address (for IPv6 its /64)."""
    who = g.get("identity", ANYONE)
    return who.key_id or address_block(request.remote_addr)


def plan_of_caller() -> str:
    """The plan whose limits apply."""
    plan = g.get("identity", ANYONE).plan
    return plan if plan in PLANS else "anonymous"


def retry_after() -> int:
    """Seconds until the limit that refused this call allows the next one."""
    limit = limiter_of_app().current_limit
    return max(1, math.ceil(limit.reset_at - time.time())) if limit else 1


def limiter_of_app() -> Limiter:
    """The limiter of this application."""
    return cast("Limiter", current_app.extensions["weft_limiter"])


def add_headers(response: Response) -> Response:
    """Say what is left, for the window that has the least left."""
    if not identity.is_call():
        return response
    items = current_app.extensions["weft_limits"][plan_of_caller()]
    limit, remaining, resets = min((_state(item) for item in items), key=lambda state: state[1])
    wait = max(0, math.ceil(resets - time.time()))
    headers = response.headers
    headers["RateLimit-Policy"] = ", ".join(f"{item.amount};w={item.get_expiry()}" for item in items)
    for prefix, reset in (("RateLimit", wait), ("X-RateLimit", math.ceil(resets))):
        headers[f"{prefix}-Limit"] = str(limit.amount)
        headers[f"{prefix}-Remaining"] = str(remaining)
        headers[f"{prefix}-Reset"] = str(reset)
    return response


def _state(item: RateLimitItem) -> tuple[RateLimitItem, int, float]:
    window = limiter_of_app().limiter.get_window_stats(item, caller(), f"api/{plan_of_caller()}")
    return item, window.remaining, window.reset_time
