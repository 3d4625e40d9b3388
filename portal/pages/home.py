"""The home page."""

from __future__ import annotations

from flask import Blueprint, g, render_template

from catalog.search import SearchQuery
from catalog.services import figures, groups, organizations, search

bp = Blueprint("home", __name__)
LISTED = 5
"""Datasets in the lists of the newest and the most used."""


@bp.get("/")
def show() -> str:
    """Search, themes, departments, newest and most used."""
    newest, used = (
        search.find(g.identity, SearchQuery(sort=sort, limit=LISTED, facets=False, language=g.lang))
        for sort in ("modified", "uses")
    )
    return render_template(
        "home.html",
        figures=figures.show(),
        themes=[(theme, count) for theme, count in groups.all(g.identity) if count],
        organizations=[(one, count) for one, count in organizations.all(g.identity) if count],
        newest=newest.hits,
        used=used.hits,
    )
