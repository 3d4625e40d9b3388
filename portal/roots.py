"""Addresses without a language: what robots and browsers ask for, and those that CKAN portals have."""

from __future__ import annotations

from urllib.parse import quote

from flask import Flask, Response, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.languages import LANGUAGES, preferred
from portal.static import static_asset

DAY = 86400
ENDPOINTS = {"datasets": "search.show", "organizations": "organizations.index"}
"""The lists; a member of one is at `show`."""


def init_app(app: Flask) -> None:
    """Add the addresses."""
    app.add_url_rule("/robots.txt", "robots", robots)
    app.add_url_rule("/favicon.ico", "favicon", favicon)
    for name, target in (("dataset", "datasets"), ("organization", "organizations")):
        for word in (name, f"{name}s"):
            app.add_url_rule(f"/{word}", f"root_{word}", to_page, defaults={"target": target})
            app.add_url_rule(
                f"/{word}/<slug>", f"root_{word}_of", to_page, defaults={"target": target}
            )
    app.add_url_rule("/oidc/callback", "oidc_callback", to_sign_in)
    for noun in ("tables", "citations"):
        app.add_url_rule(f"/{noun}/<path:rest>", f"root_{noun}_path", to_same_path)


def robots() -> Response:
    """Everything may be read but what belongs to an account, and answers that cost work."""
    closed = "".join(
        f"Disallow: {request.script_root}/{tag}/{path}\n"
        for tag in LANGUAGES
        for path in ("account/", "sql?", "sql/")
    )
    settings = current_app.extensions["weft"]["settings"]
    site = (settings.site_url or request.host_url.rstrip("/")) + request.script_root
    maps = f"Sitemap: {site}/sitemap.xml\n"
    response = Response(f"User-agent: *\n{closed}\n{maps}", mimetype="text/plain")
    response.headers["Cache-Control"] = f"public, max-age={DAY}"
    return response


def favicon() -> ResponseReturnValue:
    """The drawing that pages name themselves; its name changes with its content."""
    response = redirect(static_asset("mark.svg"))
    response.headers["Cache-Control"] = f"public, max-age={DAY}"
    return response


def to_sign_in() -> ResponseReturnValue:
    """Where the OpenID provider sends readers back to: it knows one address, whatever their language."""
    query = request.query_string.decode("ascii", "replace")
    response = redirect(f"{url_for('oidc.finish', lang=preferred())}?{query}")
    response.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    return response


def to_page(target: str, slug: str = "") -> ResponseReturnValue:
    """The same page in a language that the reader knows, with the question that was asked."""
    language = preferred()
    address = (
        url_for(f"{target}.show", lang=language, slug=slug)
        if slug
        else url_for(ENDPOINTS[target], lang=language)
    )
    query = request.query_string.decode("utf-8", "replace")
    response = redirect(f"{address}?{query}" if query else address)
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response


def to_same_path(rest: str) -> ResponseReturnValue:  # noqa: ARG001 # the rest of the path, which stays
    """The same path in a language that the reader knows: what is cited names none."""
    path = f"{request.script_root}/{preferred()}{request.path}"
    query = request.query_string.decode("utf-8", "replace")
    response = redirect(f"{quote(path)}?{query}" if query else quote(path))
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response
