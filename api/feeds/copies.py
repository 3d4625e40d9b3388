"""The whole catalogue as a file, also in parts (`Range`)."""

from __future__ import annotations

from flask import Response, request
from werkzeug.datastructures import Range

from api.feeds.answers import answer, bp, current
from api.files import disposition
from catalog.services import catalogue_copies, release_files


@bp.get("/catalog.<any('jsonl.gz', 'parquet'):kind>")
def copy(kind: str) -> Response:
    """The copy of the newest state there is."""
    found = catalogue_copies.find(kind)
    same = current(found.tag, found.size.changed)
    if same is not None:
        return same
    response = answer(b"", found.media_type, found.tag, found.size.changed)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Content-Disposition"] = disposition(f"catalog.{kind}")
    first, after = 0, found.bytes
    asked = _asked(found.tag)
    if asked is not None:
        span = asked.range_for_length(found.bytes)
        response.headers["Content-Range"] = asked.make_content_range(found.bytes) or (
            f"bytes */{found.bytes}"
        )
        response.status_code = 416 if span is None else 206
        first, after = span or (0, 0)
    response.content_length = after - first
    if request.method == "GET" and after > first:
        file = catalogue_copies.open_copy(found)
        response.response = release_files.Pieces(file, [(b"", first, after - first)])
    return response


def _asked(tag: str) -> Range | None:
    """The one part that is asked for; several, and those of another state of the file, are answered with all of it."""
    asked, condition = request.range, request.if_range
    if asked is None or asked.units != "bytes" or len(asked.ranges) > 1:
        return None
    if condition.date is not None or condition.etag not in {None, tag}:
        return None
    return asked
