"""Tables, their columns, their journal of files and their releases."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Integer,
    String,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, Texts, new_id, now
from catalog.models.dataset import Resource
from catalog.models.vocabulary import ColumnAccess, ColumnType, TableState


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
    profiled: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """Journal position that the profiles of the columns describe."""
    primary_key: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Published names of the columns that tell rows apart; empty where nothing is declared."""
    next_row: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Number that the next inserted row gets; numbers of deleted rows are never given again."""
    next_column: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """Number in the stored name of the next added column: a dropped column's name is never given again."""
    withholds: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a column of any release is masked or hidden."""
    retention: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Which releases are kept: `{"keep": the newest so many, "days": younger than}`; empty keeps all."""
    kept_cells: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Cells of the newest release that break the declared type and are kept as they were."""
    chart: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The chart that the table opens with: `{"kind": "line", "x": …, "y": …, "agg": …}`."""
    map: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """For a choropleth: `{"geometry": table id, "join": [[column, property]], "day": column, "value": column}`."""
    loaded_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    """Changes with the row and with what is said of its columns."""

    narrow: ClassVar[DataTable | None] = None
    """Of a table with withheld columns that is shared by requests: what the public sees of it."""
    narrowed: ClassVar[bool] = False
    """Whether this is what the public sees: hidden columns are left out, masked ones are text."""
    withheld: ClassVar[dict[str, tuple[ColumnAccess, dict[str, Any]]]] = {}
    """Of a narrowed table: name → access and mask of the columns that are not open."""

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
    semantic: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """What the values are beyond their type, such as `uscc` or `division`; empty where nothing is known."""
    access: Mapped[ColumnAccess] = mapped_column(
        String(10), default=ColumnAccess.OPEN, server_default=ColumnAccess.OPEN.value
    )
    mask: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """How a masked value is shown: `{"first": 3, "last": 4}` leaves so many characters; empty hides all."""
    info: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """The data dictionary beyond label and type: Table Schema's `format`, `constraints` …, CKAN's `info`."""
    element_id: Mapped[str | None] = mapped_column(String(36), index=True)
    """Data element (数据元) that the column is bound to."""
    conformance: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """How the values keep to the element: `{"position", "checked", "conforming", "examples"}`."""
    label_origins: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """As `Dataset.text_origins`, for `label` and `description`."""
    withheld_as: Mapped[str] = mapped_column(String(20), default="", server_default="")
    """Why a masked or hidden column is withheld: `on_application` or `closed`; empty where it is open."""
    withheld_reason: Mapped[Texts] = mapped_column(default=dict, server_default="{}")
    """The legal reason, for the public list of what is not open."""
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`missing`, `distinct`, `least`, `greatest`, `mean`, `top` ([[value, count]…]), `histogram`."""


class JournalFile(Base):
    """One immutable Parquet file of a table's journal."""

    __tablename__ = "journal_file"
    __table_args__ = (UniqueConstraint("table_id", "position", "kind"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    table_id: Mapped[str] = mapped_column(
        ForeignKey("data_table.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10))
    """`base`: all rows. `delta`: rows inserted, updated, deleted since the position before, with the old values.
    `cells`: cells that break their declared type, as they were."""
    numbered: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a base names the number of each row in the column `row`; else rows count from 0."""
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
    """SHA-256 of the rows as loaded (an equal content makes no new release), or of the content before
    together with that of the delta."""
    inserted: Mapped[int | None] = mapped_column(BigInteger)
    """Rows added since the release before; None where the two were not compared."""
    updated: Mapped[int | None] = mapped_column(BigInteger)
    deleted: Mapped[int | None] = mapped_column(BigInteger)
    columns: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """`[{"name", "stored", "type"}…]` as of this release."""
    primary_key: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    pinned: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A pinned release outlives the policy of retention."""
    expired_at: Mapped[datetime | None]
    """When its rows were given up by the policy of retention; what is said of it stays."""
    made_by: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class TableAlias(Base):
    """Another name of a table, as CKAN's DataStore has them."""

    __tablename__ = "table_alias"

    alias: Mapped[str] = mapped_column(String(100), primary_key=True)
    table_id: Mapped[str] = mapped_column(
        ForeignKey("data_table.id", ondelete="CASCADE"), index=True
    )


class ReleaseFile(Base):
    """A release as a file that was made once and is kept: what its manifest says of it."""

    __tablename__ = "release_file"
    __table_args__ = (UniqueConstraint("table_id", "release", "format"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    table_id: Mapped[str] = mapped_column(
        ForeignKey("data_table.id", ondelete="CASCADE"), index=True
    )
    release: Mapped[int] = mapped_column(Integer)
    format: Mapped[str] = mapped_column(String(20))
    path: Mapped[str] = mapped_column(String(300))
    """Key in the file store; it names all that the bytes depend on."""
    kept: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether the store has it; one that was let go to save space can be made again, byte for byte."""
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(default=now)
    used_at: Mapped[datetime] = mapped_column(default=now)


class Citation(Base):
    """A permanent address of a query on a release."""

    __tablename__ = "citation"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """The beginning of the hash of table, release and query: equal questions have one address."""
    table_id: Mapped[str] = mapped_column(
        ForeignKey("data_table.id", ondelete="CASCADE"), index=True
    )
    release: Mapped[int] = mapped_column(Integer)
    query: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rows: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    """Hash of the rows that the query gives, as CSV."""
    created_at: Mapped[datetime] = mapped_column(default=now)
