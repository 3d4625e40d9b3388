"""Harvest sources: what is read from where, how runs ended, what could not be taken and why."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from catalog.errors import NotFound
from catalog.permissions import Action, allowed
from harvesters import operating, services
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
    "ckan": lazy_gettext("CKAN portal"),
    "datajson": lazy_gettext("data.json catalogue (DCAT-US)"),
    "socrata": lazy_gettext("Socrata portal"),
    "opendatasoft": lazy_gettext("Opendatasoft portal"),
    "udata": lazy_gettext("udata portal"),
    "weft": lazy_gettext("Another Weft portal"),
    "yaml": lazy_gettext("Folder of YAML files"),
    "csw": lazy_gettext("Catalogue service (CSW)"),
    "iso": lazy_gettext("Folder of ISO 19115 records"),
    "oaipmh": lazy_gettext("Repository (OAI-PMH)"),
}
SCHEDULES = {
    "manual": lazy_gettext("When somebody asks for it"),
    "hourly": lazy_gettext("Every hour"),
    "daily": lazy_gettext("Every day"),
    "weekly": lazy_gettext("Every week"),
    "monthly": lazy_gettext("Every month"),
    "cron": lazy_gettext("By a timetable"),
}
STEPS = {
    "load": lazy_gettext("File"),
    "record": lazy_gettext("Record"),
    "created": lazy_gettext("Would be created"),
    "changed": lazy_gettext("Would be changed"),
    "refused": lazy_gettext("Would be refused"),
    "withdrawn": lazy_gettext("Would be withdrawn"),
}
"""What a line of a run's page is about: what could not be taken, or what a trial would do."""


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
        is_open=partial(operating.is_open, source),
    )


@bp.get("/sources/<slug>/runs/<run_id>")
def run(slug: str, run_id: str) -> str:
    """What could not be taken in a run, with the reasons."""
    source = services.source(g.identity, slug)
    found = services.run(g.identity, source.id, run_id)
    if found.is_trial and not allowed(g.identity, Action.SOURCE_RUN, source.organization):
        raise NotFound("there is no such run")
    number = asked_page()
    records = services.records(g.identity, found.id, (number - 1) * RECORDS, RECORDS + 1)
    return render_template(
        "sources/run.html",
        source=source,
        steps=STEPS,
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


@bp.post("/sources/<slug>/trials")
def try_out(slug: str) -> ResponseReturnValue:
    """Ask for a run that only says what it would do."""
    source = services.source(g.identity, slug)
    services.run_now(g.identity, source.id, is_trial=True)
    flash(
        gettext(
            "The source will be read in a moment, and nothing is changed. Load this page again to see what a run would do."
        ),
        "success",
    )
    return redirect(url_for("sources.show", slug=source.slug), 303)


@bp.post("/sources/<slug>/runs/<run_id>/decision")
def decide(slug: str, run_id: str) -> ResponseReturnValue:
    """Withdraw the datasets that a run has missed, or keep them."""
    source = services.source(g.identity, slug)
    is_withdrawn = request.form.get("decision") == "withdraw"
    operating.decide(g.identity, source.id, run_id, is_withdrawn=is_withdrawn)
    said = gettext("They are withdrawn in a moment.") if is_withdrawn else gettext("They are kept.")
    flash(said, "success")
    return redirect(url_for("sources.show", slug=source.slug), 303)
