"""Harvest sources: what is read from where, how runs ended, what could not be taken and why."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from catalog.permissions import Action, allowed
from harvesters import services
from portal.languages import gettext, lazy_gettext
from portal.paging import Pages, asked_page

bp = Blueprint("sources", __name__)
LISTED = 50
RUNS = 10
RECORDS = 50
KINDS = {
    "sql": lazy_gettext("Database (SQL)"),
    "files": lazy_gettext("Folder of files"),
    "rest": lazy_gettext("JSON interface (REST)"),
    "excel": lazy_gettext("Catalogue as a workbook"),
    "push": lazy_gettext("Sent by the department's own program"),
    "dcat": lazy_gettext("DCAT catalogue"),
    "datapackage": lazy_gettext("Data package"),
    "jkan": lazy_gettext("JKAN catalogue"),
}
SCHEDULES = {
    "manual": lazy_gettext("When somebody asks for it"),
    "hourly": lazy_gettext("Every hour"),
    "daily": lazy_gettext("Every day"),
    "weekly": lazy_gettext("Every week"),
    "monthly": lazy_gettext("Every month"),
}


@bp.get("/sources")
def index() -> str:
    """All sources with how their last run ended."""
    found = services.sources(g.identity)
    number = asked_page()
    return render_template(
        "sources/index.html",
        sources=found[(number - 1) * LISTED : number * LISTED],
        total=len(found),
        pages=Pages.of(len(found), number, LISTED),
        kinds=KINDS,
    )


@bp.get("/sources/<slug>")
def show(slug: str) -> str:
    """A source with its runs, the newest first."""
    source = services.source(g.identity, slug)
    number = asked_page()
    runs = services.runs(g.identity, source.id, (number - 1) * RUNS, RUNS + 1)
    return render_template(
        "sources/show.html",
        source=source,
        runs=runs[:RUNS],
        datasets=services.dataset_count(g.identity, source.id),
        pages=Pages.until(number, more=len(runs) > RUNS),
        kinds=KINDS,
        schedules=SCHEDULES,
        may_run=allowed(g.identity, Action.SOURCE_RUN, source.organization),
    )


@bp.get("/sources/<slug>/runs/<run_id>")
def run(slug: str, run_id: str) -> str:
    """What could not be taken in a run, with the reasons."""
    source = services.source(g.identity, slug)
    found = services.run(g.identity, source.id, run_id)
    number = asked_page()
    records = services.records(g.identity, found.id, (number - 1) * RECORDS, RECORDS + 1)
    return render_template(
        "sources/run.html",
        source=source,
        run=found,
        records=records[:RECORDS],
        pages=Pages.until(number, more=len(records) > RECORDS),
    )


@bp.post("/sources/<slug>/runs")
def run_now(slug: str) -> ResponseReturnValue:
    """Ask for a run."""
    source = services.source(g.identity, slug)
    services.run_now(g.identity, source.id)
    flash(
        gettext("The source will be read in a moment. Load this page again to see how far it is."),
        "success",
    )
    return redirect(url_for("sources.show", slug=source.slug), 303)
