"""A publisher's desk, and the log of a department."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, g, render_template, request

from catalog.errors import N_
from catalog.services import organization_log, workspace
from catalog.services.workspace import MOST_COUNTED, Desk
from portal.dates import local
from portal.languages import gettext
from portal.paging import PER_PAGE, Pages, asked_page

bp = Blueprint("publish", __name__)


@bp.get("/publish")
def desk() -> str:
    """One list of the desk, with the counts of all."""
    wanted = request.args.get("list", "")
    chosen = Desk(wanted) if wanted in set(Desk) else Desk.MINE
    today = local(datetime.now(UTC)).date()
    counts = workspace.counts(g.identity, today)
    number = asked_page()
    return render_template(
        "publish/desk.html",
        desk=chosen,
        desks={one: gettext(DESKS[one]) for one in Desk},
        counts=counts,
        most=MOST_COUNTED,
        entries=workspace.listed(
            g.identity, chosen, today, limit=PER_PAGE, offset=(number - 1) * PER_PAGE
        ),
        offices=workspace.offices(g.identity),
        pages=Pages.of(counts[chosen], number),
    )


@bp.get("/publish/log")
def log() -> str:
    """The lines of the log about a department's things."""
    number = asked_page()
    asked = organization_log.Asked(
        organization=request.args.get("organization", "")[:100],
        dataset=request.args.get("dataset", "")[:120],
        actor=request.args.get("person", "")[:200],
    )
    lines = organization_log.lines(
        g.identity, asked, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE
    )
    return render_template(
        "publish/log.html",
        lines=lines[:PER_PAGE],
        asked=asked,
        offices=organization_log.readable(g.identity),
        pages=Pages.until(number, more=len(lines) > PER_PAGE),
    )


@bp.get("/about/log")
def proof() -> str:
    """How anyone proves that no line of the log was altered, with the newest number and hash."""
    return render_template("publish/proof.html", newest=organization_log.newest())


DESKS = {
    Desk.MINE: N_("My proposals"),
    Desk.WAITING: N_("To approve"),
    Desk.LATE: N_("Late"),
    Desk.WRONG: N_("To repair"),
    Desk.ASKED: N_("Questions"),
}
