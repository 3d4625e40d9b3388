"""Series: datasets that belong together, such as the years of a statistic."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, Texts, new_id, now
from catalog.models.organization import Organization
from catalog.models.vocabulary import Frequency, State


class DatasetSeries(Base):
    """A series (dcat:DatasetSeries); its datasets name it and their place in it."""

    __tablename__ = "dataset_series"
    __table_args__ = (Index("ix_dataset_series_origin", "source_id", "record_key", unique=True),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    title: Mapped[Texts]
    description: Mapped[Texts] = mapped_column(default=dict)
    text_origins: Mapped[dict[str, Any]] = mapped_column(default=dict)
    frequency: Mapped[Frequency] = mapped_column(String(20), default=Frequency.UNKNOWN)
    state: Mapped[State] = mapped_column(String(20), default=State.PUBLISHED)
    source_id: Mapped[str | None] = mapped_column(String(36))
    """The source that it was harvested from, and its key there; nothing of others."""
    record_key: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    organization: Mapped[Organization] = relationship(lazy="raise")
