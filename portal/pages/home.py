"""The home page."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, g, render_template

from catalog.search import Hit, SearchQuery
from catalog.search.facets import MOST_VALUES
from catalog.services import figures, groups, organizations, search

bp = Blueprint("home", __name__)
LISTED = 5
"""Datasets in the lists of the newest and the most used."""


@bp.get("/")
def show() -> str:
    """Search, themes, departments, newest and most used."""
    owners = [(one, count) for one, count in organizations.all(g.identity) if count]
    own = tuple(one.slug for one, _ in owners if one.kind == "department")[:MOST_VALUES]
    return render_template(
        "home.html",
        figures=figures.show(),
        themes=[(theme, count) for theme, count in groups.all(g.identity) if count],
        organizations=owners,
        newest=_first("modified", {"organization": own} if own else {}),
        used=_first("uses", {}),
    )


def _first(sort: str, filters: Mapping[str, tuple[str, ...]]) -> tuple[Hit, ...]:
    """The first datasets in an order.

    The newest are those of the city's own departments: whole catalogues of others, read in one
    night, would push them all out.
    """
    query = SearchQuery(filters=filters, sort=sort, limit=LISTED, facets=False, language=g.lang)
    return search.find(g.identity, query).hits
