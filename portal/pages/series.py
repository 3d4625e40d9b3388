"""Series of datasets: the list, and each with its datasets in order."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from catalog.search.facets import FACET_BY_NAME
from catalog.services import series
from portal.paging import PER_PAGE, Pages, asked_page

bp = Blueprint("series", __name__)
LISTED = 50


@bp.get("/series")
def index() -> str:
    """All series with the number of their datasets."""
    number = asked_page()
    found, total = series.listed(g.identity, limit=LISTED, offset=(number - 1) * LISTED)
    return render_template(
        "series/index.html", found=found, total=total, pages=Pages.of(total, number, LISTED)
    )


@bp.get("/series/<slug>")
def show(slug: str) -> ResponseReturnValue:
    """A series; an old address leads to the present one."""
    one = series.show(g.identity, slug)
    if one.slug != slug:
        return redirect(url_for("series.show", slug=one.slug), 301)
    number = asked_page()
    members, total = series.members(g.identity, one, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
    return render_template(
        "series/show.html",
        series=one,
        members=members,
        total=total,
        frequency=FACET_BY_NAME["frequency"].values[one.frequency],
        pages=Pages.of(total, number),
    )
