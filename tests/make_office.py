"""Makes a department with the people who work in it, signed in on pages or with keys for the API."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from catalog.db import db, transaction
from catalog.models.account import Account, Membership
from catalog.models.vocabulary import MemberRole, Role
from catalog.permissions import ANYONE, Identity
from catalog.schemas.account import RegisterDraft
from catalog.services import accounts

PASSWORD = "correct horse battery"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def make_person(name: str, organization_id: str = "", role: MemberRole | None = None) -> Identity:
    """An account, in an organization or an administrator of the portal."""
    email = f"{name}@example.org"
    accounts.register(ANYONE, RegisterDraft(email, name, PASSWORD), address="192.0.2.7")
    account = db.session.scalars(select(Account).where(Account.email == email)).one()
    with transaction():
        if role is None:
            account.role = Role.ADMINISTRATOR
        else:
            member = Membership(account_id=account.id, organization_id=organization_id, role=role)
            db.session.add(member)
    db.session.refresh(account)
    return Identity.of(account)


def signed_in(app: Flask, name: str) -> FlaskClient:
    """A client in whose browser that person is signed in."""
    client = app.test_client()
    fields = {"email": f"{name}@example.org", "password": PASSWORD}
    assert send(client, "/en/account/sign-in", fields).status_code == 302
    return client


def send(
    client: FlaskClient, path: str, fields: Mapping[str, object], *, form_at: str = ""
) -> TestResponse:
    """Open the page with the form, then send it with its token, as a browser does."""
    token = TOKEN.search(client.get(form_at or path).get_data(as_text=True))
    assert token is not None, path
    return client.post(path, data={"csrf_token": token[1], **fields})
