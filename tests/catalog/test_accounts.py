"""Accounts: registering, signing in, passwords, and what guessing costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from limits.storage import MemoryStorage
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from catalog.db import db, transaction
from catalog.errors import Conflict, Denied, Invalid, NotFound, TooMany, Unauthenticated
from catalog.models.account import Account, AccountSession
from catalog.models.base import now
from catalog.permissions import ANYONE, Identity
from catalog.schemas.account import (
    PasswordDraft,
    PasswordSchema,
    RegisterDraft,
    RegisterSchema,
    SignInDraft,
    SignInSchema,
    normalized_email,
    weakness,
)
from catalog.services import accounts, attempts

ADDRESS = "192.0.2.7"
PASSWORD = "correct horse battery"


def registered(email: str = "wang@example.org", name: str = "王小明") -> Account:
    return accounts.register(ANYONE, RegisterDraft(email, name, PASSWORD), address=ADDRESS)


def sign_in(email: str = "wang@example.org", password: str = PASSWORD) -> Account:
    return accounts.sign_in(SignInDraft(email, password), address=ADDRESS)


def test_a_registered_account_signs_in(app: Flask) -> None:
    account = registered()
    assert sign_in().id == account.id
    assert account.role == "account"
    assert account.password_hash.startswith("$argon2id$")
    assert PASSWORD not in account.password_hash


def test_an_address_is_registered_once(app: Flask) -> None:
    registered()
    with pytest.raises(Conflict, match="already"):
        registered()


def test_two_registrations_at_the_same_moment_make_one_account(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered()
    monkeypatch.setattr(accounts.db.session, "scalar", lambda *_: None)
    with pytest.raises(Conflict) as caught:
        registered()
    assert isinstance(caught.value.__cause__, IntegrityError)


@pytest.mark.parametrize(
    ("email", "password"), [("wang@example.org", "wrong"), ("no@example.org", PASSWORD)]
)
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    app: Flask, email: str, password: str
) -> None:
    registered()
    with pytest.raises(Unauthenticated, match="the e-mail address or the password is wrong"):
        sign_in(email, password)


def test_an_unknown_address_costs_a_hash_too(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(accounts, "_matches", lambda hashed, _: compared.append(hashed))
    with pytest.raises(Unauthenticated):
        sign_in("no@example.org")
    assert compared == [accounts._UNKNOWN]


def test_a_closed_account_does_not_sign_in(app: Flask) -> None:
    account = registered()
    remembered = accounts.open_session(account)
    with transaction():
        account.active = False
    with pytest.raises(Unauthenticated):
        sign_in()
    assert accounts.of_session(remembered) is None


def test_an_older_hash_is_renewed_when_its_owner_signs_in(app: Flask) -> None:
    account = registered()
    with transaction():
        account.password_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(
            PASSWORD
        )
    sign_in()
    assert "m=32768" in account.password_hash


def test_a_damaged_hash_lets_nobody_in(app: Flask) -> None:
    account = registered()
    with transaction():
        account.password_hash = "damaged"
    with pytest.raises(Unauthenticated):
        sign_in()


def test_wrong_passwords_make_the_account_wait_longer_and_longer(app: Flask) -> None:
    registered()
    waits = []
    for _ in range(7):
        with pytest.raises((Unauthenticated, TooMany)) as caught:
            sign_in(password="a guess")
        if isinstance(caught.value, TooMany):
            waits.append(caught.value.context["retry_after"])
            attempts.storage().clear(attempts._name("delay", "wang@example.org"))
    with pytest.raises(TooMany):
        attempts.count_failure("wang@example.org") or sign_in()
    assert waits[0] == 2
    assert waits == sorted(waits)


def test_the_wait_doubles_and_is_said_in_minutes_when_long(app: Flask) -> None:
    said = []
    for _ in range(15):
        attempts.count_failure("wang@example.org")
        try:
            attempts.require_patience("wang@example.org")
        except TooMany as error:
            said.append((error.context["retry_after"], error.message % error.context))
        attempts.storage().clear(attempts._name("delay", "wang@example.org"))
    assert [seconds for seconds, _ in said] == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert said[5][1] == "Too many wrong passwords. Wait 64 seconds and try again."
    assert said[6][1] == "Too many wrong passwords. Wait 3 minutes and try again."
    assert said[9][1] == "Too many wrong passwords. Wait 15 minutes and try again."


def test_tries_during_the_wait_do_not_use_up_those_of_the_network(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = app.extensions["weft"]["settings"]
    monkeypatch.setitem(app.extensions["weft"], "settings", _with(settings, limit_sign_in="6/hour"))
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            sign_in("no@example.org")
    for _ in range(5):
        with pytest.raises(TooMany, match="wrong passwords"):
            sign_in("no@example.org")
    with pytest.raises(Unauthenticated):
        sign_in("other@example.org")
    with pytest.raises(TooMany, match="your network") as caught:
        sign_in("other@example.org")
    assert caught.value.context["minutes"] == 60


def test_unknown_addresses_wait_as_known_ones_do(app: Flask) -> None:
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            sign_in("no@example.org")
    with pytest.raises(TooMany):
        sign_in("no@example.org")


def test_the_longest_wait_is_a_quarter_of_an_hour(app: Flask) -> None:
    for _ in range(40):
        attempts.count_failure("wang@example.org")
        attempts.storage().clear(attempts._name("delay", "wang@example.org"))
    attempts.count_failure("wang@example.org")
    with pytest.raises(TooMany) as caught:
        attempts.require_patience("wang@example.org")
    assert 895 <= int(str(caught.value.context["retry_after"])) <= 900


def test_the_right_password_ends_the_counting(app: Flask) -> None:
    registered()
    for _ in range(4):
        with pytest.raises(Unauthenticated):
            sign_in(password="a guess")
    sign_in()
    for _ in range(4):
        with pytest.raises(Unauthenticated):
            sign_in(password="a guess")


def test_attempts_from_one_address_are_limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = app.extensions["weft"]["settings"]
    monkeypatch.setitem(
        app.extensions["weft"], "settings", _with(settings, limit_sign_in="2/minute")
    )
    for email in ("a@example.org", "b@example.org"):
        with pytest.raises(Unauthenticated):
            sign_in(email)
    with pytest.raises(TooMany) as caught:
        sign_in("c@example.org")
    assert 1 <= int(str(caught.value.context["retry_after"])) <= 60


def test_a_session_ends_when_the_password_changes(app: Flask) -> None:
    account = registered()
    before = accounts.open_session(account)
    assert accounts.of_session(before) is account
    who = Identity.of(account)
    accounts.change_password(who, PasswordDraft(PASSWORD, "another long one"), address=ADDRESS)
    assert accounts.of_session(before) is None
    assert accounts.of_session(accounts.open_session(account)) is account
    assert sign_in(password="another long one") is account


def test_signing_out_everywhere_ends_all_sessions(app: Flask) -> None:
    account = registered()
    before = accounts.open_session(account)
    accounts.sign_out_everywhere(Identity.of(account))
    assert accounts.of_session(before) is None


def test_a_session_that_was_closed_stays_closed_and_others_go_on(app: Flask) -> None:
    account = registered()
    first, second = accounts.open_session(account), accounts.open_session(account)
    assert first != second
    accounts.close_session(first)
    accounts.close_session("nobody.x")
    assert accounts.of_session(first) is None
    assert accounts.of_session(second) is account


def test_a_session_lasts_two_weeks_and_is_then_forgotten(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = registered()
    before = accounts.open_session(account)
    later = now() + timedelta(days=14, seconds=-60)
    monkeypatch.setattr(accounts, "now", lambda: later)
    assert accounts.of_session(before) is account
    monkeypatch.setattr(accounts, "now", lambda: later + timedelta(minutes=2))
    assert accounts.of_session(before) is None
    accounts.open_session(account)
    assert len(db.session.scalars(select(AccountSession)).all()) == 1


def test_the_session_of_another_token_is_nobody(app: Flask) -> None:
    remembered = accounts.open_session(registered())
    assert accounts.of_session(remembered[:-1] + "é") is None


@pytest.mark.parametrize("remembered", ["", ".", "nobody.x", "é"])
def test_a_made_up_session_is_nobody(app: Flask, remembered: str) -> None:
    assert accounts.of_session(remembered) is None


def test_the_present_password_must_be_known_to_change_it(app: Flask) -> None:
    who = Identity.of(registered())
    with pytest.raises(Invalid) as caught:
        accounts.change_password(who, PasswordDraft("wrong", "another long one"), address=ADDRESS)
    assert list(caught.value.problems) == ["present"]


def test_a_weak_new_password_is_refused_by_its_field(app: Flask) -> None:
    who = Identity.of(registered())
    with pytest.raises(Invalid) as caught:
        accounts.change_password(who, PasswordDraft(PASSWORD, "wang@example.org"), address=ADDRESS)
    assert list(caught.value.problems) == ["password"]


def test_an_administrator_starts_with_a_password_for_one_time(app: Flask) -> None:
    password = accounts.create_administrator(" Admin@Example.ORG ")
    account = sign_in("admin@example.org", password)
    assert account.must_change_password
    assert Identity.of(account).administrator
    accounts.change_password(
        Identity.of(account), PasswordDraft(password, PASSWORD), address=ADDRESS
    )
    assert not account.must_change_password
    with pytest.raises(Conflict):
        accounts.create_administrator("admin@example.org")


def test_a_reset_password_ends_sessions_and_must_be_changed(app: Flask) -> None:
    account = registered()
    before = accounts.open_session(account)
    password = accounts.reset_password("wang@example.org")
    assert accounts.of_session(before) is None
    assert sign_in(password=password).must_change_password
    with pytest.raises(NotFound):
        accounts.reset_password("no@example.org")


def test_accounts_are_shown_to_their_owner_and_to_administrators(app: Flask) -> None:
    account, other = registered(), registered("li@example.org", "李")
    assert accounts.show(Identity.of(account), account.id) is account
    assert accounts.show(Identity(account_id="x", administrator=True), account.id) is account
    with pytest.raises(Denied):
        accounts.show(Identity.of(other), account.id)
    with pytest.raises(NotFound):
        accounts.show(ANYONE, "nobody")
    with pytest.raises(Unauthenticated):
        accounts.own(ANYONE)


@pytest.mark.parametrize(
    ("password", "email", "name"),
    [
        ("short", "a@b.cn", "A"),
        ("x" * 201, "a@b.cn", "A"),
        ("1234567890", "a@b.cn", "A"),
        ("PASSWORD123", "a@b.cn", "A"),
        ("aaaaaaaaaaaa", "a@b.cn", "A"),
        ("wang@example.org", "wang@example.org", "A"),
        ("zhangwei12", "zhangwei@example.org", "A"),
        ("Zhang Weiming1", "z@example.org", "Zhang Weiming"),
    ],
)
def test_a_weak_password_is_refused(password: str, email: str, name: str) -> None:
    assert weakness(password, email, name)
    with pytest.raises(ValidationError) as caught:
        RegisterSchema().load({"email": email, "name": name, "password": password})
    assert list(caught.value.messages_dict) == ["password"]


@pytest.mark.parametrize("password", [PASSWORD, "我家门前有一棵大槐树呀", "tr4in-Blue-kettle"])
def test_a_password_that_is_hard_to_guess_is_taken(password: str) -> None:
    assert weakness(password, "wang@example.org", "王") is None


@given(st.text(max_size=300), st.text(max_size=40), st.text(max_size=40))
def test_any_text_can_be_judged_as_a_password(password: str, email: str, name: str) -> None:
    found = weakness(password, email, name)
    assert found is not None or 10 <= len(password) <= 200


@pytest.mark.parametrize(
    "email",
    [
        "",
        "  ",
        "a",
        "a@b",
        "a b@c.org",
        "a@b..",
        "@b.org",
        "a@b.org\n@c",
        "x" * 70 + "@b.org",
        f"a@{'b' * 260}.org",
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SignInSchema().load({"email": email, "password": "x"})
    assert list(caught.value.messages_dict) == ["email"]


@given(st.emails())
def test_an_address_has_one_form(email: str) -> None:
    assert normalized_email(email.upper()) == normalized_email(
        normalized_email(f" {email} ").upper()
    )


@pytest.mark.parametrize("name", ["", " ", "\u200b", "x" * 101])
def test_a_name_has_between_one_and_a_hundred_characters(name: str) -> None:
    with pytest.raises(ValidationError):
        RegisterSchema().load({"email": "a@b.org", "name": name, "password": PASSWORD})


def test_a_name_stays_on_one_line() -> None:
    draft = RegisterSchema().load(
        {"email": "a@b.org", "name": " 王\n小\u202e明 ", "password": PASSWORD}
    )
    assert draft.name == "王 小 明"
    assert PASSWORD not in repr(draft)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"present": "a", "password": "b", "again": "c"}, "again"),
        ({"present": "a", "password": "a", "again": "a"}, "password"),
        ({"present": "a", "password": "a", "again": ""}, "again"),
        ({"password": "a", "again": "a"}, "present"),
    ],
)
def test_the_form_for_another_password_is_checked(fields: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PasswordSchema().load(fields)
    assert list(caught.value.messages_dict) == [wrong]


def test_the_same_letters_are_the_same_password_however_they_were_typed(app: Flask) -> None:
    draft = RegisterSchema().load({"email": "a@b.org", "name": "A", "password": "café café café"})
    accounts.register(ANYONE, draft, address=ADDRESS)
    accounts.sign_in(
        SignInSchema().load({"email": "a@b.org", "password": "cafe\u0301 cafe\u0301 cafe\u0301"}),
        address="",
    )


def _with(settings: object, **changes: object) -> object:
    from dataclasses import replace

    return replace(settings, **changes)  # type: ignore[type-var] # Settings is a dataclass


def test_addresses_of_one_ipv6_network_are_one_caller() -> None:
    assert attempts.address_block("2001:db8::1") == attempts.address_block("2001:db8::ffff")
    assert attempts.address_block("2001:db8:0:1::1") != attempts.address_block("2001:db8::1")
    assert attempts.address_block("::ffff:192.0.2.1") == attempts.address_block("192.0.2.1")
    assert attempts.address_block(None) == "unknown"
    assert attempts.address_block("unix:") == "unix:"


def test_counts_are_swept_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = attempts.Windows("windows://")
    monkeypatch.setattr(windows, "MOST", 3)
    clock = [1000.0]
    monkeypatch.setattr(attempts.time, "time", lambda: clock[0])
    windows._sweep_at = 1060
    assert [windows.incr("a", 60), windows.incr("a", 60), windows.incr("b", 10)] == [1, 2, 1]
    clock[0] = 1015
    assert windows.get("b") == 0
    assert windows.get_expiry("b") == 1015
    assert windows.incr("b", 10) == 1
    for name in "cdef":
        windows.incr(name, 60)
    assert len(windows._windows) <= 4
    clock[0] = 2000
    windows.incr("z", 60)
    assert list(windows._windows) == ["z"]
    assert windows.check()
    assert windows.base_exceptions == ()
    assert windows.reset() == 1


def test_calls_are_counted_in_memory_when_the_shared_storage_is_down(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    class Down(MemoryStorage):
        def incr(self, *_: object, **__: object) -> int:
            raise ValueError("connection refused")

    app.extensions["weft"]["limits"] = Down()
    app.extensions["weft"]["limits"].timer.join()
    limit = attempts.parse_many("2/minute")[0]
    left = [attempts.take(limit, "test", str(id(app))).left for _ in range(3)]
    assert left == [1, 0, -1]
    assert "connection refused" in caplog.text


def test_the_storage_that_the_settings_name_is_opened(app: Flask) -> None:
    assert isinstance(attempts.storage(), attempts.Windows)
    assert attempts.storage() is attempts.storage()
    with pytest.raises(Exception, match="unknown storage"):
        attempts.open_storage(app, "async+x://")
