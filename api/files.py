"""Whole files as answers: at once while they are being made, in parts (RFC 9110, 14) once they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex
from urllib.parse import quote

from flask import Response, request
from werkzeug.http import parse_range_header

from api.answers import dated, is_conditional, unchanged
from catalog.services import release_files
from catalog.services.release_files import ReleaseFormat

Span = tuple[int, int]
"""First byte and the one after the last."""
Asked = tuple[int, int | None]
"""The same as it is asked for: a negative first byte counts from the end, no last one means to the end."""
MOST_SPANS = 64
"""Parts that one answer may have; who asks for more, or for bytes twice, gets the whole file."""


WAIT_SECONDS = 20.0
"""How long a call waits for a file that cannot be sent while it is made; proxies give up after a minute."""


def send(wanted: ReleaseFormat) -> Response:
    """The file, parts of it, or only what is known of it (HEAD)."""
    same = _unchanged(wanted) if is_conditional() else None
    if same is not None:
        return same
    asked = asked_spans(wanted)
    if asked is not None and request.method == "GET":
        return _parts(release_files.made(wanted), asked)
    return _whole(wanted)


def asked_spans(wanted: ReleaseFormat) -> Sequence[Asked] | None:
    """The parts that are asked for; None means the whole file.

    Other units, parts that are not in order, too many, and parts of a file that has changed since (`If-Range`) are
    answered with the whole file, as RFC 9110 allows.
    """
    asked = parse_range_header(request.headers.get("Range"))
    if asked is None or asked.units != "bytes" or len(asked.ranges) > MOST_SPANS:
        return None
    condition = request.if_range
    if condition.etag is not None and condition.etag != wanted.tag:
        return None
    moment = wanted.release.created_at.replace(microsecond=0)
    if condition.date is not None and condition.date != moment:
        return None
    return asked.ranges


def disposition(filename: str) -> str:
    """The header for saving under a name in any script (RFC 6266 with RFC 8187)."""
    plain = "".join(
        sign if 32 <= ord(sign) < 127 and sign not in '"\\%' else "_" for sign in filename
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _whole(wanted: ReleaseFormat) -> Response:
    """The file; one that must be whole before its first byte leaves is waited for, or asked for again later."""
    if request.method == "GET" and not wanted.format.at_once:
        wanted = release_files.made(wanted, seconds=WAIT_SECONDS)
    pieces = release_files.stream(wanted) if request.method == "GET" else iter(())
    response = Response(pieces, content_type=wanted.format.media_type)
    if wanted.made is not None:
        response.headers["Content-Length"] = str(wanted.made.bytes)
    return _headed(response, wanted)


def _parts(wanted: ReleaseFormat, asked: Sequence[Asked]) -> Response:
    """Those of the parts that the file has; one of them alone, several as RFC 9110 puts them together (14.6)."""
    size = wanted.made.bytes if wanted.made else 0
    spans = [span for span in (_within(one, size) for one in asked) if span[0] < span[1]]
    if not spans:
        response = Response(status=416)
        response.headers["Content-Range"] = f"bytes */{size}"
        return _headed(response, wanted)
    if sum(after - first for first, after in spans) > size:
        return _whole(wanted)
    return _one(wanted, spans[0], size) if len(spans) == 1 else _several(wanted, spans, size)


def _within(asked: Asked, size: int) -> Span:
    """The part as it lies in a file of this size; one behind its end is empty."""
    start, stop = asked
    first = max(0, size + start) if start < 0 else start
    return first, size if stop is None else min(stop, size)


def _one(wanted: ReleaseFormat, span: Span, size: int) -> Response:
    first, after = span
    pieces = release_files.parts(wanted, [(b"", first, after - first)])
    response = Response(pieces, 206, content_type=wanted.format.media_type)
    response.headers["Content-Range"] = _content_range(span, size)
    response.headers["Content-Length"] = str(after - first)
    return _headed(response, wanted)


def _several(wanted: ReleaseFormat, spans: Sequence[Span], size: int) -> Response:
    border = token_hex(16)  # nobody could have written it into the file
    parts, length = [], 0
    for span in spans:
        head = (
            f"\r\n--{border}\r\nContent-Type: {wanted.format.media_type}\r\n"
            f"Content-Range: {_content_range(span, size)}\r\n\r\n"
        ).encode()
        parts.append((head, span[0], span[1] - span[0]))
        length += len(head) + span[1] - span[0]
    end = f"\r\n--{border}--\r\n".encode()
    response = Response(
        release_files.parts(wanted, parts, end=end),
        206,
        content_type=f"multipart/byteranges; boundary={border}",
    )
    response.headers["Content-Length"] = str(length + len(end))
    return _headed(response, wanted)


def _content_range(span: Span, size: int) -> str:
    return f"bytes {span[0]}-{span[1] - 1}/{size}"


def _headed(response: Response, wanted: ReleaseFormat) -> Response:
    response.headers["Accept-Ranges"] = "bytes"
    if response.status_code != 416:
        response.headers["Content-Disposition"] = disposition(wanted.filename)
    return dated(response, tag=wanted.tag, modified=wanted.release.created_at)


def _unchanged(wanted: ReleaseFormat) -> Response | None:
    return unchanged(tag=wanted.tag, modified=wanted.release.created_at)
