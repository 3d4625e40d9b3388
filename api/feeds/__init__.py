"""Feeds and descriptions: DCAT, data.json, schema.org, Croissant, Frictionless, Atom, OAI-PMH, maps of the site, copies."""

from __future__ import annotations

import importlib

from flask import Flask

from api.feeds import answers, catalogues

MODULES = (
    "atom",
    "catalogues",
    "copies",
    "croissant",
    "data_json",
    "data_package",
    "oai",
    "schema_org",
    "sitemap",
)
"""Each adds its addresses to the one blueprint."""


def init_app(app: Flask) -> None:
    """Add every feed."""
    for name in MODULES:
        importlib.import_module(f"api.feeds.{name}")
    catalogues.init_app(app)
    app.register_blueprint(answers.bp)
