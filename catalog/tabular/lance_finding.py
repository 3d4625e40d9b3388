"""Which rows of a copy a query means, by their ids: conditions by indexes, texts by pairs of letters, sorts by keys.

A condition is answered once: the ids it gives are kept for the total, the order and the pages that follow.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from lance.dataset import ColumnOrdering

from catalog.tabular.bound import Bound, Every, Some, Test, bind
from catalog.tabular.column import Column
from catalog.tabular.lance_filter import write
from catalog.tabular.lance_flags import flags_of, is_keyed
from catalog.tabular.lance_keys import (
    Flags,
    Key,
    KeyColumn,
    Numbers,
    Places,
    Texts,
    keys_of,
    page_of,
)
from catalog.tabular.lance_opened import Opened
from catalog.tabular.lance_words import (
    Ids,
    TextFacts,
    facts_of,
    ids_with_pairs,
    ids_with_terms,
    is_certain,
    is_nothing,
    narrowed,
    pairs_of,
    satisfying,
    terms_of,
)
from catalog.tabular.query import TableQuery
from catalog.tabular.selections import Kept, Selection
from catalog.tabular.sql import nulls_first, ordered_columns
from catalog.tabular.state import ROW

FIRST_IDS = 1_000
MOST_FIRST_IDS = 10_000
KEY_BYTES = 128_000_000
TEXT_BYTES = 64_000_000
MOST_KEPT_ROWS = 4_000_000
"""Keys of larger copies are read for each page: a few of them would fill the memory."""
ALL = "all"
"""In place of an order: ids of all rows of a condition, ascending."""
COMPARED_PART = 8
"""Texts of up to one row in so many are read by id to be compared; of more, all are scanned."""

TAKEN_PART = 40
"""To sort one row in so many, their values are read by id; to sort more, all are read."""

Sorted = tuple[Column, bool, bool]
"""A column to sort by, whether descending, whether rows without a value come first."""


class Finder:
    """Finds ids of rows and keeps what the next questions need again."""

    def __init__(self, facts_from: int, few: int, keys_to: int = MOST_KEPT_ROWS) -> None:
        self.facts_from = facts_from
        self.few = few
        self.keys_to = keys_to
        self.selections: Kept[Selection] = Kept()
        self.keys: Kept[KeyColumn] = Kept(KEY_BYTES)
        self.facts: Kept[TextFacts] = Kept()
        self.texts: Kept[pa.StringArray] = Kept(TEXT_BYTES)

    def forget(self, gone: Callable[[Hashable], bool]) -> None:
        """Let go of what belongs to copies that were made anew."""
        for kept in (self.selections, self.keys, self.facts, self.texts):
            kept.forget(gone)

    def count(self, opened: Opened, columns: tuple[Column, ...], query: TableQuery) -> int:
        """Number of rows that satisfy the condition."""
        bound = self._bound(opened, columns, query)
        if bound is None:
            return opened.rows
        for what in (ALL, ""):
            kept = self.selections.get((*opened.copy, repr(bound), what))
            if kept is not None and kept.complete:
                return len(kept.ids)
        if self._is_keyed(opened, bound):
            flags, _ = self._flags(opened, bound)
            return int(np.count_nonzero(flags))
        if is_nothing(bound) or self._is_ours(opened, bound):
            return len(self._all(opened, bound))
        return int(opened.dataset.count_rows(write(bound)))

    def page(self, opened: Opened, columns: tuple[Column, ...], query: TableQuery) -> Ids:
        """Ids of the rows of the page, in the order of the query."""
        end = query.offset + query.limit
        bound = self._bound(opened, columns, query)
        key = (*opened.copy, repr(bound), repr(query.order_by) if query.order_by else "")
        kept = self.selections.get(key)
        if kept is not None and kept.reaches(end):
            return kept.ids[query.offset : end]
        first_nulls = nulls_first(query.order_by)
        order = [
            (column, descending, column.name in first_nulls)
            for column, descending in ordered_columns(query.order_by, columns)
        ]
        if end > MOST_FIRST_IDS:
            return self._deep(opened, bound, order, query.offset, end)
        first = max(end, FIRST_IDS)
        ids = self._first(opened, bound, order, first)
        self.selections.put(key, Selection(ids, complete=len(ids) < first))
        return ids[query.offset : end]

    def _bound(
        self, opened: Opened, columns: tuple[Column, ...], query: TableQuery
    ) -> Bound | None:
        if query.where is None:
            return None
        bound = bind(query.where, columns)
        if opened.rows < self.facts_from:
            return bound
        return narrowed(bound, partial(self._facts, opened))

    def _facts(self, opened: Opened, stored: str) -> TextFacts:
        key = (*opened.copy, stored)
        known = self.facts.get(key)
        if known is None and stored in opened.coded:
            known = self._coded_facts(opened, stored)
        if known is None:
            texts = opened.dataset.to_table(columns=[stored]).column(0)
            known = facts_of(texts, self.few)
            self.facts.put(key, known)
            if known.values is None and opened.by_place and texts.nbytes <= TEXT_BYTES:
                self.texts.put(key, texts.combine_chunks())  # what is found is compared with them
        return known

    def _coded_facts(self, opened: Opened, stored: str) -> TextFacts | None:
        """What is known of the values of a coded column, if they are still few."""
        values = self._key(opened, stored).values
        if values is None or len(values) > self.few:
            return None
        known = facts_of(pa.chunked_array([values]), self.few)
        self.facts.put((*opened.copy, stored), known)
        return known

    def _texts(self, opened: Opened, stored: str, ids: Ids) -> pa.ChunkedArray:
        """The texts of these rows."""
        kept = self.texts.get((*opened.copy, stored))
        if kept is not None:
            return pa.chunked_array([kept.take(pa.array(ids))])
        return opened.dataset._take_rows(pa.array(ids), columns=[stored]).column(0)

    # Conditions

    def _all(self, opened: Opened, bound: Bound) -> Ids:
        """Ids of all rows that satisfy the condition, ascending."""
        key = (*opened.copy, repr(bound), ALL)
        kept = self.selections.get(key)
        if kept is None:
            kept = Selection(self._matching(opened, bound), complete=True)
            self.selections.put(key, kept)
        return kept.ids

    def _matching(self, opened: Opened, bound: Bound) -> Ids:
        if is_nothing(bound):
            return np.zeros(0, np.uint64)
        if self._is_keyed(opened, bound):
            return self._within(opened, bound, None)
        if not self._is_ours(opened, bound):
            return _scanned(opened, bound)
        match bound:
            case Every(parts):
                return self._every(opened, parts)
            case Some(parts):
                return self._some(opened, parts)
            case Test():
                return self._searched(opened, bound)
        raise TypeError(f"{bound!r} is not searched for")

    def _every(self, opened: Opened, parts: tuple[Bound, ...]) -> Ids:
        """What Lance and the index of pairs have found, then whatever of it satisfies what keys tell."""
        keyed = tuple(part for part in parts if self._is_keyed(opened, part))
        others = [part for part in parts if part not in keyed]
        ours = [part for part in others if self._is_ours(opened, part)]
        found = [self._matching(opened, part) for part in ours]
        plain = tuple(part for part in others if part not in ours)
        if plain:
            found.append(_scanned(opened, Every(plain)))
        ids = found[0]
        for more in found[1:]:
            ids = np.intersect1d(ids, more, assume_unique=True)
        return self._within(opened, Every(keyed), ids) if keyed else ids

    def _some(self, opened: Opened, parts: tuple[Bound, ...]) -> Ids:
        ours = [part for part in parts if self._is_ours(opened, part)]
        found = [self._matching(opened, part) for part in ours]
        plain = tuple(part for part in parts if part not in ours)
        if plain:
            found.append(_scanned(opened, Some(plain)))
        ids = found[0]
        for more in found[1:]:
            ids = np.union1d(ids, more)
        return ids

    def _within(self, opened: Opened, bound: Bound, ids: Ids | None) -> Ids:
        """Those of the ids, or of all, whose keys satisfy the condition."""
        flags, known = self._flags(opened, bound)
        if ids is not None:
            return ids[flags[_places(ids, known)]]
        places = np.flatnonzero(flags)
        return places.astype(np.uint64) if known is None else known[places]

    def _flags(self, opened: Opened, bound: Bound) -> tuple[Flags, Ids | None]:
        """Which places among the keys are of rows that satisfy the condition, and the ids there if these are others."""
        keys: list[KeyColumn] = []

        def key(column: Column) -> KeyColumn:
            keys.append(self._key(opened, column.stored))
            return keys[-1]

        flags = flags_of(bound, key)
        return flags if opened.alive is None else flags & opened.alive, keys[0].ids

    def _searched(self, opened: Opened, test: Test) -> Ids:
        """By the index, and by comparing what it found where it is not certain alone."""
        by_words = test.column.stored in opened.worded and bool(terms_of(test))
        if by_words:
            ids = ids_with_terms(opened.dataset, test)
        else:
            ids = ids_with_pairs(opened.dataset, test, opened.rows)
        if is_certain(test, by_words=by_words) or not len(ids):
            return ids
        if len(ids) > opened.rows // COMPARED_PART:
            return _scanned(opened, test)
        return ids[satisfying(self._texts(opened, test.column.stored, ids), test)]

    def _is_ours(self, opened: Opened, bound: Bound) -> bool:
        """Whether keys or the index of pairs answer, at least in part."""
        if self._is_keyed(opened, bound):
            return True
        if isinstance(bound, Every | Some):
            return any(self._is_ours(opened, part) for part in bound.parts)
        if not isinstance(bound, Test):
            return False
        if bound.column.stored in opened.worded and terms_of(bound):
            return True
        return bound.column.stored in opened.indexed and bool(pairs_of(bound))

    def _is_keyed(self, opened: Opened, bound: Bound) -> bool:
        """Whether keys tell all of it."""
        numbers = self.facts_from <= opened.rows <= self.keys_to
        return is_keyed(bound, opened.coded, numbers=numbers)

    # Orders

    def _first(
        self,
        opened: Opened,
        bound: Bound | None,
        order: Sequence[Sorted],
        count: int,
    ) -> Ids:
        searching = bound is not None and (is_nothing(bound) or self._is_ours(opened, bound))
        sorted_here = bool(order) and opened.rows <= self.keys_to
        if searching or sorted_here or not opened.in_order:
            return self._deep(opened, bound, order, 0, count)
        scanned: dict[str, Any] = {} if bound is None else {"filter": write(bound)}
        if order:
            keys = [
                ColumnOrdering(column.stored, ascending=not descending, nulls_first=first)
                for column, descending, first in order
            ]
            scanned["order_by"] = [*keys, ColumnOrdering(ROW)]
        scanner = opened.dataset.scanner(columns=[], with_row_id=True, limit=count, **scanned)
        ids: Ids = scanner.to_table()["_rowid"].to_numpy()
        return ids

    def _deep(
        self,
        opened: Opened,
        bound: Bound | None,
        order: Sequence[Sorted],
        start: int,
        stop: int,
    ) -> Ids:
        """A page at any depth, from the keys of all rows that satisfy the condition."""
        if not order and opened.in_order and bound is not None:
            return self._all(opened, bound)[start:stop]
        wanted = [(column.stored, descending, first) for column, descending, first in order]
        if not opened.in_order:
            wanted.append((ROW, False, False))
        names = [stored for stored, _, _ in wanted]
        found = None if bound is None else self._all(opened, bound)
        if found is not None and self._is_taken(opened, names, len(found)):
            taken = opened.dataset._take_rows(pa.array(found), columns=[*dict.fromkeys(names)])
            columns = [KeyColumn(keys_of(taken.column(name)), found) for name in names]
            places = np.arange(len(found))
        else:
            columns = [self._key(opened, name) for name in names]
            places = opened.places if found is None else _places(found, columns[0].ids)
        keys = [
            key
            for column, (_, descending, first) in zip(columns, wanted, strict=True)
            for key in _turned(column.keys, descending=descending, nulls_first=first)
        ]
        page, ids = page_of(places, keys, start, stop), columns[0].ids
        return page.astype(np.uint64) if ids is None else ids[page]

    def _is_taken(self, opened: Opened, names: Sequence[str], count: int) -> bool:
        """Whether so few rows are to be sorted that their values are read by id, and no keys of all are kept."""
        few = 0 < count <= opened.rows // TAKEN_PART
        return few and opened.rows > self.keys_to and not opened.coded.issuperset(names)

    def _key(self, opened: Opened, stored: str) -> KeyColumn:
        """The keys of a column, or of the numbers of rows."""
        name = (*opened.copy, stored)
        kept = self.keys.get(name)
        if kept is None:
            coded = opened.code_key(stored)
            kept = coded or _read(opened, stored)
            if coded or opened.rows <= self.keys_to:
                self.keys.put(name, kept)
        return kept


def _read(opened: Opened, stored: str) -> KeyColumn:
    """The keys of a column by the ids of its rows, or in the order of their ids."""
    if opened.by_place:
        return KeyColumn(keys_of(opened.dataset.to_table(columns=[stored]).column(stored)), None)
    found = opened.dataset.to_table(columns=[stored], with_row_id=True)
    ids: Ids = found["_rowid"].to_numpy()
    if opened.dense and not len(ids):  # everything was deleted; the ids go on
        return KeyColumn(
            keys_of(pa.chunked_array([pa.nulls(opened.ends, found[stored].type)])), None
        )
    if opened.dense:
        by_id = np.zeros(opened.ends, np.int64)  # what stands where no row is, is never looked at
        by_id[ids] = np.arange(len(ids))
        return KeyColumn(keys_of(found.column(stored).take(pa.array(by_id))), None)
    order = np.argsort(ids, kind="stable")
    return KeyColumn(keys_of(found.column(stored).take(pa.array(order))), ids[order])


def _scanned(opened: Opened, bound: Bound) -> Ids:
    scanner = opened.dataset.scanner(columns=[], with_row_id=True, filter=write(bound))
    ids: Ids = scanner.to_table()["_rowid"].to_numpy()
    return ids if opened.in_order else np.sort(ids)


def _places(found: Ids, ids: Ids | None) -> Places:
    """Places of these ids among the keys."""
    return found.astype(np.int64) if ids is None else np.searchsorted(ids, found)


def _turned(keys: tuple[Key, ...], *, descending: bool, nulls_first: bool) -> list[Key]:
    return [
        Numbers(key.ranks, key.missing, descending, nulls_first)
        if isinstance(key, Numbers)
        else Texts(key.texts, None, descending)
        for key in keys
    ]
