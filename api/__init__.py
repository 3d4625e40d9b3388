"""Machines: the REST API, with keys and limits. `init_app` is called by the composition root."""

from __future__ import annotations

import orjson
from flask import Flask, Response, request

from api import ckan, feeds, identity, limits, v1
from catalog.errors import BadQuery

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

ESCAPE = b"\\u"
ASKING = ("Content-Type", "If-None-Match", "If-Modified-Since", "Range", "If-Range")
KEYS = ("Authorization", "X-API-Key", "X-CKAN-API-Key")
VARY = (*KEYS, "Accept-Language")


def init_app(app: Flask) -> None:
    """Add the API: who calls is known first, then the call is counted, then a bad key refused."""
    identity.init_app(app)
    limits.init_app(app)
    app.before_request(identity.refuse)
    app.before_request(refuse_half_characters)
    app.after_request(share)
    v1.init_app(app)
    ckan.init_app(app)
    feeds.init_app(app)


def refuse_half_characters() -> None:
    """Raise BadQuery for JSON with half a character (a lone surrogate): nothing behind can keep or repeat it."""
    if request.path.startswith("/api/v1/") and request.is_json and ESCAPE in request.get_data():
        try:
            orjson.loads(request.get_data())
        except orjson.JSONDecodeError as error:
            raise BadQuery("the body is no JSON in UTF-8") from error


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
