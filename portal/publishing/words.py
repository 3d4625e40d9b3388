"""Words of the publishers' pages: states, faults, kinds of questions, steps of the log."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from catalog.errors import N_
from portal.languages import gettext

STATES = {
    "draft": N_("Draft"),
    "submitted": N_("Waits for approval"),
    "returned": N_("Returned"),
    "approved": N_("To be published"),
    "published": N_("Public"),
    "superseded": N_("Was public"),
    "discarded": N_("Given up"),
    "withdrawn": N_("Withdrawn"),
}
FAULTS = {
    "resource": N_("A file or interface cannot be read"),
    "cells": N_("Cells do not fit their column"),
    "stale": N_("A text changed in one language only"),
    "description": N_("The description is missing"),
    "license": N_("The licence is missing"),
    "language": N_("The title is missing in one language"),
}
KINDS = {
    "data": N_("Request for data"),
    "error": N_("Report of an error"),
    "access": N_("Application for access"),
}
ANSWERS = {"open": N_("Waits for an answer"), "answered": N_("Answered"), "closed": N_("Closed")}
STEPS = {
    "revision.saved": N_("Draft saved"),
    "revision.submitted": N_("Submitted"),
    "revision.approved": N_("Approved"),
    "revision.returned": N_("Sent back"),
    "revision.discarded": N_("Draft given up"),
    "dataset.created": N_("Dataset made"),
    "dataset.changed": N_("Dataset changed"),
    "dataset.published": N_("Dataset published"),
    "dataset.withdrawn": N_("Dataset withdrawn"),
    "dataset.merged": N_("Dataset merged"),
    "dataset.renamed": N_("Address changed"),
    "inquiry.answered": N_("Question answered"),
    "inquiry.closed": N_("Question closed"),
    "column.access": N_("Access to a column changed"),
    "dataset.purged": N_("Dataset removed for good"),
    "dataset.collaborator": N_("People who may edit a dataset changed"),
    "organization.created": N_("Organization made"),
    "organization.changed": N_("Organization changed"),
    "organization.deleted": N_("Organization closed"),
    "organization.purged": N_("Organization removed for good"),
    "organization.member": N_("Role of a member changed"),
    "organization.invited": N_("Somebody was invited"),
    "organization.uninvited": N_("An invitation was withdrawn"),
    "series.created": N_("Series made"),
    "series.changed": N_("Series changed"),
    "series.withdrawn": N_("Series withdrawn"),
    "service.created": N_("Data service made"),
    "service.changed": N_("Data service changed"),
    "service.withdrawn": N_("Data service withdrawn"),
    "view.created": N_("View made"),
    "view.changed": N_("View changed"),
    "view.deleted": N_("View removed"),
    "table.bound": N_("Column bound to a data element"),
}


def init_app(app: Flask) -> None:
    """Give templates the filters."""
    app.jinja_env.filters.update(
        revision_state=_said(STATES),
        fault=_said(FAULTS),
        inquiry_kind=_said(KINDS),
        inquiry_state=_said(ANSWERS),
        log_step=_said(STEPS),
    )


def _said(words: dict[str, str]) -> Callable[[object], str]:
    def said(name: object) -> str:
        return str(gettext(words[str(name)])) if str(name) in words else str(name)

    return said
