"""Mails: written with what they are about, sent to a real SMTP server, tried again, given up, forgotten."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import SettingsError
from catalog.models.base import now
from catalog.models.mail import Mail
from catalog.services import mail, smtp
from catalog.services.mail_texts import Words
from catalog.settings import Settings
from tests.make_oidc import free_port

WORDS = Words("新的数据：\n桥梁", "您好，\n\n有新的数据集。\n.\n再见\n")
SENDER = "开放数据 <data@city.example>"


class Mailbox:
    """A handler that takes mails, or answers what the test wants."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802, ARG002 # the signature is aiosmtpd's
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type] # typeshed knows only the old policy
        return "250 taken"

    async def handle_RCPT(self, *given: Any) -> str:  # noqa: N802 # the name is aiosmtpd's
        _, _, envelope, address, _ = given
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def make_smtp(mailbox: Mailbox, **how: Any) -> Iterator[int]:
    """A running server; its port."""
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **how)
    controller.start()
    try:
        yield int(controller.port)
    finally:
        controller.stop()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[int]:
    with make_smtp(mailbox) as port:
        yield port


@pytest.fixture
def settings(settings: Settings, server: int) -> Settings:
    return with_mail(settings, f"smtp://127.0.0.1:{server}")


def with_mail(settings: Settings, url: str) -> Settings:
    return replace(settings, smtp_url=url, mail_from=SENDER, site_url="https://data.city.example")


def write(to: str = "wang@example.org", **more: str) -> None:
    with transaction():
        mail.write(to, WORDS, **more)


def write_and_fail() -> None:
    with transaction():
        mail.write("wang@example.org", WORDS)
        raise RuntimeError("not kept")


def only() -> Mail:
    db.session.rollback()
    return db.session.scalars(select(Mail).execution_options(populate_existing=True)).one()


def make_due() -> None:
    with transaction():
        only().due_at = now() - timedelta(seconds=1)


def test_a_mail_arrives_with_its_words_and_headers(app: Flask, mailbox: Mailbox) -> None:
    write(unsubscribe="https://data.city.example/zh/saved-searches/1/unsubscribe/x")
    [arrived] = mailbox.mails
    assert arrived["Subject"] == "新的数据： 桥梁"
    assert arrived["From"] == SENDER
    assert arrived.get_content().replace("\r\n", "\n") == WORDS.text
    assert arrived["List-Unsubscribe"].startswith("<https://data.city.example/zh/saved-searches/1/")
    assert arrived["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert arrived["Message-ID"].endswith("@city.example>")
    assert only().sent_at
    mail.send_due_mails()
    assert len(mailbox.mails) == 1


def test_a_mail_of_something_that_was_not_kept_is_not_sent(app: Flask, mailbox: Mailbox) -> None:
    with pytest.raises(RuntimeError, match="not kept"):
        write_and_fail()
    assert mailbox.mails == []
    assert db.session.scalars(select(Mail)).all() == []


def test_what_fails_for_now_is_tried_again_later(app: Flask, mailbox: Mailbox) -> None:
    mailbox.answers = ["451 come later"]
    write()
    waiting = only()
    assert (waiting.sent_at, waiting.tries) == (None, 1)
    assert "451 come later" in waiting.problem
    mail.send_due_mails()
    assert mailbox.mails == []
    make_due()
    mail.send_due_mails()
    assert len(mailbox.mails) == 1
    assert (only().tries, only().problem) == (2, "")


@pytest.mark.parametrize(
    ("to", "answers"), [("nobody@example.org", []), ("wang@example.org", ["554 spam"])]
)
def test_what_is_refused_for_good_is_given_up(
    app: Flask, mailbox: Mailbox, to: str, answers: list[str]
) -> None:
    mailbox.answers = answers
    write(to)
    given_up = only()
    assert (given_up.due_at, given_up.sent_at) == (None, None)
    assert "refuses" in given_up.problem


def test_a_mail_is_given_up_after_its_last_try(app: Flask, mailbox: Mailbox) -> None:
    mailbox.answers = ["451 come later"] * (len(mail.WAITS) + 1)
    write()
    for _ in mail.WAITS:
        make_due()
        mail.send_due_mails()
    assert only().due_at is None
    assert mailbox.mails == []


def test_mails_are_forgotten_after_a_month(app: Flask, mailbox: Mailbox) -> None:
    write()
    mail.forget_mails()
    with transaction():
        only().created_at = now() - timedelta(days=31)
    mail.forget_mails()
    assert db.session.scalars(select(Mail)).all() == []


def test_a_server_that_is_down_is_a_reason_to_try_again() -> None:
    server = smtp.Server.of(f"smtp://127.0.0.1:{free_port()}")
    with pytest.raises(smtp.Unavailable, match="cannot be reached"):
        smtp.send(server, SENDER, smtp.Letter("1", "wang@example.org", "a", "b"))


class TestOverTLS:
    """Passwords go over TLS only, and only to a server whose certificate holds."""

    @pytest.fixture
    def certified(self, tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
        return make_certificate(tmp_path)

    def send(self, url: str) -> None:
        smtp.send(smtp.Server.of(url), SENDER, smtp.Letter("1", "wang@example.org", "a", "b"))

    def test_a_password_is_sent_after_starttls(
        self, mailbox: Mailbox, certified: tuple[ssl.SSLContext, Path], monkeypatch: Any
    ) -> None:
        context, authority = certified
        known: list[tuple[bytes, bytes]] = []

        def check(
            server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any
        ) -> AuthResult:
            known.append((data.login, data.password))
            return AuthResult(success=data.password == b"p@ss:word", handled=False)

        how = {"tls_context": context, "authenticator": check, "auth_required": True}
        with make_smtp(mailbox, **how) as port:
            with pytest.raises(smtp.Unavailable, match="certificate"):
                self.send(f"smtp://portal:p%40ss%3Aword@localhost:{port}")
            monkeypatch.setenv("SSL_CERT_FILE", str(authority))
            self.send(f"smtp://portal:p%40ss%3Aword@localhost:{port}")
            with pytest.raises(smtp.Unavailable, match="535"):
                self.send(f"smtp://portal:wrong@localhost:{port}")
        assert known[0] == (b"portal", b"p@ss:word")
        assert len(mailbox.mails) == 1

    def test_a_server_may_speak_tls_from_the_start(
        self, mailbox: Mailbox, certified: tuple[ssl.SSLContext, Path], monkeypatch: Any
    ) -> None:
        context, authority = certified
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        with make_smtp(mailbox, ssl_context=context) as port:
            self.send(f"smtps://localhost:{port}")
        assert len(mailbox.mails) == 1

    def test_a_password_is_never_sent_in_the_clear(self, server: int) -> None:
        with pytest.raises(smtp.Unavailable, match="no encryption"):
            self.send(f"smtp://portal:secret@127.0.0.1:{server}")


@pytest.mark.parametrize("url", ["http://x", "smtp://x:port", "x"])
def test_other_addresses_are_no_mail_servers(url: str) -> None:
    with pytest.raises(SettingsError):
        smtp.Server.of(url)


def test_mail_needs_a_sender_and_an_address_of_the_portal(settings: Settings) -> None:
    for missing in ("mail_from", "site_url"):
        with pytest.raises(SettingsError, match="WEFT_SMTP_URL needs"):
            replace(settings, **{missing: ""}).check()


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate for localhost, and the file that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    moment = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(hours=1))
        .not_valid_after(moment + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public
