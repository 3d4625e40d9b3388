"""Search by an Elasticsearch server, which all processes write and read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, cast

import orjson

from catalog.errors import Unavailable
from catalog.search import spelling
from catalog.search.analysis import is_cjk, normal_title, term_of
from catalog.search.elastic_answers import (
    Facets,
    read_counts,
    read_facets,
    suggested_tags,
    suggested_titles,
)
from catalog.search.elastic_bodies import Asked
from catalog.search.elastic_client import Address, Caller, body_of
from catalog.search.elastic_indexes import Indexes
from catalog.search.elastic_query import (
    abbreviated_query,
    all_query,
    begins_query,
    doubtful_terms,
    like_query,
    near_query,
    run_query,
    some_query,
    sounding_query,
    text_query,
)
from catalog.search.elastic_units import any_of, term
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
from catalog.search.ranking import ALL_WORDS, LIKE_FLOOR
from catalog.settings import Settings

LONGEST_MEANT = 60
"""Characters of words that may be misspelled."""
COUNTED = 1000
"""Documents that are counted where it matters only whether they are few or many."""
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

    def search(self, query: SearchQuery) -> SearchPage:
        """One page of hits; raises BadQuery for what cannot be asked and Unavailable when down."""
        check_query(query)
        try:
            return self._search(query)
        except Missing:
            empty: dict[str, tuple[Bucket, ...]] = {facet.name: () for facet in FACETS}
            counts: Facets = {count.field: () for count in query.counts}
            return SearchPage(0, (), empty if query.facets else {}, counts=counts)

    def suggest(
        self, text: str, limit: int = 10, visible: tuple[str, ...] = (PUBLIC,)
    ) -> tuple[Suggestion, ...]:
        """Titles and tags that begin so, also in pinyin or its initials; then titles that hold it."""
        words = text[:100]
        begins = begins_query(words)
        if begins is None or limit < 1:
            return ()
        asked = Asked(SearchQuery(words, visible=visible), begins, self._today())
        start = normal_title(words)
        starts = dict.fromkeys((start, start.replace(" ", "")))
        try:
            titles, tags = self._ask(asked.best(limit * 2), asked.tags(starts))
        except Missing:
            return ()
        found_tags = suggested_tags(tags["aggregations"]["tags"])[: max(limit // 3, 1)]
        found_titles = suggested_titles(_cards(titles), "zh")[:limit]
        return (*found_titles[: limit - len(found_tags)], *found_tags)

    def similar(
        self, id_: str, limit: int = 5, visible: tuple[str, ...] = (PUBLIC,)
    ) -> tuple[Hit, ...]:
        """Documents most like this one, without itself; none of an unknown id."""
        if limit < 1:
            return ()
        query, today = SearchQuery(visible=visible), self._today()
        try:
            (this,) = self._ask(Asked(query, term("id", id_), today).best(1))
            cards = _cards(this)
            if not cards:
                return ()
            like, own = like_query(cards[0], id_), like_query(cards[0], id_, itself=True)
            found, whole = self._ask(
                Asked(query, like, today).best(limit), Asked(query, own, today).best(1)
            )
        except Missing:
            return ()
        hits, itself = (tuple(map(_hit, one["hits"]["hits"])) for one in (found, whole))
        floor = LIKE_FLOOR * itself[0].score if itself else 0.0
        return tuple(hit for hit in hits if hit.score >= floor)

    def _search(self, query: SearchQuery) -> SearchPage:
        today, text = self._today(), query.text
        known = self._known(doubtful_terms(text))
        asked = Asked(query, text_query(text, known), today)
        page = self._page(asked)
        if not text.strip() or self._are_many(query, page, known):
            return page
        meant = self._meant(query)
        if meant:
            other = text_query(meant, self._known(doubtful_terms(meant)))
            asked = Asked(query, any_of([asked.text, other]), today)
            page = self._page(asked)
        some = None if page.total else some_query(meant or text) or abbreviated_query(meant or text)
        if some is not None and not self._count(asked.text):
            page = self._page(Asked(query, some, today))
            page = replace(page, partial=page.total > 0)
        return replace(page, meant=meant)

    def _are_many(self, query: SearchQuery, page: SearchPage, known: Collection[str]) -> bool:
        """Whether more than a few documents have all words, whatever was chosen; mostly the page itself says so."""
        by_relevance = query.sort == "relevance"
        few = spelling.FEW
        if by_relevance and len(page.hits) > few and page.hits[few].score >= ALL_WORDS:
            return True
        return self._count(all_query(query.text, known)) > few

    def _page(self, asked: Asked) -> SearchPage:
        query = asked.query
        bodies = [asked.hits()]
        if query.facets or query.counts:
            bodies.append(asked.counts())
        answers = self._ask(*bodies)
        total = int(answers[0]["hits"]["total"]["value"])
        hits = tuple(_hit(hit) for hit in answers[0]["hits"]["hits"] if "card" in hit["_source"])
        counted = answers[1].get("aggregations", {}) if len(answers) > 1 else {}
        facets = read_facets(query, counted) if query.facets else {}
        return SearchPage(total, hits, facets, counts=read_counts(query, counted))

    def _count(self, words: dict[str, Any]) -> int:
        """How many documents have these words, whatever was chosen; beyond a few hundred it is no matter."""
        (answer,) = self._ask({"query": words, "size": 0, "track_total_hits": COUNTED})
        return int(answer["hits"]["total"]["value"])

    def _known(self, terms: Iterable[str]) -> frozenset[str]:
        """Those of the terms that some document holds."""
        wanted = sorted(terms)
        if not wanted:
            return frozenset()
        answers = self._ask(
            *(
                {"query": term("text", one), "size": 0, "track_total_hits": 1, "terminate_after": 1}
                for one in wanted
            )
        )
        return frozenset(
            one
            for one, answer in zip(wanted, answers, strict=True)
            if answer["hits"]["total"]["value"]
        )

    def _meant(self, query: SearchQuery) -> str:
        """Other words that find more; empty where no such word is known."""
        if len(query.text) > LONGEST_MEANT or not query.corrects:
            return ""
        return spelling.corrected(
            query.text,
            self._held,
            lambda word, letters: self._texts(query, near_query(term_of(word), letters)),
            lambda syllables: self._texts(query, sounding_query(syllables)),
        )

    def _held(self, chunk: str) -> int:
        """How many documents hold a word, or a run of characters as it is written; a lone one is no mistake."""
        if is_cjk(chunk) and len(chunk) < 2:
            return spelling.FEW + 1
        return self._count(run_query(chunk))

    def _texts(self, query: SearchQuery, words: dict[str, Any]) -> Iterator[str]:
        (answer,) = self._ask(Asked(query, words, self._today()).best(spelling.MOST_READ))
        return spelling.texts_of(_cards(answer))

    def _ask(self, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
        """The answers to several requests at once."""
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


def _cards(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [hit["_source"]["card"] for hit in answer["hits"]["hits"] if "card" in hit["_source"]]
