"""The languages of the pages: taken from the address, remembered in a cookie, filled into links."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any
from urllib.parse import quote

from babel.support import Translations
from flask import Flask, Response, current_app, g, has_request_context, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from portal.escaping import put

LANGUAGES = {"zh": "中文", "en": "English"}
"""Language tag → its own name, in the order of the switch."""
HTML_LANGUAGES = {"zh": "zh-Hans", "en": "en"}
TRANSLATIONS = Path(__file__).parent / "translations"
PREFIX = "/<any(zh, en):lang>"
"""Every page is served below it."""
COOKIE = "weft_language"
_language: ContextVar[str | None] = ContextVar("weft_language", default=None)
"""A page asks for its language hundreds of times, and this is quicker than `g`."""
YEAR = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    """Translate pages and messages; `g.lang` is set before each request."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "en")
    Babel(app, locale_selector=current)
    app.url_value_preprocessor(take_language)
    app.url_defaults(fill_language)
    app.after_request(remember)
    app.teardown_request(forget)
    app.add_url_rule("/", "root", to_home)
    app.before_request(without_slash)
    app.jinja_env.globals.update(
        LANGUAGES=LANGUAGES, HTML_LANGUAGES=HTML_LANGUAGES, _=translated, ngettext=counted
    )


def current() -> str:
    """The language of this request; English outside of one."""
    return _language.get() or _unset()


def _unset() -> str:
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
    if request.path.startswith(("/api/", "/datastore/")):  # the API sets its own
        _language.set(None)
        return
    g.lang = (values.pop("lang", None) if values else None) or _of_path() or preferred()
    _language.set(g.lang)


def gettext(message: str, /, **places: object) -> str:
    """The sentence in the language of this request: Flask-Babel's, without its search for the catalogue at each call."""
    text = catalogue_of(current()).gettext(message)
    return text % places if places else text


def ngettext(one: str, many: str, number: int, /, **places: object) -> str:
    """The sentence that fits a number; `num` is the number itself."""
    return catalogue_of(current()).ngettext(one, many, number) % {"num": number, **places}


def lazy_gettext(message: str) -> LazyString:
    """A sentence that is made before the language is known."""
    return LazyString(gettext, message)


_MARKED: dict[tuple[str, str], Markup] = {}
"""Translations as templates show them, of the sentences without places."""
MOST_MARKED = 5000
"""Templates have fewer sentences; if data gets in here, memory must not grow with it."""


def translated(message: str, **places: object) -> Markup:
    """`_()` of templates."""
    language = current()
    if places:
        return _filled(catalogue_of(language).gettext(message), places)
    marked = _MARKED.get((language, message))
    if marked is None:
        if len(_MARKED) >= MOST_MARKED:
            _MARKED.clear()
        marked = _filled(catalogue_of(language).gettext(message), {})
        _MARKED[language, message] = marked
    return marked


def counted(one: str, many: str, number: int, /, **places: object) -> Markup:
    """`ngettext()` of templates."""
    text = catalogue_of(current()).ngettext(one, many, number)
    return _filled(text, {"num": number, **places})


def _filled(text: str, places: Mapping[str, object]) -> Markup:
    """One of our own sentences with escaped values in its places."""
    safe = {
        name: value if isinstance(value, int | float) else put(value)
        for name, value in places.items()
    }
    return Markup(text % safe)  # noqa: S704 # our own sentences


@lru_cache(maxsize=8)
def catalogue_of(language: str) -> NullTranslations:
    """The compiled translations of a language; English needs none."""
    return Translations.load(TRANSLATIONS, [language])


def _of_path() -> str | None:
    first = request.path.split("/", 2)[1]
    return first if first in LANGUAGES else None


def fill_language(endpoint: str, values: dict[str, Any]) -> None:
    """Give `url_for` the language of this page unless another one is asked for."""
    if "lang" not in values and current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
        values["lang"] = current()


def forget(error: BaseException | None) -> None:  # noqa: ARG001 # the signature is Flask's
    """The next request of this thread may have another language."""
    _language.set(None)


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


def without_slash() -> ResponseReturnValue | None:
    """Send a reader whose address has a slash too many to the page without it."""
    path = request.path.rstrip("/")
    if not isinstance(request.routing_exception, NotFound) or path == request.path:
        return None
    if path.split("/", 2)[1:2] == [_of_path()] and path.count("/") > 1:
        query = request.query_string.decode("ascii", "replace")
        target = quote(request.script_root + path)
        return redirect(f"{target}?{query}" if query else target, 301)
    return None


def to_home() -> ResponseReturnValue:
    """Send a visitor of the bare address to the home page in a language that they read."""
    response = redirect(url_for("home.show", lang=preferred()))
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response
