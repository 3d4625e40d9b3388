"""Accounts: register, sign in and out, change the password, make and revoke API keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user
from marshmallow import Schema, ValidationError

from catalog.errors import CatalogError, Invalid, NotFound
from catalog.schemas.account import KeySchema, PasswordSchema, RegisterSchema, SignInSchema
from catalog.services import accounts, keys
from portal import once
from portal.identity import sign_in as open_session
from portal.identity import sign_out as close_session

bp = Blueprint("account", __name__, url_prefix="/account")

T = TypeVar("T")
Errors = dict[str, list[str]]
FREE = ("account.password", "account.sign_out")
"""What an account with a one-time password may use of the account's pages."""


@bp.before_app_request
def insist_on_password() -> ResponseReturnValue | None:
    """Whoever signed in with a one-time password reads as anyone does, until it is changed."""
    if (
        g.get("identity") is None
        or g.identity.account_id is None
        or request.path.startswith(("/api/", "/datastore/"))
    ):
        return None
    if not current_user.account.must_change_password or request.endpoint in FREE:
        return None
    if request.blueprint == bp.name or request.method not in ("GET", "HEAD"):
        return redirect(url_for("account.password"))
    g.identity = replace(g.identity, administrator=False, organizations={})
    g.one_time = True
    return None


@bp.after_request
def keep_private(response: Response) -> Response:
    """Nothing of an account stays in a cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Sign in and go on to where the reader wanted to go."""
    if request.method == "GET":
        return render_template("account/sign_in.html", errors={}, next=_next())
    account, errors, status = _attempt(
        SignInSchema(), lambda draft: accounts.sign_in(draft, address=_address())
    )
    if account is None:
        return _again("account/sign_in.html", errors, status, next=_next())
    open_session(account)
    return redirect(_next() or url_for("account.show"))


@bp.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    """Make an account and sign in."""
    if request.method == "GET":
        return render_template("account/register.html", errors={})
    account, errors, status = _attempt(
        RegisterSchema(),
        lambda draft: accounts.register(g.identity, draft, address=_address()),
        conflict="email",
    )
    if account is None:
        return _again("account/register.html", errors, status)
    open_session(account)
    flash(gettext("Your account is ready."), "success")
    return redirect(url_for("account.show"))


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this session."""
    close_session()
    return redirect(url_for("home.show"))


@bp.post("/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    """End all sessions of the account, this one too."""
    accounts.sign_out_everywhere(g.identity)
    close_session()
    return redirect(url_for("account.sign_in"))


@bp.get("/")
def show() -> ResponseReturnValue:
    """The account and its keys; whoever comes here has seen the new one."""
    once.forget()
    return _account_page({})


@bp.route("/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """Change the password; a one-time password must be changed."""
    account = accounts.own(g.identity)
    forced = account.must_change_password
    if request.method == "GET":
        return render_template("account/password.html", errors={}, forced=forced, account=account)
    changed, errors, status = _attempt(
        PasswordSchema(),
        lambda draft: accounts.change_password(g.identity, draft, address=_address()),
    )
    if changed is None:
        return _again("account/password.html", errors, status, forced=forced, account=account)
    open_session(changed)
    flash(gettext("Your password is changed. All other sessions have ended."), "success")
    return redirect(url_for("account.show"))


@bp.post("/keys")
def create_key() -> ResponseReturnValue:
    """Make a key and lead to the page that shows it: it is in no address, cookie or log."""
    made, errors, status = _attempt(KeySchema(), lambda draft: keys.create(g.identity, draft))
    if made is None:
        return _account_page(errors), status
    once.keep({"name": made.key.name, "secret": made.secret})
    return redirect(url_for("account.new_key"), 303)


@bp.get("/keys")
def list_keys() -> ResponseReturnValue:
    """Another language was chosen while the form of a key was corrected."""
    return redirect(url_for("account.show", _anchor="keys"))


@bp.get("/keys/new")
def new_key() -> ResponseReturnValue:
    """The key that was just made: for some minutes, until the account's page is opened."""
    made = once.kept()
    if made is None:
        flash(
            gettext(
                "A new key is shown for five minutes only. If you did not copy it, revoke it and make another one."
            ),
            "note",
        )
        return redirect(url_for("account.show"))
    return render_template("account/key.html", made=made)


@bp.route("/keys/<key_id>/revoke", methods=["GET", "POST"])
def revoke_key(key_id: str) -> ResponseReturnValue:
    """Ask, then revoke a key."""
    if request.method == "GET":
        known = {key.id: key for key in keys.all_of(g.identity)}
        if key_id not in known:
            raise NotFound("there is no such key")
        return render_template("account/revoke.html", key=known[key_id])
    key = keys.revoke(g.identity, key_id)
    flash(gettext("The key “%(name)s” is revoked.", name=key.name), "success")
    return redirect(url_for("account.show"))


def form_fields(schema: Schema) -> dict[str, str]:
    """What was typed into the fields that a schema knows."""
    return {name: request.form[name] for name in schema.fields if name in request.form}


def _attempt(
    schema: Schema, act: Callable[..., T], *, conflict: str = ""
) -> tuple[T | None, Errors, int]:
    """Load the form and act on it: the result, or what to say beside which field and the status."""
    try:
        return act(schema.load(form_fields(schema))), {}, 200
    except ValidationError as error:
        return None, _translated(error.messages_dict), 422
    except Invalid as error:
        return None, _translated(error.problems), error.status
    except CatalogError as error:
        field = conflict if error.status == 409 else ""
        sentence = gettext(error.message, **error.context)
        return None, {field: [sentence]}, 422 if error.status == 401 else error.status


def _translated(problems: object) -> Errors:
    found = problems if isinstance(problems, dict) else {}
    return {
        str(name): [gettext(str(words)) for words in sentences] for name, sentences in found.items()
    }


def _again(template: str, errors: Errors, status: int, **values: object) -> ResponseReturnValue:
    return render_template(template, errors=errors, **values), status


def _account_page(errors: Errors) -> str:
    account = accounts.own(g.identity)
    settings = current_app.extensions["weft"]["settings"]
    return render_template(
        "account/show.html",
        account=account,
        keys=keys.all_of(g.identity),
        errors=errors,
        limits={"basic": settings.limit_basic, "extended": settings.limit_extended},
    )


def _address() -> str:
    return request.remote_addr or ""


def _next() -> str:
    """The page to go on to; only one of this portal."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted.replace("\\", "/"))
    own = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if own and not parts.netloc and not parts.scheme and wanted.isprintable() else ""
