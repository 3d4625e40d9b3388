"""Headers and checks that protect readers: content policy, forgery tokens, nothing framed or guessed."""

from __future__ import annotations

from flask import Flask, Response, current_app, g, request
from flask_wtf.csrf import CSRFProtect

from catalog.permissions import Identity

csrf = CSRFProtect()
SENDING = frozenset({"proposals.new", "proposals.edit"})
"""Forms in which publishers send files of data."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
ONE_CLICK = frozenset({"searches.unsubscribe"})
"""Forms that mail programs send by themselves (RFC 8058): the secret in the address is their proof."""
FRAMED = "frame-ancestors *"
"""What the policy of a page says that other sites may show in a frame."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000; includeSubDomains"


def init_app(app: Flask) -> None:
    """Check tokens of forms (the API has keys instead) and send the headers with every answer."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    csrf.init_app(app)
    app.before_request(check_form)
    app.after_request(add_headers)


def check_form() -> None:
    """Refuse a form that was not made by this portal."""
    if request.endpoint in ONE_CLICK:
        return
    if request.endpoint in SENDING and _is_publisher(g.identity):
        request.max_content_length = current_app.extensions["weft"]["settings"].max_upload_bytes
    if not request.path.startswith(("/api/", "/datastore/", "/oai")) and current_app.config.get(
        "WTF_CSRF_ENABLED", True
    ):
        csrf.protect()


def _is_publisher(who: Identity) -> bool:
    return bool(who.administrator or who.organizations or who.collaborations)


def add_headers(response: Response) -> Response:
    """Add what is not there: a view may have set a policy of its own."""
    there = {name.lower() for name, _ in response.headers}
    if FRAMED in response.headers.get("Content-Security-Policy", ""):
        there.add("x-frame-options")  # it knows no “everybody”
    for name, value in HEADERS.items():
        if name.lower() not in there:
            response.headers.add(name, value)
    if current_app.config.get("SESSION_COOKIE_SECURE"):
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    return response
