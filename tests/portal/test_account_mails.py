"""What begins with a mail: another password, invitations; profiles; saved searches with their feeds and mails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import NotFound
from catalog.models.account import Account, AccountToken
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.mail import Mail
from catalog.models.saved_search import SavedSearch
from catalog.models.vocabulary import MemberRole
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.schemas.account import RegisterDraft
from catalog.services import (
    account_mails,
    accounts,
    mail,
    members,
    organizations,
    saved_searches,
    search,
)
from catalog.settings import Settings
from tests.catalog.test_mail import Mailbox, make_smtp, with_mail
from tests.make_dataset import make_organization, put
from tests.make_page import checked, href, one, page, words
from tests.portal.test_account import PASSWORD, submit

ATOM = "{http://www.w3.org/2005/Atom}"
ADDRESS = re.compile(r"https://data\.city\.example(/\S+)")


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def settings(settings: Settings, mailbox: Mailbox) -> Iterator[Settings]:
    with make_smtp(mailbox) as port:
        yield with_mail(settings, f"smtp://127.0.0.1:{port}")


@pytest.fixture
def account(app: Flask) -> Account:
    draft = RegisterDraft("wang@example.org", "Wang Xiaoming", PASSWORD)
    return accounts.register(ANYONE, draft, address="192.0.2.7")


@pytest.fixture
def signed_in(client: FlaskClient, account: Account) -> FlaskClient:
    submit(client, "/en/account/sign-in", email=account.email, password=PASSWORD)
    return client


def paths(mailbox: Mailbox) -> list[str]:
    """The addresses of the portal in the newest mail."""
    return ADDRESS.findall(mailbox.mails[-1].get_content())


class TestForgottenPasswords:
    @pytest.fixture(autouse=True)
    def registered(self, account: Account) -> None:
        """Wang has an account."""

    def ask(self, client: FlaskClient, email: str) -> str:
        asked = submit(client, "/zh/account/reset", email=email)
        assert asked.status_code == 200
        return re.sub(r'(csrf_token" value=)"[^"]*"|nonce="[^"]*"', "", asked.text)

    def test_a_password_is_set_once_by_the_address_of_a_mail(
        self, client: FlaskClient, account: Account, mailbox: Mailbox
    ) -> None:
        self.ask(client, "Wang@example.org")
        assert mailbox.mails[-1]["To"] == "wang@example.org"
        assert "重新设置" in mailbox.mails[-1]["Subject"]
        [path] = paths(mailbox)
        secret = path.rpartition("/")[2]
        assert secret not in str(db.session.scalars(select(AccountToken.hash)).all())
        weak = submit(client, path, password="short", again="short")
        assert weak.status_code == 422
        unlike = submit(client, path, password="another good one", again="a typing mistake")
        assert unlike.status_code == 422
        fields = {"password": "another good one", "again": "another good one"}
        assert submit(client, path, **fields).status_code == 302
        assert client.get("/zh/account/").status_code == 200
        assert client.get(path).status_code == 404
        other = submit(client, "/en/account/sign-in", email=account.email, password=PASSWORD)
        assert other.status_code == 422

    def test_nothing_tells_whether_there_is_an_account(
        self, client: FlaskClient, mailbox: Mailbox
    ) -> None:
        assert self.ask(client, "wang@example.org") == self.ask(client, "nobody@example.org")
        assert len(mailbox.mails) == 1

    def test_a_mailbox_is_not_filled_by_strangers(
        self, client: FlaskClient, mailbox: Mailbox
    ) -> None:
        for _ in range(5):
            self.ask(client, "wang@example.org")
        assert len(mailbox.mails) == account_mails.MOST_RESETS

    def test_accounts_of_a_provider_and_closed_ones_get_none(
        self, client: FlaskClient, account: Account, mailbox: Mailbox
    ) -> None:
        with transaction():
            account.password_hash = ""
        self.ask(client, account.email)
        with transaction():
            account.password_hash, account.active = "x", False
        self.ask(client, account.email)
        assert mailbox.mails == []

    def test_the_address_ends_after_an_hour(
        self, client: FlaskClient, account: Account, mailbox: Mailbox
    ) -> None:
        self.ask(client, account.email)
        with transaction():
            db.session.scalars(select(AccountToken)).one().expires_at = now() - timedelta(seconds=1)
        assert client.get(paths(mailbox)[0]).status_code == 404


class TestInvitations:
    def invite(self, role: MemberRole = MemberRole.EDITOR) -> None:
        ecology = organizations.put(SCHEDULER, "ecology", title={"zh": "生态局", "en": "Ecology"})
        publisher = Identity("1", "Li", organizations={ecology.id: MemberRole.PUBLISHER})
        account_mails.invite(publisher, ecology, "new@example.org", role, "en")

    def test_somebody_without_an_account_makes_one_and_is_a_member(
        self, client: FlaskClient, mailbox: Mailbox
    ) -> None:
        self.invite()
        assert "Li invites you to Ecology" in mailbox.mails[-1].get_content()
        [path] = paths(mailbox)
        assert "editor" in " ".join(words(page(client, path), "main p"))
        fields = {"name": "新人", "password": PASSWORD}
        made = submit(client, f"{path}/register", form_at=path, **fields)
        assert made.status_code == 302
        member = db.session.scalars(select(Account)).one()
        assert (member.email, member.memberships[0].role) == ("new@example.org", MemberRole.EDITOR)
        assert "Ecology" in page(client, "/en/account/").get_text()
        assert client.get(path).status_code == 404

    def test_only_the_invited_address_may_accept(
        self, signed_in: FlaskClient, account: Account, mailbox: Mailbox
    ) -> None:
        self.invite()
        [path] = paths(mailbox)
        assert not page(signed_in, path).select("main form[method=post]")
        assert submit(signed_in, path, form_at="/en/account/").status_code == 403
        with transaction():
            account.email = "new@example.org"
        assert submit(signed_in, path).status_code == 302
        assert [one.role for one in account_now().memberships] == [MemberRole.EDITOR]

    @pytest.mark.usefixtures("app")
    def test_a_withdrawn_invitation_ends(self) -> None:
        self.invite()
        ecology = organizations.show(ANYONE, "ecology")
        assert [one.email for one in account_mails.invitations(SCHEDULER, ecology)] == [
            "new@example.org"
        ]
        account_mails.withdraw_invitation(SCHEDULER, ecology, "new@example.org")
        assert account_mails.invitations(SCHEDULER, ecology) == []
        with pytest.raises(NotFound):
            account_mails.invitation("unknown")


def test_a_publisher_sees_members_sets_roles_and_invites(
    app: Flask, signed_in: FlaskClient, account: Account, mailbox: Mailbox
) -> None:
    ecology = make_organization()
    home = "/en/organizations/ecology/members/"
    assert signed_in.get(home).status_code == 403
    assert app.test_client().get(home).status_code == 302
    other = accounts.register(ANYONE, RegisterDraft("li@example.org", "Li", PASSWORD), address="")
    members.add(SCHEDULER, ecology, account, MemberRole.PUBLISHER)
    members.add(SCHEDULER, ecology, other, MemberRole.MEMBER)
    assert "li@example.org" in page(signed_in, home).get_text()
    forms = page(signed_in, home).select("form:has([name=account])")
    assert [one_.select_one("[name=role] [selected]")["value"] for one_ in forms] == [  # type: ignore[index] # it is there
        "member",
        "publisher",
    ]
    unsaid = submit(signed_in, f"{home}role", form_at=home, account=other.id)
    assert unsaid.status_code == 422, "nobody loses a role by a form that says none"
    for role, status in (("editor", 302), ("king", 422), ("", 422)):
        sent = {"account": other.id, "role": role}
        assert submit(signed_in, f"{home}role", form_at=home, **sent).status_code == status
    assert "li@example.org" in page(signed_in, home).get_text(), (
        "a role that is missing ends nothing"
    )
    ended = submit(signed_in, f"{home}role", form_at=home, account=other.id, do="remove")
    assert ended.status_code == 302
    assert "li@example.org" not in page(signed_in, home).get_text()
    wrong = submit(signed_in, f"{home}invite", form_at=home, email="no")
    assert wrong.status_code == 422
    submit(signed_in, f"{home}invite", form_at=home, email="new@example.org", role="member")
    assert mailbox.mails[-1]["To"] == "new@example.org"
    assert "new@example.org" in page(signed_in, home).get_text()
    submit(signed_in, f"{home}uninvite", form_at=home, email="new@example.org")
    assert "new@example.org" not in page(signed_in, home).get_text()


def test_a_profile_is_changed_and_names_stay_apart(
    signed_in: FlaskClient, account: Account
) -> None:
    assert account.slug == "wang-xiaoming"
    other = RegisterDraft("li@example.org", "Wang Xiaoming", PASSWORD)
    taken = accounts.register(ANYONE, other, address="").slug
    assert taken == "wang-xiaoming-2"
    chinese = RegisterDraft("zhao@example.org", "赵", PASSWORD)
    assert accounts.register(ANYONE, chinese, address="").slug == "zhao"
    fields = {"name": "王", "slug": str(taken), "about": "桥梁工程师"}
    assert submit(signed_in, "/en/account/profile", **fields).status_code == 409
    fields["slug"] = "Wang!"
    assert submit(signed_in, "/en/account/profile", **fields).status_code == 422
    fields["slug"] = "wang"
    assert submit(signed_in, "/en/account/profile", **fields).status_code == 302
    assert "桥梁工程师" in page(signed_in, "/zh/account/").get_text()


class TestSavedSearches:
    def save(self, client: FlaskClient, query: str = "q=bridges", **fields: str) -> SavedSearch:
        sent = {"name": "桥", "mails": "1", **fields}
        saved = submit(client, f"/zh/saved-searches/new?{query}", **sent)
        assert saved.status_code == 302
        db.session.rollback()
        return db.session.scalars(select(SavedSearch)).one()

    def publish(self, slug: str, after: timedelta) -> Dataset:
        return publish(f"Bridges {slug}", after)

    def test_it_is_kept_listed_renamed_and_deleted(self, signed_in: FlaskClient) -> None:
        found = page(signed_in, "/zh/datasets?q=bridges")
        assert found.select('a[href="/zh/saved-searches/new?q=bridges"]') or not found.select(
            ".weft-hit"
        )
        saved = self.save(signed_in, "q=bridges&format=CSV&page=3")
        assert saved.parameters == {"format": ["CSV"], "q": ["bridges"]}
        listed = page(signed_in, "/zh/saved-searches/")
        assert href(listed, "main h2 a") == "/zh/datasets?format=CSV&q=bridges"
        path = f"/zh/saved-searches/{saved.id}"
        assert submit(signed_in, path, name="").status_code == 422
        assert submit(signed_in, path, name="桥梁").status_code == 302
        db.session.rollback()
        changed = db.session.scalars(select(SavedSearch)).one()
        db.session.refresh(changed)
        assert (changed.name, changed.mail) == ("桥梁", False)
        assert submit(signed_in, f"{path}/delete", form_at=path).status_code == 302
        assert not page(signed_in, "/zh/saved-searches/").select("main h2 a")

    def test_nobody_else_sees_or_changes_it(self, app: Flask, signed_in: FlaskClient) -> None:
        saved = self.save(signed_in)
        other = app.test_client()
        fields = {"email": "li@example.org", "name": "李", "password": PASSWORD}
        submit(other, "/en/account/register", **fields)
        assert other.get(f"/zh/saved-searches/{saved.id}").status_code == 404
        assert app.test_client().get("/zh/saved-searches/").status_code == 302

    def test_its_feed_needs_the_secret_and_no_session(
        self, app: Flask, signed_in: FlaskClient
    ) -> None:
        dataset = publish("Bridges & <roads>")
        publish("Trees")
        saved = self.save(signed_in)
        feed = one(page(signed_in, "/zh/saved-searches/"), "main input")["value"]
        path = urlsplit(str(feed)).path
        assert path.rpartition("/")[2].removesuffix(".atom") not in saved.token_hash
        reader = app.test_client()
        answer = reader.get(path)
        assert answer.mimetype == "application/atom+xml"
        root = ET.fromstring(answer.data)  # noqa: S314 # our own feed
        assert [entry.findtext(f"{ATOM}title") for entry in root.iter(f"{ATOM}entry")] == [
            "Bridges & <roads>"
        ]
        assert root.findtext(f"{ATOM}entry/{ATOM}id") == f"urn:uuid:{dataset.id}"
        again = reader.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
        assert reader.get("/zh/saved-searches/feed/unknown.atom").status_code == 404
        with transaction():
            account_now().active = False
        assert reader.get(path).status_code == 404

    def test_a_mail_tells_exactly_what_is_new_and_once(
        self, signed_in: FlaskClient, mailbox: Mailbox
    ) -> None:
        saved = self.save(signed_in)
        self.seen(saved, timedelta(days=-1))
        self.publish("old", timedelta(days=-1, seconds=-1))
        self.publish("new", timedelta(days=-1, seconds=1))
        self.publish("settled", timedelta(minutes=-2))
        self.publish("now", timedelta())
        saved_searches.tell_what_is_new()
        [told] = mailbox.mails
        text = told.get_content()
        assert "桥" in told["Subject"]
        assert [slug for slug in ("old", "new", "settled", "now") if f"Bridges {slug}" in text] == [
            "new",
            "settled",
        ]
        saved_searches.tell_what_is_new()
        assert len(mailbox.mails) == 1
        assert saved_searches.tell(saved.id) == 0

    def test_mails_end_by_one_click_without_a_session(
        self, app: Flask, signed_in: FlaskClient, mailbox: Mailbox
    ) -> None:
        saved = self.save(signed_in)
        self.publish("new", timedelta(hours=-1))
        self.seen(saved, timedelta(days=-1))
        saved_searches.tell_what_is_new()
        path = urlsplit(mailbox.mails[-1]["List-Unsubscribe"].strip("<> ")).path
        program = app.test_client()
        asked = program.get(path)
        assert asked.status_code == 200
        assert program.get(path).text.count("<form") >= 1
        ended = program.post(path, data={"List-Unsubscribe": "One-Click"})
        assert ended.status_code == 200
        db.session.rollback()
        assert db.session.scalars(select(SavedSearch.mail)).all() == [False]
        assert program.post(f"{path}x").status_code == 404

    def test_a_search_that_cannot_be_asked_any_more_stops_no_other(
        self, signed_in: FlaskClient, mailbox: Mailbox
    ) -> None:
        saved = self.save(signed_in)
        with transaction():
            db.session.add(
                SavedSearch(
                    id="0",
                    account_id=saved.account_id,
                    name="broken",
                    parameters={"access": ["no such access"]},
                    mail=True,
                    token_hash="x",
                    seen_until=now() - timedelta(days=2),
                )
            )
        self.seen(saved, timedelta(days=-1))
        self.publish("new", timedelta(hours=-1))
        saved_searches.tell_what_is_new()
        assert len(mailbox.mails) == 1

    def seen(self, saved: SavedSearch, moment: timedelta) -> None:
        with transaction():
            kept = db.session.get(SavedSearch, saved.id)
            assert kept
            kept.seen_until = now() + moment


class TestWithoutMail:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, smtp_url="", mail_from="")

    def test_forms_say_so(self, signed_in: FlaskClient) -> None:
        soup = page(signed_in, "/en/account/reset")
        assert "sends no mail" in " ".join(words(soup, ".weft-notice"))
        refused = submit(
            signed_in, "/en/account/reset", form_at="/en/account/", email="a@b.example"
        )
        assert refused.status_code == 503
        assert checked(refused)
        assert "sends no mail" in page(signed_in, "/en/saved-searches/new?q=x").get_text()
        mail.send_due_mails()
        saved_searches.tell_what_is_new()
        assert db.session.scalars(select(Mail)).all() == []


def publish(title: str, after: timedelta = timedelta()) -> Dataset:
    """A dataset that was published and changed so long after now."""
    make_organization()
    made = put(title)
    with transaction() as tx:
        dataset = db.session.get(Dataset, made.dataset_id)
        assert dataset
        dataset.updated_at = dataset.published_at = now() + after
        dataset.index_due = now()
        tx.after_commit(search.index_dataset.later, dataset.id)
    return dataset


def account_now() -> Account:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Account).filter_by(name="Wang Xiaoming")).one()
