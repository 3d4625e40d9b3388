"""What the public asks of departments: requests for data, reports of errors, applications for access."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, new_id, now


class Inquiry(Base):
    """A question to a department, with its answer."""

    __tablename__ = "inquiry"
    __table_args__ = (Index("ix_inquiry_organization_state", "organization_id", "state"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(20))
    """`data`, `error` or `access`."""
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"))
    dataset_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset.id", ondelete="CASCADE"), index=True
    )
    account_id: Mapped[str | None] = mapped_column(String(36), index=True)
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text, default="")
    contact: Mapped[str] = mapped_column(String(254), default="")
    """E-mail address of somebody without an account; never shown to the public."""
    public: Mapped[bool] = mapped_column(default=False)
    """Whether the question and its answer are shown on the dataset's page."""
    state: Mapped[str] = mapped_column(String(20), default="open")
    """`open`, `answered` or `closed`."""
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[str | None] = mapped_column(String(36))
    answered_at: Mapped[datetime | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Of an error: table, row, column, what is and what should be. Of an application: purpose and bodies."""
    created_at: Mapped[datetime] = mapped_column(default=now)
