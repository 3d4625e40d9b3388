"""Calls actions of CKAN's API as its clients do: JSON by POST, the key bare in Authorization."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from catalog.db import db, transaction
from catalog.models.account import Account, Membership
from catalog.models.organization import Organization
from catalog.models.vocabulary import MemberRole, Role
from catalog.permissions import Identity
from catalog.schemas.account import KeyDraft
from catalog.services import keys
from catalog.settings import Settings
from wsgi import create_app


@contextmanager
def make_app(folder: Path, **settings: Any) -> Iterator[Flask]:
    """A portal in a folder, for tests that share one."""
    given = {"limit_anonymous": "100000/minute", "limit_basic": "100000/minute", **settings}
    made = create_app(
        Settings(
            data_dir=str(folder / "var"),
            queue_url="immediate:",
            secret_key="only for tests",
            log_level="WARNING",
            **given,
        )
    )
    made.config["TESTING"] = True
    made.test_client_class = Visitor
    with made.app_context():
        db.create_all()
        yield made
        db.session.remove()
        db.engine.dispose()


class Visitor(FlaskClient):
    """A client whose requests have a context each, as on a server."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request."""
        with self.application.app_context():
            return super().open(*args, **kwargs)


class Ckan:
    """A client of the portal with a key, or with none."""

    def __init__(self, client: FlaskClient, key: str = "") -> None:
        self.client = client
        self.headers = {"Authorization": key} if key else {}

    def ask(self, name: str, /, **data: Any) -> Any:
        """The whole answer."""
        body = orjson.dumps(data)  # Flask's own client would sort the names
        headers = {**self.headers, "Content-Type": "application/json"}
        return self.client.post(f"/api/3/action/{name}", data=body, headers=headers)

    def call(self, name: str, /, **data: Any) -> Any:
        """The result; the call must succeed."""
        body = self.ask(name, **data).json
        assert body["success"], body
        return body["result"]

    def refused(self, name: str, status: int, /, **data: Any) -> dict[str, Any]:
        """The error; the call must fail with this status."""
        response = self.ask(name, **data)
        assert response.status_code == status, (response.status_code, response.text[:500])
        assert response.json["success"] is False
        error: dict[str, Any] = response.json["error"]
        return error

    def records(self, name: str, /, **data: Any) -> Any:
        """The records that a search finds."""
        return self.call("datastore_search", resource_id=name, **data)["records"]


def make_key(
    organization: str = "ecology",
    *,
    name: str = "editor",
    member: MemberRole = MemberRole.EDITOR,
    role: Role = Role.ACCOUNT,
) -> str:
    """The key of a new account that edits the organization's datasets, or is something else in it."""
    organization_id = db.session.scalar(select(Organization.id).filter_by(slug=organization))
    account = Account(email=f"{name}@example.org", name=name, password_hash="", role=role)
    with transaction():
        db.session.add(account)
        db.session.flush()
        if organization_id:
            db.session.add(
                Membership(account_id=account.id, organization_id=organization_id, role=member)
            )
    db.session.refresh(account)
    return keys.create(Identity.of(account), KeyDraft("client")).secret
