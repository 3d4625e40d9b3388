"""Search: a port, its queries and facets, and one adapter a product."""

from catalog.search.engine import (
    EVERYTHING,
    PUBLIC,
    Bucket,
    Count,
    Document,
    Hit,
    SearchEngine,
    SearchPage,
    SearchQuery,
    Suggestion,
    search_engine,
)

__all__ = [
    "EVERYTHING",
    "PUBLIC",
    "Bucket",
    "Count",
    "Document",
    "Hit",
    "SearchEngine",
    "SearchPage",
    "SearchQuery",
    "Suggestion",
    "search_engine",
]
