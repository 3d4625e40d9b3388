"""Search in process by Tantivy: the worker writes the index, every process reads it.

What the web process itself has written is found at once: it stands in an overlay in memory until the
worker has put it into the index. That holds for one web process; several use Elasticsearch.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import tantivy

from catalog.errors import Unavailable
from catalog.search.engine import (
    PUBLIC,
    Bucket,
    Document,
    Hit,
    SearchPage,
    SearchQuery,
    Suggestion,
)
from catalog.search.facets import FACETS, check_query
from catalog.search.indexed import IS
from catalog.search.tantivy_documents import STAMP, to_tantivy
from catalog.search.tantivy_folder import IndexFolder
from catalog.search.tantivy_overlay import Overlay
from catalog.search.tantivy_query import Compiler
from catalog.search.tantivy_view import Facets, Found, View, number_of

KEPT_COUNTS = 256
"""Searches whose facets are kept until the index changes: further pages and orders reuse them."""


def _today() -> date:
    return datetime.now(UTC).date()


class TantivyEngine:
    """The engine on a folder; `today` says the day that the ranges of `updated` are counted from."""

    shared = False

    def __init__(self, folder: Path, *, today: Callable[[], date] = _today) -> None:
        self._folder = IndexFolder(Path(folder))
        self._compiler = Compiler(self._folder.schema)
        self._overlay = Overlay(self._folder.schema)
        self._tidied: object = None
        self._today = today
        self._counts: OrderedDict[object, tuple[Facets, Facets]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, documents: Iterable[Document]) -> None:
        """Add or replace documents; when it returns, they are found."""
        batch = tuple(documents)
        if not batch:
            return
        with self._folder.writing(len(batch)) as writer:
            self._write(writer, batch, ())
            self._folder.spool.add((batch, ()))

    def delete(self, ids: Iterable[str]) -> None:
        """Forget documents; unknown ids are no error."""
        unwanted = tuple(ids)
        if not unwanted or self._folder.snapshot() is None:
            return
        with self._folder.writing() as writer:
            self._write(writer, (), unwanted)
            self._folder.spool.add(((), unwanted))

    def show(self, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        """Make these found, and `gone` not, by every search from now on."""
        snapshot = self._folder.snapshot()
        searcher = snapshot.searcher if snapshot else None
        self._overlay.show(documents, gone, lambda id_: self._version(searcher, id_))

    def rebuild(self, documents: Iterable[Document]) -> None:
        """Replace the whole index; readers see the old one until the new one is complete.

        What others put and delete meanwhile is done again in the new one before it takes its place.
        """
        with self._folder.rebuilding() as (writer, stack):
            for document in documents:
                writer.add_document(to_tantivy(document, self._folder.schema))
            stack.enter_context(self._folder.exclusive())
            for put, deleted in self._folder.spool.taken():
                self._write(writer, put, deleted)

    def _write(
        self, writer: tantivy.IndexWriter, documents: Iterable[Document], gone: Iterable[str]
    ) -> None:
        for document in documents:
            made = to_tantivy(document, self._folder.schema)
            writer.delete_documents_by_term("id", document.id)
            writer.add_document(made)
        for id_ in gone:
            writer.delete_documents_by_term("id", id_)

    def ids(self) -> frozenset[str]:
        """All ids in the index, for comparing it with the database."""
        snapshot = self._folder.snapshot()
        if snapshot is None:
            return frozenset()
        # Without the query, ids of deleted documents would be listed too.
        terms = snapshot.searcher.terms_with_prefix("id", "", tantivy.Query.all_query())
        return frozenset(id_ for id_, _ in terms)

    def stamps(self) -> Mapping[str, str]:
        """Id → stamp of all documents, for comparing them with the database."""
        snapshot = self._folder.snapshot()
        if snapshot is None:
            return {}
        start = f"{STAMP}{IS}"
        everything = tantivy.Query.all_query()
        terms = snapshot.searcher.terms_with_prefix("facts", start, everything)
        return dict(term[len(start) :].split(IS, 1) for term, _ in terms)

    def search(self, query: SearchQuery) -> SearchPage:
        """One page of hits; raises BadQuery for what cannot be asked and Unavailable when down."""
        check_query(query)
        view = self._view(query)
        if view is None:
            empty: dict[str, tuple[Bucket, ...]] = {facet.name: () for facet in FACETS}
            counts: Facets = {count.field: () for count in query.counts}
            return SearchPage(0, (), empty if query.facets else {}, counts=counts)
        try:
            return self._search(view)
        except (OSError, ValueError) as error:
            raise Unavailable("the search index cannot be read, it is being repaired") from error

    def suggest(
        self, text: str, limit: int = 10, visible: tuple[str, ...] = (PUBLIC,)
    ) -> tuple[Suggestion, ...]:
        """Titles and tags that begin so, also in pinyin or its initials; then titles that hold it."""
        view = self._view(SearchQuery(text[:100], facets=False, visible=visible))
        return view.suggestions(limit) if view and limit > 0 else ()

    def similar(
        self, id_: str, limit: int = 5, visible: tuple[str, ...] = (PUBLIC,)
    ) -> tuple[Hit, ...]:
        """Documents most like this one, without itself; none of an unknown id."""
        view = self._view(SearchQuery(facets=False, visible=visible, limit=limit))
        return view.similar(id_, limit) if view and limit > 0 else ()

    def forget(self) -> None:
        """Count the facets of the next searches anew."""
        with self._lock:
            self._counts.clear()

    def _view(self, query: SearchQuery) -> View | None:
        """What a search looks into; None where nothing was ever written.

        The layer is taken before the snapshot: a document may leave the overlay only once a snapshot
        holds it, so one of the two has it.
        """
        layer = self._overlay.layer()
        snapshot = self._folder.snapshot()
        if snapshot is None and layer.searcher is None:
            return None
        if snapshot is not None and layer.hidden and self._tidied != snapshot.state:
            self._tidied = snapshot.state
            self._overlay.tidy(lambda id_: self._version(snapshot.searcher, id_))
        return View(self._compiler, snapshot, layer, query, self._today())

    def _version(self, searcher: tantivy.Searcher | None, id_: str) -> int | None:
        """The version of a document on the disk; None where it is not."""
        if searcher is None:
            return None
        found = searcher.search(self._compiler.with_id(id_), 1).hits
        return number_of(searcher, "version", found[0][1]) if found else None

    def _search(self, view: View) -> SearchPage:
        found = view.find()
        facets, counts = self._counted(view, found)
        return SearchPage(found.total, found.hits, facets, found.partial, counts, found.meant)

    def _counted(self, view: View, found: Found) -> tuple[Facets, Facets]:
        if not view.query.facets and not view.query.counts:
            return {}, {}
        key = view.key()
        with self._lock:
            kept = self._counts.get(key)
            if kept is not None:
                self._counts.move_to_end(key)
                return kept
        counted = view.counted(found)
        with self._lock:
            self._counts[key] = counted
            while len(self._counts) > KEPT_COUNTS:
                self._counts.popitem(last=False)
        return counted
