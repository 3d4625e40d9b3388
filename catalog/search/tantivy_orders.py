"""Results that are equal in one order, in the next one: Tantivy itself sorts by a single field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import tantivy
from tantivy import Query

from catalog.search.engine import SearchQuery
from catalog.search.facets import MOST_OFFSET, RISING
from catalog.search.indexed import TIE_BITS

Keyed = tuple[Any, tantivy.DocAddress, tantivy.Searcher]
"""What a document is sorted by, and where it is."""
Page = Callable[[Query, SearchQuery], tuple[int, list[Keyed]]]
"""Finds a page of a query in its first order, and the total."""
Keys = Callable[[Sequence[Keyed], SearchQuery], Sequence[Any]]
"""What documents are sorted by in the first order of a query, for each of them."""
SINGLE = frozenset(("id", "slug"))
"""Orders in which no two documents are equal."""


class Orders:
    """Pages of documents in several orders; `page` finds those of one order, `keys` what others go by."""

    def __init__(
        self,
        schema: tantivy.Schema,
        field_of: Callable[[SearchQuery], str],
        page: Page,
        keys: Keys,
    ) -> None:
        self._schema, self._field_of, self._page, self._keys = schema, field_of, page, keys

    def page(self, text: Query, query: SearchQuery) -> tuple[int, list[Keyed]]:
        """The total and the page, each run of equal documents in the further orders.

        Only runs are asked for again, each by itself: of a run that begins before the page or ends behind it, the part here.
        """
        if query.then and query.by_relevance:
            return self._by_score(text, query)
        total, found = self._page(text, query)
        if not query.then or query.sort in SINGLE or not found:
            return total, found
        runs = [list(run) for _, run in groupby(found, key=lambda hit: _value(hit[0]))]
        ordered: list[Keyed] = []
        for at, run in enumerate(runs):
            whole = 0 < at < len(runs) - 1
            ordered += (
                run if whole and len(run) == 1 else self._run(text, query, run, first=at == 0)
            )
        return total, ordered

    def _run(
        self, text: Query, query: SearchQuery, run: Sequence[Keyed], *, first: bool
    ) -> list[Keyed]:
        """The part of a run of equal documents that stands on the page."""
        same = _equal(self._schema, self._field_of(query), run[0][0])
        equal = Query.boolean_query([(tantivy.Occur.Must, text), (tantivy.Occur.Must, same)])
        before = query.offset - self._before(text, query, run) if first else 0
        (sort, reverse), *then = query.then
        part = replace(
            query, sort=sort, reverse=reverse, then=tuple(then), offset=before, limit=len(run)
        )
        return self.page(equal, part)[1]

    def _by_score(self, text: Query, query: SearchQuery) -> tuple[int, list[Keyed]]:
        """The total and the page; no query finds the documents of a score, and mostly no two have the same.

        Where some have, all are read from the first one to the end of the last run of the page.
        """
        start, end = query.offset, query.offset + query.limit
        before = 1 if start else 0
        around = replace(query, offset=start - before, limit=query.limit + before + 1)
        total, found = self._page(text, around)
        if not query.limit or len({hit[0] for hit in found}) == len(found):
            return total, found[before:][: query.limit]
        ordered: list[Keyed] = []
        reaching = self._reaching(text, query, end, found if not start else [])
        for _, equal in groupby(reaching, key=lambda hit: hit[0]):
            run = list(equal)
            shown = len(ordered) < end and len(ordered) + len(run) > start
            ordered += self._arranged(run, query) if shown and len(run) > 1 else run
        return total, ordered[start:end]

    def _reaching(
        self, text: Query, query: SearchQuery, end: int, found: list[Keyed]
    ) -> list[Keyed]:
        """The documents from the first one on until those of the last score before `end` are complete.

        `found` are those up to the one behind `end`, where they were read. No more than some ten thousand are:
        a longer run is in order among those.
        """
        reach = end + 1
        while True:
            if not found:
                _, found = self._page(text, replace(query, offset=0, limit=reach))
            if len(found) < reach or reach > MOST_OFFSET or found[-1][0] != found[end - 1][0]:
                return found
            reach, found = reach * 4, []

    def _arranged(self, run: Sequence[Keyed], query: SearchQuery) -> list[Keyed]:
        """Documents of one score in the further orders, those that are still equal always in the same one."""
        by_tie = self._keys(run, replace(query, sort="modified"))
        places = sorted(range(len(run)), key=[key % (1 << TIE_BITS) for key in by_tie].__getitem__)
        for sort, reverse in reversed(query.then):
            if sort == "relevance":
                continue
            keys = [_value(key) for key in self._keys(run, replace(query, sort=sort))]
            places.sort(key=keys.__getitem__, reverse=(sort in RISING) == reverse)
        return [run[place] for place in places]

    def _before(self, text: Query, query: SearchQuery, run: Sequence[Keyed]) -> int:
        """How many documents stand before the run: those of the pages before and of this one, but for the run's own."""
        if not query.offset:
            return 0
        end = replace(query, offset=0, limit=query.offset, then=())
        _, pages = self._page(text, end)
        return sum(1 for hit in pages if _value(hit[0]) != _value(run[0][0]))


def _value(key: Any) -> Any:
    """A key of an order without what tells equal documents apart."""
    return key.rpartition("\x00")[0] if isinstance(key, str) else key >> TIE_BITS


def _equal(schema: tantivy.Schema, field: str, key: Any) -> Query:
    """The documents of the run of this key."""
    value = _value(key)
    if isinstance(value, str):
        found = Query.fuzzy_term_query(schema, field, f"{value}\x00", 0, True, True)  # noqa: FBT003 # the binding has no keyword for both
    else:
        low, high = value << TIE_BITS, (value + 1) << TIE_BITS
        kind = tantivy.FieldType.Integer
        found = Query.range_query(schema, field, kind, low, high, include_upper=False)
    return Query.const_score_query(found, 0.0)
