"""Saved searches: keep one, the list, its Atom feed, and the end of its mails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from catalog.schemas.account import SavedSearchSchema
from catalog.services import accounts, mail, saved_searches
from portal import atom
from portal.forms import Errors, again, attempt
from portal.languages import gettext
from portal.site import Site

if TYPE_CHECKING:
    from catalog.models.saved_search import SavedSearch

bp = Blueprint("searches", __name__, url_prefix="/saved-searches")


@bp.after_request
def keep_private(response: Response) -> Response:
    """The secrets in these addresses stay in no shared cache, and go to no other site."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.get("/")
def index() -> str:
    """The reader's saved searches, each with its feed."""
    listed = [
        (saved, saved_searches.address(saved), _feed_address(saved_searches.secret(saved, "feed")))
        for saved in saved_searches.all_of(g.identity)
    ]
    return render_template("searches/index.html", searches=listed, possible=mail.possible())


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """Keep the search of this address under a name."""
    accounts.own(g.identity)
    if request.method == "GET":
        name = request.args.get("q", "")
        return render_template("searches/new.html", errors={}, name=name, possible=mail.possible())
    made, errors, status = attempt(SavedSearchSchema(), _save)
    if made is None:
        name = request.form.get("name", "")
        return again("searches/new.html", errors, status, name=name, possible=mail.possible())
    flash(gettext("The search “%(name)s” is saved.", name=made.name), "success")
    return redirect(url_for("searches.index"))


@bp.route("/<search_id>", methods=["GET", "POST"])
def change(search_id: str) -> ResponseReturnValue:
    """Rename a search, and turn its mails on or off."""
    saved = saved_searches.show(g.identity, search_id)
    if request.method == "GET":
        return _change_page(search_id, {})
    changed, errors, status = attempt(
        SavedSearchSchema(),
        lambda draft: saved_searches.change(
            g.identity, saved.id, name=draft[0], mails=draft[1] and mail.possible()
        ),
    )
    if changed is None:
        return _change_page(search_id, errors), status
    flash(gettext("The search “%(name)s” is changed.", name=changed.name), "success")
    return redirect(url_for("searches.index"))


@bp.post("/<search_id>/delete")
def delete(search_id: str) -> ResponseReturnValue:
    """Delete a search; its feed ends."""
    saved = saved_searches.forget(g.identity, search_id)
    flash(gettext("The search “%(name)s” is deleted.", name=saved.name), "success")
    return redirect(url_for("searches.index"))


@bp.get("/feed/<token>.atom")
def feed(token: str) -> Response:
    """What a saved search finds, for programs that read feeds; the secret is the only proof."""
    saved = saved_searches.of_feed(token)
    content = atom.feed(saved, saved_searches.newest(saved), Site().origin(), _feed_address(token))
    response = Response(content, content_type="application/atom+xml; charset=utf-8")
    response.headers["Cache-Control"] = "private, max-age=300"
    response.add_etag()
    response.make_conditional(request)
    return response


@bp.route("/<search_id>/unsubscribe/<token>", methods=["GET", "POST"])
def unsubscribe(search_id: str, token: str) -> str:
    """Ask, then end the mails; mail programs send the form by themselves, without a session."""
    if request.method == "GET":
        saved = saved_searches.of_mail(search_id, token)
        return render_template("searches/unsubscribe.html", search=saved, done=not saved.mail)
    saved = saved_searches.unsubscribe(search_id, token)
    return render_template("searches/unsubscribe.html", search=saved, done=True)


def _save(draft: tuple[str, bool]) -> SavedSearch:
    parameters = {name: values for name, values in request.args.lists() if name != "lang"}
    return saved_searches.save(
        g.identity, draft[0], parameters, g.lang, mails=draft[1] and mail.possible()
    )


def _change_page(search_id: str, errors: Errors) -> str:
    return render_template(
        "searches/change.html",
        errors=errors,
        search=saved_searches.show(g.identity, search_id),
        possible=mail.possible(),
    )


def _feed_address(token: str) -> str:
    return Site().origin() + url_for("searches.feed", token=token)
