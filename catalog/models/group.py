"""Groups: the themes that people browse by."""

from __future__ import annotations

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, Texts, new_id


class Group(Base):
    """A theme; `icon` names a drawing of the theme."""

    __tablename__ = "theme"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[Texts]
    description: Mapped[Texts] = mapped_column(default=dict)
    icon: Mapped[str] = mapped_column(String(40), default="")
    position: Mapped[int] = mapped_column(Integer, default=0)
