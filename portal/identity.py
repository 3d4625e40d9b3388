"""Who is asking for a page: the signed-in account, or anyone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Flask, Request, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from catalog.permissions import ANYONE, Identity
from catalog.services import accounts

if TYPE_CHECKING:
    from catalog.models.account import Account

login_manager = LoginManager()
WITHOUT_SESSION = ("/api/", "/datastore/", "/static/", "/healthz", "/readyz", "/metrics")
FEEDS = re.compile(
    r"/(catalog\b|data\.json|feeds/|sitemap|opensearch|oai$|datasets?/[^/]+(\.[a-z.]+|/datapackage\.json)$)"
)
"""Addresses whose answers are the same for all: looking at the session would keep caches from keeping them."""
REMEMBERED = "_user_id"
"""Where Flask-Login keeps the id of a session's account."""


class SignedIn(UserMixin):
    """An account in Flask-Login's form, with what the cookie remembers of its session."""

    def __init__(self, account: Account, remembered: str) -> None:
        self.account = account
        self.remembered = remembered

    def get_id(self) -> str:
        """What the cookie remembers."""
        return self.remembered


class PageSessions(SecureCookieSessionInterface):
    """Sessions for pages only: calls of the API and files know no cookies, and need not look for one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of a page; for anything else one that stays empty."""
        if without_session(request.path):
            return self.make_null_session(app)
        return super().open_session(app, request)


def without_session(path: str) -> bool:
    """Whether what is at this path is no page."""
    return path.startswith(WITHOUT_SESSION) or FEEDS.match(path) is not None


def init_app(app: Flask) -> None:
    """Set `g.identity` before each request; the API sets its own from keys."""
    app.session_interface = PageSessions()
    login_manager.session_protection = None  # addresses of phones change; the token ends sessions
    login_manager.init_app(app)
    app.before_request(identify)


@login_manager.user_loader
def load(remembered: str) -> SignedIn | None:
    """The account of a session that was not ended."""
    account = accounts.of_session(remembered)
    return SignedIn(account, remembered) if account else None


def identify() -> None:
    """Only a request with a session asks the database who it is."""
    g.identity = ANYONE
    if without_session(request.path) or REMEMBERED not in session:
        return
    if current_user.is_authenticated:
        g.identity = Identity.of(current_user.account)


def sign_in(account: Account) -> None:
    """Open a session; the one before ends, and what was kept in it is dropped."""
    sign_out()
    login_user(SignedIn(account, accounts.open_session(account)))
    g.identity = Identity.of(account)


def sign_out() -> None:
    """End this session here and in every copy of its cookie."""
    if REMEMBERED in session:
        accounts.close_session(session[REMEMBERED])
    logout_user()
    session.clear()
    g.identity = ANYONE
