"""Weft's own REST API, described by OpenAPI."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Add the endpoints and their description."""
