"""Tags and the vocabularies that some of them belong to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, Texts, new_id, now


class Vocabulary(Base):
    """A closed list of tags, such as the categories of a standard (skos:ConceptScheme)."""

    __tablename__ = "vocabulary"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[Texts] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)

    tags: Mapped[list[Tag]] = relationship(
        lazy="raise", order_by="Tag.name", cascade="all, delete-orphan"
    )


class Tag(Base):
    """A tag: free where it has no vocabulary."""

    __tablename__ = "tag"
    __table_args__ = (
        UniqueConstraint("vocabulary_id", "name"),
        Index(
            "ix_tag_free_name",
            "name",
            unique=True,
            sqlite_where=text("vocabulary_id IS NULL"),
            postgresql_where=text("vocabulary_id IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    vocabulary_id: Mapped[str | None] = mapped_column(
        ForeignKey("vocabulary.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(100))
    label: Mapped[Texts] = mapped_column(default=dict)
    """How it is called in each language; empty where the name is all there is."""
    label_origins: Mapped[dict[str, Any]] = mapped_column(default=dict)
