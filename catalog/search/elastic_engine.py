"""Search by an Elasticsearch server, which all processes write and read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, cast

import orjson

from catalog.errors import Unavailable
from catalog.search.elastic_client import Address, Caller, body_of
from catalog.search.elastic_indexes import Indexes
from catalog.search.elastic_query import (
    counts_body,
    hits_body,
    some_query,
    text_query,
    total_body,
)
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
from catalog.settings import Settings

TRIES = 3
"""A rebuild that ends may take away the index that a search is reading."""
WALKED = 10_000
"""Ids in one answer when all are read."""


class Missing(Exception):
    """There is no index: nothing was ever written."""


def _today() -> date:
    return datetime.now(UTC).date()


class ElasticEngine:
    """The engine at an address; `today` says the day that the ranges of `updated` are counted from."""

    shared = True

    def __init__(self, url: str, settings: Settings, *, today: Callable[[], date] = _today) -> None:
        address = Address.at(url, settings)
        self._caller = Caller(address)
        self._indexes = Indexes(
            self._caller,
            address.prefix,
            shards=settings.search_shards,
            replicas=settings.search_replicas,
        )
        self._today = today

    def put(self, documents: Iterable[Document]) -> None:
        """Add or replace documents; when it returns, they are found."""
        batch = list(documents)
        if batch:
            self._indexes.put(batch)

    def delete(self, ids: Iterable[str]) -> None:
        """Forget documents; unknown ids are no error."""
        unwanted = list(ids)
        if unwanted:
            self._indexes.delete(unwanted)

    def rebuild(self, documents: Iterable[Document]) -> None:
        """Replace the whole index; readers see the old one until the new one is complete."""
        self._indexes.rebuild(documents)

    def ids(self) -> frozenset[str]:
        """All ids in the index, for comparing it with the database."""
        return frozenset(self.stamps())

    def stamps(self) -> Mapping[str, str]:
        """Id → stamp of all documents, for comparing them with the database."""
        self._indexes.check_version()
        found: dict[str, str] = {}
        body: dict[str, Any] = {
            "size": WALKED,
            "sort": [{"id": "asc"}],
            "_source": False,
            "docvalue_fields": ["stamp"],
            "track_total_hits": False,
        }
        while True:
            try:
                (answer,) = self._ask(body)
            except Missing:
                return {}
            page = answer["hits"]["hits"]
            found.update((hit["_id"], hit.get("fields", {}).get("stamp", [""])[0]) for hit in page)
            if len(page) < WALKED:
                return found
            body["search_after"] = page[-1]["sort"]

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

    def search(self, query: SearchQuery) -> SearchPage:
        """One page of hits; raises BadQuery for what cannot be asked and Unavailable when down."""
        check_query(query)
        today = self._today()
        try:
            text = text_query(query.text)
            page = self._page(query, text, today)
            some = None if page.total else some_query(query.text)
            if some is None or self._holds(text):
                return page
            return self._page(query, some, today, partial=True)
        except Missing:
            return SearchPage(0, (), {facet.name: () for facet in FACETS} if query.facets else {})

    def _page(
        self, query: SearchQuery, text: dict[str, Any], today: date, *, partial: bool = False
    ) -> SearchPage:
        bodies = [hits_body(query, text, today)]
        if query.facets:
            bodies.append(counts_body(query, text, today))
        answers = self._ask(*bodies)
        total = int(answers[0]["hits"]["total"]["value"])
        hits = tuple(_hit(hit) for hit in answers[0]["hits"]["hits"] if "_source" in hit)
        facets = _facets(query, answers[1]["aggregations"]) if query.facets else {}
        return SearchPage(total, hits, facets, partial and total > 0)

    def _holds(self, text: dict[str, Any]) -> bool:
        """Whether any document has enough of the words, whatever was chosen."""
        (answer,) = self._ask(total_body(text))
        return bool(answer["hits"]["total"]["value"])

    def _ask(self, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
        """The answers to several requests at once, from one state of the index or from two."""
        lines: list[bytes] = []
        for body in bodies:
            cached = {"request_cache": True} if body["size"] == 0 else {}
            lines.append(orjson.dumps({**cached, "allow_partial_search_results": False}))
            lines.append(orjson.dumps(body))
        for _ in range(TRIES):
            answers = self._caller.call(
                lambda client: body_of(
                    client.msearch(index=self._indexes.alias, searches=cast("Any", lines))
                )
            )["responses"]
            errors = [answer for answer in answers if "error" in answer]
            if not errors:
                return list(answers)
        raise _failure(errors[0])


def _failure(answer: Mapping[str, Any]) -> Exception:
    error = answer["error"]
    if error["type"] == "index_not_found_exception":
        return Missing()
    if answer["status"] in (404, 429, 503):
        return Unavailable("the search engine cannot work at the moment")
    return RuntimeError(f"Elasticsearch refuses a search: {orjson.dumps(error)[:1000]!r}")


def _hit(hit: Mapping[str, Any]) -> Hit:
    return Hit(hit["_id"], float(hit["_score"] or 0.0), hit["_source"]["card"])


def _facets(query: SearchQuery, counted: Mapping[str, Any]) -> dict[str, tuple[Bucket, ...]]:
    """The buckets of all facets, cut but with every chosen value."""
    free = counted.get("free", counted)
    found = {}
    for facet in FACETS:
        chosen = tuple(dict.fromkeys(query.filters.get(facet.name, ())))
        group = counted[f"of {facet.name}"] if chosen else free
        buckets = _buckets(facet, group[facet.name])
        known = {bucket.value for bucket in buckets}
        added = [
            Bucket(value, int(group.get(f"value {number}", {}).get("doc_count", 0)))
            for number, value in enumerate(chosen)
            if value not in known
        ]
        found[facet.name] = _shortened((*buckets, *added), chosen)
    return found


def _buckets(facet: Facet, raw: Mapping[str, Any]) -> tuple[Bucket, ...]:
    counts = {str(bucket["key"]): int(bucket["doc_count"]) for bucket in raw["buckets"]}
    if facet.kind is Kind.DATE_RANGE:
        return range_buckets(counts)
    return tuple(Bucket(value, count) for value, count in counts.items())


def _shortened(buckets: tuple[Bucket, ...], chosen: tuple[str, ...]) -> tuple[Bucket, ...]:
    if len(buckets) <= MOST_BUCKETS:
        return buckets
    rest = (bucket for bucket in buckets[MOST_BUCKETS:] if bucket.value in chosen)
    return (*buckets[:MOST_BUCKETS], *rest)
