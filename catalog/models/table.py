"""Tables, their columns, their journal of files and their releases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, Texts, new_id, now
from catalog.models.dataset import Resource
from catalog.models.vocabulary import ColumnType, TableState


class DataTable(Base):
    """The rows of a resource: its columns, the newest release and where the serving copy stands."""

    __tablename__ = "data_table"
    __table_args__ = (UniqueConstraint("resource_id", "key"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    resource_id: Mapped[str] = mapped_column(
        ForeignKey("resource.id", ondelete="CASCADE"), index=True
    )
    key: Mapped[str] = mapped_column(String(300))
    """Stable name inside the resource: the sheet, the member of an archive, or `data`."""
    position: Mapped[int] = mapped_column(Integer, default=0)
    title: Mapped[Texts] = mapped_column(default=dict)
    state: Mapped[TableState] = mapped_column(String(20), default=TableState.WAITING)
    problem: Mapped[dict[str, Any]] = mapped_column(default=dict)
    notes: Mapped[list[Any]] = mapped_column(default=list)
    """What the reader of the file did or saw, as `{"message": msgid, "context": {…}}`."""
    rows: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    release: Mapped[int] = mapped_column(Integer, default=0)
    """Number of the newest release; 0 means that nothing was loaded yet."""
    head: Mapped[int] = mapped_column(Integer, default=0)
    """Journal position of the newest release."""
    served: Mapped[int] = mapped_column(Integer, default=0)
    """Journal position that the serving copy has reached."""
    chart: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The chart that the table opens with: `{"kind": "line", "x": …, "y": …, "agg": …}`."""
    map: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """For a choropleth: `{"geometry": table id, "join": [[column, property]], "day": column, "value": column}`."""
    loaded_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    """Changes with the row and with what is said of its columns."""

    resource: Mapped[Resource] = relationship(back_populates="tables", lazy="raise")
    columns: Mapped[list[TableColumn]] = relationship(
        lazy="raise", order_by="TableColumn.position", cascade="all, delete-orphan"
    )
    journal: Mapped[list[JournalFile]] = relationship(
        lazy="raise", order_by="JournalFile.position", cascade="all, delete-orphan"
    )
    releases: Mapped[list[Release]] = relationship(
        lazy="raise", order_by="Release.number.desc()", cascade="all, delete-orphan"
    )


class TableColumn(Base):
    """A column: the published name, the safe name it is stored under, its type, label and profile."""

    __tablename__ = "table_column"
    __table_args__ = (UniqueConstraint("table_id", "position"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    table_id: Mapped[str] = mapped_column(
        ForeignKey("data_table.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(500))
    stored: Mapped[str] = mapped_column(String(80))
    """Name in the engines: `c0`, `c1` …; published names may hold anything."""
    type: Mapped[ColumnType] = mapped_column(String(20))
    label: Mapped[Texts] = mapped_column(default=dict)
    description: Mapped[Texts] = mapped_column(default=dict)
    unit: Mapped[str] = mapped_column(String(60), default="")
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`missing`, `distinct`, `least`, `greatest`, `mean`, `top` ([[value, count]…]), `histogram`."""


class JournalFile(Base):
    """One immutable Parquet file of a table's journal."""

    __tablename__ = "journal_file"
    __table_args__ = (UniqueConstraint("table_id", "position"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    table_id: Mapped[str] = mapped_column(
        ForeignKey("data_table.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10))
    """`base` holds all rows; `delta` (rows inserted, updated, deleted by key) is reserved."""
    path: Mapped[str] = mapped_column(String(300))
    """Path below the folder of journals."""
    rows: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    columns: Mapped[list[Any]] = mapped_column(default=list)
    """`[{"name", "stored", "type"}…]` as of this file."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class Release(Base):
    """One immutable version of a table: a position in its journal."""

    __tablename__ = "release"
    __table_args__ = (UniqueConstraint("table_id", "number"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    table_id: Mapped[str] = mapped_column(
        ForeignKey("data_table.id", ondelete="CASCADE"), index=True
    )
    number: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the rows as loaded: an equal content makes no new release."""
    made_by: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
