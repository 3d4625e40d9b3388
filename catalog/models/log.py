"""The log of all changes: each line holds the hash of the one before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, now


class LogEntry(Base):
    """A change or a decision; lines are only ever appended (services/log.py)."""

    __tablename__ = "log_entry"
    __table_args__ = (
        Index("ix_log_entry_object", "kind", "object_id", "number"),
        Index("ix_log_entry_actor", "actor_id", "number"),
        Index("ix_log_entry_organization", "organization_id", "number"),
    )

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    """From 1, without gaps."""
    at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[str | None] = mapped_column(String(36))
    """Account; empty for the portal itself."""
    actor: Mapped[str] = mapped_column(String(200), default="")
    action: Mapped[str] = mapped_column(String(40))
    """`dataset.created`, `dataset.changed`, `revision.approved`, `organization.changed` …"""
    kind: Mapped[str] = mapped_column(String(20))
    object_id: Mapped[str] = mapped_column(String(36))
    organization_id: Mapped[str | None] = mapped_column(String(36))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What is known of the change: title and slug at that time, names of changed fields, number of the revision."""
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 over all other fields in a fixed form, `previous` among them."""
