"""The port of search engines: documents in, pages of hits with facets out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast

from flask import current_app

from catalog.search.conditions import Box, Condition

PUBLIC = "public"
"""The visibility of what everybody may find."""
EVERYTHING = "*"
"""Among what a reader sees: all documents, whoever may find them."""


@dataclass(frozen=True)
class Document:
    """An item of the catalogue as the engines see it; `id` and `slug` are exact, texts are analysed."""

    id: str
    slug: str
    titles: Mapping[str, str]
    """Language tag → title; all languages are searched."""
    descriptions: Mapping[str, str]
    words: str
    """Further searchable text: organization, themes, column names and labels, resource titles."""
    tags: tuple[str, ...]
    keywords: Mapping[str, tuple[str, ...]]
    """Facet field → exact values. `organization` and `region` hold the ancestors too, so that
    a department finds its offices' datasets, and a province its cities'."""
    modified: datetime | None
    """When its content last changed, if that is known."""
    uses: int
    card: Mapping[str, Any]
    """What a list shows of it (JSON), so that a page of results needs no database; it has `id`."""
    names: tuple[str, ...] = ()
    """Short names that people also type in pinyin: organization, themes, columns' labels."""
    codes: tuple[str, ...] = ()
    """Identifiers, as they are written: 信息资源代码, slug; one that is asked for whole comes first."""
    place: str = ""
    """Name of the place it is about."""
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Further exact values that conditions and counts may name: `state`, `owner`, `extras.<key>` …"""
    dates: Mapping[str, datetime] = field(default_factory=dict)
    """`created`, `updated`, `issued`, `covers_from`, `covers_to`, those that are known."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """`score`, `resources`."""
    box: Box | None = None
    visibility: tuple[str, ...] = (PUBLIC,)
    """Who finds it: PUBLIC, the id of an organization (a private dataset: its members), or the id of an
    account (a draft: its creator)."""
    stamp: str = ""
    """Differs from that of any other content; the index is compared with the database by it."""
    version: int = 0
    """Grows with every change of the item: of two documents of one id the larger one is newer."""


@dataclass(frozen=True)
class SearchQuery:
    """What is asked; `filters` maps a facet name to values of which one must match (empty: all)."""

    text: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = "relevance"
    """`relevance`, `modified`, `uses` or `title`."""
    offset: int = 0
    limit: int = 20
    facets: bool = True
    language: str = "zh"
    """For sorting by title."""
    where: Condition | None = None
    """What a hit must fulfil beside the filters; it does not change the order."""
    reverse: bool = False
    """The order the other way round: oldest first, title from Z to A."""
    then: tuple[tuple[str, bool], ...] = ()
    """Orders of those that are equal in the ones before, each with whether it is the other way round."""
    corrects: bool = True
    """Whether words that were probably misspelled are looked for as they were meant, too."""
    counts: tuple[Count, ...] = ()
    """Fields whose values are counted among all that is found, beside the facets."""
    visible: tuple[str, ...] = (PUBLIC,)
    """Visibilities that the reader may see; EVERYTHING for all. Services fill it, never a request."""

    @property
    def by_relevance(self) -> bool:
        """Whether the first order goes by how well the words fit: without words nothing fits better."""
        return self.sort == "relevance" and bool(self.text.strip())


@dataclass(frozen=True)
class Count:
    """A wish to have the values of a keyword field or a fact counted."""

    field: str
    limit: int = 50
    """The most frequent values in the answer; -1 for all."""
    least: int = 1
    """Documents that a value must have."""


@dataclass(frozen=True)
class Hit:
    """A dataset that was found."""

    id: str
    score: float
    card: Mapping[str, Any]


@dataclass(frozen=True)
class Bucket:
    """A value of a facet and the number of datasets that have it under the other filters."""

    value: str
    count: int


@dataclass(frozen=True)
class SearchPage:
    """One page: exact total, hits in order, buckets by facet name (most frequent first)."""

    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[Bucket, ...]]
    partial: bool = False
    """No document holds enough of the words, so these hold some of them."""
    counts: Mapping[str, tuple[Bucket, ...]] = field(default_factory=dict)
    """Field of a wished count → its values, most frequent first, equal ones by value."""
    meant: str = ""
    """Few or no documents were found: other words that would find more (“did you mean”)."""
    browsed: bool = False
    """The engine is down: these come from the database, in order, without regard to words."""


@dataclass(frozen=True)
class Suggestion:
    """What somebody who types may have in mind."""

    kind: str
    """`title` or `tag`; services add `organization` and `theme`."""
    text: str
    value: str
    """Slug of the dataset, or the tag."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The text in its languages, where it has several."""
    count: int = 0
    type: str = "dataset"
    """What a title is of: `dataset`, `series` or `service`."""


class SearchEngine(Protocol):
    """A place where documents are found again."""

    @property
    def shared(self) -> bool:
        """Whether other web processes search it too, so that `show` must follow every write at once.

        False: only this process needs to find what it wrote, and may call `show` before its next search.
        """
        ...

    def put(self, documents: Iterable[Document]) -> None:
        """Add or replace documents; when it returns, they are found."""
        ...

    def delete(self, ids: Iterable[str]) -> None:
        """Forget documents; unknown ids are no error."""
        ...

    def search(self, query: SearchQuery) -> SearchPage:
        """One page of hits; raises BadQuery for an offset beyond 10,000 and Unavailable when down."""
        ...

    def show(self, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        """Make these found, and `gone` not, by every search from now on; for what people write one by one.

        The worker puts the same documents later. A document older than what is already found is no change.
        """
        ...

    def suggest(
        self, text: str, limit: int = 10, visible: tuple[str, ...] = (PUBLIC,)
    ) -> tuple[Suggestion, ...]:
        """Titles and tags that begin so, also in pinyin or its initials; then titles that hold it.

        Most used titles first. Never raises BadQuery.
        """
        ...

    def similar(
        self, id_: str, limit: int = 5, visible: tuple[str, ...] = (PUBLIC,)
    ) -> tuple[Hit, ...]:
        """Documents most like this one (title, tags, description), without itself; none of an unknown id."""
        ...

    def stamps(self) -> Mapping[str, str]:
        """Id → stamp of all documents, for comparing them with the database."""
        ...

    def ids(self) -> frozenset[str]:
        """All ids in the index, for comparing it with the database."""
        ...

    def rebuild(self, documents: Iterable[Document]) -> None:
        """Replace the whole index; readers see the old one until the new one is complete."""
        ...


def search_engine() -> SearchEngine:
    """The engine that the settings name."""
    return cast("SearchEngine", current_app.extensions["weft"]["search"])
