"""Mails: written inside the transaction of what they are about, sent by the worker, forgotten after a month."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import structlog
from flask import current_app
from sqlalchemy import delete, select, update

from catalog.db import db, transaction
from catalog.errors import CatalogError, Unavailable
from catalog.models.base import new_id, now
from catalog.models.mail import Mail
from catalog.queue import job
from catalog.services import smtp
from catalog.services.mail_texts import Words
from catalog.settings import Settings

log = structlog.get_logger(__name__)

WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240, 720, 1440))
"""Between one try and the next; after the last one a mail is given up."""
KEPT = timedelta(days=30)
BATCH = 100
DAY = 24 * 60


def possible() -> bool:
    """Whether this portal sends mails at all; forms that need one say so."""
    return bool(_settings().smtp_url)


def write(to: str, words: Words, *, unsubscribe: str = "") -> None:
    """Put a mail into the outbox, in the caller's transaction: it goes only if that is kept."""
    if not possible():
        return
    moment = now()
    mail = Mail(
        id=new_id(),
        to=to,
        subject=words.subject[:300],
        text=words.text,
        unsubscribe=unsubscribe,
        created_at=moment,
        due_at=moment,
        tries=0,
        problem="",
    )
    with transaction() as tx:
        db.session.add(mail)
        tx.after_commit(send_mail.later, mail.id)


@job()
def send_mail(mail_id: str) -> None:
    """Send one mail, unless another worker is at it; what fails for now is tried again later."""
    mail = _taken(mail_id)
    if mail is None:
        return
    settings = _settings()
    letter = smtp.Letter(mail.id, mail.to, mail.subject, mail.text, mail.unsubscribe)
    problem, again = "", False
    try:
        smtp.send(smtp.Server.of(settings.smtp_url), settings.mail_from, letter)
    except CatalogError as error:
        problem, again = str(error), isinstance(error, Unavailable)
        log.warning("mail_not_sent", mail=mail.id, tries=mail.tries, error=problem)
    with transaction():
        _note(mail, problem, again=again)


@job(every_minutes=1)
def send_due_mails() -> None:
    """Send what waits: mails whose worker was stopped, and those to be tried again."""
    if not possible():
        return
    due = select(Mail.id).where(Mail.due_at <= now()).order_by(Mail.due_at).limit(BATCH)
    for mail_id in db.session.scalars(due).all():
        send_mail(mail_id)


@job(every_minutes=DAY)
def forget_mails() -> None:
    """Forget mails of more than a month ago: what was sent to whom is nobody's business for longer."""
    with transaction():
        old = delete(Mail).where(Mail.created_at < now() - KEPT)
        db.session.execute(old, execution_options={"synchronize_session": False})


def _taken(mail_id: str) -> Mail | None:
    """The mail, if it is due and nobody else has taken it; a worker that dies tries again after the wait."""
    mail = db.session.get(Mail, mail_id, populate_existing=True)
    if mail is None or mail.due_at is None or mail.due_at > now():
        return None
    wait = WAITS[min(mail.tries, len(WAITS) - 1)]
    taken = (
        update(Mail)
        .where(Mail.id == mail_id, Mail.due_at == mail.due_at, Mail.tries == mail.tries)
        .values(tries=mail.tries + 1, due_at=now() + wait)
        .returning(Mail.id)
    )
    with transaction():
        won = db.session.scalar(taken, execution_options={"synchronize_session": False})
    return db.session.get(Mail, mail_id, populate_existing=True) if won else None


def _note(mail: Mail, problem: str, *, again: bool) -> None:
    mail.problem = problem[:500]
    if not problem:
        mail.sent_at = now()
    if not again or mail.tries > len(WAITS):
        mail.due_at = None


def _settings() -> Settings:
    return cast("Settings", current_app.extensions["weft"]["settings"])
