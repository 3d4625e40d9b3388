"""Pages to which mails lead: another password, and invitations to an organization."""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from catalog.schemas.account import AddressSchema, InvitedSchema, NewPasswordSchema
from catalog.services import account_mails, accounts, mail
from portal.forms import address, again, attempt
from portal.identity import sign_in as open_session
from portal.languages import gettext

bp = Blueprint("account_mails", __name__, url_prefix="/account")


@bp.after_request
def keep_private(response: Response) -> Response:
    """The secrets in these addresses stay in no cache, and go to no other site."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.route("/reset", methods=["GET", "POST"])
def ask_reset() -> ResponseReturnValue:
    """Ask for a mail; the answer is the same whether there is such an account or not."""
    if request.method == "GET":
        return render_template("account/forgotten.html", errors={}, possible=mail.possible())
    _, errors, status = attempt(
        AddressSchema(),
        lambda email: account_mails.ask_reset(email, g.lang, address=address()),
    )
    if errors:
        return again("account/forgotten.html", errors, status, possible=mail.possible())
    return render_template("account/asked.html")


@bp.route("/reset/<token>", methods=["GET", "POST"])
def reset(token: str) -> ResponseReturnValue:
    """Set another password and sign in."""
    account = account_mails.may_reset(token)
    if request.method == "GET":
        return render_template("account/reset.html", errors={}, account=account)
    changed, errors, status = attempt(
        NewPasswordSchema(),
        lambda password: account_mails.reset(token, password, address=address()),
    )
    if changed is None:
        return again("account/reset.html", errors, status, account=account)
    open_session(changed)
    flash(gettext("Your password is changed. All other sessions have ended."), "success")
    return redirect(url_for("account.show"))


@bp.get("/invitations/<token>")
def invitation(token: str) -> ResponseReturnValue:
    """Who invites to what; whoever has no account yet makes one here."""
    return _invitation_page(token, {})


@bp.post("/invitations/<token>")
def accept(token: str) -> ResponseReturnValue:
    """Become a member."""
    organization = account_mails.accept(g.identity, token)
    flash(gettext("You are a member now."), "success")
    return redirect(url_for("organizations.show", slug=organization.slug))


@bp.post("/invitations/<token>/register")
def register(token: str) -> ResponseReturnValue:
    """Make an account for the invited address and become a member."""
    made, errors, status = attempt(
        InvitedSchema(),
        lambda draft: account_mails.register_invited(token, *draft, address=address()),
        conflict="name",
    )
    if made is None:
        return _invitation_page(token, errors), status
    open_session(made)
    flash(gettext("Your account is ready."), "success")
    return redirect(url_for("account.show"))


def _invitation_page(token: str, errors: dict[str, list[str]]) -> str:
    known, organization = account_mails.invitation(token)
    own = accounts.own(g.identity) if g.identity.account_id else None
    return render_template(
        "account/invitation.html",
        errors=errors,
        token=token,
        invitation=known,
        organization=organization,
        own=own,
        registered=accounts.by_email(known.email) is not None,
    )
