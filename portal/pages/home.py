"""The home page."""

from __future__ import annotations

from flask import Blueprint, render_template

bp = Blueprint("home", __name__)


@bp.get("/")
def show() -> str:
    """Search, themes, departments, newest and most used."""
    return render_template("home.html")
