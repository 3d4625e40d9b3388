"""Organizations: the list, and each with its datasets."""

from __future__ import annotations

from flask import Blueprint, g, render_template

from catalog.search import SearchQuery
from catalog.services import organizations, search
from portal.paging import PER_PAGE, Pages, asked_page

bp = Blueprint("organizations", __name__)
LISTED = 60
"""Organizations on a page of the list."""


@bp.get("/organizations")
def index() -> str:
    """All organizations: departments first, then others."""
    found = organizations.all(g.identity)
    number = asked_page()
    return render_template(
        "organizations/index.html",
        organizations=found[(number - 1) * LISTED : number * LISTED],
        total=len(found),
        pages=Pages.of(len(found), number, LISTED),
    )


@bp.get("/organizations/<slug>")
def show(slug: str) -> str:
    """An organization and its datasets, the newest first."""
    organization = organizations.show(g.identity, slug)
    number = asked_page()
    page = search.find_or_browse(
        g.identity,
        SearchQuery(
            filters={"organization": (organization.slug,)},
            sort="modified",
            offset=(number - 1) * PER_PAGE,
            limit=PER_PAGE,
            facets=False,
            language=g.lang,
        ),
    )
    return render_template(
        "organizations/show.html",
        organization=organization,
        page=page,
        pages=Pages.of(page.total, number),
    )
