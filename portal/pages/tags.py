"""The tags, free ones and those of a vocabulary, and what operators call them in each language."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from catalog.permissions import Action, allowed
from catalog.search.facets import MOST_TEXT
from catalog.services import tags, vocabularies
from portal.languages import LANGUAGES, gettext
from portal.paging import Pages, asked_page

bp = Blueprint("tags", __name__)
LISTED = 50


@bp.get("/standards/tags")
def index() -> ResponseReturnValue:
    """A page of the tags; with `q` those that hold the words, with `vocabulary` those of one."""
    number = asked_page()
    words = request.args.get("q", "")[:MOST_TEXT]
    vocabulary = tags.vocabulary_named(request.args.get("vocabulary", "")[:100])
    found, total = tags.listed(
        vocabulary, words=words.split()[:8], limit=LISTED, offset=(number - 1) * LISTED
    )
    return render_template(
        "standards/tags.html",
        tags=found,
        total=total,
        words=words,
        vocabulary=vocabulary,
        vocabularies=vocabularies.named(),
        edits=allowed(g.identity, Action.STANDARD_WRITE),
        pages=Pages.of(total, number, LISTED),
    )


@bp.post("/standards/tags")
def save() -> ResponseReturnValue:
    """Call the tags of the page as was typed; empty fields leave the tag its name."""
    typed: dict[str, dict[str, str]] = {}
    for name, text in request.form.items():
        id_, _, language = name.partition(":")
        if language in LANGUAGES:
            typed.setdefault(id_, {})[language] = text
    changed = sum(tags.label(g.identity, id_, texts) for id_, texts in typed.items())
    if changed:
        flash(gettext("The names of the tags are saved."), "success")
    asked = request.args
    here = url_for(
        "tags.index", q=asked.get("q"), vocabulary=asked.get("vocabulary"), page=asked.get("page")
    )
    return redirect(here, 303)
