"""How often datasets are used, by day."""

from __future__ import annotations

import datetime

from sqlalchemy import Date, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base


class UsageDay(Base):
    """The number of views, downloads or calls of a dataset on one day (UTC)."""

    __tablename__ = "usage_day"

    dataset_id: Mapped[str] = mapped_column(
        ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[datetime.date] = mapped_column(Date, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    """`view`, `download` or `call`."""
    count: Mapped[int] = mapped_column(Integer, default=0)
