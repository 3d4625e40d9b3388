"""Weft's own REST API, described by OpenAPI."""

from __future__ import annotations

from flask import Flask

from api.v1 import (
    catalogue,
    catalogue_writing,
    citations,
    coordinates,
    datasets,
    downloads,
    openapi,
    organizations,
    publishing,
    pushing,
    queries,
    releases,
    sql,
    table_dictionary,
    tables,
    writing,
)

NOUNS = (
    datasets.bp,
    organizations.bp,
    catalogue.bp,
    catalogue_writing.bp,
    tables.bp,
    queries.bp,
    downloads.bp,
    releases.bp,
    citations.bp,
    sql.bp,
    table_dictionary.bp,
    coordinates.bp,
    writing.bp,
    publishing.bp,
    pushing.bp,
)
"""The endpoints, in the order of the description."""


def init_app(app: Flask) -> None:
    """Add the endpoints and their description."""
    openapi.init_app(app, NOUNS)
