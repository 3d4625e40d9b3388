"""CKAN's Action API: actions are registered by the modules of their nouns."""

from __future__ import annotations

from flask import Flask

from api.ckan import (  # noqa: F401 # importing these registers their actions
    activities,
    autocomplete,
    body_actions,
    collaborators,
    datastore,
    datastore_create,
    datastore_sql,
    datastore_writes,
    follows,
    groups,
    members,
    organizations,
    package_revise,
    package_search,
    package_writes,
    packages,
    resources,
    site,
    tags,
    tokens,
    users,
    views,
    vocabularies,
)
from api.ckan.routes import bp


def init_app(app: Flask) -> None:
    """Add the addresses."""
    app.register_blueprint(bp)
