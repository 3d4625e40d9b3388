"""The only place that hands mails to a server."""

from __future__ import annotations

import smtplib  # noqa: TID251 # this is the place
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

from catalog.errors import SettingsError, Unavailable, Unreadable

SECONDS = 30.0
"""Longest wait for the server's next answer."""
PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True)
class Letter:
    """What is sent to one receiver."""

    id: str
    to: str
    subject: str
    text: str
    unsubscribe: str = ""


@dataclass(frozen=True)
class Server:
    """A mail server, as the settings name it."""

    host: str
    port: int
    encrypted: bool
    """TLS from the start; else STARTTLS where the server offers it."""
    user: str
    password: str

    @classmethod
    def of(cls, url: str) -> Server:
        """The server at `smtp[s]://user:password@host:port`; raises SettingsError."""
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS[parts.scheme]
        except (ValueError, KeyError) as error:
            raise SettingsError("WEFT_SMTP_URL is no address smtp:// or smtps://") from error
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname or "", port, parts.scheme == "smtps", user, password)


def send(server: Server, sender: str, letter: Letter) -> None:
    """Hand a mail over; raises Unreadable when it was refused for good, Unavailable when it may go later."""
    message = message_of(sender, letter)
    try:
        with _connected(server) as connection:
            if server.user:
                connection.login(server.user, server.password)
            connection.send_message(message, parseaddr(sender)[1], [letter.to])
    except smtplib.SMTPRecipientsRefused as error:
        raise _failure(*error.recipients[letter.to]) from error
    except smtplib.SMTPAuthenticationError as error:  # the settings can be corrected
        raise _later(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPResponseException as error:
        raise _failure(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable(
            "the mail server cannot be reached: %(reason)s", reason=str(error)[:200]
        ) from error


def message_of(sender: str, letter: Letter) -> EmailMessage:
    """The mail with its headers; programs may end mails of its kind with one call (RFC 8058)."""
    message = EmailMessage(
        policy=SMTP.clone(max_line_length=998)
    )  # addresses are not broken in two
    message["From"], message["To"] = sender, letter.to
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(letter.id, parseaddr(sender)[1].partition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text, cte="base64")
    return message


def _connected(server: Server) -> smtplib.SMTP:
    trusted = ssl.create_default_context()
    if server.encrypted:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=trusted)
    connection = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    try:
        connection.ehlo()
        if connection.has_extn("starttls"):
            connection.starttls(context=trusted)
            connection.ehlo()
        elif server.user:
            raise smtplib.SMTPException("the server offers no encryption for the password")
    except BaseException:
        connection.close()
        raise
    return connection


def _failure(code: int, said: bytes | str) -> Unavailable | Unreadable:
    if code >= 500:
        return Unreadable("the mail server refuses the mail: %(reason)s", reason=_said(code, said))
    return _later(code, said)


def _later(code: int, said: bytes | str) -> Unavailable:
    return Unavailable("the mail server takes no mail now: %(reason)s", reason=_said(code, said))


def _said(code: int, said: bytes | str) -> str:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {words}"[:200]
