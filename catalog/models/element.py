"""The standard of data elements (数据元): what a column's values mean, wherever it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, Texts, new_id, now
from catalog.models.vocabulary import ColumnType


class CodeList(Base):
    """A list of codes with their meanings."""

    __tablename__ = "code_list"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[Texts]
    source: Mapped[str] = mapped_column(String(500), default="")
    """Standard and clause."""
    entries: Mapped[list[Any]] = mapped_column(default=list)
    """`[{"code", "label": texts}…]`."""
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class DataElement(Base):
    """A data element (GB/T 18391, GB/T 19488.1): name, definition, type, format, unit, codes."""

    __tablename__ = "data_element"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(100), unique=True)
    """内部标识符, such as DE00001."""
    title: Mapped[Texts]
    definition: Mapped[Texts] = mapped_column(default=dict)
    type: Mapped[ColumnType] = mapped_column(String(20), default=ColumnType.STRING)
    format: Mapped[str] = mapped_column(String(100), default="")
    """表示格式 (GB/T 19488.1): `c..100`, `an18`, `n..12,2`, `d8` …; empty allows any."""
    pattern: Mapped[str] = mapped_column(String(500), default="")
    """Regular expression (RE2) that every value matches whole; empty allows any."""
    unit: Mapped[str] = mapped_column(String(60), default="")
    semantic: Mapped[str] = mapped_column(String(40), default="")
    code_list_id: Mapped[str | None] = mapped_column(ForeignKey("code_list.id"), index=True)
    source: Mapped[str] = mapped_column(String(500), default="")
    version: Mapped[str] = mapped_column(String(40), default="")
    retired_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    code_list: Mapped[CodeList | None] = relationship(lazy="raise")
