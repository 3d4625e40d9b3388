"""Answers of the API: JSON by orjson, links, and what lets a caller keep an answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Response, current_app, g, request
from werkzeug.http import http_date

PLAIN_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?")


def json_answer(body: Any, *, tag: str = "", modified: datetime | None = None) -> Response:
    """The body as JSON; with a tag or a moment the caller may ask whether it is still current."""
    response = Response(orjson.dumps(body), content_type="application/json")
    return dated(response, tag=tag, modified=modified)


def dated(response: Response, *, tag: str, modified: datetime | None) -> Response:
    """The response with ETag and Last-Modified."""
    if tag:
        response.headers["ETag"] = f'"{tag}"'
    if modified is not None:
        response.headers["Last-Modified"] = http_date(modified)
    return response


def is_conditional() -> bool:
    """Whether the caller has an answer and asks if it is still current."""
    return "If-None-Match" in request.headers or "If-Modified-Since" in request.headers


def unchanged(*, tag: str, modified: datetime | None) -> Response | None:
    """304 when the caller's copy is still current; a tag counts more than a moment (RFC 9110)."""
    if "If-None-Match" in request.headers:
        same = request.if_none_match.contains_weak(tag)
    else:
        since = request.if_modified_since
        same = bool(since and modified and modified.replace(microsecond=0) <= since)
    return dated(Response(status=304), tag=tag, modified=modified) if same else None


def tag_of(*parts: object) -> str:
    """A tag that changes with its parts, the address, the key and the language."""
    known = (*parts, request.full_path, g.lang, g.identity.account_id)
    return hashlib.sha256(repr(known).encode()).hexdigest()[:24]


def site() -> str:
    """Scheme and host that callers see."""
    settings = current_app.extensions["weft"]["settings"]
    if settings.site_url:
        return str(settings.site_url)
    if PLAIN_HOST.fullmatch(request.host):
        return (
            f"{request.scheme}://{request.host}"  # host_url says the same, a hundred times slower
        )
    return request.host_url.rstrip("/")


def address(path: str, parameters: Mapping[str, object] | None = None) -> str:
    """An absolute address of this portal."""
    whole = f"{site()}{request.script_root}{path}"
    return f"{whole}?{urlencode(parameters, doseq=True)}" if parameters else whole


def this_call(*without: str, **changes: object) -> str:
    """The address of this call with some parameters changed."""
    kept = {
        name: values
        for name, values in request.args.to_dict(flat=False).items()
        if name not in without and name not in changes
    }
    return address(request.path, {**kept, **changes})
