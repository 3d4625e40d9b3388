"""Datasets and their resources."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, Texts, new_id, now
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.models.series import DatasetSeries
from catalog.models.tag import Tag
from catalog.models.vocabulary import Access, Frequency, State

if TYPE_CHECKING:
    from catalog.models.table import DataTable

dataset_theme = Table(
    "dataset_theme",
    Base.metadata,
    Column("dataset_id", ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True),
    Column("theme_id", ForeignKey("theme.id", ondelete="CASCADE"), primary_key=True, index=True),
)


dataset_tag = Table(
    "dataset_tag",
    Base.metadata,
    Column("dataset_id", ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True, index=True),
)
"""Derived from `Dataset.tags` and `Dataset.vocabulary_tags`: for counting and finding by tag."""


class Dataset(Base):
    """A dataset (dcat:Dataset) with its resources in order."""

    __tablename__ = "dataset"
    __table_args__ = (
        Index("ix_dataset_origin", "source_id", "record_key", unique=True),
        # Counting what is public by organization or theme reads this alone, and no descriptions.
        Index("ix_dataset_organization_public", "organization_id", "state", "private", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    title: Mapped[Texts]
    description: Mapped[Texts] = mapped_column(default=dict)
    notice: Mapped[Texts] = mapped_column(default=dict)
    """A warning that stands above the data, such as “sample outlines, no approved base map”."""
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    license_id: Mapped[str] = mapped_column(String(40), default="notspecified")
    license_text: Mapped[str] = mapped_column(String(1000), default="")
    frequency: Mapped[Frequency] = mapped_column(String(20), default=Frequency.UNKNOWN)
    access: Mapped[Access] = mapped_column(String(20), default=Access.OPEN)
    access_reason: Mapped[Texts] = mapped_column(default=dict)
    tags: Mapped[list[str]] = mapped_column(default=list)
    landing_page: Mapped[str] = mapped_column(String(2000), default="")
    contact: Mapped[str] = mapped_column(String(500), default="")
    spatial: Mapped[str] = mapped_column(String(500), default="")
    temporal_start: Mapped[str] = mapped_column(String(10), default="")
    temporal_end: Mapped[str] = mapped_column(String(10), default="")
    identifier: Mapped[str] = mapped_column(String(200), default="", server_default="", index=True)
    """信息资源代码, or any identifier (dct:identifier) that its department uses."""
    spatial_code: Mapped[str] = mapped_column(String(12), default="", server_default="")
    """行政区划代码 (GB/T 2260) of the area it covers."""
    spatial_box: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """`[west, south, east, north]` in degrees of WGS-84; empty where unknown."""
    spatial_geometry: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """GeoJSON geometry in WGS-84; empty where unknown."""
    vocabulary_tags: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Name of a vocabulary → names of its tags."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Further elements of DCAT-AP 3 and of the government catalogue (schemas/details.py)."""
    custom: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Values of its organization's custom fields."""
    text_origins: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Field → language → `{"origin": written or machine, "stale": whether another language changed since}`."""
    series_id: Mapped[str | None] = mapped_column(ForeignKey("dataset_series.id"), index=True)
    series_position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    state: Mapped[State] = mapped_column(String(20), default=State.PUBLISHED)
    private: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Published inside the organization only, as CKAN's private datasets are."""
    revision: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """Number of the revision that is public; 0 for one that was never kept as a revision."""
    creator_id: Mapped[str | None] = mapped_column(String(36))
    """Account that registered it."""
    published_at: Mapped[datetime | None]
    """When it was first public here."""
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[Texts] = mapped_column(default=dict, server_default="{}")
    merged_into: Mapped[str | None] = mapped_column(String(36))
    """Dataset that took its place; its addresses lead there."""
    issued: Mapped[datetime | None]
    """When the source first published it, if it says so."""
    modified: Mapped[datetime | None]
    """When the source last changed it, if it says so."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    source_id: Mapped[str | None] = mapped_column(String(36))
    """Harvest source, if it was harvested."""
    record_key: Mapped[str | None] = mapped_column(String(500))
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    """SHA-256 of the draft it was made of: an equal draft changes nothing."""
    extras: Mapped[dict[str, Any]] = mapped_column(default=dict)
    plugin_data: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default="{}", deferred=True
    )
    """What plugins of CKAN keep with it; administrators alone write and see it."""
    uses: Mapped[int] = mapped_column(Integer, default=0)
    """Views, downloads and calls since ever, for “most used”."""
    index_due: Mapped[datetime | None] = mapped_column(default=now, index=True)
    """When it last changed, until the search index knows; empty when the index is up to date."""

    organization: Mapped[Organization] = relationship(lazy="raise")
    series: Mapped[DatasetSeries | None] = relationship(lazy="raise")
    tag_rows: Mapped[list[Tag]] = relationship(secondary=dataset_tag, lazy="raise", viewonly=True)
    themes: Mapped[list[Group]] = relationship(
        secondary=dataset_theme, lazy="raise", order_by=(Group.position, Group.slug)
    )
    resources: Mapped[list[Resource]] = relationship(
        back_populates="dataset",
        lazy="raise",
        order_by="Resource.position",
        cascade="all, delete-orphan",
    )


class Resource(Base):
    """A file or an interface of a dataset (dcat:Distribution), with the tables read from it."""

    __tablename__ = "resource"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(
        ForeignKey("dataset.id", ondelete="CASCADE"), index=True
    )
    key: Mapped[str] = mapped_column(String(500))
    """Stable name of the resource inside its dataset, given by the source."""
    position: Mapped[int] = mapped_column(Integer, default=0)
    title: Mapped[Texts] = mapped_column(default=dict)
    description: Mapped[Texts] = mapped_column(default=dict)
    format: Mapped[str] = mapped_column(String(40), default="")
    """Upper-case short name: CSV, XLSX, GEOJSON, API, HTML …"""
    media_type: Mapped[str] = mapped_column(String(100), default="")
    url: Mapped[str] = mapped_column(Text, default="")
    """Address at the source; empty when the source is not public."""
    size: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    """Bytes at the source, if it says so."""
    load: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """How its tables are read: what the harvest format said (`part`, `read`); empty means no table."""
    problem: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Why there is no table: `{"message": msgid, "context": {…}, "code": …}`; empty when all is well."""
    extras: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What CKAN's clients say of it beyond our own fields, such as `url_type` or `hash`."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def file_path(self) -> str:
        """Where its uploaded file is fetched, below the address of the portal; empty where it has none."""
        return upload_path(self.dataset_id, self.id, self.extras)

    dataset: Mapped[Dataset] = relationship(back_populates="resources", lazy="raise")
    tables: Mapped[list[DataTable]] = relationship(
        back_populates="resource",
        lazy="raise",
        order_by="DataTable.position",
        cascade="all, delete-orphan",
    )


def upload_path(dataset_id: str, resource_id: str, extras: dict[str, Any] | None) -> str:
    """Where the uploaded file of a resource with these extras is fetched; empty where it has none."""
    name = (extras or {}).get("upload")
    return f"/dataset/{dataset_id}/resource/{resource_id}/download/{name}" if name else ""


def public() -> ColumnElement[bool]:
    """The condition that everybody may see the description of a dataset."""
    return and_(Dataset.state == State.PUBLISHED, Dataset.private.is_(False))
