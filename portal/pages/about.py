"""What the portal is, how to call it from programs, and how accessible it is."""

from __future__ import annotations

from flask import Blueprint, current_app, g, render_template

from catalog.permissions import ANYONE
from catalog.search import SearchQuery
from catalog.services import figures, search

bp = Blueprint("about", __name__)


@bp.get("/about")
def show() -> str:
    """What the portal is and how to use it."""
    return render_template("about/show.html", figures=figures.show())


@bp.get("/developers")
def developers() -> str:
    """How to call the interface, with examples that work here."""
    used = search.find(
        ANYONE, SearchQuery(sort="uses", limit=1, facets=False, language=g.lang)
    ).hits
    settings = current_app.extensions["weft"]["settings"]
    return render_template(
        "about/developers.html",
        example=used[0].card["slug"] if used else "",
        plans=(settings.limit_anonymous, settings.limit_basic, settings.limit_extended),
    )


@bp.get("/accessibility")
def accessibility() -> str:
    """How accessible the portal is, and whom to tell about a barrier."""
    return render_template("about/accessibility.html")
