"""Addresses that things had before: they lead to the present ones for ever."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base


class FormerAddress(Base):
    """A slug that is no longer in use; no other thing of its kind may take it."""

    __tablename__ = "former_address"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    """`dataset`, `organization`, `theme`, `series` or `service`."""
    slug: Mapped[str] = mapped_column(String(120), primary_key=True)
    object_id: Mapped[str] = mapped_column(String(36), index=True)
