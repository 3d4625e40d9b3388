"""Machines: the REST API, with keys and limits. `init_app` is called by the composition root."""

from __future__ import annotations

from flask import Flask, Response, request

from api import ckan, identity, limits, v1

EXPOSED = ", ".join(
    (
        *limits.HEADERS,
        "ETag",
        "Last-Modified",
        "Link",
        "Content-Disposition",
        "Content-Range",
        "Accept-Ranges",
        "Weft-Truncated",
        "Weft-Release",
        "Weft-Cursor",
        "X-Total-Count",
        "X-Request-Id",
    )
)

ASKING = ("Content-Type", "If-None-Match", "If-Modified-Since", "Range", "If-Range")
KEYS = ("Authorization", "X-API-Key", "X-CKAN-API-Key")
VARY = (*KEYS, "Accept-Language")


def init_app(app: Flask) -> None:
    """Add the API: who calls is known first, then the call is counted, then a bad key refused."""
    identity.init_app(app)
    limits.init_app(app)
    app.before_request(identity.refuse)
    app.after_request(share)
    v1.init_app(app)
    ckan.init_app(app)


def share(response: Response) -> Response:
    """Let pages of other sites call the API: without cookies, and with the limits in sight."""
    if not identity.is_call():
        return response
    headers = response.headers
    headers.add("Access-Control-Allow-Origin", "*")
    headers.add("Access-Control-Expose-Headers", EXPOSED)
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE"
        headers["Access-Control-Allow-Headers"] = ", ".join((*KEYS, *ASKING))
        headers["Access-Control-Max-Age"] = "86400"
    if "Vary" in headers:
        response.vary.update(VARY)
    else:
        headers.add("Vary", ", ".join(VARY))
    if response.status_code == 200:
        headers.setdefault(
            "Cache-Control", "private, no-cache" if sent_key() else "public, no-cache"
        )
    return response


def sent_key() -> bool:
    """Whether the answer was made for a key, so that shared caches must not keep it."""
    return any(name in request.headers for name in KEYS)
