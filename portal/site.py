"""What every page says of the portal itself: its title and its addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from flask import Flask, current_app, get_flashed_messages, request
from markupsafe import Markup

from portal.languages import LANGUAGES, current


def init_app(app: Flask) -> None:
    """Give templates `site` and `flashes`."""
    app.jinja_env.globals.update(site=Site(), flashes=flashes)


def flashes() -> Sequence[tuple[str, str]]:
    """Messages for the next page; a reader without a session has none, and gets no cookie."""
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies:
        return ()
    return cast("Sequence[tuple[str, str]]", get_flashed_messages(with_categories=True))


def site_address() -> str:
    """Where the portal stands, without a slash at the end."""
    return Site().origin() + request.script_root


def site_titles() -> dict[str, str]:
    """What the portal is called, by language."""
    settings = current_app.extensions["weft"]["settings"]
    return {"zh": settings.site_title_zh, "en": settings.site_title_en}


def inside_page(body: Mapping[str, Any]) -> Markup:
    """JSON that may stand in a `script` of an HTML page: nothing in it ends the element."""
    text = orjson.dumps(body).decode()
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704 # escaped for where it stands


class Site:
    """The portal as templates know it; reads the settings of the running app."""

    def title(self) -> str:
        """The name of the portal in the reader's language."""
        settings = current_app.extensions["weft"]["settings"]
        return str(settings.site_title_zh if current() == "zh" else settings.site_title_en)

    def home(self) -> str:
        """Path of the home page in the reader's language; all pages are below it."""
        return f"{request.script_root}/{current()}/"

    def origin(self) -> str:
        """Scheme and host that the public sees."""
        settings = current_app.extensions["weft"]["settings"]
        return str(settings.site_url or request.host_url.rstrip("/"))

    def path(self, language: str) -> str:
        """This page's path in a language, with its query, for the language switch."""
        path = self._path(language)
        query = request.query_string.decode("utf-8", "replace")
        return f"{path}?{query}" if query else path

    def address(self, language: str) -> str:
        """This page's whole address in a language, without its query, for search engines."""
        return self.origin() + self._path(language)

    def _path(self, language: str) -> str:
        first, _, rest = request.path.lstrip("/").partition("/")
        return f"{request.script_root}/{language}/{rest}" if first in LANGUAGES else f"/{language}/"
