"""The file of an uploaded resource, at the address that CKAN gives it; links lead on."""

from __future__ import annotations

import mimetypes
import re

from flask import Response, g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.http import parse_range_header

from api.answers import dated
from api.files import disposition
from api.identity import ckan_key
from catalog.errors import NotFound
from catalog.permissions import Identity
from catalog.services import catalogue, keys, resources, uploads, usage

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-cache",
}
"""Nothing that somebody uploaded runs in a browser as a part of this portal."""
MEDIA_TYPE = re.compile(r"[\w.+!#$&^-]+/[\w.+!#$&^-]+( *;[ -~]*)?", re.ASCII)
"""What may stand in a header; clients write anything."""


def download(id_: str, resource_id: str, filename: str = "") -> ResponseReturnValue:  # noqa: ARG001 # any name is good for saving
    """The file, or a part of it (Range); a link is followed where there is no file."""
    who = _reader()
    row = resources.show(who, resource_id)
    if id_ not in (row.dataset_id, row.dataset.slug):
        raise NotFound("there is no such resource")
    if uploads.KEY not in (row.extras or {}):
        if not row.url or not catalogue.is_readable(who, row.dataset):
            raise NotFound("there is no such file")
        return redirect(row.url)
    sent = uploads.show(who, resource_id)
    if request.method == "GET":
        usage.count(row.dataset_id, "download")
    return _answer(sent)


def _answer(sent: uploads.Sent) -> Response:
    """The file, the part of it that is asked for, or only that the caller's copy is current."""
    row, tag = sent.resource, sent.key.split("/")[1]
    span = _span(sent.size, tag)
    if span is None:
        refused = Response(status=416)
        refused.headers["Content-Range"] = f"bytes */{sent.size}"
        return refused
    start, stop = span
    part = span != (0, sent.size)
    stated = row.media_type if MEDIA_TYPE.fullmatch(row.media_type or "") else None
    type_ = stated or mimetypes.guess_type(sent.name)[0] or "application/octet-stream"
    pieces = sent.pieces(start, stop) if request.method == "GET" else iter(())
    response = Response(pieces, 206 if part else 200, content_type=type_)
    response.headers.update(SAFE)
    response.headers["Content-Disposition"] = disposition(sent.name)
    response.headers["Content-Length"] = str(stop - start)
    response.headers["Accept-Ranges"] = "bytes"
    if part:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{sent.size}"
    response = dated(response, tag=tag, modified=row.updated_at)
    if not part:
        response.make_conditional(request)
    return response


def _span(size: int, tag: str) -> tuple[int, int] | None:
    """First byte and the one after the last; the whole file for anything but one part; None behind its end."""
    asked = parse_range_header(request.headers.get("Range"))
    known = request.if_range.etag
    if asked is None or len(asked.ranges) != 1 or (known is not None and known != tag):
        return 0, size
    return asked.range_for_length(size)


def _reader() -> Identity:
    """Who asks: the key of a program, or a signed-in person."""
    secret = ckan_key()
    return keys.identify(secret) if secret else g.identity
