"""Searches that people keep, to be told of what is new in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, new_id, now


class SavedSearch(Base):
    """A search of an account; `token` is the secret of its Atom feed's address."""

    __tablename__ = "saved_search"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(200))
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Parameters of the search's address: name → values."""
    language: Mapped[str] = mapped_column(String(5), default="zh")
    mail: Mapped[bool] = mapped_column(default=False)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the secret in the address of its feed."""
    seen_until: Mapped[datetime] = mapped_column(default=now)
    """What changed after this moment was not told yet."""
    created_at: Mapped[datetime] = mapped_column(default=now)
