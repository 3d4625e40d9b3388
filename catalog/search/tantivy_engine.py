"""Search in process by Tantivy: the worker writes the index, every process reads it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import tantivy
from tantivy import Order, Query

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
from catalog.search.facets import (
    FACETS,
    MOST_BUCKETS,
    Facet,
    Kind,
    check_query,
    range_buckets,
)
from catalog.search.tantivy_documents import to_tantivy
from catalog.search.tantivy_folder import IndexFolder, Snapshot
from catalog.search.tantivy_query import (
    FETCHED_BUCKETS,
    Compiler,
    aggregation,
    narrowed,
    unfiltered,
)

KEPT_COUNTS = 256
"""Searches whose facets are kept until the index changes: further pages and orders reuse them."""
Facets = Mapping[str, tuple[Bucket, ...]]


def _today() -> date:
    return datetime.now(UTC).date()


class TantivyEngine:
    """The engine on a folder; `today` says the day that the ranges of `updated` are counted from."""

    shared = False

    def __init__(self, folder: Path, *, today: Callable[[], date] = _today) -> None:
        self._folder = IndexFolder(Path(folder))
        self._compiler = Compiler(self._folder.schema)
        self._today = today
        self._counts: OrderedDict[object, Facets] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, documents: Iterable[Document]) -> None:
        """Add or replace documents; when it returns, they are found."""
        batch = list(documents)
        if not batch:
            return
        with self._folder.writing() as writer:
            for document in batch:
                writer.delete_documents_by_term("id", document.id)
                writer.add_document(to_tantivy(document, self._folder.schema))

    def delete(self, ids: Iterable[str]) -> None:
        """Forget documents; unknown ids are no error."""
        unwanted = list(ids)
        if not unwanted or self._folder.snapshot() is None:
            return
        with self._folder.writing() as writer:
            for id_ in unwanted:
                writer.delete_documents_by_term("id", id_)

    def show(self, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        """Make these found, and `gone` not, by every search from now on."""
        self.put(documents)
        self.delete(gone)

    def suggest(
        self,
        text: str,  # noqa: ARG002 # to come
        limit: int = 10,  # noqa: ARG002 # to come
        visible: tuple[str, ...] = (PUBLIC,),  # noqa: ARG002 # to come
    ) -> tuple[Suggestion, ...]:
        """Titles and tags that begin so."""
        return ()

    def similar(
        self,
        id_: str,  # noqa: ARG002 # to come
        limit: int = 5,  # noqa: ARG002 # to come
        visible: tuple[str, ...] = (PUBLIC,),  # noqa: ARG002 # to come
    ) -> tuple[Hit, ...]:
        """Documents most like this one."""
        return ()

    def stamps(self) -> Mapping[str, str]:
        """Id → stamp of all documents, for comparing them with the database."""
        return dict.fromkeys(self.ids(), "")

    def rebuild(self, documents: Iterable[Document]) -> None:
        """Replace the whole index; readers see the old one until the new one is complete."""
        with self._folder.rebuilding() as writer:
            for document in documents:
                writer.add_document(to_tantivy(document, self._folder.schema))

    def ids(self) -> frozenset[str]:
        """All ids in the index, for comparing it with the database."""
        snapshot = self._folder.snapshot()
        if snapshot is None:
            return frozenset()
        # Without the query, ids of deleted documents would be listed too.
        terms = snapshot.searcher.terms_with_prefix("id", "", Query.all_query())
        return frozenset(id_ for id_, _ in terms)

    def search(self, query: SearchQuery) -> SearchPage:
        """One page of hits; raises BadQuery for what cannot be asked and Unavailable when down."""
        check_query(query)
        snapshot = self._folder.snapshot()
        if snapshot is None:
            return SearchPage(0, (), {facet.name: () for facet in FACETS} if query.facets else {})
        try:
            return self._search(snapshot, query)
        except (OSError, ValueError) as error:
            raise Unavailable("the search index cannot be read, it is being repaired") from error

    def forget(self) -> None:
        """Count the facets of the next searches anew."""
        with self._lock:
            self._counts.clear()

    def _search(self, snapshot: Snapshot, query: SearchQuery) -> SearchPage:
        today = self._today()
        text = self._compiler.text(query.text)
        whole = narrowed(text, self._compiler.filters(query.filters, today))
        total, hits = _hits(snapshot.searcher, whole, query)
        partial = False
        if not total and (some := self._some(snapshot.searcher, text, query)) is not None:
            text = some
            whole = narrowed(text, self._compiler.filters(query.filters, today))
            total, hits = _hits(snapshot.searcher, whole, query)
            partial = total > 0
        facets = self._facets(snapshot, query, text, whole, today) if query.facets else {}
        return SearchPage(total, hits, facets, partial)

    def _some(self, searcher: tantivy.Searcher, text: Query, query: SearchQuery) -> Query | None:
        """What to look for instead where nothing holds enough of the words, whatever was chosen."""
        some = self._compiler.some(query.text)
        if some is None or _total(searcher.search(text, 1)):
            return None
        return some

    def _facets(
        self, snapshot: Snapshot, query: SearchQuery, text: Query, whole: Query, today: date
    ) -> Facets:
        key = (snapshot.state, today, query.text, tuple(sorted(query.filters.items())))
        with self._lock:
            kept = self._counts.get(key)
            if kept is not None:
                self._counts.move_to_end(key)
                return kept
        counted = self._count(snapshot.searcher, query, text, whole, today)
        with self._lock:
            self._counts[key] = counted
            while len(self._counts) > KEPT_COUNTS:
                self._counts.popitem(last=False)
        return counted

    def _count(
        self, searcher: tantivy.Searcher, query: SearchQuery, text: Query, whole: Query, today: date
    ) -> Facets:
        """Counts of all facets; those of a facet ignore what was chosen in it."""
        free = unfiltered(query)
        raw = searcher.aggregate(whole, aggregation(free, today)) if free else {}
        buckets = {facet.name: _buckets(facet, raw[facet.name]) for facet in free}
        for facet in FACETS:
            chosen = query.filters.get(facet.name)
            if chosen:
                others = self._compiler.filters(query.filters, today, without=facet.name)
                base = narrowed(text, others)
                raw = searcher.aggregate(base, aggregation([facet], today))
                found = _buckets(facet, raw[facet.name])
                buckets[facet.name] = self._with_chosen(searcher, base, facet, found, chosen)
        return {
            facet.name: _shortened(buckets[facet.name], query.filters.get(facet.name, ()))
            for facet in FACETS
        }

    def _with_chosen(
        self,
        searcher: tantivy.Searcher,
        base: Query,
        facet: Facet,
        found: tuple[Bucket, ...],
        chosen: tuple[str, ...],
    ) -> tuple[Bucket, ...]:
        """The buckets with one for each chosen value, also where that finds nothing."""
        known = {bucket.value for bucket in found}
        complete = facet.kind is not Kind.KEYWORD or len(found) < FETCHED_BUCKETS
        added = []
        for value in dict.fromkeys(chosen):
            if value not in known:
                only = narrowed(base, [self._compiler.value(facet, value, self._today())])
                count = 0 if complete else _total(searcher.search(only, 1))
                added.append(Bucket(value, count))
        return (*found, *added)


SORT_FIELDS = {"modified": "by_modified", "uses": "by_uses"}


def _hits(
    searcher: tantivy.Searcher, whole: Query, query: SearchQuery
) -> tuple[int, tuple[Hit, ...]]:
    limit = max(query.limit, 1)  # a limit of 0 panics
    if query.sort == "relevance" and query.text.strip():
        found = searcher.search(whole, limit, offset=query.offset, weight_by_field="weight")
    else:
        field, order = _order(query)
        found = searcher.search(
            whole, limit, order_by_field=field, offset=query.offset, order=order
        )
    hits = [_hit(searcher, score, address) for score, address in found.hits[: query.limit]]
    return _total(found), tuple(hits)


def _total(found: tantivy.SearchResult) -> int:
    return int(found.count)  # type: ignore[attr-defined] # the stub forgets it


def _order(query: SearchQuery) -> tuple[str, Order]:
    if query.sort == "title":
        return ("by_title_zh" if query.language == "zh" else "by_title_en"), Order.Asc
    return SORT_FIELDS.get(query.sort, "by_modified"), Order.Desc


def _hit(searcher: tantivy.Searcher, score: object, address: tantivy.DocAddress) -> Hit:
    stored: Any = searcher.doc(address).get_first("card")
    card = orjson.loads(stored)
    return Hit(card["id"], float(score) if isinstance(score, float) else 0.0, card)


def _buckets(facet: Facet, raw: Mapping[str, Any]) -> tuple[Bucket, ...]:
    counts = {bucket["key"]: bucket["doc_count"] for bucket in raw["buckets"]}
    if facet.kind is Kind.DATE_RANGE:
        return range_buckets(counts)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Bucket(value, count) for value, count in ordered)


def _shortened(buckets: tuple[Bucket, ...], chosen: tuple[str, ...]) -> tuple[Bucket, ...]:
    if len(buckets) <= MOST_BUCKETS:
        return buckets
    rest = (bucket for bucket in buckets[MOST_BUCKETS:] if bucket.value in chosen)
    return (*buckets[:MOST_BUCKETS], *rest)
