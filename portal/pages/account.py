"""Accounts: register, sign in and out, change the password, make and revoke API keys."""

from __future__ import annotations

from dataclasses import replace

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from catalog.errors import NotFound
from catalog.schemas.account import (
    KeySchema,
    PasswordSchema,
    ProfileSchema,
    RegisterSchema,
    SignInSchema,
)
from catalog.services import accounts, keys, members
from portal import oidc, once
from portal.forms import Errors, address, again, attempt, next_page
from portal.identity import sign_in as open_session
from portal.identity import sign_out as close_session
from portal.languages import gettext
from portal.site import Site

bp = Blueprint("account", __name__, url_prefix="/account")

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
    g.identity = replace(
        g.identity, administrator=False, organizations={}, themes={}, collaborations={}
    )
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
        return render_template("account/sign_in.html", errors={}, next=next_page())
    account, errors, status = attempt(
        SignInSchema(), lambda draft: accounts.sign_in(draft, address=address())
    )
    if account is None:
        return again("account/sign_in.html", errors, status, next=next_page())
    open_session(account)
    return redirect(next_page() or url_for("account.show"))


@bp.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    """Make an account and sign in."""
    if request.method == "GET":
        return render_template("account/register.html", errors={})
    account, errors, status = attempt(
        RegisterSchema(),
        lambda draft: accounts.register(g.identity, draft, address=address()),
        conflict="email",
    )
    if account is None:
        return again("account/register.html", errors, status)
    open_session(account)
    flash(gettext("Your account is ready."), "success")
    return redirect(url_for("account.show"))


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this session; one that a provider opened may end there too."""
    id_token, provider = session.get(oidc.ID_TOKEN), oidc.provider()
    close_session()
    if id_token is None or provider is None:
        return redirect(url_for("home.show"))
    there = provider.sign_out_address(id_token, Site().origin() + url_for("root"))
    if not there:
        return redirect(url_for("home.show"))
    # A page, for browsers follow no redirect of a form to another site under our policy.
    response = make_response(render_template("account/signed_out.html", address=there))
    response.headers["Refresh"] = f"0; url={there}"
    return response


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


@bp.route("/profile", methods=["GET", "POST"])
def profile() -> ResponseReturnValue:
    """What others see of the account."""
    account = accounts.own(g.identity)
    if request.method == "GET":
        return render_template("account/profile.html", errors={}, account=account)
    changed, errors, status = attempt(
        ProfileSchema(), lambda draft: accounts.change_profile(g.identity, draft), conflict="slug"
    )
    if changed is None:
        return again("account/profile.html", errors, status, account=account)
    flash(gettext("Your profile is changed."), "success")
    return redirect(url_for("account.show"))


@bp.route("/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """Change the password; a one-time password must be changed."""
    account = accounts.own(g.identity)
    forced = account.must_change_password
    if request.method == "GET":
        return render_template("account/password.html", errors={}, forced=forced, account=account)
    changed, errors, status = attempt(
        PasswordSchema(),
        lambda draft: accounts.change_password(g.identity, draft, address=address()),
    )
    if changed is None:
        return again("account/password.html", errors, status, forced=forced, account=account)
    open_session(changed)
    flash(gettext("Your password is changed. All other sessions have ended."), "success")
    return redirect(url_for("account.show"))


@bp.post("/keys")
def create_key() -> ResponseReturnValue:
    """Make a key and lead to the page that shows it: it is in no address, cookie or log."""
    made, errors, status = attempt(KeySchema(), lambda draft: keys.create(g.identity, draft))
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


def _account_page(errors: Errors) -> str:
    account = accounts.own(g.identity)
    settings = current_app.extensions["weft"]["settings"]
    return render_template(
        "account/show.html",
        account=account,
        keys=keys.all_of(g.identity),
        memberships=members.organizations_of(account),
        errors=errors,
        limits={"basic": settings.limit_basic, "extended": settings.limit_extended},
    )
