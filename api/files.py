"""Whole files as answers: at once while they are being made, in parts (RFC 9110, 14) once they are kept."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, request
from werkzeug.http import parse_range_header

from api.answers import dated, is_conditional, unchanged
from catalog.services import release_files
from catalog.services.release_files import ReleaseFormat

Span = tuple[int, int | None]
"""First byte and the one after the last; a negative first one counts from the end."""


def send(wanted: ReleaseFormat) -> Response:
    """The file, a part of it, or only what is known of it (HEAD)."""
    same = _unchanged(wanted) if is_conditional() else None
    if same is not None:
        return same
    span = asked_span(wanted)
    if span is not None and request.method == "GET":
        return _part(release_files.made(wanted), span)
    pieces = release_files.stream(wanted) if request.method == "GET" else iter(())
    response = Response(pieces, content_type=wanted.format.media_type)
    if wanted.made is not None:
        response.headers["Content-Length"] = str(wanted.made.bytes)
    return _headed(response, wanted)


def asked_span(wanted: ReleaseFormat) -> Span | None:
    """The one part that is asked for; None means the whole file.

    Several parts at once, other units and a part of a file that has changed since (`If-Range`) are answered with
    the whole file, as RFC 9110 allows.
    """
    asked = parse_range_header(request.headers.get("Range"))
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return None
    condition = request.if_range
    if condition.etag is not None and condition.etag != wanted.tag:
        return None
    moment = wanted.release.created_at.replace(microsecond=0)
    if condition.date is not None and condition.date != moment:
        return None
    return asked.ranges[0]


def disposition(filename: str) -> str:
    """The header for saving under a name in any script (RFC 6266 with RFC 8187)."""
    plain = "".join(
        sign if 32 <= ord(sign) < 127 and sign not in '"\\%' else "_" for sign in filename
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _part(wanted: ReleaseFormat, span: Span) -> Response:
    size = wanted.made.bytes if wanted.made else 0
    start, stop = span
    first = max(0, size + start) if start < 0 else start
    after = size if stop is None else min(stop, size)
    if first >= after:
        response = Response(status=416)
        response.headers["Content-Range"] = f"bytes */{size}"
        return _headed(response, wanted)
    pieces = release_files.part(wanted, first, after - first)
    response = Response(pieces, 206, content_type=wanted.format.media_type)
    response.headers["Content-Range"] = f"bytes {first}-{after - 1}/{size}"
    response.headers["Content-Length"] = str(after - first)
    return _headed(response, wanted)


def _headed(response: Response, wanted: ReleaseFormat) -> Response:
    response.headers["Accept-Ranges"] = "bytes"
    if response.status_code != 416:
        response.headers["Content-Disposition"] = disposition(wanted.filename)
    return dated(response, tag=wanted.tag, modified=wanted.release.created_at)


def _unchanged(wanted: ReleaseFormat) -> Response | None:
    return unchanged(tag=wanted.tag, modified=wanted.release.created_at)
