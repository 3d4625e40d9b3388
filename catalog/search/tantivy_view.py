"""One search in Tantivy: the index on the disk and the overlay, as they were at one moment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import orjson
import tantivy
from tantivy import Order, Query

from catalog.models.text import pick
from catalog.search import spelling
from catalog.search.analysis import is_cjk, normal_title, sort_key, term_of, terms_of
from catalog.search.engine import Bucket, Hit, SearchQuery, Suggestion
from catalog.search.facets import RISING, Facet
from catalog.search.indexed import IS
from catalog.search.ranking import ALL_WORDS, LIKE_FLOOR
from catalog.search.tantivy_conditions import ConditionCompiler, any_of, without
from catalog.search.tantivy_counts import Part, count_facets, count_fields, total_of
from catalog.search.tantivy_documents import exactly
from catalog.search.tantivy_folder import Snapshot
from catalog.search.tantivy_orders import Keyed, Orders
from catalog.search.tantivy_overlay import Layer
from catalog.search.tantivy_query import Compiler, narrowed

Facets = Mapping[str, tuple[Bucket, ...]]
SORT_FIELDS = {
    "modified": "by_modified",
    "uses": "by_uses",
    "created": "by_created",
    "updated": "by_updated",
    "score": "by_score",
    "id": "id",
    "slug": "slug",
}
SUGGESTED_TERMS = 400
"""Beginnings of tags that are counted for a suggestion."""
LIKE_TERMS = 25
"""Terms that a similar document is looked for by."""
LONGEST_MEANT = 60
"""Characters of words that may be misspelled."""
FEW_DOCUMENTS = 10
"""Documents that a term may be in even where that is most of them."""
TITLE_WEIGHT, TAG_WEIGHT, TEXT_WEIGHT = 3.0, 2.0, 1.0


@dataclass(frozen=True)
class Found:
    """What one search has found, and the query of its words."""

    total: int
    hits: tuple[Hit, ...]
    text: Query
    partial: bool
    meant: str = ""
    """Other words that were looked for too."""


class View:
    """Searches what was written to the disk and what was shown since, as one."""

    def __init__(
        self,
        compiler: Compiler,
        snapshot: Snapshot | None,
        layer: Layer,
        query: SearchQuery,
        today: date,
    ) -> None:
        self.query = query
        self._compiler = compiler
        self._today = today
        self._state = (snapshot.state if snapshot else None, layer.number)
        self._searchers: list[tuple[tantivy.Searcher, Query | None]] = []
        if snapshot is not None:
            hidden = compiler.with_ids(layer.hidden) if layer.hidden else None
            self._searchers.append((snapshot.searcher, hidden))
        if layer.searcher is not None:
            self._searchers.append((layer.searcher, None))

    def key(self) -> object:
        """Equal to that of another view only if both count the same."""
        query = self.query
        filters = tuple(sorted(query.filters.items()))
        asked = (query.text, filters, query.where, query.visible, query.counts, query.facets)
        return (self._state, self._today, query.corrects, asked)

    def knows(self, term: str) -> bool:
        """Whether any document holds a term."""
        return any(searcher.doc_freq("text", term) for searcher, _ in self._searchers)

    def find(self) -> Found:
        """The page that is asked for: with enough of the words, where few have them with those that were meant, else with some."""
        asked = self.query.text
        text = self._compiler.text(asked, self.knows)
        total, hits = self._page(text)
        if not asked or self._are_many(hits):
            return Found(total, hits, text, partial=False)
        meant = self._meant()
        if meant:
            text = any_of([text, self._compiler.text(meant, self.knows)])
            total, hits = self._page(text)
        if total or self._total(text):
            return Found(total, hits, text, partial=False, meant=meant)
        return self._parts_of(meant or asked, text, meant)

    def _are_many(self, hits: tuple[Hit, ...]) -> bool:
        """Whether more than a few documents have all words, whatever was chosen; mostly the page itself says so."""
        if (
            self.query.by_relevance
            and len(hits) > spelling.FEW
            and hits[spelling.FEW].score >= ALL_WORDS
        ):
            return True
        return self._total(self._compiler.all_of(self.query.text, self.knows)) > spelling.FEW

    def _parts_of(self, asked: str, text: Query, meant: str) -> Found:
        """Documents with some of the words, or with some of the initials."""
        some = self._compiler.some(asked) or self._compiler.abbreviated(asked)
        if some is None:
            return Found(0, (), text, partial=False, meant=meant)
        total, hits = self._page(some)
        return Found(total, hits, some, total > 0, meant)

    def counted(self, found: Found) -> tuple[Facets, Facets]:
        """The facets, and the fields whose values are asked for."""
        parts = self._parts(found.text)
        facets = count_facets(parts, self.query, self._today) if self.query.facets else {}
        return facets, count_fields(parts, self.query.counts)

    def _meant(self) -> str:
        """Other words that find more; empty where no such word is known."""
        if len(self.query.text) > LONGEST_MEANT or not self.query.corrects:
            return ""
        return spelling.corrected(self.query.text, self._held, self._near, self._sounding)

    def suggestions(self, limit: int) -> tuple[Suggestion, ...]:
        """Titles and tags for somebody who types."""
        steps = self._compiler.begins(self.query.text)
        if not steps:
            return ()
        titles = self._titles(any_of(steps), limit)
        tags = self._tags(normal_title(self.query.text), max(limit // 3, 1))
        return (*titles[: limit - len(tags)], *tags)

    def similar(self, id_: str, limit: int) -> tuple[Hit, ...]:
        """Documents that share the rarest terms of this one: enough of them, measured by itself."""
        this = self._compiler.with_id(id_)
        cards = self._cards(this, 1)
        weights = self._weights(cards[0], least=2) if cards else []
        if not weights:
            return ()
        own = self._compiler.like(self._weights(cards[0], least=1))
        whole = max((score for score, _, _ in self._best(narrowed(own, [this]), 1)), default=0.0)
        found = self._best(without(self._compiler.like(weights), this), limit)
        return tuple(
            _hit(searcher, score, address)
            for score, address, searcher in found
            if score >= LIKE_FLOOR * whole
        )

    def _parts(self, text: Query) -> list[Part]:
        return [
            Part(
                searcher,
                partial(self._narrowed, text, searcher, hidden),
                partial(self._with_value, text, searcher, hidden),
            )
            for searcher, hidden in self._searchers
        ]

    def _narrowed(
        self, text: Query, searcher: tantivy.Searcher, hidden: Query | None, left_out: str = ""
    ) -> Query:
        """The words among what passes the filters, the condition, and what the reader may see."""
        filters = self._compiler.filters(self.query.filters, self._today, without=left_out)
        conditions = ConditionCompiler(self._compiler.schema, searcher)
        if self.query.where is not None:
            filters.append(conditions.query(self.query.where))
        query = narrowed(text, filters)
        unseen = conditions.visible(self.query.visible)
        for unwanted in (hidden, unseen):
            if unwanted is not None:
                query = without(query, unwanted)
        return query

    def _with_value(
        self,
        text: Query,
        searcher: tantivy.Searcher,
        hidden: Query | None,
        left_out: str,
        facet: Facet,
        value: str,
    ) -> Query:
        only = self._compiler.value(facet, value, self._today)
        return narrowed(self._narrowed(text, searcher, hidden, left_out), [only])

    def _total(self, text: Query) -> int:
        """How many documents there are of these words, whatever was chosen."""
        return sum(total_of(searcher.search(text, 1)) for searcher, _ in self._searchers)

    def _page(self, text: Query) -> tuple[int, tuple[Hit, ...]]:
        """The page of all indexes together: of one alone, it is read where it begins."""
        orders = Orders(self._compiler.schema, _order_field, self._keyed, _keys)
        total, found = orders.page(text, self.query)
        return total, tuple(_hit(searcher, key, address) for key, address, searcher in found)

    def _keyed(self, text: Query, query: SearchQuery) -> tuple[int, list[Keyed]]:
        """The page in the first order, each document with its key."""
        alone = len(self._searchers) == 1
        total = 0
        found: list[Keyed] = []
        for part in self._parts(text):
            result = self._ordered(
                query,
                part.searcher,
                part.query(""),
                limit=max(query.limit if alone else query.offset + query.limit, 1),
                offset=query.offset if alone else 0,
            )
            total += total_of(result)
            found.extend((key, address, part.searcher) for key, address in result.hits)
        if not alone:
            found.sort(key=lambda hit: hit[0], reverse=not _is_rising(query))
            found = found[query.offset :]
        return total, found[: query.limit]

    def _ordered(
        self,
        query: SearchQuery,
        searcher: tantivy.Searcher,
        whole: Query,
        *,
        limit: int,
        offset: int,
    ) -> tantivy.SearchResult:
        if query.by_relevance:  # equal ones by their use, unless further orders are named
            weight = None if query.then else "weight"
            return searcher.search(whole, limit, offset=offset, weight_by_field=weight)
        field, order = _order_field(query), Order.Asc if _is_rising(query) else Order.Desc
        return searcher.search(whole, limit, order_by_field=field, offset=offset, order=order)

    def _best(
        self, text: Query, limit: int
    ) -> list[tuple[Any, tantivy.DocAddress, tantivy.Searcher]]:
        """The documents with the highest scores, of equal ones the most used."""
        found: list[tuple[Any, tantivy.DocAddress, tantivy.Searcher]] = []
        for part in self._parts(text):
            result = part.searcher.search(part.query(""), limit, weight_by_field="weight")
            found.extend((score, address, part.searcher) for score, address in result.hits)
        found.sort(key=lambda hit: -hit[0])
        return found[:limit]

    def _cards(self, text: Query, limit: int) -> list[Mapping[str, Any]]:
        return [_card(searcher, address) for _, address, searcher in self._best(text, limit)]

    def _titles(self, text: Query, limit: int) -> list[Suggestion]:
        """One suggestion a title: a series of equal ones says nothing."""
        titles: dict[str, Suggestion] = {}
        for card in self._cards(text, limit * 2):
            texts = card["title"]
            shown = texts.get(self.query.language) or next(iter(texts.values()), "")
            suggestion = Suggestion(
                "title", shown, card.get("slug", ""), texts, type=card.get("type", "dataset")
            )
            titles.setdefault(normal_title(shown), suggestion)
        return list(titles.values())[:limit]

    def _tags(self, start: str, limit: int) -> list[Suggestion]:
        counts: dict[str, int] = {}
        beginnings = {start, start.replace(" ", "")}
        for part in self._parts(Query.all_query()):
            for beginning in beginnings:
                for term, count in part.searcher.terms_with_prefix(
                    "facts", exactly("tag_start", beginning), part.query(""), SUGGESTED_TERMS
                ):
                    tag = term.rsplit(IS, 1)[1]
                    counts[tag] = max(counts.get(tag, 0), count)
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return [Suggestion("tag", tag, tag, count=count) for tag, count in ordered[:limit]]

    def _weights(self, card: Mapping[str, Any], *, least: int) -> list[tuple[str, float]]:
        """The terms that say most of a document, by how rare they are and where they stand; `least` documents have each."""
        places: dict[str, float] = {}
        for weight, texts in (
            (TEXT_WEIGHT, card.get("description", {}).values()),
            (TAG_WEIGHT, card.get("tags", ())),
            (TITLE_WEIGHT, card.get("title", {}).values()),
        ):
            for text in texts:
                places.update((term, weight) for term in terms_of(text))
        count = sum(searcher.num_docs for searcher, _ in self._searchers)
        weights = []
        for term, weight in places.items():
            frequency = sum(s.doc_freq("text", term) for s, _ in self._searchers)
            if least <= frequency <= max(count // 2, FEW_DOCUMENTS):
                weights.append((term, weight * math.log1p(count / frequency)))
        return sorted(weights, key=lambda pair: (-pair[1], pair[0]))[:LIKE_TERMS]

    def _held(self, chunk: str) -> int:
        """How many documents hold a word, or a run of characters as it is written; a lone one is no mistake."""
        if is_cjk(chunk):
            return self._total(self._compiler.run(chunk)) if len(chunk) > 1 else spelling.FEW + 1
        return sum(searcher.doc_freq("text", term_of(chunk)) for searcher, _ in self._searchers)

    def _near(self, word: str, distance: int) -> Iterator[str]:
        query = self._compiler.near(term_of(word), distance)
        return spelling.texts_of(self._cards(query, spelling.MOST_READ))

    def _sounding(self, syllables: Iterable[str]) -> Iterator[str]:
        query = self._compiler.sounding(syllables)
        return spelling.texts_of(self._cards(query, spelling.MOST_READ))


def _is_rising(query: SearchQuery) -> bool:
    return not query.by_relevance and (query.sort in RISING) != query.reverse


def _order_field(query: SearchQuery) -> str:
    """The field that holds the keys of the first order."""
    if query.sort == "title":
        return "by_title_zh" if query.language == "zh" else "by_title_en"
    return SORT_FIELDS.get(query.sort, "by_modified")


def _keys(found: Sequence[Keyed], query: SearchQuery) -> list[Any]:
    """What these documents are sorted by in the first order of the query."""
    field = _order_field(query)
    if query.sort not in RISING:
        return _numbers(found, field)
    cards = [_card(searcher, address) for _, address, searcher in found]
    if query.sort == "title":
        titles = (pick(card["title"], field[-2:])[0] for card in cards)
        return [f"{sort_key(title)}\x00" for title in titles]
    return [f"{card[field]}\x00" for card in cards]


def _numbers(found: Sequence[Keyed], field: str) -> list[int]:
    """The values of a number of these documents, by one question an index."""
    searchers = {id(searcher): searcher for _, _, searcher in found}
    values = {
        key: iter(searcher.fast_field_values(field, [at for _, at, of in found if of is searcher]))
        for key, searcher in searchers.items()
    }
    return [int(next(values[id(searcher)]) or 0) for _, _, searcher in found]


def number_of(searcher: tantivy.Searcher, field: str, address: tantivy.DocAddress) -> int:
    """The value of a document's number."""
    value = searcher.fast_field_values(field, [address])[0]
    return int(value) if value is not None else 0


def _card(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> dict[str, Any]:
    stored: Any = searcher.doc(address).get_first("card")
    card: dict[str, Any] = orjson.loads(stored)
    return card


def _hit(searcher: tantivy.Searcher, score: object, address: tantivy.DocAddress) -> Hit:
    card = _card(searcher, address)
    return Hit(card["id"], float(score) if isinstance(score, float) else 0.0, card)
