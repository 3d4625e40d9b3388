"""Signing in at the OpenID provider of the settings: there, and back again."""

from __future__ import annotations

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from catalog.errors import CatalogError, NotFound
from catalog.services import attempts, provided_accounts
from portal import oidc
from portal.forms import address, next_page
from portal.identity import sign_in as open_session
from portal.languages import gettext
from portal.site import Site

bp = Blueprint("oidc", __name__, url_prefix="/account/oidc")


@bp.after_request
def keep_private(response: Response) -> Response:
    """Nothing of a sign-in stays in a cache or in the log of another site."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.get("/")
def begin() -> ResponseReturnValue:
    """Send the reader to the provider; the local form stays when it is down."""
    try:
        attempts.count_sign_in(address())
        return redirect(_provider().begin(_callback(), next_page()))
    except CatalogError as error:
        return _failed(error, next_page())


@bp.get("/finish")
def finish() -> ResponseReturnValue:
    """Sign in whom the provider vouches for, and go on to where they wanted to go."""
    try:
        attempts.count_sign_in(address())
        provider = _provider()
        signed = provider.finish(_callback(), request.args)
        account = provided_accounts.sign_in(
            signed.person, provider.rules, link_email=provider.link_email
        )
    except CatalogError as error:
        return _failed(error, "")
    open_session(account)
    oidc.keep_id_token(signed.id_token)
    return redirect(signed.next or url_for("account.show"))


def _provider() -> oidc.Provider:
    known = oidc.provider()
    if known is None:
        raise NotFound("this portal has no other way to sign in")
    return known


def _callback() -> str:
    return Site().origin() + url_for("oidc_callback")


def _failed(error: CatalogError, next_: str) -> ResponseReturnValue:
    if isinstance(error, NotFound):
        raise error
    sentence = gettext(error.message, **error.context)
    page = render_template("account/sign_in.html", errors={"": [sentence]}, next=next_, lang=g.lang)
    return page, error.status
