"""The port of search engines: documents in, pages of hits with facets out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast

from flask import current_app


@dataclass(frozen=True)
class Document:
    """A dataset as the engines see it; `id` and `slug` are exact, texts are analysed."""

    id: str
    slug: str
    titles: Mapping[str, str]
    """Language tag → title; all languages are searched."""
    descriptions: Mapping[str, str]
    words: str
    """Further searchable text: organization, themes, column names and labels, resource titles."""
    tags: tuple[str, ...]
    keywords: Mapping[str, tuple[str, ...]]
    """Facet field → exact values: `organization`, `theme`, `format`, `access`, `license`, `frequency`."""
    modified: datetime | None
    """When its content last changed, if that is known."""
    uses: int
    card: Mapping[str, Any]
    """What a list shows of it (JSON), so that a page of results needs no database."""


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


class SearchEngine(Protocol):
    """A place where documents are found again."""

    def put(self, documents: Iterable[Document]) -> None:
        """Add or replace documents; when it returns, they are found."""
        ...

    def delete(self, ids: Iterable[str]) -> None:
        """Forget documents; unknown ids are no error."""
        ...

    def search(self, query: SearchQuery) -> SearchPage:
        """One page of hits; raises BadQuery for an offset beyond 10,000 and Unavailable when down."""
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
