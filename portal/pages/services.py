"""Data services: the list, and each with how it is asked and whether it answers."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from catalog.models.license import LICENSES
from catalog.services import data_services, uptime
from catalog.services.data_services import ServiceWithdrawn
from portal.paging import Pages, asked_page
from portal.sidebar import license_title
from portal.uptime import Figures

bp = Blueprint("services", __name__)
LISTED = 50


@bp.get("/services")
def index() -> str:
    """All services."""
    number = asked_page()
    found, total = data_services.listed(g.identity, limit=LISTED, offset=(number - 1) * LISTED)
    return render_template(
        "services/index.html", found=found, total=total, pages=Pages.of(total, number, LISTED)
    )


@bp.get("/services/<slug>")
def show(slug: str) -> ResponseReturnValue:
    """A service; an old address leads to the present one, a withdrawn one says why."""
    try:
        service = data_services.show(g.identity, slug)
    except ServiceWithdrawn as gone:
        return render_template("services/withdrawn.html", service=gone), gone.status
    if service.slug != slug:
        return redirect(url_for("services.show", slug=service.slug), 301)
    known = LICENSES.get(service.license_id)
    return render_template(
        "services/show.html",
        service=service,
        figures=Figures.of(uptime.of(g.identity, service.id)),
        license_title=license_title(service.license_id),
        license_url=known.url if known else "",
    )
