"""The languages of the pages: taken from the address, remembered in a cookie, filled into links."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import Babel

LANGUAGES = {"zh": "中文", "en": "English"}
"""Language tag → its own name, in the order of the switch."""
HTML_LANGUAGES = {"zh": "zh-Hans", "en": "en"}
PREFIX = "/<any(zh, en):lang>"
"""Every page is served below it."""
COOKIE = "weft_language"
YEAR = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    """Translate pages and messages; `g.lang` is set before each request."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "en")
    Babel(app, locale_selector=current)
    app.url_value_preprocessor(take_language)
    app.url_defaults(fill_language)
    app.after_request(remember)
    app.add_url_rule("/", "root", to_home)
    app.jinja_env.globals.update(LANGUAGES=LANGUAGES, HTML_LANGUAGES=HTML_LANGUAGES)


def current() -> str:
    """The language of this request; English outside of one."""
    if not has_request_context():
        return "en"
    return str(g.get("lang") or preferred())


def preferred() -> str:
    """What the reader wants: the remembered language, else the browser's, else Chinese."""
    remembered = request.cookies.get(COOKIE)
    if remembered in LANGUAGES:
        return remembered
    return request.accept_languages.best_match(list(LANGUAGES)) or "zh"


def take_language(endpoint: str | None, values: dict[str, Any] | None) -> None:  # noqa: ARG001 # the signature is Flask's
    """Move the language of the address to `g.lang`, so that views need no such argument."""
    g.lang = (values.pop("lang", None) if values else None) or _of_path() or preferred()


def _of_path() -> str | None:
    first = request.path.split("/", 2)[1]
    return first if first in LANGUAGES else None


def fill_language(endpoint: str, values: dict[str, Any]) -> None:
    """Give `url_for` the language of this page unless another one is asked for."""
    if "lang" not in values and current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
        values["lang"] = current()


def remember(response: Response) -> Response:
    """Keep a language that differs from what the browser asks for; others need no cookie."""
    if request.view_args is not None and _of_path() and g.lang != preferred():
        response.set_cookie(
            COOKIE,
            g.lang,
            max_age=YEAR,
            samesite="Lax",
            httponly=True,
            secure=current_app.config.get("SESSION_COOKIE_SECURE", False),
        )
    return response


def to_home() -> ResponseReturnValue:
    """Send a visitor of the bare address to the home page in a language that they read."""
    response = redirect(url_for("home.show", lang=preferred()))
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response
