"""Organizations: the departments that publish."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, Texts, new_id, now


class Organization(Base):
    """A department; `kind` is `city`, `department`, `office` or `external`."""

    __tablename__ = "organization"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[Texts]
    description: Mapped[Texts] = mapped_column(default=dict)
    kind: Mapped[str] = mapped_column(String(20), default="department")
    homepage: Mapped[str] = mapped_column(String(2000), default="")
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("organization.id"), index=True)
    """The body that it belongs to: an office's department, a department's city."""
    image_url: Mapped[str] = mapped_column(String(2000), default="", server_default="")
    contact: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """`{"name", "email", "phone", "address"}`, each optional."""
    review: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether changes that come through the API need an approval too, as those of forms always do."""
    fields: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """Custom fields of its datasets: `[{"name", "label": texts, "type", "required", "choices"}…]`."""
    extras: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What CKAN's clients say of it beyond our own fields."""
    deleted_at: Mapped[datetime | None]
    """When it was closed; one that has datasets cannot be."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime | None] = mapped_column(default=now, onupdate=now)
