"""The lines of a bulk request of Elasticsearch; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from catalog.errors import Unavailable

REQUEST_BYTES = 4_000_000
"""Bytes of documents that are sent at once, more or less."""
MARK = orjson.dumps({"gone": True})
"""What a deleted document leaves in an index that is being filled."""


@dataclass(frozen=True)
class Waiting:
    """A document to be written."""

    version: int
    body: bytes


@dataclass(frozen=True)
class Known:
    """A document that is there: its version, -1 for a mark, and what Elasticsearch counts its changes by."""

    version: int
    seq_no: int
    term: int


def line(action: str, id_: str, seq_no: int | None = None, term: int | None = None) -> bytes:
    """What is to be done with a document; with the numbers, only if nobody has changed it since."""
    only_if = {} if seq_no is None else {"if_seq_no": seq_no, "if_primary_term": term}
    return orjson.dumps({action: {"_id": id_, **only_if}})


def writes(
    documents: Mapping[str, Waiting], known: Mapping[str, Known]
) -> Iterator[tuple[bytes, ...]]:
    """Lines that write a document only over what is known, and not over a newer one."""
    for id_, document in documents.items():
        there = known.get(id_)
        if there is None:
            yield line("create", id_), document.body
        elif there.version <= document.version:
            yield line("index", id_, there.seq_no, there.term), document.body


def batches(documents: Iterable[tuple[bytes, ...]]) -> Iterator[list[bytes]]:
    """Lines in requests of a good size; those of a document stay together."""
    batch: list[bytes] = []
    size = 0
    for lines in documents:
        batch.extend(lines)
        size += sum(map(len, lines))
        if size > REQUEST_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def check(result: dict[str, Any]) -> None:
    """Raise what a document was refused for; one that was not there to be deleted is no error."""
    error = result.get("error")
    if error is None:
        return
    if result["status"] in (429, 503):
        raise Unavailable("the search engine cannot work at the moment")
    raise RuntimeError(
        f"Elasticsearch refuses a document: {error.get('type')}: {error.get('reason')}"
    )
