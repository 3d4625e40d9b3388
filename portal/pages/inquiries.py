"""Questions to departments: ask, see the answer, and for departments answer."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from catalog.errors import CatalogError, Invalid
from catalog.schemas.inquiry import InquirySchema
from catalog.services import datasets, inquiries, organizations
from portal.forms import form_fields
from portal.languages import gettext
from portal.publishing.form import Errors, errors_of

bp = Blueprint("inquiries", __name__)


@bp.get("/inquiries/new")
def new() -> str:
    """The form: about a dataset, or to a department in general."""
    return _form({})


@bp.post("/inquiries/new")
def ask() -> ResponseReturnValue:
    """Put the question, and show the address under which its answer will stand."""
    schema = InquirySchema()
    try:
        draft = schema.load(form_fields(schema))
        inquiry = inquiries.ask(g.identity, draft, address=request.remote_addr or "")
    except ValidationError as error:
        problems = Invalid("the form is not filled in", problems=dict(error.messages_dict))
        return _form(errors_of(problems)), 422
    except CatalogError as error:
        if error.status not in (404, 422, 429):
            raise
        return _form(errors_of(error)), error.status
    flash(
        gettext(
            "Your question is sent. Keep the address of this page: the answer will stand here."
        ),
        "success",
    )
    return redirect(url_for("inquiries.show", inquiry_id=inquiry.id), 303)


@bp.get("/inquiries/<inquiry_id>")
def show(inquiry_id: str) -> str:
    """A question and its answer; the department sees the form for answering."""
    return _inquiry(inquiry_id, {})


@bp.post("/inquiries/<inquiry_id>")
def answer(inquiry_id: str) -> ResponseReturnValue:
    """Answer it, or close it without an answer."""
    try:
        inquiries.answer(
            g.identity,
            inquiry_id,
            request.form.get("answer", ""),
            public="public" in request.form,
            close=request.form.get("do") == "close",
        )
    except Invalid as error:
        return _inquiry(inquiry_id, errors_of(error)), error.status
    flash(gettext("The answer is saved."), "success")
    return redirect(url_for("inquiries.show", inquiry_id=inquiry_id), 303)


def _form(errors: Errors) -> str:
    asked = request.values.get("dataset", "")[:120]
    return render_template(
        "inquiries/form.html",
        dataset=datasets.show(g.identity, asked) if asked else None,
        kind=request.values.get("kind", "data"),
        organizations=[one for one, _ in organizations.all(g.identity)],
        errors=errors,
    )


def _inquiry(inquiry_id: str, errors: Errors) -> str:
    inquiry = inquiries.show(g.identity, inquiry_id)
    return render_template(
        "inquiries/show.html",
        inquiry=inquiry,
        about=inquiries.about(inquiry),
        answers=inquiries.may_answer(g.identity, inquiry),
        errors=errors,
    )
