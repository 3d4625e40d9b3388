"""What this process has written and the index on the disk does not hold yet: a small index in memory.

Searches look into both; of a document that is here, the one on the disk is passed over. Once the worker
has put the same or a newer version into the index, the document leaves this one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import tantivy

from catalog.search.engine import Document
from catalog.search.tantivy_documents import to_tantivy

HEAP = 15_000_000
"""Bytes of the writer in memory: the least that Tantivy takes."""
GONE_SECONDS = 120.0
"""How long what was deleted stays hidden, should a worker put an older version of it late."""


@dataclass(frozen=True)
class Layer:
    """A state of the overlay: what it finds, and the ids that the index on the disk must not."""

    searcher: tantivy.Searcher | None
    hidden: tuple[str, ...]
    number: int


EMPTY = Layer(None, (), 0)


class Overlay:
    """Documents shown and ids gone, since the index last took them over."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self._schema = schema
        self._lock = threading.Lock()
        self._forget()

    def layer(self) -> Layer:
        """What is in it now."""
        return self._layer if self._process == os.getpid() else EMPTY

    def show(
        self,
        documents: Iterable[Document],
        gone: Iterable[str],
        indexed: Callable[[str], int | None],
    ) -> None:
        """Add documents that are newer than those known here and on the disk (`indexed`), and ids that are gone."""
        with self._lock:
            if self._process != os.getpid():
                self._forget()
            for document in documents:
                known = (self._versions.get(document.id), indexed(document.id))
                if any(version is not None and version > document.version for version in known):
                    continue
                self._put(document)
            for id_ in gone:
                self._drop(id_)
                self._gone[id_] = time.monotonic() + GONE_SECONDS
            self._commit()

    def tidy(self, indexed: Callable[[str], int | None]) -> None:
        """Let go of what the index on the disk holds by now, and of what has been gone long enough."""
        with self._lock:
            if self._process != os.getpid() or not (self._versions or self._gone):
                return
            for id_, version in list(self._versions.items()):
                there = indexed(id_)
                if there is not None and there >= version:
                    self._drop(id_)
            moment = time.monotonic()
            for id_, until in list(self._gone.items()):
                if until < moment and indexed(id_) is None:
                    del self._gone[id_]
            self._commit()

    def clear(self) -> None:
        """Forget everything: the index was made anew."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._process = os.getpid()
        self._versions: dict[str, int] = {}
        self._gone: dict[str, float] = {}
        self._index: tantivy.Index | None = None
        self._writer: tantivy.IndexWriter | None = None
        self._layer = EMPTY

    def _open(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self._index = tantivy.Index(self._schema)
            self._index.config_reader(reload_policy="manual")
            self._writer = self._index.writer(HEAP, 1)
        return self._writer

    def _put(self, document: Document) -> None:
        made = to_tantivy(document, self._schema)  # first: what cannot be made changes nothing
        writer = self._open()
        writer.delete_documents_by_term("id", document.id)
        writer.add_document(made)
        self._versions[document.id] = document.version
        self._gone.pop(document.id, None)

    def _drop(self, id_: str) -> None:
        if self._versions.pop(id_, None) is not None:
            self._open().delete_documents_by_term("id", id_)

    def _commit(self) -> None:
        number = self._layer.number + 1
        if self._versions and self._index is not None and self._writer is not None:
            self._writer.commit()
            self._index.reload()
            searcher = self._index.searcher()
            self._layer = Layer(searcher, (*self._versions, *self._gone), number)
        else:
            self._index = self._writer = None
            self._layer = Layer(None, tuple(self._gone), number)
