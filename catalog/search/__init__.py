"""Search: a port, its queries and facets, and one adapter a product."""

from catalog.search.engine import (
    Bucket,
    Document,
    Hit,
    SearchEngine,
    SearchPage,
    SearchQuery,
    search_engine,
)

__all__ = [
    "Bucket",
    "Document",
    "Hit",
    "SearchEngine",
    "SearchPage",
    "SearchQuery",
    "search_engine",
]
