"""Organizations: the departments that publish."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, Texts, new_id, now


class Organization(Base):
    """A department; `kind` is `department` or `external`."""

    __tablename__ = "organization"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[Texts]
    description: Mapped[Texts] = mapped_column(default=dict)
    kind: Mapped[str] = mapped_column(String(20), default="department")
    homepage: Mapped[str] = mapped_column(String(2000), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
