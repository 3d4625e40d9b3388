"""Pages for people. `init_app` is called by the composition root before the first request."""

from __future__ import annotations

import importlib
import pkgutil

from flask import Flask

from portal import entries, filters, identity, languages, oidc, pages, roots, security, site, static
from portal.publishing import words
from portal.table_page import names

READ_MOST = ("base", "home", "search", "macros/", "datasets/", "organizations/", "tables/")
"""Templates of the pages that readers open."""


def init_app(app: Flask) -> None:
    """Add languages, identities, security headers, template filters and every page to the app."""
    for part in (
        languages,
        identity,  # who may send large forms is known before a form is read
        security,
        filters,
        names,
        words,
        entries,
        site,
        static,
        roots,
        oidc,
    ):
        part.init_app(app)
    for module in sorted(pkgutil.iter_modules(pages.__path__), key=lambda module: module.name):
        blueprint = importlib.import_module(f"portal.pages.{module.name}").bp
        app.register_blueprint(
            blueprint, url_prefix=languages.PREFIX + (blueprint.url_prefix or "")
        )


def warm_up(app: Flask) -> None:
    """Do before the first reader comes what one would wait for: read sentences, compile the templates that most pages need."""
    for language in languages.LANGUAGES:
        languages.catalogue_of(language)
    for name in app.jinja_env.list_templates(filter_func=lambda name: name.startswith(READ_MOST)):
        app.jinja_env.get_template(name)
