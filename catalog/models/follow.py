"""Who follows what, and who may edit a dataset besides its department."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, now


class Follow(Base):
    """An account follows a dataset, a group, an organization or another account."""

    __tablename__ = "follow"
    __table_args__ = (Index("ix_follow_object", "kind", "object_id"),)

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    """`dataset`, `theme`, `organization` or `account`."""
    object_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Collaborator(Base):
    """An account that may read or edit one dataset without being of its organization."""

    __tablename__ = "collaborator"

    dataset_id: Mapped[str] = mapped_column(
        ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    capacity: Mapped[str] = mapped_column(String(20))
    """`member`, `editor` or `admin`, as in CKAN."""
    modified: Mapped[datetime] = mapped_column(default=now, onupdate=now)
