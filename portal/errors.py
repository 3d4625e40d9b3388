"""Error pages: what happened, in the reader's language, and what to do now."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from catalog.errors import CatalogError
from catalog.services.dataset_visibility import Withdrawn
from portal.filters import field_sentences, fill
from portal.languages import current, lazy_gettext


@dataclass(frozen=True)
class Saying:
    """A title and advice, translated when shown."""

    title: str
    advice: str


SAYINGS = {
    400: Saying(
        lazy_gettext("This request could not be understood"),
        lazy_gettext(
            "Go back and try again. If you wrote the address yourself, check what follows the question mark."
        ),
    ),
    401: Saying(
        lazy_gettext("Sign in to see this page"),
        lazy_gettext("Your session may have ended. Sign in and try again."),
    ),
    403: Saying(
        lazy_gettext("You may not see this page"),
        lazy_gettext(
            "Your account has no permission for it. Ask the department that owns it, or sign in with another account."
        ),
    ),
    404: Saying(
        lazy_gettext("Page not found"),
        lazy_gettext(
            "If you typed the address, check that it is correct. You can also search the catalogue."
        ),
    ),
    405: Saying(
        lazy_gettext("This address cannot be called like this"),
        lazy_gettext("Open the page from a link or a form of this site."),
    ),
    409: Saying(
        lazy_gettext("This contradicts what is there already"),
        lazy_gettext("Someone may have changed it in the meantime. Load the page again and look."),
    ),
    410: Saying(
        lazy_gettext("This dataset was withdrawn"),
        lazy_gettext(
            "The department no longer publishes it. Similar data may be found by searching."
        ),
    ),
    413: Saying(
        lazy_gettext("This is too large"),
        lazy_gettext("Send less at a time."),
    ),
    422: Saying(
        lazy_gettext("Something that you sent cannot be used"),
        lazy_gettext("Go back, correct it and send it again."),
    ),
    429: Saying(
        lazy_gettext("Too many requests"),
        lazy_gettext("Wait a little and load the page again. Programs get more with an API key."),
    ),
    500: Saying(
        lazy_gettext("Sorry, something went wrong here"),
        lazy_gettext("It is not your fault, and it was recorded. Try again in a few minutes."),
    ),
    503: Saying(
        lazy_gettext("This service is not available right now"),
        lazy_gettext("Try again in a few minutes."),
    ),
}
NOT_ALLOWED = Saying(
    lazy_gettext("You may not do this"),
    lazy_gettext("Nothing was changed. Go back, or ask somebody who has the right to do it."),
)
"""For a form that was sent: what was tried was no page."""
EXPIRED = Saying(
    lazy_gettext("This form has expired"),
    lazy_gettext(
        "It was open for too long, or your browser keeps no cookies of this site. Go back, load the page again and send the form once more."
    ),
)
"""For a form whose token is missing or too old."""
PLAIN = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{title}</title>
<h1>{title}</h1><p>{advice}</p><p><a href="/">Weft</a></p></html>"""


def page(error: CatalogError | HTTPException) -> ResponseReturnValue:
    """The page for an error; whoever must sign in is sent to do it."""
    status = (error.status if isinstance(error, CatalogError) else error.code) or 500
    if status == 401 and request.method == "GET":
        return redirect(url_for("account.sign_in", next=_here()))
    response = _rendered(error, status)
    response.headers["Cache-Control"] = "no-store"
    return _with_headers(response, error)


def _here() -> str:
    query = request.query_string.decode("ascii", "replace")
    return f"{request.path}?{query}" if query else request.path


def _rendered(error: CatalogError | HTTPException, status: int) -> Response:
    saying = EXPIRED if isinstance(error, CSRFError) else _saying(status)
    if status == 403 and request.method != "GET":
        saying = NOT_ALLOWED
    try:
        body = render_template(
            "errors/page.html",
            status=status,
            saying=saying,
            detail=_detail(error),
            problems=field_sentences({"problems": getattr(error, "problems", {})}),
            request_id=g.get("request_id", ""),
            withdrawn=error if isinstance(error, Withdrawn) else None,
        )
    except Exception:  # noqa: BLE001 # the page of an error must not fail with another one
        body = PLAIN.format(lang=current(), title=str(saying.title), advice=str(saying.advice))
    return make_response(body, status)


def _saying(status: int) -> Saying:
    return SAYINGS.get(status) or SAYINGS[500 if status >= 500 else 400]


def _detail(error: CatalogError | HTTPException) -> str:
    if not isinstance(error, CatalogError) or error.status == 500:
        return ""
    return fill(error.message, error.context)


def _with_headers(response: Response, error: CatalogError | HTTPException) -> Response:
    if isinstance(error, CatalogError):
        wait = error.context.get("retry_after")
        if wait is not None:
            response.headers["Retry-After"] = str(wait)
    else:
        for name, value in error.get_headers():
            if name in ("Retry-After", "Allow", "WWW-Authenticate"):
                response.headers[name] = value
    return response
