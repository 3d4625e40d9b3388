"""Cursors: where the next page starts, in which release, of which query."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, replace

import orjson

from catalog.errors import BadQuery
from catalog.tabular.query import TableQuery


@dataclass(frozen=True)
class Cursor:
    """A place in the rows of one release."""

    position: int
    """Position in the journal, so that paging goes on in the release that it began in."""
    offset: int
    beside: int = 0
    """Position of the other table of a join."""


def write_cursor(cursor: Cursor, table_id: str, query: TableQuery) -> str:
    """Opaque text; a checksum binds it to the table and the query.

    The checksum finds mistakes, it is no secret: whoever forges a cursor gets another page of rows that
    the same permissions and limits guard.
    """
    beside = [cursor.beside] if cursor.beside else []
    body = orjson.dumps([cursor.position, cursor.offset, *beside])
    return base64.urlsafe_b64encode(_checksum(body, table_id, query) + body).rstrip(b"=").decode()


def read_cursor(text: str, table_id: str, query: TableQuery) -> Cursor:
    """The place that `text` names; raises BadQuery when it was changed or belongs to another query."""
    try:
        raw = base64.b64decode(
            text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
        )
        checksum, body = raw[:9], raw[9:]
        found = Cursor(*orjson.loads(body))
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadQuery("the cursor is damaged; start again without it") from error
    if checksum != _checksum(body, table_id, query):
        raise BadQuery("the cursor belongs to another query; start again without it")
    return found


def _checksum(body: bytes, table_id: str, query: TableQuery) -> bytes:
    same = replace(query, limit=0, offset=0)  # pages may differ in size
    text = repr((table_id, same)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(body + text, digest_size=9).digest()
