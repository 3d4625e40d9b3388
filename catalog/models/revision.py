"""Revisions: every content that a dataset had or is proposed to have, and who decided what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, new_id, now
from catalog.models.vocabulary import RevisionState


class DatasetRevision(Base):
    """A whole content of a dataset: its draft as JSON, from which it can be restored."""

    __tablename__ = "dataset_revision"
    __table_args__ = (UniqueConstraint("dataset_id", "number"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[RevisionState] = mapped_column(String(20), index=True)
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What `schemas/dataset.py: dataset_draft` reads."""
    reason: Mapped[str] = mapped_column(String(500), default="")
    """Why it was changed, in the words of who changed it."""
    made_by: Mapped[str | None] = mapped_column(String(36))
    """Account; empty for the portal itself."""
    made_by_name: Mapped[str] = mapped_column(String(200), default="")
    made_at: Mapped[datetime] = mapped_column(default=now)
    submitted_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(36))
    decided_by_name: Mapped[str] = mapped_column(String(200), default="")
    decided_at: Mapped[datetime | None]
    remarks: Mapped[str] = mapped_column(Text, default="")
    """What whoever returned it wants to be corrected."""
    publish_at: Mapped[datetime | None] = mapped_column(index=True)
    """Moment from which an approved revision is to be public."""
