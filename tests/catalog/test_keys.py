"""API keys: shown once, kept as a hash, revoked at once."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from marshmallow import ValidationError

from catalog.db import db, transaction
from catalog.errors import Conflict, Denied, NotFound, Unauthenticated
from catalog.models.account import Account, ApiKey
from catalog.permissions import ANYONE, Identity
from catalog.schemas.account import KeyDraft, KeySchema, RegisterDraft
from catalog.services import accounts, keys


@pytest.fixture
def account(app: Flask) -> Account:
    draft = RegisterDraft("wang@example.org", "王", "correct horse battery")
    return accounts.register(ANYONE, draft, address="192.0.2.7")


@pytest.fixture
def who(account: Account) -> Identity:
    return Identity.of(account)


@pytest.fixture
def administrator(app: Flask) -> Identity:
    accounts.create_administrator("admin@example.org")
    return Identity.of(db.session.query(Account).filter_by(email="admin@example.org").one())


def test_a_key_says_who_sends_it_and_under_which_plan(who: Identity) -> None:
    made = keys.create(who, KeyDraft("map"))
    found = keys.identify(made.secret)
    assert (found.account_id, found.key_id, found.plan) == (who.account_id, made.key.id, "basic")


def test_a_key_is_kept_as_a_hash_of_256_random_bits(who: Identity) -> None:
    made = keys.create(who, KeyDraft("map"))
    assert made.secret.startswith("weft_")
    assert len(made.secret) == len("weft_") + 43
    assert made.key.hash == hashlib.sha256(made.secret.encode()).hexdigest()
    assert made.key.prefix == made.secret[:12]
    assert made.secret not in repr(made)
    stored = db.session.get(ApiKey, made.key.id)
    assert made.secret not in [getattr(stored, name.key) for name in ApiKey.__table__.columns]


@pytest.mark.parametrize(
    "secret", ["", "weft_", "weft_" + "x" * 43, "weft_" + "x" * 5000, "密钥", "sk_1\x00"]
)
def test_an_unknown_key_is_refused(who: Identity, secret: str) -> None:
    keys.create(who, KeyDraft("map"))
    with pytest.raises(Unauthenticated, match="not known"):
        keys.identify(secret)


def test_a_revoked_key_is_refused_at_once_and_stays_listed(who: Identity) -> None:
    first, second = (keys.create(who, KeyDraft(name)) for name in ("first", "second"))
    keys.identify(first.secret)
    when = keys.revoke(who, first.key.id).revoked_at
    assert keys.revoke(who, first.key.id).revoked_at == when
    with pytest.raises(Unauthenticated, match="revoked"):
        keys.identify(first.secret)
    assert keys.identify(second.secret).key_id == second.key.id
    assert [key.name for key in keys.all_of(who)] == ["second", "first"]


def test_the_keys_of_a_closed_account_end_within_seconds(
    account: Account, who: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = keys.create(who, KeyDraft("map"))
    keys.identify(made.secret)
    with transaction():
        account.active = False
    monkeypatch.setattr(keys.time, "monotonic", lambda: 1e12)
    with pytest.raises(Unauthenticated, match="revoked"):
        keys.identify(made.secret)


def test_only_administrators_give_the_extended_plan(who: Identity, administrator: Identity) -> None:
    with pytest.raises(Denied):
        keys.create(who, KeyDraft("map", "extended"))
    assert keys.create(administrator, KeyDraft("map", "extended")).key.plan == "extended"
    made = keys.create(who, KeyDraft("map"))
    keys.identify(made.secret)
    with pytest.raises(Denied):
        keys.change_plan(who, made.key.id, "extended")
    keys.change_plan(administrator, made.key.id, "extended")
    assert keys.identify(made.secret).plan == "extended"


def test_keys_belong_to_their_account(who: Identity, administrator: Identity) -> None:
    made = keys.create(administrator, KeyDraft("map"))
    with pytest.raises(Denied):
        keys.revoke(who, made.key.id)
    with pytest.raises(NotFound):
        keys.revoke(who, "nothing")
    with pytest.raises(Unauthenticated):
        keys.revoke(ANYONE, made.key.id)
    with pytest.raises(Unauthenticated):
        keys.create(ANYONE, KeyDraft("map"))
    assert keys.all_of(who) == []


def test_an_account_has_at_most_twenty_keys_in_use(who: Identity) -> None:
    made = [keys.create(who, KeyDraft(str(at))) for at in range(keys.MOST)]
    with pytest.raises(Conflict, match="20 keys"):
        keys.create(who, KeyDraft("one too many"))
    keys.revoke(who, made[0].key.id)
    keys.create(who, KeyDraft("another"))


def test_the_use_of_a_key_is_noted_once_a_minute(
    who: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = keys.create(who, KeyDraft("map"))
    assert made.key.last_used_at is None
    noted: list[str] = []
    later = keys.note_use.later
    monkeypatch.setattr(keys.note_use, "later", lambda *args: noted.append(args[0]) or later(*args))
    clock = [1000.0]
    monkeypatch.setattr(keys.time, "monotonic", lambda: clock[0])
    for seconds in (0, 30, 59):
        clock[0] = 1000.0 + seconds
        keys.identify(made.secret)
    assert noted == [made.key.id]
    clock[0] = 1061.0
    keys.identify(made.secret)
    assert noted == [made.key.id] * 2
    db.session.refresh(made.key)
    used = made.key.last_used_at
    assert used is not None
    assert datetime.now(UTC) - used < timedelta(seconds=30)


def test_an_older_note_does_not_overwrite_a_newer_one(who: Identity) -> None:
    made = keys.create(who, KeyDraft("map"))
    newer = datetime(2026, 5, 2, tzinfo=UTC)
    for moment in (newer, newer - timedelta(days=1)):
        keys.note_use(made.key.id, moment.isoformat())
    db.session.refresh(made.key)
    assert made.key.last_used_at == newer


def test_the_memory_of_notes_is_bounded(who: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_NOTED", dict.fromkeys(map(str, range(50_001)), 0.0))
    made = keys.create(who, KeyDraft("map"))
    monkeypatch.setattr(keys, "_KNOWN", dict.fromkeys(map(str, range(50_001))))
    keys.identify(made.secret)
    assert list(keys._NOTED) == [made.key.id]
    assert len(keys._KNOWN) == 1


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({}, "name"), ({"name": " "}, "name"), ({"name": "a", "plan": "gold"}, "plan")],
)
def test_the_form_for_a_key_is_checked(fields: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KeySchema().load(fields)
    assert list(caught.value.messages_dict) == [wrong]


def test_a_key_is_basic_unless_asked_otherwise() -> None:
    assert KeySchema().load({"name": " my  key "}) == KeyDraft("my key", "basic")
