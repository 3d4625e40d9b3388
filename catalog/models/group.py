"""Groups: the themes that people browse by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, Texts, new_id, now
from catalog.models.vocabulary import MemberRole


class Group(Base):
    """A theme; `icon` names a drawing of the theme."""

    __tablename__ = "theme"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[Texts]
    description: Mapped[Texts] = mapped_column(default=dict)
    icon: Mapped[str] = mapped_column(String(40), default="")
    position: Mapped[int] = mapped_column(Integer, default=0)
    image_url: Mapped[str] = mapped_column(String(2000), default="", server_default="")
    extras: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What CKAN's clients say of it beyond our own fields."""
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = mapped_column(default=now)
    updated_at: Mapped[datetime | None] = mapped_column(default=now, onupdate=now)


class GroupMembership(Base):
    """What an account is inside a group: who may put datasets into it."""

    __tablename__ = "theme_membership"

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    theme_id: Mapped[str] = mapped_column(
        ForeignKey("theme.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[MemberRole] = mapped_column(String(20))
