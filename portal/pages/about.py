"""What the portal is, and how accessible it is."""

from __future__ import annotations

from flask import Blueprint, render_template

from catalog.services import figures

bp = Blueprint("about", __name__)


@bp.get("/about")
def show() -> str:
    """What the portal is and how to use it."""
    return render_template("about/show.html", figures=figures.show())


@bp.get("/accessibility")
def accessibility() -> str:
    """How accessible the portal is, and whom to tell about a barrier."""
    return render_template("about/accessibility.html")
