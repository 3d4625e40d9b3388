"""Mails that wait to be sent: what is said is in the same transaction as what it is said about."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, new_id, now


class Mail(Base):
    """A mail in plain text; sent ones are forgotten after a month."""

    __tablename__ = "mail"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    to: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    unsubscribe: Mapped[str] = mapped_column(String(2000), default="")
    """Address that ends such mails (RFC 8058)."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    due_at: Mapped[datetime | None] = mapped_column(default=now, index=True)
    """When it is to be tried next; empty once it was sent or given up."""
    tries: Mapped[int] = mapped_column(Integer, default=0)
    sent_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(500), default="")
