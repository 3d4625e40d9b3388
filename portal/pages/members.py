"""Members of an organization: seen, given roles and invited by those who lead it."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from catalog.errors import Invalid, NotFound
from catalog.models.vocabulary import MemberRole
from catalog.permissions import Action, require
from catalog.schemas.account import InvitationSchema
from catalog.services import account_mails, mail, members, organizations
from portal.forms import Errors, attempt
from portal.languages import gettext

bp = Blueprint("members", __name__, url_prefix="/organizations/<slug>/members")


@bp.get("/")
def index(slug: str) -> str:
    """The members, and who was invited."""
    return _page(slug, {})


@bp.post("/role")
def set_role(slug: str) -> ResponseReturnValue:
    """Give a member another role, or end the membership where that button was pressed."""
    organization = organizations.show(g.identity, slug)
    require(g.identity, Action.ORGANIZATION_WRITE, organization)
    known = {account.id: account for account, _ in members.of(organization)}
    account = known.get(request.form.get("account", ""))
    if account is None:
        raise NotFound("there is no such account")
    if request.form.get("do") == "remove":
        members.remove(g.identity, organization, account)
        flash(gettext("%(name)s is no member any more.", name=account.name), "success")
    else:
        members.add(g.identity, organization, account, _role(request.form.get("role", "")))
        flash(gettext("The role is changed."), "success")
    return redirect(url_for("members.index", slug=slug))


def _role(name: str) -> MemberRole:
    """The role of that name; raises Invalid, also where none was sent: that ends no membership."""
    if name not in set(MemberRole):
        raise Invalid("There is no such role", {"role": ["There is no such role"]})
    return MemberRole(name)


@bp.post("/invite")
def invite(slug: str) -> ResponseReturnValue:
    """Invite somebody by mail."""
    organization = organizations.show(g.identity, slug)

    def act(draft: tuple[str, MemberRole]) -> bool:
        account_mails.invite(g.identity, organization, *draft, g.lang)
        return True

    sent, errors, status = attempt(InvitationSchema(), act)
    if not sent:
        return _page(slug, errors), status
    flash(gettext("The invitation is on its way."), "success")
    return redirect(url_for("members.index", slug=slug))


@bp.post("/uninvite")
def uninvite(slug: str) -> ResponseReturnValue:
    """Make an invitation worthless."""
    organization = organizations.show(g.identity, slug)
    email = request.form.get("email", "")
    account_mails.withdraw_invitation(g.identity, organization, email)
    flash(gettext("The invitation is withdrawn."), "success")
    return redirect(url_for("members.index", slug=slug))


def _page(slug: str, errors: Errors) -> str:
    organization = organizations.show(g.identity, slug)
    require(g.identity, Action.ORGANIZATION_WRITE, organization)
    return render_template(
        "organizations/members.html",
        organization=organization,
        members=members.of(organization)[:500],
        invited=account_mails.invitations(g.identity, organization),
        errors=errors,
        possible=mail.possible(),
    )
