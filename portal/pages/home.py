"""The home page."""

from __future__ import annotations

from flask import Blueprint, g, render_template

from catalog.schemas.schema_org import catalogue_json
from catalog.search import Hit, SearchQuery
from catalog.services import figures, groups, organizations, search
from portal.site import inside_page, site_address, site_titles

bp = Blueprint("home", __name__)
LISTED = 5
"""Datasets in the lists of the newest and the most used."""
DEPARTMENTS = 9


@bp.get("/")
def show() -> str:
    """Search, themes, departments, newest and most used."""
    return render_template(
        "home.html",
        figures=figures.show(),
        themes=[(theme, count) for theme, count in groups.all(g.identity) if count],
        organizations=organizations.first(g.identity, DEPARTMENTS),
        newest=_first("modified"),
        used=_first("uses"),
        described=inside_page(catalogue_json(g.lang, site_address(), titles=site_titles())),
    )


def _first(sort: str) -> tuple[Hit, ...]:
    """The first datasets in an order, the same as in the catalogue that the link beside them opens."""
    query = SearchQuery(sort=sort, limit=LISTED, facets=False, language=g.lang)
    return search.find_or_browse(g.identity, query).hits
